"""Booking and moving as the desk does it: somebody points at a practitioner and a start, and a refusal says every reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from scheduling_core import booking, overbooking, times, visits, why
from scheduling_core.calendar import hours, rules, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotBookableError, PatientBusyError, SchedulingError, TimeTakenError
from scheduling_core.models import Appointment, AppointmentStatus
from scheduling_core.why import Reason, Verdict

_OVERRULED = {"taken", "daily-maximum"}  # by a scheduler's word
_IS_HERE = (AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)


class RefusedTimeError(SchedulingError):
    """The clinic's rules have something against this time; the sentences of `reasons` say what."""

    code = "refused-time"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return " ".join(reason.staff for reason in self.reasons)

    @property
    def may_be_overbooked(self) -> bool:
        """Whether only another visit, or the day's maximum, is in the way."""
        return may_be_overbooked(self.reasons)


class MovedMeanwhileError(SchedulingError):
    """Somebody has moved this visit since you looked."""

    code = "moved-meanwhile"


class PatientIsHereError(SchedulingError):
    """The patient is here: take the check-in back before you move the visit to another day."""

    code = "patient-is-here"


def against(session: Session, clinic: ClinicFile, request: Request, start: dt.datetime) -> list[Reason]:
    """What stands against a time, nothing when it can be booked. Raises NotFoundError."""
    return [one for one in why.explain(session, clinic, request, start) if one.verdict is not Verdict.ALLOWS]


def may_be_overbooked(reasons: Sequence[Reason]) -> bool:
    """Whether a scheduler may put a visit there all the same. A time that is on offer to somebody is left to them."""
    return bool(reasons) and all(one.code in _OVERRULED and one.verdict is Verdict.FORBIDS for one in reasons)


def free_on(session: Session, clinic: ClinicFile, request: Request, day: dt.date) -> list[FreeTime]:
    """The free times of a day of the clinic, by time. Raises NotFoundError."""
    first, end = hours.day_bounds(day, clinic.zone)
    return search.find(session, clinic, request, start=ticks.instant_of(first), end=ticks.instant_of(end))


def book(
    session: Session,
    clinic: ClinicFile,
    *,
    request: Request,
    start: dt.datetime,
    agent: str,
    key: str,
    comment: str | None = None,
) -> Appointment:
    """Book a visit for `request.patient_id` with the one practitioner of the request, in whichever place they are at `start`.

    Raises RefusedTimeError, NotFoundError, WrongStateError.
    """
    assert request.patient_id
    if earlier := visits.earlier(session, key, "book"):
        return earlier
    with _reasons_given(session, clinic, request, start):
        time = _time_at(session, clinic, request, start)
        return booking.book(
            session, clinic, patient_id=request.patient_id, time=time, agent=agent, key=key, comment=comment or None
        )


def overbook(
    session: Session, clinic: ClinicFile, *, request: Request, start: dt.datetime, reason: str, agent: str, key: str
) -> Appointment:
    """As `overbooking.overbook`, with every other rule's word on a refusal. Raises RefusedTimeError and what that raises."""
    with _reasons_given(session, clinic, request, start, leaving_out=_OVERRULED):
        return overbooking.overbook(session, clinic, request=request, start=start, reason=reason, agent=agent, key=key)


def move(
    session: Session,
    clinic: ClinicFile,
    *,
    appointment_id: str,
    practitioner_id: str,
    start: dt.datetime,
    sequence: int,
    agent: str,
    key: str,
) -> Appointment:
    """Move a visit to a practitioner and a start. `sequence` is the visit's as the mover saw it; onto itself changes nothing.

    Raises RefusedTimeError, MovedMeanwhileError, PatientIsHereError, NotFoundError, WrongStateError (not a live visit to come).
    """
    if earlier := visits.earlier(session, key, "reschedule"):
        return earlier
    old, _ = visits.locked(session, appointment_id)
    if old.sequence != sequence:
        raise MovedMeanwhileError(f"Appointment/{appointment_id}")
    if (old.practitioner_id, old.start) == (practitioner_id, start):
        return visits.load(session, appointment_id)
    zone = clinic.zone_of(old.location_id) if old.location_id in clinic.locations_by_id else clinic.zone
    if old.status in _IS_HERE and times.to_wall(start, zone).date() != times.to_wall(old.start, zone).date():
        raise PatientIsHereError(f"Appointment/{appointment_id}")
    request = Request(
        old.service_id, practitioners=(practitioner_id,), mode=old.mode, patient_id=old.patient_id, moving=appointment_id
    )
    with _reasons_given(session, clinic, request, start):
        time = _time_at(session, clinic, request, start)
        return booking.reschedule(session, clinic, appointment_id=appointment_id, time=time, agent=agent, key=key)


@contextmanager
def _reasons_given(
    session: Session, clinic: ClinicFile, request: Request, start: dt.datetime, leaving_out: set[str] | None = None
) -> Iterator[None]:
    """Turn the refusal of a time into all that stands against it. Where nothing does any more, the refusal stays as it is."""
    try:
        yield
    except (NotBookableError, TimeTakenError, PatientBusyError) as refusal:
        found = [one for one in against(session, clinic, request, start) if one.code not in (leaving_out or ())]
        if found:
            raise RefusedTimeError(found) from refusal
        raise


def _time_at(session: Session, clinic: ClinicFile, request: Request, start: dt.datetime) -> FreeTime:
    """The time as a search would answer it, whether it is free or not. Raises NotBookableError where nobody gives it then."""
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    practitioner = asked.practitioners[0]
    stretch = rules.stretch_for(clinic, asked, practitioner, start)
    if stretch is None:
        raise NotBookableError("not-working", f"{practitioner.id} {start.isoformat()}")
    first, end = rules.busy_ticks(asked.service, start)
    return FreeTime(
        service_id=asked.service.id,
        practitioner_id=practitioner.id,
        location_id=stretch.location_id,
        mode=asked.mode,
        start=start,
        end=start + dt.timedelta(minutes=asked.service.minutes),
        room_id=None,
        first_tick=first,
        end_tick=end,
        moving=request.moving,
    )
