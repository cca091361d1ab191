"""What a practitioner's session is expected to cost when some patients may not come: minutes of waiting, and of work past its end.

Patients are seen in the order of their starts, of one start the regular visit first; who does not come takes no time. Given that
the expectation is exact: the chances of each tick at which the practitioner may be free are carried from visit to visit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scheduling_core.calendar import ticks

OVERTIME_WEIGHT = 1.5  # a minute past the end keeps a practitioner and a desk, a minute of waiting one patient


@dataclass(frozen=True)
class Expected:
    """A visit as the queue sees it: the ticks that it takes of the practitioner, its lane, and how likely the patient comes."""

    first: int
    end: int
    comes: float  # 0 to 1
    lane: int = 0


@dataclass(frozen=True)
class Cost:
    """In minutes. `waits` are those of the patients who come, in the order in which they are seen."""

    waits: tuple[float, ...]
    overtime: float

    @property
    def total(self) -> float:
        return sum(self.waits) + OVERTIME_WEIGHT * self.overtime


def queue(visits: Iterable[Expected]) -> list[Expected]:
    """The order in which patients are seen."""
    return sorted(visits, key=lambda one: (one.first, one.lane, one.end))


def expected_cost(visits: Iterable[Expected], end: int) -> Cost:
    """The expected cost of a session that ends at a tick. A wait is weighted with the chance that the patient comes."""
    free_at: dict[int, float] = {0: 1.0}  # the tick at which the practitioner is free, and how likely that is
    waits = []
    for visit in queue(visits):
        wait = 0.0
        after: dict[int, float] = {}
        for tick, chance in free_at.items():
            start = tick if tick > visit.first else visit.first
            wait += chance * (start - visit.first)
            done = start + visit.end - visit.first
            after[done] = after.get(done, 0.0) + chance * visit.comes
            # Nobody came: who is free before this start need not be told apart any more.
            stays = tick if tick > visit.first else visit.first
            after[stays] = after.get(stays, 0.0) + chance * (1 - visit.comes)
        waits.append(wait * visit.comes * ticks.MINUTES)
        free_at = after
    overtime = sum(chance * max(0, tick - end) for tick, chance in free_at.items()) * ticks.MINUTES
    return Cost(tuple(waits), overtime)


def added_cost(visits: Iterable[Expected], extra: Expected, end: int) -> float:
    """What one more visit in a session costs, in minutes."""
    there = list(visits)
    return expected_cost([*there, extra], end).total - expected_cost(there, end).total
