"""A day that slips."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from scheduling_core import booking, running_late
from scheduling_core.calendar.search import Request, find
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import Communication
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

STAFF = [{"name": "Nora", "email": "nora@small.example", "role": "scheduler"}]
CLINIC = make_clinic(practitioners=["abel", "bruno"], sessions=["09:00-13:00"], service={"minutes": 30}, staff=STAFF)
MONDAY = dt.date(2026, 11, 16)


def book(session, at: str, who: str = "abel"):
    start = dt.datetime.combine(MONDAY, dt.time.fromisoformat(at), CLINIC.zone)
    [time] = find(session, CLINIC, Request("visit", practitioners=(who,)), start=start, end=start + dt.timedelta(minutes=1))
    return booking.book(session, CLINIC, patient_id=make_patient(session).id, time=time, agent="test", key=f"{at} {who}")


@pytest.fixture
def here(database, clock):
    load(database, CLINIC)
    clock.set("2026-11-16T07:00:00-06:00")
    return database


def test_a_gap_makes_up_for_the_delay(here, clock):
    with here.transaction() as session:
        for at in ("09:00", "09:30", "10:00", "11:00", "12:00"):
            book(session, at)
        clock.set("2026-11-16T09:10:00-06:00")
        late = running_late.delays(session, CLINIC, practitioner_id="abel", minutes=40)
        assert [(one.minutes, one.is_told) for one in late] == [(40, True), (40, True), (10, True)]
        assert f"{late[0].expected.astimezone(CLINIC.zone):%H:%M}" == "10:10"
        assert running_late.delays(session, CLINIC, practitioner_id="bruno", minutes=40) == []


def test_who_is_affected_is_told_once(here, clock):
    with here.transaction() as session:
        for at in ("09:00", "09:30", "10:00"):
            book(session, at)
        clock.set("2026-11-16T09:10:00-06:00")
        for _ in range(2):
            running_late.tell(session, CLINIC, practitioner_id="abel", minutes=25, by="nora@small.example")
        bodies = list(session.scalars(select(Communication.body).order_by(Communication.sequence)))
    assert len(bodies) == 2
    assert bodies[0] == (
        "Small Clinic: Dr. Abel is running about 25 minutes late. Your 9:30 AM visit should start around 9:55 AM. We're sorry."
    )


@pytest.mark.parametrize(("who", "minutes", "error"), [("zed", 5, NotFoundError), ("abel", 0, WrongStateError)])
def test_nonsense_is_refused(here, who, minutes, error):
    with here.transaction() as session, pytest.raises(error):
        running_late.delays(session, CLINIC, practitioner_id=who, minutes=minutes)


def test_the_waiting_room_is_counted_by_the_quarter_hour_and_flattened(here):
    with here.transaction() as session:
        first, _ = book(session, "10:00"), book(session, "10:00", "bruno")
        quarters = running_late.waiting_room(session, CLINIC, location_id="here", day=MONDAY)
        shown = [(f"{one.start.astimezone(CLINIC.zone):%H:%M}", one.waiting, one.seen) for one in quarters]
        assert shown == [("09:45", 2, 0), ("10:00", 0, 2), ("10:15", 0, 2)]
        better = running_late.flatten(session, CLINIC, location_id="here", day=MONDAY)
        assert better is not None
        assert (better.peak, better.peak_after) == (2, 1)
        assert abs(better.new.start - better.old.start) <= dt.timedelta(minutes=15)
        booking.cancel(session, CLINIC, appointment_id=first.id, agent="test", key="c")
        assert running_late.flatten(session, CLINIC, location_id="here", day=MONDAY) is None
        assert running_late.waiting_room(session, CLINIC, location_id="here", day=MONDAY + dt.timedelta(days=1)) == []
