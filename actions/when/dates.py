"""Dates, weeks, months, weekdays and holidays. Letters: see `actions.when.words`."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from actions.when.cascade import Made, Match, Stage
from actions.when.clocks import duration as duration_of
from actions.when.meanings import (
    DAY,
    Dates,
    Duration,
    Now,
    Weekdays,
    add_months,
    after,
    coming,
    coming_day_of_month,
    date,
    monday,
    month,
    nearest,
    next_weekday,
    nth_weekday,
)  # fmt: skip
from actions.when.text import Piece
from actions.when.words import MOVES, words_of

DATES = Stage()
_NO_DAY = words_of(
    "grade floor street st ave avenue road rd blvd place dose shot time visit toe finger baby child kid trimester round opinion grader"
    " birthday thing step name option appointment class century edition cousin party person degree ward week doctor try call choice"
)


def day(found: dt.date | None) -> Made:
    return ("a", Dates(found, found)) if found else None


def between(first: dt.date | None, last: dt.date | None, grain: str = "day") -> Made:
    return ("a", Dates(first, last, grain)) if first and last and first <= last else None


def year_of(pieces: list[Piece], today: dt.date) -> int | None:
    """2027, 27, '27 or "twenty twenty seven"; two digits are this century's."""
    numbers = [p.value for p in pieces if p.letter in "nz"]
    if len(numbers) == 2 and numbers[0] in (19, 20) and 0 <= numbers[1] < 100:
        return int(numbers[0] * 100 + numbers[1])
    if len(numbers) == 1 and 1900 <= numbers[0] < 2200:
        return int(numbers[0])
    return None


def short_year(number: int, today: dt.date) -> int:
    """Two digits: this century's unless that lies more than twenty years ahead."""
    if number >= 100:
        return number
    return 2000 + number if 2000 + number <= today.year + 20 else 1900 + number


@DATES.rule("e")
def _numeric(now: Now, m: Match) -> Made:
    return day(numeric_date(m.pieces[0].value, now))


def numeric_date(parts: tuple[int, ...], now: Now) -> dt.date | None:
    """Year first where it has four digits; else month first, day first in Spanish or where the month would be impossible."""
    a, b, c = parts
    if a > 31:
        return date(a, b, c) or date(a, c, b) if a >= 1900 else None
    if 100 <= c < 1900 or c < 10:
        return None
    year = short_year(c, now.today)
    return (date(year, b, a) or date(year, a, b)) if now.spanish else (date(year, a, b) or date(year, b, a))


@DATES.rule(r"x?d")
def _pair(now: Now, m: Match) -> Made:
    a, b = m.pieces[-1].value
    if m.right and m.right.letter == "u":
        return None
    if 1900 <= a < 2200 and 1 <= b <= 12:
        return between(*month(a, b), "month")
    if 1900 <= b < 2200 and 1 <= a <= 12:
        return between(*month(b, a), "month")
    if now.spanish:
        return day(coming(now.today, b, a) or coming(now.today, a, b))
    return day(coming(now.today, a, b) or coming(now.today, b, a))


@DATES.rule(r"(?<=[~I@w])[T]?f")
def _dotted(now: Now, m: Match) -> Made:
    a, _, b = m.pieces[-1].text.partition(".")
    return day(coming(now.today, int(a), int(b))) if m.left and m.left.text not in ("at", "for") else None


@DATES.rule(r"(?P<y>n)[-./]?(?P<m>m)[-./]?(?P<d>[no])", r"(?P<yd>d)/?(?P<m>m)", r"(?P<y>n)/n/(?P<m>m)")
def _year_month_day(now: Now, m: Match) -> Made:
    if m.one("yd"):
        year, number = m.value("yd")
    elif m.pieces[-1].letter == "m":
        year, number = m.value("y"), m.pieces[2].value
    else:
        year, number = m.value("y"), m.value("d")
    return day(date(year, m.value("m"), number)) if 1900 <= year < 2200 else None


