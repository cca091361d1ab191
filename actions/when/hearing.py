"""From a sentence to what was said about days and about hours: which words belong together, what is refused, what is taken back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from actions.when.clocks import CLOCK_PARTS, CLOCKS, DURATIONS, PARTS
from actions.when.combine import BOUNDS, LISTS, SHAPES
from actions.when.context import OFFERS, RELATIONS
from actions.when.dates import DATES, RANGES
from actions.when.meanings import DAY, Clock, Dates, Moment, Now, Span, Weekdays, Window, date
from actions.when.periods import PERIODS
from actions.when.text import Piece, pieces
from actions.when.words import MOVES, words_of

_STAGES = (
    RANGES, CLOCKS, CLOCK_PARTS, DURATIONS, PARTS, LISTS, DATES.with_rules_of(PERIODS),
    RELATIONS, SHAPES, RELATIONS, LISTS, SHAPES, BOUNDS,
)  # fmt: skip


def parse(text: str, now: Now, language: str | None = None) -> list[Piece]:
    """The pieces of `text` after all rules; later stages see what earlier ones made, and some look again at what was made of it."""
    found = pieces(text, language=language)
    if now.offered:
        found = OFFERS.rewrite(now, found)
    for stage in _STAGES:
        found = stage.rewrite(now, found)
    return found


@dataclass
class Heard:
    """The pieces about time, sorted by what they are about."""

    ranges: list[Dates] = field(default_factory=list)
    weekdays: frozenset[int] = frozenset()
    named: tuple[int, ...] = ()
    row: tuple[int, int] | None = None
    clocks: list[Clock] = field(default_factory=list)
    windows: list[Window | Span] = field(default_factory=list)
    not_ranges: list[Dates] = field(default_factory=list)
    not_weekdays: frozenset[int] = frozenset()
    not_windows: list[Window | Span | Clock] = field(default_factory=list)
    moment: Moment | None = None
    chosen: dt.datetime | None = None
    same_time: Clock | None = None
    same_day: dt.date | None = None
    soonest: bool = False
    anything: bool = False
    hint: str | None = None
    start: int = 1 << 30
    end: int = 0


_DAY_LETTERS, _TIME_LETTERS = "awW", "iιy"


_OURS = _DAY_LETTERS + _TIME_LETTERS + "ΘΦΔθSV"


_SMALL = "TA~@IO&|,:_"


def hear(parsed: list[Piece], now: Now, *, gone: bool = False) -> Heard | None:
    """What was said; `gone`: of days gone by, too."""
    heard = Heard()
    last_day = last_time = -99
    negated_before = False
    found = False
    for at, piece in enumerate(parsed):
        if piece.letter not in _OURS or _passed(parsed, at, now, gone):
            continue
        beside = at and parsed[at - 1].letter in _OURS
        negative = _is_negated(parsed, at) or (negated_before and (beside or _joined(parsed, max(last_day, last_time), at, "|&")))
        if negative and negated_before and beside and parsed[at - 1].letter in _DAY_LETTERS and piece.letter in _TIME_LETTERS:
            continue  # "not Monday morning": a wish cannot say it, so the whole Monday is left out
        negated_before = negative
        found = True
        heard.start, heard.end = min(heard.start, piece.start), max(heard.end, piece.end)
        if piece.letter in _DAY_LETTERS:
            joined = last_day >= 0 and (_joined(parsed, last_day, at, "|&,/") or _joined(parsed, last_day, at, "|", "y"))
            if last_day >= 0 and any(p.text in MOVES for p in parsed[last_day + 1 : at]):
                heard.clocks, heard.windows = [], []  # the hours were those of the visit to be moved
            _add_day(heard, piece, negative, joined, now, _corrects(parsed, last_day, at))
            last_day = at
        elif piece.letter in _TIME_LETTERS:
            joined = last_time >= 0 and (_joined(parsed, last_time, at, "|&/") or _joined(parsed, last_time, at, "|", "aw"))
            _add_time(heard, piece, negative, joined, _corrects(parsed, last_time, at))
            last_time = at
        elif piece.letter == "Θ":
            heard.moment = piece.value
        elif piece.letter == "Φ":
            heard.chosen = piece.value if not negative else heard.chosen
        elif piece.letter == "Δ":
            heard.same_day = piece.value.first
        elif piece.letter == "θ":
            heard.same_time = piece.value
        elif piece.letter == "S":
            heard.soonest = True
        elif piece.letter == "V":
            heard.anything = True
    return heard if found else None


def _passed(parsed: list[Piece], at: int, now: Now, gone: bool) -> bool:
    """A birth date or a day gone by is no wish."""
    piece = parsed[at]
    if piece.letter == "a":
        dates = piece.value
        if not gone and dates.last is not None and dates.last < now.today and dates.bound != "before":
            return True
        for back in range(1, 5):
            if at - back < 0 or parsed[at - back].letter in "." + _OURS:
                break
            if parsed[at - back].letter == "J":
                return True
    return piece.letter == "Θ" and not piece.value.exact and piece.value.at < now.now - dt.timedelta(hours=12)


def _joined(parsed: list[Piece], before: int, at: int, marks: str, across: str = "") -> bool:
    """Whether only a list's words stand between two pieces ("Monday morning or Tuesday")."""
    between = [p.letter for p in parsed[before + 1 : at]]
    return (
        0 < len(between) <= 5
        and any(letter in marks for letter in between)
        and all(letter in _SMALL + "/Y" + across for letter in between)
        and between.count("_") <= 1
    )


