"""How long a plan for 8,000 visits takes, and one for a full day of 20 practitioners: 50 practitioners, 70% of every day taken.

python -m benchmarks.storm
"""

from __future__ import annotations

import datetime as dt
import time

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import accounts, plans, storm, times
from scheduling_core.models import Role
from scheduling_core.storm import Outage

COMMAND = "python -m benchmarks.storm"
SCHEDULER = "scheduler@busy.example"
OUT = tuple(f"practitioner-{number}" for number in range(20))


def main() -> None:
    clinic = busy_clinic.clinic()
    monday = times.now().date() + dt.timedelta(days=14 - times.now().weekday())
    for engine in machine.ENGINES:
        with machine.database(engine) as database:
            busy_clinic.fill(database, clinic, utilisation=0.7, days=110)
            with database.transaction() as session:
                accounts.add_staff(session, email=SCHEDULER, name="Scheduler", role=Role.SCHEDULER, agent="benchmark")
            for name, days, seconds in (("a day of 20 practitioners", 1, 2), ("8,000 visits", 33, 60)):
                outage = Outage(monday, monday + dt.timedelta(days=days - 1), practitioners=OUT)
                began = time.perf_counter()
                with database.transaction() as session:
                    plan = storm.plan(session, clinic, outage, by=SCHEDULER)
                took = time.perf_counter() - began
                with database.reading() as session:
                    moves = plans.moves(session, plan.id)
                placed = [one.new for one in moves if one.new]
                assert len({(one["practitioner_id"], one["start"]) for one in placed}) == len(placed)
                print(f"{engine}: {len(moves)} visits, {len(placed)} with a new time")
                report(f"A plan for {name}, {engine}", round(took, 2), "s", f"{seconds} or less", took <= seconds, COMMAND)


if __name__ == "__main__":
    main()
