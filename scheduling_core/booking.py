"""Holding, booking, moving and cancelling visits.

What refuses a double booking is the primary key of the occupancy table. Every function claims in one order, which has no
deadlock on PostgreSQL: the idempotency key, the appointments concerned, expired holds by id, new ticks sorted by (actor, tick),
the daily maximum; what is given up goes last. So a caller that gives up holds in the same transaction does it after it claimed,
and a caller that wants several holds asks for them at once (`hold_all`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Row, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, idempotency, lanes, reminders, times
from scheduling_core.calendar import occupied, rules, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
    PatientBusyError,
    SchedulingError,
    TimeTakenError,
    WrongStateError,
)
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    FreedTime,
    IdempotencyKey,
    ParticipationStatus,
    Practitioner,
    new_id,
    occupancy,
)

HOLD_EXPIRED = "hold-expired"
HOLD_RELEASED = "hold-released"
HOLD_USED = "hold-used"  # its time went to the visit that was moved

_appointments = cast(Table, Appointment.__table__)
_table = _appointments.c
_Tick = tuple[str, int]  # actor and tick


@dataclass(frozen=True)
class _Visit:
    """A time that the rules allow, ready to be claimed."""

    time: FreeTime
    patient_id: str | None
    rooms: tuple[str, ...]  # that would do, the chosen one first
    day: tuple[int, int]  # the ticks of the practitioner's day
    daily_maximum: int | None

    @property
    def first_room(self) -> str | None:
        return self.rooms[0] if self.rooms else None

    def ticks(self, room_id: str | None) -> set[_Tick]:
        """What the visit takes: the buffers take practitioner and room, not the patient."""
        time = self.time
        busy = range(time.first_tick, time.end_tick)
        found = {(f"practitioner:{time.practitioner_id}", tick) for tick in busy}
        if room_id is not None:
            found |= {(f"room:{room_id}", tick) for tick in busy}
        if self.patient_id is not None:
            own = range(ticks.tick_of(time.start), ticks.tick_from(time.end))
            found |= {(f"patient:{self.patient_id}", tick) for tick in own}
        return found


def hold(
    session: Session,
    clinic: ClinicFile,
    *,
    time: FreeTime,
    held_for: str,
    patient_id: str | None = None,
    agent: str,
    key: str | None = None,
) -> Appointment:
    """Keep a time for a conversation, for the clinic's `hold_minutes`: an appointment `proposed` that has practitioner and room.

    The patient's own time is claimed at booking. The same key again answers the same hold.
    Raises TimeTakenError, NotBookableError, NotFoundError.
    """
    _refuse_late_comers(session, clinic, time, key)
    with _once(session, key, "hold", [new_id()]) as (ids, is_done):
        if not is_done:
            refusals = _hold(session, clinic, {ids[0]: time}, held_for, patient_id, agent)
            if refusals:
                raise refusals[0]
    return _load(session, ids[0])


def hold_all(
    session: Session,
    clinic: ClinicFile,
    *,
    free_times: Sequence[FreeTime],
    held_for: str,
    patient_id: str | None = None,
    agent: str,
    key: str | None = None,
) -> list[Appointment]:
    """Keep several times at once, as `hold` keeps one; those that somebody else took meanwhile are left out.

    The one way to hold more than one time in a transaction. Raises NotFoundError.
    """
    with _once(session, key, "hold", [new_id() for _ in free_times]) as (ids, is_done):
        if not is_done:
            _hold(session, clinic, dict(zip(ids, free_times, strict=True)), held_for, patient_id, agent)
    found = {one.id: one for one in _load_all(session, ids)}
    return [found[appointment_id] for appointment_id in ids if appointment_id in found]


def book(
    session: Session,
    clinic: ClinicFile,
    *,
    patient_id: str,
    agent: str,
    key: str,
    hold_id: str | None = None,
    time: FreeTime | None = None,
    comment: str | None = None,
) -> Appointment:
    """Put a visit on the books: a time that was held, or one directly. All rules are asked again; a held time needs no notice.

    The same key again answers the same appointment and does nothing.
    Raises TimeTakenError, PatientBusyError, HoldExpiredError, NotBookableError, NotFoundError, WrongStateError (the hold is another
    patient's, or was booked).
    """
    if time is not None:
        _refuse_late_comers(session, clinic, time, key)
    with _once(session, key, "book", [hold_id or new_id()]) as (ids, is_done):
        if not is_done:
            now = times.now()
            if hold_id is not None:
                held = _locked_hold(session, hold_id, now)
                if held.patient_id not in (None, patient_id):
                    raise WrongStateError(f"Appointment/{hold_id}")
                time = _time_of(held)
            visit = _checked(session, clinic, _given(time), patient_id, now, is_held=hold_id is not None)
            values: dict[str, Any] = {
                "status": AppointmentStatus.BOOKED,
                "patient_id": patient_id,
                "comment": comment,
                "next_reminder_at": reminders.first_after(clinic, visit.time.start, now),
            }
            ours = {ids[0]}
            owned: set[_Tick] = set()
            if hold_id is None:
                _refuse_if_taken(session, visit, now, agent)
                _insert(session, ids[0], visit, now, **values)
            else:
                ours.add(held.held_for)
                owned = _ticks_of(session, hold_id)
            room_id = _claim(session, visit, ids[0], owned)
            _refuse_above_daily_maximum(session, visit, now, ours)
            if hold_id is not None or room_id != visit.first_room:
                _update(session, ids[0], now, **values, room_id=room_id, hold_expires_at=None, held_for=None)
            _audit(
                session, agent, "C" if hold_id is None else "U", ids[0], patient_id, {"status": "booked", **_described(visit.time)}
            )
    return _load(session, ids[0])


def reschedule(
    session: Session,
    clinic: ClinicFile,
    *,
    appointment_id: str,
    agent: str,
    key: str,
    hold_id: str | None = None,
    time: FreeTime | None = None,
) -> Appointment:
    """Move a visit to a time that was held, or to one directly. The appointment stays the same; it must be confirmed anew.

    `who`, `needs_order` and `needs_referral` are not asked again. The same key again does nothing.
    Raises TimeTakenError, PatientBusyError, HoldExpiredError, NotBookableError, NotFoundError, WrongStateError (not a live visit to
    come, or the new time is for another service or patient).
    """
    if time is not None:
        _refuse_late_comers(session, clinic, replace(time, moving=appointment_id), key)
    with _once(session, key, "reschedule", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old = _locked(session, appointment_id)
            if old.status not in LIVE or old.end <= now:
                raise WrongStateError(f"Appointment/{appointment_id}")
            above = lanes.locked_above(session, old)
            ours = {appointment_id}
            if hold_id is not None:
                held = _locked_hold(session, hold_id, now)
                if held.patient_id not in (None, old.patient_id):
                    raise WrongStateError(f"Appointment/{hold_id}")
                time = _time_of(held)
                ours |= {hold_id, held.held_for}
            time = replace(_given(time), moving=appointment_id)
            if time.service_id != old.service_id:
                raise WrongStateError(f"Appointment/{appointment_id}")
            visit = _checked(session, clinic, time, old.patient_id, now, is_held=hold_id is not None)
            if hold_id is None:
                _refuse_if_taken(session, visit, now, agent)
            owned = _ticks_of(session, appointment_id)
            room_id = _claim(session, visit, appointment_id, owned | (_ticks_of(session, hold_id) if hold_id else set()))
            _refuse_above_daily_maximum(session, visit, now, ours)
            if hold_id is not None:
                _hand_over_ticks(session, hold_id, appointment_id)
                _update(session, hold_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_USED)
            _delete_ticks(session, appointment_id, owned - visit.ticks(room_id))
            if old.lane:
                lanes.leave(session, appointment_id)
            _update(
                session,
                appointment_id,
                now,
                **_placed(visit.time),
                lane=0,
                room_id=room_id,
                sequence=old.sequence + 1,
                confirmation=ParticipationStatus.NEEDS_ACTION,
                next_reminder_at=reminders.first_after(clinic, visit.time.start, now),
            )
            lanes.promote(session, above, now, agent)
            _note_freed(session, old, now)
            change = {"old": _described(_time_of(old)), "new": _described(visit.time)}
            _audit(session, agent, "U", appointment_id, old.patient_id, change)
    return _load(session, appointment_id)


def cancel(
    session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str, key: str, reason: str | None = None
) -> Appointment:
    """Take a visit, a hold or a place on the waitlist off the books.

    Inside `cancellation_notice_hours` of a visit the desk gets a Task.

    The same key again does nothing. Raises NotFoundError, WrongStateError (cancelled already, or over).
    """
    with _once(session, key, "cancel", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old = _locked(session, appointment_id)
            is_over = old.end is not None and old.end <= now
            if old.status not in (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST) or (
                old.status in LIVE and is_over
            ):
                raise WrongStateError(f"Appointment/{appointment_id}")
            above = lanes.locked_above(session, old)
            _update(session, appointment_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=reason)
            _delete_ticks(session, appointment_id)
            lanes.promote(session, above, now, agent)
            if old.status in LIVE:
                _note_freed(session, old, now)
            notice = dt.timedelta(hours=clinic.clinic.cancellation_notice_hours)
            if old.status in LIVE and old.start - now < notice:
                handoff.open_task(
                    session,
                    team="desk",
                    reason="late-cancellation",
                    description=_late_cancellation(clinic, old, now),
                    patient_id=old.patient_id,
                    appointment_id=appointment_id,
                    key=f"late-cancellation:{appointment_id}",
                    agent=agent,
                )
            _audit(session, agent, "U", appointment_id, old.patient_id, {"status": {"old": old.status, "new": "cancelled"}})
    return _load(session, appointment_id)


def confirm(session: Session, *, appointment_id: str, agent: str, key: str) -> Appointment:
    """The patient says that they will come. Raises NotFoundError, WrongStateError (not a live visit)."""
    with _once(session, key, "confirm", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old = _locked(session, appointment_id)
            if old.status not in LIVE:
                raise WrongStateError(f"Appointment/{appointment_id}")
            _update(session, appointment_id, now, confirmation=ParticipationStatus.ACCEPTED)
            _audit(session, agent, "U", appointment_id, old.patient_id, {"confirmation": "accepted"})
    return _load(session, appointment_id)


def release(session: Session, *, held_for: str, keep: Collection[str] = (), agent: str) -> int:
    """Give up the open holds of a conversation, save those to keep; how many. Call it after the claims of a transaction."""
    session.flush()
    connection = session.connection()
    held = connection.execute(
        select(_table.id, _table.patient_id)
        .where(
            _table.organization_id == session.info["organization"],
            _table.held_for == held_for,
            _table.status == AppointmentStatus.PROPOSED,
        )
        .order_by(_table.id)
        .with_for_update()
    ).all()
    given_up = [row for row in held if row.id not in keep]
    for row in given_up:
        _update(session, row.id, times.now(), status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_RELEASED)
        _delete_ticks(session, row.id)
        _audit(session, agent, "U", row.id, row.patient_id, {"status": {"old": "proposed", "new": HOLD_RELEASED}})
    _forget(session, [row.id for row in given_up])
    return len(given_up)


def is_held(session: Session, *, hold_id: str) -> bool:
    """Whether a hold still keeps its time."""
    now = times.now()
    found = select(Appointment.id).where(
        Appointment.id == hold_id, Appointment.status == AppointmentStatus.PROPOSED, Appointment.hold_expires_at > now
    )
    return session.execute(found).first() is not None


def upcoming(session: Session, *, patient_id: str) -> list[Appointment]:
    """The patient's live visits that are not over, by start."""
    return list(
        session.scalars(
            select(Appointment)
            .where(Appointment.patient_id == patient_id, Appointment.status.in_(LIVE), Appointment.end > times.now())
            .order_by(Appointment.start, Appointment.id)
        )
    )


# What the functions above share, in the order in which they do it.


@contextmanager
def _once(session: Session, key: str | None, operation: str, ids: list[str]) -> Iterator[tuple[list[str], bool]]:
    """All or nothing, once for a key: yields the ids of the appointments and whether it was done before.

    Of two that come at once with one key, the second waits for the first. Raises WrongStateError for a key of another operation.
    """
    with session.begin_nested():
        result = {"operation": operation, "appointments": ids}
        if key is None or idempotency.insert_unless_there(session, IdempotencyKey, key=key, result=result, created_at=times.now()):
            yield ids, False
            return
    done = session.execute(select(IdempotencyKey.result).where(IdempotencyKey.key == key)).scalar_one()
    if done.get("operation") != operation:
        raise WrongStateError(f"the key {key} was used for another operation")
    yield done["appointments"], True


def _note_freed(session: Session, visit: Row[Any], now: dt.datetime) -> None:
    """The time of a visit that is given up goes to who waits for one."""
    session.add(
        FreedTime(
            practitioner_id=visit.practitioner_id,
            start=visit.start,
            first_tick=visit.first_tick,
            end_tick=visit.end_tick,
            given_up_by=visit.patient_id,
            freed_at=now,
            next_look_at=now,
        )
    )


def _refuse_late_comers(session: Session, clinic: ClinicFile, time: FreeTime, key: str | None) -> None:
    """Tell who comes after another's visit was committed so with one look, before any work; nothing relies on it.

    Of many that want one time at once, most are told here: without it all of them do the work of a booking, only to be refused.
    """
    service = clinic.services_by_id.get(time.service_id)
    if service is None:
        return
    session.flush()
    connection, now = session.connection(), times.now()
    first, end = rules.busy_ticks(service, time.start)
    actors = [f"practitioner:{time.practitioner_id}"]
    wanted = {"organization": session.info["organization"], "actors": actors, "first": first, "end": end}
    holders = connection.execute(_WHOSE, wanted).all()
    live = [one for one in holders if one.status != AppointmentStatus.PROPOSED or one.hold_expires_at > now]
    if any(one.id != time.moving for one in live) and not (key and idempotency.is_done(session, key)):
        raise TimeTakenError(_place(time))


def _given(time: FreeTime | None) -> FreeTime:
    if time is None:
        raise TypeError("give the id of a hold or a time")
    return time


def _locked(session: Session, appointment_id: str) -> Row[Any]:
    """The row as it is now, kept from others until the transaction ends. Raises NotFoundError."""
    row = (
        session.connection()
        .execute(_FOR_UPDATE, {"organization": session.info["organization"], "appointment": appointment_id})
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return row


_FOR_UPDATE = (
    select(_appointments)
    .where(_table.organization_id == bindparam("organization"), _table.id == bindparam("appointment"))
    .with_for_update()
)


def _locked_hold(session: Session, hold_id: str, now: dt.datetime) -> Row[Any]:
    row = _locked(session, hold_id)
    if row.status == AppointmentStatus.CANCELLED or (row.status == AppointmentStatus.PROPOSED and row.hold_expires_at <= now):
        raise HoldExpiredError(f"Appointment/{hold_id}")
    if row.status != AppointmentStatus.PROPOSED:
        raise WrongStateError(f"Appointment/{hold_id}")
    return row


def _checked(
    session: Session, clinic: ClinicFile, time: FreeTime, patient_id: str | None, now: dt.datetime, *, is_held: bool = False
) -> _Visit:
    """Ask every rule but occupancy. What a caller says of end, ticks, place and room is not believed but worked out anew."""
    request = Request(
        service_id=time.service_id,
        practitioners=(time.practitioner_id,),
        location_id=time.location_id,
        mode=time.mode,
        patient_id=patient_id,
        moving=time.moving,
    )
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    practitioner = asked.practitioners[0]
    against = rules.obstacles_in_the_rules(clinic, asked, practitioner, time.start, now, held=is_held)
    stretch = rules.stretch_for(clinic, asked, practitioner, time.start)
    if against or stretch is None:
        raise NotBookableError(min(against, key=rules.CODES.index), f"{practitioner.id} {time.start.isoformat()}")
    rooms: list[str] = []
    if asked.needs_room:
        rooms = rules.rooms_at(clinic, stretch.location_id, asked.needs_room)
        rooms.sort(key=lambda room: room != time.room_id)
    first, end = rules.busy_ticks(asked.service, time.start)
    time = replace(
        time,
        location_id=stretch.location_id,
        end=time.start + dt.timedelta(minutes=asked.service.minutes),
        first_tick=first,
        end_tick=end,
    )
    return _Visit(time, patient_id, tuple(rooms), (stretch.day_first, stretch.day_end), practitioner.max_visits_per_day)


def _hold(
    session: Session, clinic: ClinicFile, wanted: dict[str, FreeTime], held_for: str, patient_id: str | None, agent: str
) -> list[SchedulingError]:
    """Hold what can be held of the wanted times, by the ids of their appointments; why the others could not."""
    now = times.now()
    refused: dict[str, SchedulingError] = {}
    visits: dict[str, _Visit] = {}
    for one, time in wanted.items():
        try:
            visits[one] = replace(
                _checked(session, clinic, time, patient_id, now), patient_id=None
            )  # whose time is claimed at booking
        except NotBookableError as refusal:
            refused[one] = refusal
    refused |= {one: TimeTakenError(_place(visits[one].time)) for one in _sweep(session, visits, now, agent)}
    visits = {one: visit for one, visit in visits.items() if one not in refused}
    expires = now + dt.timedelta(minutes=clinic.clinic.hold_minutes)
    for one, visit in visits.items():
        hold = {"status": AppointmentStatus.PROPOSED, "hold_expires_at": expires, "held_for": held_for, "patient_id": patient_id}
        _insert(session, one, visit, now, **hold)
    if len(visits) == 1:
        for one, visit in visits.items():
            try:
                room_id = _claim(session, visit, one, _ticks_of(session, visit.time.moving))
                if room_id != visit.first_room:
                    _update(session, one, now, room_id=room_id)
            except TimeTakenError as refusal:
                refused[one] = refusal
    else:
        claims = {one: visit.ticks(visit.first_room) - _ticks_of(session, visit.time.moving) for one, visit in visits.items()}
        refused |= {one: TimeTakenError(_place(visits[one].time)) for one in _claim_ticks(session, claims)}
    for one, visit in sorted(visits.items(), key=lambda item: item[1].time.practitioner_id):
        try:
            if one not in refused:
                _refuse_above_daily_maximum(session, visit, now, {held_for, one})
                _audit(session, agent, "C", one, patient_id, {"status": "proposed", **_described(visit.time)})
        except NotBookableError as refusal:
            refused[one] = refusal
    for one in refused.keys() & visits.keys():
        _delete_ticks(session, one)
        session.connection().execute(delete(_appointments).where(*_is(session, one)))
    return list(refused.values())


def _sweep(session: Session, visits: dict[str, _Visit], now: dt.datetime, agent: str) -> set[str]:
    """End the expired holds that lie on the wanted time, in the order of their ids.

    The answer is which of the wanted are seen to be taken: their claim would be refused too, only later.
    """
    connection = session.connection()
    expired: set[str] = set()
    taken: set[str] = set()
    for one, visit in visits.items():
        practitioner = f"practitioner:{visit.time.practitioner_id}"
        wanted = {
            "organization": session.info["organization"],
            "actors": [practitioner, *(f"room:{room}" for room in visit.rooms)],
            "first": visit.time.first_tick,
            "end": visit.time.end_tick,
        }
        for row in connection.execute(_WHOSE, wanted):
            if row.status == AppointmentStatus.PROPOSED and row.hold_expires_at <= now:
                expired.add(row.id)
            elif row.actor == practitioner and row.id != visit.time.moving:
                taken.add(one)
    for hold_id in sorted(expired):
        ended = connection.execute(
            update(_appointments)
            .where(*_is(session, hold_id), _table.status == AppointmentStatus.PROPOSED, _table.hold_expires_at <= now)
            .values(status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_EXPIRED, updated_at=now)
            .returning(_table.patient_id)
        ).one_or_none()
        if ended is not None:
            _delete_ticks(session, hold_id)
            _audit(session, agent, "U", hold_id, ended.patient_id, {"status": {"old": "proposed", "new": HOLD_EXPIRED}})
    return taken


_WHOSE = (
    select(_table.id, _table.status, _table.hold_expires_at, occupancy.c.actor)
    .distinct()
    .join_from(
        occupancy,
        _appointments,
        and_(_table.organization_id == occupancy.c.organization_id, _table.id == occupancy.c.appointment_id),
    )
    .where(
        occupancy.c.organization_id == bindparam("organization"),
        occupancy.c.actor.in_(bindparam("actors", expanding=True)),
        occupancy.c.tick >= bindparam("first"),
        occupancy.c.tick < bindparam("end"),
    )
)


def end_expired_holds(session: Session, time: FreeTime, *, agent: str) -> None:
    """End the expired holds that lie on a time, for who claims it in another way than the functions above."""
    rooms = (time.room_id,) if time.room_id else ()
    _sweep(session, {"wanted": _Visit(time, None, rooms, (0, 0), None)}, times.now(), agent)


def _refuse_if_taken(session: Session, visit: _Visit, now: dt.datetime, agent: str) -> None:
    if _sweep(session, {"wanted": visit}, now, agent):
        raise TimeTakenError(_place(visit.time))


def _claim(session: Session, visit: _Visit, appointment_id: str, owned: set[_Tick]) -> str | None:
    """Make all ticks of a visit its own, in one of the rooms that would do: the answer is the room.

    Raises TimeTakenError or PatientBusyError; the caller goes back then or deletes what was claimed in part.
    """
    for room_id in visit.rooms or (None,):
        claims = {appointment_id: visit.ticks(room_id) - owned}
        if len(visit.rooms) > 1:
            missing = _claim_ticks(session, claims).get(appointment_id, set())
        else:  # what is claimed in part goes with the savepoint of the whole operation
            got = _insert_ticks(session.connection(), session.info["organization"], claims) if claims[appointment_id] else claims
            missing = claims[appointment_id] - got[appointment_id]
        if not missing:
            return room_id
        kinds = {actor.partition(":")[0] for actor, _ in missing}
        if kinds != {"room"}:
            break
    if kinds == {"patient"}:
        raise PatientBusyError(_place(visit.time))
    raise TimeTakenError(_place(visit.time))


def _claim_ticks(session: Session, wanted: dict[str, set[_Tick]]) -> dict[str, set[_Tick]]:
    """Claim the ticks of appointments, of each all or none. The answer is what others have, of those that got none.

    One statement sorted by (actor, tick), so that no two claims wait for each other. The primary key refuses; nothing is
    checked before.
    """
    connection = session.connection()
    lost: dict[str, set[_Tick]] = {}
    while claims := {one: claim for one, claim in wanted.items() if one not in lost and claim}:
        savepoint = connection.begin_nested()
        got = _insert_ticks(connection, session.info["organization"], claims)
        missing = {one: claim - got[one] for one, claim in claims.items() if claim - got[one]}
        if not missing:
            savepoint.commit()
            break
        savepoint.rollback()
        lost |= missing
    return lost


def _insert_ticks(connection: Connection, organization: str, claims: dict[str, set[_Tick]]) -> dict[str, set[_Tick]]:
    """Insert the ticks that nobody has; of two claims here to one tick the first gets it. The answer is which, by appointment."""
    by_rank = enumerate(claims.items())
    ordered = sorted((actor, tick, rank, one) for rank, (one, claim) in by_rank for actor, tick in claim)
    values = tuple(value for actor, tick, _, one in ordered for value in (organization, actor, tick, one))
    got: dict[str, set[_Tick]] = {one: set() for one in claims}
    for one, actor, tick in connection.exec_driver_sql(_insert_statement(connection.dialect.name, len(ordered)), values):
        got[one].add((actor, tick))
    return got


@cache
def _insert_statement(dialect: str, rows: int) -> str:
    """Written out: SQLAlchemy compiles a statement with ON CONFLICT anew each time, which was a third of a loser's time."""
    row = "(?, ?, ?, 0, ?)" if dialect == "sqlite" else "(%s, %s, %s, 0, %s)"
    return (
        "INSERT INTO occupancy (organization_id, actor, tick, lane, appointment_id) VALUES "
        + ", ".join([row] * rows)
        + " ON CONFLICT DO NOTHING RETURNING appointment_id, actor, tick"
    )


def _refuse_above_daily_maximum(session: Session, visit: _Visit, now: dt.datetime, ours: Collection[str | None]) -> None:
    """Visits of one practitioner who has a maximum are counted one transaction after the other. Raises NotBookableError."""
    if visit.daily_maximum is None:
        return
    who, (first, end) = visit.time.practitioner_id, visit.day
    session.connection().execute(
        select(Practitioner.id)
        .where(Practitioner.organization_id == session.info["organization"], Practitioner.id == who)
        .with_for_update(key_share=True)
    )
    taken = occupied.practitioners(session, [who], first=first, end=end, now=now, counted=[who])
    others = {whose for start, whose in taken.stretches.get(who, ()) if first <= start < end and whose not in ours}
    if len(others) >= visit.daily_maximum:
        raise NotBookableError("daily-maximum", _place(visit.time))


def _ticks_of(session: Session, appointment_id: str | None) -> set[_Tick]:
    if appointment_id is None:
        return set()
    mine = {"organization": session.info["organization"], "appointment": appointment_id}
    return {(actor, tick) for actor, tick in session.connection().execute(_TICKS_OF, mine)}


def _delete_ticks(session: Session, appointment_id: str, which: Collection[_Tick] | None = None) -> None:
    """All ticks of an appointment, or those named."""
    mine = {"organization": session.info["organization"], "appointment": appointment_id}
    if which is None:
        session.connection().execute(_DELETE_TICKS, mine)
        return
    by_actor: dict[str, list[int]] = {}
    for actor, tick in sorted(which):
        by_actor.setdefault(actor, []).append(tick)
    for actor, some in by_actor.items():
        session.connection().execute(_DELETE_SOME_TICKS, mine | {"actor": actor, "ticks": some})


_IS_OF_APPOINTMENT = (
    occupancy.c.organization_id == bindparam("organization"),
    occupancy.c.appointment_id == bindparam("appointment"),
)
_TICKS_OF = select(occupancy.c.actor, occupancy.c.tick).where(*_IS_OF_APPOINTMENT, occupancy.c.lane == 0)
_DELETE_TICKS = delete(occupancy).where(*_IS_OF_APPOINTMENT)
_DELETE_SOME_TICKS = _DELETE_TICKS.where(
    occupancy.c.actor == bindparam("actor"), occupancy.c.tick.in_(bindparam("ticks", expanding=True))
)


def _hand_over_ticks(session: Session, from_id: str, to_id: str) -> None:
    session.connection().execute(
        update(occupancy)
        .where(occupancy.c.organization_id == session.info["organization"], occupancy.c.appointment_id == from_id)
        .values(appointment_id=to_id)
    )


def _insert(session: Session, appointment_id: str, visit: _Visit, now: dt.datetime, **values: Any) -> None:
    row = {
        "organization_id": session.info["organization"],
        "id": appointment_id,
        "service_id": visit.time.service_id,
        **_placed(visit.time),
        "room_id": visit.first_room,
        "created_at": now,
        "updated_at": now,
    }
    session.connection().execute(_INSERT, row | values)


_INSERT = insert(_appointments)


def _update(session: Session, appointment_id: str, now: dt.datetime, **values: Any) -> None:
    session.connection().execute(update(_appointments).where(*_is(session, appointment_id)).values(updated_at=now, **values))


def _is(session: Session, appointment_id: str) -> tuple[Any, ...]:
    return _table.organization_id == session.info["organization"], _table.id == appointment_id


def _placed(time: FreeTime) -> dict[str, Any]:
    return {
        "practitioner_id": time.practitioner_id,
        "location_id": time.location_id,
        "mode": time.mode,
        "start": time.start,
        "end": time.end,
        "first_tick": time.first_tick,
        "end_tick": time.end_tick,
    }


def _time_of(row: Row[Any]) -> FreeTime:
    return FreeTime(
        service_id=row.service_id,
        practitioner_id=row.practitioner_id,
        location_id=row.location_id,
        mode=row.mode,
        start=row.start,
        end=row.end,
        room_id=row.room_id,
        first_tick=row.first_tick,
        end_tick=row.end_tick,
    )


def _described(time: FreeTime) -> dict[str, Any]:
    return {"service": time.service_id, "practitioner": time.practitioner_id, "start": time.start.isoformat()}


def _place(time: FreeTime) -> str:
    return f"{time.practitioner_id} {time.start.isoformat()}"


def _late_cancellation(clinic: ClinicFile, visit: Row[Any], now: dt.datetime) -> str:
    service, practitioner = clinic.services_by_id.get(visit.service_id), clinic.practitioners_by_id.get(visit.practitioner_id)
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    hours = max(0, int((visit.start - now).total_seconds() // 3600))
    return (
        f"Cancelled {hours} hours before its start: {service.name if service else visit.service_id}"
        f" with {practitioner.name if practitioner else visit.practitioner_id},"
        f" {times.to_wall(visit.start, zone):%A, %B %-d, %Y, %-I:%M %p}."
    )


def _audit(
    session: Session, agent: str, action: audit.Action, appointment_id: str, patient_id: str | None, detail: dict[str, Any]
) -> None:
    audit.record(
        session, agent=agent, action=action, entity="Appointment", entity_id=appointment_id, patient_id=patient_id, detail=detail
    )


def _load(session: Session, appointment_id: str) -> Appointment:
    return _load_all(session, [appointment_id])[0]


def _load_all(session: Session, ids: list[str]) -> list[Appointment]:
    """As the database has them now, whatever the session remembers."""
    return list(session.scalars(select(Appointment).where(Appointment.id.in_(ids)).execution_options(populate_existing=True)))


def _forget(session: Session, ids: list[str]) -> None:
    """Objects of these appointments in the session are read anew when they are next looked at."""
    for one in list(session.identity_map.values()):
        if isinstance(one, Appointment) and one.id in ids:
            session.expire(one)
