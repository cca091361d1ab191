"""Holding and booking visits; `moving` moves and cancels them, and is had from here.

What refuses a double booking is the primary key of the occupancy table. Every function claims in one order, which has no
deadlock on PostgreSQL: the idempotency key; the visit concerned with those above it, by id (`lanes.locked`); holds by id, the one
that is used or those that expired; new ticks sorted by (actor, tick); the daily maximum; what is given up goes last. So a caller
that gives up holds in the same transaction does it after it claimed, and a caller that wants several holds asks for them at once
(`hold_all`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from scheduling_core import claims, idempotency, reminders, times, visits
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.claims import HOLD_EXPIRED, Visit, end_expired_holds
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import (
    NotBookableError,
    SchedulingError,
    TimeTakenError,
)
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    ParticipationStatus,
    new_id,
)
from scheduling_core.moving import HOLD_USED, cancel, confirm, reschedule
from scheduling_core.statements import RELEASE, SAVEPOINT, Statement, Step, run

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
    visits.refuse_late_comers(session, clinic, time, key)
    with visits.once(session, key, "hold", [new_id()]) as (ids, is_done):
        if not is_done:
            refusals = _hold(session, clinic, {ids[0]: time}, held_for, patient_id, agent)
            if refusals:
                raise refusals[0]
    return visits.load(session, ids[0])


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
    with visits.once(session, key, "hold", [new_id() for _ in free_times]) as (ids, is_done):
        if not is_done:
            _hold(session, clinic, dict(zip(ids, free_times, strict=True)), held_for, patient_id, agent)
    found = {one.id: one for one in visits.load_all(session, ids)}
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

    The same key again answers the same appointment and does nothing, whether it names a time or not.
    Raises TimeTakenError, PatientBusyError, HoldExpiredError, NotBookableError, NotFoundError, WrongStateError (the hold is another
    patient's, or was booked).
    """
    if hold_id is not None:
        return _book_hold(session, clinic, hold_id, patient_id, agent, key, comment)
    if time is not None:
        return _book_time(session, clinic, time, patient_id, agent, key, comment)
    if earlier := visits.earlier(session, key, "book"):
        return earlier
    raise TypeError("give the id of a hold or a time")


# What is asked goes first, then all rows in as few steps as can be: each is a round trip on PostgreSQL.


def _book_time(
    session: Session, clinic: ClinicFile, time: FreeTime, patient_id: str, agent: str, key: str, comment: str | None
) -> Appointment:
    """Book a time that nobody holds."""
    now = times.now()
    try:
        expired = visits.look(session, clinic, time, now)
        visit = visits.checked(session, clinic, time, patient_id, now)
    except SchedulingError:
        if earlier := visits.earlier(session, key, "book"):
            return earlier
        raise
    row = _row(new_id(), visit, now) | _booked(clinic, visit, patient_id, comment, now)
    return visits.in_one_of_the_rooms(
        visit, lambda room_id: _insert_whole(session, visit, row | {"room_id": room_id}, expired, agent, key, now)
    )


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
    entry = visits.recording(agent, "C", one, visit.patient_id, {"status": "booked", **visits.described(visit.time)})
    with visits.undone_if_refused(session):
        if expired:
            _, is_ours, _ = run(session, *begun)
            claims.end_holds(session, expired, now, agent)
            inserted, _ = run(session, claims.insertion(wanted), entry)
        else:
            _, is_ours, _, inserted, _ = run(session, *begun, claims.insertion(wanted), entry)
        if is_ours:
            claims.refuse_lost(visit, one, wanted, inserted, set())
            claims.refuse_above_daily_maximum(session, visit, now, {one})
    if not is_ours:
        return visits.back_to_earlier(session, key, "book")
    _, rows = run(session, (RELEASE, {}), visits.reading(one))
    return visits.as_object(session, rows[0])


