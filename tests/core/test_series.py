"""Visits that belong together."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduling_core import booking, series
from scheduling_core.calendar.search import Request
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Appointment
from tests.factories import make_free_time, make_patient

FOLLOW_UP = Request("follow-up", practitioners=("ferreira",))


def wall(clinic, text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=clinic.zone).astimezone(dt.UTC)


def test_a_conflict_does_not_sink_the_series_and_is_explained(loaded, clinic):
    with loaded.transaction() as session:
        patient = make_patient(session)
        steps = series.plan(session, clinic, FOLLOW_UP, start=wall(clinic, "2026-11-26T10:00"), every_days=14, count=3)
        shown = [f"{one.time.start.astimezone(clinic.zone):%m-%d %H:%M}" for one in steps if one.time]
        assert shown == ["11-25 10:00", "12-10 10:00", "12-23 10:00"]
        assert [[reason.code for reason in one.against] for one in steps] == [["holiday"], [], ["closed", "holiday"]]
        taken = steps[1].time
        assert taken is not None
        booking.book(session, clinic, patient_id=make_patient(session).id, time=taken, agent="test", key="other")
        done = series.book(session, clinic, patient_id=patient.id, steps=steps, agent="test", key="series")
        assert [one.appointment is not None for one in done] == [True, False, True]
        assert done[1].refused is not None
        series.book(session, clinic, patient_id=patient.id, steps=steps, agent="test", key="series")
        assert len(booking.upcoming(session, patient_id=patient.id)) == 2


def test_the_clock_on_the_wall_stays_when_the_zone_changes_its_offset(sqlite_loaded, clinic, clock):
    clock.set("2026-10-20T09:00:00-05:00")
    with sqlite_loaded.transaction() as session:
        steps = series.plan(session, clinic, FOLLOW_UP, start=wall(clinic, "2026-10-26T10:00"), every_days=7, count=2)
    assert [one.wanted.astimezone(clinic.zone).hour for one in steps] == [10, 10]


def test_a_linked_visit_lies_before_the_main_one(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        main = make_free_time(clinic, start="2026-11-30T10:00", service_id="physical")
        step = series.linked(session, clinic, Request("blood-draw"), main=main, days_before=7)
        assert step.time is not None
        assert step.time.start == wall(clinic, "2026-11-23T10:00")
        same_day = series.linked(session, clinic, Request("blood-draw"), main=main, days_before=0)
        assert same_day.time is not None
        assert same_day.time.end <= main.start


@pytest.mark.parametrize(("every_days", "count"), [(0, 2), (7, 0), (7, 53)])
def test_a_series_that_cannot_be_is_refused(sqlite_loaded, clinic, every_days, count):
    with sqlite_loaded.transaction() as session, pytest.raises(WrongStateError):
        series.plan(session, clinic, FOLLOW_UP, start=wall(clinic, "2026-11-26T10:00"), every_days=every_days, count=count)


def test_a_linked_visit_needs_a_main_visit_with_a_time(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session, pytest.raises(WrongStateError):
        series.linked(session, clinic, Request("blood-draw"), main=Appointment(start=None), days_before=7)
