"""Two records of one person become one, and two again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import booking, coverage, handoff, intake, merging, messaging, patient_search, patients
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import WrongStateError
from scheduling_core.fhir.people import to_patient
from scheduling_core.models import (
    Appointment,
    AuditEvent,
    Base,
    Coverage,
    CoverageStatus,
    Patient,
    Plan,
    PlanKind,
    PlanStatus,
    Sex,
    StatementKind,
    Task,
    occupancy,
)
from tests.factories import make_conversation, make_free_time, make_patient

NOT_COMPARED = {"audit_event", "patient_merge", "patient_key", "idempotency_key"}


def _two(session: Session) -> tuple[Patient, Patient]:
    kept = make_patient(session, given="Ruth", family="Novak", phone="+14145550142")
    merged = make_patient(session, given="Ruthie", family="Novak", phone="+14145550177", sex=Sex.UNKNOWN)
    return kept, merged


def _book(session: Session, clinic: ClinicFile, patient: Patient, start: str, who: str = "ferreira") -> Appointment:
    time = make_free_time(clinic, start=start, practitioner_id=who, location_id="north" if who == "ferreira" else "south")
    return booking.book(session, clinic, patient_id=patient.id, time=time, agent="t", key=f"{patient.id}{start}")


def _live_a_little(session: Session, clinic: ClinicFile, patient: Patient) -> None:
    """Something of the person in most tables."""
    _book(session, clinic, patient, "2026-11-18T09:00")
    coverage.record(
        session, patient_id=patient.id, payer_id="greatlakes", payer_name="Great Lakes", subscriber_id="GLM1", agent="t"
    )
    intake.note(session, patient_id=patient.id, kind=StatementKind.ALLERGIES, said="penicillin", agent="t")
    talk = make_conversation(session, phone=patient.phones[0].phone)
    talk.patient_id = patient.id
    messaging.queue(session, phone=talk.phone, body="hello", author="assistant", kind="reply", patient_id=patient.id)
    handoff.open_task(session, team="desk", reason="complaint", description="x", patient_id=patient.id)
    patients.update(session, patient_id=patient.id, email="ruth@x.example", add_need="wheelchair", agent="t")


def _everything(session: Session) -> dict[str, list[Any]]:
    session.flush()
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in NOT_COMPARED:
            columns = [column for column in table.columns if column.name != "updated_at"]
            found[table.name] = sorted(repr(tuple(row)) for row in session.connection().execute(select(*columns)))
    return found


def test_all_that_refers_to_a_record_moves_to_the_one_that_is_kept(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        _live_a_little(session, clinic, merged)
        merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="staff:nora")
        for table, column in merging._references():
            left = session.connection().execute(select(column).where(column == merged.id)).first()
            assert left is None, f"{table.name}.{column.name}"
        [visit] = session.scalars(select(Appointment))
        assert visit.patient_id == kept.id
        actors = session.execute(select(occupancy.c.actor).where(occupancy.c.actor.startswith("patient:"))).scalars()
        assert set(actors) == {f"patient:{kept.id}"}
        assert (kept.email, kept.needs) == ("ruth@x.example", ["wheelchair"])
        assert [number.phone for number in kept.phones] == ["+14145550142", "+14145550177"]
        assert (merged.active, merged.merged_into) == (False, kept.id)
        assert to_patient(merged)["link"] == [{"other": {"reference": f"Patient/{kept.id}"}, "type": "replaced-by"}]
        assert [one.id for one in patients.on_file(session, phone="+14145550177")] == [kept.id]
        assert [one.id for one in patient_search.find(session, "0177", agent="t").patients] == [kept.id]
        assert merging.all_ids(session, kept.id) == [kept.id, merged.id]


def test_undoing_a_merge_leaves_every_row_as_it_was(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        _live_a_little(session, clinic, merged)
        _book(session, clinic, kept, "2026-11-19T09:00")
        before = _everything(session)
        made = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="staff:nora")
        assert _everything(session) != before
        merging.undo(session, merge_id=made.id, agent="staff:nora")
        merging.undo(session, merge_id=made.id, agent="staff:nora")
        assert _everything(session) == before
        assert merging.of_patient(session, kept.id) == []


def test_what_came_after_the_merge_stays_with_the_kept_record(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        _live_a_little(session, clinic, merged)
        made = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        later = _book(session, clinic, kept, "2026-11-19T09:00")
        patients.update(session, patient_id=kept.id, email="new@x.example", agent="t")
        merging.undo(session, merge_id=made.id, agent="t")
        session.refresh(later)
        assert later.patient_id == kept.id
        assert kept.email == "new@x.example"
        assert merged.active


def test_merging_the_same_two_again_answers_the_same_merge(loaded: Database) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        first = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        assert merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t").id == first.id
        with pytest.raises(WrongStateError):
            merging.merge(session, kept_id=merged.id, merged_id=kept.id, agent="t")
        with pytest.raises(WrongStateError):
            merging.merge(session, kept_id=kept.id, merged_id=kept.id, agent="t")


def test_of_two_merges_in_a_row_the_later_is_undone_first(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        third = make_patient(session, given="Ruth", family="Novak-Adler")
        _live_a_little(session, clinic, merged)
        before = _everything(session)
        first = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        second = merging.merge(session, kept_id=third.id, merged_id=kept.id, agent="t")
        assert set(merging.all_ids(session, third.id)) == {third.id, kept.id, merged.id}
        with pytest.raises(WrongStateError):
            merging.undo(session, merge_id=first.id, agent="t")
        merging.undo(session, merge_id=second.id, agent="t")
        merging.undo(session, merge_id=first.id, agent="t")
        assert _everything(session) == before


def test_two_visits_at_one_time_stand_against_a_merge_and_nothing_is_changed(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        _book(session, clinic, kept, "2026-11-18T09:00")
        _book(session, clinic, merged, "2026-11-18T09:10", who="tanaka")
        before = _everything(session)
        with pytest.raises(merging.BothBusyError):
            merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        assert _everything(session) == before


def test_of_two_insurances_of_one_rank_the_kept_one_holds_and_billing_asks(loaded: Database) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        for patient, number in ((kept, "GLM1"), (merged, "GLM2")):
            coverage.record(session, patient_id=patient.id, payer_id="greatlakes", payer_name="GL", subscriber_id=number, agent="t")
        made = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        assert [one.subscriber_id for one in coverage.active(session, patient_id=kept.id)] == ["GLM1"]
        [task] = session.scalars(select(Task).where(Task.reason == "coverage-after-merge"))
        assert (task.team, task.patient_id) == ("billing", kept.id)
        merging.undo(session, merge_id=made.id, agent="t")
        assert {one.status for one in session.scalars(select(Coverage))} == {CoverageStatus.ACTIVE}
        assert [one.subscriber_id for one in coverage.active(session, patient_id=merged.id)] == ["GLM2"]


def test_an_urgent_plan_books_for_the_kept_record(loaded: Database) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        now = dt.datetime(2026, 11, 16, 15, 0, tzinfo=dt.UTC)
        need = {"visits": [{"patient_id": kept.id}, {"patient_id": merged.id}]}
        session.add(Plan(id="p", kind=PlanKind.URGENT, status=PlanStatus.PROPOSED, need=need, created_at=now, updated_at=now))
        made = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="t")
        plan = session.scalars(select(Plan)).one()
        assert [visit["patient_id"] for visit in plan.need["visits"]] == [kept.id, kept.id]
        merging.undo(session, merge_id=made.id, agent="t")
        assert plan.need == need


def test_merging_stands_in_the_trail_of_both(loaded: Database) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        made = merging.merge(session, kept_id=kept.id, merged_id=merged.id, agent="staff:nora")
        session.flush()
        rows = session.scalars(select(AuditEvent).where(AuditEvent.agent == "staff:nora", AuditEvent.entity == "Patient")).all()
        assert {row.patient_id for row in rows} == {kept.id, merged.id}
        assert all(row.detail["merge"] == made.id for row in rows)


def test_likely_duplicates_share_name_and_birth_date_or_number(loaded: Database) -> None:
    with loaded.transaction() as session:
        kept, merged = _two(session)
        make_patient(session, given="Rita", family="Novak", birth_date="1950-01-01", phone="+14145550142")
        same_number = make_patient(session, given="Ruth", family="Novak", birth_date="1981-04-19", phone="+14145550142")
        found = [one.id for one in merging.likely_same(session, kept, agent="test")]
        assert same_number.id in found
        assert merged.id not in found, "Ruthie and Ruth are told apart by the names' rules"
        assert len(found) == 1


def test_every_table_that_names_a_patient_moves_or_says_why_not() -> None:
    moving = {table.name for table, _ in merging._references()}
    naming = {
        table.name
        for table in Base.metadata.sorted_tables
        if "patient_id" in table.columns or any(key.referred_table.name == "patient" for key in table.foreign_key_constraints)
    }
    assert naming == moving | merging.STAYS
