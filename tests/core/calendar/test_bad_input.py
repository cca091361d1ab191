"""Windows and words that make no sense are answered, not tripped over."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduling_core import times
from scheduling_core.calendar import rules
from scheduling_core.calendar.giving_up import nearest
from scheduling_core.calendar.search import Request, find, offers
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.errors import NotFoundError
from tests.core.clinics import load, make_clinic

DAY = dt.timedelta(days=1)
LONG_AGO, MONDAY, TUESDAY = dt.date(1970, 1, 1), dt.date(2026, 11, 9), dt.date(2026, 11, 17)
BEYOND, FAR_BEYOND = dt.date(2027, 11, 1), dt.date(2199, 1, 1)


@pytest.mark.parametrize(
    ("start", "end"),
    [(-7 * DAY, -DAY), (-20_000 * DAY, -DAY), (DAY, DAY), (3 * DAY, DAY), (400 * DAY, 500 * DAY), (60_000 * DAY, 70_000 * DAY)],
    ids=["past", "long past", "empty", "reversed", "beyond the horizon", "far beyond it"],
)
def test_a_window_without_bookable_time_finds_nothing(loaded, clinic, start, end):
    with loaded.reading() as session:
        for limit in (None, 3):
            assert find(session, clinic, Request("vaccine"), start=times.now() + start, end=times.now() + end, limit=limit) == []


def test_a_window_that_reaches_from_the_past_beyond_the_horizon_finds_what_lies_between(loaded, clinic):
    now = times.now()
    with loaded.reading() as session:
        everything = find(session, clinic, Request("vaccine"), start=now, end=now + 121 * DAY)
        found = find(session, clinic, Request("vaccine"), start=now - 20_000 * DAY, end=now + 60_000 * DAY)
    assert found == everything != []


@pytest.mark.parametrize(
    "days",
    [
        Days(MONDAY, MONDAY),
        Days(LONG_AGO, MONDAY),
        Days(TUESDAY, MONDAY),
        Days(BEYOND, BEYOND),
        Days(BEYOND, FAR_BEYOND),
    ],
    ids=["past", "long past", "reversed", "beyond the horizon", "far beyond it"],
)
def test_a_wish_for_days_without_bookable_time_is_offered_nothing_but_the_nearest(loaded, clinic, days):
    wish = TimeWish(days=(days,))
    with loaded.reading() as session:
        assert offers(session, clinic, Request("vaccine"), wish=wish) == []
        (found,) = nearest(session, clinic, Request("vaccine"), wish=wish)
    assert times.now() < found.start < times.now() + 121 * DAY


def test_hours_that_hold_no_time_are_offered_nothing(loaded, clinic):
    wish = TimeWish(hours=(Hours(dt.time(15), dt.time(9)),))
    with loaded.reading() as session:
        assert offers(session, clinic, Request("vaccine"), wish=wish) == []


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (Request("no-such-service"), "HealthcareService/no-such-service"),
        (Request("vaccine", patient_id="nobody"), "Patient/nobody"),
    ],
)
def test_an_unknown_service_or_patient_is_not_found(loaded, clinic, request_, named):
    now = times.now()
    with loaded.reading() as session:
        for ask in (
            lambda: find(session, clinic, request_, start=now, end=now + DAY),
            lambda: offers(session, clinic, request_, wish=TimeWish()),
            lambda: nearest(session, clinic, request_, wish=TimeWish()),
            lambda: rules.explain_time(session, clinic, request_, now),
        ):
            with pytest.raises(NotFoundError, match=named):
                ask()


@pytest.mark.parametrize(
    ("request_", "code"),
    [(Request("vaccine", practitioners=("nobody",)), "no-practitioner"), (Request("vaccine", location_id="nowhere"), "location")],
)
def test_an_unknown_practitioner_or_place_offers_nothing_and_is_named(loaded, clinic, request_, code):
    now = times.now()
    with loaded.reading() as session:
        assert find(session, clinic, request_, start=now, end=now + DAY) == []
        assert offers(session, clinic, request_, wish=TimeWish()) == nearest(session, clinic, request_, wish=TimeWish()) == []
        assert rules.explain_time(session, clinic, request_, now + DAY) == [code]


def test_a_service_longer_than_any_session_is_never_free_and_every_time_says_why(database, clock):
    clinic = load(database, make_clinic(sessions=["09:00-12:00", "12:00-15:00"], service={"minutes": 200}))
    now = times.now()
    with database.reading() as session:
        assert find(session, clinic, Request("visit"), start=now, end=now + 121 * DAY) == []
        assert offers(session, clinic, Request("visit"), wish=TimeWish()) == []
        start = dt.datetime(2026, 11, 17, 9, 0, tzinfo=clinic.zone)
        assert rules.explain_time(session, clinic, Request("visit"), start) == ["not-working"]


def test_overlapping_absences_entered_twice_are_one_absence(database, clock):
    absences = [("17", "19"), ("17", "19"), ("18", "20"), ("19", "19")]
    clinic = load(
        database,
        make_clinic(practitioner={"absences": [{"from": f"2026-11-{a}", "to": f"2026-11-{b}"} for a, b in absences]}),
    )
    now = times.now()
    with database.reading() as session:
        found = find(session, clinic, Request("visit"), start=now, end=now + 7 * DAY)
        why = rules.explain_time(session, clinic, Request("visit"), dt.datetime(2026, 11, 18, 9, 0, tzinfo=clinic.zone))
    assert {one.start.astimezone(clinic.zone).day for one in found} == {16, 21, 22, 23}
    assert why == ["absent"]
