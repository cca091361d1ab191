"""How long room for one urgent visit takes in a full day of 50 practitioners, and the assignment of 100 patients to 2,000 times.

python -m benchmarks.displacement
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import assignment, displacement, times
from scheduling_core.assignment import Place, Visit
from scheduling_core.calendar.search import Request

COMMAND = "python -m benchmarks.displacement"


def main() -> None:
    dice = random.Random(1)
    visits = [Visit(dice.randrange(10_000), "a", frozenset({"a", "b"})) for _ in range(100)]
    places = [Place(dice.randrange(40_000), dice.choice("ab")) for _ in range(2_000)]
    took = [_milliseconds(visits, places) for _ in range(7)]
    median = statistics.median(took)
    report("100 patients into 2,000 times, median", round(median, 1), "ms", "50 or less", median <= 50, COMMAND)
    clinic = busy_clinic.clinic()
    for engine in machine.ENGINES:
        with machine.database(engine) as database:
            busy_clinic.fill(database, clinic, utilisation=1.0, days=8)
            day = times.now().date() + dt.timedelta(days=(7 - times.now().weekday()) % 7 or 7)
            began = time.perf_counter()
            with database.reading() as session:
                proposal = displacement.propose(session, clinic, [Request(busy_clinic.SERVICE)], day=day)
            seconds = time.perf_counter() - began
            assert proposal is not None
            assert len(proposal.moves) == 1
            report(f"Room in a full day of 50, {engine}", round(seconds, 2), "s", "2 or less", seconds <= 2, COMMAND)


def _milliseconds(visits: list[Visit], places: list[Place]) -> float:
    began = time.perf_counter()
    assert None not in assignment.place(visits, places, another=1_000)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
