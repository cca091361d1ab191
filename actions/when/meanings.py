"""What the pieces of a sentence mean: clocks, durations, dates, windows of hours; and the calendar arithmetic of their rules."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Now:
    """Where and when the words were said; wall time."""

    now: dt.datetime
    spanish: bool = False
    hours: tuple[dt.time, dt.time] = (dt.time(8), dt.time(18))
    anchor: dt.datetime | None = None
    offered: tuple[dt.datetime, ...] = ()

    @property
    def today(self) -> dt.date:
        return self.now.date()

    @property
    def talked_about(self) -> dt.datetime | None:
        """The visit that "the same day" means: the one being moved, else what was offered if that is one day."""
        if self.anchor or not self.offered:
            return self.anchor
        return self.offered[0] if len({each.date() for each in self.offered}) == 1 else None


@dataclass(frozen=True)
class Clock:
    """A clock time as said; `half` is "am" or "pm", `sure` that neither is needed; `loose` that it is about then."""

    hour: int
    minute: int = 0
    half: str | None = None
    sure: bool = False
    loose: bool = False


@dataclass(frozen=True)
class Duration:
    months: int = 0
    days: float = 0
    minutes: float = 0
    unit: str = "day"


@dataclass(frozen=True)
class Dates:
    """Days from `first` to `last`, an open end being None; `bound` as in Reading.

    `wide` are the days to search where "about" is meant; `end_like` that it is itself an end ("end of March"), `bare` that only
    a day of the month was said; `question` and `readings` as in Reading.
    """

    first: dt.date | None
    last: dt.date | None
    grain: str = "day"
    bound: str | None = None
    wide: tuple[dt.date, dt.date] | None = None
    readings: tuple[dt.date, ...] = ()
    question: str | None = None
    end_like: bool = False
    bare: bool = False

    @property
    def is_day(self) -> bool:
        return self.first is not None and self.first == self.last


@dataclass(frozen=True)
class Weekdays:
    """Days of the week; `named` means the next such date, else any such day. `span` is how "Wednesday to Friday" was said."""

    days: frozenset[int]
    named: bool = True
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Window:
    """Hours of a day: a visit's start must fit `starts`, a caller would name `said`; `half` tells a bare hour's half of the day."""

    name: str
    starts: tuple[dt.time, dt.time | None]
    said: tuple[dt.time, dt.time]
    half: str | None = None


@dataclass(frozen=True)
class Span:
    """From one clock time to another; None is open. `bound` as in Reading."""

    first: Clock | None
    last: Clock | None


@dataclass(frozen=True)
class Moment:
    """A moment: "in two hours"; `exact` where another visit was shifted."""

    at: dt.datetime
    exact: bool = False


def _t(hours: float) -> dt.time:
    return dt.time(int(hours) % 24, round(hours % 1 * 60)) if hours < 24 else dt.time(23, 59)


def _window(name: str, starts: tuple[float, float | None], said: tuple[float, float], half: str | None) -> Window:
    return Window(name, (_t(starts[0]), None if starts[1] is None else _t(starts[1])), (_t(said[0]), _t(said[1])), half)


WINDOWS = {
    window.name: window
    for window in (
        _window("morning", (0, 12), (8, 12), "am"),
        _window("afternoon", (12, 18), (12, 17), "pm"),
        _window("evening", (17, None), (17, 21), "evening"),
        _window("night", (18, None), (19, 24), "night"),
        _window("early-morning", (0, 10), (7, 10), "am"),
        _window("late-morning", (10, 12), (10, 12), "am"),
        _window("midmorning", (9, 11.5), (10, 11), "am"),
        _window("early-afternoon", (12, 15), (12, 15), "pm"),
        _window("late-afternoon", (15, 18), (15, 17), "pm"),
        _window("midafternoon", (13.5, 16), (14, 15), "pm"),
        _window("early-evening", (17, 19), (17, 19), "evening"),
        _window("late-evening", (19, None), (20, 23), "evening"),
        _window("early-night", (18, 21), (19, 22), "night"),
        _window("late-night", (21, None), (21, 24), "night"),
        _window("lunch", (11.5, 13.5), (11.5, 13.5), "lunch"),
        _window("after-lunch", (13, 18), (13, 17), "pm"),
        _window("before-lunch", (0, 12), (8, 12), "am"),
        _window("dinner", (17.5, 20), (18, 20), "evening"),
        _window("after-work", (16.5, None), (17, 20), "evening"),
        _window("before-work", (0, 9), (7, 9), "am"),
        _window("after-school", (15, None), (15, 18), "pm"),
        _window("before-school", (0, 9), (7, 9), "am"),
        _window("daytime", (8, 18), (8, 18), None),
        _window("midday-part", (10.5, 14), (10, 14), "lunch"),
        _window("early-day", (0, 12), (0, 12), "am"),
        _window("late-day", (15, None), (16, 19), "pm"),
        _window("first-thing", (0, 10), (8, 10), "am"),
        _window("last-thing", (15, None), (15, 18), "pm"),
        _window("after-dinner", (19, None), (20, 22), "evening"),
    )
}


def month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def month(year: int, number: int) -> tuple[dt.date, dt.date]:
    year, number = year + (number - 1) // 12, (number - 1) % 12 + 1
    return dt.date(year, number, 1), month_end(year, number)


def add_months(day: dt.date, count: int) -> dt.date:
    first, last = month(day.year, day.month + count)
    return first.replace(day=min(day.day, last.day))


def monday(day: dt.date) -> dt.date:
    return day - day.weekday() * DAY


def after(day: dt.date, duration: Duration, sign: int = 1) -> dt.date:
    return add_months(day, sign * duration.months) + sign * round(duration.days) * DAY


def next_weekday(day: dt.date, weekday: int, *, today_too: bool = False) -> dt.date:
    ahead = (weekday - day.weekday()) % 7
    return day + (ahead or (0 if today_too else 7)) * DAY


def nearest(day: dt.date, weekday: int, today: dt.date) -> dt.date:
    """The date with this weekday nearest to `day`, not before today."""
    back = (day.weekday() - weekday) % 7
    return day - back * DAY if back <= 3 and day - back * DAY >= today else day + (7 - back) % 7 * DAY


def date(year: int, month_number: int, day: int) -> dt.date | None:
    """The date, or None where the calendar has none."""
    if not (1 <= month_number <= 12 and 1 <= day <= 31 and 1 <= year <= 9990):
        return None
    return dt.date(year, month_number, day) if day <= month_end(year, month_number).day else None


def coming(today: dt.date, month_number: int, day: int) -> dt.date | None:
    """The next such date from today on; 29 February looks for its leap year."""
    for year in range(today.year, today.year + 9):
        if (found := date(year, month_number, day)) and found >= today:
            return found
    return None


def coming_day_of_month(today: dt.date, day: int, weekday: int | None = None, *, months: int = 14) -> dt.date | None:
    """The next date with this day of the month (and this weekday)."""
    for ahead in range(months):
        first, _ = month(today.year, today.month + ahead)
        if (found := date(first.year, first.month, day)) and found >= today and weekday in (None, found.weekday()):
            return found
    return None


def nth_weekday(first: dt.date, last: dt.date, weekday: int, nth: int) -> dt.date | None:
    """The nth such weekday of a month; -1 is the last."""
    if nth == -1:
        return last - (last.weekday() - weekday) % 7 * DAY
    found = first + ((weekday - first.weekday()) % 7 + 7 * (nth - 1)) * DAY
    return found if found <= last else None
