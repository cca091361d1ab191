"""Who may ask, and how refusals look."""

from __future__ import annotations

import logging

import pytest
from flask import Flask

from bot.fhir import create_fhir, handling
from scheduling_core import tokens
from scheduling_core.db import Database
from scheduling_core.models import Role
from tests.bot.fhir.conftest import TOKEN, Api, patient


def test_the_capability_statement_needs_no_token(quick_api: Api) -> None:
    quick_api.token = ""
    statement = quick_api.get("metadata")
    assert statement["fhirVersion"] == "4.0.1"
    kinds = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    assert {operation["name"] for operation in kinds["Appointment"]["operation"]} == {"find", "hold", "book", "cancel"}
    assert "phone" in {parameter["name"] for parameter in kinds["Patient"]["searchParam"]}


@pytest.mark.parametrize("path", ["Patient", "Location", "Appointment/x", "Nonsense"])
def test_without_a_token_nothing_is_told(quick_api: Api, path: str) -> None:
    quick_api.token = ""
    assert quick_api.refused(401, "GET", path)["code"] == "login"
    quick_api.token = "wrong"
    assert quick_api.refused(401, "GET", path)["code"] == "login"


def test_a_token_that_was_made_opens_the_door_and_signs_the_audit(api: Api) -> None:
    with api.database.transaction() as session:
        api.token = tokens.new_token(session, name="ehr", role=Role.INTEGRATION, agent="test")
    made = api.patient()
    events = api.search(f"AuditEvent?patient={made['id']}&action=C")
    assert [event["agent"][0]["who"]["identifier"]["value"] for event in events] == ["token:ehr"]


def test_without_a_bootstrap_token_none_works(sqlite_loaded: Database) -> None:
    app = Flask("tests")
    app.register_blueprint(create_fhir(sqlite_loaded, None))
    api = Api(app.test_client(), sqlite_loaded)
    for token in (TOKEN, "", "None"):
        api.token = token
        api.refused(401, "GET", "Patient")


@pytest.mark.parametrize(
    ("role", "may_write", "may_audit"),
    [
        (Role.INTEGRATION, True, True),
        (Role.SCHEDULER, True, False),
        (Role.AUDITOR, False, True),
        (Role.CLINICIAN, False, False),
    ],
)
def test_a_role_does_what_it_may(quick_api: Api, role: Role, may_write: bool, may_audit: bool) -> None:
    with quick_api.database.transaction() as session:
        quick_api.token = tokens.new_token(session, name="someone", role=role, agent="test")
    quick_api.get("Appointment?patient=nobody")
    assert quick_api.send("POST", "Patient", patient()).status_code == (201 if may_write else 403)
    assert quick_api.send("GET", "AuditEvent").status_code == (200 if may_audit else 403)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Observation", 404),
        ("GET", "Patient/nobody", 404),
        ("GET", "Patient/%00", 404),
        ("GET", "Practitioner/nobody", 404),
        ("GET", "Slot/x", 404),
        ("GET", "", 404),
        ("GET", "Patient/x/y/z", 404),
        ("POST", "Appointment/$nothing", 404),
        ("POST", "Patient/$find", 404),
        ("DELETE", "Patient/x", 405),
        ("PUT", "Patient/x", 405),
        ("PATCH", "Appointment/x", 405),
        ("POST", "Task", 405),
        ("GET", "Appointment/$book", 405),
    ],
)
def test_what_is_not_there_is_an_operation_outcome(quick_api: Api, method: str, path: str, status: int) -> None:
    assert quick_api.refused(status, method, path)["severity"] == "error"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "empty"),
        ("{", "no JSON (line 1, column 2)"),
        ("[1]", "JSON object"),
        ("\xff\xfe", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"resourceType": "Coverage"}', "Patient.resourceType"),
        ('{"resourceType": "Patient", "name": "Ruth"}', "Patient.name"),
        ('{"resourceType": "Patient", "name": [{"given": [7]}]}', "Patient.name.given"),
        ('{"resourceType": "Patient", "name": [{"text": "Ruth Novak"}], "birthDate": "1980"}', "Patient.birthDate"),
        ('{"resourceType": "Patient", "name": [{"text": "Ruth Novak"}], "birthDate": "1980-02-30"}', "Patient.birthDate"),
        ('{"resourceType": "Patient", "name": [{"given": ["\\ud800"], "family": "B"}]}', "Patient.name.given"),
        ('{"resourceType": "Patient", "name": [{"text": "A B"}], "birthDate": "2027-01-01"}', "Patient.birthDate"),
        (
            '{"resourceType": "Patient", "name": [{"text": "A B"}], "birthDate": "1980-02-03", '
            '"telecom": [{"system": "sms", "value": "x"}]}',
            "Patient.telecom[0].value",
        ),
        ('{"resourceType": "Patient", "name": [{"text": "A B"}], "birthDate": "1980-02-03", "gender": "f"}', "Patient.gender"),
        ('{"resourceType": "Patient", "name": [{"text": "A\\u0000 B"}], "birthDate": "1980-02-03"}', "Patient.name.text"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_its_place(quick_api: Api, body: str, said: str) -> None:
    issue = quick_api.refused(400, "POST", "Patient", body.encode("latin-1"))
    assert said in issue["diagnostics"]


@pytest.mark.parametrize(
    "query",
    [
        "Patient?fone=1",
        "Patient?birthdate=yesterday",
        "Patient?_count=many",
        "Appointment?date=ge2026-13-01",
        "Appointment?patient=Practitioner/x",
        "Appointment?_include=Patient:link",
        "Slot?start=ne2026-11-17",
        "Patient?name=%00",
    ],
)
def test_a_search_that_cannot_be_read_is_refused(quick_api: Api, query: str) -> None:
    quick_api.patient()
    quick_api.booked(quick_api.patient()) if "_include" in query else None
    name = query.split("?")[1].split("=")[0]
    assert name in quick_api.refused(400, "GET", query)["diagnostics"]


def test_a_body_of_any_length_is_not_read(quick_api: Api) -> None:
    assert quick_api.refused(413, "POST", "Patient", b" " * 1_000_001)["code"] == "too-long"


def test_who_asks_for_it_has_unknown_parameters_ignored(quick_api: Api) -> None:
    quick_api.patient()
    assert quick_api.get("Patient?fone=1", Prefer="handling=lenient")["total"] == 1


def test_our_own_mistake_shows_an_id_that_is_in_the_log_and_no_more(
    quick_api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Ruth Novak")

    monkeypatch.setattr(handling, "_read", broken)
    with caplog.at_level(logging.ERROR):
        issue = quick_api.refused(500, "GET", "Patient/x")
    assert "Ruth" not in issue["diagnostics"]
    error_id = issue["diagnostics"].split("error ")[1].split()[0]
    assert error_id in caplog.text


def test_before_a_clinic_is_loaded_the_answer_says_so(sqlite_database: Database) -> None:
    app = Flask("tests")
    app.register_blueprint(create_fhir(sqlite_database, TOKEN))
    api = Api(app.test_client(), sqlite_database)
    assert "clinic file" in api.refused(503, "GET", "Location")["diagnostics"]
    assert api.get("metadata")["kind"] == "instance"
