"""Which of the free times are offered: the order of preference, and a few that lie apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from scheduling_core.calendar import ticks
from scheduling_core.calendar.free import Free, Open
from scheduling_core.clinic_file.schema import Ranking

_APART = (12, 6, 3, 1, 0)  # ticks between the starts of two offers: an hour, and less where the wish leaves no room


@dataclass(slots=True)
class Candidate:
    """A free start. Nobody changes one; see FreeTime for why it is not frozen."""

    open: Open
    tick: int  # of the patient's start
    waste: int  # ticks that would be left over before and after, too short for any visit of the practitioner
    load: float  # the part of the stretch that is taken, 0 to 1


def rank(candidate: Candidate, weights: Ranking, *, soonest: bool) -> tuple[float, ...]:
    """The smaller the better, among times that fit the wish: soonest, by the hour; least fragmentation; balance; then the clock.

    When the patient wants the first free time, the minute counts before all else.
    """
    if soonest:
        return candidate.tick, candidate.waste, candidate.load
    hours = candidate.tick // (60 // ticks.MINUTES)
    unusable = candidate.waste * ticks.MINUTES
    return weights.soonest * hours + weights.fragmentation * unusable + weights.balance * candidate.load, candidate.tick


def candidates(free: Free, days: list[Open]) -> Iterator[Candidate]:
    """All free starts of these stretches, with what decides between them."""
    for one in days:
        shortest = free.hours.shortest_visit(one.practitioner.id)
        length = one.stretch.length
        load = 1 - one.free.bit_count() / length
        taken = f"{one.free:0{length}b}"[::-1] + "0"  # a digit a tick, "0" where it is taken and at the end
        for place in ticks.places(one.starts):
            first = place - free.before
            end = first + free.whole
            gap_before = first - 1 - taken.rfind("0", 0, first)
            gap_after = taken.find("0", end) - end
            waste = (gap_before if gap_before < shortest else 0) + (gap_after if gap_after < shortest else 0)
            yield Candidate(one, one.stretch.first + place, waste, load)


def best(free: Free, count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[Candidate]:
    """The best few of all days, day by day: far apart where there are enough."""
    weights = free.clinic.ranking
    seen: list[Candidate] = []
    picked: list[Candidate] = []
    for day in free.days():
        ranked = sorted(candidates(free, day), key=lambda one: rank(one, weights, soonest=free.wish.soonest))
        seen += ranked
        picked = _apart(free, ranked, count, avoid, _APART[0], picked)
        if len(picked) == count:
            return picked
    return spread(free, seen, count, avoid)


def spread(free: Free, ranked: list[Candidate], count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[Candidate]:
    """The first few that lie far apart, or less far where there are not enough."""
    picked: list[Candidate] = []
    for distance in _APART:
        picked = _apart(free, ranked, count, avoid, distance, [])
        if len(picked) == count:
            break
    return picked


def _apart(
    free: Free,
    ranked: list[Candidate],
    count: int,
    avoid: Collection[tuple[str, dt.datetime]],
    distance: int,
    picked: list[Candidate],
) -> list[Candidate]:
    """`picked` and the first of the ranked that keep a distance in ticks from it, from each other and from what is avoided.

    All of them can be held at once.
    """
    picked = list(picked)
    refused = {(practitioner_id, ticks.tick_of(start)) for practitioner_id, start in avoid}
    starts = [tick for _, tick in refused] + [one.tick for one in picked]
    for one in ranked:
        if len(picked) == count:
            break
        if (
            (one.open.practitioner.id, one.tick) not in refused
            and all(abs(one.tick - other) >= distance for other in starts)
            and not any(free.exclude_each_other(one.open, one.tick, other.open, other.tick) for other in picked)
        ):
            picked.append(one)
            starts.append(one.tick)
    return picked
