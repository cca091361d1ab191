"""What a patient wishes about the time of a visit: constraints in the clinic's wall time, never one instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True)
class Days:
    """A range of calendar days, both ends included; an open end is None."""

    first: dt.date | None = None
    last: dt.date | None = None

    def __contains__(self, day: dt.date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Hours:
    """A range of starts within a day: `start` included, `end` excluded (None: midnight)."""

    start: dt.time = dt.time(0)
    end: dt.time | None = None

    def __contains__(self, time: dt.time) -> bool:
        return self.start <= time and (self.end is None or time < self.end)


@dataclass(frozen=True)
class TimeWish:
    """Everything empty means any time. A start fits when every part that is given allows it.

    `days`: it lies in one of these ranges. `weekdays`: 0 is Monday; any of them. `hours`: it starts in one of these ranges.
    `at`: it starts at exactly one of these clock times. `except_*`: it does not.
    `soonest`: nothing else matters, the first free time is wanted.
    """

    days: tuple[Days, ...] = ()
    weekdays: frozenset[int] = frozenset()
    hours: tuple[Hours, ...] = ()
    at: tuple[dt.time, ...] = ()
    except_days: tuple[Days, ...] = ()
    except_weekdays: frozenset[int] = frozenset()
    except_hours: tuple[Hours, ...] = ()
    soonest: bool = False

    def __bool__(self) -> bool:
        return self != TimeWish()

    def allows_day(self, day: dt.date) -> bool:
        return (
            (not self.days or any(day in span for span in self.days))
            and (not self.weekdays or day.weekday() in self.weekdays)
            and day.weekday() not in self.except_weekdays
            and not any(day in span for span in self.except_days)
        )

    def allows_time(self, time: dt.time) -> bool:
        return (
            (not self.hours or any(time in span for span in self.hours))
            and (not self.at or time in self.at)
            and not any(time in span for span in self.except_hours)
        )

    def allows(self, start: dt.datetime) -> bool:
        """`start` is wall time."""
        return self.allows_day(start.date()) and self.allows_time(start.time().replace(microsecond=0))

    @property
    def first_day(self) -> dt.date | None:
        """The earliest day that can fit; None where it is open."""
        firsts = [span.first for span in self.days]
        return None if not firsts or None in firsts else min(day for day in firsts if day)

    @property
    def last_day(self) -> dt.date | None:
        lasts = [span.last for span in self.days]
        return None if not lasts or None in lasts else max(day for day in lasts if day)

    @property
    def names_days(self) -> bool:
        return bool(self.days or self.weekdays or self.except_days or self.except_weekdays)

    @property
    def names_hours(self) -> bool:
        return bool(self.hours or self.at or self.except_hours)

    def refined_by(self, later: TimeWish) -> TimeWish:
        """What holds after the patient said more: days said anew replace the old days, hours said anew the old hours.

        A set of weekdays alone narrows a range of days that was said before ("next week" ... "Tuesday or Thursday").
        A weekday that was excluded stays so until it is wished for itself ("not on a Monday" ... "that same week").
        """
        if later.soonest and not (later.names_days or later.names_hours):
            return later
        wish = replace(self, soonest=later.soonest)
        if later.names_days:
            narrows = not later.days and not later.except_days and len(self.days) == 1 and self.days[0].first != self.days[0].last
            wish = replace(
                wish,
                days=self.days if narrows else later.days,
                weekdays=later.weekdays,
                except_days=later.except_days,
                except_weekdays=later.except_weekdays | (self.except_weekdays - later._named_weekdays),
            )
        if later.names_hours:
            wish = replace(wish, hours=later.hours, at=later.at, except_hours=later.except_hours)
        return wish

    @property
    def _named_weekdays(self) -> frozenset[int]:
        """The weekdays that are wished for by name or as one day."""
        return self.weekdays | {span.first.weekday() for span in self.days if span.first and span.first == span.last}

    def as_json(self) -> dict[str, Any]:
        """Plain JSON with only what is given."""
        found: dict[str, Any] = {}
        for name in ("days", "except_days"):
            if spans := getattr(self, name):
                found[name] = [[d.first.isoformat() if d.first else None, d.last.isoformat() if d.last else None] for d in spans]
        for name in ("weekdays", "except_weekdays"):
            if some := getattr(self, name):
                found[name] = sorted(some)
        for name in ("hours", "except_hours"):
            if some := getattr(self, name):
                found[name] = [[h.start.isoformat(), h.end.isoformat() if h.end else None] for h in some]
        if self.at:
            found["at"] = [time.isoformat() for time in self.at]
        if self.soonest:
            found["soonest"] = True
        return found

    @classmethod
    def from_json(cls, raw: Mapping[str, Any] | None) -> Self:
        raw = raw or {}

        def days(name: str) -> tuple[Days, ...]:
            return tuple(
                Days(dt.date.fromisoformat(a) if a else None, dt.date.fromisoformat(b) if b else None) for a, b in raw.get(name, ())
            )

        def hours(name: str) -> tuple[Hours, ...]:
            return tuple(Hours(dt.time.fromisoformat(a), dt.time.fromisoformat(b) if b else None) for a, b in raw.get(name, ()))

        return cls(
            days=days("days"),
            weekdays=frozenset(raw.get("weekdays", ())),
            hours=hours("hours"),
            at=tuple(dt.time.fromisoformat(time) for time in raw.get("at", ())),
            except_days=days("except_days"),
            except_weekdays=frozenset(raw.get("except_weekdays", ())),
            except_hours=hours("except_hours"),
            soonest=bool(raw.get("soonest")),
        )
