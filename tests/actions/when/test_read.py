"""What patients say about time, and the wish that is made of it."""

import datetime as dt

import pytest

from actions.when import read, say_wish

MONDAY = dt.datetime(2026, 11, 16, 9)  # a Monday morning


def wish(text, now=MONDAY, **context):
    reading = read(text, now, **context)
    return reading.wish.as_json() if reading else None


def days(first, last=None):
    return [[first, last or first]]


WEDNESDAY_ON = {"days": [["2026-11-18", None]]}
THIS_WEEK, NEXT_WEEK = ["2026-11-16", "2026-11-22"], ["2026-11-23", "2026-11-29"]
MORNING, AFTERNOON = ["00:00:00", "12:00:00"], ["12:00:00", "18:00:00"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thursday works", {"days": days("2026-11-19")}),
        ("could I get a Thursday", {"weekdays": [3]}),
        ("Thursdays are good", {"weekdays": [3]}),
        ("Wednesday or Friday", {"weekdays": [2, 4]}),
        ("mon wed or fri", {"weekdays": [0, 2, 4]}),
        ("Wednesday or Friday next week", {"days": [NEXT_WEEK], "weekdays": [2, 4]}),
        ("a Tuesday or Wednesday after this week", {"days": [["2026-11-23", None]], "weekdays": [1, 2]}),
        ("Tuesday through Thursday is fine", {"days": days("2026-11-17", "2026-11-19")}),
        ("monday to friday, mornings", {"weekdays": [0, 1, 2, 3, 4], "hours": [MORNING]}),
        ("weekdays after 4", {"weekdays": [0, 1, 2, 3, 4], "hours": [["16:00:00", None]]}),
        ("Friday the 4th", {"days": days("2026-12-04")}),
        ("this Friday", {"days": days("2026-11-20")}),
        ("Wednesday of next week", {"days": days("2026-11-25")}),
        ("wensday", {"days": days("2026-11-18")}),
        ("thursdy mornign", {"days": days("2026-11-19"), "hours": [MORNING]}),
    ],
)
def test_weekdays_are_a_date_or_a_set(text, expected):
    assert wish(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("December 3rd", days("2026-12-03")),
        ("the 3rd of December please", days("2026-12-03")),
        ("dec 3", days("2026-12-03")),
        ("12/3", days("2026-12-03")),
        ("12/3/2026", days("2026-12-03")),
        ("2026-12-03", days("2026-12-03")),
        ("on the 24th", days("2026-11-24")),
        ("the 2nd of next month", days("2026-12-02")),
        ("december third", days("2026-12-03")),
        ("march second twenty twenty seven", days("2027-03-02")),
        ("February 3", days("2027-02-03")),
        ("the first Tuesday in March", days("2027-03-02")),
        ("day after tomorrow", days("2026-11-18")),
        ("a week from Friday", days("2026-11-27")),
        ("three days from tomorrow", days("2026-11-20")),
        ("in 10 days", days("2026-11-26")),
        ("the day before thanksgiving", days("2026-11-25")),
        ("the Monday after Thanksgiving", days("2026-11-30")),
        ("Novmber 30", days("2026-11-30")),
        ("tomorow", days("2026-11-17")),
    ],
)
def test_dates(text, expected):
    assert wish(text) == {"days": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sometime this week", [THIS_WEEK]),
        ("next week", [NEXT_WEEK]),
        ("the week after next", days("2026-11-30", "2026-12-06")),
        ("this week or next", days("2026-11-16", "2026-11-29")),
        ("next week or the one after", days("2026-11-23", "2026-12-06")),
        ("this week or early next week", [THIS_WEEK, ["2026-11-23", "2026-11-25"]]),
        ("in the next two weeks", days("2026-11-16", "2026-11-30")),
        ("the week of December 9th", days("2026-12-07", "2026-12-13")),
        ("first half of February", days("2027-02-01", "2027-02-16")),
        ("late January", days("2027-01-21", "2027-01-31")),
        ("the first full week of January", days("2027-01-04", "2027-01-10")),
        ("end of next month", days("2026-12-21", "2026-12-31")),
        ("some time in May 2027", days("2027-05-01", "2027-05-31")),
        ("before the holidays", days("2026-11-16", "2026-12-20")),
        ("by December 9", days("2026-11-16", "2026-12-09")),
        ("before December 9", days("2026-11-16", "2026-12-08")),
        ("between December 1st and December 9th", days("2026-12-01", "2026-12-09")),
        ("in March, any time from the 3rd to the 12th", days("2027-03-03", "2027-03-12")),
        ("the week after thanksgiving", days("2026-11-30", "2026-12-06")),
        ("tomorrow or the day after", days("2026-11-17", "2026-11-18")),
        ("today or tomorrow", [["2026-11-16", "2026-11-16"], ["2026-11-17", "2026-11-17"]]),
    ],
)
def test_stretches_of_days(text, expected):
    assert wish(text) == {"days": expected}


