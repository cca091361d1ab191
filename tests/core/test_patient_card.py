"""One page of a patient, who saw it, and all that we hold of them."""

from __future__ import annotations

import json

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import select

from scheduling_core import booking, coverage, handoff, intake, merging, messaging, patient_card, patient_export, patients
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.models import AuditEvent, CheckReason, EligibilityCheck, Patient, StatementKind
from tests.factories import make_free_time, make_patient


@pytest.fixture
def patient(loaded: Database, clinic: ClinicFile) -> Patient:
    """With a visit ahead, a cancelled one, an insurance, words of their own, a message and a task."""
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        for start in ("2026-11-18T09:00", "2026-11-19T09:00"):
            time = make_free_time(clinic, start=start)
            visit = booking.book(session, clinic, patient_id=patient.id, time=time, agent="t", key=start)
        booking.cancel(session, clinic, appointment_id=visit.id, agent="t", key="c", reason="ill")
        held = make_free_time(clinic, start="2026-11-20T09:00", practitioner_id="tanaka", location_id="south")
        booking.hold(session, clinic, time=held, held_for="x", patient_id=patient.id, agent="t")
        booking.release(session, held_for="x", agent="t")
        coverage.record(
            session, patient_id=patient.id, payer_id="greatlakes", payer_name="Great Lakes", subscriber_id="GLM1", agent="t"
        )
        intake.note(session, patient_id=patient.id, kind=StatementKind.ALLERGIES, said="penicillin", agent="t")
        messaging.queue(session, phone="+14145550142", body="hi", author="system", kind="news", patient_id=patient.id)
        messaging.record_opt_out(session, "+14145550142", out=True, source="keyword")
        handoff.open_task(session, team="desk", reason="complaint", description="x", patient_id=patient.id)
        return patient


def test_the_card_holds_what_is_known_and_reading_it_is_audited(loaded: Database, clinic: ClinicFile, patient: Patient) -> None:
    with loaded.transaction() as session:
        card = patient_card.card(session, clinic, patient_id=patient.id, agent="staff:nora")
        assert [len(card.ahead), len(card.past), len(card.messages), len(card.tasks)] == [1, 1, 1, 1]
        assert [one.said for one in card.statements] == ["penicillin"]
        [insured] = card.insured
        assert (insured.waiting is not None, insured.check, insured.service_id) == (True, None, "follow-up")
        assert {(one.channel, one.out) for one in card.consents} == {("sms", True), ("voice", False)}
        session.flush()
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (row.agent, row.action, row.patient_id) == ("staff:nora", "R", patient.id)


def test_there_is_no_card_of_another_clinics_patient(loaded: Database, clinic: ClinicFile, patient: Patient) -> None:
    other = Database(loaded.url, organization="elsewhere")
    try:
        with other.transaction() as session:
            for read in (patient_card.trail, patient_export.rows):
                with pytest.raises(NotFoundError):
                    read(session, patient_id=patient.id, agent="t")
            with pytest.raises(NotFoundError):
                patient_card.card(session, clinic, patient_id=patient.id, agent="t")
    finally:
        other.dispose()


def test_asking_the_payer_now_asks_once(loaded: Database, clinic: ClinicFile, patient: Patient) -> None:
    with loaded.transaction() as session:
        [held] = coverage.active(session, patient_id=patient.id)
        session.connection().exec_driver_sql("UPDATE eligibility_check SET status = 'failed'")
        first = patient_card.check_now(session, clinic, coverage_id=held.id, agent="staff:nora")
        again = patient_card.check_now(session, clinic, coverage_id=held.id, agent="staff:nora")
        assert first
        assert again
        assert (first.id, first.reason, first.service_id) == (again.id, CheckReason.DEMAND, "follow-up")
        coverage.end(session, coverage_id=held.id, agent="staff:nora")
        assert patient_card.check_now(session, clinic, coverage_id=held.id, agent="staff:nora") is None
        assert coverage.active(session, patient_id=patient.id) == []
        assert session.scalars(select(EligibilityCheck.status).where(EligibilityCheck.id == first.id)).one() == "cancelled"


def test_the_trail_says_who_changed_what_from_what(loaded: Database, patient: Patient) -> None:
    with loaded.transaction() as session:
        patients.update(session, patient_id=patient.id, email="ruth@x.example", agent="staff:nora@maplegrove.example")
        session.flush()
        [last, *_] = patient_card.trail(session, patient_id=patient.id, agent="staff:paul", changes_only=True)
        assert (last.who, last.action, last.changes) == ("Nora Ellis", "U", (("email", "", "ruth@x.example"),))
        [own, *_] = patient_card.trail(session, patient_id=patient.id, agent="staff:paul")
        assert (own.entity, own.action) == ("AuditEvent", "R")


def test_the_export_is_a_bundle_that_others_can_read(loaded: Database, clinic: ClinicFile, patient: Patient) -> None:
    with loaded.transaction() as session:
        bundle = patient_export.bundle(session, clinic, patient_id=patient.id, agent="staff:nora")
        session.flush()
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (row.action, row.detail) == ("E", {"export": "bundle"})
    Bundle.model_validate_json(json.dumps(bundle))
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert kinds >= {
        "Patient",
        "Appointment",
        "Coverage",
        "CoverageEligibilityRequest",
        "QuestionnaireResponse",
        "Communication",
        "Task",
        "Consent",
        "AuditEvent",
    }


def test_the_rows_hold_every_table_that_names_the_patient(loaded: Database, clinic: ClinicFile, patient: Patient) -> None:
    with loaded.transaction() as session:
        other = make_patient(session, given="Ruth", family="Novak-Old", phone="+14145550143")
        merging.merge(session, kept_id=patient.id, merged_id=other.id, agent="t")
        whole = patient_export.rows(session, patient_id=patient.id, agent="staff:nora")
    tables = json.loads(json.dumps(whole))["tables"]
    assert {"patient", "patient_phone", "appointment", "coverage", "statement", "communication", "task", "opt_out"} <= set(tables)
    assert {row["id"] for row in tables["patient"]} == {patient.id, other.id}
    assert tables["statement"][0]["said"] == "penicillin"
    assert len(tables["patient_merge"]) == 1
