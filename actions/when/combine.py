"""What stands around dates and clock times: lists, ranges, bounds, "early", "from now". Letters: see `actions.when.words`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from actions.when.cascade import Made, Match, Stage
from actions.when.clocks import of_piece
from actions.when.context import moved
from actions.when.dates import between, day
from actions.when.meanings import (
    DAY,
    Dates,
    Duration,
    Moment,
    Now,
    Span,
    Weekdays,
    Window,
    after,
    coming,
    coming_day_of_month,
    date,
    monday,
    nearest,
    next_weekday,
)
from actions.when.periods import span_of
from actions.when.text import Piece
from actions.when.words import MOVES, words_of

LISTS, SHAPES, BOUNDS = Stage(), Stage(), Stage()


def _is_move(m: Match) -> bool:
    """ "move it from Tuesday to Thursday" is no range: Thursday is wanted."""
    return m.pieces[0].letter in "GO" and m.said_before(MOVES)


def _set(piece: Piece) -> frozenset[int]:
    value = piece.value
    return value.days if isinstance(value, Weekdays) else frozenset(value if isinstance(value, tuple) else (value,))


@LISTS.rule(r"[G~v]?T?(?P<a>w)(?:2|-|U|[~]?U[~]?)T?(?P<b>w)", r"O(?P<a>w)2(?P<b>w)", r"v(?P<a>w)&(?P<b>w)")
def _weekday_range(now: Now, m: Match) -> Made:
    """ "Monday to Thursday": the next such days in a row."""
    a, b = m.value("a"), m.value("b")
    if m.left.letter and m.left.letter in "xh":
        return None
    if _is_move(m):
        return [("_", None), ("w", b)]
    days = frozenset((a + step) % 7 for step in range((b - a) % 7 + 1))
    if (a, b) == (0, 4):
        return ("W", Weekdays(days, named=False))
    return ("W", Weekdays(days, named=True, span=(a, b)))


@LISTS.rule(r"[AYT~]*[wW](?:(?:[,|&/]|,[|&])?[AYT~]*[wW])+")
def _weekday_list(now: Now, m: Match) -> Made:
    if m.left and m.left.text in ("not", "no") and len(m.pieces) == 3 and m.pieces[1].letter == ",":
        return None  # "not Tuesday, Thursday"
    found: frozenset[int] = frozenset().union(*(_set(p) for p in m.pieces if p.letter in "wW"))
    return ("W", Weekdays(found, named=False)) if len(found) > 1 else ("w", next(iter(found)))


@LISTS.rule(r"[AY](?P<w>w)", r"T(?P<w>w)", r"Y?(?P<W>W)")
def _some_weekday(now: Now, m: Match) -> Made:
    if m.one("W"):
        return ("W", m.value("W") if isinstance(m.value("W"), Weekdays) else Weekdays(_set(m.one("W")), named=False))
    if m.pieces[0].letter == "T":
        return ("W", Weekdays(_set(m.one("w")), named=False)) if m.pieces[0].text == "los" else None
    return ("W", Weekdays(_set(m.one("w")), named=False))


@SHAPES.rule(r"(?P<w>[w])[.,]?[,~]?[TO]*(?P<a>a)", r"(?P<a>a)[,]?[~]?T?(?P<w>w)(?!x|[,.]?[,~]?[TO]*a)")
def _weekday_and_date(now: Now, m: Match) -> Made:
    """A weekday beside a date must agree with it; beside a range of days it picks one."""
    dates, weekday = m.value("a"), m.value("w")
    if dates.question == "next-weekday" or dates.first is None or dates.last is None:
        return None
    if dates.is_day:
        if dates.first.weekday() == weekday:
            return ("a", dates)
        if len(m.one("a").text) > 30:
            return None
        nearby = nearest(dates.first, weekday, now.today)
        return ("a", replace(dates, readings=(dates.first, nearby), question="date-weekday-disagree"))
    found = next((d for step in range(7) if (d := dates.first + step * DAY).weekday() == weekday and d <= dates.last), None)
    return day(found) if dates.grain == "week" else None


_WITHIN = frozenset(
    ("within", "in less than", "less than", "in under", "no more than", "in no more than", "en menos de", "menos de")
)


@SHAPES.rule(r"F(?P<d>D)")
def _after_duration(now: Now, m: Match) -> Made:
    """ "after two weeks"."""
    return None if m.value("d").minutes else ("a", Dates(after(now.today, m.value("d")), None, bound="after"))


@SHAPES.rule(
    r"[IB]?[@φ]?T?(?P<d>D)(?:_?G[jr])?",
    r"(?P<d>D)_?(?P<k>[kL])",
    r"(?P<k>_)(?P<d>D)",
    r"(?P<d>D)(?P<k>_)",
)
def _duration(now: Now, m: Match) -> Made:
    """ "in two weeks", "three months from now", "within 10 days"."""
    duration, first, last, k = m.value("d"), m.pieces[0], m.pieces[-1], m.one("k")
    words = {p.text for p in m.pieces}
    if k and k.letter == "_":
        if k.text not in ("hence", "hace", "away", "out"):
            return None
    elif not k and first.letter not in "I" and last.letter not in "jr":
        return None
    if last.letter == "r" and last.value != 0:
        return None
    if k and k.letter == "L" and now.anchor:
        return moved(now.anchor, duration, 1)
    sign = -1 if (k and k.letter == "k") or "hace" in words or "ago" in words else 1
    return _shifted(
        now, now.now, duration, sign, within=bool(words & _WITHIN) and duration.unit in ("week", "day", "fortnight", "workday")
    )


def _shifted(now: Now, base: dt.datetime, duration: Duration, sign: int = 1, *, within: bool = False) -> Made:
    if duration.minutes:
        return ("Θ", Moment(base + sign * dt.timedelta(days=float(duration.days) + 30 * duration.months, minutes=duration.minutes)))
    found = after(base.date(), duration, sign)
    if within:
        return between(now.today, found, "days")
    loose = {"week": (2, 4), "fortnight": (3, 5), "month": (7, 10), "year": (21, 21)}.get(duration.unit)
    if not loose or sign < 0:
        return day(found)
    return ("a", Dates(found, found, wide=(max(now.today, found - loose[0] * DAY), found + loose[1] * DAY)))


@SHAPES.rule(
    r"(?:[I]?T?)(?P<d>D)[G](?P<a>[aw])",
    r"(?P<d>D)[F](?P<a>[aw])",
    r"(?P<d>D)[B](?P<a>a)",
    r"(?P<a>[aw])(?P<way>[I]?)(?P<d>D)_?G?j?",
    r"(?P<a>a)[~]?(?P<way>)(?P<d>D)",
)
def _duration_from(now: Now, m: Match) -> Made:
    """ "a week from Thursday", "two days before Christmas", "Monday two weeks from now", "the 18th for 10 days"."""
    duration, base = m.value("d"), m.one("a")
    if m.pieces[0] is base:
        if base.letter == "a" and m.pieces[1].text in ("for", "por"):
            return (
                between(base.value.first, after(base.value.first, duration), "days")
                if base.value.first and not duration.minutes
                else None
            )
        if (
            base.letter == "w"
            and duration.unit in ("week", "fortnight")
            and m.pieces[-1].letter in "jD"
            and ((m.one("way") and m.one("way").text in ("in", "en", "dentro de")) or m.pieces[-1].letter == "j")
        ):
            return day(monday(after(now.today, duration)) + base.value * DAY)
        return None
    start = next_weekday(now.today, base.value) if base.letter == "w" else base.value.last
    if start is None or duration.minutes:
        return None
    if base.letter == "a" and m.pieces[0].letter != "I" and duration.unit == "day" and "starting" in m.pieces[1].text:
        return between(base.value.first, base.value.first + (round(duration.days) - 1) * DAY, "days")
    back = any(p.letter == "B" for p in m.pieces)
    if m.pieces[0].text in _WITHIN:
        return between(now.today, after(start, duration), "days")
    return day(after(start, duration, -1 if back else 1))


_EIGHT_DAYS = {8: 7, 15: 14}  # as Spanish counts them, today and the last day with the rest


@SHAPES.rule(r"O?T?(?P<a>[wa])I(?P<n>n)(?![upcP:])")
def _in_eight(now: Now, m: Match) -> Made:
    """ "de hoy en ocho", "del jueves en quince"."""
    start, days = _first(m.one("a"), now), _EIGHT_DAYS.get(m.value("n"))
    return day(start + days * DAY) if now.spanish and start and days else None


@SHAPES.rule(r"ω(?P<n>n)(?![umpc:])")
def _week_of_day(now: Now, m: Match) -> Made:
    """ "la semana del 7"."""
    found = coming_day_of_month(now.today, m.value("n")) if 1 <= m.value("n") <= 31 else None
    return between(monday(found), monday(found) + 6 * DAY, "week") if found else None


@SHAPES.rule(
    r"T?(?P<u>u)(?P<way>[FB])T?(?P<a>a)",
    r"T?(?P<u>ε)T?(?P<a>a)",
    r"[~]?T?(?P<w>w)(?P<way>[FB])T?(?P<a>a)",
    r"T?A(?P<w>w)(?P<way>[FB])T?(?P<a>a)",
)
def _beside(now: Now, m: Match) -> Made:
    """ "the day before Thanksgiving", "the week after Christmas", "the Monday after Easter"."""
    dates, before = m.value("a"), m.one("way").letter == "B"
    if not dates.is_day or (
        m.one("way") and m.one("way").text not in ("before", "after", "antes de", "antes del", "despues de", "despues del")
    ):
        return None
    if m.one("w"):
        found = next_weekday(dates.first, m.value("w"))
        return day(found - (7 if found - 7 * DAY < dates.first else 14) * DAY if before else found)
    unit = m.value("u") or "week"
    if unit == "day":
        return day(dates.first + (-1 if before else 1) * DAY)
    first = monday(dates.first) + (-7 if before else 7) * DAY
    return between(first, first + 6 * DAY, "week") if unit == "week" else None


@SHAPES.rule(
    r"T?(?P<how>[bZM])(?:[O-]|_O)?[T]?(?P<a>a)",
    r"T?(?P<how>[oħl])(?P<half>ħ|_)?O?T?(?P<a>a)",
    r"T?(?P<how>[ol])(?P<d>u)OT?(?P<a>a)",
    r"ωT?(?P<w>a)",
    r"[I]?T?u[OG~]?[~]?T?(?P<w>a)",
    r"(?P<how>[bZM])O?T?(?P<u>u)",
)
def _part_of_dates(now: Now, m: Match) -> Made:
    """ "early December", "end of next week", "first half of March", "the week of the 7th"."""
    if m.one("w"):
        week = m.value("w")
        if not any(p.letter == "ω" or (p.letter == "u" and p.value == "week") for p in m.pieces):
            return None
        if week.grain == "week":
            return ("a", week)
        return between(monday(week.first), monday(week.first) + 6 * DAY, "week") if week.is_day else None
    how, dates = m.one("how"), m.value("a")
    if m.one("u"):
        unit = m.value("u") if m.value("u") in ("week", "month", "year") else ""
        over = unit == "month" and now.today.day > {"b": 10, "M": 20}.get(how.letter, 31)
        dates = span_of(now, unit, int(over))
        if dates is None:
            return None
    first, last = dates.first, dates.last
    if first is None or last is None or dates.bound:
        return None
    if m.one("d"):
        return day(last if how.letter == "l" else first + (how.value - 1) * DAY) if m.value("d") == "day" else None
    letter = how.letter
    if letter in "ol" or (m.one("half") and letter == "o"):
        if not m.one("half") or m.one("half").text not in ("half", "mitad", "part"):
            return None
        letter = "1" if how.value == 1 else "2"
    elif letter == "ħ":
        return None
    if dates.is_day:
        return None
    length = (last - first).days + 1
    if length == 7 or dates.grain == "week":
        pick = {"b": (0, 2), "M": (1, 3), "Z": (4, 6), "1": (0, 2), "2": (3, 6)}[letter]
        if letter == "Z" and how.text == "late":
            pick = (2, 4)
    elif dates.grain == "month":
        pick = {"b": (0, 9), "M": (9, 20), "Z": (20, length - 1), "1": (0, 15), "2": (15, length - 1)}[letter]
    elif dates.grain == "year":
        if letter == "Z":
            return ("a", Dates(last, last, end_like=True))
        pick = {"b": (0, 60), "M": (150, 210), "1": (0, 180), "2": (181, length - 1)}[letter]
    else:
        return None
    return ("a", Dates(first + pick[0] * DAY, first + pick[1] * DAY, "week", end_like=letter == "Z"))


def _first(piece: Piece, now: Now) -> dt.date | None:
    value = piece.value
    if piece.letter == "w":
        return next_weekday(now.today, value)
    return value.first if isinstance(value, Dates) else None


@BOUNDS.rule(r"[Gv~]?T?(?P<a>[aw])[,]?(?P<to>[2U&-])[~]?T?(?P<b>[awn])(?![iD])", r"[Gv]T?(?P<n>n)[2U]T?(?P<b>a)")
def _date_range(now: Now, m: Match) -> Made:
    a, b = m.one("a"), m.one("b")
    if not a:
        last = b.value.last
        return between(last.replace(day=m.value("n")), last) if b.value.is_day and 1 <= m.value("n") < last.day else None
    if m.one("to").letter == "&" and m.pieces[0].letter != "v":
        return None
    if _is_move(m) and b.letter != "n":
        return [("_", None), (b.letter, b.value)]
    first = _first(a, now)
    if first is None or (a.letter == "a" and a.value.bound):
        return None
    if b.letter == "n":
        last = first.replace(day=b.value) if first.day < b.value <= 28 and m.one("to").letter != "&" else None
    elif b.letter == "w":
        last = next_weekday(first, b.value)
    else:
        if b.value.bound or b.value.last is None:
            return None
        last = b.value.last
        if b.value.bare:
            last = date(first.year, first.month, last.day) if last.day > first.day else last
        if last is not None and last < first and b.value.is_day and (last.month, last.day) > (first.month, first.day):
            last = last.replace(year=first.year)
    if b.letter == "a" and last is not None and str(last.year) in b.text and str(first.year) not in a.text:
        first = min(date(last.year, first.month, first.day) or first, last)
    if last is not None and last < first and a.letter == "a" and a.value.is_day:
        first = first.replace(year=first.year - 1) if (first.month, first.day) != (2, 29) else first
    if last is None or last < first or last - first > 400 * DAY:
        return None
    return between(first, last, "days")


@BOUNDS.rule(
    r"[~]*[vG][@~T]*(?P<a>[intz])[@~]*(?P<to>[2U&-])[@~T]*(?P<b>[intz])(?P<p>p)?",
    r"(?P<a>[i])[@~]*(?P<to>[2U/-])[@~T]*(?P<b>[in])",
    r"(?P<a>[n])(?P<to>[2U/-])(?P<b>i)",
    r"(?<=[awWyr,@~.])(?P<a>n)(?P<to>[2U-])(?P<b>n)",
    r"O(?P<a>n)(?P<to>2)(?P<b>[in])",
    r"^(?P<a>n)(?P<to>[2U])(?P<b>n)(?=[I~@]?[awWyr])",
    r"(?P<a>n)(?P<to>[2U])(?P<b>n)(?=[~]?[ay])",
    r"^(?P<a>n)(?P<to>[2U-])(?P<b>n)[.,]?$",
)
def _clock_range(now: Now, m: Match) -> Made:
    """ "between 12 and 2", "3:30 to 6 pm", "Monday 11-4"."""
    a, b = m.one("a"), m.one("b")
    first, last = of_piece(a), of_piece(b)
    if first is None or last is None or (m.right and (m.right.letter in "u#" or m.right.text in ("kids", "people"))):
        return None
    if m.one("to").letter == "&" and not any(p.letter in "vG" for p in m.pieces):
        return None
    if _is_move(m):
        return [("_", None), ("i", last)]
    bare = a.letter == b.letter == "n"
    if bare and m.one("to").letter == "-" and len(m.pieces) == 3 and last.hour > 12 and first.hour <= 12 and not m.left:
        return day(coming(now.today, a.value, b.value))
    if (
        bare
        and m.left
        and m.left.letter in "a~"
        and first.hour > 12
        and last.hour > 12
        and not a.text.startswith("0")
        and len(a.text) < 3
    ):
        return None
    if (
        bare
        and not any(p.letter in "vG" for p in m.pieces)
        and m.left
        and m.left.letter in "~,."
        and not (m.right and m.right.letter in "ayI")
    ):
        return None
    return ("y", Span(first, last))


@BOUNDS.rule(r"(?P<a>[in])(?:[|&,/][@~T]*(?P<b>[in]))+")
def _clock_choice(now: Now, m: Match) -> Made:
    """ "8 or 8:30"."""
    found = [of_piece(p) for p in m.pieces if p.letter in "in"]
    if (
        not any(p.letter == "i" for p in m.pieces)
        or None in found
        or (any(p.letter in ",&/" for p in m.pieces) and not all(p.letter in "i,&|@/" for p in m.pieces))
    ):
        return None
    if any(p.letter == "/" for p in m.pieces):
        return ("y", Span(found[0], found[-1]))
    half = next((c.half for c in reversed(found) if c and c.half), None)
    return ("ι", tuple(replace(c, half=c.half or (half if not c.sure else None)) for c in found if c))


@BOUNDS.rule(
    r"(?P<way>[BFUG])[@~TI]*(?P<c>[inz])",
    r"[@~]*(?P<c>i)(?P<way>[λξ])",
    r"[@~]*(?P<c>i)[|](?P<way>[BF])(?![@~T]*[aintwWf])",
    r"N[_]?(?P<way>[BF])[@~T]*(?P<c>i)",
    r"[~@]*(?P<c>i)[|&]?(?P<way>[LE])(?![I~]?[TADaw])",
)
def _clock_bound(now: Now, m: Match) -> Made:
    """ "after 3", "by noon", "2 pm or later"."""
    piece, way = m.one("c"), m.one("way")
    found = of_piece(piece)
    if piece.letter == "n" and 1990 <= piece.value < 2100 and len(piece.text) == 4:
        return _year_bound(now, piece.value, way.letter)
    if found is None or (
        piece.letter == "n"
        and (
            (m.right and (m.right.letter in "uno#m:/-" or m.right.text in _NOT_HOURS))
            or piece.value == 0
            or (piece.value > 24 and len(piece.text) < 3)
        )
    ):
        return None
    if piece.letter == "n" and way.letter == "G" and way.text not in ("from", "desde", "a partir de", "any time from"):
        return None
    later = way.letter in "FGλL"
    trailing = piece is not m.pieces[-1]
    if trailing and way.letter == "B":
        later = False
    if m.pieces[0].letter == "N":
        later = not later
    return ("y", Span(found, None) if later else Span(None, found))


_NOT_HOURS = words_of("kids people visits appointments times doses others other doctors more of patients")


@BOUNDS.rule(
    r"(?P<way>[BFU])[@~TI]*(?P<d>[awW])",
    r"(?P<way>G)[~T]*(?P<d>[aw])(?P<on>λ|~(?![TA_]))?",
    r"[~T]*(?P<d>[aw])[,]?(?P<way>[λξ])",
    r"[~T]*(?P<d>[aw])[,]?[|](?P<way>[BF])(?![@~T]*[aintwWfA])",
    r"[~T]*(?P<d>[aw])~?(?P<way>λ)",
    r"[~T]*(?P<d>[aw])[|&]?(?P<way>[LE])(?![Daw])",
    r"T?(?P<d>[aw])(?P<way>Fα)",
)
def _date_bound(now: Now, m: Match) -> Made:
    """ "by Friday", "after this week", "from Wednesday on", "December 4th or later"."""
    piece, way = m.one("d"), m.one("way")
    if piece.letter == "W":
        return None
    if piece.letter == "w":
        first = last = next_weekday(now.today, piece.value)
        end_like = False
    else:
        if piece.value.bound or piece.value.first is None:
            return None
        first, last, end_like = piece.value.first, piece.value.last, piece.value.end_like
    if way.text == "since" and not piece.text.startswith(("today", "tomorrow")):
        return [("_", None)]  # "it hurts since Monday" is no wish
    if (last is not None and last < now.today) or (way.letter == "G" and piece.text.endswith(("'s", "todays"))):
        return None
    if way.letter == "G" and piece.letter == "a" and piece.value.grain == "days":
        return ("a", piece.value)
    if way.letter in "GλL" or (way.letter == "F" and piece is not m.pieces[-1] and "α" not in (p.letter for p in m.pieces)):
        return ("a", Dates(first, None, bound="after"))
    if way.letter == "F":
        inclusive = (
            way.text
            in (
                "not before",
                "on or after",
                "no earlier than",
                "no sooner than",
                "no antes de",
                "no antes del",
                "at the earliest",
                "not until",
                "nothing before",
                "as early as",
            )
            or "until" in way.text
            or "till" in way.text
            or "hasta" in way.text
        )
        return ("a", Dates(first if inclusive else last + DAY, None, bound="after"))
    inclusive = (
        way.letter in "UξE"
        or piece is not m.pieces[-1]
        or way.text
        not in (
            "before",
            "prior to",
            "earlier than",
            "sooner than",
            "in advance of",
            "antes de",
            "antes del",
            "ahead of",
            "any time before",
            "anytime before",
            "anything before",
            "antes que",
        )
    )
    if end_like:
        return ("a", Dates(now.today, last, bound="before"))
    last_day = last if inclusive else first - DAY
    return ("a", Dates(min(now.today, last_day), last_day, bound="before"))


def _year_bound(now: Now, year: int, way: str) -> Made:
    if way == "F":
        return ("a", Dates(dt.date(year + 1, 1, 1), None, bound="after"))
    return ("a", Dates(now.today, dt.date(year - 1, 12, 31), bound="before")) if way == "B" else None


@BOUNDS.rule(r"(?P<way>[BFU])[~T]*(?P<d>[aw])[,]?@*(?P<i>i)")
def _day_and_clock_bound(now: Now, m: Match) -> Made:
    """ "by tomorrow at 5"."""
    piece, clock = m.one("d"), m.value("i")
    return [(piece.letter, piece.value), ("y", Span(clock, None) if m.one("way").letter == "F" else Span(None, clock))]


@BOUNDS.rule(r"[vG]j(?:&|2|-|U)[~T]*(?P<d>[aw])")
def _from_now(now: Now, m: Match) -> Made:
    """ "between now and Friday"."""
    piece = m.one("d")
    last = next_weekday(now.today, piece.value) if piece.letter == "w" else piece.value.last
    return ("a", Dates(now.today, last, bound="before")) if last and last >= now.today else None


@BOUNDS.rule(r"(?<=w)(?P<t>n)(?=[.,]|$)")
def _weekday_and_hour(now: Now, m: Match) -> Made:
    """ "Friday 2"."""
    found = of_piece(m.one("t"))
    return ("i", found) if found and (m.value("t") <= 12 or len(m.one("t").text) > 2) else None


@BOUNDS.rule(r"B[@T~]*(?P<y>y)")
def _by_end_of_day(now: Now, m: Match) -> Made:
    value = m.value("y")
    return ("a", Dates(now.today, now.today, bound="before")) if isinstance(value, Window) and value.name == "last-thing" else None
