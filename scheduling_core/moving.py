"""Moving, cancelling and confirming visits. Locks are taken in the order that `booking` tells of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from scheduling_core import claims, handoff, idempotency, lanes, reminders, times, visits
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.claims import Visit
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import SchedulingError, WrongStateError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, FreedTime, ParticipationStatus, new_id
from scheduling_core.statements import BACK, RELEASE, SAVEPOINT, Statement, Step, run

HOLD_USED = "hold-used"  # its time went to the visit that was moved


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
    now = times.now()
    try:
        move = _asked(session, clinic, appointment_id, hold_id, time, now)
    except SchedulingError:
        if earlier := visits.earlier(session, key, "reschedule"):
            return earlier
        raise

    def move_to(room_id: str | None) -> Appointment:
        while True:
            if moved := _move(session, clinic, move, room_id, agent, key, now):
                return moved

    return visits.in_one_of_the_rooms(move.visit, move_to)


@dataclass(frozen=True)
class _Move:
    appointment_id: str
    service_id: str
    hold_id: str | None
    visit: Visit  # as it is to be
    patient_id: str
    held_for: str | None
    expired: set[str]  # holds on the new time


def _asked(
    session: Session, clinic: ClinicFile, appointment_id: str, hold_id: str | None, time: FreeTime | None, now: dt.datetime
) -> _Move:
    """Ask every rule but occupancy, with nothing locked. Raises what `reschedule` raises."""
    expired: set[str] = set()
    held: Any = None
    if time is not None:
        expired = visits.look(session, clinic, replace(time, moving=appointment_id), now)
        [rows] = run(session, visits.reading(appointment_id))
    elif hold_id is not None:
        rows, holds = run(session, visits.reading(appointment_id), visits.reading(hold_id))
        held = visits.found(holds, hold_id)
        time = visits.time_of(held)
    else:
        raise TypeError("give the id of a hold or a time")
    old = visits.found(rows, appointment_id)
    _refuse_unless_to_come(old, now)
    if held is not None:
        visits.refuse_unless_held(held, old.patient_id, now)
    if time.service_id != old.service_id:
        raise WrongStateError(f"Appointment/{appointment_id}")
    time = replace(time, moving=appointment_id)
    visit = visits.checked(session, clinic, time, old.patient_id, now, is_held=held is not None)
    return _Move(appointment_id, old.service_id, hold_id, visit, old.patient_id, held and held.held_for, expired)


def _refuse_unless_to_come(visit: Any, now: dt.datetime) -> None:
    if visit.status not in LIVE or visit.end <= now:
        raise WrongStateError(f"Appointment/{visit.id}")


def _move(
    session: Session, clinic: ClinicFile, move: _Move, room_id: str | None, agent: str, key: str, now: dt.datetime
) -> Appointment | None:
    """Move a visit, or change nothing. None: somebody came above it while its lock was waited for; again, with no lock kept."""
    one, visit, hold_id = move.appointment_id, move.visit, move.hold_id
    wanted = {one: visit.ticks(room_id)}
    with visits.undone_if_refused(session):
        begun: tuple[Step, ...] = (
            (SAVEPOINT, {}),
            idempotency.insertion(key, {"operation": "reschedule", "appointments": [one]}),
            *lanes.locking(one),
        )
        owning = (visits.locking(hold_id or ""), claims.owning(one), claims.owning(hold_id or ""))
        if move.expired:
            _, is_ours, rows, higher = run(session, *begun)
            claims.end_holds(session, move.expired, now, agent)
            holds, mine, held, inserted = run(session, *owning, claims.insertion(wanted))
        else:
            _, is_ours, rows, higher, holds, mine, held, inserted = run(session, *begun, *owning, claims.insertion(wanted))
        locked = lanes.among_locked(one, rows, higher)
        if is_ours and locked is not None:
            old, above = locked
            _refuse_unless_to_come(old, now)
            if hold_id is not None:
                visits.refuse_unless_held(visits.found(holds, hold_id), move.patient_id, now)
            claims.refuse_lost(visit, one, wanted, inserted, claims.as_ticks(mine) | claims.as_ticks(held))
            claims.refuse_above_daily_maximum(session, visit, now, {one, hold_id, move.held_for})
    if not is_ours:
        return visits.back_to_earlier(session, key, "reschedule")
    if locked is None:
        run(session, (BACK, {}), (RELEASE, {}))
        return None
    with visits.undone_if_refused(session):
        run(session, *_changes(clinic, move, old, room_id, now))
        lanes.promote(session, above, now, agent)
        change = {"old": visits.described(visits.time_of(old)), "new": visits.described(visit.time)}
        entry = visits.recording(agent, "U", one, old.patient_id, change)
        _, _, found = run(session, entry, (RELEASE, {}), visits.reading(one))
    return visits.as_object(session, found[0])


def _changes(clinic: ClinicFile, move: _Move, old: Any, room_id: str | None, now: dt.datetime) -> Iterator[Step]:
    """What is written when the new time is the visit's: what is given up comes last."""
    if move.hold_id is not None:
        yield claims.handing_over(move.hold_id, move.appointment_id)
        yield visits.writing(move.hold_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_USED)
    yield claims.keeping_only(move.visit, move.appointment_id, room_id)
    yield visits.writing(
        move.appointment_id,
        now,
        **visits.placed(move.visit.time),
        lane=0,
        room_id=room_id,
        sequence=old.sequence + 1,
        confirmation=ParticipationStatus.NEEDS_ACTION,
        next_reminder_at=reminders.first_after(clinic, move.visit.time.start, now),
        changed_at=now,
    )
    yield _freed(old, now)


