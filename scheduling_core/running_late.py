"""A day that slips: who waits how long when somebody runs late, what to tell whom, and where a day's waiting room fills up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, messaging, patients, plans, sending, times
from scheduling_core.calendar import hours, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus

RUNNING_LATE = "running-late"  # the kind of message that tells of it
WORTH_TELLING = 10  # minutes; less is not told
_EARLY = 10  # minutes before the start at which patients come
_QUARTER = 15


@dataclass(frozen=True)
class Affected:
    """A visit that begins later than it should: its expected start in UTC, and by how many minutes."""

    appointment_id: str
    patient_id: str
    start: dt.datetime
    expected: dt.datetime
    minutes: int
    is_told: bool  # whether the patient should hear of it: it is worth telling, and they have not come yet


@dataclass(frozen=True)
class Quarter:
    """A quarter of an hour at a location: how many wait, and how many are being seen."""

    start: dt.datetime
    waiting: int
    seen: int


@dataclass(frozen=True)
class Suggestion:
    """The one move within the day that lowers the peak of the waiting room the most."""

    appointment_id: str
    old: FreeTime
    new: FreeTime
    peak: int  # the most who wait at once
    quarters: int  # of an hour, with so many
    peak_after: int
    quarters_after: int


def delays(session: Session, clinic: ClinicFile, *, practitioner_id: str, minutes: int) -> list[Affected]:
    """Whom it affects today that a practitioner is so many minutes behind at this moment, by start. Gaps and buffers make up time.

    Raises NotFoundError for somebody who does not exist, WrongStateError for minutes below 1 or beyond a day.
    """
    if practitioner_id not in clinic.practitioners_by_id:
        raise NotFoundError(f"Practitioner/{practitioner_id}")
    if not 1 <= minutes <= 24 * 60:
        raise WrongStateError(f"{minutes} minutes")
    now = times.now()
    ready: dt.datetime | None = None  # when the practitioner can begin the next visit
    found = []
    for visit in _visits(session, clinic, now, practitioner_id=practitioner_id):
        if visit.start is None or visit.end is None or visit.patient_id is None:
            continue
        late = dt.timedelta(minutes=minutes)
        if visit.end <= now and ready is None:
            continue
        if ready is None:  # the visit under way, or the next: it is behind by what was said
            expected = visit.start + late
            if visit.start > now:
                expected = max(visit.start, now + late)
        else:
            expected = max(visit.start, ready)
        ready = expected + (visit.end - visit.start)
        behind = int((expected - visit.start).total_seconds()) // 60
        if visit.start > now and behind > 0:
            is_told = behind >= WORTH_TELLING and visit.status in (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)
            found.append(Affected(visit.id, visit.patient_id, visit.start, expected, behind, is_told))
    return found


def tell(session: Session, clinic: ClinicFile, *, practitioner_id: str, minutes: int, by: str) -> list[Affected]:
    """Text everybody who should hear of it; who that was. A visit is told once of the same expected time.

    `by` is the email of a scheduler's account. Raises NotAllowedError, and as `delays`.
    """
    agent = plans.scheduler(session, by)
    told = [one for one in delays(session, clinic, practitioner_id=practitioner_id, minutes=minutes) if one.is_told]
    for one in told:
        phone, body = what_to_tell(session, clinic, practitioner_id=practitioner_id, affected=one)
        if phone is None:
            continue
        messaging.queue(
            session,
            phone=phone,
            body=body,
            author="system",
            kind=RUNNING_LATE,
            patient_id=one.patient_id,
            appointment_id=one.appointment_id,
            key=f"{RUNNING_LATE}:{one.appointment_id}:{one.expected.isoformat()}",
        )
    detail = {"minutes": minutes, "told": [one.appointment_id for one in told]}
    audit.record(session, agent=agent, action="E", entity="Practitioner", entity_id=practitioner_id, detail=detail)
    return told


def what_to_tell(session: Session, clinic: ClinicFile, *, practitioner_id: str, affected: Affected) -> tuple[str | None, str]:
    """The sentence for a patient, in their language, and the number that it goes to; None where staff must call. NotFoundError."""
    patient = patients.get(session, affected.patient_id)
    phone = sending.first_phone(patient)
    language = sending.language_of(session, clinic, patient, phone or "")
    return phone, _words(clinic, practitioner_id, affected, language)


def waiting_room(session: Session, clinic: ClinicFile, *, location_id: str, day: dt.date) -> list[Quarter]:
    """How many wait and are seen in each quarter of an hour between the first and the last visit at a location. Patients come ten
    minutes early. Raises NotFoundError.
    """
    if location_id not in clinic.locations_by_id:
        raise NotFoundError(f"Location/{location_id}")
    return _quarters([(one.start, one.end) for one in _at(session, clinic, location_id, day) if one.start and one.end])


def flatten(session: Session, clinic: ClinicFile, *, location_id: str, day: dt.date) -> Suggestion | None:
    """The move of one booked visit to a free time of its practitioner on the same day that lowers the waiting room's peak the most,
    then the number of quarters at the peak, then is nearest. None where no move lowers anything. Raises NotFoundError.
    """
    quarters = waiting_room(session, clinic, location_id=location_id, day=day)
    if not quarters:
        return None
    visits = _at(session, clinic, location_id, day)
    spans = {one.id: (one.start, one.end) for one in visits if one.start and one.end}
    peak = _load(quarters)
    fullest = [one.start for one in quarters if one.waiting == peak[0]]
    early, quarter = dt.timedelta(minutes=_EARLY), dt.timedelta(minutes=_QUARTER)
    best: tuple[tuple[int, int], float, Appointment, FreeTime] | None = None
    start, end = times.from_wall(day, dt.time(0), clinic.zone), times.from_wall(day + dt.timedelta(days=1), dt.time(0), clinic.zone)
    for visit in visits:
        if (
            visit.status not in (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)
            or not visit.practitioner_id
            or not visit.start
        ):
            continue
        if not any(visit.start - early < at + quarter and at < visit.start for at in fullest):
            continue  # whoever does not wait at the peak lowers it by no move
        request = Request(
            visit.service_id,
            practitioners=(visit.practitioner_id,),
            location_id=location_id,
            mode=visit.mode,
            patient_id=visit.patient_id,
            moving=visit.id,
        )
        for time in search.find(session, clinic, request, start=start, end=end):
            after = _load(_quarters(list((spans | {visit.id: (time.start, time.end)}).values())))
            one = (after, abs((time.start - visit.start).total_seconds()), visit, time)
            if after < peak and (best is None or one[:2] < best[:2]):
                best = one
    if best is None:
        return None
    return Suggestion(best[2].id, plans.time_of(best[2]), best[3], *peak, *best[0])


def _visits(session: Session, clinic: ClinicFile, now: dt.datetime, *, practitioner_id: str) -> list[Appointment]:
    """What a practitioner has today, by start, without what is over by its status."""
    day = times.to_wall(now, clinic.zone).date()
    first, end = hours.day_bounds(day, clinic.zone)
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.practitioner_id == practitioner_id,
                Appointment.start >= ticks.instant_of(first),
                Appointment.start < ticks.instant_of(end),
                Appointment.status.in_(LIVE),
            )
            .order_by(Appointment.start, Appointment.id)
        )
    )


def _at(session: Session, clinic: ClinicFile, location_id: str, day: dt.date) -> list[Appointment]:
    first, end = hours.day_bounds(day, clinic.zone_of(location_id))
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.location_id == location_id,
                Appointment.mode == "in-person",
                Appointment.start >= ticks.instant_of(first),
                Appointment.start < ticks.instant_of(end),
                Appointment.status.in_((*LIVE, AppointmentStatus.FULFILLED)),
            )
            .order_by(Appointment.start, Appointment.id)
        )
    )


def _quarters(spans: list[tuple[dt.datetime, dt.datetime]]) -> list[Quarter]:
    if not spans:
        return []
    early, quarter = dt.timedelta(minutes=_EARLY), dt.timedelta(minutes=_QUARTER)
    first = min(start for start, _ in spans) - early
    at = first - dt.timedelta(minutes=first.minute % _QUARTER)
    last = max(end for _, end in spans)
    found = []
    while at < last:
        waiting = sum(start - early < at + quarter and at < start for start, _ in spans)
        seen = sum(start < at + quarter and at < end for start, end in spans)
        found.append(Quarter(at, waiting, seen))
        at += quarter
    return found


def _load(quarters: list[Quarter]) -> tuple[int, int]:
    """The peak, and how many quarters have it."""
    peak = max((one.waiting for one in quarters), default=0)
    return peak, sum(one.waiting == peak for one in quarters)


def _words(clinic: ClinicFile, practitioner_id: str, one: Affected, language: str) -> str:
    who, name = clinic.practitioners_by_id[practitioner_id].name, clinic.clinic.name
    _, start = sending.start_in_words(one.start, clinic.zone, language)
    _, expected = sending.start_in_words(one.expected, clinic.zone, language)
    if language == "es":
        return (
            f"{name}: {who} va con unos {one.minutes} minutos de retraso. Su cita de las {start} empezará hacia las {expected}. "
            "Disculpe la espera."
        )
    return (
        f"{name}: {who} is running about {one.minutes} minutes late. "
        f"Your {start} visit should start around {expected}. We're sorry."
    )