@pytest.mark.parametrize(
    "text", ["Wednesday or later", "from Wednesday on", "any day from Wednesday", "whenever, from wednesday onwards"]
)
def test_open_ended_days(text):
    assert wish(text) == WEDNESDAY_ON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at 3", {"at": ["15:00:00"]}),
        ("8:30", {"at": ["08:30:00"]}),
        ("at 8 or 8:30", {"at": ["08:00:00", "08:30:00"]}),
        ("three thirty", {"at": ["15:30:00"]}),
        ("nine oh five", {"at": ["09:05:00"]}),
        ("at 330", {"at": ["15:30:00"]}),
        ("nine o'clock", {"at": ["09:00:00"]}),
        ("half past ten", {"at": ["10:30:00"]}),
        ("quarter to 4", {"at": ["15:45:00"]}),
        ("2 in the afternoon", {"at": ["14:00:00"]}),
        ("five in the evening", {"at": ["17:00:00"]}),
        ("around 10", {"hours": [["09:30:00", "10:30:00"]]}),
        ("after 3", {"hours": [["15:00:00", None]]}),
        ("2 pm or later", {"hours": [["14:00:00", None]]}),
        ("before noon", {"hours": [MORNING]}),
        ("not before 10", {"hours": [["10:00:00", None]]}),
        ("between 12 and 2", {"hours": [["12:00:00", "14:00:00"]]}),
        ("9 to 11:30 am", {"hours": [["09:00:00", "11:30:00"]]}),
        ("before 9 or after 4", {"hours": [["00:00:00", "09:00:00"], ["16:00:00", None]]}),
        ("afternoons", {"hours": [AFTERNOON]}),
        ("on my lunch break", {"hours": [["11:30:00", "13:30:00"]]}),
        ("after school", {"hours": [["15:00:00", None]]}),
        ("early morning, before 10", {"hours": [["00:00:00", "10:00:00"]]}),
        ("I work until 4", {"hours": [["16:00:00", None]]}),
    ],
)
def test_hours(text, expected):
    assert wish(text) == expected


def test_bare_hours_are_read_by_the_clinics_hours():
    night_clinic = (dt.time(17), dt.time(23))
    assert wish("at 8", hours=night_clinic) == {"at": ["20:00:00"]}
    assert wish("at 8") == {"at": ["08:00:00"]}


def test_first_thing_follows_the_opening_hour():
    assert wish("first thing Thursday", hours=(dt.time(7, 30), dt.time(16)))["hours"] == [["00:00:00", "09:30:00"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Friday between 2 and 4", {"days": days("2026-11-20"), "hours": [["14:00:00", "16:00:00"]]}),
        ("tomorrow before 9", {"days": days("2026-11-17"), "hours": [["00:00:00", "09:00:00"]]}),
        ("next week, late afternoon", {"days": [NEXT_WEEK], "hours": [["15:00:00", "18:00:00"]]}),
        ("Is Thursday open? Say 9:15 in the morning.", {"days": days("2026-11-19"), "at": ["09:15:00"]}),
        ("december third at two thirty p m", {"days": days("2026-12-03"), "at": ["14:30:00"]}),
        ("fridays at 2", {"weekdays": [4], "at": ["14:00:00"]}),
        ("tuesday nov 24 9 20", {"days": days("2026-11-24"), "at": ["09:20:00"]}),
        ("friday2pm", {"days": days("2026-11-20"), "at": ["14:00:00"]}),
        ("I need it by tomorrow at 5", {"days": days("2026-11-17"), "hours": [["00:00:00", "17:00:00"]]}),
        ("nov 24th @ 9", {"days": days("2026-11-24"), "at": ["09:00:00"]}),
        ("I'd like Tuesday. No, sorry, Wednesday at 1", {"days": days("2026-11-18"), "at": ["13:00:00"]}),
        ("move it from Tuesday to Friday", {"days": days("2026-11-20")}),
        ("can you change it from the 20th to the 23rd", {"days": days("2026-11-23")}),
        ("my visit is Friday at 3 but I need to move it to Wednesday", {"days": days("2026-11-18")}),
        (
            "tomorrow morning or Friday afternoon",
            {"days": [*days("2026-11-17"), *days("2026-11-20")], "hours": [MORNING, AFTERNOON]},
        ),
    ],
)
def test_days_and_hours_together(text, expected):
    assert wish(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("any day but tomorrow", {"except_days": days("2026-11-17")}),
        ("any day except Monday and Friday", {"except_weekdays": [0, 4]}),
        ("not on a tuesday or thursday", {"except_weekdays": [1, 3]}),
        ("not mornings", {"except_hours": [MORNING]}),
        ("next week but not Monday", {"days": [NEXT_WEEK], "except_weekdays": [0]}),
        ("Tuesdays don't work", {"except_weekdays": [1]}),
        ("I can't do Mondays", {"except_weekdays": [0]}),
        ("not Tuesday, Thursday", {"days": days("2026-11-19"), "except_weekdays": [1]}),
        ("I'd rather not do Fridays", {"except_weekdays": [4]}),
        ("mornings don't work for me", {"except_hours": [MORNING]}),
        ("el lunes no puedo", {"except_weekdays": [0]}),
        ("we're away next week", {"except_days": [NEXT_WEEK]}),
    ],
)
def test_exclusions(text, expected):
    assert wish(text) == expected


