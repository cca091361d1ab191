"""Which rows or parts of the clinic file a search means: one entry of KINDS a kind of resource."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.booking import HOLD_EXPIRED, HOLD_RELEASED, HOLD_USED
from scheduling_core.calendar import search as calendar
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError
from scheduling_core.fhir import codes, coverage, eligibility, people, places, query, reading, scheduling, workflow
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory, directory
from scheduling_core.fhir.query import Query
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    AuditEvent,
    CheckStatus,
    Communication,
    Coverage,
    CoverageStatus,
    Direction,
    EligibilityCheck,
    Patient,
    PatientPhone,
    Priority,
    RequestStatus,
    ServiceRequest,
    Statement,
    Task,
    TaskStatus,
)

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Found:
    """One page of a search: `matches`, how many there are in `total`, and what was asked to be shown with them."""

    matches: list[Resource]
    total: int
    included: list[Resource] = field(default_factory=list)


def search(session: Session, clinic: ClinicFile, kind: str, asked: Query, *, agent: str) -> Found:
    """One page of what matches. Reads of patients' data are audited. Raises MalformedError for values that cannot be read."""
    if kind in STORED:
        return _search_rows(session, clinic, STORED[kind], asked, agent)
    everything = COMPUTED[kind].search(session, clinic, asked)
    if (ids := asked.any_of("_id")) is not None:
        everything = [resource for resource in everything if resource["id"] in ids]
    return Found(everything[asked.offset : asked.offset + asked.count], len(everything))


def read(session: Session, clinic: ClinicFile, kind: str, id_: str, *, agent: str) -> Resource:
    """One resource, audited where it is a patient's. Raises NotFoundError."""
    if kind in STORED:
        if resources := _search_rows(session, clinic, STORED[kind], Query({"_id": [[id_]]}, count=1), agent, hidden=True).matches:
            return resources[0]
    elif COMPUTED[kind].can_be_read:
        for resource in COMPUTED[kind].search(session, clinic, Query()):
            if resource["id"] == id_:
                return resource
    raise NotFoundError(f"{kind}/{id_}")


# kinds that are rows


@dataclass(frozen=True)
class Stored:
    """How a kind of resource is found in its table. `conditions` reads the search parameters."""

    table: Any
    parameters: Mapping[str, str]  # by name, the FHIR type of the parameter
    order: tuple[Any, ...]
    conditions: Callable[[ClinicFile, Query], list[Condition]]
    render: Callable[[Any, Directory], Resource]
    patient_of: Callable[[Any], str | None]
    hidden: Condition | None = None  # what only those see who ask for its status


def _search_rows(session: Session, clinic: ClinicFile, kind: Stored, asked: Query, agent: str, hidden: bool = False) -> Found:
    conditions = kind.conditions(clinic, asked)
    id_column = kind.table.sequence if kind.table is AuditEvent else kind.table.id
    ids = asked.any_of("_id")
    if ids is not None and kind.table is AuditEvent:
        conditions += query.among(id_column, [id_ for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 19])
    else:
        conditions += query.among(id_column, ids)
    if kind.hidden is not None and not hidden and "status" not in asked.asked:
        conditions.append(kind.hidden)
    total = session.scalar(select(func.count()).select_from(kind.table).where(*conditions)) or 0
    page = select(kind.table).where(*conditions).order_by(*kind.order).limit(asked.count).offset(asked.offset)
    rows = list(session.scalars(page)) if asked.count and total else []
    patients = [kind.patient_of(row) for row in rows]
    known = directory(session, clinic, patients=patients)
    _audit_read(session, _entity(kind), rows, patients, asked, agent)
    return Found([kind.render(row, known) for row in rows], total, _included(session, asked, rows, known))


def _entity(kind: Stored) -> str:
    """The FHIR name for the audit: one table holds a request with its response."""
    return next(name for name, stored in STORED.items() if stored is kind)


