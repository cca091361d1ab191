"""Searching and explaining agree: a time is found exactly when nothing can be said against it."""

from __future__ import annotations

import datetime as dt
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling_core import booking
from scheduling_core.calendar import rules
from scheduling_core.calendar.search import Request, find, offers
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.models import Mode
from tests.core.calendar import agreement
from tests.core.calendar.agreement import CLINIC, NOW, of_a_person, take_some
from tests.core.clinics import load
from tests.factories import make_patient

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
            visits = take_some(session, others, people)
            request = of_a_person(request, people, visits)
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
            request = of_a_person(request, people, take_some(session, others, people))
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


def test_searching_and_explaining_agree_over_every_rule(sqlite_database, clock):
    tally = agreement.check(sqlite_database, clock.set, cases=int(os.environ.get("FRONTDESK_AGREEMENT_CASES", "300")), seed=7)
    assert tally.disagreements == []
    assert tally.free
    assert set(rules.CODES) <= set(tally.reasons)
