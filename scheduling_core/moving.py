"""Moving, cancelling and confirming visits. Locks are taken in the order that `booking` tells of."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from scheduling_core import claims, handoff, lanes, reminders, times, visits
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import TimeTakenError, WrongStateError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, FreedTime, ParticipationStatus

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
    if time is not None:
        visits.refuse_late_comers(session, clinic, replace(time, moving=appointment_id), key)
    with visits.once(session, key, "reschedule", [appointment_id]) as (_, is_done):
        if not is_done:
            now = times.now()
            old, above = visits.locked(session, appointment_id)
            if old.status not in LIVE or old.end <= now:
                raise WrongStateError(f"Appointment/{appointment_id}")
            ours = {appointment_id}
            if hold_id is not None:
                held = visits.locked_hold(session, hold_id, now)
                if held.patient_id not in (None, old.patient_id):
                    raise WrongStateError(f"Appointment/{hold_id}")
                time = visits.time_of(held)
                ours |= {hold_id, held.held_for}
            time = replace(_given(time), moving=appointment_id)
            if time.service_id != old.service_id:
                raise WrongStateError(f"Appointment/{appointment_id}")
            visit = visits.checked(session, clinic, time, old.patient_id, now, is_held=hold_id is not None)
            if hold_id is None and claims.sweep(session, {appointment_id: visit}, now, agent):
                raise TimeTakenError(claims.place(visit.time))
            owned = claims.ticks_of(session, appointment_id)
            room_id = claims.claim(session, visit, appointment_id, owned | claims.ticks_of(session, hold_id))
            claims.refuse_above_daily_maximum(session, visit, now, ours)
            if hold_id is not None:
                claims.hand_over_ticks(session, hold_id, appointment_id)
                visits.write(session, hold_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_USED)
            claims.release_ticks(session, appointment_id, owned - visit.ticks(room_id))
            if old.lane:
                lanes.leave(session, appointment_id)
            visits.write(
                session,
                appointment_id,
                now,
                **visits.placed(visit.time),
                lane=0,
                room_id=room_id,
                sequence=old.sequence + 1,
                confirmation=ParticipationStatus.NEEDS_ACTION,
                next_reminder_at=reminders.first_after(clinic, visit.time.start, now),
            )
            lanes.promote(session, above, now, agent)
            _note_freed(session, old, now)
            change = {"old": visits.described(visits.time_of(old)), "new": visits.described(visit.time)}
            visits.record(session, agent, "U", appointment_id, old.patient_id, change)
    return visits.load(session, appointment_id)


def cancel(
    session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str, key: str, reason: str | None = None
) -> Appointment:
    """Take a visit, a hold or a place on the waitlist off the books.

    Inside `cancellation_notice_hours` of a visit the desk gets a Task.

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
            visits.write(session, appointment_id, now, status=AppointmentStatus.CANCELLED, cancelled_reason=reason)
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


def _given(time: FreeTime | None) -> FreeTime:
    if time is None:
        raise TypeError("give the id of a hold or a time")
    return time


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


def _late_cancellation(clinic: ClinicFile, visit: Any, now: dt.datetime) -> str:
    service, practitioner = clinic.services_by_id.get(visit.service_id), clinic.practitioners_by_id.get(visit.practitioner_id)
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    hours = max(0, int((visit.start - now).total_seconds() // 3600))
    return (
        f"Cancelled {hours} hours before its start: {service.name if service else visit.service_id}"
        f" with {practitioner.name if practitioner else visit.practitioner_id},"
        f" {times.to_wall(visit.start, zone):%A, %B %-d, %Y, %-I:%M %p}."
    )
