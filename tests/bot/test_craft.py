"""A scheduler's craft from the command line."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from typer.testing import CliRunner

from bot.cli import app
from scheduling_core import booking
from scheduling_core.calendar.search import Request, find
from scheduling_core.errors import NotFoundError, WrongStateError
from tests.factories import make_free_time, make_patient

NORA = ("--by", "nora@maplegrove.example")


@pytest.fixture
def frontdesk(sqlite_loaded, monkeypatch):
    monkeypatch.setenv("FRONTDESK_ENV", "test")
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", sqlite_loaded.url)
    runner = CliRunner()

    def run(*arguments: str) -> str:
        done = runner.invoke(app, list(arguments))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def fill(session, clinic, who: str, service: str, day: int) -> list[str]:
    """Every time of a practitioner on a day of November, for whatever can be had of this service."""
    start, made = dt.datetime(2026, 11, day, tzinfo=clinic.zone), []
    while found := find(
        session, clinic, Request(service, practitioners=(who,)), start=start, end=start + dt.timedelta(days=1), limit=1
    ):
        patient = make_patient(session)
        key = f"{who} {day} {len(made)} {service}"
        made.append(booking.book(session, clinic, patient_id=patient.id, time=found[0], agent="test", key=key).id)
    return made


def plan_of(text: str) -> str:
    found = re.search(r"Plan ([0-9a-f]{32})", text)
    assert found, text
    return found[1]


def test_why_says_each_rule_and_the_verdict(frontdesk):
    said = frontdesk("why", "--service", "follow-up", "--practitioner", "ferreira", "--at", "2026-11-18T11:30")
    assert "keeps    blocked" in said
    assert 'to a patient: "That time is kept for urgent visits' in said
    assert said.endswith("This time is not offered.\n")
    said = frontdesk("why", "--service", "follow-up", "--practitioner", "ferreira", "--at", "2026-11-18T10:30")
    assert said.endswith("This time is offered.\n")


def test_an_urgent_plan_goes_its_whole_way(frontdesk, sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session).id
        for who in ("ferreira", "sorensen", "tanaka"):
            for service in ("physical", "follow-up", "sick"):
                fill(session, clinic, who, service, 17)
    urgent = ("plan", "urgent", "--service", "sick", "--patient", patient, "--day", "2026-11-17", *NORA)
    proposed = frontdesk(*urgent)
    assert "1 visit: 1 proposed" in proposed
    plan = plan_of(proposed)
    frontdesk("plan", "approve", plan, *NORA)
    with pytest.raises(WrongStateError):
        frontdesk("plan", "carry-out", plan, *NORA)
    frontdesk("plan", "answer", plan, "1", "--agrees", *NORA)
    assert "1 visit: 1 moved" in frontdesk("plan", "carry-out", plan, *NORA)
    assert "1 visit: 1 undone" in frontdesk("plan", "undo", plan, *NORA)
    again = plan_of(frontdesk(*urgent))
    frontdesk("plan", "approve", again, *NORA)
    assert "given-up" in frontdesk("plan", "give-up", again, *NORA)
    assert "given-up" in frontdesk("plan", "show", again)


def test_a_storm_is_asked_and_answered(frontdesk, sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        visits = fill(session, clinic, "sorensen", "follow-up", 17)
    plan = plan_of(frontdesk("plan", "storm", "--practitioner", "sorensen", "--from", "2026-11-17", "--to", "2026-11-17", *NORA))
    frontdesk("plan", "approve", plan, *NORA)
    assert f"{len(visits)} asked" in frontdesk("plan", "ask", plan, "--per-minute", "30", *NORA)
    assert "1 moved" in frontdesk("plan", "answer", plan, "1", "--agrees", *NORA)
    assert "1 declined" in frontdesk("plan", "answer", plan, "2", "--declines", *NORA)


def test_who_is_late_and_how_the_day_fills(frontdesk, sqlite_loaded, clinic, clock):
    with sqlite_loaded.transaction() as session:
        fill(session, clinic, "sorensen", "follow-up", 16)
    clock.set("2026-11-16T10:15:00-06:00")
    late = ("plan", "late", "--practitioner", "sorensen", "--minutes", "30")
    said = frontdesk(*late)
    assert "30 min, tell" in said
    assert "patients are told" in frontdesk(*late, "--tell-by", NORA[1])
    assert "waiting" in frontdesk("plan", "day", "--location", "north")
    with pytest.raises(NotFoundError):
        frontdesk("plan", "late", "--practitioner", "nobody", "--minutes", "30")


def test_a_series_and_a_visit_before_another_are_booked(frontdesk, sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        time = make_free_time(clinic, start="2026-11-30T10:00", service_id="physical")
        main = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="main")
    common = ("--service", "follow-up", "--patient", patient.id, "--practitioner", "ferreira", "--at", "2026-11-26T10:00")
    said = frontdesk("plan", "series", *common, "--every-days", "14", "--times", "2", "--book", "s")
    assert "public holiday" in said
    assert said.count("booked: Appointment/") == 2
    before = frontdesk("plan", "before", main.id, "--service", "vaccine", "--days", "7", "--book", "b")
    assert "Mon, Nov 23, 10:00 AM" in before
    assert "booked: Appointment/" in before