def _corrects(parsed: list[Piece], before: int, at: int) -> bool:
    return before >= 0 and any(p.letter == "C" or p.text in ("no", "nope") for p in parsed[before + 1 : at])


_REFUSING = words_of("work works do make come possible good me")


def _is_negated(parsed: list[Piece], at: int) -> bool:
    """Whether a "not", "except" or "can't" before the piece, or a "doesn't work" behind it, is about it."""
    words = 0
    behind = next(
        (
            n
            for n in range(at + 1, min(at + 4, len(parsed)))
            if parsed[n].letter != "_" and not (parsed[n].letter == "y" and n == at + 1)
        ),
        len(parsed),
    )
    if _no_behind(parsed, behind):
        return True
    if behind < len(parsed) and parsed[behind].letter == "N" and parsed[behind].text not in ("no", "not", "ni", "without", "nope"):
        follows = parsed[behind + 1 : behind + 4]
        whole = (
            not follows
            or follows[0].letter in ".,"
            or follows[0].text in _REFUSING
            or parsed[behind].text in ("no puedo", "no good", "doesn't work", "won't work", "not good", "bad for me")
        )
        if whole and not any(p.letter in _OURS for p in follows):
            return True
    for back in range(at - 1, max(-1, at - 8), -1):
        letter, text = parsed[back].letter, parsed[back].text
        if letter == "X":
            return words <= 2 * (text in ("rather not", "i would rather not", "just not"))
        if letter == "N":
            if text in ("no", "nope"):
                return words == 0 and parsed[at].letter in "Wy"
            return (
                words <= (text == "not" and parsed[back + 1].text in ("do", "have", "want", "take"))
                if text in ("not", "ni")
                else words <= 4
            )
        if letter == "_":
            words += 1
        elif letter not in "TAYO~@IrzgP":
            return False
    return False


def _no_behind(parsed: list[Piece], at: int) -> bool:
    """ "los lunes no"."""
    return at < len(parsed) and parsed[at].text == "no" and all(p.letter in ".," for p in parsed[at + 1 :])


