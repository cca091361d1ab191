"""Visits that follow each other: several services in one go, or two people of a family back to back.

Built on `search.find` alone: a chain is a choice of one free time for each request, each starting when the one before ends or a
little later, at one place. It is booked whole or not at all (`scheduling_core.chains`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.calendar import occupied, rules, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked, Refusal
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Mode

MOST = 4  # visits in one chain
_CHUNKS = (1, 1, 2, 4, 8, 16)  # wished days looked at together; then the last again and again
_APART = (12, 6, 3, 1)  # ticks between the starts of two chains that are offered: an hour, and less where there is no room

_Start = tuple[str, Mode, int]  # place, mode and tick
_Cost = tuple[int, int, int]  # changes of practitioner, ticks of waiting, how many a later request was put before


@dataclass(frozen=True)
class Chain:
    """Free times that follow each other at one place, one for each request, in the order of the requests."""

    times: tuple[FreeTime, ...]

    @property
    def in_order(self) -> tuple[int, ...]:
        """The numbers of the requests in the order in which their visits happen."""
        return tuple(sorted(range(len(self.times)), key=lambda one: self.times[one].start))

    @property
    def first(self) -> FreeTime:
        return self.times[self.in_order[0]]

    @property
    def start(self) -> dt.datetime:
        return self.first.start

    @property
    def waiting(self) -> dt.timedelta:
        """What lies between the visits."""
        return sum((later.start - earlier.end for earlier, later in self._steps()), dt.timedelta())

    @property
    def changes(self) -> int:
        """How often the practitioner changes on the way."""
        return sum(earlier.practitioner_id != later.practitioner_id for earlier, later in self._steps())

    def _steps(self) -> Iterator[tuple[FreeTime, FreeTime]]:
        return pairwise(self.times[one] for one in self.in_order)


def cannot(session: Session, clinic: ClinicFile, requests: Sequence[Request]) -> tuple[int, Refusal] | None:
    """Why these can never be a chain, and the number of the request that it is about; None where nothing stands against it.

    A refusal of `rules.who_may` for one of them, or "no-common-place": the request of that number is given nowhere, or not in the
    way, where those before it are. Raises NotFoundError.
    """
    places: set[tuple[str, Mode]] = set()
    for number, request in enumerate(requests):
        asked = rules.ask(session, clinic, request)
        if asked.refusal:
            return number, asked.refusal
        own = {(place, asked.mode) for place in _places(clinic, asked)}
        places = own if number == 0 else places & own
        if not places:
            return number, Refusal("no-common-place", ",".join(sorted({place for place, _ in own})))
    return None


def find(
    session: Session,
    clinic: ClinicFile,
    requests: Sequence[Request],
    *,
    wish: TimeWish,
    count: int = 3,
    avoid: Collection[tuple[str, dt.datetime]] = (),
) -> list[Chain]:
    """The best few chains within the booking horizon, the best first (see `rank`); empty where `cannot` refuses.

    The first visit fits the wish; the later ones fit it, too, save that a wished clock time is the first one's. Of all chains that
    begin with one visit at one time only the best is looked at. They can all be held at once, and lie an hour or more apart where
    there is room for it. `avoid` are first visits (practitioner and start) that were refused. The order of the requests is kept
    where another one is not better. Raises NotFoundError, and ValueError for fewer than two requests or more than MOST.
    """
    if not 2 <= len(requests) <= MOST:
        raise ValueError(f"a chain has 2 to {MOST} visits, not {len(requests)}")
    if cannot(session, clinic, requests):
        return []
    found: list[Chain] = []
    picked: list[Chain] = []
    for days in _chunks(_wished_days(clinic, wish)):
        chains = sorted(
            _chains_on(session, clinic, requests, wish, days, avoid), key=lambda one: rank(clinic, one, soonest=wish.soonest)
        )
        found += chains
        picked = _apart(chains, count, _APART[0], picked)
        if len(picked) == count:
            return picked
    for distance in _APART:
        picked = _apart(found, count, distance, [])
        if len(picked) == count:
            break
    return picked


def nearest(session: Session, clinic: ClinicFile, requests: Sequence[Request], *, wish: TimeWish, count: int = 1) -> list[Chain]:
    """What comes closest to a wish that no chain fits: another hour of the wished days, another day from them on, any time at all.

    What was excluded stays excluded. Raises as `find`.
    """
    any_hour = replace(wish, hours=(), at=())
    from_then = (Days(first=wish.first_day),) if wish.first_day else ()
    later = replace(wish, days=from_then, weekdays=frozenset())
    for eased in dict.fromkeys(
        (any_hour, later, replace(later, hours=(), at=()), replace(any_hour, days=(), weekdays=frozenset()))
    ):
        if eased != wish and (found := find(session, clinic, requests, wish=eased, count=count)):
            return found
    return []


def rank(clinic: ClinicFile, chain: Chain, *, soonest: bool) -> tuple[float, ...]:
    """The smaller the better: the day, one practitioner rather than several, little waiting, the clock, the order as asked for.

    When the patient wants the first free time, the minute counts before all else.
    """
    day = times.to_wall(chain.start, clinic.zone_of(chain.first.location_id)).toordinal()
    order = chain.in_order
    turned = sum(earlier > later for place, earlier in enumerate(order) for later in order[place + 1 :])
    rest = (chain.changes, chain.waiting.total_seconds(), chain.start.timestamp(), turned)
    return (chain.start.timestamp(), *rest) if soonest else (day, *rest)


def can_be_held_together(one: FreeTime, other: FreeTime) -> bool:
    """Whether no practitioner and no room is needed by both at once, buffers included."""
    if one.end_tick <= other.first_tick or other.end_tick <= one.first_tick:
        return True
    return one.practitioner_id != other.practitioner_id and (one.room_id is None or one.room_id != other.room_id)


def _places(clinic: ClinicFile, asked: Asked) -> set[str]:
    """Where those who may give this visit could give it."""
    working = {session.at for who in asked.practitioners for session in who.schedule}
    kind = asked.needs_room
    return {at for at in working if asked.request.location_id in (None, at) and (not kind or rules.rooms_at(clinic, at, kind))}


def _wished_days(clinic: ClinicFile, wish: TimeWish) -> Iterator[dt.date]:
    now = times.now()
    zones = [clinic.zone_of(place.id) for place in clinic.locations]
    today = min(times.to_wall(now, zone).date() for zone in zones)
    end = max(rules.last_day(clinic, zone, now) for zone in zones)
    first, last = max(wish.first_day or today, today), min(wish.last_day or end, end)
    days = map(first.__add__, map(dt.timedelta, range((last - first).days + 1)))
    return (day for day in days if wish.allows_day(day))


def _chunks(days: Iterator[dt.date]) -> Iterator[list[dt.date]]:
    """Days to look at together, ever more of them."""
    sizes = iter(_CHUNKS)
    size = next(sizes)
    chunk: list[dt.date] = []
    for day in days:
        chunk.append(day)
        if len(chunk) == size:
            yield chunk
            chunk, size = [], next(sizes, size)
    if chunk:
        yield chunk


def _chains_on(
    session: Session,
    clinic: ClinicFile,
    requests: Sequence[Request],
    wish: TimeWish,
    days: list[dt.date],
    avoid: Collection[tuple[str, dt.datetime]],
) -> Iterator[Chain]:
    """The best chain from each start on these days that the wish allows for the first visit."""
    start = times.from_wall(days[0], dt.time(0), clinic.zone)
    end = times.from_wall(days[-1] + dt.timedelta(days=1), dt.time(0), clinic.zone)
    free: list[list[FreeTime]] = []
    for request in requests:
        found = search.find(session, clinic, request, start=start, end=end, wish=replace(wish, at=()))
        if not found:
            return
        free.append(found)
    links = _Links(session, clinic, free)
    refused = set(avoid)
    for number, starts in enumerate(links.by_start):
        for some in starts.values():
            clock = times.to_wall(some[0].start, clinic.zone_of(some[0].location_id)).time()
            able = [time for time in some if (time.practitioner_id, time.start) not in refused]
            if wish.allows_time(clock) and (chain := links.best_from(number, able)):
                yield chain


@dataclass
class _Links:
    """The free times of each request by where and when they begin, to be strung together."""

    session: Session
    clinic: ClinicFile
    free: list[list[FreeTime]]
    by_start: list[dict[_Start, list[FreeTime]]] = field(init=False)
    by_practitioner: list[dict[tuple[_Start, str], FreeTime]] = field(init=False)
    room_left: dict[tuple[str, dt.date], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.longest_gap = ticks.ticks_in(self.clinic.clinic.back_to_back_minutes)
        self.by_start, self.by_practitioner = [], []
        for some in self.free:
            starts: dict[_Start, list[FreeTime]] = {}
            for time in some:
                starts.setdefault((time.location_id, time.mode, ticks.tick_of(time.start)), []).append(time)
            self.by_start.append(starts)
            self.by_practitioner.append({(start, time.practitioner_id): time for start, those in starts.items() for time in those})

    def best_from(self, number: int, first: Sequence[FreeTime]) -> Chain | None:
        """The chain of least cost that begins with one of these times for the request of this number."""
        self._least: _Cost | None = None
        self._best: dict[int, FreeTime] = {}
        for time in first:
            self._go_on({number: time}, time, (0, 0, number))
        return Chain(tuple(self._best[one] for one in range(len(self.free)))) if self._best else None

    def _go_on(self, placed: dict[int, FreeTime], last: FreeTime, cost: _Cost) -> None:
        """Try each next visit, the cheapest first; what costs as much as the best chain so far is not followed."""
        if len(placed) == len(self.free):
            self._least, self._best = cost, placed
            return
        for change in (0, 1):
            for gap in range(self.longest_gap + 1):
                if self._least and (cost[0] + change, cost[1] + gap) > self._least[:2]:
                    break
                for number, time in self._next(placed, last, gap, is_change=bool(change)):
                    skipped = sum(one not in placed for one in range(number))
                    dearer = (cost[0] + change, cost[1] + gap, cost[2] + skipped)
                    if (not self._least or dearer < self._least) and self._fits(placed, time):
                        self._go_on({**placed, number: time}, time, dearer)

    def _next(self, placed: dict[int, FreeTime], last: FreeTime, gap: int, *, is_change: bool) -> Iterator[tuple[int, FreeTime]]:
        """The times of the other requests that begin so much later, with the same practitioner or with others."""
        start = last.location_id, last.mode, ticks.tick_from(last.end) + gap
        for number in range(len(self.free)):
            if number in placed:
                continue
            if is_change:
                those = self.by_start[number].get(start, ())
                yield from ((number, time) for time in those if time.practitioner_id != last.practitioner_id)
            elif (start, last.practitioner_id) in self.by_practitioner[number]:
                yield number, self.by_practitioner[number][start, last.practitioner_id]

    def _fits(self, placed: dict[int, FreeTime], time: FreeTime) -> bool:
        if not all(can_be_held_together(one, time) for one in placed.values()):
            return False
        with_same = sum(one.practitioner_id == time.practitioner_id for one in placed.values())
        return not with_same or with_same < self._room_left(time)

    def _room_left(self, time: FreeTime) -> int:
        """How many more visits the practitioner takes that day."""
        practitioner = self.clinic.practitioners_by_id[time.practitioner_id]
        if practitioner.max_visits_per_day is None:
            return MOST
        day = times.to_wall(time.start, self.clinic.zone_of(time.location_id)).date()
        key = practitioner.id, day
        if key not in self.room_left:
            zone = self.clinic.zone_of(time.location_id)
            first = ticks.tick_of(times.from_wall(day, dt.time(0), zone))
            end = ticks.tick_of(times.from_wall(day + dt.timedelta(days=1), dt.time(0), zone))
            taken = occupied.practitioners(
                self.session, [practitioner.id], first=first, end=end, now=times.now(), counted=[practitioner.id]
            )
            self.room_left[key] = practitioner.max_visits_per_day - taken.visits(practitioner.id, first, end)
        return self.room_left[key]


def _apart(ranked: list[Chain], count: int, distance: int, picked: list[Chain]) -> list[Chain]:
    """`picked` and the first of the ranked that keep a distance in ticks from it and from each other. All can be held at once."""
    picked = list(picked)
    for one in ranked:
        if len(picked) == count:
            break
        start = ticks.tick_of(one.start)
        if all(abs(start - ticks.tick_of(other.start)) >= distance for other in picked) and all(
            can_be_held_together(a, b) for other in picked for a in other.times for b in one.times
        ):
            picked.append(one)
    return picked