@pytest.mark.parametrize("text", ["whenever", "any time is fine", "no preference", "any day works", "cualquier día", "cuando haya"])
def test_any_time_is_a_reading_with_an_empty_wish(text):
    reading = read(text, MONDAY)
    assert reading is not None
    assert (reading.grain, bool(reading.wish)) == ("any", False)


@pytest.mark.parametrize("text", ["as soon as possible", "asap please", "the first available", "lo antes posible", "cuanto antes"])
def test_the_soonest_is_wanted(text):
    assert wish(text) == {"soonest": True}


def test_soonest_within_days_is_those_days():
    assert wish("today, as soon as possible") == {"days": days("2026-11-16")}


@pytest.mark.parametrize(
    "text",
    [
        "I need an appointment",
        "2",
        "yes please",
        "the first one",
        "4 year checkup",
        "I have 2 kids",
        "my son is 4",
        "88 E Division St",
        "1200 May St, apt 5",
        "call me at 312-555-0142",
        "member id 1EG4TE5MK72",
        "it costs $20",
        "you're open 24/7?",
        "good morning",
        "I may need a ride",
        "a second opinion",
        "I've had a cough for 3 days",
        "it started yesterday",
        "it has hurt since Monday",
        "fever for two days now",
        "the office at 120 W Main",
        "my daughter turned 4 on March 2nd",
        "Jo Lund, 5/6/30",
        "not right now",
        "may you say that again",
        "Dr. March, please",
        "born March 3rd 1980",
        "my birthday is 3/12/1985",
        "quiero una cita",
        "",
        "🙂🙂",
    ],
)
def test_nothing_is_said_about_time(text):
    assert read(text, MONDAY) is None


def test_a_birth_date_is_no_wish():
    text = "Hi, this is Lee Park, born March 3rd 1980, could I come Monday November 23rd"
    assert wish(text) == {"days": days("2026-11-23")}


def test_a_date_and_a_weekday_that_disagree_are_asked_about():
    reading = read("Friday, December 3rd", MONDAY)
    assert reading.question == "date-weekday-disagree"
    assert reading.readings == ("Thursday, December 3", "Friday, December 4")


def test_a_relative_day_and_a_weekday_that_disagree_are_asked_about():
    assert read("tomorrow, Thursday", MONDAY).readings == ("Tuesday, November 17", "Thursday, November 19")


