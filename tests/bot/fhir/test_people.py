"""Patients, what pays for them and what was ordered for them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from scheduling_core import patients
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from tests.bot.fhir.conftest import Api, patient


def test_a_patient_comes_back_as_it_was_written(api: Api) -> None:
    sent = patient(
        name=[
            {"use": "old", "family": "Before", "given": ["Ruth"]},
            {"use": "official", "family": "Novak Lee", "given": ["Ruth", "Ann"]},
        ],
        telecom=[
            {"system": "email", "value": "ruth@example.org"},
            {"system": "phone", "value": "(414) 555-0142", "use": "mobile"},
            {"system": "phone", "value": "+44 20 7946 0958", "use": "home"},
        ],
        address=[{"use": "home", "text": "1 Elm St, Milwaukee, WI 53202"}],
        communication=[
            {"language": {"coding": [{"code": "en"}]}},
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}, "preferred": True},
        ],
    )
    made = api.get(f"Patient/{api.create(sent)['id']}")
    assert made["name"][0]["family"] == "Novak Lee"
    assert made["name"][0]["given"] == ["Ruth", "Ann"]
    assert made["birthDate"] == "1980-04-19"
    assert made["gender"] == "female"
    assert [(t["system"], t["value"]) for t in made["telecom"]] == [
        ("phone", "+14145550142"),
        ("phone", "+442079460958"),
        ("email", "ruth@example.org"),
    ]
    assert made["address"] == [{"use": "home", "text": "1 Elm St, Milwaukee, WI 53202"}]
    assert made["communication"][0]["language"]["coding"][0]["code"] == "es"


def test_an_address_in_parts_becomes_one_line(quick_api: Api) -> None:
    parts = {"line": ["1 Elm St", "Apt 2"], "city": "Milwaukee", "state": "WI", "postalCode": "53202"}
    assert quick_api.patient(address=[parts])["address"][0]["text"] == "1 Elm St, Apt 2, Milwaukee, WI 53202"


def test_a_patient_from_an_ehr_is_established(quick_api: Api) -> None:
    made = quick_api.patient()
    with quick_api.database.reading() as session:
        assert not patients.get(session, made["id"]).new


def test_a_number_is_found_however_it_is_written(api: Api) -> None:
    made = api.patient()
    api.patient(telecom=[{"system": "phone", "value": "+14145550143"}])
    for written in ("%2B14145550142", "+14145550142", "4145550142", "(414) 555-0142", "414.555.0142", "tel:+14145550142"):
        assert [p["id"] for p in api.search(f"Patient?phone={quote(written, safe='+%')}")] == [made["id"]], written


def test_no_number_finds_nobody(quick_api: Api) -> None:
    quick_api.patient()
    for nonsense in ("abc", "1", "%2B", "anonymous"):
        assert quick_api.search(f"Patient?phone={nonsense}") == []


def test_patients_are_found_by_name_birth_date_and_id(api: Api) -> None:
    ruth = api.patient()
    ben = api.patient(name=[{"given": ["Ben Ali"], "family": "O'Neil"}], birthDate="2015-01-02")
    found = {
        "name=nov": [ruth],
        "name=ali": [ben],
        "family=NOVAK&given=ruth": [ruth],
        "name=o'n": [ben],
        "name=100%25": [],
        "birthdate=1980-04-19": [ruth],
        "birthdate=1980": [ruth],
        "birthdate=ge2000-01-01": [ben],
        "birthdate=lt2015-01-02&birthdate=gt1980-04-18": [ruth],
        "birthdate=1980-04-19,2015-01-02": [ruth, ben],
        f"_id={ben['id']},{ruth['id']}": [ruth, ben],
        f"identifier=urn:frontdesk:patient|{ben['id']}": [ben],
        f"identifier=urn:other|{ben['id']}": [],
        "gender=female&active=true": [ruth, ben],
    }
    for query, expected in found.items():
        assert {p["id"] for p in api.search(f"Patient?{query}")} == {p["id"] for p in expected}, query


def test_a_search_can_be_posted_so_that_no_number_stands_in_an_address(quick_api: Api) -> None:
    made = quick_api.patient()
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = quick_api.send("POST", "Patient/_search", "phone=%2B14145550142", **form)
    assert json.loads(answer.data)["entry"][0]["resource"]["id"] == made["id"]


def test_pages_follow_each_other_without_loss(api: Api) -> None:
    made = {api.patient()["id"] for _ in range(7)}
    url, seen, pages = "Patient?phone=%2B14145550142&_count=3", [], 0
    while url:
        bundle = api.get(url)
        assert bundle["total"] == 7
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        pages += 1
        url = next((link["url"].split("/fhir/R4/")[1] for link in bundle["link"] if link["relation"] == "next"), "")
    assert (len(seen), set(seen), pages) == (7, made, 3)
    assert api.get("Patient?_count=0")["total"] == 7


def test_the_same_key_makes_one_patient(api: Api) -> None:
    first = api.create(
        patient(telecom=[{"system": "phone", "value": n} for n in ("+14145550142", "+14145550143")]), Idempotency_Key="k1"
    )
    again = api.create(patient(), Idempotency_Key="k1")
    assert again["id"] == first["id"]
    assert len(api.search("Patient")) == 1
    assert len(again["telecom"]) == 2


def test_every_read_of_a_patient_leaves_an_audit_event(api: Api) -> None:
    ruth, ben = api.patient(), api.patient(telecom=[{"system": "phone", "value": "+14145550143"}])
    api.search("Patient?phone=4145550142")
    api.get(f"Patient/{ruth['id']}")
    events = api.search(f"AuditEvent?patient={ruth['id']}")
    assert [(event["action"], event["entity"][0]["what"]["reference"]) for event in events] == [
        ("R", f"Patient/{ruth['id']}"),
        ("R", f"Patient/{ruth['id']}"),
        ("C", f"Patient/{ruth['id']}"),
    ]
    assert [event["action"] for event in api.search(f"AuditEvent?patient={ben['id']}")] == ["C"]
    assert "5550142" not in json.dumps(events)


def test_another_organization_sees_nothing_of_it(api: Api, clinic: ClinicFile) -> None:
    made = api.patient()
    api.booked(made)
    api.database.organization = "elsewhere"
    with api.database.transaction() as session:
        loading.load(session, clinic, agent="load")
    api.refused(404, "GET", f"Patient/{made['id']}")
    for kind in ("Patient", "Appointment", "Coverage", "Task", "AuditEvent"):
        assert all(made["id"] not in json.dumps(resource) for resource in api.search(kind))
    assert api.get("Patient")["total"] == 0
    assert api.search("Patient?phone=4145550142") == []


@pytest.mark.parametrize(
    ("payor", "payer_id"),
    [
        ({"identifier": {"value": "70001"}, "display": "Great Lakes"}, "greatlakes"),
        ({"reference": "Organization/pinecrest"}, "pinecrest"),
        ({"display": "great lakes mutual"}, "greatlakes"),
        ({"display": "glm"}, "greatlakes"),
    ],
)
def test_a_payer_is_known_by_number_reference_or_name(quick_api: Api, payor: dict[str, object], payer_id: str) -> None:
    who = quick_api.patient()
    made = quick_api.create(coverage(who["id"], payor=[payor]))
    assert made["payor"][0]["reference"] == f"Organization/{payer_id}"
    assert made["payor"][0]["identifier"]["value"] in ("70001", "70002")
    assert made["subscriberId"] == "ABC123"
    assert quick_api.get(made["payor"][0]["reference"])["name"] == made["payor"][0]["display"]


def test_an_unknown_payer_is_kept_by_name(quick_api: Api) -> None:
    who = quick_api.patient()
    made = quick_api.create(coverage(who["id"], payor=[{"display": "Faraway Health"}]))
    assert made["payor"] == [{"display": "Faraway Health"}]


def test_a_new_coverage_ends_the_older_one(api: Api) -> None:
    who = api.patient()
    first, second = api.create(coverage(who["id"])), api.create(coverage(who["id"], subscriberId="XYZ"))
    found = {c["id"]: c["status"] for c in api.search(f"Coverage?beneficiary=Patient/{who['id']}")}
    assert found == {first["id"]: "cancelled", second["id"]: "active"}
    assert [c["id"] for c in api.search(f"Coverage?patient={who['id']}&status=active")] == [second["id"]]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"payor": []}, 400, "Coverage.payor"),
        ({"payor": [{}]}, 400, "Coverage.payor"),
        ({"status": "cancelled"}, 400, "Coverage.status"),
        ({"beneficiary": {}}, 400, "Coverage.beneficiary.reference"),
        ({"beneficiary": {"reference": "Patient/nobody"}}, 404, "Patient/nobody"),
        ({"subscriberId": "x" * 200}, 400, "Coverage.subscriberId"),
    ],
)
def test_a_coverage_that_is_not_right_is_refused(quick_api: Api, change: dict[str, object], status: int, said: str) -> None:
    body = coverage("nobody", beneficiary={"reference": f"Patient/{quick_api.patient()['id']}"})
    assert said in quick_api.refused(status, "POST", "Coverage", body | change)["diagnostics"]


def test_an_order_is_on_file_for_its_service(api: Api) -> None:
    who = api.patient()
    made = api.create(order(who["id"]), Idempotency_Key="o1")
    assert made["code"]["coding"][0]["code"] == "blood-draw"
    assert api.create(order(who["id"]), Idempotency_Key="o1")["id"] == made["id"]
    assert [o["id"] for o in api.search(f"ServiceRequest?subject=Patient/{who['id']}&status=active")] == [made["id"]]
    assert api.search("ServiceRequest?subject=Patient/nobody") == []
    assert api.free(who, service="blood-draw", who="nurse-abara")


def test_an_order_for_what_the_clinic_does_not_offer_is_refused(quick_api: Api) -> None:
    who = quick_api.patient()
    issue = quick_api.refused(400, "POST", "ServiceRequest", order(who["id"], code={"coding": [{"code": "mri"}]}))
    assert "mri" in issue["diagnostics"]
    assert "blood-draw" in issue["diagnostics"]


def coverage(patient_id: str, **changes: object) -> dict[str, object]:
    return {
        "resourceType": "Coverage",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{patient_id}"},
        "subscriberId": "ABC123",
        "payor": [{"identifier": {"value": "70001"}, "display": "Great Lakes Mutual"}],
    } | changes


def order(patient_id: str, **changes: object) -> dict[str, object]:
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": [{"code": "blood-draw", "display": "Lab blood draw"}], "text": "Lab blood draw"},
    } | changes
