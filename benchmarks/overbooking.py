"""What overbooked days cost against the best that could be done, and whether one group of patients pays for it by waiting.

Sessions of eight or nine regular visits, with a gap here and there, get one or two more where the product puts them: one after the
other, by estimated risks. The optimum tries every way to place them together, once by the same risks and once by the true ones,
which nobody can know. Groups of patients miss one visit in eleven and one in four; the product is told of no group.

python -m benchmarks.overbooking
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.report import report
from scheduling_core.calendar import ticks
from scheduling_core.waiting import OVERTIME_WEIGHT, Expected, added_cost, expected_cost, queue

COMMAND = "python -m benchmarks.overbooking"
LENGTH, SESSION, GRID = 4, 36, 2  # in ticks: 20 minutes, 3 hours, starts every 10 minutes
COUNTED_DAYS, OPTIMAL_DAYS, FAIR_DAYS = 5, 300, 6_000
MISSES = {"a": 0.09, "b": 0.25}  # on average
_KNOWN, _UNKNOWN = 0.6, 0.5  # how far patients of a group differ, as far as history tells and beyond that, in log odds


@dataclass(frozen=True)
class Visit:
    """A visit with its true and its estimated chance to take place, and the group that nobody is told of."""

    truth: Expected
    estimate: Expected
    group: str


def main() -> None:
    dice = random.Random(1)
    for _ in range(COUNTED_DAYS):
        day = [one.truth for one in _day(dice)]
        assert math.isclose(_counted_out(day), expected_cost(day, SESSION).total)
    ours = best = careless = by_estimate = best_by_estimate = 0.0
    for number in range(OPTIMAL_DAYS):
        day, extras = _day(dice), _extras(dice, number)
        chosen, ways = day + _placed(day, extras), [[*day, *some] for some in _every_way(extras)]
        ours += _true_cost(chosen)
        best += min(map(_true_cost, ways))
        by_estimate += _estimated_cost(chosen)
        best_by_estimate += min(map(_estimated_cost, ways))
        careless += _true_cost(day + _careless(dice, extras))
    print(f"{OPTIMAL_DAYS} days: places taken at random cost {careless / best:.3f} times the optimum")
    for name, ratio in (("with the same risks", by_estimate / best_by_estimate), ("with the true risks", ours / best)):
        name = f"Overbooked days against the enumerated optimum {name}"
        report(name, round(ratio, 3), "times", "1.05 or less", ratio <= 1.05, COMMAND)
    gap, naive = (_gap(random.Random(2), place) for place in (_placed, _over_the_riskiest))
    print(f"{FAIR_DAYS} days: gap between groups {gap:.1f}%; always over the riskiest visit {naive:.1f}%")
    name = "Waiting-time gap between patient groups on overbooked days"
    report(name, round(gap, 1), "%", "5 or less", gap <= 5, COMMAND)
    later, anywhere = (_gap(random.Random(3), place, more_b_later=0.2) for place in (_placed, _anywhere))
    print(f"Where one group comes later in the day: {later:.1f}%, and {anywhere:.1f}% with places taken at random")
    report(f"{name}, one comes later in the day", round(later, 1), "%", "5 or less", later <= 5, COMMAND)


def _day(dice: random.Random, *, more_b_later: float = 0.0) -> list[Visit]:
    """A session that is nearly full, where the second group may come more often in the later half."""
    starts = sorted(dice.sample(range(0, SESSION, LENGTH), dice.choice((8, 8, 9))))
    return [_visit(dice, start, 0, of_b=0.4 + more_b_later * (0.5 if start > SESSION / 2 else -0.5)) for start in starts]


def _extras(dice: random.Random, number: int) -> list[Visit]:
    """One or two more, of either group as often as the day's visits are."""
    return [_visit(dice, 0, 1, of_b=0.4) for _ in range(1 + number % 2)]


