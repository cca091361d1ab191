"""Coverage and ServiceRequest."""

from __future__ import annotations

from dataclasses import dataclass

from scheduling_core.clinic_file.schema import ClinicFile, PayerPart
from scheduling_core.fhir import codes, reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.scheduling import service_in
from scheduling_core.models import Coverage, ServiceRequest


def to_coverage(coverage: Coverage, known: Directory) -> Resource:
    payer = known.clinic.payers_by_id.get(coverage.payer_id or "")
    if payer:
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
            "subscriberId": coverage.subscriber_id,
            "beneficiary": codes.reference("Patient", coverage.patient_id, known.patients.get(coverage.patient_id)),
            "relationship": codes.coded(codes.RELATIONSHIP, coverage.relationship),
            "payor": [payor],
            "class": [
                {
                    "type": codes.coded("http://terminology.hl7.org/CodeSystem/coverage-class", "group", "Group"),
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


def read_coverage(resource: Resource, clinic: ClinicFile) -> CoverageValues:
    """Raises MalformedError."""
    reading.of_type(resource, "Coverage")
    if resource.get("status", "active") != "active":
        raise MalformedError("Coverage.status", 'must be "active": a new coverage ends the older ones')
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
        patient_id=reading.referred(resource, "beneficiary", "Patient", "Coverage"),
        payer_id=payer.id if payer else None,
        payer_name=payer.name if payer else name or number or pointed,
        subscriber_id=member,
    )


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
            "code": codes.coded(codes.SERVICE, order.service_id, known.service(order.service_id)),
            "subject": codes.reference("Patient", order.patient_id, known.patients.get(order.patient_id)),
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


_INTENTS = ("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option")


def read_service_request(resource: Resource, known: Directory) -> OrderValues:
    """Raises MalformedError."""
    reading.of_type(resource, "ServiceRequest")
    if resource.get("status", "active") != "active":
        raise MalformedError("ServiceRequest.status", 'must be "active"')
    intent = reading.text(resource, "intent", "ServiceRequest") or "order"
    if intent not in _INTENTS:
        raise MalformedError("ServiceRequest.intent", f"must be one of {', '.join(_INTENTS)}")
    service = service_in([reading.child(resource, "code", "ServiceRequest")], known, "ServiceRequest.code")
    if not service:
        raise MalformedError("ServiceRequest.code", "is needed, coded with the id of a service of this clinic")
    where = "ServiceRequest.note"
    notes = [reading.text(note, "text", where, longest=2000) for note in reading.objects(resource, "note", "ServiceRequest")]
    return OrderValues(
        patient_id=reading.referred(resource, "subject", "Patient", "ServiceRequest"),
        service_id=service,
        intent=intent,
        note="\n".join(note for note in notes if note)[:2000] or None,
    )
