"""CoverageEligibilityRequest and CoverageEligibilityResponse: two views of one eligibility check, under one id."""

from __future__ import annotations

from scheduling_core.eligibility import answers, facts
from scheduling_core.eligibility.facts import Range, Terms
from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.models import CheckStatus, EligibilityCheck
from scheduling_core.x12 import Network
from scheduling_core.x12.codes import SERVICE_TYPES, what_to_do

OUTCOMES = {CheckStatus.ANSWERED: "complete", CheckStatus.REJECTED: "error", CheckStatus.FAILED: "error"}


def to_request(check: EligibilityCheck, known: Directory) -> Resource:
    """What was asked, or is to be."""
    return codes.without_nothing(
        {
            "resourceType": "CoverageEligibilityRequest",
            "id": check.id,
            "status": _state(check),
            "purpose": ["benefits"],
            "patient": _patient(check, known),
            "servicedDate": check.on_date.isoformat(),
            "created": check.created_at.isoformat(),
            "insurer": _insurer(check, known),
            "insurance": [{"focal": True, "coverage": codes.reference("Coverage", check.coverage_id)}],
            "item": [{"category": _category(check.service_type)}],
        }
    )


def to_response(check: EligibilityCheck, known: Directory) -> Resource:
    """What the payer answered; while it has not, an outcome of `queued`."""
    found = codes.without_nothing(
        {
            "resourceType": "CoverageEligibilityResponse",
            "id": check.id,
            "status": _state(check),
            "purpose": ["benefits"],
            "patient": _patient(check, known),
            "servicedDate": check.on_date.isoformat(),
            "created": (check.answered_at or check.created_at).isoformat(),
            "request": codes.reference("CoverageEligibilityRequest", check.id),
            "outcome": OUTCOMES.get(check.status, "queued"),
            "insurer": _insurer(check, known),
        }
    )
    if check.status in (CheckStatus.REJECTED, CheckStatus.FAILED):
        code = check.error or ""
        words = what_to_do(code) if check.status is CheckStatus.REJECTED else "The payer gave no answer that can be used."
        found["disposition"] = words
        found["error"] = [{"code": codes.coded(codes.ELIGIBILITY_ERROR, code or "unknown", words)}]
    if member := answers.member_in(check):
        insurance: Resource = {"coverage": codes.reference("Coverage", check.coverage_id)}
        if check.in_force is not None:
            insurance["inforce"] = check.in_force
        items = [
            _item(check, facts.terms(member, check.service_type, network, check.on_date), network)
            for network in (Network.IN, Network.OUT)
        ]
        insurance["item"] = items
        found["insurance"] = [insurance]
        if name := facts.plan_name(member):
            found["disposition"] = name
    return found


def _insurer(check: EligibilityCheck, known: Directory) -> Resource:
    payer = known.clinic.payers_by_id.get(check.coverage.payer_id or "")
    return codes.reference("Organization", payer.id, payer.name) if payer else {"display": check.coverage.payer_name}


def _state(check: EligibilityCheck) -> str:
    return "cancelled" if check.status is CheckStatus.CANCELLED else "active"


def _patient(check: EligibilityCheck, known: Directory) -> Resource:
    return codes.reference("Patient", check.patient_id, known.patients.get(check.patient_id))


def _category(service_type: str) -> Resource:
    return codes.coded(codes.SERVICE_TYPE, service_type, SERVICE_TYPES.get(service_type))


def _item(check: EligibilityCheck, terms: Terms, network: Network) -> Resource:
    """The terms of one network. A fact that is a range is left out: an amount here is one that the payer stands by."""
    item: Resource = {
        "category": _category(check.service_type),
        "network": codes.coded("http://terminology.hl7.org/CodeSystem/benefit-network", network.value),
        "unit": codes.coded("http://terminology.hl7.org/CodeSystem/benefit-unit", "individual"),
    }
    if terms.covered is not None:
        item["excluded"] = not terms.covered
    if terms.authorization is not None:
        item["authorizationRequired"] = terms.authorization
    benefits = [
        *_amount("copay", terms.copay),
        *_share(terms.share),
        *_amount("deductible", terms.deductible, terms.deductible_left),
        *_amount("out-of-pocket-maximum", terms.out_of_pocket, terms.out_of_pocket_left),
    ]
    if benefits:
        item["benefit"] = benefits
    return item


def _amount(kind: str, whole: Range | None, left: Range | None = None) -> list[Resource]:
    """One benefit: the whole, and what is used of it. Where only the rest is known, that is the whole from here on."""
    shown = whole or left
    if shown is None or not shown.exact:
        return []
    found: Resource = {"type": _type(kind), "allowedMoney": _money(int(shown.low))}
    if whole and left and left.exact:
        found["usedMoney"] = _money(max(int(whole.low - left.low), 0))
    return [found]


def _share(share: Range | None) -> list[Resource]:
    if share is None or not share.exact:
        return []
    percent = (share.low * 100).normalize()
    return [{"type": _type("copay-percent"), "allowedString": f"{percent:f}%"}]


def _type(kind: str) -> Resource:
    hl7 = kind != "out-of-pocket-maximum"
    return codes.coded("http://terminology.hl7.org/CodeSystem/benefit-type" if hl7 else codes.BENEFIT_TYPE, kind)


def _money(cents: int) -> Resource:
    return {"value": cents / 100, "currency": "USD"}
