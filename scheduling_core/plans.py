"""Plans that move visits, from the proposal to the last answer.

A plan changes nothing until a scheduler says so. Then its new times are kept and the patients are asked. An urgent plan is carried
out whole once all have agreed, and can be undone; of a storm each visit moves when its patient agrees. A calendar that changed
meanwhile refuses the step whole: nothing is half done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, handoff, messaging, patients, sending, times
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import (
    LIVE,
    Appointment,
    Mode,
    MoveStatus,
    Patient,
    Plan,
    PlanKind,
    PlanMove,
    PlanStatus,
    Priority,
    Role,
    StaffAccount,
    Task,
    TaskStatus,
    new_id,
)

ASK = "plan"  # the kind of message that asks a patient to move
_DECIDERS = (Role.SCHEDULER, Role.MANAGER)
_TIME_TO_ANSWER = dt.timedelta(hours=48)


class NotAllowedError(SchedulingError):
    """Only a scheduler or a manager decides on a plan."""

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


def save(session: Session, *, kind: PlanKind, need: dict[str, Any], moves: Sequence[Move], agent: str) -> Plan:
    """Keep a proposal. Visits without a new time are for staff from the start."""
    now = times.now()
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


def counts(session: Session, plan_id: str) -> dict[MoveStatus, int]:
    """How many moves stand where."""
    found = select(PlanMove.status, func.count()).where(PlanMove.plan_id == plan_id).group_by(PlanMove.status)
    return dict(session.execute(found).tuples().all())


def approve(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """A scheduler says yes. The times of an urgent plan are kept and its patients asked at once; a storm waits for `ask_next`.

    `by` is the email of a staff account. Raises NotAllowedError, NotFoundError, WrongStateError; CalendarChangedError when a
    visit or one of the times is not as it was: nothing is done then.
    """
    agent = _decider(session, by)
    plan = get(session, plan_id)
    if plan.status is not PlanStatus.PROPOSED:
        raise WrongStateError(f"Plan/{plan_id}")
    with session.begin_nested():
        plan.status, plan.decided_by, plan.updated_at = PlanStatus.ASKING, by, times.now()
        if plan.kind is PlanKind.URGENT:
            wanted = moves(session, plan_id)
            until = time_from_json(plan.need["time"]).start
            if len(_keep(session, clinic, plan, wanted, until, agent)) < len(wanted):
                raise CalendarChangedError(f"Plan/{plan_id}")
            for move in wanted:
                _ask(session, clinic, plan, move, times.now())
    _audit(session, plan, agent, "U", {"status": "asking"})
    return plan


def ask_next(session: Session, clinic: ClinicFile, *, plan_id: str, limit: int, per_minute: float, agent: str) -> int:
    """Keep the times of the next few visits of a storm and queue their messages, spread over time; how many were looked at.

    0: all are asked. Each call is a transaction of its own, so that a plan that was interrupted goes on where it stood.
    Raises NotFoundError, WrongStateError.
    """
    plan = get(session, plan_id)
    if plan.kind is not PlanKind.STORM or plan.status is not PlanStatus.ASKING:
        raise WrongStateError(f"Plan/{plan_id}")
    some = moves(session, plan_id, MoveStatus.PROPOSED, limit=limit)
    due = max(times.now(), dt.datetime.fromisoformat(plan.need.get("next_due") or times.now().isoformat()))
    kept = _keep(session, clinic, plan, some, due + _TIME_TO_ANSWER, agent)
    for move in some:
        if move in kept:
            _ask(session, clinic, plan, move, due)
            due += dt.timedelta(seconds=60 / per_minute)
        else:
            _leave_to_staff(session, clinic, move, "its new time is gone, or the visit has changed", agent)
    plan.need = plan.need | {"next_due": due.isoformat()}
    session.flush()
    return len(some)


def answer(session: Session, clinic: ClinicFile, *, plan_id: str, number: int, agrees: bool, agent: str) -> PlanMove:
    """What a patient, or staff for them, says to a proposed time.

    Of a storm the visit moves at once; one who declines is left to staff. A refusal gives an urgent plan up: the kept times are
    released, who was asked hears that all stays as it was. The same answer again does nothing.
    Raises NotFoundError, WrongStateError (not asked, or answered otherwise); CalendarChangedError when the time is gone.
    """
    plan = get(session, plan_id)
    move = next((one for one in moves(session, plan_id) if one.number == number), None)
    if move is None:
        raise NotFoundError(f"Plan/{plan_id}/{number}")
    said = {True: (MoveStatus.AGREED, MoveStatus.MOVED), False: (MoveStatus.DECLINED,)}[agrees]
    if move.status in said:
        return move
    if plan.status is not PlanStatus.ASKING or move.status is not MoveStatus.ASKED:
        raise WrongStateError(f"Plan/{plan_id}/{number}")
    move.status = said[0]
    if plan.kind is PlanKind.STORM:
        if agrees:
            with session.begin_nested():
                _carry(session, clinic, plan, move, agent)
        else:
            booking.release(session, held_for=_held_for(move), agent=agent)
            _leave_to_staff(session, clinic, move, "the patient declined the time of the plan", agent, MoveStatus.DECLINED)
        _finish_storm(session, plan)
    elif not agrees:
        give_up(session, clinic, plan_id=plan_id, agent=agent)
    session.flush()
    return move


def carry_out(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """Move every visit of an urgent plan and book the urgent one: all of it or nothing. Once done, again does nothing.

    Raises NotAllowedError, NotFoundError, WrongStateError (somebody has not agreed), CalendarChangedError (nothing is done then).
    """
    agent = _decider(session, by)
    plan = get(session, plan_id)
    if plan.status is PlanStatus.DONE:
        return plan
    wanted = moves(session, plan_id)
    agreed = all(move.status is MoveStatus.AGREED for move in wanted)
    if plan.kind is not PlanKind.URGENT or plan.status is not PlanStatus.ASKING or not agreed:
        raise WrongStateError(f"Plan/{plan_id}")
    with session.begin_nested():
        for move in wanted:
            _carry(session, clinic, plan, move, agent)
        try:
            visit = booking.book(
                session,
                clinic,
                patient_id=plan.need["patient_id"],
                time=time_from_json(plan.need["time"]),
                agent=agent,
                key=f"plan:{plan_id}:urgent",
            )
        except SchedulingError as error:
            raise CalendarChangedError(str(error)) from error
        plan.status, plan.appointment_id, plan.updated_at = PlanStatus.DONE, visit.id, times.now()
        session.flush()
    _audit(session, plan, agent, "U", {"status": "done", "moved": [move.appointment_id for move in wanted]})
    return plan


def undo(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """Take the urgent visit off the books and every moved visit back to its old time: all of it or nothing; the patients are told.

    Raises NotAllowedError, NotFoundError, WrongStateError (not carried out), CalendarChangedError (an old time is taken or past).
    """
    agent = _decider(session, by)
    plan = get(session, plan_id)
    if plan.kind is not PlanKind.URGENT or plan.status is not PlanStatus.DONE or plan.appointment_id is None:
        raise WrongStateError(f"Plan/{plan_id}")
    done = moves(session, plan_id, MoveStatus.MOVED)
    with session.begin_nested():
        try:
            visit = booking.cancel(
                session,
                clinic,
                appointment_id=plan.appointment_id,
                agent=agent,
                key=f"plan:{plan_id}:undo",
                reason="plan-undone",
            )
            _close_late_cancellation(session, visit.id, agent)
            for move in done:
                _refuse_if_changed(session, move, move.sequence + 1)
                key = f"{_held_for(move)}:undo"
                old = time_from_json(move.old)
                booking.reschedule(session, clinic, appointment_id=move.appointment_id, time=old, agent=agent, key=key)
                move.status = MoveStatus.UNDONE
                _tell_that_it_stays(session, clinic, move, key)
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
            _tell_that_it_stays(session, clinic, move, f"{_held_for(move)}:given-up")
    plan.status, plan.updated_at = PlanStatus.GIVEN_UP, times.now()
    session.flush()
    _audit(session, plan, agent, "U", {"status": "given-up"})
    return plan


def asked_last(session: Session, *, phone: str) -> PlanMove | None:
    """The move that a patient with this number was asked about last and has not answered."""
    people = [one.id for one in patients.on_file(session, phone=phone)]
    found = (
        select(PlanMove)
        .join(Plan, (Plan.organization_id == PlanMove.organization_id) & (Plan.id == PlanMove.plan_id))
        .where(PlanMove.patient_id.in_(people), PlanMove.status == MoveStatus.ASKED, Plan.status == PlanStatus.ASKING)
        .order_by(Plan.updated_at.desc(), PlanMove.number.desc())
    )
    return session.scalars(found.limit(1)).first()


def describe(session: Session, clinic: ClinicFile, plan: Plan) -> list[str]:
    """A plan for staff, a line each: what for, then every move with its reason and where it stands."""
    lines = [f"Plan {plan.id}: {plan.kind}, {plan.status}" + (f" (decided by {plan.decided_by})" if plan.decided_by else "")]
    if plan.kind is PlanKind.URGENT:
        lines.append(f"For: {in_words(clinic, time_from_json(plan.need['time']))}")
    else:
        lines.append(f"Out: {plan.need['words']}")
    all_moves = moves(session, plan.id)
    for move in all_moves:
        old = time_from_json(move.old)
        where = f"{move.number}. {move.status}: {in_words(clinic, old)}"
        if move.new is None:
            lines.append(f"{where}: no time was found; for staff")
            continue
        new = time_from_json(move.new)
        lines.append(f"{where} -> {in_words(clinic, new)} ({_distance(old, new)})")
    lines.extend(f"   {reason}" for reason in plan.need.get("reasons", ()))
    found = ", ".join(f"{number} {status}" for status, number in sorted(counts(session, plan.id).items()))
    lines.append(f"{len(all_moves)} visits: {found}" if found else "No visits.")
    return lines


def in_words(clinic: ClinicFile, time: FreeTime) -> str:
    service, practitioner = clinic.services_by_id.get(time.service_id), clinic.practitioners_by_id.get(time.practitioner_id)
    zone = clinic.zone_of(time.location_id) if time.location_id in clinic.locations_by_id else clinic.zone
    return (
        f"{service.name if service else time.service_id} with {practitioner.name if practitioner else time.practitioner_id}, "
        f"{times.to_wall(time.start, zone):%a, %b %-d, %-I:%M %p}"
    )


def time_as_json(time: FreeTime) -> dict[str, Any]:
    return asdict(time) | {"start": time.start.isoformat(), "end": time.end.isoformat()}


def time_from_json(raw: dict[str, Any]) -> FreeTime:
    start, end = dt.datetime.fromisoformat(raw["start"]), dt.datetime.fromisoformat(raw["end"])
    return FreeTime(**(raw | {"mode": Mode(raw["mode"]), "start": start, "end": end}))


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


def _distance(old: FreeTime, new: FreeTime) -> str:
    minutes = int((new.start - old.start).total_seconds()) // 60
    days, rest = divmod(abs(minutes), 24 * 60)
    parts = [f"{days} d"] * bool(days) + [f"{rest // 60} h"] * bool(rest // 60) + [f"{rest % 60} min"] * bool(rest % 60)
    return f"{' '.join(parts) or 'same time'}{' later' if minutes > 0 else ' earlier' if minutes < 0 else ''}"


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
    """Ask the patient by text; who has no number is asked by staff. In quiet hours the text waits."""
    move.status = MoveStatus.ASKED
    patient = patients.get(session, move.patient_id)
    phone = sending.first_phone(patient)
    if phone is None:
        _task(session, clinic, move, f"Ask the patient: {_both(clinic, move)}.", "worker")
        return
    old, new = time_from_json(move.old), time_from_json(move.new or {})
    body = _question(session, clinic, patient, phone, old, new)
    due = sending.quiet_until(clinic, phone=phone, at=due, location_id=new.location_id) or due
    messaging.queue(
        session,
        phone=phone,
        body=body,
        author="system",
        kind=ASK,
        patient_id=patient.id,
        appointment_id=move.appointment_id,
        due_at=due,
        key=_held_for(move),
    )


def _question(session: Session, clinic: ClinicFile, patient: Patient, phone: str, old: FreeTime, new: FreeTime) -> str:
    language = sending.language_of(session, clinic, patient, phone)
    zone = clinic.zone_of(new.location_id)
    (old_day, old_time), (new_day, new_time) = (sending.start_in_words(one.start, zone, language) for one in (old, new))
    who, call, name = clinic.practitioners_by_id[new.practitioner_id].name, clinic.clinic.phone, clinic.clinic.name
    if language == "es":
        return (
            f"{name}: necesitamos cambiar su cita del {old_day}, {old_time}. ¿Le viene bien el {new_day}, {new_time}, con {who}? "
            f"Díganos por aquí o al {call}."
        )
    return (
        f"{name}: we need to move your visit of {old_day} at {old_time}. Would {new_day} at {new_time} with {who} suit you? "
        f"Tell us here, or call {call}."
    )


def _tell_that_it_stays(session: Session, clinic: ClinicFile, move: PlanMove, key: str) -> None:
    patient = patients.get(session, move.patient_id)
    phone = sending.first_phone(patient)
    if phone is None:
        _task(session, clinic, move, f"Tell the patient that the visit stays as it was: {_both(clinic, move)}.", "worker", key)
        return
    old = time_from_json(move.old)
    language = sending.language_of(session, clinic, patient, phone)
    day, time = sending.start_in_words(old.start, clinic.zone_of(old.location_id), language)
    body = f"{clinic.clinic.name}: your visit stays as it was, {day} at {time}. Thank you for your patience."
    if language == "es":
        body = f"{clinic.clinic.name}: su cita queda como estaba, el {day}, {time}. Gracias por su paciencia."
    messaging.queue(
        session,
        phone=phone,
        body=body,
        author="system",
        kind=ASK,
        patient_id=patient.id,
        appointment_id=move.appointment_id,
        due_at=sending.quiet_until(clinic, phone=phone, at=times.now(), location_id=old.location_id),
        key=key,
    )


def _carry(session: Session, clinic: ClinicFile, plan: Plan, move: PlanMove, agent: str) -> None:
    """Move one visit to its kept time. Raises CalendarChangedError."""
    _refuse_if_changed(session, move, move.sequence)
    try:
        booking.reschedule(
            session, clinic, appointment_id=move.appointment_id, hold_id=move.hold_id, agent=agent, key=f"{_held_for(move)}:move"
        )
    except SchedulingError as error:
        raise CalendarChangedError(str(error)) from error
    move.status, move.moved_at = MoveStatus.MOVED, times.now()


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
    _task(session, clinic, move, f"Find another time: {why}. {_both(clinic, move)}.", agent)


def _task(session: Session, clinic: ClinicFile, move: PlanMove, description: str, agent: str, key: str | None = None) -> None:
    handoff.open_task(
        session,
        team="desk",
        reason="plan",
        description=description,
        priority=Priority.URGENT,
        patient_id=move.patient_id,
        appointment_id=move.appointment_id,
        key=f"{key or _held_for(move)}:task",
        agent=agent,
    )


def _both(clinic: ClinicFile, move: PlanMove) -> str:
    old = in_words(clinic, time_from_json(move.old))
    return f"{old} -> {in_words(clinic, time_from_json(move.new))}" if move.new else old


def _finish_storm(session: Session, plan: Plan) -> None:
    session.flush()
    if not moves(session, plan.id, MoveStatus.PROPOSED, MoveStatus.ASKED, limit=1):
        plan.status, plan.updated_at = PlanStatus.DONE, times.now()


def _close_late_cancellation(session: Session, appointment_id: str, agent: str) -> None:
    """The task that a cancellation at short notice leaves is of no use when the clinic itself cancelled."""
    found = select(Task.id).where(Task.idempotency_key == f"late-cancellation:{appointment_id}")
    for task_id in session.scalars(found):
        handoff.close_task(session, task_id=task_id, agent=agent, status=TaskStatus.CANCELLED)


def _held_for(move: PlanMove) -> str:
    return f"plan:{move.plan_id}:{move.number}"


def _decider(session: Session, email: str) -> str:
    account = session.scalars(select(StaffAccount).where(func.lower(StaffAccount.email) == email.strip().lower())).one_or_none()
    if account is None or not account.active or account.role not in _DECIDERS:
        raise NotAllowedError(email)
    return f"staff:{account.email}"


def _audit(session: Session, plan: Plan, agent: str, action: audit.Action, detail: dict[str, Any]) -> None:
    audit.record(session, agent=agent, action=action, entity="Plan", entity_id=plan.id, detail=detail)