def _audit_read(
    session: Session, entity: str, rows: Sequence[Any], patients: Sequence[str | None], asked: Query, agent: str
) -> None:
    """One audit row for each patient whose data went out, with the ids that did; parameters by name only."""
    if entity == "AuditEvent":
        audit.record(session, agent=agent, action="R", entity=entity, detail={"search": sorted(asked.asked), "found": len(rows)})
        return
    seen: dict[str | None, list[str]] = {}
    for row, patient in zip(rows, patients, strict=True):
        seen.setdefault(patient, []).append(row.id)
    for patient, ids in seen.items():
        one = ids[0] if len(ids) == 1 else None
        detail = {"search": sorted(asked.asked)} | ({} if one else {"ids": ids})
        audit.record(session, agent=agent, action="R", entity=entity, entity_id=one, patient_id=patient, detail=detail)


def _patient_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    region = reading.region_of(clinic.clinic.phone)
    found = query.among(Patient.id, _identified(asked))
    for name in ("phone", "telecom"):
        for mention in asked.asked.get(name, []):
            numbers = [reading.phone(value.rpartition("|")[2], region) for value in mention]
            has_number = exists().where(
                PatientPhone.organization_id == Patient.organization_id,
                PatientPhone.patient_id == Patient.id,
                PatientPhone.phone.in_([number for number in numbers if number]),
            )
            found.append(has_number)
    for mention in asked.asked.get("email", []):
        found.append(func.lower(Patient.email).in_([value.strip().lower() for value in mention]))
    found += query.begins([Patient.given, Patient.family], asked.asked.get("name"))
    found += query.begins([Patient.given], asked.asked.get("given"))
    found += query.begins([Patient.family], asked.asked.get("family"))
    found += query.when(Patient.birth_date, asked.asked.get("birthdate"), "birthdate", clinic.zone, whole_days=True)
    found += query.among(Patient.sex, asked.codes("gender"))
    for active in asked.codes("active") or []:
        found.append(Patient.active.is_(active == "true"))
    return found


def _identified(asked: Query) -> list[str] | None:
    mentions = asked.asked.get("identifier")
    if not mentions:
        return None
    parts = [[value.rpartition("|") for value in mention] for mention in mentions]
    ours = [[id_ for system, _, id_ in mention if system in ("", codes.PATIENT_ID)] for mention in parts]
    return [value for value in ours[0] if all(value in other for other in ours[1:])]


def _appointment_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.among(Appointment.patient_id, asked.ids("patient", "Patient"))
    found += query.among(Appointment.practitioner_id, asked.ids("practitioner", "Practitioner"))
    if (places_ := asked.ids("location", "Location")) is not None:
        found.append(or_(Appointment.location_id.in_(places_), Appointment.room_id.in_(places_)) if places_ else false())
    found += query.states(Appointment.status, AppointmentStatus, asked.codes("status"))
    found += query.among(Appointment.service_id, asked.codes("service-type"))
    if (specialties := asked.codes("specialty")) is not None:
        found.append(Appointment.service_id.in_([service.id for service in clinic.services if service.specialty in specialties]))
    for mention in asked.asked.get("actor", []):
        tests: list[Condition] = []
        for value in mention:
            id_ = value.rpartition("/")[2]
            tests += [Appointment.patient_id == id_, Appointment.practitioner_id == id_, Appointment.location_id == id_]
        found.append(or_(*tests))
    return found + query.when(Appointment.start, asked.asked.get("date"), "date", clinic.zone)


_not_a_hold: Condition = and_(
    Appointment.status != AppointmentStatus.PROPOSED,
    or_(Appointment.cancelled_reason.is_(None), Appointment.cancelled_reason.not_in([HOLD_EXPIRED, HOLD_RELEASED, HOLD_USED])),
)