def _add_day(heard: Heard, piece: Piece, negative: bool, joined: bool, now: Now, corrects: bool) -> None:
    value = piece.value
    if negative:
        if piece.letter == "a":
            if value.bound == "before" and value.last:
                heard.ranges = [Dates(value.last, None, bound="after")]
            elif value.bound == "after" and value.first:
                heard.ranges = [Dates(now.today, value.first - DAY, bound="before")]
            else:
                heard.not_ranges.append(value)
        else:
            heard.not_weekdays |= value.days if isinstance(value, Weekdays) else frozenset((value,))
        return
    if value in heard.not_ranges or (isinstance(value, int) and value in heard.not_weekdays):
        return
    if corrects:
        heard.ranges, heard.weekdays, heard.named, heard.row = [], frozenset(), (), None
    if piece.letter == "a":
        if joined and (heard.ranges or heard.named):
            heard.ranges.append(value)
        elif heard.ranges and _within(heard.ranges[-1], value):
            pass
        elif heard.ranges and heard.ranges[-1].grain == "month" and value.bare and (found := _in_month(heard.ranges[-1], value)):
            heard.ranges = [found]
        elif heard.ranges and heard.ranges[-1].bound and value.bound and heard.ranges[-1].bound != value.bound:
            heard.ranges = [_both(heard.ranges[-1], value)]
        else:
            heard.ranges = [value]
            if value.is_day:
                heard.weekdays, heard.named, heard.row = frozenset(), (), None
        return
    if isinstance(value, Weekdays):
        if heard.ranges and not joined and all(dates.is_day for dates in heard.ranges):
            heard.ranges = []
        heard.weekdays = (heard.weekdays | value.days) if joined else value.days
        heard.row, heard.named = value.span, ()
        return
    if heard.ranges and not joined and all(dates.is_day for dates in heard.ranges):
        heard.ranges = []
    heard.named = (*heard.named, value) if joined else (value,)
    if not joined:
        heard.weekdays, heard.row = frozenset(), None


def _within(inner: Dates, outer: Dates) -> bool:
    return (
        inner.is_day and not outer.is_day and not outer.bound and outer.first is not None and outer.last is not None
        and inner.first is not None and outer.first <= inner.first <= outer.last
    )  # fmt: skip


def _in_month(month: Dates, said: Dates) -> Dates | None:
    """ "in March ... the 12th"."""
    found = date(month.first.year, month.first.month, said.first.day) if month.first and said.first else None
    return Dates(found, found) if found else None


def _both(a: Dates, b: Dates) -> Dates:
    firsts = [d.first for d in (a, b) if d.bound == "after"]
    lasts = [d.last for d in (a, b) if d.bound == "before"]
    return Dates(firsts[0], lasts[0], "days")


def _add_time(heard: Heard, piece: Piece, negative: bool, joined: bool, corrects: bool) -> None:
    value = piece.value
    if negative:
        if isinstance(value, Span) and (value.first is None) != (value.last is None):
            heard.windows = [Span(value.last, value.first)]
        else:
            heard.not_windows.append(value[0] if isinstance(value, tuple) else value)
        return
    if corrects:
        heard.clocks, heard.windows = [], []
    if isinstance(value, Window):
        if joined and heard.windows:
            heard.windows.append(value)
        elif heard.clocks:
            heard.hint = value.half or heard.hint
        elif heard.windows and isinstance(heard.windows[-1], Span):
            heard.hint = value.half or heard.hint
            if value.half is None:
                heard.windows.append(value)
        else:
            heard.windows = [value]
        return
    for window in heard.windows:
        if isinstance(window, Window):
            heard.hint = window.half or heard.hint
    if isinstance(value, Span):
        if joined and heard.windows:
            heard.windows.append(value)
            return
        if heard.windows and isinstance(heard.windows[-1], Span) and (heard.windows[-1].first is None) != (value.first is None):
            heard.windows = [Span(heard.windows[-1].first or value.first, heard.windows[-1].last or value.last)]
        else:
            heard.windows = [value]
        heard.clocks = []
        return
    clocks = list(value) if isinstance(value, tuple) else [value]
    heard.windows = []
    heard.clocks = heard.clocks + clocks if joined else clocks
