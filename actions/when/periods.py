"""Weeks, months, weekends, seasons and holidays. Letters: see `actions.when.words`."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from actions.when.cascade import Made, Match, Stage
from actions.when.clocks import duration as duration_of
from actions.when.dates import between, day, year_of
from actions.when.meanings import (
    DAY,
    Dates,
    Duration,
    Now,
    Weekdays,
    add_months,
    after,
    monday,
    month,
    month_end,
    next_weekday,
    nth_weekday,
)  # fmt: skip

PERIODS = Stage()


@PERIODS.rule(
    r"T?(?P<m>m)[.,]?[-O]?(?P<y>n)?",
    r"T?(?P<x>[xhl])(?P<m>m)",
    r"(?P<m>m)O?(?P<x>[xh])u?",
    r"(?P<m>m)I(?P<x>A)u",
    r"(?P<m>m)I(?P<x>D)",
    r"(?P<m>m)F(?P<x>x)",
)
def _month(now: Now, m: Match) -> Made:
    number, year = m.value("m"), year_of(m.group("y"), now.today)
    if m.group("y") and (year is None or len(m.one("y").text) != 4):
        return None
    which = m.one("x")
    text = m.one("m").text
    if (
        not which
        and not m.group("y")
        and text in ("mar", "jun", "sep", "may")
        and len(m.pieces) == 1
        and m.left
        and m.left.letter == "_"
    ):
        return None
    if year is None:
        year = now.today.year + (number < now.today.month)
        if which and which.letter == "l":
            year = now.today.year - (number >= now.today.month)
        elif which and (any(p.letter == "u" for p in m.pieces) and which.letter == "x"):
            year = now.today.year + 1
        elif which and which.letter == "D":
            year = now.today.year + max(1, which.value.months // 12)
        elif which and (which.letter == "A" or m.pieces[-2].letter == "F"):
            year += 1 if which.letter == "x" or (number >= now.today.month and number > now.today.month) else 0
        elif which and which.letter == "x" and number == now.today.month:
            year += 1
    return between(*month(year, number), "month")


@PERIODS.rule(r"T?[ol](?P<u>u)O(?:(?P<y>n)|[xhT]u)", r"T?[ol](?P<w>ω)(?:(?P<y>n)|[xhT]?u)")
def _nth_unit(now: Now, m: Match) -> Made:
    """ "the third month of 2027", "the first week of 2027"."""
    nth = next(p.value or 0 for p in m.pieces if p.letter in "ol")
    year = m.value("y") or now.today.year + (any(p.letter == "x" for p in m.pieces))
    unit = "week" if m.one("w") else m.value("u")
    if m.pieces[-1].letter == "u" and m.pieces[-1].value == "month" and unit == "week":
        first, last = month(now.today.year, now.today.month + any(p.letter == "x" for p in m.pieces))
        return _nth_week(first, nth) if nth else between(monday(last), monday(last) + 6 * DAY, "week")
    if nth == 0 or not 1900 <= year < 2200:
        return None
    if unit == "month" and nth <= 12:
        return between(*month(year, nth), "month")
    return _iso_week(year, nth) if unit == "week" else None


def _iso_week(year: int, number: int) -> Made:
    if not 1 <= number <= 53 or not 1900 <= year <= 2200:
        return None
    first = monday(dt.date(year, 1, 4)) + (number - 1) * 7 * DAY
    return between(first, first + 6 * DAY, "week")


@PERIODS.rule(r"u(?P<n>n)")
def _week_number(now: Now, m: Match) -> Made:
    if m.pieces[0].value != "week" or not m.one("n").text.isdigit() or not 1 <= m.value("n") <= 53 or m.pieces[0].text == "weeks":
        return None
    number, year = m.value("n"), now.today.year
    over = monday(dt.date(year, 1, 4)) + (number * 7 - 1) * DAY < now.today
    return _iso_week(year + over, number)


def _nth_week(first: dt.date, nth: int, *, full: bool = False) -> Made:
    """The nth week of a month: the weeks whose Thursday lies in it, or which lie wholly in it."""
    start = monday(first)
    while start < first if full else start + 3 * DAY < first:
        start += 7 * DAY
    return between(start + (nth - 1) * 7 * DAY, start + (nth - 1) * 7 * DAY + 6 * DAY, "week")


@PERIODS.rule(
    r"T?(?P<n>[ol])(?P<f>_)?ωT?(?P<m>m)\.?(?:O?(?P<y>n))?",
    r"T?(?P<n>[ol])(?P<f>_)?(?P<u>u)[OI]T?(?P<m>m)\.?(?:O?(?P<y>n))?",
    r"T?(?P<u>u)(?P<n>[ol])[OI]T?(?P<m>m)(?:O?(?P<y>n))?",
)
def _week_of_month(now: Now, m: Match) -> Made:
    if m.one("f") and m.one("f").text not in ("full", "whole", "complete"):
        return None
    number, year = m.value("m"), year_of(m.group("y"), now.today) or now.today.year + (m.value("m") < now.today.month)
    first, last = month(year, number)
    if m.value("u") == "weekend":
        if m.one("n").letter == "l":
            friday = nth_weekday(first, last, 4, -1)
            saturday = friday + DAY if friday and friday + 2 * DAY <= last + DAY else None
        else:
            saturday = nth_weekday(first, last, 5, m.value("n"))
        return between(saturday, saturday + DAY, "weekend") if saturday else None
    if m.one("u") and m.value("u") != "week":
        return None
    if m.one("n").letter == "l":
        start = monday(last) - 7 * (last.weekday() < 3) * DAY
        return between(start, start + 6 * DAY, "week")
    return _nth_week(first, m.value("n"), full=bool(m.one("f")))


def span_of(now: Now, unit: str, ahead: int) -> Dates | None:
    """This, next or last week, month, weekend, year or day."""
    today = now.today
    if unit in ("week", "workday"):
        first = monday(today) + 7 * ahead * DAY
        return Dates(first, first + (6 if unit == "week" else 4) * DAY, "week")
    if unit == "weekend":
        saturday = monday(today) + (5 + 7 * ahead) * DAY
        return Dates(saturday, saturday + DAY, "weekend")
    if unit == "month":
        return Dates(*month(today.year, today.month + ahead), "month")
    if unit == "year":
        return Dates(dt.date(today.year + ahead, 1, 1), dt.date(today.year + ahead, 12, 31), "year")
    if unit == "day":
        return Dates(today + ahead * DAY, today + ahead * DAY)
    return None


def unit_dates(now: Now, unit: str, ahead: int) -> Made:
    found = span_of(now, unit, ahead)
    return ("a", found) if found else None


@PERIODS.rule(
    r"T?(?P<x>[xhl])(?P<u>u)",
    r"T?(?P<u>u)(?P<x>[xl])",
    r"T?(?P<u>ν)",
    r"T?h(?P<x>x)(?P<u>u)",
    r"T?(?P<u>μ)",
    r"(?P<in>[I~])Tx(?P<u>u)",
)
def _unit(now: Now, m: Match) -> Made:
    which, unit = m.one("x"), m.one("u")
    if unit.letter == "ν":
        return unit_dates(now, "week", 2)
    if unit.letter == "μ":
        return unit_dates(now, "month", 0)
    if m.one("in"):  # "in the next week": from today on
        days = {"week": 7, "month": 30, "year": 365}.get(unit.value)
        return (
            between(now.today, now.today + days * DAY, "days")
            if days and m.one("in").text in ("in", "within", "over", "during", "en")
            else None
        )
    if unit.value not in ("week", "weekend", "month", "year", "day", "workday") or (
        unit.text.endswith("s") and unit.text not in ("mes", "weekends", "wks")
    ):
        return None
    if (m.left and m.left.letter in "nzκφ") or (which.letter == "l" and m.ahead("OT?[xhm]")):
        return None
    if which.text in ("coming", "upcoming") and unit.value in ("weekend",):
        return unit_dates(now, "weekend", 0)
    return unit_dates(now, unit.value, {"x": 1, "h": 0, "l": -1}[which.letter])


@PERIODS.rule(r"T?(?P<u>u)")
def _the_unit(now: Now, m: Match) -> Made:
    """ "at the weekend", "on weekends", "weekdays", "in the week"."""
    unit = m.value("u")
    plural = m.one("u").text.endswith("s")
    if not plural and m.ahead("[A-Zainow_]"):
        return None
    if unit == "weekend":
        return ("W", Weekdays(frozenset((5, 6)), named=False)) if plural else unit_dates(now, "weekend", 0)
    if unit == "workday":
        return ("W", Weekdays(frozenset(range(5)), named=False))
    if m.pieces[0].letter == "T" and unit == "week" and m.left and m.left.letter in "I~@":
        return unit_dates(now, "week", 0)
    return None


@PERIODS.rule(r"[YA](?P<u>u)")
def _any_unit(now: Now, m: Match) -> Made:
    unit = m.value("u")
    if unit == "workday":
        return ("W", Weekdays(frozenset(range(5)), named=False))
    return ("W", Weekdays(frozenset((5, 6)), named=False)) if unit == "weekend" else None


@PERIODS.rule(r"T?RO?[Th]?(?P<u>u)")
def _rest(now: Now, m: Match) -> Made:
    found = span_of(now, m.value("u"), 0)
    return between(now.today, found.last, "week" if m.value("u") == "week" else "month") if found else None


def _so_many_ahead(now: Now, duration: Duration) -> Made:
    """ "upcoming two weeks": named by the last of them; the search looks from today on."""
    if duration.minutes:
        return None
    last = after(now.today, duration)
    unit = {"week": (monday(last), monday(last) + 6 * DAY), "month": month(last.year, last.month)}.get(duration.unit, (last, last))
    return ("a", Dates(*unit, "day" if unit[0] == unit[1] else duration.unit, wide=(now.today, unit[1])))


@PERIODS.rule(r"T?(?P<x>[xh])(?P<w>W)")
def _weekdays_of_week(now: Now, m: Match) -> Made:
    """ "next Monday or Tuesday"."""
    value = m.value("w")
    if not isinstance(value, Weekdays) or len(value.days) < 2:
        return None
    first = monday(now.today) + 7 * (m.one("x").letter == "x") * DAY
    return [("a", Dates(first, first + 6 * DAY, "week")), ("W", value)]


_SEASONS = {"spring": (3, 20, 6, 20), "summer": (6, 21, 9, 21), "fall": (9, 22, 12, 20), "winter": (12, 21, 3, 19)}


@PERIODS.rule(r"(?P<x>[hx])(?P<s>Σ)", r"IT?(?P<s>Σ)")
def _season(now: Now, m: Match) -> Made:
    a, b, c, d = _SEASONS[m.value("s")]
    first = dt.date(now.today.year - (c < a and now.today.month <= c), a, b)
    last = dt.date(first.year + (c < a), c, d)
    if last < now.today or (m.one("x").letter == "x" and first <= now.today):
        first, last = first.replace(year=first.year + 1), last.replace(year=last.year + 1)
    return between(first, last, "days")


@PERIODS.rule(r"I?T?x(?P<n>[nzκφ])O?(?P<b>_)?(?P<u>u)", r"T?(?P<n>[nzκφ])x(?P<u>u)", r"[I~]?T?x(?P<d>D)(?:Fr)?")
def _next_some(now: Now, m: Match) -> Made:
    """ "(in) the next two weeks": from today on."""
    if m.one("d"):
        duration = m.value("d")
        if m.pieces[0].text == "upcoming":
            return _so_many_ahead(now, duration)
        return between(now.today, after(now.today, duration), "days") if not duration.minutes else None
    if m.pieces[1].text == "upcoming" and isinstance(m.value("n"), int) and m.value("u") in ("day", "week", "month", "year"):
        return _so_many_ahead(now, duration_of(m.value("n"), m.value("u")))
    if not m.one("n") or (m.one("b") and m.one("b").text not in ("business", "working", "work", "or")):
        return None
    count, unit = m.value("n"), m.value("u")
    if not isinstance(count, int) or count > 999:
        return None
    if unit == "workday" or m.one("b"):
        last = now.today
        for _ in range(min(count, 60)):
            last += DAY
            while last.weekday() > 4:
                last += DAY
        return between(now.today + DAY, last, "days")
    if unit in ("day", "week", "fortnight", "month", "year"):
        days = {"day": 1, "week": 7, "fortnight": 14}.get(unit)
        last = now.today + count * days * DAY if days else add_months(now.today, count * (12 if unit == "year" else 1))
        return between(now.today, last, "days")
    return None


@PERIODS.rule(r"IT(?P<h>H)")
def _in_the_new_year(now: Now, m: Match) -> Made:
    return between(*month(now.today.year + 1, 1), "month") if m.value("h") == "new-year" else None


@PERIODS.rule(r"T?(?P<n>[ol])(?P<d>D)[OI]T?(?P<m>m)", r"T?(?P<n>[ol])(?P<u>u)O(?P<m>m)")
def _first_weeks_of(now: Now, m: Match) -> Made:
    """ "the first two weeks of March", "la segunda quincena de marzo"."""
    first, last = month(now.today.year + (m.value("m") < now.today.month), m.value("m"))
    days = round(m.value("d").days) if m.one("d") else 15 if m.value("u") == "fortnight" else 0
    if not 0 < days < 28 or (m.one("n").letter == "o" and m.value("n") not in (1, 2)):
        return None
    if m.one("n").letter == "l":
        return between(last - (days - 1) * DAY, last)
    return between(first, first + (days - 1) * DAY) if m.value("n") == 1 else between(first + days * DAY, last)


@PERIODS.rule(
    r"T?l?x?(?P<h>H)(?:[,]?O?(?P<y>nn?)|O?T?(?P<x>[xhl])u)?",
    r"h(?P<p>[QlI])(?P<h>H)",
    r"T?(?P<x>[xhl])u(?P<h>H)",
    r"(?P<h>H)O?T?u(?P<x>[xl])",
)
def _holiday(now: Now, m: Match) -> Made:
    name, year = m.value("h"), year_of(m.group("y"), now.today)
    if m.group("y") and not year:
        return None
    if year:
        return day(holiday(name, year))
    if m.one("x"):
        return day(holiday(name, now.today.year + {"x": 1, "l": -1}.get(m.one("x").letter, 0)))
    found = [each for step in range(-1, 3) if (each := holiday(name, now.today.year + step))]
    if any(p.letter in "lQ" for p in m.pieces):
        return day(max((each for each in found if each < now.today), default=None))
    return day(min((each for each in found if each >= now.today), default=None))


def _easter(year: int) -> dt.date:
    """Easter Sunday of the western churches (Meeus, Jones and Butcher)."""
    golden, century, of_century = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    shift = (golden + 11 * moon + 22 * sunday) // 451
    number, day_before = divmod(moon + sunday - 7 * shift + 114, 31)
    return dt.date(year, number, day_before + 1)


@lru_cache(maxsize=256)
def holiday(name: str, year: int) -> dt.date | None:
    """The date that people mean by a holiday's name in the United States."""
    fixed = {
        "christmas": (12, 25), "christmas-eve": (12, 24), "new-year": (1, 1), "new-year-eve": (12, 31), "independence": (7, 4),
        "juneteenth": (6, 19), "veterans": (11, 11), "valentine": (2, 14), "patrick": (3, 17), "halloween": (10, 31),
        "groundhog": (2, 2), "earth": (4, 22), "tax": (4, 15),
    }  # fmt: skip
    if name in fixed:
        return dt.date(year, *fixed[name])
    if name == "memorial":
        return nth_weekday(*month(year, 5), 0, -1)
    nth = {
        "thanksgiving": (11, 3, 4),
        "labor": (9, 0, 1),
        "mlk": (1, 0, 3),
        "presidents": (2, 0, 3),
        "columbus": (10, 0, 2),
        "mother": (5, 6, 2),
        "father": (6, 6, 3),
    }
    if name in nth:
        number, weekday, which = nth[name]
        return nth_weekday(*month(year, number), weekday, which)
    if name in ("black-friday", "cyber-monday"):
        thanksgiving = holiday("thanksgiving", year)
        return thanksgiving + (1 if name == "black-friday" else 4) * DAY if thanksgiving else None
    shift = {"easter": 0, "good-friday": -2, "easter-monday": 1}.get(name)
    if shift is not None:
        return _easter(year) + shift * DAY
    return None


@PERIODS.rule("η", "Tη")
def _the_holidays(now: Now, m: Match) -> Made:
    year = now.today.year
    return between(dt.date(year, 12, 21), dt.date(year + 1, 1, 1), "days")


@PERIODS.rule("[ou]?(?P<e>[ου])O?[hT]?u?")
def _end_of(now: Now, m: Match) -> Made:
    if m.one("e").letter == "υ":
        return ("a", Dates(dt.date(now.today.year, 12, 31), dt.date(now.today.year, 12, 31), end_like=True))
    last = month_end(now.today.year, now.today.month)
    return ("a", Dates(last.replace(day=21), last, "week", end_like=True))


@PERIODS.rule(r"hQ(?P<w>w)", r"hQ(?P<u>u)")
def _this_past(now: Now, m: Match) -> Made:
    return day(next_weekday(now.today, m.value("w")) - 7 * DAY) if m.one("w") else unit_dates(now, m.value("u"), -1)
