"""What a wish that cannot be had would bring if one thing of it were given up: the cheapest sacrifice first.

Built on `search.find` and `search.offers` alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.calendar import rules, search
from scheduling_core.calendar.chains import can_be_held_together
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Mode

_DAYS_AROUND = (1, 3, 7, 14)  # how far from the days that were wished others are looked at before any other day
_APART = (60, 30, 15, 5, 0)  # minutes between two times that are offered


class Wish(StrEnum):
    """What a patient may wish of a visit and can give up."""

    HOURS = "hours"
    DAYS = "days"
    PLACE = "place"
    MODE = "mode"
    PRACTITIONER = "practitioner"
    GENDER = "gender"
    LANGUAGE = "language"


_OF_TIME = (Wish.HOURS, Wish.DAYS)

# How dear each is, in hours by which a patient would rather come at another time of the wished day; days and hours cost by their
# distance on top. A language that a patient does not speak is no small thing, another hour of the day is.
_PRICES = {
    Wish.HOURS: 0.0,
    Wish.DAYS: 1.0,
    Wish.PLACE: 3.0,
    Wish.MODE: 4.0,
    Wish.PRACTITIONER: 4.0,
    Wish.GENDER: 8.0,
    Wish.LANGUAGE: 12.0,
}
_PRICE_OF_A_DAY = 0.5


@dataclass(frozen=True)
class Sacrifice:
    """What is given up, the best time that it would bring, and how dear it is (see `price`)."""

    wishes: tuple[Wish, ...]
    time: FreeTime
    price: float


@dataclass(frozen=True)
class Nearest:
    """What comes closest to a wish that cannot be had.

    `later`: the first time that keeps every wish but the last day of those wished: there is nothing like it before. None: nothing
    like it in the horizon. `sacrifices`: of each wish what giving it up alone would bring, the cheapest first; where none of them
    alone brings anything, pairs, then more. Empty: nothing is free in the horizon, or `rules.who_may` refuses.
    """

    later: FreeTime | None
    sacrifices: tuple[Sacrifice, ...]


def held_wishes(request: Request, wish: TimeWish) -> list[Wish]:
    """The wishes that could be given up. What was excluded stays excluded, so it is none of them."""
    held = {
        Wish.HOURS: bool(wish.hours or wish.at),
        Wish.DAYS: bool(wish.days or wish.weekdays),
        Wish.PLACE: request.location_id is not None,
        Wish.MODE: request.mode is not None,
        Wish.PRACTITIONER: bool(request.practitioners),
        Wish.GENDER: request.gender is not None,
        Wish.LANGUAGE: request.language is not None,
    }
    return [one for one in Wish if held[one]]


def without(clinic: ClinicFile, request: Request, wish: TimeWish, given_up: Iterable[Wish]) -> tuple[Request, TimeWish]:
    """What is left to wish for. Giving up the mode means the other mode of the service, where it has one."""
    for one in given_up:
        match one:
            case Wish.HOURS:
                wish = replace(wish, hours=(), at=())
            case Wish.DAYS:
                wish = replace(wish, days=(), weekdays=frozenset())
            case Wish.PLACE:
                request = replace(request, location_id=None)
            case Wish.MODE:
                others = [one for one in clinic.services_by_id[request.service_id].modes if one != request.mode]
                request = replace(request, mode=Mode(others[0]) if others else request.mode)
            case Wish.PRACTITIONER:
                request = replace(request, practitioners=())
            case Wish.GENDER:
                request = replace(request, gender=None)
            case Wish.LANGUAGE:
                request = replace(request, language=None)
    return request, wish


def price(clinic: ClinicFile, wish: TimeWish, given_up: Iterable[Wish], time: FreeTime) -> float:
    """The smaller the better: the prices of the wishes, and how far the time lies from the wished hours and days."""
    start = _wall(clinic, time)
    return (
        sum(_PRICES[one] for one in given_up)
        + _minutes_off(wish, start.time()) / 60
        + _days_off(wish, start.date()) * _PRICE_OF_A_DAY
    )


def find(session: Session, clinic: ClinicFile, request: Request, *, wish: TimeWish) -> Nearest:
    """What comes closest to a wish that no free time fits. Raises NotFoundError."""
    held = held_wishes(request, wish)
    later = None
    if wish.last_day:
        rest = replace(wish, days=(Days(first=wish.first_day),))
        later = next(iter(search.offers(session, clinic, request, wish=rest, count=1)), None)
    for together in range(1, len(held) + 1):
        found = [
            Sacrifice(given_up, time, price(clinic, wish, given_up, time))
            for given_up in combinations(held, together)
            if (time := _best(session, clinic, request, wish, given_up)) is not None
        ]
        if found:
            return Nearest(later, tuple(sorted(found, key=lambda one: (one.price, one.time.start))))
    return Nearest(later, ())


def nearest(session: Session, clinic: ClinicFile, request: Request, *, wish: TimeWish, count: int = 1) -> list[FreeTime]:
    """The times that come closest to a wish that cannot be had, with all kept that is no wish about time.

    Another hour of the wished days, else another day at the wished hours, else any time. What the patient excluded stays excluded.
    They can all be held at once. Empty when nothing is free in the horizon, or `rules.who_may` refuses. Raises NotFoundError.
    """
    held = tuple(one for one in held_wishes(request, wish) if one in _OF_TIME)
    for given_up in dict.fromkeys([*((one,) for one in held), held]):
        if found := _closest(session, clinic, request, wish, given_up, count):
            return found
    return []


def _best(session: Session, clinic: ClinicFile, request: Request, wish: TimeWish, given_up: tuple[Wish, ...]) -> FreeTime | None:
    """The time nearest to the wish once these are given up."""
    eased, _ = without(clinic, request, wish, given_up)
    return next(iter(_closest(session, clinic, eased, wish, tuple(one for one in given_up if one in _OF_TIME), 1)), None)


def _closest(
    session: Session, clinic: ClinicFile, request: Request, wish: TimeWish, given_up: tuple[Wish, ...], count: int
) -> list[FreeTime]:
    """The free times closest to a wish of which days or hours, or both, or neither, are given up."""
    _, rest = without(clinic, request, wish, given_up)
    if Wish.DAYS in given_up:
        for around in _DAYS_AROUND:
            days = _near_the_days(clinic, wish, around)
            found = days and _find_on(session, clinic, request, rest, *days)
            if found and (len(found) >= count or around == _DAYS_AROUND[-1]):
                return _apart(sorted(found, key=_distance(clinic, wish)), count)
    first = search.offers(session, clinic, request, wish=rest, count=count)
    if not first or given_up != (Wish.HOURS,):
        return first
    day = _wall(clinic, first[0]).date()
    return _apart(sorted(_find_on(session, clinic, request, rest, day, day), key=_distance(clinic, wish)), count)


def _find_on(
    session: Session, clinic: ClinicFile, request: Request, wish: TimeWish, first: dt.date, last: dt.date
) -> list[FreeTime]:
    start, end = (times.from_wall(day, dt.time(0), clinic.zone) for day in (first, last + dt.timedelta(days=1)))
    found = search.find(session, clinic, request, start=max(start, times.now()), end=end, wish=wish)
    return [one for one in found if first <= _wall(clinic, one).date() <= last]


def _near_the_days(clinic: ClinicFile, wish: TimeWish, around: int) -> tuple[dt.date, dt.date] | None:
    """From so many days before the first wished day until so many after the last, as far as anything can be booked.

    None where the wish has no such bounds, or nothing can be booked there.
    """
    if wish.first_day is None or wish.last_day is None:
        return None
    now, zones = times.now(), [clinic.zone_of(place.id) for place in clinic.locations]
    first = max(min(times.to_wall(now, zone).date() for zone in zones), wish.first_day - dt.timedelta(days=around))
    last = max(rules.last_day(clinic, zone, now) for zone in zones)
    last = min(last, wish.last_day + dt.timedelta(days=around)) if wish.last_day < last else last
    return (first, last) if first <= last else None


def _apart(ranked: list[FreeTime], count: int) -> list[FreeTime]:
    """The first few that start far apart, or less far where there are not enough, and that can all be held at once."""
    picked: list[FreeTime] = []
    for minutes in _APART:
        picked = []
        for one in ranked:
            if len(picked) < count and all(
                abs(one.start - other.start) >= dt.timedelta(minutes=minutes) and can_be_held_together(one, other)
                for other in picked
            ):
                picked.append(one)
        if len(picked) == count:
            break
    return picked


def _distance(clinic: ClinicFile, wish: TimeWish) -> Callable[[FreeTime], tuple[float, ...]]:
    """How far a time lies from the wished days, then hours; then the sooner."""

    def of(time: FreeTime) -> tuple[float, ...]:
        start = _wall(clinic, time)
        return _days_off(wish, start.date()), _minutes_off(wish, start.time()), time.start.timestamp()

    return of


def _wall(clinic: ClinicFile, time: FreeTime) -> dt.datetime:
    return times.to_wall(time.start, clinic.zone_of(time.location_id))


def _days_off(wish: TimeWish, day: dt.date) -> int:
    """How many days a day lies from the wished ones."""
    spans = [(span.first or day, span.last or day) for span in wish.days]
    off = min((max((first - day).days, (day - last).days, 0) for first, last in spans), default=0)
    weekdays = [min((day.weekday() - one) % 7, (one - day.weekday()) % 7) for one in wish.weekdays]
    return max(off, min(weekdays, default=0))


def _minutes_off(wish: TimeWish, clock: dt.time) -> int:
    """How many minutes a clock time lies from the wished hours."""
    at = _minutes(clock)
    wished = [(_minutes(one), _minutes(one)) for one in wish.at]
    wished += [(_minutes(span.start), _minutes(span.end) - 1 if span.end else 24 * 60) for span in wish.hours]
    return min((max(first - at, at - last, 0) for first, last in wished), default=0)


def _minutes(clock: dt.time) -> int:
    return clock.hour * 60 + clock.minute
