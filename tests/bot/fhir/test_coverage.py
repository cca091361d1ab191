"""Coverage with its rank, group and subscriber, and the checks of it, over the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from bot.payer_simulator import Payer
from scheduling_core.clinic_file.loading import current
from scheduling_core.eligibility import checks
from scheduling_core.models import AuditEvent
from scheduling_core.x12 import write_270
from tests.bot.fhir.conftest import Api, Resource

SENDER = checks.Sender("FRONTDESK", "CLEARINGHOUSE", False)


def coverage_of(who: Resource, **changes: Any) -> Resource:
    return {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{who['id']}"},
        "payor": [{"identifier": {"value": "70001"}}],
        "subscriberId": "TEST0000001",
    } | changes


def let_payer_answer(api: Api) -> None:
    """What a worker does, without the network."""
    payer = Payer()
    with api.database.transaction() as session:
        claimed = checks.claim(session, worker="w", limit=9, lease_seconds=60)
        for check, asked in checks.inquiries(session, current(session), claimed, SENDER):
            assert asked is not None
            checks.keep_answer(session, check, payer.answer(write_270(asked)))


def test_group_rank_and_relationship_are_kept(api: Api) -> None:
    who = api.patient()
    group = {"type": {"coding": [{"code": "group"}]}, "value": "G-77"}
    child = {"coding": [{"code": "child"}]}
    api.create(coverage_of(who))
    second = api.create(coverage_of(who, order=2, relationship=child, **{"class": [group]}))
    assert (second["order"], second["class"][0]["value"], second["relationship"]["text"]) == (2, "G-77", "child")
    found = api.search(f"Coverage?beneficiary=Patient/{who['id']}&status=active")
    assert sorted(one["order"] for one in found) == [1, 2]


def test_self_pay_ends_every_other_coverage(api: Api) -> None:
    who = api.patient()
    api.create(coverage_of(who))
    pays = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-selfpay", "code": "pay"}]}
    alone = api.create(coverage_of(who, type=pays))
    assert alone["payor"][0]["reference"] == f"Patient/{who['id']}"
    assert [one["id"] for one in api.search(f"Coverage?beneficiary={who['id']}&status=active")] == [alone["id"]]


def test_a_third_rank_is_refused(api: Api) -> None:
    who = api.patient()
    assert "Coverage.order" in api.refused(400, "POST", "Coverage", coverage_of(who, order=3))["diagnostics"]


def test_a_check_is_a_request_and_its_response(api: Api) -> None:
    who = api.patient()
    given = api.create(coverage_of(who))
    (asked,) = api.search(f"CoverageEligibilityRequest?patient={who['id']}")
    (waiting,) = api.search(f"CoverageEligibilityResponse?request={asked['id']}")
    assert waiting["outcome"] == "queued"
    let_payer_answer(api)
    (answered,) = api.search(f"CoverageEligibilityResponse?patient={who['id']}&outcome=complete")
    assert answered["request"]["reference"] == f"CoverageEligibilityRequest/{asked['id']}"
    insurance = answered["insurance"][0]
    assert (insurance["coverage"]["reference"], insurance["inforce"]) == (f"Coverage/{given['id']}", True)
    inside = insurance["item"][0]
    amounts = {one["type"]["text"]: one for one in inside["benefit"]}
    assert amounts["deductible"]["allowedMoney"]["value"] == amounts["deductible"]["usedMoney"]["value"] == 1000
    assert amounts["copay-percent"]["allowedString"] == "20%"
    with api.database.reading() as session:
        read = select(AuditEvent).where(AuditEvent.entity == "CoverageEligibilityResponse", AuditEvent.action == "R")
        assert {event.patient_id for event in session.scalars(read)} == {who["id"]}


def test_a_refusal_says_what_to_do(api: Api) -> None:
    who = api.patient()
    api.create(coverage_of(who, subscriberId="TEST0000072"))
    let_payer_answer(api)
    (answered,) = api.search(f"CoverageEligibilityResponse?patient={who['id']}")
    assert answered["outcome"] == "error"
    assert answered["error"][0]["code"]["coding"][0]["code"] == "72"
    assert "insurance card" in answered["disposition"]
