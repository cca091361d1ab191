"""Holding, booking, moving and cancelling visits.

What refuses a double booking is the primary key of the occupancy table. Every function claims in one order, which has no
deadlock on PostgreSQL: the idempotency key; the visit concerned with those above it, by id (`lanes.locked`); holds by id, the one
that is used or those that expired; new ticks sorted by (actor, tick); the daily maximum; what is given up goes last. So a caller
that gives up holds in the same transaction does it after it claimed, and a caller that wants several holds asks for them at once
(`hold_all`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from scheduling_core import audit, claims, handoff, idempotency, lanes, reminders, times
from scheduling_core.calendar import rules
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.claims import HOLD_EXPIRED, Visit, end_expired_holds
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
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
    Mode,
    ParticipationStatus,
    new_id,
)
from scheduling_core.statements import BACK, RELEASE, SAVEPOINT, Statement, Step, run

__all__ = [
    "HOLD_EXPIRED",
    "HOLD_RELEASED",
    "HOLD_USED",
    "book",
    "cancel",
    "confirm",
    "end_expired_holds",
    "hold",
    "hold_all",
    "is_held",
    "release",
    "reschedule",
    "upcoming",
]

HOLD_RELEASED = "hold-released"
HOLD_USED = "hold-used"  # its time went to the visit that was moved

_appointments = cast(Table, Appointment.__table__)
_table = _appointments.c


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
    if hold_id is None and time is not None:
        return _book_time(session, clinic, time, patient_id, agent, key, comment)
    with _once(session, key, "book", [hold_id or ""]) as (ids, is_done):
        if not is_done:
            if hold_id is None:
                raise TypeError("give the id of a hold or a time")
            now = times.now()
            held = _locked_hold(session, hold_id, now)
            if held.patient_id not in (None, patient_id):
                raise WrongStateError(f"Appointment/{hold_id}")
            visit = _checked(session, clinic, _time_of(held), patient_id, now, is_held=True)
            room_id = claims.claim(session, visit, hold_id, claims.ticks_of(session, hold_id))
            claims.refuse_above_daily_maximum(session, visit, now, {hold_id, held.held_for})
            booked = _booked(clinic, visit, patient_id, comment, now)
            _update(session, hold_id, now, **booked, room_id=room_id, hold_expires_at=None, held_for=None)
            _audit(session, agent, "U", hold_id, patient_id, {"status": "booked", **_described(visit.time)})
    return _load(session, ids[0])


def _book_time(
    session: Session, clinic: ClinicFile, time: FreeTime, patient_id: str, agent: str, key: str, comment: str | None
) -> Appointment:
    """Book a time that nobody holds. What is asked goes first, then all rows in one step: a round trip on PostgreSQL."""
    now = times.now()
    try:
        expired = _look(session, clinic, time, now)
        visit = _checked(session, clinic, time, patient_id, now)
    except SchedulingError:
        done = idempotency.answer(session, key)
        if done is None:
            raise
        return _load(session, _done_before(done, key, "book")[0])
    row = _row(new_id(), visit, now) | _booked(clinic, visit, patient_id, comment, now)
    for room_id in visit.rooms or (None,):
        try:
            return _insert_whole(session, visit, row | {"room_id": room_id}, expired, agent, key, now)
        except claims.RoomTakenError:
            if room_id == visit.rooms[-1]:
                raise
    raise AssertionError("a visit has a room, or needs none")


def _insert_whole(
    session: Session, visit: Visit, row: dict[str, Any], expired: set[str], agent: str, key: str, now: dt.datetime
) -> Appointment:
    """Key, visit, ticks and audit row, or nothing of it. Raises TimeTakenError, PatientBusyError, NotBookableError."""
    one: str = row["id"]
    begun: tuple[Step, ...] = (
        (SAVEPOINT, {}),
        idempotency.insertion(key, {"operation": "book", "appointments": [one]}),
        (_INSERT, row),
    )
    wanted = {one: visit.ticks(row["room_id"])}
    detail = {"status": "booked", **_described(visit.time)}
    entry = audit.insertion(
        agent=agent, action="C", entity="Appointment", entity_id=one, patient_id=visit.patient_id, detail=detail
    )
    try:
        if expired:
            _, is_ours, _ = run(session, *begun)
            claims.end_holds(session, expired, now, agent)
            inserted, _ = run(session, claims.insertion(wanted), entry)
        else:
            _, is_ours, _, inserted, _ = run(session, *begun, claims.insertion(wanted), entry)
        if is_ours:
            missing = claims.lost(wanted, inserted)
            if missing:
                raise claims.refused(visit, missing[one])
            claims.refuse_above_daily_maximum(session, visit, now, {one})
    except Exception:
        run(session, (BACK, {}), (RELEASE, {}))
        raise
    if is_ours:
        _, rows = run(session, (RELEASE, {}), (_READ, {"appointment": one}))
        return _object(session, rows[0])
    run(session, (BACK, {}), (RELEASE, {}))
    done = idempotency.answer(session, key)
    assert done is not None
    return _load(session, _done_before(done, key, "book")[0])


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
            old, above = _locked(session, appointment_id)
            if old.status not in LIVE or old.end <= now:
                raise WrongStateError(f"Appointment/{appointment_id}")
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
            if hold_id is None and claims.sweep(session, {appointment_id: visit}, now, agent):
                raise TimeTakenError(claims.place(visit.time))
            owned = claims.ticks_of(session, appointment_id)
            room_id = claims.claim(session, visit, appointment_id, owned | claims.ticks_of(session, hold_id))
            claims.refuse_above_daily_maximum(session, visit, now, ours)
            if hold_id is not None:
                claims.hand_over_ticks(session, hold_id, appointment_id)
                _update(session, hold_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_USED)
            claims.release_ticks(session, appointment_id, owned - visit.ticks(room_id))
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
            old, above = _locked(session, appointment_id)
            is_over = old.end is not None and old.end <= now
            if old.status not in (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST) or (
                old.status in LIVE and is_over
            ):
                raise WrongStateError(f"Appointment/{appointment_id}")
            _update(session, appointment_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=reason)
            claims.release_ticks(session, appointment_id)
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
            old, _ = _locked(session, appointment_id)
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
        .with_for_update(skip_locked=True)  # whoever has one books or ends it, and may wait for what was claimed here
    ).all()
    given_up = [row for row in held if row.id not in keep]
    for row in given_up:
        _update(session, row.id, times.now(), status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_RELEASED)
        claims.release_ticks(session, row.id)
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
    done = idempotency.answer(session, key)
    assert done is not None
    yield _done_before(done, key, operation), True


def _done_before(done: dict[str, Any], key: str, operation: str) -> list[str]:
    """The ids of the appointments of what was done under a key. Raises WrongStateError for a key of another operation."""
    if done.get("operation") != operation:
        raise WrongStateError(f"the key {key} was used for another operation")
    found: list[str] = done["appointments"]
    return found


def _note_freed(session: Session, visit: Any, now: dt.datetime) -> None:
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


def _look(session: Session, clinic: ClinicFile, time: FreeTime, now: dt.datetime) -> set[str]:
    """One look before any work at who has a time: the expired holds that lie on it. Nothing relies on what it sees.

    Of many that want one time at once, most are told here: without it all of them do the work of a booking, only to be refused.
    Raises TimeTakenError.
    """
    service = clinic.services_by_id.get(time.service_id)
    if service is None:
        return set()
    rooms: list[str] = []
    if service.room and time.mode is Mode.IN_PERSON and time.location_id in clinic.locations_by_id:
        rooms = rules.rooms_at(clinic, time.location_id, service.room)
    first, end = rules.busy_ticks(service, time.start)
    is_taken, expired = claims.look(session, time.practitioner_id, rooms, first=first, end=end, now=now, moving=time.moving)
    if is_taken:
        raise TimeTakenError(claims.place(time))
    return expired


def _refuse_late_comers(session: Session, clinic: ClinicFile, time: FreeTime, key: str | None) -> None:
    """Raise TimeTakenError when `_look` does, unless the write was done before under this key."""
    try:
        _look(session, clinic, time, times.now())
    except TimeTakenError:
        if key is None or idempotency.answer(session, key) is None:
            raise


def _given(time: FreeTime | None) -> FreeTime:
    if time is None:
        raise TypeError("give the id of a hold or a time")
    return time


def _locked(session: Session, appointment_id: str) -> tuple[Any, list[Any]]:
    """`lanes.locked` of an appointment that must exist. Raises NotFoundError."""
    found, above = lanes.locked(session, appointment_id)
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return found, above


def _locked_hold(session: Session, hold_id: str, now: dt.datetime) -> Any:
    row, _ = _locked(session, hold_id)
    if row.status == AppointmentStatus.CANCELLED or (row.status == AppointmentStatus.PROPOSED and row.hold_expires_at <= now):
        raise HoldExpiredError(f"Appointment/{hold_id}")
    if row.status != AppointmentStatus.PROPOSED:
        raise WrongStateError(f"Appointment/{hold_id}")
    return row


def _checked(
    session: Session, clinic: ClinicFile, time: FreeTime, patient_id: str | None, now: dt.datetime, *, is_held: bool = False
) -> Visit:
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
    return Visit(time, patient_id, tuple(rooms), (stretch.day_first, stretch.day_end), practitioner.max_visits_per_day)


def _hold(
    session: Session, clinic: ClinicFile, wanted: dict[str, FreeTime], held_for: str, patient_id: str | None, agent: str
) -> list[SchedulingError]:
    """Hold what can be held of the wanted times, by the ids of their appointments; why the others could not."""
    now = times.now()
    refused: dict[str, SchedulingError] = {}
    visits: dict[str, Visit] = {}
    for one, time in wanted.items():
        try:
            visits[one] = replace(
                _checked(session, clinic, time, patient_id, now), patient_id=None
            )  # whose time is claimed at booking
        except NotBookableError as refusal:
            refused[one] = refusal
    refused |= {one: TimeTakenError(claims.place(visits[one].time)) for one in claims.sweep(session, visits, now, agent)}
    visits = {one: visit for one, visit in visits.items() if one not in refused}
    expires = now + dt.timedelta(minutes=clinic.clinic.hold_minutes)
    hold = {"status": AppointmentStatus.PROPOSED, "hold_expires_at": expires, "held_for": held_for, "patient_id": patient_id}
    if visits:
        run(session, *((_INSERT, _row(one, visit, now) | hold) for one, visit in visits.items()))
    if len(visits) == 1:
        for one, visit in visits.items():
            try:
                room_id = claims.claim(session, visit, one, claims.ticks_of(session, visit.time.moving))
                if room_id != visit.first_room:
                    _update(session, one, now, room_id=room_id)
            except TimeTakenError as refusal:
                refused[one] = refusal
    else:
        wants = {one: visit.ticks(visit.first_room) - claims.ticks_of(session, visit.time.moving) for one, visit in visits.items()}
        refused |= {one: TimeTakenError(claims.place(visits[one].time)) for one in claims.claim_ticks(session, wants)}
    for one, visit in sorted(visits.items(), key=lambda item: item[1].time.practitioner_id):
        try:
            if one not in refused:
                claims.refuse_above_daily_maximum(session, visit, now, {held_for, one, visit.time.moving})
                _audit(session, agent, "C", one, patient_id, {"status": "proposed", **_described(visit.time)})
        except NotBookableError as refusal:
            refused[one] = refusal
    for one in refused.keys() & visits.keys():
        claims.release_ticks(session, one)
        session.connection().execute(delete(_appointments).where(*_is(session, one)))
    return list(refused.values())


def _row(appointment_id: str, visit: Visit, now: dt.datetime) -> dict[str, Any]:
    """A row of the appointments without its status and what goes with that."""
    return {
        "id": appointment_id,
        "service_id": visit.time.service_id,
        **_placed(visit.time),
        "room_id": visit.first_room,
        "lane": 0,
        "confirmation": ParticipationStatus.NEEDS_ACTION,
        "sequence": 0,
        "created_at": now,
        "updated_at": now,
    }


def _booked(clinic: ClinicFile, visit: Visit, patient_id: str, comment: str | None, now: dt.datetime) -> dict[str, Any]:
    """What makes a visit on the books of a row."""
    return {
        "status": AppointmentStatus.BOOKED,
        "patient_id": patient_id,
        "comment": comment,
        "next_reminder_at": reminders.first_after(clinic, visit.time.start, now),
    }


_INSERT = Statement(insert(_appointments), [column.name for column in _appointments.columns if column.name != "wish"])


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


def _time_of(row: Any) -> FreeTime:
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


def _late_cancellation(clinic: ClinicFile, visit: Any, now: dt.datetime) -> str:
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


def _object(session: Session, row: tuple[Any, ...]) -> Appointment:
    """The object of a row of `_READ` that the session does not know yet: the ORM's own loading takes ten times as long."""
    values = dict(zip(_COLUMNS, row, strict=True))
    if identity_key(Appointment, (values["organization_id"], values["id"])) in session.identity_map:
        return _load(session, values["id"])
    made = Appointment(**values)
    make_transient_to_detached(made)
    session.add(made)
    return made


_COLUMNS = [column.key for column in _appointments.columns]
_READ = Statement(
    select(_appointments).where(_table.organization_id == bindparam("organization"), _table.id == bindparam("appointment"))
)


def _forget(session: Session, ids: list[str]) -> None:
    """Objects of these appointments in the session are read anew when they are next looked at."""
    for one in list(session.identity_map.values()):
        if isinstance(one, Appointment) and one.id in ids:
            session.expire(one)