def cancel(
    session: Session,
    clinic: ClinicFile,
    *,
    appointment_id: str,
    agent: str,
    key: str,
    reason: str | None = None,
    by_clinic: bool = False,
) -> Appointment:
    """Take a visit, a hold or a place on the waitlist off the books.

    Inside `cancellation_notice_hours` of a visit the desk gets a Task, unless it is the clinic that cancels.

    The same key again does nothing. Raises NotFoundError, WrongStateError (cancelled already, or over).
    """
    with visits.once(session, key, "cancel", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old, above = visits.locked(session, appointment_id)
            is_over = old.end is not None and old.end <= now
            if old.status not in (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST) or (
                old.status in LIVE and is_over
            ):
                raise WrongStateError(f"Appointment/{appointment_id}")
            changed_at = now if old.status in LIVE else None
            visits.write(
                session, appointment_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=reason, changed_at=changed_at
            )
            claims.release_ticks(session, appointment_id)
            lanes.promote(session, above, now, agent)
            if old.status in LIVE:
                run(session, _freed(old, now))
            notice = dt.timedelta(hours=clinic.clinic.cancellation_notice_hours)
            if old.status in LIVE and old.start - now < notice and not by_clinic:
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
            visits.record(session, agent, "U", appointment_id, old.patient_id, {"status": {"old": old.status, "new": "cancelled"}})
    return visits.load(session, appointment_id)


def confirm(session: Session, *, appointment_id: str, agent: str, key: str) -> Appointment:
    """The patient says that they will come. Raises NotFoundError, WrongStateError (not a live visit)."""
    with visits.once(session, key, "confirm", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old, _ = visits.locked(session, appointment_id)
            if old.status not in LIVE:
                raise WrongStateError(f"Appointment/{appointment_id}")
            visits.write(session, appointment_id, now, confirmation=ParticipationStatus.ACCEPTED)
            visits.record(session, agent, "U", appointment_id, old.patient_id, {"confirmation": "accepted"})
    return visits.load(session, appointment_id)


def _freed(visit: Any, now: dt.datetime) -> Step:
    """The time of a visit that is given up goes to who waits for one."""
    return _FREE, {
        "id": new_id(),
        "practitioner_id": visit.practitioner_id,
        "start": visit.start,
        "first_tick": visit.first_tick,
        "end_tick": visit.end_tick,
        "given_up_by": visit.patient_id,
        "freed_at": now,
        "next_look_at": now,
    }


_FREE = Statement(insert(FreedTime), [column.key for column in FreedTime.__table__.columns])


def _late_cancellation(clinic: ClinicFile, visit: Any, now: dt.datetime) -> str:
    service, practitioner = clinic.services_by_id.get(visit.service_id), clinic.practitioners_by_id.get(visit.practitioner_id)
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    hours = max(0, int((visit.start - now).total_seconds() // 3600))
    return (
        f"Cancelled {hours} hours before its start: {service.name if service else visit.service_id}"
        f" with {practitioner.name if practitioner else visit.practitioner_id},"
        f" {times.to_wall(visit.start, zone):%A, %B %-d, %Y, %-I:%M %p}."
    )
