"""The clinic changed away from its file: what comes out reads to the same, and nobody's visit is lost from sight."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from scheduling_core import booking
from scheduling_core.clinic_file import editing, loading, reading
from scheduling_core.clinic_file.mistakes import ClinicFileError
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Task
from tests.factories import make_free_time, make_patient

STAFF = "staff:manager@maplegrove.example"


def changed(clinic: ClinicFile, **absence: str) -> str:
    """The clinic with Dr. Ferreira away."""
    content = yaml.safe_load(editing.as_yaml(clinic))
    next(one for one in content["practitioners"] if one["id"] == "ferreira")["absences"] = [absence]
    return yaml.safe_dump(content, sort_keys=False)


@pytest.mark.parametrize("file", ["tests/clinics/maple.yml", "clinics/demo.yml"])
def test_what_is_exported_reads_to_the_same_clinic(file: str) -> None:
    clinic = reading.read(Path(__file__).parents[2] / file)
    again = reading.read_text(editing.as_yaml(clinic), Path("clinic.yml"))
    assert again.model_dump(mode="json") == clinic.model_dump(mode="json")


def test_a_proposal_changes_nothing_and_names_the_visits_that_it_would_displace(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        who = make_patient(session)
        for start in ("2026-11-17T09:00", "2026-11-24T09:00"):
            booking.book(session, clinic, patient_id=who.id, time=make_free_time(clinic, start=start), agent="t", key=start)
    with loaded.reading() as session:
        found = editing.propose(session, changed(clinic, **{"from": "2026-11-17", "to": "2026-11-20"}))
        assert found.sentences == ("practitioner ferreira: absences changed.",)
        assert [visit.start.date().isoformat() for visit in found.displaced if visit.start] == ["2026-11-17"]
        assert loading.current(session).practitioners_by_id["ferreira"].absences == []


def test_saving_opens_a_task_for_each_displaced_visit_once(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        who = make_patient(session)
        visit = booking.book(session, clinic, patient_id=who.id, time=make_free_time(clinic), agent="t", key="k")
    text = changed(clinic, **{"from": "2026-11-17", "to": "2026-11-20"})
    with loaded.transaction() as session:
        changes = editing.save(session, text, base=editing.version(session), agent=STAFF)
        assert changes.visits_for_staff == 1
    with loaded.transaction() as session:
        assert editing.save(session, text, base=editing.version(session), agent=STAFF).visits_for_staff == 0
        assert [task.appointment_id for task in session.scalars(select(Task))] == [visit.id]


def test_who_saves_over_somebody_elses_change_is_refused(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        base = editing.version(session)
        editing.save(session, changed(clinic, **{"from": "2026-11-17", "to": "2026-11-20"}), base=base, agent=STAFF)
    with loaded.transaction() as session, pytest.raises(editing.EditedMeanwhileError):
        editing.save(session, changed(clinic, **{"from": "2026-12-01", "to": "2026-12-02"}), base=base, agent=STAFF)


def test_mistakes_are_told_by_line(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.reading() as session, pytest.raises(ClinicFileError) as refusal:
        editing.propose(session, changed(clinic, **{"from": "2026-11-20", "to": "2026-11-17"}))
    assert "absences[0]" in str(refusal.value)


def test_a_restart_with_the_old_file_does_not_undo_what_staff_changed(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        assert not editing.holds_edits_of(session, clinic)
        editing.save(
            session, changed(clinic, **{"from": "2026-11-17", "to": "2026-11-20"}), base=editing.version(session), agent=STAFF
        )
    with loaded.reading() as session:
        assert editing.holds_edits_of(session, clinic)
        assert not editing.holds_edits_of(session, loading.current(session))


def test_a_new_file_is_loaded_whatever_staff_changed(loaded: Database, clinic: ClinicFile) -> None:
    other = clinic.model_copy(update={"questions": []})
    with loaded.transaction() as session:
        editing.save(
            session, changed(clinic, **{"from": "2026-11-17", "to": "2026-11-20"}), base=editing.version(session), agent=STAFF
        )
        assert not editing.holds_edits_of(session, other)
