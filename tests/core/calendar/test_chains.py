"""Visits that follow each other: found by a walk over free times, compared with every combination of them."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from itertools import combinations, pairwise, product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scheduling_core import booking, times
from scheduling_core.calendar import chains, search
from scheduling_core.calendar.chains import Chain
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

TUESDAY = dt.date(2026, 11, 17)
ON_TUESDAY = TimeWish(days=(Days(TUESDAY, TUESDAY),))
PLACES = ("here", "there")


def local(clinic: ClinicFile, time: FreeTime) -> dt.datetime:
    return times.to_wall(time.start, clinic.zone_of(time.location_id)).replace(tzinfo=None)


def every_chain(session: Session, clinic: ClinicFile, requests: list[Request], wish: TimeWish) -> list[Chain]:
    """Every combination of free times that is a chain, by trying them all."""
    start = times.now()
    end = start + dt.timedelta(days=clinic.clinic.booking_horizon_days + 1)
    free = [search.find(session, clinic, request, start=start, end=end) for request in requests]
    return [Chain(some) for some in product(*free) if is_chain(clinic, some, wish)]


def is_chain(clinic: ClinicFile, some: tuple[FreeTime, ...], wish: TimeWish) -> bool:
    gap = dt.timedelta(minutes=clinic.clinic.back_to_back_minutes)
    first, *later = sorted(some, key=lambda one: one.start)
    return (
        all(dt.timedelta() <= two.start - one.end <= gap for one, two in pairwise([first, *later]))
        and len({(one.location_id, one.mode) for one in some}) == 1
        and wish.allows(local(clinic, first))
        and all(wish.allows_day(local(clinic, one).date()) for one in later)
        and all(not wish.hours or local(clinic, one).time() in wish.hours[0] for one in later)
        and all(chains.can_be_held_together(one, other) for one, other in combinations(some, 2))
    )


def clinic_of(case: dict[str, Any]) -> ClinicFile:
    """Two places, two or three people who work at one of them each, services of these lengths."""
    services = [
        {"id": f"s{number}", "name": f"S{number}", "specialty": "general", "minutes": minutes, "buffer_after_minutes": after}
        for number, (minutes, after) in enumerate(case["services"])
    ]
    people = [
        {
            "id": f"p{number}",
            "name": f"Dr. P{number}",
            "services": [f"s{one}" for one in sorted(gives)],
            "schedule": [{"days": "mon-sun", "at": at, "time": span}],
        }
        for number, (at, span, gives) in enumerate(case["people"])
    ]
    made = make_clinic(
        clinic={"grid_minutes": 10, "booking_horizon_days": 1, "back_to_back_minutes": case["gap"]},
        locations=[{"id": at, "name": at, "hours": {"mon-sun": "00:00-23:55"}} for at in PLACES],
    )
    return ClinicFile.model_validate(made.model_dump() | {"services": services, "practitioners": people})


HALF_DAYS = st.sampled_from(["10:00-11:00", "10:00-11:30", "10:30-12:00"])
CASES = st.fixed_dictionaries(
    {
        "services": st.lists(st.tuples(st.sampled_from([10, 20, 30]), st.sampled_from([0, 0, 10])), min_size=3, max_size=3),
        "people": st.lists(
            st.tuples(st.sampled_from(PLACES), HALF_DAYS, st.sets(st.integers(0, 2), min_size=1)), min_size=1, max_size=3
        ).filter(lambda people: set().union(*(gives for _, _, gives in people)) == {0, 1, 2}),
        "gap": st.sampled_from([0, 10, 20]),
        "taken": st.lists(st.integers(0, 40), max_size=4),
        "wanted": st.lists(st.integers(0, 2), min_size=2, max_size=3),
        "wish": st.sampled_from(
            [
                TimeWish(),
                TimeWish(soonest=True),
                TimeWish(hours=(Hours(dt.time(10), dt.time(11)),)),
                TimeWish(at=(dt.time(10, 30),)),
                ON_TUESDAY,
            ]
        ),
    }
)


class _Undo(Exception):
    pass


@given(case=CASES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
def test_the_best_of_all_combinations_is_found_and_nothing_else(
    sqlite_database: Database, clock: Any, case: dict[str, Any]
) -> None:
    clinic = clinic_of(case)
    with suppress(_Undo), sqlite_database.transaction() as session:
        loading.load(session, clinic, agent="load")
        for place in case["taken"]:
            patient = make_patient(session).id
            start = times.now()
            free = search.find(session, clinic, Request("s0"), start=start, end=start + dt.timedelta(days=2))
            if free:
                booking.book(
                    session, clinic, patient_id=patient, time=free[place % len(free)], agent="test", key=f"{place}:{patient}"
                )
        requests = [Request(f"s{number}") for number in case["wanted"]]
        everything = every_chain(session, clinic, requests, case["wish"])
        found = chains.find(session, clinic, requests, wish=case["wish"])
        ranked = sorted(chains.rank(clinic, one, soonest=case["wish"].soonest) for one in everything)
        assert bool(found) == bool(everything)
        assert all(is_chain(clinic, one.times, case["wish"]) and one in everything for one in found)
        assert [chains.rank(clinic, one, soonest=case["wish"].soonest) for one in found[:1]] == ranked[:1]
        raise _Undo


def starts(clinic: ClinicFile, chain: Chain) -> list[tuple[str, str]]:
    return [(chain.times[one].service_id, f"{local(clinic, chain.times[one]):%H:%M}") for one in chain.in_order]


def test_a_physical_and_a_shot_follow_each_other_at_one_place(loaded, clinic):
    with loaded.reading() as session:
        found = chains.find(session, clinic, [Request("physical"), Request("vaccine")], wish=ON_TUESDAY)
    assert len(found) == 3
    assert {time.location_id for chain in found for time in chain.times} == {"north"}
    assert starts(clinic, found[0]) == [("physical", "08:00"), ("vaccine", "08:40")]


def test_two_children_see_one_practitioner_where_that_can_be(loaded, clinic):
    with loaded.transaction() as session:
        children = [make_patient(session, given=name, birth_date="2018-05-05").id for name in ("Mia", "Leo")]
        requests = [Request("well-child", patient_id=child) for child in children]
        found = chains.find(session, clinic, requests, wish=ON_TUESDAY)
    assert all(chain.changes == 0 and not chain.waiting for chain in found)


def test_other_hours_than_wished_are_the_nearest(loaded, clinic):
    wish = TimeWish(days=ON_TUESDAY.days, hours=(Hours(dt.time(17), None),))
    requests = [Request("physical"), Request("vaccine")]
    with loaded.reading() as session:
        assert chains.find(session, clinic, requests, wish=wish) == []
        (found,) = chains.nearest(session, clinic, requests, wish=wish)
    assert local(clinic, found.first).date() == TUESDAY


def test_services_without_a_place_in_common_are_no_chain(loaded, clinic):
    requests = [Request("vaccine"), Request("well-child", location_id="south")]
    with loaded.reading() as session:
        why = chains.cannot(session, clinic, requests)
        assert chains.find(session, clinic, requests, wish=TimeWish()) == []
    assert why is not None
    assert (why[0], why[1].code) == (1, "no-common-place")


def test_two_visits_of_one_day_keep_the_daily_maximum(sqlite_database, clock):
    one_a_day = {"max_visits_per_day": 1}
    clinic = load(
        sqlite_database, make_clinic(practitioner=one_a_day, practitioners=["abel", "bruno"], clinic={"grid_minutes": 30})
    )
    with sqlite_database.reading() as session:
        found = chains.find(session, clinic, [Request("visit"), Request("visit")], wish=ON_TUESDAY)
    assert found
    assert all(chain.changes == 1 for chain in found)


def test_a_later_visit_may_start_after_the_clock_time_that_was_wished(loaded, clinic):
    wish = TimeWish(days=ON_TUESDAY.days, at=(dt.time(9, 0),))
    with loaded.reading() as session:
        found = chains.find(session, clinic, [Request("physical"), Request("vaccine")], wish=wish)
    assert {starts(clinic, chain)[0][1] for chain in found} == {"09:00"}