def _coverage_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.states(Coverage.status, CoverageStatus, asked.codes("status"))
    for name in ("beneficiary", "patient", "subscriber"):
        found += query.among(Coverage.patient_id, asked.ids(name, "Patient"))
    return found + query.among(Coverage.payer_id, asked.ids("payor", "Organization"))


def _check_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.among(EligibilityCheck.patient_id, asked.ids("patient", "Patient"))
    found += query.among(EligibilityCheck.id, asked.ids("request", "CoverageEligibilityRequest"))
    for mention in asked.asked.get("outcome", []):
        wanted = [state for state in CheckStatus if eligibility.OUTCOMES.get(state, "queued") in mention]
        found.append(EligibilityCheck.status.in_(wanted))
    for mention in asked.asked.get("status", []):
        cancelled = EligibilityCheck.status == CheckStatus.CANCELLED
        found.append(
            or_(*(cancelled if value == "cancelled" else ~cancelled for value in mention if value in ("cancelled", "active")))
        )
    return found + query.when(EligibilityCheck.created_at, asked.asked.get("created"), "created", clinic.zone)


def _order_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.states(ServiceRequest.status, RequestStatus, asked.codes("status"))
    for name in ("subject", "patient"):
        found += query.among(ServiceRequest.patient_id, asked.ids(name, "Patient"))
    found += query.among(ServiceRequest.service_id, asked.codes("code"))
    return found + query.when(ServiceRequest.created_at, asked.asked.get("authored"), "authored", clinic.zone)


def _statement_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found: list[Condition] = []
    for name in ("subject", "patient"):
        found += query.among(Statement.patient_id, asked.ids(name, "Patient"))
    return found + query.when(Statement.created_at, asked.asked.get("authored"), "authored", clinic.zone)


def _task_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.states(Task.status, TaskStatus, asked.codes("status"))
    found += query.states(Task.priority, Priority, asked.codes("priority"))
    for name in ("patient", "subject"):
        found += query.among(Task.patient_id, asked.ids(name, "Patient"))
    found += query.among(Task.appointment_id, asked.ids("focus", "Appointment"))
    for mention in asked.asked.get("code", []):
        words = [value.rpartition("|")[2] for value in mention]
        found.append(or_(Task.reason.in_(words), Task.team.in_(words)))
    for mention in asked.asked.get("performer", []):
        found.append(Task.team.in_([value.rpartition("|")[2] for value in mention]))
    found += query.begins([Task.owner_name], asked.asked.get("owner"))
    return found + query.when(Task.created_at, asked.asked.get("authored-on"), "authored-on", clinic.zone)


def _communication_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found: list[Condition] = []
    for name, way in (("recipient", Direction.OUT), ("sender", Direction.IN), ("subject", None), ("patient", None)):
        if (ids := asked.ids(name, "Patient")) is not None:
            found.append(_with_patients(ids))
            if way:
                found.append(Communication.direction == way)
    found += query.among(Communication.appointment_id, asked.ids("about", "Appointment"))
    found += query.among(Communication.channel, asked.codes("channel"))
    return found + query.when(Communication.created_at, asked.asked.get("sent"), "sent", clinic.zone)


def _with_patients(ids: list[str]) -> Condition:
    """Messages of these patients, and those of nobody in particular that went to or came from a number of theirs."""
    number_of_theirs = exists().where(
        PatientPhone.organization_id == Communication.organization_id,
        PatientPhone.phone == Communication.phone,
        PatientPhone.patient_id.in_(ids),
    )
    return or_(Communication.patient_id.in_(ids), and_(Communication.patient_id.is_(None), number_of_theirs))


def _audit_conditions(clinic: ClinicFile, asked: Query) -> list[Condition]:
    found = query.among(AuditEvent.patient_id, asked.ids("patient", "Patient"))
    found += query.among(AuditEvent.agent, asked.codes("agent"))
    found += query.among(AuditEvent.action, asked.codes("action"))
    for mention in asked.asked.get("entity", []):
        parts = [value.rpartition("/") for value in mention]
        found.append(or_(*(and_(AuditEvent.entity == kind, AuditEvent.entity_id == id_) for kind, _, id_ in parts)))
    return found + query.when(AuditEvent.at, asked.asked.get("date"), "date", clinic.zone)


