"""Finding free times: all of them, the best few to offer, or what comes closest to a wish that cannot be had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.orm import Session

from scheduling_core.calendar import ranking, rules, ticks
from scheduling_core.calendar.free import Free
from scheduling_core.calendar.ranking import Candidate, candidates, rank, spread
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile

__all__ = ["FreeTime", "Request", "find", "nearest", "offers"]

_DAYS_AROUND = dt.timedelta(days=14)  # how far from the days that were wished others are looked for first
_NO_WISH = TimeWish()


def find(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    start: dt.datetime,
    end: dt.datetime,
    wish: TimeWish = _NO_WISH,
    limit: int | None = None,
) -> list[FreeTime]:
    """Every start from `start` to before `end` (aware) that can be booked, by time, then in the order of the clinic file.

    Nothing is found where `rules.who_may` refuses. Raises NotFoundError for a service or patient that does not exist.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal or start >= end:
        return []
    return Free(session, clinic, asked, wish).times(ticks.tick_from(start), ticks.tick_from(end), limit=limit)


def offers(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    wish: TimeWish,
    count: int = 3,
    avoid: Collection[tuple[str, dt.datetime]] = (),
) -> list[FreeTime]:
    """The best few times that fit the wish within the booking horizon, the best first (see `ranking.rank`).

    They lie an hour or more apart where the wish leaves room for it, closer where it does not. `avoid` are times (practitioner and
    start) that were refused: they are not offered again, and their neighbours only when there is nothing else.
    Nothing is offered where `rules.who_may` refuses. Raises NotFoundError.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    free = Free(session, clinic, asked, wish)
    return [free.free_time(one.open, one.tick) for one in ranking.best(free, count, avoid)]


def nearest(session: Session, clinic: ClinicFile, request: Request, *, wish: TimeWish, count: int = 1) -> list[FreeTime]:
    """What comes closest to a wish that cannot be had.

    Another hour of the wished days, else another day at the wished hours, else any time.

    What the patient excluded stays excluded. Empty when nothing is free in the horizon, or `rules.who_may` refuses.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    weights = clinic.ranking
    any_day = replace(wish, days=(), weekdays=frozenset())
    if wish.names_hours and wish.names_days:
        free = Free(session, clinic, asked, replace(wish, hours=(), at=()))
        for day in free.days(wish.first_day, wish.last_day):
            found = sorted(candidates(free, day), key=lambda one: (_minutes_off(wish, one), rank(one, weights, soonest=True)))
            if picked := spread(free, found, count, ()):
                return [free.free_time(one.open, one.tick) for one in picked]
    for eased in (any_day, replace(any_day, hours=(), at=())):
        free = Free(session, clinic, asked, eased)
        first, last = wish.first_day, wish.last_day
        if first and last:
            around = free.days(first - _DAYS_AROUND, last + _DAYS_AROUND)
            found = [one for day in around for one in candidates(free, day)]
            found.sort(key=lambda one: (_days_off(wish, one), rank(one, weights, soonest=False)))
            if picked := spread(free, found, count, ()):
                return [free.free_time(one.open, one.tick) for one in picked]
        if picked := ranking.best(free, count, ()):
            return [free.free_time(one.open, one.tick) for one in picked]
    return []


def _minutes_off(wish: TimeWish, candidate: Candidate) -> int:
    """How far a start lies from the wished hours."""
    stretch = candidate.open.stretch
    clock = stretch.clock[candidate.tick - stretch.first] * ticks.MINUTES
    wished = [(_minutes(at), _minutes(at)) for at in wish.at]
    wished += [(_minutes(span.start), _minutes(span.end) - 1 if span.end else 24 * 60) for span in wish.hours]
    return min((max(first - clock, clock - last, 0) for first, last in wished), default=0)


def _minutes(time: dt.time) -> int:
    return time.hour * 60 + time.minute


def _days_off(wish: TimeWish, candidate: Candidate) -> int:
    """How far a day lies from the wished days."""
    day = candidate.open.stretch.day
    spans = [(span.first or day, span.last or day) for span in wish.days]
    return min((max((first - day).days, (day - last).days, 0) for first, last in spans), default=0)
