"""Plans that move visits, from the proposal to the last answer.

A plan changes nothing until a scheduler says so. Then its new times are kept and the patients are asked. An urgent plan is carried
out whole once all have agreed, and can be undone; of a storm each visit moves when its patient agrees. A calendar that changed
meanwhile refuses the step whole: nothing is half done. What patients and staff read is in `plan_texts`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from scheduling_core import audit, booking, handoff, idempotency, patients, plan_texts, sending, times
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    IdempotencyKey,
    MoveStatus,
    Plan,
    PlanKind,
    PlanMove,
    PlanStatus,
    Role,
    StaffAccount,
    Task,
    TaskStatus,
    new_id,
)
from scheduling_core.plan_texts import counts, describe, in_words, time_as_json, time_from_json

__all__ = ["counts", "describe", "in_words", "time_as_json", "time_from_json"]

_DECIDERS = (Role.SCHEDULER, Role.MANAGER)
_TIME_TO_ANSWER = dt.timedelta(hours=48)
_WAITS_FOR_ANSWER = (MoveStatus.ASKED, MoveStatus.FOR_STAFF)  # who answers late is heard too
_GOES_ON = (PlanStatus.ASKING, PlanStatus.DONE)


class NotAllowedError(SchedulingError):
    """Only a scheduler or a manager may do this."""

    code = "not-allowed"


class CalendarChangedError(SchedulingError):
    """The calendar has changed since the plan was made; nothing was done. Plan again."""

    code = "calendar-changed"


@dataclass(frozen=True)
class Move:
    """A visit and where it is to go; `new` is None where no time was found for it."""

    appointment_id: str
    patient_id: str
    sequence: int
    old: FreeTime
    new: FreeTime | None

    @property
    def minutes(self) -> int:
        """How far the visit moves; 0 without a new time."""
        return 0 if self.new is None else int(abs(self.new.start - self.old.start).total_seconds()) // 60


def save(session: Session, *, kind: PlanKind, need: dict[str, Any], moves: Sequence[Move], by: str) -> Plan:
    """Keep a proposal; `by` is the email of a scheduler's account. Visits without a new time are for staff from the start.

    Raises NotAllowedError.
    """
    agent, now = scheduler(session, by), times.now()
    plan = Plan(id=new_id(), kind=kind, status=PlanStatus.PROPOSED, need=need, created_at=now, updated_at=now)
    session.add(plan)
    session.flush()
    session.add_all(
        PlanMove(
            plan_id=plan.id,
            number=number,
            appointment_id=move.appointment_id,
            patient_id=move.patient_id,
            sequence=move.sequence,
            status=MoveStatus.PROPOSED if move.new else MoveStatus.FOR_STAFF,
            old=time_as_json(move.old),
            new=time_as_json(move.new) if move.new else None,
        )
        for number, move in enumerate(moves, start=1)
    )
    session.flush()
    _audit(session, plan, agent, "C", {"kind": kind, "moves": len(moves)})
    return plan


def get(session: Session, plan_id: str) -> Plan:
    """The plan, kept from others until the transaction ends. Raises NotFoundError."""
    found = session.scalars(
        select(Plan).where(Plan.id == plan_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"Plan/{plan_id}")
    return found


def moves(session: Session, plan_id: str, *status: MoveStatus, limit: int | None = None) -> list[PlanMove]:
    """The moves of a plan by number, those of a status where one is named."""
    found = select(PlanMove).where(PlanMove.plan_id == plan_id).order_by(PlanMove.number).limit(limit)
    return list(session.scalars(found.where(PlanMove.status.in_(status)) if status else found))


def scheduler(session: Session, by: str) -> str:
    """Who acts, for the audit, by the email of an account that may decide on plans. Raises NotAllowedError."""
    account = session.scalars(select(StaffAccount).where(func.lower(StaffAccount.email) == by.strip().lower())).one_or_none()
    if account is None or not account.active or account.role not in _DECIDERS:
        raise NotAllowedError(by)
    return f"staff:{account.email}"


def approve(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """A scheduler says yes. The times of an urgent plan are kept and its patients asked at once; a storm waits for `ask_next`.

    `by` is the email of a staff account. Raises NotAllowedError, NotFoundError, WrongStateError; CalendarChangedError when a
    visit or one of the times is not as it was: nothing is done then.
    """
    agent = scheduler(session, by)
    plan = get(session, plan_id)
    if plan.status is not PlanStatus.PROPOSED:
        raise WrongStateError(f"Plan/{plan_id}")
    with session.begin_nested():
        plan.status, plan.decided_by, plan.updated_at = PlanStatus.ASKING, by, times.now()
        if plan.kind is PlanKind.URGENT:
            wanted = moves(session, plan_id)
            if len(_keep(session, clinic, plan, wanted, _first_start(plan), agent)) < len(wanted):
                raise CalendarChangedError(f"Plan/{plan_id}")
            for move in wanted:
                _ask(session, clinic, plan, move, times.now())
    _audit(session, plan, agent, "U", {"status": "asking"})
    return plan


def ask_next(session: Session, clinic: ClinicFile, *, plan_id: str, limit: int, per_minute: float, by: str) -> int:
    """Keep the times of the next few visits of a storm and queue their messages, spread over time; how many were looked at.

    0: all are asked. Each call is a transaction of its own, so that a plan that was interrupted goes on where it stood. The rate
    holds over the whole plan, with a pause in the clinic's quiet hours. Raises NotAllowedError, NotFoundError, WrongStateError.
    """
    agent = scheduler(session, by)
    plan = get(session, plan_id)
    if plan.kind is not PlanKind.STORM or plan.status is not PlanStatus.ASKING:
        raise WrongStateError(f"Plan/{plan_id}")
    some = moves(session, plan_id, MoveStatus.PROPOSED, limit=limit)
    due = max(times.now(), dt.datetime.fromisoformat(plan.need.get("next_due") or times.now().isoformat()))
    kept = _keep(session, clinic, plan, some, due + _TIME_TO_ANSWER, agent)
    for move in some:
        if move in kept:
            due = sending.quiet_until(clinic, phone=clinic.clinic.phone, at=due) or due
            _ask(session, clinic, plan, move, due)
            due += dt.timedelta(seconds=60 / per_minute)
        else:
            _leave_to_staff(session, clinic, move, "Its new time is gone, or the visit has changed. Find another", agent)
    plan.need = plan.need | {"next_due": due.isoformat()}
    _finish_storm(session, plan)
    session.flush()
    _audit(session, plan, agent, "U", {"asked": len(kept), "for-staff": len(some) - len(kept)})
    return len(some)


def answer(
    session: Session, clinic: ClinicFile, *, plan_id: str, number: int, agrees: bool, agent: str, key: str | None = None
) -> PlanMove:
    """What a patient, or a scheduler for them, says to a proposed time.

    Of a storm the visit moves at once; one who declines, or whose time is gone by then, is left to staff. A refusal gives an urgent
    plan up: the kept times are released, who was asked hears that all stays as it was. The same answer again does nothing; by `key`
    it is found again (`answered_in`). Raises NotFoundError, WrongStateError (not asked, or answered otherwise).
    """
    plan = get(session, plan_id)
    move = next((one for one in moves(session, plan_id) if one.number == number), None)
    if move is None:
        raise NotFoundError(f"Plan/{plan_id}/{number}")
    said = {True: (MoveStatus.AGREED, MoveStatus.MOVED), False: (MoveStatus.DECLINED,)}[agrees]
    if move.status in said:
        return move
    if plan.status not in _GOES_ON or move.status not in _WAITS_FOR_ANSWER or move.new is None:
        raise WrongStateError(f"Plan/{plan_id}/{number}")
    idempotency.earlier_answer(session, key)
    idempotency.remember(session, key, {"plan": plan_id, "number": number})
    move.status = said[0]
    _audit(session, plan, agent, "U", {"number": number, "agrees": agrees})
    if plan.kind is PlanKind.STORM:
        if agrees:
            _carry_or_leave_to_staff(session, clinic, move, agent)
        else:
            booking.release(session, held_for=_held_for(move), agent=agent)
            _leave_to_staff(session, clinic, move, "The patient declined. Find another time", agent, MoveStatus.DECLINED)
        _finish_storm(session, plan)
    elif not agrees:
        give_up(session, clinic, plan_id=plan_id, agent=agent)
    session.flush()
    return move


def answered_in(session: Session, *, key: str) -> tuple[Plan, PlanMove] | None:
    """The move that was answered under this key, as it stands now: a turn that is taken again says the same."""
    done = session.scalars(select(IdempotencyKey.result).where(IdempotencyKey.key == key)).one_or_none()
    if done is None:
        return None
    own = PlanMove.plan_id == done["plan"], PlanMove.number == done["number"]
    return session.execute(select(Plan, PlanMove).join(PlanMove, _same_plan()).where(*own)).tuples().one()


def settle(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> None:
    """A visit was moved or cancelled otherwise, by its patient or by staff: a plan that waits for it needs it no more.

    Of an urgent plan the time that became free is kept for the urgent visit.
    """
    open_moves = select(PlanMove).where(
        PlanMove.appointment_id == appointment_id,
        PlanMove.status.in_((*_WAITS_FOR_ANSWER, MoveStatus.AGREED, MoveStatus.DECLINED)),
    )
    for move in session.scalars(open_moves):
        plan = get(session, move.plan_id)
        if plan.status is PlanStatus.PROPOSED or _is_as_planned(session, move, move.sequence):
            continue
        move.status = MoveStatus.GONE
        if plan.kind is PlanKind.URGENT and plan.status is PlanStatus.ASKING:
            _keep_urgent_times(session, clinic, plan, agent)
        booking.release(session, held_for=_held_for(move), agent=agent)
        plan_texts.close_task(session, move, agent)
        if plan.kind is PlanKind.STORM and plan.status is PlanStatus.ASKING:
            _finish_storm(session, plan)
        _audit(session, plan, agent, "U", {"number": move.number, "status": "gone"})
    session.flush()


def carry_out(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """Move every visit of an urgent plan and book the urgent ones: all of it or nothing; the patients are told. Again does nothing.

    Raises NotAllowedError, NotFoundError, WrongStateError (somebody has not agreed), CalendarChangedError (nothing is done then).
    """
    agent = scheduler(session, by)
    plan = get(session, plan_id)
    if plan.status is PlanStatus.DONE:
        return plan
    if not may_be_carried_out(session, plan):
        raise WrongStateError(f"Plan/{plan_id}")
    wanted = moves(session, plan_id)
    with session.begin_nested():
        for move in wanted:
            if move.status is MoveStatus.AGREED:
                _carry(session, clinic, move, agent)
                plan_texts.tell_that_it_moved(session, clinic, move, f"{_held_for(move)}:moved")
        plan.need = plan.need | {"visits": _book_urgent(session, clinic, plan, agent)}
        plan.status, plan.updated_at = PlanStatus.DONE, times.now()
        session.flush()
    moved = [move.appointment_id for move in wanted if move.status is MoveStatus.MOVED]
    _audit(session, plan, agent, "U", {"status": "done", "moved": moved, "booked": urgent_visits(plan)})
    return plan


def may_be_carried_out(session: Session, plan: Plan) -> bool:
    """Whether an urgent plan waits for nothing but a scheduler's word: everybody who was asked has agreed."""
    if plan.kind is not PlanKind.URGENT or plan.status is not PlanStatus.ASKING:
        return False
    return all(move.status in (MoveStatus.AGREED, MoveStatus.GONE) for move in moves(session, plan.id))


