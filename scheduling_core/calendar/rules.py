"""The clinic's rules about a visit: who may have it, and why a time can or cannot be had.

Each rule is asked once here: searching, explaining and booking use the same functions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from scheduling_core import orders, times
from scheduling_core.calendar import hours, occupied, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ClinicFile, LocationPart, PractitionerPart, ServicePart
from scheduling_core.errors import NotFoundError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, Mode, Patient
from scheduling_core.patients import age_on

# The order in which reasons are given.
CODES = (
    "past",
    "notice",
    "horizon",
    "off-grid",
    "closed",
    "holiday",
    "absent",
    "not-working",
    "age",
    "blocked",
    "taken",
    "room",
    "patient-busy",
    "daily-maximum",
)


@dataclass(frozen=True)
class Refusal:
    """A rule that no other time can mend, and what it is about.

    "no-practitioner" lists who gives the service, "mode" how it is given, "location" where; "age" says which ages.
    """

    code: str
    detail: str = ""


@dataclass(frozen=True)
class Asked:
    """A request, looked up: what is wanted, who may give it, and the patient as far as rules need."""

    request: Request
    service: ServicePart
    mode: Mode
    practitioners: tuple[PractitionerPart, ...]
    places: Mapping[str, tuple[LocationPart, ...]]  # where each of them can give it
    birth_date: dt.date | None
    refusal: Refusal | None

    @property
    def needs_room(self) -> str | None:
        """The kind of room that the visit takes: a video visit takes none."""
        return self.service.room if self.mode is Mode.IN_PERSON else None

    def fits_age(self, day: dt.date) -> bool:
        return self.birth_date is None or self.service.ages is None or age_on(self.birth_date, day) in self.service.ages


def who_may(session: Session, clinic: ClinicFile, request: Request) -> Refusal | None:
    """The rule about service and patient that forbids this visit at any time, or None.

    Without a patient the patient's rules are not asked.
    Raises NotFoundError for a service, patient or moved appointment that does not exist.
    """
    return ask(session, clinic, request).refusal


def explain_time(session: Session, clinic: ClinicFile, request: Request, start: dt.datetime) -> list[str]:
    """Why a time cannot be booked, as codes of CODES in that order, a refusal of `who_may` before them; empty when it can.

    With several practitioners it can be had when one of them has it; else the reasons of all of them are given.
    """
    asked = ask(session, clinic, request)
    if asked.refusal:
        return [asked.refusal.code]
    now = times.now()
    reasons: set[str] = set()
    for practitioner in asked.practitioners:
        found = obstacles(session, clinic, asked, practitioner, start, now)
        if not found:
            return []
        reasons |= found
    return [code for code in CODES if code in reasons]


def ask(session: Session, clinic: ClinicFile, request: Request) -> Asked:
    """Look a request up. `refusal` is the first rule that forbids it at any time. Raises NotFoundError."""
    service = clinic.services_by_id.get(request.service_id)
    if service is None:
        raise NotFoundError(f"HealthcareService/{request.service_id}")
    mode = request.mode or Mode(service.modes[0])
    may = [one for one in clinic.practitioners if service.id in one.services]
    wanted = [one for one in may if _is_wanted(one, request)]
    possible = {at.id: at for at in clinic.locations if _is_possible_at(clinic, at, service, mode, request)}
    places = {one.id: tuple(possible[at] for at in one.location_ids if at in possible) for one in wanted}
    there = [one for one in wanted if places[one.id]]
    refusal: Refusal | None = None
    if mode not in service.modes:
        refusal = Refusal("mode", ",".join(service.modes))
    elif not wanted:
        refusal = Refusal("no-practitioner", ",".join(one.id for one in may))
    elif not there:
        refusal = Refusal("location", ",".join(_locations_of(clinic, wanted, service, mode)))
    birth_date: dt.date | None = None
    if request.patient_id is not None:
        same_visit = request.moving is not None and _service_of(session, request.moving) == service.id
        birth_date, is_new = _patient(session, request.patient_id)
        refusal = refusal or _patients_refusal(session, clinic, service, request.patient_id, birth_date, is_new, same_visit)
    return Asked(request, service, mode, tuple(there), places, birth_date, refusal)


def stretches(clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, day: dt.date) -> Iterator[Stretch]:
    """Where and when on a day a practitioner can give this visit, occupancy aside."""
    possible = {at.id for at in asked.places[practitioner.id]}
    for stretch in hours.hours_of(clinic).on(practitioner.id, day):
        if stretch.location_id in possible:
            yield stretch


def rooms_at(clinic: ClinicFile, location_id: str, kind: str) -> list[str]:
    return [room.id for room in clinic.locations_by_id[location_id].rooms if room.kind == kind]


def earliest(clinic: ClinicFile, service: ServicePart, now: dt.datetime) -> dt.datetime:
    """The first instant at which a visit may start: urgent visits need no notice."""
    return now if service.urgency == "urgent" else now + dt.timedelta(minutes=clinic.clinic.booking_notice_minutes)


def last_day(clinic: ClinicFile, zone: ZoneInfo, now: dt.datetime) -> dt.date:
    """The last day of the booking horizon."""
    return times.to_wall(now, zone).date() + dt.timedelta(days=clinic.clinic.booking_horizon_days)


def stretch_for(clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime) -> Stretch | None:
    """The working stretch that holds a visit at this start, with its buffers."""
    first, end = busy_ticks(asked.service, start)
    for day in {times.to_wall(start, clinic.zone_of(place.id)).date() for place in _places(clinic, practitioner)}:
        for stretch in stretches(clinic, asked, practitioner, day):
            if stretch.first <= first and end <= stretch.end:
                return stretch
    return None


def busy_ticks(service: ServicePart, start: dt.datetime) -> tuple[int, int]:
    """The ticks that a visit at this start takes of practitioner and room."""
    before, visit, after = hours.lengths(service)
    tick = ticks.tick_of(start)
    return tick - before, tick + visit + after


def obstacles_in_the_rules(
    clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime, now: dt.datetime, *, held: bool = False
) -> set[str]:
    """What the clinic file has against this time, occupancy aside. A held time was in time when it was held: no notice is asked."""
    service, found = asked.service, set()
    if start < now:
        found.add("past")
    elif start < earliest(clinic, service, now) and not held:
        found.add("notice")
    stretch = stretch_for(clinic, asked, practitioner, start)
    zone = clinic.zone_of(stretch.location_id) if stretch else clinic.zone
    day = times.to_wall(start, zone).date()
    if day > last_day(clinic, zone, now):
        found.add("horizon")
    if not asked.fits_age(day):
        found.add("age")
    if start.timestamp() % (ticks.MINUTES * 60):
        return found | {"off-grid"}
    if stretch is None:
        return found | _why_not_working(clinic, asked, practitioner, start)
    tick = ticks.tick_of(start)
    if not stretch.grid >> (tick - stretch.first) & 1:
        found.add("off-grid")
    visit = hours.lengths(service)[1]
    if any(kept.first < tick + visit and tick < kept.end and kept.keeps_out(service, now) for kept in stretch.kept):
        found.add("blocked")
    return found


def is_full(practitioner: PractitionerPart, taken: occupied.Taken, day_first: int, day_end: int) -> bool:
    """Whether a day has as many visits as the practitioner takes."""
    maximum = practitioner.max_visits_per_day
    return maximum is not None and taken.visits(practitioner.id, day_first, day_end) >= maximum


def obstacles(
    session: Session, clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime, now: dt.datetime
) -> set[str]:
    """What stands against this time with one practitioner, as codes of CODES; nothing when it can be booked."""
    found = obstacles_in_the_rules(clinic, asked, practitioner, start, now)
    first, end = busy_ticks(asked.service, start)
    stretch = stretch_for(clinic, asked, practitioner, start)
    moving = asked.request.moving
    a, b = (stretch.day_first, stretch.day_end) if stretch else (first, end)
    taken = occupied.practitioners(
        session, [practitioner.id], first=a, end=b, now=now, counted=[practitioner.id], apart_from=moving
    )
    if taken.bits(practitioner.id, first, end - first):
        found.add("taken")
    if stretch and is_full(practitioner, taken, stretch.day_first, stretch.day_end):
        found.add("daily-maximum")
    if stretch and asked.needs_room:
        rooms = rooms_at(clinic, stretch.location_id, asked.needs_room)
        used = occupied.rooms(session, rooms, first=first, end=end, now=now, apart_from=moving)
        if all(used.busy.get(room) for room in rooms):
            found.add("room")
    if asked.request.patient_id:
        tick, visit = ticks.tick_of(start), hours.lengths(asked.service)[1]
        own = occupied.patient(session, asked.request.patient_id, first=tick, end=tick + visit, apart_from=moving)
        if own.busy[asked.request.patient_id]:
            found.add("patient-busy")
    return found


def _why_not_working(clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime) -> set[str]:
    first, end = busy_ticks(asked.service, start)
    found: set[str] = set()
    possible = asked.places[practitioner.id]
    sessions = [session for session in practitioner.schedule if any(session.at == place.id for place in possible)]
    working = [session for session in sessions if hours.works(clinic, session, first, end)]
    if not working:
        found.add("not-working")
    for place in [clinic.locations_by_id[session.at] for session in working] or possible:
        day = times.to_wall(start, clinic.zone_of(place.id)).date()
        if hours.is_holiday(clinic, day):
            found.add("holiday")
        if hours.is_closure(clinic, place.id, day) or not hours.is_open(clinic, place.id, first, end):
            found.add("closed")
        if hours.is_absent(practitioner, day):
            found.add("absent")
    return found


def _is_wanted(practitioner: PractitionerPart, request: Request) -> bool:
    return (
        (not request.practitioners or practitioner.id in request.practitioners)
        and request.gender in (None, practitioner.gender)
        and (request.language is None or request.language in practitioner.languages)
    )


def _places(clinic: ClinicFile, practitioner: PractitionerPart) -> list[LocationPart]:
    return [clinic.locations_by_id[at] for at in practitioner.location_ids]


def _is_possible_at(clinic: ClinicFile, location: LocationPart, service: ServicePart, mode: Mode, request: Request) -> bool:
    if request.location_id not in (None, location.id):
        return False
    return service.room is None or mode is Mode.VIDEO or bool(rooms_at(clinic, location.id, service.room))


def _locations_of(clinic: ClinicFile, practitioners: list[PractitionerPart], service: ServicePart, mode: Mode) -> list[str]:
    anywhere = Request(service.id)
    known = dict.fromkeys(place.id for one in practitioners for place in _places(clinic, one))
    return [at for at in known if _is_possible_at(clinic, clinic.locations_by_id[at], service, mode, anywhere)]


def _patient(session: Session, patient_id: str) -> tuple[dt.date, bool]:
    row = session.connection().execute(_PATIENT, _named(session, patient_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"Patient/{patient_id}")
    return row[0], row[1]


def _service_of(session: Session, appointment_id: str) -> str:
    found = session.connection().execute(_SERVICE, _named(session, appointment_id)).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return str(found)


def _named(session: Session, id_: str) -> dict[str, str]:
    return {"organization": session.info["organization"], "id": id_}


def _of(table: type[Patient] | type[Appointment]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.organization_id == bindparam("organization"), table.id == bindparam("id")


_PATIENT = select(Patient.birth_date, Patient.new).where(*_of(Patient))
_SERVICE = select(Appointment.service_id).where(*_of(Appointment))


def _patients_refusal(
    session: Session,
    clinic: ClinicFile,
    service: ServicePart,
    patient_id: str,
    birth_date: dt.date,
    is_new: bool,
    same_visit: bool,
) -> Refusal | None:
    if service.ages is not None:
        today = times.to_wall(times.now(), clinic.zone).date()
        ages = range(age_on(birth_date, today), age_on(birth_date, last_day(clinic, clinic.zone, times.now())) + 1)
        if not any(age in service.ages for age in ages):
            oldest = "+" if service.ages.oldest is None else f"-{service.ages.oldest}"
            return Refusal("age", f"{service.ages.youngest}{oldest}")
    if same_visit:
        return None
    if service.who != "any":
        counts_as_new = is_new and not _was_here(session, patient_id)
        if counts_as_new != (service.who == "new"):
            return Refusal(f"who-{service.who}")
    if service.needs_order and not orders.on_file(session, patient_id=patient_id, service_id=service.id):
        return Refusal("needs-order")
    if service.needs_referral and not orders.on_file(session, patient_id=patient_id, service_id=service.id):
        return Refusal("needs-referral")
    return None


def _was_here(session: Session, patient_id: str) -> bool:
    """Whether the patient had a visit: it is over, or it was begun."""
    begun = (AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN, AppointmentStatus.FULFILLED)
    statement = select(Appointment.id).where(
        Appointment.organization_id == session.info["organization"],
        Appointment.patient_id == patient_id,
        Appointment.status.in_(begun) | (Appointment.status.in_(LIVE) & (Appointment.end <= times.now())),
    )
    return session.connection().execute(statement.limit(1)).first() is not None