def test_next_friday_early_in_the_week_is_asked_about():
    reading = read("next Friday", MONDAY)
    assert reading.question == "next-weekday"
    assert reading.readings == ("Friday, November 20", "Friday, November 27")
    assert read("Friday next week", MONDAY).question is None
    assert read("next Monday", MONDAY).question is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("el martes por la tarde", {"days": days("2026-11-17"), "hours": [AFTERNOON]}),
        ("a partir del miércoles", WEDNESDAY_ON),
        ("la próxima semana", {"days": [NEXT_WEEK]}),
        ("la semana que viene por la mañana", {"days": [NEXT_WEEK], "hours": [MORNING]}),
        ("de lunes a jueves", {"days": days("2026-11-16", "2026-11-19")}),
        ("el 9 de diciembre", {"days": days("2026-12-09")}),
        ("del 7 al 9 de diciembre", {"days": days("2026-12-07", "2026-12-09")}),
        ("mañana por la mañana", {"days": days("2026-11-17"), "hours": [MORNING]}),
        ("pasado mañana a las 3 y media", {"days": days("2026-11-18"), "at": ["15:30:00"]}),
        ("antes de las 10", {"hours": [["00:00:00", "10:00:00"]]}),
        ("entre las 12:00 y las 14:00", {"hours": [["12:00:00", "14:00:00"]]}),
        ("los martes o jueves", {"weekdays": [1, 3]}),
        ("no puedo los viernes", {"except_weekdays": [4]}),
        ("desde el 18 de noviembre", WEDNESDAY_ON),
        ("dentro de 3 días", {"days": days("2026-11-19")}),
        ("el viernes 4 de diciembre a las 9:20 am", {"days": days("2026-12-04"), "at": ["09:20:00"]}),
        ("a las cuatro menos cuarto", {"at": ["15:45:00"]}),
        ("esta semana o la próxima", {"days": days("2026-11-16", "2026-11-29")}),
    ],
)
def test_spanish(text, expected):
    assert wish(text, language="es") == expected


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("February 29", MONDAY, "2028-02-29"),
        ("tomorrow", dt.datetime(2028, 2, 28, 9), "2028-02-29"),
        ("in a year", dt.datetime(2028, 2, 29, 9), "2029-02-28"),
        ("January 4th", dt.datetime(2026, 12, 31, 23, 59), "2027-01-04"),
        ("tomorrow", dt.datetime(2026, 12, 31, 23, 59), "2027-01-01"),
        ("the 31st", dt.datetime(2027, 4, 20, 9), "2027-05-31"),
        ("Sunday", dt.datetime(2027, 3, 13, 9), "2027-03-14"),
        ("Sunday", dt.datetime(2026, 10, 31, 9), "2026-11-01"),
    ],
)
def test_leap_days_new_year_and_clock_changes(text, now, expected):
    assert read(text, now).start.date().isoformat() == expected


@pytest.mark.parametrize("night", [dt.datetime(2027, 3, 14, 1, 30), dt.datetime(2026, 11, 1, 0, 30)])
def test_hours_ahead_are_wall_time_on_the_nights_when_clocks_change(night):
    assert read("in two hours", night).start == night + dt.timedelta(hours=2)


def test_wishes_are_said_in_words():
    def said(text, language="en"):
        return say_wish(read(text, MONDAY, language=language).wish, MONDAY.date(), language)

    assert said("Tuesday or Thursday mornings") == "on Tuesday or Thursday mornings"
    assert said("Wednesday afternoon") == "on Wednesday, November 18 in the afternoon"
    assert said("el miércoles antes de la 1 pm", "es") == "el miércoles 18 de noviembre antes de la 1:00 PM"
    assert said("from Wednesday on after 3") == "from Wednesday, November 18 on after 3:00 PM"
    assert said("any day but Friday") == "on any day except Friday"
    assert said("martes o jueves por la tarde", "es") == "los martes o jueves por la tarde"
    assert said("sábado o domingo", "es") == "los sábados o domingos"
    assert said("asap") == "as soon as possible"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("mar 24 nov", "2026-11-24", "2026-11-24"),
        ("el mar a las 3", "2026-11-17", "2026-11-17"),
        ("vie 27 nov", "2026-11-27", "2026-11-27"),
        ("24 mar", "2027-03-24", "2027-03-24"),
        ("el viernes 4", "2026-12-04", "2026-12-04"),
        ("la semana del 7", "2026-12-07", "2026-12-13"),
        ("de hoy en ocho", "2026-11-23", "2026-11-23"),
        ("del jueves en quince", "2026-12-03", "2026-12-03"),
    ],
)
def test_days_as_spanish_says_them(text, first, last):
    (span,) = read(text, MONDAY, language="es").wish.days
    assert (span.first.isoformat(), span.last.isoformat()) == (first, last)


def test_a_spanish_weekday_and_day_that_disagree_become_a_question():
    assert read("el viernes 5", MONDAY, language="es").question == "date-weekday-disagree"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last thanksgiving", "2025-11-27"),
        ("this past christmas", "2025-12-25"),
        ("last year's christmas", "2025-12-25"),
        ("labor day of 2024", "2024-09-02"),
        ("mother's day last year", "2025-05-11"),
    ],
)
def test_a_holiday_gone_by_is_read_but_no_wish(text, expected):
    assert read(text, MONDAY, gone=True).start.date().isoformat() == expected
    assert read(text, MONDAY) is None


def test_days_are_counted_from_the_visit():
    visit = dt.datetime(2026, 11, 24, 9, 20)
    assert read("two days before my appointment", MONDAY, anchor=visit).start.date() == dt.date(2026, 11, 22)
    assert read("una semana después de mi cita", MONDAY, anchor=visit).start.date() == dt.date(2026, 12, 1)


def test_hours_of_four_digits_behind_a_date_are_no_years():
    assert wish("nov 24 0900-1000") == {"days": days("2026-11-24"), "hours": [["09:00:00", "10:00:00"]]}
