"""Coverage and ServiceRequest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile, PayerPart
from scheduling_core.fhir import codes, reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.scheduling import service_in
from scheduling_core.models import Coverage, RequestCategory, ServiceRequest

_SELF_PAY = "http://terminology.hl7.org/CodeSystem/coverage-selfpay"
_SNOMED, _REFERRAL = "http://snomed.info/sct", "3457005"
_CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
_RELATIONSHIPS = {"self": "self", "spouse": "spouse", "common": "spouse", "child": "child"}  # the rest is "other"


def to_coverage(coverage: Coverage, known: Directory) -> Resource:
    payer = known.clinic.payers_by_id.get(coverage.payer_id or "")
    if coverage.self_pay:
        payor = codes.reference("Patient", coverage.patient_id, known.patients.get(coverage.patient_id))
    elif payer:
        number = {"system": codes.PAYER_ID, "value": payer.payer_id}
        payor = codes.reference("Organization", payer.id, payer.name) | {"identifier": number}
    else:
        payor = {"display": coverage.payer_name}
    return codes.without_nothing(
        {
            "resourceType": "Coverage",
            "id": coverage.id,
            "meta": {"lastUpdated": coverage.updated_at.isoformat()},
            "status": coverage.status.value,
            "type": codes.coded(_SELF_PAY, "pay", "Pay") if coverage.self_pay else None,
            "order": coverage.rank,
            "subscriber": {"display": f"{coverage.subscriber_given or ''} {coverage.subscriber_family}".strip()}
            if coverage.subscriber_family
            else None,
            "subscriberId": coverage.subscriber_id,
            "beneficiary": codes.reference("Patient", coverage.patient_id, known.patients.get(coverage.patient_id)),
            "relationship": codes.coded(codes.RELATIONSHIP, coverage.relationship),
            "payor": [payor],
            "class": [
                {
                    "type": codes.coded(_CLASS, "group", "Group"),
                    "value": coverage.group_number,
                }
            ]
            if coverage.group_number
            else [],
        }
    )


@dataclass(frozen=True)
class CoverageValues:
    """`payer_id` is the clinic file's, None for a payer that is not in it."""

    patient_id: str
    payer_id: str | None
    payer_name: str
    subscriber_id: str | None
    group_number: str | None = None
    relationship: str = "self"
    rank: int = 1
    self_pay: bool = False


def read_coverage(resource: Resource, clinic: ClinicFile) -> CoverageValues:
    """Raises MalformedError."""
    reading.of_type(resource, "Coverage")
    if resource.get("status", "active") != "active":
        raise MalformedError("Coverage.status", 'must be "active": a new coverage ends the older ones')
    beneficiary = reading.referred(resource, "beneficiary", "Patient", "Coverage")
    if _code_in(resource, "type", _SELF_PAY) == "pay":
        return CoverageValues(beneficiary, None, "", None, self_pay=True)
    payor = next(iter(reading.objects(resource, "payor", "Coverage")), None)
    if payor is None:
        raise MalformedError("Coverage.payor", "is needed: a display, or the X12 payer id as identifier.value")
    number = reading.text(reading.child(payor, "identifier", "Coverage.payor"), "value", "Coverage.payor.identifier", longest=200)
    pointed = (reading.text(payor, "reference", "Coverage.payor") or "").rpartition("/")[2]
    name = reading.text(payor, "display", "Coverage.payor", longest=200)
    payer = _payer(clinic, number, pointed, name)
    if not payer and not (name or number or pointed):
        raise MalformedError("Coverage.payor", "names nobody: give a display, or the X12 payer id as identifier.value")
    member = reading.text(resource, "subscriberId", "Coverage", longest=80)
    for identifier in reading.objects(resource, "identifier", "Coverage"):
        member = member or reading.text(identifier, "value", "Coverage.identifier", longest=80)
    return CoverageValues(
        patient_id=beneficiary,
        payer_id=payer.id if payer else None,
        payer_name=payer.name if payer else name or number or pointed,
        subscriber_id=member,
        group_number=_group(resource),
        relationship=_relationship(resource),
        rank=_rank(resource),
    )


def _code_in(resource: Resource, name: str, system: str) -> str | None:
    """The code that a CodeableConcept has in a coding system, or without one."""
    concept = reading.child(resource, name, "Coverage")
    for coding in reading.objects(concept, "coding", f"Coverage.{name}"):
        if coding.get("system") in (None, system):
            return reading.text(coding, "code", f"Coverage.{name}.coding", longest=80)
    return None


def _relationship(resource: Resource) -> str:
    code = _code_in(resource, "relationship", codes.RELATIONSHIP)
    return "self" if code is None else _RELATIONSHIPS.get(code, "other")


def _group(resource: Resource) -> str | None:
    for part in reading.objects(resource, "class", "Coverage"):
        kind = reading.child(part, "type", "Coverage.class")
        if any(coding.get("code") == "group" for coding in reading.objects(kind, "coding", "Coverage.class.type")):
            return reading.text(part, "value", "Coverage.class", longest=80)
    return None


