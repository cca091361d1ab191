"""Weekly hours become instants: over daylight saving, the turn of the year, leap days, closures and holidays."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from scheduling_core import times
from scheduling_core.calendar import hours, ticks
from scheduling_core.clinic_file.schema import ClinicFile
from tests.core.clinics import make_clinic

CHICAGO = ZoneInfo("America/Chicago")


def worked(clinic: ClinicFile, day: str, who: str = "lindgren") -> list[str]:
    """The stretches of a day, "start end" in UTC."""
    found = hours.hours_of(clinic).on(who, dt.date.fromisoformat(day))
    return [f"{ticks.instant_of(one.first):%d %H:%M} {ticks.instant_of(one.end):%d %H:%M}" for one in found]


@pytest.mark.parametrize(
    ("day", "session", "in_utc"),
    [
        # 2026-03-08: the clock goes from 2:00 to 3:00
        ("2026-03-07", "00:00-06:00", ["07 06:00 07 12:00"]),
        ("2026-03-08", "00:00-06:00", ["08 06:00 08 11:00"]),
        ("2026-03-09", "00:00-06:00", ["09 05:00 09 11:00"]),
        ("2026-03-08", "01:30-03:30", ["08 07:30 08 08:30"]),
        ("2026-03-08", "01:00-02:30", ["08 07:00 08 08:00"]),
        ("2026-03-08", "02:30-04:00", ["08 08:00 08 09:00"]),
        ("2026-03-08", "02:00-03:00", []),
        ("2026-03-08", "08:00-12:00", ["08 13:00 08 17:00"]),
        # 2026-11-01: the clock goes from 2:00 back to 1:00
        ("2026-10-31", "00:00-06:00", ["31 05:00 31 11:00"]),
        ("2026-11-01", "00:00-06:00", ["01 05:00 01 12:00"]),
        ("2026-11-02", "00:00-06:00", ["02 06:00 02 12:00"]),
        ("2026-11-01", "01:00-01:30", ["01 06:00 01 06:30"]),
        ("2026-11-01", "01:30-03:00", ["01 06:30 01 09:00"]),
        ("2026-11-01", "08:00-12:00", ["01 14:00 01 18:00"]),
        # the turn of the year, and leap days
        ("2026-12-31", "20:00-23:30", ["01 02:00 01 05:30"]),
        ("2027-01-01", "00:00-01:00", ["01 06:00 01 07:00"]),
        ("2028-02-28", "09:00-12:00", ["28 15:00 28 18:00"]),
        ("2028-02-29", "09:00-12:00", ["29 15:00 29 18:00"]),
        ("2028-03-01", "09:00-12:00", ["01 15:00 01 18:00"]),
    ],
)
def test_wall_hours_become_instants(day, session, in_utc):
    assert worked(make_clinic(sessions=[session]), day) == in_utc


def test_each_location_works_by_its_own_clock():
    clinic = make_clinic(
        locations=[
            {"id": "here", "name": "Here", "hours": {"mon-sun": "08:00-18:00"}, "timezone": "America/New_York"},
            {"id": "there", "name": "There", "hours": {"mon-sun": "08:00-18:00"}, "timezone": "America/Phoenix"},
        ],
        practitioner={
            "schedule": [
                {"days": "mon-sun", "at": "here", "time": "09:00-10:00"},
                {"days": "mon-sun", "at": "there", "time": "15:00-16:00"},
            ]
        },
    )
    assert worked(clinic, "2026-07-01") == ["01 13:00 01 14:00", "01 22:00 01 23:00"]
    assert worked(clinic, "2026-12-01") == ["01 14:00 01 15:00", "01 22:00 01 23:00"]


def test_sessions_are_cut_to_the_hours_of_the_location():
    clinic = make_clinic(sessions=["08:00-12:00"], hours={"mon-fri": "09:00-17:00", "sat": "10:00-11:00"})
    assert worked(clinic, "2026-12-01") == ["01 15:00 01 18:00"]
    assert worked(clinic, "2026-12-05") == ["05 16:00 05 17:00"]
    assert worked(clinic, "2026-12-06") == []


def test_hours_of_a_location_that_touch_are_one_stretch():
    clinic = make_clinic(sessions=["08:00-12:00"], hours={"mon-sun": "08:00-10:00", "tue": "10:00-17:00"})
    assert worked(clinic, "2026-12-01") == ["01 14:00 01 18:00"]


def test_nobody_works_on_public_holidays():
    clinic = make_clinic(holiday_calendar="US-IL")
    closed = ["2026-11-26", "2026-12-25", "2027-01-01", "2027-06-18", "2028-02-21", "2021-12-31"]  # the last: New Year observed
    assert [worked(clinic, day) for day in closed] == [[]] * len(closed)
    assert worked(clinic, "2026-11-27") != []


def test_a_closure_of_one_location_leaves_the_other_open():
    clinic = make_clinic(
        locations=[{"id": at, "name": at, "hours": {"mon-sun": "08:00-18:00"}} for at in ("here", "there")],
        practitioner={
            "schedule": [
                {"days": "mon-sun", "at": "here", "time": "09:00-10:00"},
                {"days": "mon-sun", "at": "there", "time": "11:00-12:00"},
            ]
        },
        closures=[{"date": "2026-12-01", "name": "Paint", "locations": ["here"]}, {"date": "2026-12-02", "name": "Outing"}],
    )
    assert worked(clinic, "2026-12-01") == ["01 17:00 01 18:00"]
    assert worked(clinic, "2026-12-02") == []


def test_absences_include_both_ends():
    clinic = make_clinic(practitioner={"absences": [{"from": "2026-12-30", "to": "2027-01-02"}]})
    days = ["2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02", "2027-01-03"]
    assert [bool(worked(clinic, day)) for day in days] == [True, False, False, False, False, True]


def test_starts_lie_on_the_grid_of_the_wall_clock():
    kolkata = make_clinic(sessions=["09:10-12:00"], zone="Asia/Kolkata", clinic={"grid_minutes": 60})
    stretch = hours.hours_of(kolkata).on("lindgren", dt.date(2026, 12, 1))[0]
    assert [f"{ticks.instant_of(stretch.first + place):%H:%M}" for place in ticks.places(stretch.grid)] == ["04:30", "05:30"]


def test_an_hour_that_comes_twice_has_its_grid_twice():
    clinic = make_clinic(sessions=["00:00-04:00"], clinic={"grid_minutes": 60})
    stretch = hours.hours_of(clinic).on("lindgren", dt.date(2026, 11, 1))[0]
    assert [stretch.clock[place] // 12 for place in ticks.places(stretch.grid)] == [0, 1, 1, 2, 3]


def test_a_block_is_released_hours_before_it_starts():
    clinic = make_clinic(
        sessions=["09:00-12:00"],
        practitioner={"blocks": [{"days": "mon-sun", "time": "10:00-11:00", "keep_for": "urgent", "release_hours": 4}]},
    )
    (kept,) = hours.hours_of(clinic).on("lindgren", dt.date(2026, 11, 1))[0].kept
    assert kept.released_at == times.from_wall(dt.date(2026, 11, 1), dt.time(10), CHICAGO) - dt.timedelta(hours=4)
    routine = clinic.services_by_id["visit"]
    urgent = routine.model_copy(update={"urgency": "urgent"})
    just_before = kept.released_at - dt.timedelta(seconds=1)
    assert [kept.keeps_out(one, now) for one in (routine, urgent) for now in (just_before, kept.released_at)] == [
        True,
        False,
        False,
        False,
    ]


def test_a_time_that_the_clock_skips_is_the_instant_after_the_gap():
    assert times.from_wall(dt.date(2026, 3, 8), dt.time(2, 30), CHICAGO) == dt.datetime(2026, 3, 8, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("bits", "length", "found"), [(0b0, 2, []), (0b1111, 2, [0, 1, 2]), (0b1101111, 3, [0, 1]), (0b101, 1, [0, 2])]
)
def test_runs_are_places_with_room_for_a_length(bits, length, found):
    assert ticks.places(ticks.runs(bits, length)) == found