def _book_hold(
    session: Session, clinic: ClinicFile, hold_id: str, patient_id: str, agent: str, key: str, comment: str | None
) -> Appointment:
    """Book a time that is held: the hold becomes the visit."""
    now = times.now()
    try:
        [rows] = run(session, visits.reading(hold_id))
        held = visits.found(rows, hold_id)
        visits.refuse_unless_held(held, patient_id, now)
        visit = visits.checked(session, clinic, visits.time_of(held), patient_id, now, is_held=True)
    except SchedulingError:
        if earlier := visits.earlier(session, key, "book"):
            return earlier
        raise
    booked = _booked(clinic, visit, patient_id, comment, now) | {"hold_expires_at": None, "held_for": None}
    entry = visits.recording(agent, "U", hold_id, patient_id, {"status": "booked", **visits.described(visit.time)})

    def book_in(room_id: str | None) -> Appointment:
        wanted = {hold_id: visit.ticks(room_id)}
        with visits.undone_if_refused(session):
            _, is_ours, rows, owned, inserted = run(
                session,
                (SAVEPOINT, {}),
                idempotency.insertion(key, {"operation": "book", "appointments": [hold_id]}),
                visits.locking(hold_id),
                claims.owning(hold_id),
                claims.insertion(wanted),
            )
            if is_ours:
                visits.refuse_unless_held(visits.found(rows, hold_id), patient_id, now)
                claims.refuse_lost(visit, hold_id, wanted, inserted, claims.as_ticks(owned))
                claims.refuse_above_daily_maximum(session, visit, now, {hold_id, held.held_for})
        if not is_ours:
            return visits.back_to_earlier(session, key, "book")
        change = visits.writing(hold_id, now, **booked, room_id=room_id)
        _, _, _, rows = run(session, change, entry, (RELEASE, {}), visits.reading(hold_id))
        return visits.as_object(session, rows[0])

    return visits.in_one_of_the_rooms(visit, book_in)


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
        visits.write(session, row.id, times.now(), status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_RELEASED)
        claims.release_ticks(session, row.id)
        visits.record(session, agent, "U", row.id, row.patient_id, {"status": {"old": "proposed", "new": HOLD_RELEASED}})
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


def _hold(
    session: Session, clinic: ClinicFile, wanted: dict[str, FreeTime], held_for: str, patient_id: str | None, agent: str
) -> list[SchedulingError]:
    """Hold what can be held of the wanted times, by the ids of their appointments; why the others could not."""
    now = times.now()
    refused: dict[str, SchedulingError] = {}
    possible: dict[str, Visit] = {}
    for one, time in wanted.items():
        try:
            possible[one] = replace(
                visits.checked(session, clinic, time, patient_id, now), patient_id=None
            )  # whose time is claimed at booking
        except NotBookableError as refusal:
            refused[one] = refusal
    refused |= {one: TimeTakenError(claims.place(possible[one].time)) for one in claims.sweep(session, possible, now, agent)}
    possible = {one: visit for one, visit in possible.items() if one not in refused}
    expires = now + dt.timedelta(minutes=clinic.clinic.hold_minutes)
    hold = {"status": AppointmentStatus.PROPOSED, "hold_expires_at": expires, "held_for": held_for, "patient_id": patient_id}
    if possible:
        run(session, *((_INSERT, _row(one, visit, now) | hold) for one, visit in possible.items()))
    if len(possible) == 1:
        for one, visit in possible.items():
            try:
                room_id = claims.claim(session, visit, one, claims.ticks_of(session, visit.time.moving))
                if room_id != visit.first_room:
                    visits.write(session, one, now, room_id=room_id)
            except TimeTakenError as refusal:
                refused[one] = refusal
    else:
        wants = {
            one: visit.ticks(visit.first_room) - claims.ticks_of(session, visit.time.moving) for one, visit in possible.items()
        }
        refused |= {one: TimeTakenError(claims.place(possible[one].time)) for one in claims.claim_ticks(session, wants)}
    for one, visit in sorted(possible.items(), key=lambda item: item[1].time.practitioner_id):
        try:
            if one not in refused:
                claims.refuse_above_daily_maximum(session, visit, now, {held_for, one, visit.time.moving})
                visits.record(session, agent, "C", one, patient_id, {"status": "proposed", **visits.described(visit.time)})
        except NotBookableError as refusal:
            refused[one] = refusal
    for one in refused.keys() & possible.keys():
        claims.release_ticks(session, one)
        visits.remove(session, one)
    return list(refused.values())


def _row(appointment_id: str, visit: Visit, now: dt.datetime) -> dict[str, Any]:
    """A row of the appointments without its status and what goes with that."""
    return {
        "id": appointment_id,
        "service_id": visit.time.service_id,
        **visits.placed(visit.time),
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
        "changed_at": now,
    }


_INSERT = Statement(insert(_appointments), [column.name for column in _appointments.columns if column.name != "wish"])


def _forget(session: Session, ids: list[str]) -> None:
    """Objects of these appointments in the session are read anew when they are next looked at."""
    for one in list(session.identity_map.values()):
        if isinstance(one, Appointment) and one.id in ids:
            session.expire(one)
