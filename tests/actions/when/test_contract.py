"""The reading as the command line prints it, and its promises for any text."""

import datetime as dt
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.when import as_contract, read, read_birth_date, say_day, say_start, say_time

NOW = dt.datetime(2026, 11, 16, 9)


@pytest.mark.parametrize(
    ("text", "start", "end", "grain", "bound"),
    [
        ("December 3rd", "2026-12-03T00:00:00", "2026-12-04T00:00:00", "day", None),
        ("next week", "2026-11-23T00:00:00", "2026-11-30T00:00:00", "week", None),
        ("tomorrow at 3", "2026-11-17T15:00:00", None, "minute", None),
        ("Friday between 2 and 4", "2026-11-20T14:00:00", "2026-11-20T16:00:00", "minute", None),
        ("after 3 on Friday", "2026-11-20T15:00:00", None, "minute", "after"),
        ("by Friday", None, "2026-11-21T00:00:00", "day", "before"),
        ("tomorrow morning", "2026-11-17T08:00:00", "2026-11-17T12:00:00", "hour", None),
    ],
)
def test_one_stretch_of_time(text, start, end, grain, bound):
    found = as_contract(read(text, NOW))
    assert (found["start"], found["end"], found["grain"], found["bound"]) == (start, end, grain, bound)


def test_weekdays_exceptions_and_questions_are_told():
    assert as_contract(read("Tuesday or Thursday", NOW))["weekdays"] == ["tue", "thu"]
    assert as_contract(read("any day but Friday", NOW))["except"] == ["fri"]
    assert as_contract(read("Friday, December 3rd", NOW))["ambiguous"] is True
    assert as_contract(None) is None


def test_days_and_times_are_said_in_both_languages():
    today = NOW.date()
    assert say_day(dt.date(2026, 11, 24), today, "en") == "Tuesday, November 24"
    assert say_day(dt.date(2026, 11, 24), today, "es") == "martes 24 de noviembre"
    assert say_day(dt.date(2028, 2, 29), today, "en") == "Tuesday, February 29, 2028"
    assert say_time(dt.time(12), "en") == "12:00 PM"
    assert say_start(dt.datetime(2026, 11, 24, 9, 20), today, "en") == "Tuesday, November 24 at 9:20 AM"
    assert say_start(dt.datetime(2026, 11, 24, 13, 0), today, "es") == "martes 24 de noviembre a la 1:00 PM"


@given(st.dates(dt.date(2026, 11, 17), dt.date(2027, 9, 1)), st.times())
def test_what_is_said_is_read_back_as_the_same_start(day, clock):
    start = dt.datetime.combine(day, clock.replace(second=0, microsecond=0))
    for language in ("en", "es"):
        assert read(say_start(start, NOW.date(), language), NOW, language=language).start == start


_SAID = (
    "the a at on next this last friday fridays monday or and to - , . from until after before between not except 3 30 12 24"
    " 4th first second week month day december may 12/3 9:30 9.30 am pm morning late"
    " early half past quarter in two hours"
    " same time later one"
    " el la de por mañana tarde lunes a las y media hasta desde próxima semana 2027 noon born weekdays any whenever asap 99 0 31st"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_SAID.split()), max_size=14).map(" ".join))
def test_no_order_of_words_about_time_raises(text):
    for language in (None, "es"):
        offered = [dt.datetime(2026, 11, 24, 9, 20), dt.datetime(2026, 11, 25, 14)]
        reading = read(text, NOW, anchor=dt.datetime(2026, 11, 19, 9), offered=offered, language=language)
        as_contract(reading)
        read_birth_date(text, NOW, language=language)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_no_text_raises(text):
    as_contract(read(text, NOW))
    read_birth_date(text, NOW)


@pytest.mark.parametrize(
    "unit", ["1 ", "next ", "half past ", "12/3 ", "9.", "a", "monday or ", "(((", "from 3 to ", "\x00", "ñ", "1:", "at "]
)
def test_ten_thousand_characters_take_no_longer_than_two_thousand(unit):
    long = (unit * 10_000)[:10_000]
    began = time.process_time()
    read(long, NOW)
    read_birth_date(long, NOW)
    assert time.process_time() - began < 2
