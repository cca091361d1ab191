"""The good faith estimate that US law wants for who is uninsured or pays alone (45 CFR 149.610): when it is due, and what it holds.

Scheduled ten business days ahead or more, it is due three business days after the day of scheduling; three to nine ahead, one
business day after; asked for by the patient, three business days after the day of asking.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import holidays
from sqlalchemy import Select, and_, literal, select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError
from scheduling_core.models import LIVE, Appointment, Coverage, CoverageStatus, Patient, Task

REASON = "good-faith-estimate"
_KEY = "good-faith:"
_PER_STEP = 200
_federal = holidays.country_holidays("US")


def due_day(scheduled: dt.date, service: dt.date) -> dt.date | None:
    """The last day on which the estimate is in time, both days local; None where scheduling so near asks for none."""
    ahead = business_days_between(scheduled, service)
    if ahead >= 10:
        return add_business_days(scheduled, 3)
    return add_business_days(scheduled, 1) if ahead >= 3 else None


def due_day_on_request(asked: dt.date) -> dt.date:
    """The last day for an estimate that a patient asks for."""
    return add_business_days(asked, 3)


def is_business_day(day: dt.date) -> bool:
    """Monday to Friday, federal holidays aside."""
    return day.weekday() < 5 and day not in _federal


def business_days_between(first: dt.date, last: dt.date) -> int:
    """Business days after the first day, up to and with the last: from a Monday to Thursday three."""
    return sum(is_business_day(first + dt.timedelta(days=n)) for n in range(1, (last - first).days + 1))


def add_business_days(day: dt.date, count: int) -> dt.date:
    while count:
        day += dt.timedelta(days=1)
        count -= is_business_day(day)
    return day


def any_due(session: Session, clinic: ClinicFile) -> bool:
    """Whether `open_tasks` has something to do."""
    return session.execute(_without_task().limit(1)).first() is not None


def open_tasks(session: Session, clinic: ClinicFile) -> bool:
    """A task for each visit ahead of a patient who pays alone, due by the law's day; whether there may be more."""
    visits = session.scalars(_without_task().limit(_PER_STEP)).all()
    for visit in visits:
        _open(session, clinic, visit)
    return len(visits) == _PER_STEP


def for_visits_ahead(session: Session, clinic: ClinicFile, *, patient_id: str) -> None:
    """The patient says to pay alone: a task for each visit ahead. The record of insurances stays as it is."""
    ahead = select(Appointment).where(
        Appointment.patient_id == patient_id, Appointment.status.in_(LIVE), Appointment.start > times.now()
    )
    for visit in session.scalars(ahead.order_by(Appointment.start)).all():
        _open(session, clinic, visit)


def _open(session: Session, clinic: ClinicFile, visit: Appointment) -> None:
    assert visit.start is not None, "a live visit has a time"
    scheduled = times.to_wall(visit.created_at, clinic.zone).date()
    day = times.to_wall(visit.start, clinic.zone).date()
    _task(session, clinic, visit, due_day(scheduled, day), "The patient pays alone.")


def request(session: Session, clinic: ClinicFile, *, appointment_id: str) -> Task:
    """The patient asked for one. Answers the task, the one that is there already included. Raises NotFoundError."""
    visit = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one_or_none()
    if visit is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    today = times.to_wall(times.now(), clinic.zone).date()
    return _task(session, clinic, visit, due_day_on_request(today), "The patient asked for it.")


def _task(session: Session, clinic: ClinicFile, visit: Appointment, due: dt.date | None, why: str) -> Task:
    by = f"by {due} at the latest" if due else "before the visit; the law names no day for a visit this near"
    return handoff.open_task(
        session,
        team="billing",
        reason=REASON,
        description=f"{why} Please give a written good faith estimate {by}. `frontdesk estimate {visit.id}` writes the page.",
        patient_id=visit.patient_id,
        appointment_id=visit.id,
        due_at=times.from_wall(due, dt.time(23, 59), clinic.zone) if due else visit.start,
        key=f"{_KEY}{visit.id}",
    )


def _without_task() -> Select[tuple[Appointment]]:
    there = select(Task.id).where(
        Task.organization_id == Appointment.organization_id, Task.idempotency_key == literal(_KEY).concat(Appointment.id)
    )
    return (
        select(Appointment)
        .join(
            Coverage, and_(Coverage.organization_id == Appointment.organization_id, Coverage.patient_id == Appointment.patient_id)
        )
        .where(
            Coverage.self_pay,
            Coverage.status == CoverageStatus.ACTIVE,
            Appointment.status.in_(LIVE),
            Appointment.start > times.now(),
            ~there.exists(),
        )
        .order_by(Appointment.start, Appointment.id)
    )


@dataclass(frozen=True)
class Provider:
    """Who charges: the clinic, and who sees the patient. "" where the clinic file does not say."""

    name: str
    npi: str
    tax_id: str
    address: str


@dataclass(frozen=True)
class Item:
    """What is expected to be done and charged, in cents; None where the clinic file has no price."""

    name: str
    procedure_codes: tuple[str, ...]
    diagnosis_codes: tuple[str, ...]
    cents: int | None


@dataclass(frozen=True)
class GoodFaithEstimate:
    """What the law wants on the page, from one visit. `visit_at` is wall time of its place."""

    clinic_name: str
    clinic_phone: str
    patient_name: str
    birth_date: dt.date
    visit_at: dt.datetime
    made_on: dt.date
    clinic: Provider
    practitioner: Provider
    items: tuple[Item, ...]

    @property
    def total(self) -> int | None:
        """Cents; None where a price is missing."""
        amounts = [item.cents for item in self.items]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def patient_of(session: Session, *, appointment_id: str) -> str:
    """Whose visit it is. Raises NotFoundError where it is nobody's."""
    found = session.scalars(select(Appointment.patient_id).where(Appointment.id == appointment_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return found


def content(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> GoodFaithEstimate:
    """What stands on the page of a visit. Raises NotFoundError for a visit that there is not, or that has no patient or time."""
    visit = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one_or_none()
    if visit is None or visit.patient_id is None or visit.start is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    patient = session.scalars(select(Patient).where(Patient.id == visit.patient_id)).one()
    audit.record(session, agent=agent, action="R", entity="Appointment", entity_id=visit.id, patient_id=patient.id)
    location = clinic.locations_by_id.get(visit.location_id or "")
    zone = clinic.zone_of(location.id) if location else clinic.zone
    who = clinic.practitioners_by_id.get(visit.practitioner_id or "")
    service = clinic.services_by_id.get(visit.service_id)
    price = clinic.self_pay.price_list.get(visit.service_id)
    address, tax_id = location.address if location else "", clinic.clinic.tax_id or ""
    item = Item(
        name=service.name if service else visit.service_id,
        procedure_codes=tuple(service.procedure_codes) if service else (),
        diagnosis_codes=tuple(service.diagnosis_codes) if service else (),
        cents=None if price is None else int(price * 100),
    )
    return GoodFaithEstimate(
        clinic_name=clinic.clinic.name,
        clinic_phone=clinic.clinic.phone,
        patient_name=f"{patient.given} {patient.family}",
        birth_date=patient.birth_date,
        visit_at=times.to_wall(visit.start, zone),
        made_on=times.to_wall(times.now(), clinic.zone).date(),
        clinic=Provider(clinic.clinic.name, clinic.clinic.npi or "", tax_id, address),
        practitioner=Provider(who.name if who else "", (who.npi or "") if who else "", tax_id, address),
        items=(item,),
    )
