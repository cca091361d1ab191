"""The waitlist as the desk works it: times that fit a place, and booking one of them for who waits, on the phone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from scheduling_core import booking, idempotency, waitlist
from scheduling_core.calendar import search
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus


def times_for(session: Session, clinic: ClinicFile, *, place_id: str, count: int = 6) -> list[FreeTime]:
    """The best free times that fit what a place waits for. Raises NotFoundError."""
    request, wish = waitlist.wish_of(waitlist.appointment(session, place_id))
    return search.offers(session, clinic, request, wish=wish, count=count)


def book_for(session: Session, clinic: ClinicFile, *, place_id: str, time: FreeTime, agent: str, key: str) -> Appointment:
    """Book a free time for who waits, or move their visit to it where they wait for an earlier one; the place ends.

    What was on offer to the place goes to the next. Raises WrongStateError for a place that has ended, and what `booking.book`
    raises.
    """
    place = waitlist.appointment(session, place_id)
    if (earlier := idempotency.answer(session, key)) and earlier.get("appointments"):
        return waitlist.appointment(session, earlier["appointments"][0])
    if place.status is not AppointmentStatus.WAITLIST or place.patient_id is None:
        raise WrongStateError(f"Appointment/{place_id}")
    moving = waitlist.to_move(session, place)
    if moving is not None:
        visit = booking.reschedule(session, clinic, appointment_id=moving.id, time=time, agent=agent, key=key)
    else:
        visit = booking.book(session, clinic, patient_id=place.patient_id, time=time, agent=agent, key=key)
    waitlist.leave(session, place_id=place_id, agent=agent, key=f"{key}:leave", why=waitlist.FILLED)
    return visit
