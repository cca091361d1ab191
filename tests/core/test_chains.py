"""Visits that follow each other are held and booked whole, once, or not at all."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from scheduling_core import booking, chains
from scheduling_core.calendar import chains as finding
from scheduling_core.calendar import search
from scheduling_core.calendar.chains import Chain
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.chains import Link
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import PatientBusyError, TimeTakenError
from scheduling_core.models import Appointment, AppointmentStatus
from tests.factories import make_patient

WANTED = [Request("physical"), Request("vaccine")]


def best(database: Database, clinic: ClinicFile, count: int = 1) -> list[Chain]:
    with database.reading() as session:
        return finding.find(session, clinic, WANTED, wish=TimeWish(), count=count)


def how_many(database: Database, status: AppointmentStatus) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(Appointment.id)).where(Appointment.status == status)) or 0


def hold(database: Database, clinic: ClinicFile, found: list[Chain], patient_id: str | None = None) -> list[list[Appointment]]:
    with database.transaction() as session:
        return chains.hold_all(
            session, clinic, chains=found, held_for="talk", patient_id=patient_id, agent="test", key=f"hold {len(found)}"
        )


def test_a_chain_is_held_and_booked_whole(loaded, clinic):
    with loaded.transaction() as session:
        patient = make_patient(session).id
    held = hold(loaded, clinic, best(loaded, clinic, 3), patient)
    assert [len(links) for links in held] == [2, 2, 2]
    with loaded.transaction() as session:
        links = [Link(patient, hold_id=one.id) for one in held[1]]
        made = chains.book(session, clinic, links=links, held_for="talk", agent="test", key="both")
    assert [visit.service_id for visit in made] == ["physical", "vaccine"]
    assert how_many(loaded, AppointmentStatus.BOOKED) == 2


def test_the_same_key_books_once(loaded, clinic):
    with loaded.transaction() as session:
        patient = make_patient(session).id
    (chain,) = best(loaded, clinic)
    links = [Link(patient, time=time) for time in chain.times]
    answers = []
    for _ in range(2):
        with loaded.transaction() as session:
            made = chains.book(session, clinic, links=links, held_for="talk", agent="test", key="both")
            answers.append([visit.id for visit in made])
    assert answers[0] == answers[1]
    assert how_many(loaded, AppointmentStatus.BOOKED) == 2


def test_a_chain_of_which_one_time_is_gone_is_not_booked_at_all(loaded, clinic):
    with loaded.transaction() as session:
        patient, other = make_patient(session).id, make_patient(session).id
    (chain,) = best(loaded, clinic)
    with loaded.transaction() as session:
        booking.book(session, clinic, patient_id=other, time=chain.times[1], agent="test", key="theirs")
    links = [Link(patient, time=time) for time in chain.times]
    with loaded.transaction() as session, pytest.raises(TimeTakenError):
        chains.book(session, clinic, links=links, held_for="talk", agent="test", key="both")
    assert how_many(loaded, AppointmentStatus.BOOKED) == 1
    assert how_many(loaded, AppointmentStatus.PROPOSED) == 0


def test_a_patient_who_is_busy_in_the_second_visit_gets_neither(loaded, clinic):
    with loaded.transaction() as session:
        patient = make_patient(session).id
    (chain,) = best(loaded, clinic)
    held = hold(loaded, clinic, [chain], patient)
    with loaded.transaction() as session:
        start = chain.times[1].start
        at_once = search.find(session, clinic, Request("follow-up"), start=start, end=start + dt.timedelta(minutes=5), limit=1)
        booking.book(session, clinic, patient_id=patient, time=at_once[0], agent="test", key="meanwhile")
    links = [Link(patient, hold_id=one.id) for one in held[0]]
    with loaded.transaction() as session, pytest.raises(PatientBusyError):
        chains.book(session, clinic, links=links, held_for="talk", agent="test", key="both")
    assert how_many(loaded, AppointmentStatus.BOOKED) == 1


def test_a_chain_that_cannot_be_held_whole_is_let_go(loaded, clinic):
    first, second = best(loaded, clinic, 2)
    with loaded.transaction() as session:
        booking.hold(session, clinic, time=first.times[1], held_for="somebody else", agent="test")
    held = hold(loaded, clinic, [first, second])
    assert [one.start for one in held[0]] == [time.start for time in second.times]
    assert how_many(loaded, AppointmentStatus.PROPOSED) == 3  # theirs, and the two of the whole chain
