"""How a visit goes at the desk: the patient comes, is taken to a room and leaves, comes late, or does not come.

In FHIR's words `arrived` is a patient who waits, `checked-in` one who is in a room, `fulfilled` a visit that took place. Each step
compares and sets: of two who mark one visit, the second is told who did what first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import booking, claims, handoff, lanes, reminders, times, visits
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import SchedulingError, TimeTakenError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, Attendance, AuditEvent, ParticipationStatus, Task, TaskStatus

LONGEST_DELAY = 240  # minutes that a patient may be late and still be expected
NO_SHOW = "no-show"  # the reason of the task that a missed visit leaves
_TO_COME = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED)


class MarkedAlreadyError(WrongStateError):
    """Somebody has marked this visit meanwhile."""

    def __init__(self, appointment_id: str, status: AppointmentStatus, agent: str | None, at: dt.datetime | None) -> None:
        super().__init__(f"Appointment/{appointment_id}")
        self.status, self.agent, self.at = status, agent, at  # as it is now; who did it and when, None where nobody knows


class AnotherDayError(SchedulingError):
    """The visit is on another day."""

    code = "another-day"


class NotBegunError(SchedulingError):
    """The visit has not begun yet: the patient may still come."""

    code = "not-begun"


def check_in(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> Appointment:
    """The patient is here and waits. Raises NotFoundError, MarkedAlreadyError, AnotherDayError."""
    return _step(session, clinic, appointment_id, agent, AppointmentStatus.ARRIVED, _TO_COME)


def take_to_room(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> Appointment:
    """The patient is in a room, or the video visit has begun. Raises NotFoundError, MarkedAlreadyError, AnotherDayError."""
    return _step(session, clinic, appointment_id, agent, AppointmentStatus.CHECKED_IN, (*_TO_COME, AppointmentStatus.ARRIVED))


def finish(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> Appointment:
    """The visit took place. Raises NotFoundError, MarkedAlreadyError."""
    was = (AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)
    return _step(session, clinic, appointment_id, agent, AppointmentStatus.FULFILLED, was)


def expect_late(session: Session, clinic: ClinicFile, *, appointment_id: str, minutes: int, agent: str) -> Appointment:
    """The patient says that they come so many minutes after the start.

    Raises NotFoundError, MarkedAlreadyError (here already, or not to come), AnotherDayError, WrongStateError (minutes below 1 or
    above LONGEST_DELAY).
    """
    if not 1 <= minutes <= LONGEST_DELAY:
        raise WrongStateError(f"{minutes} minutes")
    old, _ = visits.locked(session, appointment_id)
    if old.status not in _TO_COME:
        raise _marked_already(session, old)
    _refuse_other_days(clinic, old)
    expected = old.start + dt.timedelta(minutes=minutes)
    _row_of(session, appointment_id).expected_at = expected
    visits.write(session, appointment_id, times.now(), confirmation=ParticipationStatus.ACCEPTED)
    visits.record(session, agent, "U", appointment_id, old.patient_id, {"expected": expected.isoformat()})
    return visits.load(session, appointment_id)


def mark_no_show(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> Appointment:
    """The patient did not come: it counts in the history that no-shows are estimated from, and the desk gets a task to call.

    What is left of the time is free again. Raises NotFoundError, MarkedAlreadyError, NotBegunError.
    """
    now = times.now()
    old, above = visits.locked(session, appointment_id)
    if old.status not in _TO_COME:
        if _is_done_by(session, old, AppointmentStatus.NOSHOW, agent):
            return visits.load(session, appointment_id)
        raise _marked_already(session, old)
    if old.start > now:
        raise NotBegunError(f"Appointment/{appointment_id}")
    visits.write(session, appointment_id, now, status=AppointmentStatus.NOSHOW, next_reminder_at=None)
    claims.release_ticks(session, appointment_id)
    lanes.promote(session, above, now, agent)
    handoff.open_task(
        session,
        team="desk",
        reason=NO_SHOW,
        description=_missed(clinic, old),
        patient_id=old.patient_id,
        appointment_id=appointment_id,
        key=f"{NO_SHOW}:{appointment_id}:{now.isoformat()}",
        agent=agent,
    )
    _record(session, agent, old, AppointmentStatus.NOSHOW)
    return visits.load(session, appointment_id)


def step_back(session: Session, clinic: ClinicFile, *, appointment_id: str, was: AppointmentStatus, agent: str) -> Appointment:
    """Undo the last step of a visit that is `was`: done, in a room, here or missed. A missed visit takes its time again.

    Raises NotFoundError, MarkedAlreadyError (it is not `was` any more, or there is no step to undo), TimeTakenError.
    """
    old, _ = visits.locked(session, appointment_id)
    if old.status != was or was not in _BEFORE:
        raise _marked_already(session, old)
    now, status = times.now(), _BEFORE[was]
    changes: dict[str, Any] = {"status": status}
    row = _row_of(session, appointment_id)
    if was is AppointmentStatus.NOSHOW:
        _take_time_again(session, old, agent)
        changes |= {"lane": 0, "next_reminder_at": reminders.first_after(clinic, old.start, now)}
        _cancel_tasks(session, appointment_id, agent)
    elif was is AppointmentStatus.FULFILLED:
        row.done_at = None
    elif was is AppointmentStatus.CHECKED_IN:
        row.roomed_at = None
    else:
        row.arrived_at = None
        changes["next_reminder_at"] = reminders.first_after(clinic, old.start, now)
    visits.write(session, appointment_id, now, **changes)
    _record(session, agent, old, status)
    return visits.load(session, appointment_id)


_BEFORE = {
    AppointmentStatus.ARRIVED: AppointmentStatus.BOOKED,
    AppointmentStatus.CHECKED_IN: AppointmentStatus.ARRIVED,
    AppointmentStatus.FULFILLED: AppointmentStatus.CHECKED_IN,
    AppointmentStatus.NOSHOW: AppointmentStatus.BOOKED,
}


def _step(
    session: Session,
    clinic: ClinicFile,
    appointment_id: str,
    agent: str,
    status: AppointmentStatus,
    was: Collection[AppointmentStatus],
) -> Appointment:
    """One step on. The same step again by who made it changes nothing: a double click is no refusal."""
    now = times.now()
    old, _ = visits.locked(session, appointment_id)
    if old.status not in was:
        if _is_done_by(session, old, status, agent):
            return visits.load(session, appointment_id)
        raise _marked_already(session, old)
    if status is not AppointmentStatus.FULFILLED:
        _refuse_other_days(clinic, old)
    row = _row_of(session, appointment_id)
    row.arrived_at = row.arrived_at or now
    if status is not AppointmentStatus.ARRIVED:
        row.roomed_at = row.roomed_at or now
    if status is AppointmentStatus.FULFILLED:
        row.done_at = now
    visits.write(session, appointment_id, now, status=status, confirmation=ParticipationStatus.ACCEPTED, next_reminder_at=None)
    _record(session, agent, old, status)
    return visits.load(session, appointment_id)


def _row_of(session: Session, appointment_id: str) -> Attendance:
    """The visit is locked, so nobody else makes one."""
    found = session.scalars(
        select(Attendance).where(Attendance.appointment_id == appointment_id).execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        found = Attendance(appointment_id=appointment_id)
        session.add(found)
    return found


def _take_time_again(session: Session, old: Any, agent: str) -> None:
    """Raises TimeTakenError when somebody else has a part of it."""
    time = visits.time_of(old)
    booking.end_expired_holds(session, time, agent=agent)
    wanted = claims.Visit(time, old.patient_id, (), (0, 0), None).ticks(old.room_id)
    if lanes.missing(session, old.id, {(actor, tick, 0) for actor, tick in wanted}):
        raise TimeTakenError(claims.place(time))


def _cancel_tasks(session: Session, appointment_id: str, agent: str) -> None:
    found = select(Task.id).where(Task.appointment_id == appointment_id, Task.reason == NO_SHOW, Task.status.in_(handoff.OPEN))
    for task_id in session.scalars(found).all():
        handoff.close_task(session, task_id=task_id, agent=agent, status=TaskStatus.CANCELLED)


def _refuse_other_days(clinic: ClinicFile, old: Any) -> None:
    zone = clinic.zone_of(old.location_id) if old.location_id in clinic.locations_by_id else clinic.zone
    if times.to_wall(old.start, zone).date() != times.to_wall(times.now(), zone).date():
        raise AnotherDayError(f"Appointment/{old.id}")


def _is_done_by(session: Session, old: Any, status: AppointmentStatus, agent: str) -> bool:
    last = _last_change(session, old)
    return old.status == status and last is not None and last.agent == agent


def _marked_already(session: Session, old: Any) -> MarkedAlreadyError:
    last = _last_change(session, old)
    return MarkedAlreadyError(old.id, old.status, last.agent if last else None, last.at if last else None)


def _last_change(session: Session, old: Any) -> AuditEvent | None:
    """Who made a visit what it is; found by its patient, whose audit rows have an index."""
    return session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.patient_id == old.patient_id,
            AuditEvent.entity == "Appointment",
            AuditEvent.entity_id == old.id,
            AuditEvent.action.in_(("C", "U")),
        )
        .order_by(AuditEvent.sequence.desc())
        .limit(1)
    ).first()


def _record(session: Session, agent: str, old: Any, status: AppointmentStatus) -> None:
    visits.record(session, agent, "U", old.id, old.patient_id, {"status": {"old": old.status, "new": status}})


def _missed(clinic: ClinicFile, visit: Any) -> str:
    service, practitioner = clinic.services_by_id.get(visit.service_id), clinic.practitioners_by_id.get(visit.practitioner_id)
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    return (
        f"Did not come: {service.name if service else visit.service_id}"
        f" with {practitioner.name if practitioner else visit.practitioner_id},"
        f" {times.to_wall(visit.start, zone):%A, %B %-d, %Y, %-I:%M %p}. Call and offer another time."
    )