def urgent_visits(plan: Plan) -> list[str]:
    """The ids of the appointments that an urgent plan booked."""
    return [visit["appointment_id"] for visit in plan.need.get("visits", ()) if visit.get("appointment_id")]


def undo(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """Take the urgent visits off the books and every moved visit back to its old time: all or nothing; the patients are told.

    Raises NotAllowedError, NotFoundError, WrongStateError (not carried out), CalendarChangedError (an old time is taken or past).
    """
    agent = scheduler(session, by)
    plan = get(session, plan_id)
    if plan.kind is not PlanKind.URGENT or plan.status is not PlanStatus.DONE:
        raise WrongStateError(f"Plan/{plan_id}")
    done = moves(session, plan_id, MoveStatus.MOVED)
    with session.begin_nested():
        try:
            for number, appointment_id in enumerate(urgent_visits(plan), start=1):
                key = f"plan:{plan_id}:undo:{number}"
                booking.cancel(session, clinic, appointment_id=appointment_id, agent=agent, key=key, reason="plan-undone")
                _close_late_cancellation(session, appointment_id, agent)
            for move in done:
                _refuse_if_changed(session, move, move.sequence + 1)
                key = f"{_held_for(move)}:undo"
                old = time_from_json(move.old)
                booking.reschedule(session, clinic, appointment_id=move.appointment_id, time=old, agent=agent, key=key)
                move.status = MoveStatus.UNDONE
                plan_texts.tell_that_it_stays(session, clinic, move, key)
        except SchedulingError as error:
            raise CalendarChangedError(str(error)) from error
        plan.status, plan.updated_at = PlanStatus.UNDONE, times.now()
        session.flush()
    _audit(session, plan, agent, "U", {"status": "undone"})
    return plan


def give_up(session: Session, clinic: ClinicFile, *, plan_id: str, agent: str) -> Plan:
    """Release what a plan keeps and tell who was asked that their visit stays. What has moved stays moved.

    Raises NotFoundError, WrongStateError (it is over already).
    """
    plan = get(session, plan_id)
    if plan.status not in (PlanStatus.PROPOSED, PlanStatus.ASKING):
        raise WrongStateError(f"Plan/{plan_id}")
    for move in moves(session, plan_id, MoveStatus.ASKED, MoveStatus.AGREED, MoveStatus.DECLINED):
        booking.release(session, held_for=_held_for(move), agent=agent)
        if move.status is not MoveStatus.DECLINED:
            move.status = MoveStatus.UNDONE
            if not plan_texts.take_back(session, move):
                plan_texts.tell_that_it_stays(session, clinic, move, f"{_held_for(move)}:given-up")
            plan_texts.close_task(session, move, agent)
    for number, _ in enumerate(plan.need.get("visits", ()), start=1):
        booking.release(session, held_for=_held_for_urgent(plan, number), agent=agent)
    plan.status, plan.updated_at = PlanStatus.GIVEN_UP, times.now()
    session.flush()
    _audit(session, plan, agent, "U", {"status": "given-up"})
    return plan


def any_overdue(session: Session, _clinic: ClinicFile) -> bool:
    """Whether `end_overdue` has something to do."""
    return session.execute(_overdue().limit(1)).first() is not None


def end_overdue(session: Session, clinic: ClinicFile, *, limit: int = 50) -> bool:
    """Leave to staff who has not answered for as long as the new time was kept; an urgent plan whose time has come is given up.

    Whether there may be more.
    """
    found = session.execute(_overdue().limit(limit)).all()
    for plan_id, number in found:
        plan = get(session, plan_id)
        [move] = session.scalars(select(PlanMove).where(PlanMove.plan_id == plan_id, PlanMove.number == number))
        if plan.status is not PlanStatus.ASKING or move.status is not MoveStatus.ASKED:
            continue
        if plan.kind is PlanKind.URGENT:
            give_up(session, clinic, plan_id=plan_id, agent="worker")
        else:
            _leave_to_staff(session, clinic, move, "No answer yet. Ask by phone", "worker")
            _finish_storm(session, plan)
    return len(found) == limit


def _overdue() -> Any:
    held = aliased(Appointment)
    ended = or_(held.status != AppointmentStatus.PROPOSED, held.hold_expires_at <= times.now())
    return (
        select(PlanMove.plan_id, PlanMove.number)
        .join(Plan, _same_plan())
        .join(held, (held.organization_id == PlanMove.organization_id) & (held.id == PlanMove.hold_id))
        .where(PlanMove.status == MoveStatus.ASKED, Plan.status == PlanStatus.ASKING, ended)
        .order_by(PlanMove.plan_id, PlanMove.number)
    )


def asked_last(session: Session, *, phone: str) -> tuple[Plan, PlanMove] | None:
    """The move that this number was asked about last, while an answer still counts; the question has gone out."""
    people = [one.id for one in patients.on_file(session, phone=phone)]
    last = sending.last_said(session, phone=phone, kinds=(sending.PLAN,))
    found = session.execute(
        select(Plan, PlanMove)
        .join(PlanMove, _same_plan())
        .where(
            PlanMove.patient_id.in_(people),
            PlanMove.status.in_(_WAITS_FOR_ANSWER),
            PlanMove.new.is_not(None),
            Plan.status.in_(_GOES_ON),
        )
    )
    by_key = {sending.plan_key(plan.id, move.number): (plan, move) for plan, move in found.tuples()}
    return by_key.get(last.idempotency_key or "") if last else None


def asked_about() -> Select[tuple[str]]:
    """The ids of the visits that a plan asks their patients about, or is about to."""
    waiting = (MoveStatus.PROPOSED, MoveStatus.ASKED, MoveStatus.AGREED)
    return (
        select(PlanMove.appointment_id)
        .join(Plan, _same_plan())
        .where(Plan.status == PlanStatus.ASKING, PlanMove.status.in_(waiting))
    )


def _same_plan() -> ColumnElement[bool]:
    return (Plan.organization_id == PlanMove.organization_id) & (Plan.id == PlanMove.plan_id)


def visit(session: Session, appointment_id: str) -> Appointment:
    """Raises NotFoundError."""
    found = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return found


def time_of(visit: Appointment) -> FreeTime:
    """The time that a visit has. Raises WrongStateError for one without a time."""
    if not (
        visit.practitioner_id
        and visit.location_id
        and visit.start
        and visit.end
        and visit.first_tick is not None
        and visit.end_tick is not None
    ):
        raise WrongStateError(f"Appointment/{visit.id}")
    return FreeTime(
        service_id=visit.service_id,
        practitioner_id=visit.practitioner_id,
        location_id=visit.location_id,
        mode=visit.mode,
        start=visit.start,
        end=visit.end,
        room_id=visit.room_id,
        first_tick=visit.first_tick,
        end_tick=visit.end_tick,
    )


def _keep(
    session: Session, clinic: ClinicFile, plan: Plan, wanted: list[PlanMove], until: dt.datetime, agent: str
) -> list[PlanMove]:
    """Hold the new times of moves whose visits are as they were; the moves that got theirs."""
    standing = [move for move in wanted if _is_as_planned(session, move, move.sequence)]
    free_times = [replace(time_from_json(move.new or {}), moving=move.appointment_id) for move in standing]
    held = booking.hold_all(session, clinic, free_times=free_times, held_for=f"plan:{plan.id}", agent=agent)
    by_visit = {(one.service_id, one.practitioner_id, one.start): one for one in held}
    kept = []
    for move, time in zip(standing, free_times, strict=True):
        if hold := by_visit.get((time.service_id, time.practitioner_id, time.start)):
            move.hold_id = hold.id
            hold.hold_expires_at, hold.held_for = until, _held_for(move)
            kept.append(move)
    session.flush()
    return kept


def _ask(session: Session, clinic: ClinicFile, plan: Plan, move: PlanMove, due: dt.datetime) -> None:
    move.status = MoveStatus.ASKED
    session.flush()
    plan_texts.ask(session, clinic, plan, move, due)


def _first_start(plan: Plan) -> dt.datetime:
    return min(time_from_json(visit["time"]).start for visit in plan.need["visits"])


def _book_urgent(session: Session, clinic: ClinicFile, plan: Plan, agent: str) -> list[dict[str, Any]]:
    """The urgent visits with their appointments. Raises CalendarChangedError."""
    booked = []
    for number, wanted in enumerate(plan.need["visits"], start=1):
        hold_id = wanted.get("hold_id")
        held = hold_id is not None and booking.is_held(session, hold_id=hold_id)
        try:
            made = booking.book(
                session,
                clinic,
                patient_id=wanted["patient_id"],
                hold_id=hold_id if held else None,
                time=None if held else time_from_json(wanted["time"]),
                agent=agent,
                key=f"plan:{plan.id}:urgent:{number}",
            )
        except SchedulingError as error:
            raise CalendarChangedError(str(error)) from error
        booked.append(wanted | {"appointment_id": made.id})
    return booked


def _keep_urgent_times(session: Session, clinic: ClinicFile, plan: Plan, agent: str) -> None:
    """Hold the urgent times that are free by now. One that is not yet stays with the visits that are asked to move."""
    kept = []
    for number, wanted in enumerate(plan.need["visits"], start=1):
        time = time_from_json(wanted["time"])
        if "hold_id" not in wanted:
            try:
                held = booking.hold(
                    session,
                    clinic,
                    time=time,
                    held_for=_held_for_urgent(plan, number),
                    patient_id=wanted["patient_id"],
                    agent=agent,
                )
            except SchedulingError:
                kept.append(wanted)
                continue
            held.hold_expires_at = time.start
            wanted = wanted | {"hold_id": held.id}
        kept.append(wanted)
    plan.need = plan.need | {"visits": kept}
    session.flush()


def _held_for_urgent(plan: Plan, number: int) -> str:
    return f"plan:{plan.id}:u{number}"


def _carry(session: Session, clinic: ClinicFile, move: PlanMove, agent: str) -> None:
    """Move one visit to its new time, which is kept or, after that, still free. Raises CalendarChangedError."""
    _refuse_if_changed(session, move, move.sequence)
    held = move.hold_id is not None and booking.is_held(session, hold_id=move.hold_id)
    try:
        booking.reschedule(
            session,
            clinic,
            appointment_id=move.appointment_id,
            hold_id=move.hold_id if held else None,
            time=None if held else time_from_json(move.new or {}),
            agent=agent,
            key=f"{_held_for(move)}:move",
        )
    except SchedulingError as error:
        raise CalendarChangedError(str(error)) from error
    move.status, move.moved_at = MoveStatus.MOVED, times.now()


def _carry_or_leave_to_staff(session: Session, clinic: ClinicFile, move: PlanMove, agent: str) -> None:
    try:
        with session.begin_nested():
            _carry(session, clinic, move, agent)
    except CalendarChangedError:
        session.refresh(move)
        booking.release(session, held_for=_held_for(move), agent=agent)
        _leave_to_staff(session, clinic, move, "Its new time was gone when the patient agreed. Find another", agent)
    else:
        plan_texts.close_task(session, move, agent)


def _refuse_if_changed(session: Session, move: PlanMove, sequence: int) -> None:
    if not _is_as_planned(session, move, sequence):
        raise CalendarChangedError(f"Appointment/{move.appointment_id}")


def _is_as_planned(session: Session, move: PlanMove, sequence: int) -> bool:
    visit = session.scalars(
        select(Appointment).where(Appointment.id == move.appointment_id).execution_options(populate_existing=True)
    ).one()
    return visit.status in LIVE and visit.sequence == sequence


def _leave_to_staff(
    session: Session, clinic: ClinicFile, move: PlanMove, why: str, agent: str, status: MoveStatus = MoveStatus.FOR_STAFF
) -> None:
    move.status = status
    plan_texts.task(session, clinic, move, why, agent)


def _finish_storm(session: Session, plan: Plan) -> None:
    """A storm is over when nobody has to be asked and nobody's answer is waited for: what is left is with staff."""
    session.flush()
    if not moves(session, plan.id, MoveStatus.PROPOSED, MoveStatus.ASKED, limit=1):
        plan.status, plan.updated_at = PlanStatus.DONE, times.now()


def _close_late_cancellation(session: Session, appointment_id: str, agent: str) -> None:
    """The task that a cancellation at short notice leaves is of no use when the clinic itself cancelled."""
    found = select(Task.id).where(Task.idempotency_key == f"late-cancellation:{appointment_id}")
    for task_id in session.scalars(found):
        handoff.close_task(session, task_id=task_id, agent=agent, status=TaskStatus.CANCELLED)


def _held_for(move: PlanMove) -> str:
    return sending.plan_key(move.plan_id, move.number)


def _audit(session: Session, plan: Plan, agent: str, action: audit.Action, detail: dict[str, Any]) -> None:
    audit.record(session, agent=agent, action=action, entity="Plan", entity_id=plan.id, detail=detail)
