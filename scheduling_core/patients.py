"""Patients: who is on file, registering, correcting."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency, mail_addresses, names, times
from scheduling_core.errors import NotFoundError, UnfitError
from scheduling_core.models import Channel, Patient, PatientPhone, Sex, new_id


def on_file(session: Session, *, phone: str) -> list[Patient]:
    """The active patients with this number (E.164), the eldest first."""
    found = session.scalars(
        select(Patient)
        .join(PatientPhone, (PatientPhone.organization_id == Patient.organization_id) & (PatientPhone.patient_id == Patient.id))
        .where(PatientPhone.phone == phone, Patient.active)
        .order_by(Patient.birth_date, Patient.id)
    )
    return list(found)


def known_by_name_and_birth_date(session: Session, given: str, family: str, birth_date: dt.date) -> list[Patient]:
    """The active patients of this name born on this day, whatever their number; nicknames and typing slips are forgiven."""
    born_then = session.scalars(select(Patient).where(Patient.birth_date == birth_date, Patient.active).order_by(Patient.id))
    return [patient for patient in born_then if names.alike(patient.given, given) and names.alike(patient.family, family)]


def get(session: Session, patient_id: str) -> Patient:
    """Raises NotFoundError."""
    patient = session.scalars(select(Patient).where(Patient.id == patient_id)).one_or_none()
    if patient is None:
        raise NotFoundError(f"Patient/{patient_id}")
    return patient


def register(
    session: Session,
    *,
    given: str,
    family: str,
    birth_date: dt.date,
    phone: str | None = None,
    sex: Sex = Sex.UNKNOWN,
    email: str | None = None,
    address: str | None = None,
    language: str | None = None,
    prefers: Channel | None = None,
    new: bool,
    agent: str,
    key: str | None = None,
) -> Patient:
    """Put a person on file. `new`: registered by text or phone and not seen yet; who comes from an EHR or the desk is established.

    The same key again answers the same patient. Raises UnfitError for what is no mail address.
    """
    _refuse_no_address(email)
    if earlier := idempotency.earlier_answer(session, key):
        return get(session, earlier["patient_id"])
    now = times.now()
    patient = Patient(
        id=new_id(),
        given=given,
        family=family,
        birth_date=birth_date,
        sex=sex,
        email=email,
        address=address,
        language=language,
        prefers=prefers,
        needs=[],
        new=new,
        active=True,
        created_at=now,
        updated_at=now,
        phones=[PatientPhone(phone=phone, rank=1)] if phone else [],
    )
    session.add(patient)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="Patient", entity_id=patient.id, patient_id=patient.id)
    idempotency.remember(session, key, {"patient_id": patient.id})
    return patient


def _refuse_no_address(email: str | None) -> None:
    if email is not None and not mail_addresses.is_one(email):
        raise UnfitError("email", "no-address")


def update(
    session: Session,
    *,
    patient_id: str,
    agent: str,
    phone: str | None = None,
    email: str | None = None,
    address: str | None = None,
    language: str | None = None,
    prefers: Channel | None = None,
    add_need: str | None = None,
) -> Patient:
    """Change what is given; the audit row keeps the old and the new. A new phone goes to the front, the old ones stay behind it.

    Raises NotFoundError; UnfitError for what is no mail address.
    """
    _refuse_no_address(email)
    patient = get(session, patient_id)
    changes: dict[str, Any] = {}
    for field, value in (("email", email), ("address", address), ("language", language), ("prefers", prefers)):
        if value is not None and value != getattr(patient, field):
            changes[field] = {"old": getattr(patient, field), "new": value}
            setattr(patient, field, value)
    if phone is not None and [row.phone for row in patient.phones][:1] != [phone]:
        changes["phones"] = {"old": [row.phone for row in patient.phones]}
        _put_in_front(patient, phone)
        changes["phones"]["new"] = [row.phone for row in patient.phones]
    if add_need is not None and add_need not in patient.needs:
        changes["needs"] = {"old": patient.needs, "new": [*patient.needs, add_need]}
        patient.needs = [*patient.needs, add_need]
    if changes:
        patient.updated_at = times.now()
        session.flush()
        audit.record(
            session, agent=agent, action="U", entity="Patient", entity_id=patient.id, patient_id=patient.id, detail=changes
        )
    return patient


def _put_in_front(patient: Patient, phone: str) -> None:
    first = next((row for row in patient.phones if row.phone == phone), None) or PatientPhone(phone=phone)
    patient.phones = [first, *(row for row in patient.phones if row is not first)]
    for rank, row in enumerate(patient.phones, start=1):
        row.rank = rank


def age_on(birth_date: dt.date, day: dt.date) -> int:
    """Whole years. Who was born on 29 February has a birthday on 1 March of other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
