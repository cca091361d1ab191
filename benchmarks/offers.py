"""How long the first three offers take: a service that all of 50 practitioners give, 120 days, 80% of every day taken.

python -m benchmarks.offers
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable

from sqlalchemy import text

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import patients
from scheduling_core.calendar.search import FreeTime, Request, find, offers
from scheduling_core.calendar.wishes import Hours, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database

COMMAND = "python -m benchmarks.offers"
ROUNDS = 200


def main() -> None:
    clinic = busy_clinic.clinic()
    for engine in machine.ENGINES:
        with machine.database(engine) as database:
            visits = busy_clinic.fill(database, clinic, utilisation=0.8, days=120)
            print(f"{engine}: {visits:,} visits of {len(clinic.practitioners)} practitioners in 120 days")
            with database.transaction() as session:
                session.execute(text("ANALYZE"))
                patient = patients.register(
                    session, given="Pat", family="Ient", birth_date=dt.date(1980, 1, 1), new=False, agent="benchmark"
                )
            for wish, search in _searches(clinic, patient.id).items():
                took = _measure(database, search)
                median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
                print(f"  {wish:32} median {median:6.2f} ms   p95 {p95:6.2f} ms")
                if wish == "no wish":
                    name = f"First 3 offers in 120 days, 50 practitioners at 80%, {engine}, median"
                    report(name, round(median, 2), "ms", "10 or less", median <= 10, COMMAND)


def _searches(clinic: ClinicFile, patient_id: str) -> dict[str, Callable[[Database], list[FreeTime]]]:
    anyone = Request(busy_clinic.SERVICE, patient_id=patient_id)
    one = Request(busy_clinic.SERVICE, patient_id=patient_id, practitioners=("practitioner-7",))
    late = TimeWish(weekdays=frozenset({1, 3}), hours=(Hours(dt.time(16)),))
    return {
        "no wish": lambda database: _offers(database, clinic, anyone, TimeWish()),
        "the soonest": lambda database: _offers(database, clinic, anyone, TimeWish(soonest=True)),
        "late on Tuesdays or Thursdays": lambda database: _offers(database, clinic, anyone, late),
        "with one practitioner": lambda database: _offers(database, clinic, one, TimeWish()),
        "every time of one week": lambda database: _week(database, clinic, one),
    }


def _measure(database: Database, search: Callable[[Database], list[FreeTime]]) -> list[float]:
    """Milliseconds from opening the transaction to its end, after a few to warm up."""
    took = []
    for round_number in range(ROUNDS + 10):
        began = time.perf_counter()
        found = search(database)
        if round_number >= 10:
            took.append((time.perf_counter() - began) * 1000)
        assert len(found) >= 3
    return took


def _offers(database: Database, clinic: ClinicFile, request: Request, wish: TimeWish) -> list[FreeTime]:
    with database.reading() as session:
        return offers(session, clinic, request, wish=wish)


def _week(database: Database, clinic: ClinicFile, request: Request) -> list[FreeTime]:
    start = dt.datetime.now(dt.UTC) + dt.timedelta(days=20)
    with database.reading() as session:
        return find(session, clinic, request, start=start, end=start + dt.timedelta(days=7))


if __name__ == "__main__":
    main()