STORED: dict[str, Stored] = {
    "Patient": Stored(
        Patient,
        {
            "identifier": "token",
            "phone": "token",
            "telecom": "token",
            "email": "token",
            "name": "string",
            "given": "string",
            "family": "string",
            "birthdate": "date",
            "gender": "token",
            "active": "token",
        },
        (Patient.created_at, Patient.id),
        _patient_conditions,
        lambda row, known: people.to_patient(row),
        lambda row: str(row.id),
    ),
    "Appointment": Stored(
        Appointment,
        {
            "patient": "reference",
            "practitioner": "reference",
            "location": "reference",
            "actor": "reference",
            "date": "date",
            "status": "token",
            "service-type": "token",
            "specialty": "token",
            "_include": "special",
        },
        (Appointment.start.is_(None), Appointment.start, Appointment.id),
        _appointment_conditions,
        scheduling.to_appointment,
        lambda row: row.patient_id,
        hidden=_not_a_hold,
    ),
    "Coverage": Stored(
        Coverage,
        {
            "beneficiary": "reference",
            "patient": "reference",
            "subscriber": "reference",
            "payor": "reference",
            "status": "token",
        },
        (Coverage.created_at, Coverage.id),
        _coverage_conditions,
        coverage.to_coverage,
        lambda row: str(row.patient_id),
    ),
    "CoverageEligibilityRequest": Stored(
        EligibilityCheck,
        {"patient": "reference", "status": "token", "created": "date"},
        (EligibilityCheck.created_at, EligibilityCheck.id),
        _check_conditions,
        eligibility.to_request,
        lambda row: str(row.patient_id),
    ),
    "CoverageEligibilityResponse": Stored(
        EligibilityCheck,
        {"patient": "reference", "status": "token", "created": "date", "request": "reference", "outcome": "token"},
        (EligibilityCheck.created_at, EligibilityCheck.id),
        _check_conditions,
        eligibility.to_response,
        lambda row: str(row.patient_id),
    ),
    "ServiceRequest": Stored(
        ServiceRequest,
        {"subject": "reference", "patient": "reference", "status": "token", "code": "token", "authored": "date"},
        (ServiceRequest.created_at, ServiceRequest.id),
        _order_conditions,
        coverage.to_service_request,
        lambda row: str(row.patient_id),
    ),
    "QuestionnaireResponse": Stored(
        Statement,
        {"subject": "reference", "patient": "reference", "authored": "date"},
        (Statement.created_at, Statement.id),
        _statement_conditions,
        people.to_statement,
        lambda row: str(row.patient_id),
    ),
    "Task": Stored(
        Task,
        {
            "status": "token",
            "owner": "string",
            "patient": "reference",
            "subject": "reference",
            "code": "token",
            "performer": "token",
            "priority": "token",
            "focus": "reference",
            "authored-on": "date",
        },
        (Task.created_at, Task.id),
        _task_conditions,
        workflow.to_task,
        lambda row: row.patient_id,
    ),
    "Communication": Stored(
        Communication,
        {
            "recipient": "reference",
            "sender": "reference",
            "subject": "reference",
            "patient": "reference",
            "about": "reference",
            "sent": "date",
            "channel": "token",
        },
        (Communication.sequence,),
        _communication_conditions,
        workflow.to_communication,
        lambda row: row.patient_id,
    ),
    "AuditEvent": Stored(
        AuditEvent,
        {"patient": "reference", "agent": "token", "action": "token", "entity": "reference", "date": "date"},
        (AuditEvent.sequence.desc(),),
        _audit_conditions,
        workflow.to_audit_event,
        lambda row: row.patient_id,
    ),
}


