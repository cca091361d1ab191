"""Who may not come: what is learned, what for, and what it is never told."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import fields

import pytest
from sqlalchemy import insert, select

from scheduling_core import booking, no_show, times
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.search import find
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    AuditEvent,
    Mode,
    NoShowModel,
    new_id,
)
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

TUESDAY = dt.date(2026, 11, 17)


def make_history(database, visits: int = 600) -> tuple[str, str]:
    """Two years: one patient who comes, one who misses every second visit, and others between; the ids of the two."""
    dice = random.Random(7)
    with database.transaction() as session:
        people = [make_patient(session).id for _ in range(40)]
        chances = [0.02, 0.5, *(dice.uniform(0.05, 0.35) for _ in people[2:])]
        rows = []
        for number in range(visits):
            who, start = number % len(people), times.now() - dt.timedelta(days=700 - number)
            missed = dice.random() < chances[who]
            first = int(start.timestamp()) // 300
            rows.append(
                {
                    "organization_id": "clinic",
                    "id": new_id(),
                    "status": AppointmentStatus.NOSHOW if missed else AppointmentStatus.FULFILLED,
                    "service_id": "visit",
                    "patient_id": people[who],
                    "practitioner_id": "lindgren",
                    "location_id": "here",
                    "mode": Mode.IN_PERSON,
                    "start": start,
                    "end": start + dt.timedelta(minutes=30),
                    "first_tick": first,
                    "end_tick": first + 6,
                    "created_at": start - dt.timedelta(days=dice.randrange(40)),
                    "updated_at": start,
                }
            )
        session.connection().execute(insert(Appointment), rows)
    return people[0], people[1]


def make_learned(database, clock, **parts) -> tuple[ClinicFile, str, str]:
    clock.set("2026-11-16T09:10:00-06:00")
    clinic = load(database, make_clinic(sessions=["09:00-12:00"], **parts))
    reliable, other = make_history(database)
    with database.transaction() as session:
        no_show.train(session, clinic, agent="test")
    return clinic, reliable, other


def book(database, clinic: ClinicFile, patient_id: str, clock: str) -> Appointment:
    start = dt.datetime.combine(TUESDAY, dt.time.fromisoformat(clock), clinic.zone)
    with database.transaction() as session:
        [time] = find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=5))
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=f"{patient_id} {clock}")


ON = {"no_shows": {"estimate": True}}


def test_who_missed_visits_before_is_called_first(database, clock):
    clinic, reliable, other = make_learned(database, clock, **ON)
    first, second = book(database, clinic, reliable, "09:00"), book(database, clinic, other, "10:00")
    with database.transaction() as session:
        calls = no_show.whom_to_call(session, clinic, day=TUESDAY, agent="staff:nora@small.example")
    assert [one.visit.id for one in calls] == [second.id, first.id]
    assert calls[0].risk > 2 * calls[1].risk
    assert "% may not come: missed " in calls[0].staff
    with database.reading() as session:
        looks = session.scalars(select(AuditEvent.patient_id).where(AuditEvent.agent == "staff:nora@small.example")).all()
    assert sorted(looks) == sorted((reliable, other))


def test_who_confirmed_is_not_called(sqlite_database, clock):
    clinic, reliable, other = make_learned(sqlite_database, clock, **ON)
    book(sqlite_database, clinic, reliable, "09:00")
    confirmed = book(sqlite_database, clinic, other, "10:00")
    with sqlite_database.transaction() as session:
        booking.confirm(session, appointment_id=confirmed.id, agent="test", key="confirm")
        calls = no_show.whom_to_call(session, clinic, day=TUESDAY, agent="test")
    assert [one.visit.patient_id for one in calls] == [reliable]


def test_nothing_is_estimated_until_the_clinic_file_says_so(sqlite_database, clock):
    clinic, reliable, other = make_learned(sqlite_database, clock)
    visits = [book(sqlite_database, clinic, reliable, "09:00"), book(sqlite_database, clinic, other, "10:00")]
    with sqlite_database.transaction() as session:
        known = no_show.risks(session, clinic, visits, agent="test")
        assert [known.of(one) for one in visits] == [no_show.UNKNOWN] * 2
        with pytest.raises(no_show.NotEstimatedError):
            no_show.whom_to_call(session, clinic, day=TUESDAY, agent="test")


def test_too_little_history_teaches_nothing(sqlite_database, clock):
    clock.set("2026-11-16T09:10:00-06:00")
    clinic = load(sqlite_database, make_clinic())
    make_history(sqlite_database, visits=100)
    with sqlite_database.transaction() as session, pytest.raises(no_show.TooLittleHistoryError):
        no_show.train(session, clinic, agent="test")
    with sqlite_database.reading() as session:
        assert no_show.current(session) is None


def test_the_model_is_a_row_of_plain_numbers_and_the_last_one_holds(sqlite_database, clock):
    clinic, *_ = make_learned(sqlite_database, clock, **ON)
    with sqlite_database.transaction() as session:
        newer = no_show.train(session, clinic, agent="test")
        contents = session.scalars(select(NoShowModel.content).order_by(NoShowModel.number)).all()
        assert no_show.current(session) == newer
    assert len(contents) == 2
    assert all(isinstance(value, float) for value in contents[0]["weights"].values())


def test_the_model_is_told_nothing_of_who_the_patient_is():
    assert {one.name for one in fields(no_show.Known)} == {
        "lead_days",
        "hour",
        "weekday",
        "video",
        "came",
        "missed",
        "missed_last",
        "late",
        "reminded",
        "confirmed",
    }


def test_only_what_was_before_a_visit_counts():
    history = no_show._History()
    days = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
    history.outcomes = [(days[0], True), (days[1], False), (days[2], True)]
    history.late = [days[1]]
    assert history.before(days[0]) == (0, 0, False, 0)
    assert history.before(days[1]) == (0, 1, True, 0)
    assert history.before(days[2]) == (1, 1, False, 1)


def test_a_confirmed_visit_is_less_of_a_risk_in_the_eyes_of_a_model_that_learned_so():
    weights = dict.fromkeys(no_show.Known(1, 9, 0, False, 0, 0, False, 0).values(0.1, 1), 0.0) | {"confirmed": -1.5}
    model = no_show.Model(-2.0, weights, 0.1, 1.0, 1_000, 0.01, 0.7, 1.0)
    plain = no_show.Known(1, 9, 0, False, 3, 1, False, 0, reminded=True)
    assert model.risk(plain) == pytest.approx(0.1192, abs=1e-4)
    confirmed = no_show.Known(1, 9, 0, False, 3, 1, False, 0, reminded=True, confirmed=True)
    assert model.risk(confirmed) == pytest.approx(0.0293, abs=1e-4)
