"""Patients: who is on file, registering, correcting."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select

from scheduling_core import names, patients
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.models import AuditEvent, Patient
from tests.factories import make_patient


def test_people_who_share_a_number_are_found_by_it_the_eldest_first(database: Database) -> None:
    with database.transaction() as session:
        make_patient(session, given="Ben", birth_date="2015-01-02", phone="+14145550142")
        make_patient(session, given="Ruth", birth_date="1980-04-19", phone="+14145550142")
        make_patient(session, given="Olga", phone="+14145550143")
    with database.reading() as session:
        assert [patient.given for patient in patients.on_file(session, phone="+14145550142")] == ["Ruth", "Ben"]


def test_registering_twice_under_one_key_makes_one_patient(database: Database) -> None:
    details = {
        "given": "Ruth",
        "family": "Novak",
        "birth_date": dt.date(1980, 4, 19),
        "new": True,
        "agent": "test",
        "key": "turn-1",
    }
    with database.transaction() as session:
        first = patients.register(session, **details)
    with database.transaction() as session:
        again = patients.register(session, **details)
    with database.reading() as session:
        assert again.id == first.id
        assert len(session.scalars(select(Patient)).all()) == 1
        assert [row.action for row in session.scalars(select(AuditEvent))] == ["C"]


def test_two_who_register_at_once_under_one_key_make_one_patient(database: Database) -> None:
    made: list[str] = []
    together = threading.Barrier(4)

    def register() -> None:
        together.wait()
        with database.transaction() as session:
            patient = patients.register(
                session, given="Ruth", family="Novak", birth_date=dt.date(1980, 4, 19), new=True, agent="test", key="turn-1"
            )
            made.append(patient.id)

    several = [threading.Thread(target=register) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_a_new_number_goes_to_the_front_and_the_old_one_stays(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session, phone="+14145550142")
        patients.update(session, patient_id=ruth.id, agent="test", phone="+14145550199")
    with database.reading() as session:
        assert [row.phone for row in patients.get(session, ruth.id).phones] == ["+14145550199", "+14145550142"]
        assert patients.on_file(session, phone="+14145550142") == patients.on_file(session, phone="+14145550199")


def test_an_edit_keeps_the_old_and_the_new_in_the_audit_row(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        patients.update(session, patient_id=ruth.id, agent="staff:nora", email="a@example.org", add_need="wheelchair")
        patients.update(session, patient_id=ruth.id, agent="staff:nora", email="b@example.org", add_need="wheelchair")
    with database.reading() as session:
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (last.agent, last.action, last.patient_id) == ("staff:nora", "U", ruth.id)
        assert last.detail == {"email": {"old": "a@example.org", "new": "b@example.org"}}


def test_an_edit_that_changes_nothing_leaves_no_audit_row(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        patients.update(session, patient_id=ruth.id, agent="test", phone=ruth.phones[0].phone)
    with database.reading() as session:
        assert [row.action for row in session.scalars(select(AuditEvent))] == ["C"]


def test_who_is_not_on_file_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotFoundError):
        patients.get(session, "nobody")


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("Elizabeth", "Muñoz-Ray"),
        ("liz", "munoz ray"),
        ("Beth", "Munoz"),
        ("Elizabeth Anne", "Muñoz-Ray"),
        ("Elisabeth", "Muñoz Ray"),
    ],
)
def test_a_name_is_recognized_through_accents_nicknames_and_slips(database: Database, given: str, family: str) -> None:
    with database.transaction() as session:
        make_patient(session, given="Elizabeth", family="Muñoz-Ray", birth_date="1980-04-19")
        assert patients.known_by_name_and_birth_date(session, given, family, dt.date(1980, 4, 19))


@pytest.mark.parametrize(
    ("given", "family", "born"), [("Ann", "Novak", "1980-04-19"), ("Ruth", "Kovac", "1980-04-19"), ("Ruth", "Novak", "1980-04-20")]
)
def test_another_name_or_another_day_is_another_person(database: Database, given: str, family: str, born: str) -> None:
    with database.transaction() as session:
        make_patient(session, given="Ruth", family="Novak", birth_date="1980-04-19")
        assert not patients.known_by_name_and_birth_date(session, given, family, dt.date.fromisoformat(born))


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        ("2008-11-16", "2026-11-15", 17),
        ("2008-11-16", "2026-11-16", 18),
        ("2004-02-29", "2026-02-28", 21),
        ("2004-02-29", "2026-03-01", 22),
        ("2026-11-16", "2026-11-16", 0),
    ],
)
def test_age_is_counted_in_whole_years(born: str, day: str, years: int) -> None:
    assert patients.age_on(dt.date.fromisoformat(born), dt.date.fromisoformat(day)) == years


def test_two_swapped_letters_of_a_short_name_are_a_slip_and_another_letter_is_not() -> None:
    assert names.alike("iMa", "Mia")
    assert not names.alike("Leo", "Lea")
