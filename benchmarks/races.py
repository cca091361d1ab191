"""Sixteen processes race for one time: who wins, whether anything breaks, and how soon the losers know.

python -m benchmarks.races [--rounds 300] [--processes 16] [--engine postgresql]
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import statistics
import time
from collections import Counter
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import booking, patients
from scheduling_core.calendar.search import FreeTime, Request, find
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import LIVE, Appointment, occupancy

COMMAND = "python -m benchmarks.races"
WARM_UP = 4  # first rounds whose time does not count
KINDS = ("equal starts", "overlapping starts", "moves to one time", "swaps of two visits")


@dataclass(frozen=True)
class Attempt:
    """What one process does in one round: book this time, or move this visit there."""

    round_number: int
    time: FreeTime
    patient_id: str
    appointment_id: str | None = None


@dataclass(frozen=True)
class Answer:
    round_number: int
    outcome: str  # won, lost, or the error's name
    milliseconds: float


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=300)
    options.add_argument("--processes", type=int, default=16)
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    chosen = options.parse_args()
    for engine in chosen.engine or machine.ENGINES:
        with machine.database(engine) as database:
            _race(engine, database, chosen.rounds + WARM_UP, chosen.processes)


def _race(engine: str, database: Database, rounds: int, processes: int) -> None:
    clinic = busy_clinic.clinic()
    plan = _plan(database, clinic, rounds, processes)
    database.dispose()
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(processes), context.Queue()
    racers = [
        context.Process(target=_run, args=(database.url, clinic, [attempts[one] for attempts in plan], barrier, answers))
        for one in range(processes)
    ]
    for racer in racers:
        racer.start()
    found: list[Answer] = [answer for _ in racers for answer in answers.get(timeout=1800)]
    for racer in racers:
        racer.join()
    wrong = _wrong_rounds(found, plan, rounds)
    errors = Counter(answer.outcome for answer in found if answer.outcome not in ("won", "lost"))
    overlaps = _overlaps(database)
    counted = [answer for answer in found if answer.round_number >= WARM_UP]
    print(f"\n{engine}: {rounds - WARM_UP} rounds of {processes} processes")
    for number, kind in enumerate(KINDS):
        mine = [answer for answer in counted if answer.round_number % len(KINDS) == number]
        lost = sorted(answer.milliseconds for answer in mine if answer.outcome == "lost")
        won = sum(answer.outcome == "won" for answer in mine)
        print(f"  {kind:22} {won:4} won, {len(lost):5} lost: median {statistics.median(lost):6.2f} ms, p99 {_p99(lost):6.2f} ms")
    losers = _p99([answer.milliseconds for answer in counted if answer.outcome == "lost"])
    of = f"Race of {processes} processes for one time, {rounds - WARM_UP} rounds, {engine}"
    report(f"{of}: rounds without exactly one winner", len(wrong), "rounds", "0", not wrong, COMMAND)
    report(f"{of}: visits that overlap", overlaps, "visits", "0", overlaps == 0, COMMAND)
    report(f"{of}: deadlocks and other errors", errors.total(), "errors", "0", not errors, COMMAND)
    report(f"{of}: a loser's answer, p99", round(losers, 1), "ms", "50 or less", losers <= 50, COMMAND)
    if errors:
        print(errors)


def _plan(database: Database, clinic: ClinicFile, rounds: int, processes: int) -> list[list[Attempt]]:
    """What each process does in each round. Rounds use times of their own, days apart for each practitioner."""
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
        everyone = [[_patient(session) for _ in range(processes)] for _ in range(rounds)]
    start = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    with database.reading() as session:
        week = find(session, clinic, Request(busy_clinic.SERVICE), start=start, end=start + dt.timedelta(days=60))
    by_day: dict[tuple[str, dt.date], list[FreeTime]] = {}
    for free in week:
        by_day.setdefault((free.practitioner_id, free.start.date()), []).append(free)
    days = list(by_day.values())
    plan = []
    for number in range(rounds):
        times, elsewhere = days[number], days[-1 - number]
        kind = KINDS[number % len(KINDS)]
        attempts = [Attempt(number, times[0], patient) for patient in everyone[number]]
        if kind == "overlapping starts":
            attempts = [replace(attempt, time=times[1 + one % 4]) for one, attempt in enumerate(attempts)]
        elif kind == "moves to one time":
            apart = [free for free in elsewhere if (free.first_tick - elsewhere[0].first_tick) % 4 == 0][:processes]
            attempts = [
                replace(attempt, appointment_id=_booked(database, clinic, attempt, there))
                for attempt, there in zip(attempts, apart, strict=True)
            ]
        elif kind == "swaps of two visits":
            # Some move both visits to one time between them that overlaps both; the others each onto the place of the other.
            two = (times[0], times[4])
            visits = [_booked(database, clinic, attempts[one], two[one]) for one in (0, 1)]
            attempts = [
                replace(attempt, time=two[1 - one % 2] if one >= 4 else times[2], appointment_id=visits[one % 2])
                for one, attempt in enumerate(attempts)
            ]
        plan.append(attempts)
    return plan


def _patient(session: Session) -> str:
    return patients.register(session, given="Pat", family="Ient", birth_date=dt.date(1980, 1, 1), new=False, agent="benchmark").id


def _booked(database: Database, clinic: ClinicFile, attempt: Attempt, time: FreeTime) -> str:
    with database.transaction() as session:
        key = f"before:{attempt.round_number}:{time.practitioner_id}:{time.first_tick}"
        made = booking.book(session, clinic, patient_id=attempt.patient_id, time=time, agent="benchmark", key=key)
        return made.id


def _run(url: str, clinic: ClinicFile, attempts: list[Attempt], barrier: Barrier, answers: Any) -> None:
    database = Database(url)
    with database.reading() as session:
        session.execute(select(func.count()).select_from(Appointment))
    found = []
    for attempt in attempts:
        barrier.wait()
        began = time.perf_counter()
        outcome = _try(database, clinic, attempt)
        found.append(Answer(attempt.round_number, outcome, (time.perf_counter() - began) * 1000))
    answers.put(found)
    database.dispose()


def _try(database: Database, clinic: ClinicFile, attempt: Attempt) -> str:
    key = f"{attempt.round_number}:{multiprocessing.current_process().pid}"
    try:
        with database.transaction() as session:
            if attempt.appointment_id is None:
                booking.book(session, clinic, patient_id=attempt.patient_id, time=attempt.time, agent="benchmark", key=key)
            else:
                booking.reschedule(
                    session, clinic, appointment_id=attempt.appointment_id, time=attempt.time, agent="benchmark", key=key
                )
    except SchedulingError:
        return "lost"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    return "won"


def _wrong_rounds(found: list[Answer], plan: list[list[Attempt]], rounds: int) -> list[int]:
    """Rounds whose one time was not won exactly once. In a swap both times stay with the two visits: see `_overlaps`."""
    winners = Counter(answer.round_number for answer in found if answer.outcome == "won")
    return [number for number in range(rounds) if KINDS[number % len(KINDS)] != "swaps of two visits" and winners[number] != 1]


def _overlaps(database: Database) -> int:
    """How many live visits lie over another of the same practitioner or patient, or do not own exactly the ticks they should."""
    with database.reading() as session:
        visits = session.execute(
            select(
                Appointment.id, Appointment.practitioner_id, Appointment.patient_id, Appointment.first_tick, Appointment.end_tick
            )
            .where(Appointment.status.in_(LIVE))
            .order_by(Appointment.first_tick)
        ).all()
        owned = Counter(session.execute(select(occupancy.c.appointment_id)).scalars())
    bad = 0
    until: dict[str, int] = {}
    for visit in visits:
        bad += owned[visit.id] != 2 * (visit.end_tick - visit.first_tick)
        for actor in (f"practitioner:{visit.practitioner_id}", f"patient:{visit.patient_id}"):
            bad += until.get(actor, 0) > visit.first_tick
            until[actor] = max(until.get(actor, 0), visit.end_tick)
    return bad


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1]


if __name__ == "__main__":
    main()
