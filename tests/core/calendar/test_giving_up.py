"""Which wish to give up where nothing fits, and what that would bring."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduling_core import times
from scheduling_core.calendar import giving_up, search
from scheduling_core.calendar.giving_up import Wish, held_wishes, nearest
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Mode
from tests.factories import make_free_time

MORNING = (Hours(dt.time(8), dt.time(12)),)
EVENING = (Hours(dt.time(17, 30), None),)


def on(iso: str, until: str | None = None, **more) -> TimeWish:
    return TimeWish(days=(Days(dt.date.fromisoformat(iso), dt.date.fromisoformat(until or iso)),), **more)


def wall(clinic: ClinicFile, time: FreeTime) -> dt.datetime:
    return times.to_wall(time.start, clinic.zone_of(time.location_id)).replace(tzinfo=None)


def look(database: Database, clinic: ClinicFile, request: Request, wish: TimeWish) -> giving_up.Nearest:
    with database.reading() as session:
        assert search.offers(session, clinic, request, wish=wish) == []
        return giving_up.find(session, clinic, request, wish=wish)


@pytest.mark.parametrize(
    ("request_", "wish", "given_up"),
    [
        (Request("physical", practitioners=("ferreira",)), on("2026-11-20"), {Wish.PRACTITIONER, Wish.DAYS}),
        (Request("follow-up", gender="female"), on("2026-11-20"), {Wish.GENDER, Wish.DAYS}),
        (Request("physical", language="es"), on("2026-11-17", at=(dt.time(13, 30),)), {Wish.LANGUAGE, Wish.DAYS, Wish.HOURS}),
        (Request("physical", location_id="north"), on("2026-11-20", hours=EVENING), {Wish.PLACE, Wish.DAYS, Wish.HOURS}),
        (Request("follow-up", practitioners=("brandt",), mode=Mode.VIDEO), on("2026-11-18", hours=MORNING), None),
    ],
)
def test_each_wish_that_brings_something_is_named_with_the_time_it_brings(loaded, clinic, request_, wish, given_up):
    found = look(loaded, clinic, request_, wish)
    named = {one.wishes for one in found.sacrifices}
    assert given_up is None or {one for wishes in named for one in wishes} <= given_up
    assert found.sacrifices
    for one in found.sacrifices:
        eased, rest = giving_up.without(clinic, request_, wish, one.wishes)
        start = one.time.start
        with loaded.reading() as session:
            assert search.find(session, clinic, eased, start=start, end=start + dt.timedelta(minutes=1), wish=rest)
        assert not wish.allows(wall(clinic, one.time)) or not set(one.wishes) <= {Wish.DAYS, Wish.HOURS}
    assert [one.price for one in found.sacrifices] == sorted(one.price for one in found.sacrifices)


def test_another_hour_of_the_day_is_dearer_the_farther_off_it_is(clinic):
    wish = on("2026-11-17", hours=MORNING)
    one, three = (make_free_time(clinic, start=f"2026-11-17T{hour}:00", service_id="physical") for hour in (13, 15))
    assert giving_up.price(clinic, wish, [Wish.HOURS], one) < giving_up.price(clinic, wish, [Wish.HOURS], three)


def test_the_first_time_that_keeps_all_but_the_last_day_is_told(loaded, clinic):
    wish = on("2026-11-16", "2026-11-19", weekdays=frozenset({4}))
    found = look(loaded, clinic, Request("physical", practitioners=("sorensen",)), wish)
    assert found.later is not None
    assert wall(clinic, found.later).date() == dt.date(2026, 11, 20)


def test_where_no_wish_alone_helps_two_are_given_up(loaded, clinic):
    request = Request("physical", practitioners=("ferreira",), location_id="south")
    found = look(loaded, clinic, request, on("2026-11-17"))
    assert {len(one.wishes) for one in found.sacrifices} in ({1}, {2})
    assert found.sacrifices[0].wishes in ((Wish.PRACTITIONER,), (Wish.PLACE,))


def test_without_a_wish_there_is_nothing_to_give_up(loaded, clinic):
    assert held_wishes(Request("physical"), TimeWish(except_weekdays=frozenset({1}))) == []
    with loaded.reading() as session:
        assert giving_up.find(session, clinic, Request("physical"), wish=TimeWish()) == giving_up.Nearest(None, ())


def test_nearest_is_another_hour_of_the_wished_day(loaded, clinic):
    wish = on("2026-11-17", at=(dt.time(12, 0),))
    with loaded.reading() as session:
        request = Request("physical", practitioners=("sorensen",))
        assert search.offers(session, clinic, request, wish=wish) == []
        (found,) = nearest(session, clinic, request, wish=wish)
    assert wall(clinic, found) == dt.datetime(2026, 11, 17, 11, 20)


def test_nearest_is_another_day_at_the_wished_hours_when_the_day_is_closed(loaded, clinic):
    wish = on("2026-11-26", hours=(Hours(dt.time(9), dt.time(11)),))
    with loaded.reading() as session:
        (found,) = nearest(session, clinic, Request("physical", practitioners=("sorensen",)), wish=wish)
    assert wall(clinic, found).date() in (dt.date(2026, 11, 25), dt.date(2026, 11, 27))
    assert wall(clinic, found).hour in (9, 10)


def test_nearest_respects_what_was_excluded(loaded, clinic):
    wish = on("2026-11-26", except_weekdays=frozenset({2, 4}))
    with loaded.reading() as session:
        (found,) = nearest(session, clinic, Request("physical", practitioners=("sorensen",)), wish=wish)
    assert wall(clinic, found).weekday() not in (2, 4)
