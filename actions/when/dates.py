"""Single dates and days of the week; ranges of days of one month. Letters: see `actions.when.words`."""

from __future__ import annotations

import datetime as dt

from actions.when.cascade import Made, Match, Stage
from actions.when.meanings import (
    DAY,
    Dates,
    Now,
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
    "grade floor street st ave avenue road rd blvd place dose shot time visit toe finger baby child kid trimester"
    " round opinion grader"
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
    """Two digits: this century's unless that lies years ahead, as no visit does: then it is a birth year."""
    if number >= 100:
        return number
    return 2000 + number if 2000 + number <= today.year + 3 else 1900 + number


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
    r"T?(?P<m>m)[.,/-]*[T~]?(?P<d>[noz])",
    r"T?(?P<m>m)[.,/-]*[T~]?(?P<d>[noz])[,.]?[OIh-]?(?P<y>n)",
    r"T?(?P<m>m)[.,/-]*[T~]?(?P<d>[noz])[,.]?[OIh-]?(?P<y>nn)",
    r"(?:Tr?u?O?)?T?(?P<d>[noz])\.?(?:u)?[-/]?O?O?T?(?P<m>m)",
    r"(?:Tr?u?O?)?T?(?P<d>[noz])\.?(?:u)?[-/]?O?O?T?(?P<m>m)[.,/-]*O?(?P<y>n)",
    r"(?:Tr?u?O?)?T?(?P<d>[noz])\.?(?:u)?[-/]?O?O?T?(?P<m>m)[.,/-]*O?(?P<y>nn)",
)
def _named(now: Now, m: Match) -> Made:
    """ "march 3rd (2027)", "the 3rd of march", "tres de marzo del 2027"."""
    number = m.one("d")
    if m.group("y") and m.ahead("[-2U]n") and _is_clock_span(m.pieces[-1], m.right, m.after_right):
        return None  # "24 Aug 1300-1400"
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


def _is_clock_span(first: Piece, mark: Piece, last: Piece) -> bool:
    """Whether two numbers of four digits with a mark between are hours, not years: no year of a visit lies so far off."""
    both = [piece.text for piece in (first, last)]
    return (
        bool(mark)
        and all(len(text) == 4 and text.isdigit() and text < "2400" and text[2:] < "60" for text in both)
        and (both[0] < "2000")
    )


@DATES.rule(r"(?P<d>[no])(?P<sep>\.)(?P<m>m)\.?(?P<y>n)")
def _dotted_named(now: Now, m: Match) -> Made:
    year = year_of(m.group("y"), now.today)
    return day(date(year, m.value("m"), m.value("d"))) if year else None


@DATES.rule(r"T?(?P<n>[ol])(?P<w>w)[OI]?T?(?:(?P<m>m)O?(?P<y>n)?|(?P<x>[xhT])u|u(?P<x2>x))")
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
    found = nth_weekday(*month(now.today.year, now.today.month + ahead), m.value("w"), nth)
    if m.one("x").letter == "T" and found and found < now.today:
        found = nth_weekday(*month(now.today.year, now.today.month + 1), m.value("w"), nth)
    return day(found)


@DATES.rule(r"x?T?(?P<d>[no])O?(?P<which>[hxl]|T)(?P<u>u)", r"x?T?(?P<d>[no])O?T?(?P<u>u)(?P<which>x)")
def _day_of_this_month(now: Now, m: Match) -> Made:
    if m.value("u") != "month" or (m.one("d").letter == "n" and not any(p.letter == "O" for p in m.pieces)):
        return None
    letter = m.one("which").letter
    if letter == "T":  # "the first of the month"
        return day(coming_day_of_month(now.today, m.value("d"))) if m.value("d") <= 31 else None
    first, _ = month(now.today.year, now.today.month + {"x": 1, "l": -1}.get(letter, 0))
    return day(date(first.year, first.month, m.value("d")))


def _stands_alone(m: Match) -> bool:
    """ "the third" is a day only with nothing of its own behind it, and after the words that lead to a day."""
    left, right = m.left, m.right
    ends = (
        not right
        or right.letter in ".,@wIBFUa|2-&i~y"
        or right.text in ("please", "then", "works", "por", "would", "will", "is", "if")
    )
    led = not left or left.letter in "~@,.IBFUGv|&2w-" or left.text in ("be", "is", "it", "para", "how's", "about", "to")
    return ends and led


def _numbers_a_day(now: Now, m: Match) -> bool:
    """ "the 27", "el 15": not "the 2 of us" or "las 3"."""
    article = not now.spanish or m.pieces[0].text in ("el", "del", "al")
    return article and (not m.right or m.right.letter in ".,@yiPI|U2&w~-" or m.right.text in ("please", "then", "por", "works"))


@DATES.rule(r"[Tx](?P<d>o)", r"(?P<d>o)", r"T(?P<d>n)")
def _day_of_month(now: Now, m: Match) -> Made:
    piece, right = m.one("d"), m.right
    if not 1 <= piece.value <= 31 or (right and (right.text in _NO_DAY or right.letter in "uz#H")):
        return None
    spelled = piece.letter == "o" and not piece.text[:1].isdigit()
    if spelled and (m.pieces[0].letter != "T" or not _stands_alone(m)):
        return None
    if piece.letter == "n" and not _numbers_a_day(now, m):
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
        if not now.spanish and piece.value <= 12 and (both is None or both - now.today > 10 * DAY):
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
    r"T?(?P<w>w)(?P<x>[xl])(?!u)",
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


RANGES = Stage()


@RANGES.rule(
    r"[GvI~O]?T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])O?O?T?(?P<m>m)(?:[,]?O?(?P<y>nn?))?",
    r"[GvI~]?T?(?P<m>m)T?[,]?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])(?:[,]?(?P<y>n))?",
    r"(?P<m>m)[.,]?[_Y]{0,3}[Gv]T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])",
    r"[GvI~]?T?(?P<a>[no])(?P<to>[2U&-])T?(?P<b>[no])[OI]?(?P<h>[hxT])(?P<u>u)",
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