def _visit(dice: random.Random, start: int, lane: int, *, of_b: float) -> Visit:
    """The estimate is calibrated, as the model's is: it knows a part of the odds and averages over the rest."""
    group = "b" if dice.random() < of_b else "a"
    odds = math.log(MISSES[group] / (1 - MISSES[group])) + dice.gauss(0, _KNOWN)
    truth = Expected(start, start + LENGTH, 1 - _chance(odds + dice.gauss(0, _UNKNOWN)), lane)
    averaged = _chance(odds / math.sqrt(1 + math.pi * _UNKNOWN**2 / 8))
    return Visit(truth, replace(truth, comes=1 - averaged), group)


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _at(visit: Visit, start: int) -> Visit:
    there = {"first": start, "end": start + LENGTH}
    return replace(visit, truth=replace(visit.truth, **there), estimate=replace(visit.estimate, **there))


_STARTS = range(0, SESSION - LENGTH + 1, GRID)


def _placed(day: Sequence[Visit], extras: Sequence[Visit]) -> list[Visit]:
    """Where the product puts them: each where it costs least, as far as the estimates know."""
    placed: list[Visit] = []
    for extra in extras:
        options = [_at(extra, start) for start in _STARTS if all(abs(start - one.truth.first) >= LENGTH for one in placed)]
        known = [one.estimate for one in (*day, *placed)]
        placed.append(min(options, key=lambda one, known=known: added_cost(known, one.estimate, SESSION)))
    return placed


def _every_way(extras: Sequence[Visit]) -> list[tuple[Visit, ...]]:
    """Every way to place the extra visits, none over another of them."""
    ways = itertools.product(_STARTS, repeat=len(extras))
    apart = [way for way in ways if all(abs(a - b) >= LENGTH for a, b in itertools.combinations(way, 2))]
    return [tuple(_at(one, start) for one, start in zip(extras, way, strict=True)) for way in apart]


def _careless(dice: random.Random, extras: Sequence[Visit]) -> list[Visit]:
    return list(dice.choice(_every_way(extras)))


def _anywhere(day: Sequence[Visit], extras: Sequence[Visit]) -> list[Visit]:
    return _careless(random.Random(str(day[0].truth.comes)), extras)


def _over_the_riskiest(day: Sequence[Visit], extras: Sequence[Visit]) -> list[Visit]:
    """What fairness research warns of: the extra visit shares the start of who is least likely to come."""
    riskiest = sorted(day, key=lambda one: one.estimate.comes)
    return [_at(extra, below.truth.first) for extra, below in zip(extras, riskiest, strict=False)]


def _true_cost(visits: Sequence[Visit]) -> float:
    return expected_cost([one.truth for one in visits], SESSION).total


def _estimated_cost(visits: Sequence[Visit]) -> float:
    return expected_cost([one.estimate for one in visits], SESSION).total


def _counted_out(visits: Sequence[Expected]) -> float:
    """The cost of a day over every combination of who comes, without the shortcut of `expected_cost`."""
    total = 0.0
    for who in itertools.product((True, False), repeat=len(visits)):
        chance, cost, free_at = 1.0, 0.0, 0
        for visit, comes in zip(queue(visits), who, strict=True):
            chance *= visit.comes if comes else 1 - visit.comes
            if comes:
                start = max(free_at, visit.first)
                cost += start - visit.first
                free_at = start + visit.end - visit.first
        total += chance * (cost + OVERTIME_WEIGHT * max(0, free_at - SESSION)) * ticks.MINUTES
    return total


def _gap(
    dice: random.Random, place: Callable[[Sequence[Visit], Sequence[Visit]], list[Visit]], *, more_b_later: float = 0.0
) -> float:
    """How much longer those of one group who come wait than those of the other, in percent of the mean wait of all."""
    waited, came = dict.fromkeys(MISSES, 0.0), dict.fromkeys(MISSES, 0.0)
    for number in range(FAIR_DAYS):
        day, extras = _day(dice, more_b_later=more_b_later), _extras(dice, number)
        visits = [*day, *place(day, extras)]
        visits.sort(key=lambda one: (one.truth.first, one.truth.lane, one.truth.end))
        for one, wait in zip(visits, expected_cost([one.truth for one in visits], SESSION).waits, strict=True):
            waited[one.group] += wait
            came[one.group] += one.truth.comes
    means = {group: waited[group] / came[group] for group in MISSES}
    print("  minutes waited by group:", ", ".join(f"{group} {mean:.2f}" for group, mean in means.items()))
    return 100 * (max(means.values()) - min(means.values())) / (sum(waited.values()) / sum(came.values()))


if __name__ == "__main__":
    main()
