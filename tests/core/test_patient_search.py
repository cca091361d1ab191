"""Finding a patient as staff type."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import birth_dates, coverage, patient_keys, patient_search, patients
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, PatientPhone
from tests.factories import make_patient


def _names(session: Session, typed: str) -> list[str]:
    return [f"{one.given} {one.family}" for one in patient_search.find(session, typed, agent="staff:nora").patients]


def _fill(session: Session) -> None:
    make_patient(session, given="José Luis", family="García Márquez", birth_date="1980-04-19", phone="+14145550142")
    make_patient(session, given="Siobhan", family="O'Brien", birth_date="1975-12-02", phone="+14145550143")
    make_patient(session, given="William", family="Smythe", birth_date="1980-04-19", phone="+13125559999")
    make_patient(session, given="Ximena", family="de la Cruz", birth_date="2001-01-31", phone="+14145550199")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("garcia", "José Luis García Márquez"),
        ("GARCÍA josé", "José Luis García Márquez"),
        ("marq jos", "José Luis García Márquez"),
        ("garsia", "José Luis García Márquez"),
        ("obrien", "Siobhan O'Brien"),
        ("o'br", "Siobhan O'Brien"),
        ("bill smythe", "William Smythe"),
        ("smith", "William Smythe"),
        ("himena", "Ximena de la Cruz"),
        ("delacruz", "Ximena de la Cruz"),
        ("cruz 1/31/2001", "Ximena de la Cruz"),
        ("414-555-0143", "Siobhan O'Brien"),
        ("(312) 555", "William Smythe"),
        ("+1 414 555 0199", "Ximena de la Cruz"),
        ("0142", "José Luis García Márquez"),
        ("siobhan 0143", "Siobhan O'Brien"),
        ("12/2/75", "Siobhan O'Brien"),
        ("born 2 december 1975", None),
        ("2 dic 1975", "Siobhan O'Brien"),
    ],
)
def test_a_patient_is_found_by_any_part_that_is_typed(loaded: Database, typed: str, found: str | None) -> None:
    with loaded.transaction() as session:
        _fill(session)
        assert _names(session, typed)[:1] == ([found] if found else [])


def test_all_that_is_typed_must_fit(loaded: Database) -> None:
    with loaded.transaction() as session:
        _fill(session)
        assert _names(session, "4/19/1980") == ["José Luis García Márquez", "William Smythe"]
        assert _names(session, "garcia 4/20/1980") == []
        assert _names(session, "garcia smythe") == []
        assert _names(session, "x") == []
        assert _names(session, "  ") == []
        assert _names(session, "%' OR 1=1 --") == []


def test_a_member_id_finds_its_patient_and_a_corrected_one_alone_stays(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, given="Ruth", family="Novak")
        kept = coverage.record(
            session,
            patient_id=patient.id,
            payer_id="greatlakes",
            payer_name="Great Lakes Mutual",
            subscriber_id="GLM 44-871",
            agent="t",
        )
        assert _names(session, "glm44871") == ["Ruth Novak"]
        assert _names(session, "GLM-44") == _names(session, "glm 44-8") == ["Ruth Novak"]
        coverage.change(session, coverage_id=kept.id, agent="t", subscriber_id="GLM99")
        assert _names(session, "glm44871") == []
        assert _names(session, "GLM99") == ["Ruth Novak"]


def test_a_changed_number_and_name_are_found_and_the_old_name_is_not(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, given="Ruth", family="Novak", phone="+14145550142")
        patients.update(session, patient_id=patient.id, phone="+14145557777", agent="t")
        patient.family = "Adler"
        session.flush()
        assert _names(session, "7777") == ["Ruth Adler"]
        assert _names(session, "adler") == ["Ruth Adler"]
        assert _names(session, "novak") == []
        session.delete(session.scalars(select(PatientPhone).where(PatientPhone.phone == "+14145550142")).one())
        session.flush()
        assert _names(session, "0142") == []


def test_who_is_shown_is_audited_and_what_was_typed_is_not_kept(loaded: Database) -> None:
    with loaded.transaction() as session:
        _fill(session)
        patient_search.find(session, "garcia", agent="staff:nora")
        session.flush()
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (row.agent, row.action, len(row.detail["search"]), row.detail["by"]) == ("staff:nora", "R", 1, ["words"])
        assert "garcia" not in str(row.detail).casefold()


def test_there_are_more_than_are_shown(loaded: Database) -> None:
    with loaded.transaction() as session:
        for number in range(5):
            make_patient(session, given=f"Ruth{'abcde'[number]}", family="Novak")
        found = patient_search.find(session, "novak", agent="t", limit=3)
        assert (len(found.patients), found.more) == (3, True)
        assert not patient_search.find(session, "novak", agent="t", limit=5).more


def test_rows_that_came_by_another_way_are_found_after_writing_all_keys(loaded: Database) -> None:
    with loaded.transaction() as session:
        make_patient(session, given="Ruth", family="Novak")
        session.connection().exec_driver_sql("DELETE FROM patient_key")
        assert _names(session, "novak") == []
        assert patient_keys.write_all(session) == 1
        assert _names(session, "novak") == ["Ruth Novak"]


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("4/19/1980", {"1980-04-19"}),
        ("04-19-80", {"1980-04-19"}),
        ("1980-04-19", {"1980-04-19"}),
        ("1980/4/9", {"1980-04-09"}),
        ("19/4/1980", {"1980-04-19"}),
        ("19.4.1980", {"1980-04-19"}),
        ("4.5.1980", {"1980-05-04"}),
        ("04191980", {"1980-04-19"}),
        ("19800419", {"1980-04-19"}),
        ("April 19, 1980", {"1980-04-19"}),
        ("19 abril de 1980", {"1980-04-19"}),
        ("19 de abril de 1980", {"1980-04-19"}),
        ("apr 19th 1980", {"1980-04-19"}),
        ("2/29/1981", set()),
        ("13/13/1980", set()),
        ("5/5/2090", set()),
        ("414-555-0142", set()),
        ("+14145550142", set()),
        ("ruth novak", set()),
    ],
)
def test_birth_dates_are_read_in_several_spellings(typed: str, days: set[str]) -> None:
    found, _ = birth_dates.find(typed, today=dt.date(2026, 11, 16))
    assert {day.isoformat() for day in found} == days