def _rank(resource: Resource) -> int:
    order = resource.get("order", 1)
    if order not in (1, 2):
        raise MalformedError("Coverage.order", "can be 1 (pays first) or 2")
    return int(order)


def _payer(clinic: ClinicFile, number: str | None, pointed: str, name: str | None) -> PayerPart | None:
    for payer in clinic.payers:
        if number in (payer.payer_id, payer.id) or pointed in (payer.id, payer.payer_id):
            return payer
    words = (name or "").casefold()
    return next((p for p in clinic.payers if words and words in (p.name.casefold(), *(a.casefold() for a in p.aliases))), None)


def to_service_request(order: ServiceRequest, known: Directory) -> Resource:
    return codes.without_nothing(
        {
            "resourceType": "ServiceRequest",
            "id": order.id,
            "status": order.status.value,
            "intent": order.intent,
            "category": [codes.coded(_SNOMED, _REFERRAL, "Patient referral")]
            if order.category is not RequestCategory.ORDER
            else [],
            "code": codes.coded(codes.SPECIALTY, order.service_id)
            if order.category is RequestCategory.REFERRAL_OUT
            else codes.coded(codes.SERVICE, order.service_id, known.service(order.service_id)),
            "subject": codes.reference("Patient", order.patient_id, known.patients.get(order.patient_id)),
            "occurrencePeriod": codes.without_nothing(
                {
                    "start": order.occurs_from and order.occurs_from.isoformat(),
                    "end": order.occurs_until and order.occurs_until.isoformat(),
                }
            ),
            "authoredOn": order.created_at.isoformat(),
            "note": [{"text": order.note}] if order.note else [],
        }
    )


@dataclass(frozen=True)
class OrderValues:
    patient_id: str
    service_id: str
    intent: str
    note: str | None
    category: RequestCategory = RequestCategory.ORDER
    occurs_from: dt.date | None = None
    occurs_until: dt.date | None = None


_INTENTS = ("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option")


def read_service_request(resource: Resource, known: Directory) -> OrderValues:
    """Raises MalformedError."""
    reading.of_type(resource, "ServiceRequest")
    if resource.get("status", "active") != "active":
        raise MalformedError("ServiceRequest.status", 'must be "active"')
    intent = reading.text(resource, "intent", "ServiceRequest") or "order"
    if intent not in _INTENTS:
        raise MalformedError("ServiceRequest.intent", f"must be one of {', '.join(_INTENTS)}")
    concept = reading.child(resource, "code", "ServiceRequest")
    category = RequestCategory.ORDER
    if {_REFERRAL, "referral"} & set(reading.codes_in(reading.objects(resource, "category", "ServiceRequest"), "ServiceRequest")):
        elsewhere = {partner.specialty for partner in known.clinic.referral_partners} - set(known.clinic.services_by_id)
        fields = [code for code in reading.codes_in([concept], "ServiceRequest.code") if code in elsewhere]
        category = RequestCategory.REFERRAL_OUT if fields else RequestCategory.REFERRAL
    if category is RequestCategory.REFERRAL_OUT:
        service: str | None = fields[0]
    else:
        service = service_in([concept], known, "ServiceRequest.code")
    if not service:
        raise MalformedError("ServiceRequest.code", "is needed, coded with the id of a service of this clinic")
    occurs = _occurrence(resource, known.clinic.zone)
    where = "ServiceRequest.note"
    notes = [reading.text(note, "text", where, longest=2000) for note in reading.objects(resource, "note", "ServiceRequest")]
    return OrderValues(
        patient_id=reading.referred(resource, "subject", "Patient", "ServiceRequest"),
        service_id=service,
        intent=intent,
        note="\n".join(note for note in notes if note)[:2000] or None,
        category=category,
        occurs_from=occurs[0],
        occurs_until=occurs[1],
    )


def _occurrence(resource: Resource, zone: ZoneInfo) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day on which the visit is wanted, local."""
    where = "ServiceRequest.occurrencePeriod"
    wanted = reading.child(resource, "occurrencePeriod", "ServiceRequest")
    day = reading.text(resource, "occurrenceDateTime", "ServiceRequest")
    first, last = reading.text(wanted, "start", where) or day, reading.text(wanted, "end", where) or day
    begins = times.to_wall(reading.period(first, where, zone)[0], zone).date() if first else None
    ends = _last_day(reading.period(last, where, zone), zone) if last else None
    if begins and ends and ends < begins:
        raise MalformedError(where, "ends before it starts")
    return begins, ends


def _last_day(stretch: tuple[dt.datetime, dt.datetime], zone: ZoneInfo) -> dt.date:
    start, end = stretch
    return times.to_wall(end - dt.timedelta(seconds=1) if end > start else end, zone).date()
