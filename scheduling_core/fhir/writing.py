"""What a sender may put on record: patients, coverage and orders. Each is the resource as it is kept now."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import coverage as coverages
from scheduling_core import follow_ups, idempotency, orders, patients, referrals
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.fhir import reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.coverage import read_coverage, read_service_request, to_coverage, to_service_request
from scheduling_core.fhir.directory import directory
from scheduling_core.fhir.people import PatientValues, read_patient, to_patient
from scheduling_core.models import Patient, PatientPhone, RequestCategory, ServiceRequest

Create = Callable[[Session, ClinicFile, Resource, str, str | None], Resource]


def create_patient(session: Session, clinic: ClinicFile, resource: Resource, agent: str, key: str | None) -> Resource:
    """Put a person on file as established. Raises MalformedError."""
    values = read_patient(resource, region=reading.region_of(clinic.clinic.phone))
    return to_patient(register(session, values, new=False, agent=agent, key=key))


def register(session: Session, values: PatientValues, *, new: bool, agent: str, key: str | None) -> Patient:
    """The core's registration with every number that a resource names."""
    patient = patients.register(
        session,
        given=values.given,
        family=values.family,
        birth_date=values.birth_date,
        phone=next(iter(values.phones), None),
        sex=values.sex,
        email=values.email,
        prefers=values.prefers,
        address=values.address,
        language=values.language,
        new=new,
        agent=agent,
        key=key,
    )
    there = {number.phone for number in patient.phones}
    for number in values.phones:
        if number not in there:
            patient.phones.append(PatientPhone(phone=number, rank=len(patient.phones) + 1))
    session.flush()
    return patient


def create_coverage(session: Session, clinic: ClinicFile, resource: Resource, agent: str, key: str | None) -> Resource:
    """Note a coverage; older ones end. Raises MalformedError, NotFoundError."""
    values = read_coverage(resource, clinic)
    if values.self_pay:
        coverage = coverages.record_self_pay(session, patient_id=values.patient_id, agent=agent, key=key)
    else:
        coverage = coverages.record(
            session,
            patient_id=values.patient_id,
            payer_id=values.payer_id,
            payer_name=values.payer_name,
            subscriber_id=values.subscriber_id,
            group_number=values.group_number,
            relationship=values.relationship,
            rank=values.rank,
            agent=agent,
            key=key,
        )
    return to_coverage(coverage, directory(session, clinic, patients=[coverage.patient_id]))


def create_service_request(session: Session, clinic: ClinicFile, resource: Resource, agent: str, key: str | None) -> Resource:
    """Put an order or a referral on file. Raises MalformedError, NotFoundError."""
    values = read_service_request(resource, directory(session, clinic))
    if earlier := idempotency.earlier_answer(session, key):
        order = session.scalars(select(ServiceRequest).where(ServiceRequest.id == earlier["service_request_id"])).one()
    else:
        order = orders.add(
            session,
            patient_id=values.patient_id,
            service_id=values.service_id,
            intent=values.intent,
            note=values.note,
            category=values.category,
            occurs_from=values.occurs_from,
            occurs_until=values.occurs_until,
            agent=agent,
        )
        follow_ups.write_about(session, clinic, order, agent=agent)
        if order.category is RequestCategory.REFERRAL_OUT:
            referrals.begin(session, clinic, order, agent=agent)
        idempotency.remember(session, key, {"service_request_id": order.id})
    return to_service_request(order, directory(session, clinic, patients=[order.patient_id]))


CREATE: dict[str, Create] = {
    "Patient": create_patient,
    "Coverage": create_coverage,
    "ServiceRequest": create_service_request,
}