def _included(session: Session, asked: Query, rows: Sequence[Any], known: Directory) -> list[Resource]:
    """The actors of appointments that `_include` asks for, each once."""
    wanted: set[str] = set()
    for mention in asked.asked.get("_include", []):
        for value in mention:
            source, _, name = value.partition(":")
            if source != "Appointment" or name not in ("patient", "practitioner", "location", "actor"):
                raise MalformedError("_include", "can be Appointment:patient, :practitioner, :location or :actor")
            wanted |= {"patient", "practitioner", "location"} if name == "actor" else {name}
    found: list[Resource] = []
    if "patient" in wanted and (ids := {row.patient_id for row in rows if row.patient_id}):
        found += [people.to_patient(patient) for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))]
    if "practitioner" in wanted:
        named = {row.practitioner_id for row in rows}
        found += [resource for resource in places.practitioners(known) if resource["id"] in named]
    if "location" in wanted:
        named = {row.location_id for row in rows} | {row.room_id for row in rows}
        found += [resource for resource in places.locations(known) if resource["id"] in named]
    return found


# kinds that are worked out


@dataclass(frozen=True)
class Computed:
    """How a kind of resource is made from the clinic file. `search` answers all that match; `_id` and pages are cut from it."""

    parameters: Mapping[str, str]
    search: Callable[[Session, ClinicFile, Query], list[Resource]]
    can_be_read: bool = True