@DATES.rule(
    r"T?(?P<m>m)[.,/-]*[T~]?(?P<d>[noz])(?:[,.]?[OIh-]?(?P<y>nn?))?",
    r"(?:Tr?u?O?)?T?(?P<d>[noz])\.?(?:u)?[-/]?O?O?T?(?P<m>m)[.,/-]*O?(?P<y>nn?)?",
)
def _named(now: Now, m: Match) -> Made:
    """ "march 3rd (2027)", "the 3rd of march", "tres de marzo del 2027"."""
    number = m.one("d")
    year = year_of(m.group("y"), now.today)
    if (m.group("y") and year is None) or not isinstance(number.value, int) or not 1 <= number.value <= 31:
        return None
    if any(p.letter == "u" and p.value != "day" for p in m.pieces):
        return None
    if (
        m.right
        and m.right.letter in "np"
        and not m.group("y")
        and number.letter == "n"
        and m.pieces[-1] is number
        and m.right.letter == "p"
    ):
        return None
    return day(date(year, m.value("m"), number.value) if year else coming(now.today, m.value("m"), number.value))


@DATES.rule(r"(?P<d>[no])(?P<sep>\.)(?P<m>m)\.?(?P<y>n)")
def _dotted_named(now: Now, m: Match) -> Made:
    year = year_of(m.group("y"), now.today)
    return day(date(year, m.value("m"), m.value("d"))) if year else None


