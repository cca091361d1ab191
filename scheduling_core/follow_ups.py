"""Follow-ups: what a practitioner ordered for later becomes a message in time, and what a service says after its visits.

An order names its service and the days between which the visit is wanted ("back in 3 months": FHIR's occurrencePeriod). A referral
from another practice is written about at once.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, exists, literal, or_, select
from sqlalchemy.orm import Session

from scheduling_core import handoff, messaging, outreach, patients, sending, times
from scheduling_core.calendar import ticks
from scheduling_core.clinic_file.schema import AfterVisit, ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    OutreachKind,
    Patient,
    Priority,
    RequestCategory,
    RequestStatus,
    ServiceRequest,
    Task,
)

_LATEST = dt.timedelta(days=2)  # what was to be said after a visit is not said later than this
_ANSWERED_WITHIN = dt.timedelta(days=7)
_AFTER = f"{sending.AFTER_VISIT}:"
_CAME = (AppointmentStatus.FULFILLED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)


# orders


def write_about(session: Session, clinic: ClinicFile, request: ServiceRequest, *, agent: str) -> None:
    """See to it that the patient of an order with days, or of a referral from outside, is written to in time; once.

    The first message goes out the clinic's `ahead_days` before the first wanted day. An order without days waits for the
    patient. To be called in the transaction that puts the request on file.
    """
    kind = _KINDS.get(request.category)
    if kind is None or request.status is not RequestStatus.ACTIVE or request.service_id not in clinic.services_by_id:
        return
    wanted = request.occurs_from or request.occurs_until
    if wanted is None and kind is OutreachKind.FOLLOW_UP:
        return
    now = times.now()
    due_on = wanted or times.to_wall(now, clinic.zone).date()
    first = times.from_wall(due_on - dt.timedelta(days=clinic.outreach.ahead_days), dt.time(9), clinic.zone)
    outreach.begin(
        session,
        kind=kind,
        patient_id=request.patient_id,
        service_id=request.service_id,
        request_id=request.id,
        due_on=due_on,
        next_at=max(first, now) if kind is OutreachKind.FOLLOW_UP else now,
        key=f"request:{request.id}",
        agent=agent,
    )


_KINDS = {RequestCategory.ORDER: OutreachKind.FOLLOW_UP, RequestCategory.REFERRAL: OutreachKind.REFERRAL_IN}


# after a visit


def any_to_say(session: Session, clinic: ClinicFile) -> bool:
    """Whether `say_after_visits` has something to do."""
    return bool(_over(session, clinic, limit=1))


def say_after_visits(session: Session, clinic: ClinicFile, *, limit: int = 20) -> int:
    """Queue what the services say after visits that took place; how many visits were looked at.

    Each is said once. Who cannot be written to is not: the instructions were given at the visit as well.
    """
    found = _over(session, clinic, limit=limit)
    for visit in found:
        assert visit.patient_id
        patient = patients.get(session, visit.patient_id)
        phone = sending.first_phone(patient)
        assert phone
        rule = clinic.services_by_id[visit.service_id].after_visit
        assert rule
        messaging.queue(
            session,
            phone=phone,
            body=_body(session, clinic, patient, phone, rule),
            author="system",
            kind=sending.AFTER_VISIT,
            patient_id=patient.id,
            appointment_id=visit.id,
            due_at=sending.quiet_until(clinic, phone=phone, at=times.now(), location_id=visit.location_id),
            key=f"{_AFTER}{visit.id}",
        )
    return len(found)


def _over(session: Session, clinic: ClinicFile, *, limit: int) -> list[Appointment]:
    """Visits after which something is to be said now: read by practitioner, from the index of taken times."""
    now = times.now()
    due = [
        and_(
            Appointment.service_id == service.id,
            Appointment.end_tick <= ticks.tick_of(now - dt.timedelta(hours=service.after_visit.hours)),
            Appointment.end_tick > ticks.tick_of(now - dt.timedelta(hours=service.after_visit.hours) - _LATEST),
        )
        for service in clinic.services
        if service.after_visit
    ]
    if not due:
        return []
    said = exists().where(
        Communication.organization_id == Appointment.organization_id,
        Communication.idempotency_key == literal(_AFTER).concat(Appointment.id),
    )
    return list(
        session.scalars(
            select(Appointment)
            .join(Patient, and_(Patient.organization_id == Appointment.organization_id, Patient.id == Appointment.patient_id))
            .where(
                Appointment.practitioner_id.in_(list(clinic.practitioners_by_id)),
                Appointment.status.in_(_CAME),
                or_(*due),
                Patient.active,
                Patient.phones.any(),
                ~said,
            )
            .order_by(Appointment.end_tick, Appointment.id)
            .limit(limit)
            .with_for_update(of=Appointment, skip_locked=True)
        )
    )


def _body(session: Session, clinic: ClinicFile, patient: Patient, phone: str, rule: AfterVisit) -> str:
    name, who = sending.name_if_shared(session, patient, phone), clinic.clinic.name
    said = " ".join(part for part in (rule.say, rule.ask) if part)
    return f"{who}, {name}: {said}" if name else f"{who}: {said}"


def asked_after(session: Session, clinic: ClinicFile, *, phone: str) -> Communication | None:
    """The question after a visit that this number was asked last, while words without another sense answer it."""
    last = sending.last_said(session, phone=phone, kinds=sending.STARTED_BY_US)
    if last is None or last.kind != sending.AFTER_VISIT or times.now() - last.created_at > _ANSWERED_WITHIN:
        return None
    visit = session.scalars(select(Appointment).where(Appointment.id == last.appointment_id)).one()
    service = clinic.services_by_id.get(visit.service_id)
    return last if service and service.after_visit and service.after_visit.ask else None


def note_answer(session: Session, clinic: ClinicFile, *, phone: str, words: str, agent: str, key: str) -> Task | None:
    """Give the clinical team what a patient answered to the question after a visit; None when none was asked of this number."""
    asked = asked_after(session, clinic, phone=phone)
    if asked is None:
        return None
    teams = clinic.handoff.teams
    return handoff.open_task(
        session,
        team="clinical" if "clinical" in teams else teams[0],
        reason="after-visit",
        description=f'After a visit we asked how things are. The patient wrote: "{words[:500]}"',
        priority=Priority.ROUTINE,
        patient_id=asked.patient_id,
        phone=phone,
        appointment_id=asked.appointment_id,
        key=f"{key}:after-visit",
        agent=agent,
    )
