"""Birth dates in every form that people give them."""

import datetime as dt

import pytest

from actions.when import read, read_birth_date

NOW = dt.datetime(2026, 11, 16, 9)


@pytest.mark.parametrize(
    "text",
    [
        "7/9/1984",
        "07/09/1984",
        "07091984",
        "070984",
        "0 7 0 9 1 9 8 4",
        "7-9-84",
        "Jul 9 1984",
        "July 9, 1984",
        "july ninth nineteen eighty four",
        "the ninth of july 84",
        "9 July 1984",
        "1984-07-09",
        "seven nine eighty four",
        "9 de julio de 1984",
        "nueve de julio de mil novecientos ochenta y cuatro",
        "my date of birth is July 9th 1984",
        "nací el 9 de julio de 1984",
        "9 juillet 1984",
    ],
)
def test_every_form_is_read(text):
    assert read_birth_date(text, NOW).date == dt.date(1984, 7, 9)


def test_the_day_comes_first_in_spanish_and_where_the_month_is_impossible():
    assert read_birth_date("mi fecha de nacimiento es 9/7/1984", NOW).date == dt.date(1984, 7, 9)
    assert read_birth_date("9/7/1984", NOW, language="es").date == dt.date(1984, 7, 9)
    assert read_birth_date("25/7/1984", NOW).date == dt.date(1984, 7, 25)


@pytest.mark.parametrize("text", ["5/6/1990, sorry, I mean 5/16/1990", "may 6, no wait, may 16 1990", "5/6/1990 no 5/16/1990"])
def test_the_last_of_a_correction_counts(text):
    birth = read_birth_date(text, NOW)
    assert (birth.date, birth.corrected) == (dt.date(1990, 5, 16), True)


def test_it_is_found_beside_a_wish_for_a_visit():
    text = "Hi, I'm Jo Lund, born May 6th 1980 and I'd like Monday November 23rd"
    assert read_birth_date(text, NOW).date == dt.date(1980, 5, 6)
    assert read(text, NOW).start == dt.datetime(2026, 11, 23)


def test_two_digits_that_leave_two_centuries_name_both():
    assert read_birth_date("3/12/20", NOW).readings == (dt.date(2020, 3, 12), dt.date(1920, 3, 12))
    assert read_birth_date("3/12/85", NOW).readings == ()


@pytest.mark.parametrize(
    "text", ["2/30/1985", "13/13/1985", "11/20/2026", "1/1/1850", "March 12", "1988", "yes", "", "312 555 0142"]
)
def test_dates_that_nobody_living_has_are_none(text):
    assert read_birth_date(text, NOW) is None


def test_a_leap_day_is_a_birth_date():
    assert read_birth_date("2/29/2000", NOW).date == dt.date(2000, 2, 29)
    assert read_birth_date("2/29/2001", NOW) is None


def test_points_and_spanish_leave_open_which_is_the_day():
    both = (dt.date(1940, 11, 10), dt.date(1940, 10, 11))
    assert read_birth_date("10.11.1940", NOW).readings == both
    assert read_birth_date("10/11/1940", NOW, language="es").readings == both
    assert read_birth_date("10/11/1940", NOW).readings == ()
    assert read_birth_date("13.11.1940", NOW).readings == ()
