"""Which of the free times are offered: the order of preference, and a few that lie apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from scheduling_core.calendar import ticks
from scheduling_core.calendar.free import Free, Open
from scheduling_core.clinic_file.schema import Ranking

_HOUR = 60 // ticks.MINUTES
_APART = (12, 6, 3, 1, 0)  # ticks between the starts of two offers: an hour, and less where the wish leaves no room


@dataclass(slots=True)
class Candidate:
    """A free start. Nobody changes one; see FreeTime for why it is not frozen."""

    open: Open
    tick: int  # of the patient's start
    waste: int  # ticks of the gaps before and after that no visits can fill, see `Hours.left_over`
    load: float  # the part of the stretch that is taken, 0 to 1


def rank(candidate: Candidate, weights: Ranking, *, soonest: bool) -> tuple[float, ...]:
    """The smaller the better, among times that fit the wish: soonest, by the hour; least fragmentation; balance; then the clock.

    When the patient wants the first free time, the minute counts before all else.
    """
    if soonest:
        return candidate.tick, candidate.waste, candidate.load
    hours = candidate.tick // _HOUR
    unusable = candidate.waste * ticks.MINUTES
    return weights.soonest * hours + weights.fragmentation * unusable + weights.balance * candidate.load, candidate.tick


def candidates(free: Free, day: list[Open]) -> list[Candidate]:
    """All free starts of these stretches, with what decides between them."""
    return [candidate for one in day for candidate in _of_stretch(free, one, one.starts)]


def best(free: Free, count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[Candidate]:
    """The best few of all days, day by day: far apart where there are enough."""
    seen: list[Candidate] = []
    few = _Few(free, count, avoid, _APART[0])
    for day in free.days():
        for one in _in_order(free, day):
            seen.append(one)
            few.consider(one)
            if few.are_enough:
                return few.picked
    return spread(free, seen, count, avoid)


def spread(free: Free, ranked: list[Candidate], count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[Candidate]:
    """The first few that lie far apart, or less far where there are not enough."""
    few = _Few(free, count, avoid, 0)
    for distance in _APART:
        few = _Few(free, count, avoid, distance)
        for one in ranked:
            few.consider(one)
            if few.are_enough:
                return few.picked
    return few.picked


class _Few:
    """Times that keep a distance in ticks from each other and from what is avoided, and that can all be held at once."""

    def __init__(self, free: Free, count: int, avoid: Collection[tuple[str, dt.datetime]], distance: int) -> None:
        self.free, self.count, self.distance = free, count, distance
        self.refused = {(practitioner_id, ticks.tick_of(start)) for practitioner_id, start in avoid}
        self.starts = [tick for _, tick in self.refused]
        self.picked: list[Candidate] = []

    @property
    def are_enough(self) -> bool:
        return len(self.picked) >= self.count

    def consider(self, one: Candidate) -> None:
        if (
            all(abs(one.tick - other) >= self.distance for other in self.starts)
            and (one.open.practitioner.id, one.tick) not in self.refused
            and not any(self.free.exclude_each_other(one.open, one.tick, other.open, other.tick) for other in self.picked)
        ):
            self.picked.append(one)
            self.starts.append(one.tick)


def _in_order(free: Free, day: list[Open]) -> Iterator[Candidate]:
    """The candidates of a day, the best first. A later hour is looked at when no earlier candidate can still be better."""
    weights, soonest = free.clinic.ranking, free.wish.soonest
    waiting: list[tuple[tuple[float, ...], int, Candidate]] = []
    number = 0
    for hour in range(min(one.stretch.first for one in day) // _HOUR, max(one.stretch.end for one in day) // _HOUR + 1):
        least = rank(Candidate(day[0], hour * _HOUR, 0, 0), weights, soonest=soonest)
        while waiting and waiting[0][0] < least:
            yield heappop(waiting)[2]
        for one in day:
            ahead = hour * _HOUR - one.stretch.first
            within = ticks.ones(_HOUR) << ahead if ahead >= 0 else ticks.ones(_HOUR) >> -ahead
            if starts := one.starts & within:
                for candidate in _of_stretch(free, one, starts):
                    heappush(waiting, (rank(candidate, weights, soonest=soonest), number, candidate))
                    number += 1
    while waiting:
        yield heappop(waiting)[2]


def _of_stretch(free: Free, one: Open, starts: int) -> Iterator[Candidate]:
    left_over = free.hours.left_over(one.practitioner.id)
    length = one.stretch.length
    load = 1 - one.free.bit_count() / length
    taken = f"{one.free:0{length}b}"[::-1] + "0"  # a digit a tick, "0" where it is taken and at the end
    for place in ticks.places(starts):
        first = place - free.before
        end = first + free.whole
        gap_before = first - 1 - taken.rfind("0", 0, first)
        gap_after = taken.find("0", end) - end
        yield Candidate(one, one.stretch.first + place, left_over[gap_before] + left_over[gap_after], load)