def _practitioners(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    return _matching(places.practitioners(directory(session, clinic)), asked)


def _roles(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    found = places.roles(directory(session, clinic))
    for name, element in (("practitioner", "practitioner"), ("location", "location"), ("service", "healthcareService")):
        kind = "HealthcareService" if name == "service" else name.capitalize()
        if (ids := asked.ids(name, kind)) is not None:
            found = [resource for resource in found if _refers(resource.get(element, []), ids)]
    if (specialties := asked.codes("specialty")) is not None:
        found = [r for r in found if any(_code(concept) in specialties for concept in r.get("specialty", []))]
    return found


def _refers(element: Resource | list[Resource], ids: list[str]) -> bool:
    return any(item["reference"].rpartition("/")[2] in ids for item in (element if isinstance(element, list) else [element]))


def _code(concept: Resource) -> str:
    return str(concept["coding"][0]["code"])


def _locations(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    found = _matching(places.locations(directory(session, clinic)), asked)
    if (ids := asked.ids("partof", "Location")) is not None:
        found = [resource for resource in found if "partOf" in resource and _refers(resource["partOf"], ids)]
    return found


def _services(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    found = _matching(places.services(directory(session, clinic)), asked)
    for name, element in (("service-type", "type"), ("specialty", "specialty")):
        if (wanted := asked.codes(name)) is not None:
            found = [r for r in found if any(_code(concept) in wanted for concept in r.get(element, []))]
    if (ids := asked.ids("location", "Location")) is not None:
        found = [resource for resource in found if _refers(resource.get("location", []), ids)]
    return found


def _organizations(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    return _matching(places.organizations(directory(session, clinic)), asked)


def _matching(resources: list[Resource], asked: Query) -> list[Resource]:
    """Those whose name or identifier fits."""
    for mention in asked.asked.get("name", []):
        starts = [value.strip().casefold() for value in mention]
        resources = [r for r in resources if any(word.startswith(start) for word in _words(r) for start in starts)]
    if (numbers := asked.codes("identifier")) is not None:
        resources = [r for r in resources if any(i["value"] in numbers for i in r.get("identifier", []))]
    if (active := asked.codes("active")) is not None:
        resources = [r for r in resources if str(r.get("active", r.get("status") == "active")).lower() in active]
    return resources


def _words(resource: Resource) -> list[str]:
    name = resource["name"]
    whole = [name if isinstance(name, str) else name[0]["text"], *resource.get("alias", [])]
    return [text.casefold() for text in whole] + [word.casefold() for text in whole for word in text.split()]


def _schedules(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    found = places.schedules(directory(session, clinic), times.now())
    if asked.asked.get("actor"):
        ids = [value.rpartition("/")[2] for value in asked.any_of("actor") or []]
        found = [resource for resource in found if _refers(resource["actor"], ids)]
    if (wanted := asked.codes("service-type")) is not None:
        found = [r for r in found if any(_code(concept) in wanted for concept in r["serviceType"])]
    return found


def _slots(session: Session, clinic: ClinicFile, asked: Query) -> list[Resource]:
    """Free times of the services asked for, and the busy times of the practitioners, by start.

    Without a window: from now on, for a week; no window is longer than what can be booked.
    """
    known = directory(session, clinic)
    now = times.now()
    first, end = query.window(asked.asked.get("start"), "start", clinic.zone)
    first = first or now
    end = min(end or first + dt.timedelta(days=7), first + dt.timedelta(days=clinic.clinic.booking_horizon_days + 1))
    practitioners = asked.ids("schedule", "Schedule")
    states = asked.codes("status") or ["free"]
    found: list[Resource] = []
    if "free" in states:
        for service in asked.codes("service-type") or [service.id for service in clinic.services]:
            wanted = [
                who.id
                for who in clinic.practitioners
                if service in who.services and (practitioners is None or who.id in practitioners)
            ]
            if wanted:
                request = calendar.Request(service_id=service, practitioners=tuple(wanted))
                free = calendar.find(session, clinic, request, start=first, end=end)
                found += [scheduling.to_free_slot(time, known) for time in free]
    if {"busy", "busy-tentative"} & set(states):
        found += [scheduling.to_busy_slot(visit, known) for visit in _busy(session, practitioners, states, first, end, now)]
    return sorted(found, key=lambda slot: (dt.datetime.fromisoformat(slot["start"]), slot["schedule"]["reference"], slot["id"]))


def _busy(
    session: Session, practitioners: list[str] | None, states: list[str], first: dt.datetime, end: dt.datetime, now: dt.datetime
) -> list[Appointment]:
    held = and_(Appointment.status == AppointmentStatus.PROPOSED, Appointment.hold_expires_at > now)
    wanted: list[Condition] = []
    if "busy" in states:
        wanted.append(Appointment.status.in_(LIVE))
    if "busy-tentative" in states:
        wanted.append(held)
    statement = select(Appointment).where(
        Appointment.start >= first, Appointment.start < end, Appointment.practitioner_id.is_not(None), or_(*wanted)
    )
    if practitioners is not None:
        statement = statement.where(Appointment.practitioner_id.in_(practitioners))
    return list(session.scalars(statement))


COMPUTED: dict[str, Computed] = {
    "Organization": Computed({"name": "string", "identifier": "token", "active": "token"}, _organizations),
    "Location": Computed({"name": "string", "identifier": "token", "partof": "reference", "active": "token"}, _locations),
    "HealthcareService": Computed(
        {
            "name": "string",
            "identifier": "token",
            "active": "token",
            "service-type": "token",
            "specialty": "token",
            "location": "reference",
        },
        _services,
    ),
    "Practitioner": Computed({"name": "string", "identifier": "token", "active": "token"}, _practitioners),
    "PractitionerRole": Computed(
        {"practitioner": "reference", "location": "reference", "service": "reference", "specialty": "token"}, _roles
    ),
    "Schedule": Computed({"actor": "reference", "service-type": "token"}, _schedules),
    "Slot": Computed(
        {"schedule": "reference", "start": "date", "status": "token", "service-type": "token"}, _slots, can_be_read=False
    ),
}


def parameters_of(kind: str) -> Mapping[str, str]:
    """The search parameters of a kind of resource with their FHIR types. Raises KeyError for a kind that there is not."""
    return STORED[kind].parameters if kind in STORED else COMPUTED[kind].parameters
