"""All that we hold of a patient, to hand over: a FHIR Bundle, and every row as it is stored."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from scheduling_core import audit, merging, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.coverage import to_coverage, to_service_request
from scheduling_core.fhir.directory import directory
from scheduling_core.fhir.eligibility import to_request, to_response
from scheduling_core.fhir.people import to_patient, to_statement
from scheduling_core.fhir.scheduling import to_appointment
from scheduling_core.fhir.workflow import to_audit_event, to_communication, to_task
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    AuditEvent,
    Base,
    Channel,
    Communication,
    Coverage,
    EligibilityCheck,
    OptOut,
    Patient,
    ServiceRequest,
    Statement,
    Task,
)

_KINDS: tuple[tuple[type[Any], Any], ...] = (
    (Coverage, to_coverage),
    (EligibilityCheck, to_request),
    (EligibilityCheck, to_response),
    (ServiceRequest, to_service_request),
    (Statement, to_statement),
    (Communication, to_communication),
    (Task, to_task),
    (AuditEvent, to_audit_event),
)
_INNER = frozenset({"patient_key"})  # made from other rows
_SECRET = frozenset({"worker", "worker_until", "retry_at", "lease", "lease_until"})
_CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_CONSENT_CATEGORY = "http://terminology.hl7.org/CodeSystem/consentcategorycodes"


def bundle(session: Session, clinic: ClinicFile, *, patient_id: str, agent: str) -> Resource:
    """A Bundle of type collection: the patient, visits, insurance and its checks, orders, messages, tasks, consents, the trail.

    Audited. Raises NotFoundError.
    """
    patient = patients.get(session, patient_id)
    ids = merging.all_ids(session, patient_id)
    _record(session, agent, patient_id, "bundle")
    known = directory(session, clinic, patients=ids)
    people = session.scalars(select(Patient).where(Patient.id.in_(ids)).order_by(Patient.id)).all()
    resources = [to_patient(one) for one in people]
    visits = select(Appointment).where(Appointment.patient_id.in_(ids), Appointment.status != AppointmentStatus.PROPOSED)
    resources += [
        to_appointment(visit, known) for visit in session.scalars(visits.order_by(Appointment.created_at, Appointment.id))
    ]
    for model, to_resource in _KINDS:
        rows = select(model).where(model.patient_id.in_(ids)).order_by(*model.__table__.primary_key.columns)
        resources += [to_resource(row, known) for row in session.scalars(rows)]
    resources += _consents(session, patient)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": times.now().isoformat(),
        "entry": [{"resource": resource} for resource in resources],
    }


def _consents(session: Session, patient: Patient) -> list[Resource]:
    """Each word of the ledger about the patient's own numbers and address."""
    own = [number.phone for number in patient.phones] + ([patient.email] if patient.email else [])
    rows = session.scalars(select(OptOut).where(OptOut.phone.in_(own)).order_by(OptOut.sequence))
    return [
        {
            "resourceType": "Consent",
            "id": f"opt-out-{row.sequence}",
            "status": "active",
            "scope": codes.coded(_CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
            "category": [codes.coded(_CONSENT_CATEGORY, "infa", "Information Access")],
            "patient": codes.reference("Patient", patient.id),
            "dateTime": row.at.isoformat(),
            "policyRule": {
                "text": f"{_CHANNELS[row.channel]} to {row.phone}: {'refused' if row.out else 'allowed'} ({row.source})"
            },
            "provision": {"type": "deny" if row.out else "permit"},
        }
        for row in rows
    ]


_CHANNELS = {Channel.SMS: "Texts", Channel.VOICE: "Calls", Channel.EMAIL: "Mails"}


def rows(session: Session, *, patient_id: str, agent: str) -> dict[str, Any]:
    """Every row that names the patient, by table, whatever a Bundle has no place for. Audited. Raises NotFoundError."""
    patient = patients.get(session, patient_id)
    ids = merging.all_ids(session, patient_id)
    _record(session, agent, patient_id, "rows")
    session.flush()
    found: dict[str, list[dict[str, Any]]] = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in _INNER and (kept := _of_table(session, table, ids)):
            found[table.name] = kept
    talks = [row["id"] for row in found.get("conversation", ())]
    lines = Base.metadata.tables["conversation_line"]
    found["conversation_line"] = _read(session, lines, lines.c.conversation_id.in_(talks))
    own = [number.phone for number in patient.phones] + ([patient.email] if patient.email else [])
    ledger = Base.metadata.tables["opt_out"]
    found["opt_out"] = _read(session, ledger, ledger.c.phone.in_(own))
    return {"patient": patient_id, "at": times.now().isoformat(), "tables": found}


def _of_table(session: Session, table: Table, ids: list[str]) -> list[dict[str, Any]]:
    naming = {key.column_keys[-1] for key in table.foreign_key_constraints if key.referred_table.name == "patient"}
    naming |= {"patient_id"} & set(table.columns.keys())
    if table.name == "patient":
        naming = {"id"}
    found: list[dict[str, Any]] = []
    for name in sorted(naming):
        found += [row for row in _read(session, table, table.c[name].in_(ids)) if row not in found]
    return found


def _read(session: Session, table: Table, which: Any) -> list[dict[str, Any]]:
    query = select(table).where(table.c.organization_id == session.info["organization"], which).order_by(*table.primary_key)
    hidden = _SECRET | {"organization_id"}
    return [
        {name: _plain(value) for name, value in row.items() if name not in hidden and value is not None}
        for row in session.connection().execute(query).mappings()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _record(session: Session, agent: str, patient_id: str, what: str) -> None:
    audit.record(
        session,
        agent=agent,
        action="E",
        entity="Patient",
        entity_id=patient_id,
        patient_id=patient_id,
        detail={"export": what},
    )
