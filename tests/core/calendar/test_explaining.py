"""Searching and explaining agree: a time is found exactly when nothing can be said against it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling_core import booking
from scheduling_core.calendar import rules
from scheduling_core.calendar.search import Request, find, offers
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Mode
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

CLINIC = make_clinic(
    practitioners=["abel", "bruno"],
    rooms=["red"],
    locations=[
        {
            "id": "here",
            "name": "Here",
            "hours": {"mon-fri": "08:30-12:00", "sat-sun": "00:00-05:00"},
            "rooms": [{"id": "red", "name": "Red", "kind": "procedure"}],
        },
        {"id": "there", "name": "There", "hours": {"mon-fri": "13:00-15:00"}, "timezone": "America/New_York"},
    ],
    service={"buffer_after_minutes": 10, "modes": ["in-person", "video"]},
    services=[
        {"id": "procedure", "minutes": 20, "buffer_before_minutes": 5, "room": "procedure"},
        {"id": "urgent", "minutes": 15, "urgency": "urgent"},
        {"id": "child", "minutes": 15, "ages": "0-17"},
    ],
    practitioner={
        "max_visits_per_day": 2,
        "schedule": [
            {"days": "mon-fri", "at": "here", "time": "08:00-10:30"},
            {"days": "mon,wed,fri", "at": "there", "time": "13:00-14:00"},
            {"days": "sun", "at": "here", "time": "00:30-04:00"},
        ],
        "blocks": [
            {"days": "mon-fri", "time": "09:00-09:30", "keep_for": "urgent", "release_hours": 20},
            {"days": "wed", "time": "10:00-10:30", "keep_for": ["procedure"], "release_hours": 500},
        ],
        "absences": [{"from": "2026-10-29", "to": "2026-10-29"}],
    },
    closures=[{"date": "2026-11-02", "name": "Cleaning", "locations": ["here"]}],
    holiday_calendar="US-IL",
    clinic={"booking_horizon_days": 6, "booking_notice_minutes": 90, "grid_minutes": 5},
)
NOW = dt.datetime(2026, 10, 28, 14, 2, tzinfo=dt.UTC)  # a Wednesday; on Sunday the clock goes back, Tuesday is Election Day
REQUESTS = st.builds(
    Request,
    st.sampled_from(["visit", "procedure", "urgent", "child"]),
    practitioners=st.sampled_from([(), ("abel",), ("bruno",)]),
    location_id=st.sampled_from([None, None, "here", "there"]),
    mode=st.sampled_from([None, None, Mode.VIDEO]),
    patient_id=st.sampled_from([None, "adult", "child"]),
)


def test_a_time_is_found_exactly_when_nothing_can_be_said_against_it(sqlite_database, clock):
    load(sqlite_database, CLINIC)
    clock.set(NOW.isoformat())
    with sqlite_database.transaction() as session:
        people = {"adult": make_patient(session).id, "child": make_patient(session, birth_date="2008-10-31").id}

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(request=REQUESTS, others=st.lists(st.tuples(st.integers(0, 400), REQUESTS), max_size=6), day=st.integers(-1, 7))
    def agree(request: Request, others: list[tuple[int, Request]], day: int) -> None:
        with sqlite_database.transaction() as session:
            taken = session.begin_nested()
            visits = _take_some(session, others, people)
            request = _of_a_person(request, people, visits)
            start = dt.datetime.combine(NOW.date() + dt.timedelta(days=day), dt.time(0), CLINIC.zone).astimezone(dt.UTC)
            end = start + dt.timedelta(days=1)
            found = {one.start for one in find(session, CLINIC, request, start=start, end=end)}
            for tick in range(300):
                instant = start + dt.timedelta(minutes=5 * tick)
                if instant < end:
                    why = rules.explain_time(session, CLINIC, request, instant)
                    assert (instant in found) == (why == []), f"{instant}: {why}"
            taken.rollback()

    agree()


def test_every_offer_fits_the_wish_and_can_be_booked(sqlite_database, clock):
    load(sqlite_database, CLINIC)
    clock.set(NOW.isoformat())
    with sqlite_database.transaction() as session:
        people = {"adult": make_patient(session).id, "child": make_patient(session, birth_date="2008-10-31").id}
    days = st.integers(0, 7).map(lambda ahead: NOW.date() + dt.timedelta(days=ahead))
    wishes = st.builds(
        TimeWish,
        days=st.one_of(st.just(()), st.tuples(st.builds(Days, days, st.none())), st.tuples(days.map(lambda day: Days(day, day)))),
        weekdays=st.one_of(st.just(frozenset()), st.frozensets(st.integers(0, 6))),
        hours=st.sampled_from([(), (Hours(dt.time(9)),), (Hours(dt.time(0), dt.time(9)),)]),
        except_weekdays=st.one_of(st.just(frozenset()), st.frozensets(st.integers(0, 6), max_size=2)),
        soonest=st.booleans(),
    )

    @settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(request=REQUESTS, others=st.lists(st.tuples(st.integers(0, 400), REQUESTS), max_size=6), wish=wishes)
    def fit(request: Request, others: list[tuple[int, Request]], wish: TimeWish) -> None:
        with sqlite_database.transaction() as session:
            taken = session.begin_nested()
            request = _of_a_person(request, people, _take_some(session, others, people))
            everything = find(session, CLINIC, request, start=NOW, end=NOW + dt.timedelta(days=10))
            fitting = [one for one in everything if wish.allows(one.start.astimezone(CLINIC.zone_of(one.location_id)))]
            found = find(session, CLINIC, request, start=NOW, end=NOW + dt.timedelta(days=10), wish=wish)
            assert found == fitting
            offered = offers(session, CLINIC, request, wish=wish)
            assert bool(offered) == bool(fitting)
            assert all(one in fitting for one in offered)
            held = booking.hold_all(session, CLINIC, free_times=offered, held_for="talk", agent="test")
            assert len(held) == len(offered)
            taken.rollback()

    fit()


def _take_some(session: Any, others: list[tuple[int, Request]], people: dict[str, str]) -> list[str]:
    """Book and hold some of what is free; the ids of the visits."""
    made = []
    for place, other in others:
        free = find(session, CLINIC, _of_a_person(other, people, []), start=NOW, end=NOW + dt.timedelta(days=7))
        if not free:
            continue
        time = free[place % len(free)]
        try:
            if other.patient_id is None:
                booking.hold(session, CLINIC, time=time, held_for=f"talk {place}", agent="test")
            else:
                key = f"{place} {time.start} {len(made)}"
                patient_id = people[other.patient_id]
                made.append(booking.book(session, CLINIC, patient_id=patient_id, time=time, agent="test", key=key).id)
        except SchedulingError:
            continue
    return made


def _of_a_person(request: Request, people: dict[str, str], visits: list[str]) -> Request:
    """The request with the id of its patient; one who has visits moves the first."""
    patient_id = people[request.patient_id] if request.patient_id else None
    return Request(
        **{**request.__dict__, "patient_id": patient_id, "moving": visits[0] if visits and request.practitioners else None}
    )
