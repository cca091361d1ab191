"""Patients at the desk: found, seen, corrected, insured, merged and handed over."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduling_core import booking, coverage, handoff, intake, merging, messaging, patients
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, EligibilityCheck, Patient, StatementKind
from tests.bot.console.conftest import Desks
from tests.factories import make_free_time, make_patient

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def ruth(loaded: Database, clinic: ClinicFile) -> Patient:
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        time = make_free_time(clinic, start="2026-11-18T09:00")
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="t", key="k")
        coverage.record(
            session, patient_id=patient.id, payer_id="greatlakes", payer_name="Great Lakes Mutual", subscriber_id="GLM1", agent="t"
        )
        intake.note(session, patient_id=patient.id, kind=StatementKind.ALLERGIES, said="penicillin", agent="t")
        messaging.queue(session, phone="+14145550142", body="See you soon", author="system", kind="news", patient_id=patient.id)
        handoff.open_task(session, team="desk", reason="complaint", description="Waited long", patient_id=patient.id)
        return patient


def _form(page: str, **changed: str) -> dict[str, str]:
    """The fields of the page's form as the browser would send them, some of them changed."""
    body = page[page.index('<form method="post" class="card"') :].partition("</form>")[0]
    fields = {name: html.unescape(value) for name, value in re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', body)}
    for name, inside in re.findall(r'<textarea name="(\w+)"[^>]*>(.*?)</textarea>', body, re.DOTALL):
        fields[name] = html.unescape(inside)
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = chosen.group(1) if chosen else ""
    return fields | changed


def _get(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def _shown(database: Database) -> list[list[str]]:
    """The other patients whom each list showed, by the trail."""
    with database.reading() as session:
        looks = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Patient").order_by(AuditEvent.sequence))
        return [one.detail["search"] for one in looks if "search" in one.detail]


def test_a_patient_is_found_and_the_card_shows_what_is_known(desk: Desks, ruth: Patient) -> None:
    client = desk("scheduler")
    found = client.post("/console/patients", data={"q": "novack ruth"}, headers={"HX-Request": "true"}).text
    assert f"/console/patients/{ruth.id}" in found
    assert "<html" not in found
    card = _get(client, f"/console/patients/{ruth.id}")
    for known in ("Ruth Novak", "Great Lakes Mutual", "GLM1", "penicillin", "See you soon", "Waited long", "(414) 555-0142"):
        assert known in card
    assert "asking the payer" in card


def test_nothing_that_is_typed_stands_in_an_address(desk: Desks) -> None:
    page = _get(desk("scheduler"), "/console/patients")
    assert re.search(r'<form[^>]*method="post"[^>]*role="search"', page)


def test_reading_a_card_is_audited(desk: Desks, ruth: Patient, loaded: Database) -> None:
    _get(desk("clinician"), f"/console/patients/{ruth.id}")
    with loaded.reading() as session:
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (row.agent, row.action, row.patient_id) == ("staff:clinician@maplegrove.example", "R", ruth.id)


def test_an_edit_is_saved_with_old_and_new_in_the_trail(desk: Desks, ruth: Patient) -> None:
    client = desk("scheduler", name="Nora")
    path = f"/console/patients/{ruth.id}/edit"
    answer = client.post(path, data=_form(_get(client, path), family="Adler", phones="414 555 0188\n(414) 555-0142"))
    assert answer.status_code == 302, answer.text
    card = _get(client, answer.location)
    assert "Ruth Adler" in card
    assert card.index("(414) 555-0188") < card.index("(414) 555-0142")
    trail = _get(client, f"/console/patients/{ruth.id}/trail?only=changes")
    assert "<del>Novak</del> → <ins>Adler</ins>" in trail
    assert "Nora" in trail


def test_the_second_of_two_editors_sees_the_first_and_nothing_typed_is_lost(desk: Desks, ruth: Patient) -> None:
    nora, paul = desk("scheduler", name="Nora"), desk("scheduler", name="Paul")
    path = f"/console/patients/{ruth.id}/edit"
    drawn = _get(paul, path)
    assert nora.post(path, data=_form(_get(nora, path), address="1 Elm St", email="ruth@one.example")).status_code == 302
    refused = paul.post(path, data=_form(drawn, address="2 Oak St", given="Ruthie"))
    assert refused.status_code == 409
    assert "1 Elm St" in refused.text
    again = _form(refused.text)
    assert (again["address"], again["given"], again["email"]) == ("2 Oak St", "Ruthie", "ruth@one.example")
    assert paul.post(path, data=again).status_code == 302
    card = _get(paul, f"/console/patients/{ruth.id}")
    assert "2 Oak St" in card
    assert "Ruthie" in card
    assert "ruth@one.example" in card


@pytest.mark.parametrize(
    ("field", "typed"),
    [("phones", "not a number"), ("birth_date", "2190-01-01"), ("given", ""), ("email", "nobody"), ("address", "x" * 900_000)],
)
def test_what_cannot_be_kept_is_said_at_its_field_and_stays_in_the_form(
    sqlite_desk: Desks, sqlite_loaded: Database, field: str, typed: str
) -> None:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
    client = sqlite_desk("scheduler")
    path = f"/console/patients/{patient.id}/edit"
    answer = client.post(path, data=_form(_get(client, path), **{field: typed}))
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert _form(answer.text)[field].strip() == typed


def test_a_megabyte_is_refused_in_words(sqlite_desk: Desks, sqlite_loaded: Database) -> None:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
    answer = sqlite_desk("scheduler").post(f"/console/patients/{patient.id}/edit", data={"address": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "one megabyte" in answer.text


def test_scripts_in_names_and_notes_are_words_on_every_page(sqlite_desk: Desks, sqlite_loaded: Database) -> None:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, given=SCRIPT, family='"><img src=x onerror=alert(1)>')
        intake.note(session, patient_id=patient.id, kind=StatementKind.HISTORY, said=SCRIPT, agent="t")
        handoff.open_task(session, team="desk", reason="complaint", description=SCRIPT, patient_id=patient.id)
        messaging.queue(session, phone="+14145550142", body=SCRIPT, author="system", kind="news", patient_id=patient.id)
        coverage.record(session, patient_id=patient.id, payer_id=None, payer_name=SCRIPT, subscriber_id=SCRIPT, agent="t")
    client = sqlite_desk("manager")
    base = f"/console/patients/{patient.id}"
    for path in (base, f"{base}/edit", f"{base}/merge", f"{base}/coverage/new", f"{base}/trail", "/console/worklists/calls"):
        page = _get(client, path)
        assert SCRIPT not in page
        assert "<img" not in page


def test_another_clinics_patient_is_nobody_here(desk: Desks, ruth: Patient, loaded: Database) -> None:
    elsewhere = Database(loaded.url, organization="elsewhere")
    with elsewhere.transaction() as session:
        other = make_patient(session, given="Secret", family="Person")
        task = handoff.open_task(session, team="desk", reason="complaint", description="x", patient_id=other.id)
    elsewhere.dispose()
    client = desk("manager")
    base = f"/console/patients/{other.id}"
    for path in (base, f"{base}/edit", f"{base}/trail", f"{base}/merge", f"{base}/coverage/new"):
        assert "Secret" not in _get(client, path, 404)
    for path in (f"{base}/edit", f"{base}/export", f"{base}/consent", f"{base}/coverage/new", f"/console/tasks/{task.id}"):
        assert client.post(path, data={"do": "take", "given": "x"}).status_code == 404
    assert client.post(f"/console/patients/{ruth.id}/merge", data={"merged": other.id}).status_code == 404
    assert "Secret" not in client.post("/console/patients", data={"q": "secret person"}).text


def test_a_restricted_record_is_behind_its_glass(desk: Desks, ruth: Patient, loaded: Database) -> None:
    with loaded.transaction() as session:
        patients.get(session, ruth.id).restricted = True
    client = desk("scheduler")
    found = client.post("/console/patients", data={"q": "novak"}).text
    assert "R. N." in found
    assert "Ruth" not in found
    for path in ("", "/edit", "/trail", "/coverage/new", "/merge"):
        assert "penicillin" not in _get(client, f"/console/patients/{ruth.id}{path}", 403)


def test_consent_is_changed_from_what_was_seen(desk: Desks, ruth: Patient, loaded: Database) -> None:
    client = desk("scheduler")
    path = f"/console/patients/{ruth.id}/consent"
    typed = {"channel": "sms", "address": "+14145550142", "out": "yes", "seen": "no"}
    assert client.post(path, data=typed).status_code == 302
    with loaded.reading() as session:
        assert messaging.opted_out(session, "+14145550142")
    assert "They agree again" in _get(client, f"/console/patients/{ruth.id}")
    assert client.post(path, data=typed | {"address": "+13125550000"}).status_code == 404


def test_insurance_is_entered_corrected_and_ended(desk: Desks, ruth: Patient, loaded: Database) -> None:
    client = desk("billing")
    path = f"/console/patients/{ruth.id}/coverage/new"
    form = _form(_get(client, path), payer="pinecrest", subscriber_id="P 77", group_number="G1", relationship="child")
    refused = client.post(path, data=form)
    assert refused.status_code == 422
    assert "Whose insurance is it?" in refused.text
    kept = _form(
        refused.text, payer="pinecrest", subscriber_given="Ana", subscriber_family="Novak", subscriber_birth_date="1955-02-01"
    )
    assert (kept["subscriber_id"], kept["relationship"]) == ("P 77", "child")
    assert client.post(path, data=kept).status_code == 302
    with loaded.reading() as session:
        [held] = coverage.active(session, patient_id=ruth.id)
        assert (held.payer_id, held.subscriber_id, held.group_number, held.relationship) == ("pinecrest", "P 77", "G1", "child")
        assert session.scalars(select(EligibilityCheck).where(EligibilityCheck.coverage_id == held.id)).one().requested_by
    assert client.post(path, data=kept).status_code == 302  # the same form again
    path = f"/console/patients/{ruth.id}/coverage/{held.id}"
    drawn = _get(client, path)
    assert client.post(path, data=_form(drawn, subscriber_id="P 78")).status_code == 302
    late = client.post(path, data=_form(drawn, subscriber_id="P 79"))
    assert late.status_code == 409
    assert "It is now: P 78" in late.text
    assert _form(late.text)["subscriber_id"] == "P 79"
    assert client.post(f"{path}/end").status_code == 302
    with loaded.reading() as session:
        assert coverage.active(session, patient_id=ruth.id) == []


def test_who_pays_alone_is_noted_and_another_payer_is_written_by_name(desk: Desks, ruth: Patient, loaded: Database) -> None:
    client = desk("scheduler")
    path = f"/console/patients/{ruth.id}/coverage/new"
    assert client.post(path, data={"payer": "other", "relationship": "self"}).status_code == 422
    assert client.post(path, data={"payer": "other", "payer_name": "Tiny Fund", "subscriber_id": "1"}).status_code == 302
    assert "not in the clinic file" in _get(client, f"/console/patients/{ruth.id}")
    assert client.post(path, data={"payer": "self-pay"}).status_code == 302
    assert "pays alone" in _get(client, f"/console/patients/{ruth.id}")


def test_check_now_asks_the_payer_once_and_the_card_looks_for_the_answer(desk: Desks, ruth: Patient, loaded: Database) -> None:
    with loaded.transaction() as session:
        [held] = coverage.active(session, patient_id=ruth.id)
        session.connection().exec_driver_sql("DELETE FROM eligibility_check")
    client = desk("billing")
    path = f"/console/patients/{ruth.id}/coverage/{held.id}"
    for _ in range(2):
        fragment = client.post(f"{path}/check", headers={"HX-Request": "true"}).text
        assert "asking the payer" in fragment
        assert 'hx-trigger="every 2s"' in fragment
    assert "asking the payer" in _get(client, f"{path}/now")
    with loaded.reading() as session:
        [check] = session.scalars(select(EligibilityCheck))
        assert (check.reason, check.requested_by) == ("demand", "staff:billing@maplegrove.example")


def test_a_new_patient_is_put_on_file_once_and_a_namesake_is_asked_about(desk: Desks, ruth: Patient, loaded: Database) -> None:
    client = desk("scheduler")
    path = "/console/patients/new"
    form = _form(
        _get(client, path), given="Ruth", family="Novak", birth_date="1980-04-19", phones="414 555 0199", needs="wheelchair"
    )
    asked = client.post(path, data=form)
    assert asked.status_code == 409
    assert f"/console/patients/{ruth.id}" in asked.text
    assert _shown(loaded) == [[ruth.id]], "the namesake was shown, and that is a read"
    made = client.post(path, data=_form(asked.text) | {"another": "yes"})
    assert made.status_code == 302
    assert client.post(path, data=_form(asked.text) | {"another": "yes"}).location == made.location
    with loaded.reading() as session:
        [other] = patients.on_file(session, phone="+14145550199")
        assert (other.new, other.needs) == (False, ["wheelchair"])


def test_two_records_are_merged_and_taken_apart_again(desk: Desks, ruth: Patient, loaded: Database) -> None:
    with loaded.transaction() as session:
        double = make_patient(session, given="Ruth", family="Novak", phone="+14145550177")
    client = desk("scheduler")
    base = f"/console/patients/{ruth.id}"
    assert f"Compare with {double.given}" in _get(client, base)
    assert _shown(loaded) == [[double.id]], "the likely duplicate was shown, and that is a read"
    assert double.given in _get(client, f"{base}/merge")
    assert _shown(loaded) == [[double.id]] * 2
    assert "differs" in _get(client, f"{base}/merge?with={double.id}")
    assert client.post(f"{base}/merge", data={"merged": double.id}).status_code == 302
    moved = client.get(f"/console/patients/{double.id}")
    assert moved.location.startswith(base)
    card = _get(client, base)
    assert "(414) 555-0177" in card
    [path] = re.findall(rf'action="({base}/merges/\w+/undo)"', card)
    assert client.post(path).status_code == 302
    with loaded.reading() as session:
        assert patients.get(session, double.id).active
        assert merging.of_patient(session, ruth.id) == []


def test_a_record_is_handed_over_whole_by_a_manager_alone(desk: Desks, ruth: Patient) -> None:
    path = f"/console/patients/{ruth.id}/export"
    assert desk("scheduler").post(path).status_code == 403
    manager = desk("manager")
    bundle = manager.post(path, data={"as": "bundle"})
    assert bundle.headers["Content-Disposition"].startswith("attachment")
    found: dict[str, Any] = json.loads(bundle.text)
    assert (found["resourceType"], found["entry"][0]["resource"]["id"]) == ("Bundle", ruth.id)
    assert json.loads(manager.post(path, data={"as": "rows"}).text)["tables"]["statement"][0]["said"] == "penicillin"


def test_the_estimate_of_a_visit_is_a_page_whose_style_alone_is_allowed(desk: Desks, ruth: Patient, loaded: Database) -> None:
    with loaded.reading() as session:
        from scheduling_core.models import Appointment

        visit_id = session.scalars(select(Appointment.id)).one()
    answer = desk("billing").get(f"/console/visits/{visit_id}/estimate")
    assert "Good faith estimate" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy
