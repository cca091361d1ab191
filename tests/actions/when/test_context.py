"""Words that point at the visit talked about, or at the times offered last."""

import datetime as dt

import pytest

from actions.when import read

MONDAY = dt.datetime(2026, 11, 16, 9)
VISIT = dt.datetime(2026, 11, 19, 9, 20)
OFFERED = [dt.datetime(2026, 11, 24, 9, 20), dt.datetime(2026, 11, 25, 14), dt.datetime(2026, 11, 27, 10, 40)]
ONE_DAY = [dt.datetime(2026, 11, 24, 9, 20), dt.datetime(2026, 11, 24, 10, 20)]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("same time next week", "2026-11-26T09:20"),
        ("same day and time, one week later", "2026-11-26T09:20"),
        ("push it back an hour", "2026-11-19T10:20"),
        ("one hour later the same day", "2026-11-19T10:20"),
        ("half an hour earlier", "2026-11-19T08:50"),
        ("same time but on Friday", "2026-11-20T09:20"),
        ("the day after, same time", "2026-11-20T09:20"),
        ("push it back a week", "2026-11-26T09:20"),
        ("move it up a day", "2026-11-18T09:20"),
        ("a la misma hora la próxima semana", "2026-11-26T09:20"),
        ("una hora más tarde", "2026-11-19T10:20"),
    ],
)
def test_a_shift_of_the_visit_is_one_exact_start(text, start):
    reading = read(text, MONDAY, anchor=VISIT)
    assert reading.start == dt.datetime.fromisoformat(start)
    assert reading.wish.allows(reading.start)
    assert len(reading.wish.at) == 1


def test_a_shift_over_the_hour_that_is_skipped_keeps_wall_time():
    assert read("a day later", MONDAY, anchor=dt.datetime(2027, 3, 13, 9)).start == dt.datetime(2027, 3, 14, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the same day in the afternoon", {"days": [["2026-11-19", "2026-11-19"]], "hours": [["12:00:00", "18:00:00"]]}),
        ("later that day", {"days": [["2026-11-19", "2026-11-19"]], "hours": [["09:25:00", None]]}),
        ("earlier on the same day", {"days": [["2026-11-19", "2026-11-19"]], "hours": [["00:00:00", "09:20:00"]]}),
        ("the week after", {"days": [["2026-11-23", "2026-11-29"]]}),
        ("the day before", {"days": [["2026-11-18", "2026-11-18"]]}),
        ("the same day next week", {"days": [["2026-11-26", "2026-11-26"]]}),
        ("el mismo día por la tarde", {"days": [["2026-11-19", "2026-11-19"]], "hours": [["12:00:00", "18:00:00"]]}),
    ],
)
def test_the_same_day_and_the_week_after(text, expected):
    assert read(text, MONDAY, anchor=VISIT).wish.as_json() == expected


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("the second one", 1),
        ("the first", 0),
        ("the last one please", 2),
        ("the later one", 2),
        ("the earlier one", 0),
        ("the 9:20", 0),
        ("10:40 works", 2),
        ("Wednesday", 1),
        ("the Friday one", 2),
        ("the afternoon one", 1),
        ("at 2", 1),
        ("la segunda", 1),
        ("la de las 2", 1),
        ("el miércoles está bien", 1),
        ("I'll take the earliest", 0),
        ("the latest one", 2),
    ],
)
def test_words_that_name_one_offered_time_choose_it(text, which):
    assert read(text, MONDAY, offered=OFFERED).start == OFFERED[which]


def test_a_wish_that_fits_no_offer_stays_a_wish():
    assert read("no, something on Thursday", MONDAY, offered=OFFERED).wish.as_json() == {"days": [["2026-11-19", "2026-11-19"]]}
    assert read("anything else on Wednesday?", MONDAY, offered=OFFERED).wish.as_json() == {"days": [["2026-11-25", "2026-11-25"]]}


def test_later_and_sooner_than_what_was_offered():
    assert read("anything later?", MONDAY, offered=ONE_DAY).wish.as_json() == {
        "days": [["2026-11-24", "2026-11-24"]],
        "hours": [["10:25:00", None]],
    }
    assert read("do you have something sooner", MONDAY, offered=OFFERED).wish.as_json() == {"days": [["2026-11-16", "2026-11-23"]]}


def test_a_bare_number_is_a_choice_and_no_time():
    assert read("2", MONDAY, offered=OFFERED) is None


def test_that_day_is_the_day_that_was_offered():
    assert read("same day but afternoon", MONDAY, offered=ONE_DAY).wish.as_json() == {
        "days": [["2026-11-24", "2026-11-24"]],
        "hours": [["12:00:00", "18:00:00"]],
    }