@DATES.rule(
    r"T?(?P<m>m)[.,]?[-O]?(?P<y>n)?",
    r"T?(?P<x>[xhl])(?P<m>m)",
    r"(?P<m>m)O?(?P<x>[xh])u?",
    r"(?P<m>m)I(?P<x>A)u", r"(?P<m>m)I(?P<x>D)",
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


@DATES.rule(r"T?[o](?P<u>u)O(?:(?P<y>n)|[xh]u)", r"T?[o](?P<w>ω)(?:(?P<y>n)|[xh]u)")
def _nth_unit(now: Now, m: Match) -> Made:
    """ "the third month of 2027", "the first week of 2027"."""
    nth = next(p.value for p in m.pieces if p.letter == "o")
    year = m.value("y") or now.today.year + (any(p.letter == "x" for p in m.pieces))
    unit = "week" if m.one("w") else m.value("u")
    if m.pieces[-1].letter == "u" and m.pieces[-1].value == "month" and unit == "week":
        first, _ = month(now.today.year, now.today.month + any(p.letter == "x" for p in m.pieces))
        return _nth_week(first, nth)
    if not 1900 <= year < 2200:
        return None
    if unit == "month" and nth <= 12:
        return between(*month(year, nth), "month")
    return _iso_week(year, nth) if unit == "week" else None


def _iso_week(year: int, number: int) -> Made:
    if not 1 <= number <= 53 or not 1900 <= year <= 2200:
        return None
    first = monday(dt.date(year, 1, 4)) + (number - 1) * 7 * DAY
    return between(first, first + 6 * DAY, "week")


@DATES.rule(r"u(?P<n>n)")
def _week_number(now: Now, m: Match) -> Made:
    if m.pieces[0].value != "week" or not m.one("n").text.isdigit() or m.pieces[0].text == "weeks":
        return None
    built = _iso_week(now.today.year, m.value("n"))
    return built if not built or built[1].last >= now.today else _iso_week(now.today.year + 1, m.value("n"))


def _nth_week(first: dt.date, nth: int, *, full: bool = False) -> Made:
    """The nth week of a month: the weeks whose Thursday lies in it, or which lie wholly in it."""
    start = monday(first)
    while start < first if full else start + 3 * DAY < first:
        start += 7 * DAY
    return between(start + (nth - 1) * 7 * DAY, start + (nth - 1) * 7 * DAY + 6 * DAY, "week")


@DATES.rule(
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


@DATES.rule(r"T?(?P<n>[ol])(?P<w>w)[OI]?T?(?:(?P<m>m)O?(?P<y>n)?|(?P<x>[xh])u|u(?P<x2>x))")
def _nth_weekday_of_month(now: Now, m: Match) -> Made:
    nth = -1 if m.one("n").letter == "l" else m.value("n")
    if m.one("m"):
        year = year_of(m.group("y"), now.today)
        years = [year] if year else [now.today.year, now.today.year + 1]
        for each in years:
            found = nth_weekday(*month(each, m.value("m")), m.value("w"), nth)
            if found and (found >= now.today or year):
                return day(found)
        return None
    if m.pieces[-1].value not in ("month", None) or (m.pieces[-1].letter == "u" and m.pieces[-1].value != "month"):
        return None
    ahead = 1 if m.one("x2") or m.one("x").letter == "x" else 0
    return day(nth_weekday(*month(now.today.year, now.today.month + ahead), m.value("w"), nth))


@DATES.rule(r"x?T?(?P<d>[no])O?(?P<which>[hxl]|T)(?P<u>u)", r"x?T?(?P<d>[no])O?T?(?P<u>u)(?P<which>x)")
def _day_of_this_month(now: Now, m: Match) -> Made:
    if m.value("u") != "month" or (m.one("d").letter == "n" and not any(p.letter == "O" for p in m.pieces)):
        return None
    letter = m.one("which").letter
    first, _ = month(now.today.year, now.today.month + {"x": 1, "l": -1}.get(letter, 0))
    return day(date(first.year, first.month, m.value("d")))


@DATES.rule(r"[Tx](?P<d>o)", r"(?P<d>o)", r"T(?P<d>n)")
def _day_of_month(now: Now, m: Match) -> Made:
    piece, right = m.one("d"), m.right
    if not 1 <= piece.value <= 31 or (right and (right.text in _NO_DAY or right.letter in "uz#H")):
        return None
    if piece.letter == "o" and not piece.text[:1].isdigit():  # "the third": a day only with nothing behind it
        if m.pieces[0].letter != "T" or (
            right
            and right.letter not in ".,@wIBFUa|2-&i~y"
            and right.text not in ("please", "then", "works", "por", "would", "will", "is", "if")
        ):
            return None
        if (
            m.left
            and m.left.letter not in "~@,.IBFUGv|&2w-"
            and m.left.text not in ("be", "is", "it", "para", "how's", "about", "to")
        ):
            return None
    elif piece.letter == "n":
        if (now.spanish and m.pieces[0].text not in ("el", "del", "al", "la-")) or (
            right and right.letter not in ".,@yiPI|U2&w~-" and right.text not in ("please", "then", "por", "works")
        ):
            return None
    if m.left and m.left.letter == "n":
        return None
    found = coming_day_of_month(now.today, piece.value)
    return ("a", Dates(found, found, bare=True)) if found else None


@DATES.rule(r"(?<=~)(?P<d>n)(?=[,@]*i)")
def _on_day(now: Now, m: Match) -> Made:
    """ "on 15 at 8 pm"."""
    said = m.left.text == "on" and 1 <= m.value("d") <= 31
    return day(coming_day_of_month(now.today, m.value("d"))) if said else None


@DATES.rule(r"(?P<w>w)[,.]?~?T?(?P<d>[no])", r"T?(?P<d>o)[,.]?(?P<T>T?)(?P<w>w)")
def _weekday_and_day(now: Now, m: Match) -> Made:
    """ "Friday the 4th": the next one that is both, asked about where it is far away."""
    piece, weekday = m.one("d"), m.value("w")
    if (
        m.ahead("O?m")
        or (m.left and m.left.letter in "xh")
        or not 1 <= piece.value <= 31
        or (m.right and (m.right.letter in "pcu:#" or m.right.text in _NO_DAY))
    ):
        return None
    if piece.letter == "n" and not any(p.letter == "T" for p in m.pieces):
        if (piece.value <= 12 and not piece.text.isdigit()) or (m.right and m.right.letter in "-2U") or piece.value > 31:
            return None
        both = coming_day_of_month(now.today, piece.value, weekday)
        if piece.value <= 12 and (both is None or both - now.today > 10 * DAY):
            return None
    both, plain = coming_day_of_month(now.today, piece.value, weekday), coming_day_of_month(now.today, piece.value)
    if both is None or plain is None:
        return None
    if both - now.today <= 75 * DAY:
        return day(both)
    return ("a", Dates(plain, plain, readings=(plain, nearest(plain, weekday, now.today)), question="date-weekday-disagree"))


@DATES.rule("r")
def _relative(now: Now, m: Match) -> Made:
    return day(now.today + m.pieces[0].value * DAY)


@DATES.rule(r"L(?P<r>r)", r"(?P<r>r)L")
def _later_today(now: Now, m: Match) -> Made:
    return day(now.today + m.value("r") * DAY)


def _weekday_next(now: Now, weekday: int) -> Made:
    """ "next Friday": of next week. Early in the week it may as well be this week's: asked."""
    this = next_weekday(now.today, weekday, today_too=True)
    following = monday(now.today) + (7 + weekday) * DAY
    if this == following or this - now.today < 2 * DAY:  # "tomorrow" would have been said
        return day(following)
    return ("a", Dates(following, following, readings=(this, following), question="next-weekday"))


@DATES.rule(
    r"T?(?P<x>[xhl])[,]?(?P<w>w)",
    r"T?(?P<w>w)(?P<x>[xhl])(?!u)",
    r"T?(?P<x>[xhl])(?P<u>u)[,]?[~O]?T?(?P<w>w)",
    r"T?(?P<w>w)[,]?[~OI]?T?(?P<x>[xh])(?P<u>u)",
    r"T?(?P<w>w)[,]?[~OI]?T?(?P<u>u)(?P<x>[x])",
    r"T?h(?P<x>x)(?P<w>w)",
    r"T?(?P<w>w)F(?P<x>x)",
    r"T?(?P<w>w)[,]?(?P<x>ν)",
    r"(?P<h>h)?(?P<w>w)IA(?P<u>u)",
)
def _weekday_of(now: Now, m: Match) -> Made:
    weekday, which, unit = m.value("w"), m.one("x"), m.value("u")
    this = next_weekday(now.today, weekday, today_too=True)
    if not which:
        return day(next_weekday(now.today, weekday, today_too=True) + 7 * DAY) if unit == "week" else None
    if which.letter == "ν":
        return day(monday(now.today) + (14 + weekday) * DAY)
    if which.letter == "l":
        return day(this - 7 * DAY)
    if any(p.letter == "F" for p in m.pieces):
        return day(next_weekday(now.today, weekday) + 7 * DAY)
    if unit == "week":
        return day(monday(now.today) + (weekday + (7 if which.letter == "x" else 0)) * DAY)
    if unit is not None:
        return None
    if (
        which.letter == "h"
        or which.text in ("coming", "upcoming", "que viene", "entrante", "que entra")
        or (m.pieces[0].letter == "h" and len(m.pieces) == 3)
    ):
        return day(this if which.letter == "h" and len(m.pieces) == 2 else next_weekday(now.today, weekday))
    if which.text in ("following", "siguiente"):
        return day(monday(now.today) + (7 + weekday) * DAY)
    if now.spanish:
        return day(next_weekday(now.today, weekday))
    return _weekday_next(now, weekday)


@DATES.rule(r"(?P<n>[nz])(?P<w>[wW])G?j?")
def _weekdays_from_now(now: Now, m: Match) -> Made:
    if m.pieces[-1].letter != "j":
        return None
    weekday = m.value("w") if isinstance(m.value("w"), int) else min(m.value("w").days)
    return day(next_weekday(now.today, weekday) + 7 * (min(m.value("n"), 99) - 1) * DAY)


def unit_dates(now: Now, unit: str, ahead: int) -> Made:
    """This, next or last week, month, weekend, year or day."""
    today = now.today
    if unit in ("week", "workday"):
        first = monday(today) + 7 * ahead * DAY
        return between(first, first + (6 if unit == "week" else 4) * DAY, "week")
    if unit == "weekend":
        saturday = monday(today) + (5 + 7 * ahead) * DAY
        return between(saturday, saturday + DAY, "weekend")
    if unit == "month":
        return between(*month(today.year, today.month + ahead), "month")
    if unit == "year":
        return between(dt.date(today.year + ahead, 1, 1), dt.date(today.year + ahead, 12, 31), "year")
    if unit == "day":
        return day(today + ahead * DAY)
    return None


@DATES.rule(
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


@DATES.rule(r"T?(?P<u>u)")
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


@DATES.rule(r"[YA](?P<u>u)")
def _any_unit(now: Now, m: Match) -> Made:
    unit = m.value("u")
    if unit == "workday":
        return ("W", Weekdays(frozenset(range(5)), named=False))
    return ("W", Weekdays(frozenset((5, 6)), named=False)) if unit == "weekend" else None


@DATES.rule(r"T?RO?[Th]?(?P<u>u)")
def _rest(now: Now, m: Match) -> Made:
    built = unit_dates(now, m.value("u"), 0)
    return between(now.today, built[1].last, "week" if m.value("u") == "week" else "month") if built else None


def _so_many_ahead(now: Now, duration: Duration) -> Made:
    """ "upcoming two weeks": named by the last of them; the search looks from today on."""
    if duration.minutes:
        return None
    last = after(now.today, duration)
    unit = {"week": (monday(last), monday(last) + 6 * DAY), "month": month(last.year, last.month)}.get(duration.unit, (last, last))
    return ("a", Dates(*unit, "day" if unit[0] == unit[1] else duration.unit, wide=(now.today, unit[1])))


@DATES.rule(r"T?(?P<x>[xh])(?P<w>W)")
def _weekdays_of_week(now: Now, m: Match) -> Made:
    """ "next Monday or Tuesday"."""
    value = m.value("w")
    if not isinstance(value, Weekdays) or len(value.days) < 2:
        return None
    first = monday(now.today) + 7 * (m.one("x").letter == "x") * DAY
    return [("a", Dates(first, first + 6 * DAY, "week")), ("W", value)]


_SEASONS = {"spring": (3, 20, 6, 20), "summer": (6, 21, 9, 21), "fall": (9, 22, 12, 20), "winter": (12, 21, 3, 19)}


@DATES.rule(r"(?P<x>[hx])(?P<s>Σ)", r"IT?(?P<s>Σ)")
def _season(now: Now, m: Match) -> Made:
    a, b, c, d = _SEASONS[m.value("s")]
    first = dt.date(now.today.year - (c < a and now.today.month <= c), a, b)
    last = dt.date(first.year + (c < a), c, d)
    if last < now.today or (m.one("x").letter == "x" and first <= now.today):
        first, last = first.replace(year=first.year + 1), last.replace(year=last.year + 1)
    return between(first, last, "days")


@DATES.rule(r"hQ(?P<w>w)", r"hQ(?P<u>u)")
def _this_past(now: Now, m: Match) -> Made:
    return day(next_weekday(now.today, m.value("w")) - 7 * DAY) if m.one("w") else unit_dates(now, m.value("u"), -1)


@DATES.rule(r"I?T?x(?P<n>[nzκφ])O?(?P<b>_)?(?P<u>u)", r"T?(?P<n>[nzκφ])x(?P<u>u)", r"[I~]?T?x(?P<d>D)(?:Fr)?")
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


@DATES.rule(r"IT(?P<h>H)")
def _in_the_new_year(now: Now, m: Match) -> Made:
    return between(*month(now.today.year + 1, 1), "month") if m.value("h") == "new-year" else None


@DATES.rule(r"T?(?P<n>[ol])(?P<d>D)[OI]T?(?P<m>m)", r"T?(?P<n>[ol])(?P<u>u)O(?P<m>m)")
def _first_weeks_of(now: Now, m: Match) -> Made:
    """ "the first two weeks of March", "la segunda quincena de marzo"."""
    first, last = month(now.today.year + (m.value("m") < now.today.month), m.value("m"))
    days = round(m.value("d").days) if m.one("d") else 15 if m.value("u") == "fortnight" else 0
    if not 0 < days < 28 or (m.one("n").letter == "o" and m.value("n") not in (1, 2)):
        return None
    if m.one("n").letter == "l":
        return between(last - (days - 1) * DAY, last)
    return between(first, first + (days - 1) * DAY) if m.value("n") == 1 else between(first + days * DAY, last)


@DATES.rule(r"T?l?x?(?P<h>H)(?:(?P<y>nn?)|O?(?P<x>[xh])u)?")
def _holiday(now: Now, m: Match) -> Made:
    name, year = m.value("h"), year_of(m.group("y"), now.today)
    if m.group("y") and not year:
        return None
    if year:
        return day(holiday(name, year))
    if m.one("x"):
        return day(holiday(name, now.today.year + (m.one("x").letter == "x")))
    found = [each for step in range(-1, 3) if (each := holiday(name, now.today.year + step))]
    if any(p.letter == "l" for p in m.pieces):
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


@DATES.rule("η", "Tη")
def _the_holidays(now: Now, m: Match) -> Made:
    year = now.today.year
    return between(dt.date(year, 12, 21), dt.date(year + 1, 1, 1), "days")


@DATES.rule("[ou]?(?P<e>[ου])O?[hT]?u?")
def _end_of(now: Now, m: Match) -> Made:
    if m.one("e").letter == "υ":
        return ("a", Dates(dt.date(now.today.year, 12, 31), dt.date(now.today.year, 12, 31), end_like=True))
    first, last = month(now.today.year, now.today.month)
    return ("a", Dates(last.replace(day=21), last, "week", end_like=True))


RANGES = Stage()


@RANGES.rule(
    r"[GvI~O]?T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])O?O?T?(?P<m>m)(?:[,]?O?(?P<y>nn?))?",
    r"[GvI~]?T?(?P<m>m)T?[,]?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])(?:[,]?(?P<y>n))?",
    r"(?P<m>m)[.,]?[_Y]{0,3}[Gv]T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])",
    r"[GvI~]?T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])O?O?(?P<h>[hxT])(?P<u>u)",
    r"(?:~?[vG])T?(?P<a>o)(?P<to>[2U&-])T?(?P<b>o)",
    r"O(?P<a>[no])(?P<to>2)(?P<b>[no])(?!T?P)",
)
def _days_of_month(now: Now, m: Match) -> Made:
    """ "july 13 to 15", "between the 9th and the 17th of april", "del 4 al 8 de diciembre"."""
    a, b = m.value("a"), m.value("b")
    if (m.one("to").letter == "&" and not any(p.letter == "v" for p in m.pieces)) or not (1 <= a < b <= 31):
        return None
    year = year_of(m.group("y"), now.today)
    if m.one("m"):
        if m.group("y") and not year:
            return None
        first = date(year, m.value("m"), a) if year else coming(now.today, m.value("m"), a)
        if (not first and not year) or first is None:
            return None
        if not year and (last := date(now.today.year, m.value("m"), b)) and last >= now.today and first.year > now.today.year:
            first = date(now.today.year, m.value("m"), a) or first
        return between(first, date(first.year, first.month, b))
    if m.one("u"):
        if m.value("u") != "month":
            return None
        start, _ = month(now.today.year, now.today.month + (m.one("h").letter == "x"))
        return between(date(start.year, start.month, a), date(start.year, start.month, b))
    if m.pieces[0].letter == "G" and m.said_before(MOVES):
        return day(coming_day_of_month(now.today, b))
    if m.one("a").letter == "n" and (not now.spanish or m.pieces[0].text != "del"):
        return None
    first = coming_day_of_month(now.today, a)
    return between(first, date(first.year, first.month, b)) if first else None


@RANGES.rule(r"(?P<a>f)-(?P<b>f)")
def _dotted_days(now: Now, m: Match) -> Made:
    a, b = ([int(x) for x in p.text.split(".")] for p in (m.one("a"), m.one("b")))
    if a[1] > 12:
        return None
    first, last = coming(now.today, a[1], a[0]), coming(now.today, b[1], b[0])
    return between(first, last)


@RANGES.rule(r"(?P<y>n)-(?P<m>n)(?!-)", r"(?P<m>n)-(?P<y>n)(?!-)")
def _year_and_month(now: Now, m: Match) -> Made:
    year, number = m.one("y"), m.value("m")
    if len(year.text) != 4 or not 1900 <= year.value < 2200 or not 1 <= number <= 12 or (m.left and m.left.letter in "n-"):
        return None
    return between(*month(year.value, number), "month")
