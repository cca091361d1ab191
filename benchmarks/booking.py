"""What `book()` costs beside a bare guarded insert of the same rows by the driver: bookings a second, slow answers, refusals.

python -m benchmarks.booking [--rounds 7] [--bookings 160] [--engine sqlite]

Every booking is one transaction that is on the disk before it is answered: the idempotency key, the visit (with its next reminder,
which is what is to be sent of it), its ticks, its audit row. The bare insert writes these rows with four statements, the ticks by
ON CONFLICT DO NOTHING RETURNING. On SQLite the writers are threads, since one machine runs one process of each kind, and the bare
ones queue on a lock as ours do; on PostgreSQL they are processes, as they are with several machines.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import queue
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine, insert
from sqlalchemy.engine import make_url

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import booking, times
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.search import find
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Patient, new_id

COMMAND = "python -m benchmarks.booking"
WRITERS = (1, 8, 16)
WAYS = ("bare", "book", "refused")  # `refused`: `book()` of times that the round before has taken
WARM_UP = 1  # first rounds that do not count


@dataclass(frozen=True)
class Job:
    """What one writer does in one round."""

    way: str
    wanted: list[tuple[FreeTime, str]]  # and for whom


@dataclass(frozen=True)
class Round:
    """How one writer's round went: when it began and ended by the machine's clock, and what each answer took."""

    way: str
    number: int
    began: float
    ended: float
    seconds: list[float]
    wrong: int  # answers other than the expected


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--bookings", type=int, default=160)
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    chosen = options.parse_args()
    for engine in chosen.engine or machine.ENGINES:
        with machine.database(engine) as database:
            _measure(engine, database, chosen.rounds, chosen.bookings)


def _measure(engine: str, database: Database, rounds: int, bookings: int) -> None:
    clinic = busy_clinic.clinic()
    free, patients = _prepare(database, clinic)
    one_bare = 0.0
    for writers in WRITERS:
        jobs: list[list[Job]] = [[] for _ in range(writers)]
        each = max(20, bookings // writers)
        for _ in range(rounds + WARM_UP):
            for job in jobs:
                for way in WAYS[:2]:
                    job.append(Job(way, [(free.pop(), patients[len(free) % len(patients)]) for _ in range(each)]))
                job.append(Job("refused", [(time, patients[0]) for time, _ in job[-1].wanted]))
        found = [one for one in _run(engine, database, clinic, jobs) if one.number >= WARM_UP]
        wrong = sum(one.wrong for one in found)
        rate = {way: _median(_by_round(found, way), _rate) for way in WAYS}
        slowest = {way: _median(_by_round(found, way), lambda some: max(_seconds(some)) * 1000) for way in WAYS}
        p99 = {way: _median(_by_round(found, way), lambda some: _p99(_seconds(some)) * 1000) for way in WAYS}
        share = statistics.median(
            _rate(ours) / _rate(bare) for ours, bare in zip(_by_round(found, "book"), _by_round(found, "bare"), strict=True)
        )
        print(f"\n{engine}, {writers} writers, {wrong} wrong answers")
        for way in WAYS:
            print(f"  {way:8} {rate[way]:7.0f}/s, p99 {p99[way]:6.2f} ms, slowest {slowest[way]:6.2f} ms")
        of = f"book() on {engine}, {writers} writer{'s' if writers > 1 else ''}"
        report(f"{of}: bookings a second of a bare insert's", round(100 * share), "%", "40 or more", share >= 0.4, COMMAND)
        more = 100 * rate["book"] / rate["refused"]
        report(f"{of}: a refusal's time of a booking's", round(more), "%", "100 or less", more <= 100, COMMAND)
        if writers == 1:
            one_bare = rate["bare"]
        if engine == "sqlite" and writers == 16:
            against = 100 * rate["book"] / one_bare
            report(f"{of}: bookings of one bare writer's", round(against), "%", "100 or more", against >= 100, COMMAND)
            report(f"{of}: slowest answer", round(slowest["book"], 1), "ms", "50 or less", slowest["book"] <= 50, COMMAND)
        if engine == "postgresql":
            times_bare = p99["book"] / p99["bare"]
            report(f"{of}: p99 of a bare insert's", round(times_bare, 1), "times", "5 or less", times_bare <= 5, COMMAND)


def _prepare(database: Database, clinic: ClinicFile) -> tuple[list[FreeTime], list[str]]:
    """The clinic loaded; times that do not overlap, in an order that mixes practitioners; patients."""
    now = times.now()
    patients = [new_id() for _ in range(2_000)]
    person = {"given": "Pat", "family": "Ient", "birth_date": dt.date(1980, 1, 1), "created_at": now, "updated_at": now}
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
        session.connection().execute(
            insert(Patient), [{"organization_id": database.organization, "id": one, **person} for one in patients]
        )
    with database.reading() as session:
        all_free = find(
            session, clinic, Request(busy_clinic.SERVICE), start=now + dt.timedelta(days=1), end=now + dt.timedelta(days=110)
        )
    apart = [free for free in all_free if free.first_tick % 4 == 0]
    return sorted(apart, key=lambda free: (free.start, free.practitioner_id), reverse=True), patients


def _run(engine: str, database: Database, clinic: ClinicFile, jobs: list[list[Job]]) -> list[Round]:
    if engine == "sqlite":
        answers: Any = queue.Queue()
        barrier: Any = threading.Barrier(len(jobs))
        writers: Any = [threading.Thread(target=_write, args=(database, clinic, mine, barrier, answers)) for mine in jobs]
    else:
        database.dispose()
        context = multiprocessing.get_context("spawn")
        answers, barrier = context.Queue(), context.Barrier(len(jobs))
        writers = [context.Process(target=_write_apart, args=(database.url, mine, barrier, answers)) for mine in jobs]
    for writer in writers:
        writer.start()
    found = [one for _ in writers for one in answers.get(timeout=1800)]
    for writer in writers:
        writer.join()
    return found


def _write_apart(url: str, jobs: list[Job], barrier: Any, answers: Any) -> None:
    database = Database(url)
    _write(database, busy_clinic.clinic(), jobs, barrier, answers)
    database.dispose()


def _write(database: Database, clinic: ClinicFile, jobs: list[Job], barrier: Any, answers: Any) -> None:
    bare = _bare_sqlite(database.engine) if database.engine.dialect.name == "sqlite" else _bare_postgresql(database.url)

    def ours(time: FreeTime, patient_id: str, key: str) -> bool:
        try:
            with database.transaction() as session:
                booking.book(session, clinic, patient_id=patient_id, time=time, agent="benchmark", key=key)
        except SchedulingError:
            return False
        return True

    found = []
    for number, job in enumerate(jobs):
        write = bare if job.way == "bare" else ours
        seconds, wrong = [], 0
        barrier.wait()
        began = time.monotonic()
        for wanted, patient_id in job.wanted:
            before = time.perf_counter()
            done = write(wanted, patient_id, new_id())
            seconds.append(time.perf_counter() - before)
            wrong += done == (job.way == "refused")
        found.append(Round(job.way, number // len(WAYS), began, time.monotonic(), seconds, wrong))
        barrier.wait()
    answers.put(found)


# The bare insert: the rows of `book()`, by the driver alone.

_COLUMNS = {
    "idempotency_key": "organization_id, key, result, created_at",
    "appointment": 'organization_id, id, status, service_id, patient_id, practitioner_id, location_id, mode, start, "end",'
    " first_tick, end_tick, lane, confirmation, next_reminder_at, sequence, created_at, updated_at",
    "occupancy": "organization_id, actor, tick, lane, appointment_id",
    "audit_event": "organization_id, at, agent, action, entity, entity_id, patient_id, detail",
}


def _statement(table: str, mark: str, rows: int = 1) -> str:
    columns = _COLUMNS[table]
    row = "(" + ", ".join([mark] * (columns.count(",") + 1)) + ")"
    guard = " ON CONFLICT DO NOTHING RETURNING 1" if table in ("idempotency_key", "occupancy") else ""
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * rows)}{guard}"


def _bare(execute: Callable[[str, tuple[Any, ...]], Any], mark: str, time: FreeTime, patient_id: str, key: str, now: Any) -> bool:
    """Write the rows; False when the time is taken."""
    one, organization = new_id(), "clinic"
    start, end, reminder = (when if mark == "%s" else str(when.replace(tzinfo=None)) for when in (time.start, time.end, time.start))
    result = json.dumps({"operation": "book", "appointments": [one]})
    execute(_statement("idempotency_key", mark), (organization, key, result, now)).fetchall()
    visit = (organization, one, "booked", time.service_id, patient_id, time.practitioner_id, time.location_id, time.mode.value)
    execute(
        _statement("appointment", mark),
        (*visit, start, end, time.first_tick, time.end_tick, 0, "needs-action", reminder, 0, now, now),
    )
    actors = (f"patient:{patient_id}", f"practitioner:{time.practitioner_id}")
    claims = [(organization, actor, tick, 0, one) for actor in actors for tick in range(time.first_tick, time.end_tick)]
    got = execute(_statement("occupancy", mark, len(claims)), tuple(value for claim in claims for value in claim)).fetchall()
    detail = json.dumps({"status": "booked", "service": time.service_id, "start": time.start.isoformat()})
    execute(_statement("audit_event", mark), (organization, now, "benchmark", "C", "Appointment", one, patient_id, detail))
    return len(got) == len(claims)


_queue = threading.Lock()


def _bare_sqlite(engine: Engine) -> Callable[[FreeTime, str, str], bool]:
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None, timeout=30, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")

    def write(time: FreeTime, patient_id: str, key: str) -> bool:
        with _queue:
            connection.execute("BEGIN IMMEDIATE")
            done = _bare(connection.execute, "?", time, patient_id, key, str(times.now().replace(tzinfo=None)))
            connection.execute("COMMIT" if done else "ROLLBACK")
        return done

    return write


def _bare_postgresql(url: str) -> Callable[[FreeTime, str, str], bool]:
    connection = psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))

    def write(time: FreeTime, patient_id: str, key: str) -> bool:
        done = _bare(connection.execute, "%s", time, patient_id, key, times.now())
        if done:
            connection.commit()
        else:
            connection.rollback()
        return done

    return write


def _by_round(found: list[Round], way: str) -> list[list[Round]]:
    mine = [one for one in found if one.way == way]
    return [[one for one in mine if one.number == number] for number in sorted({one.number for one in mine})]


def _rate(writers: list[Round]) -> float:
    """Answers a second of the writers of one round."""
    return len(_seconds(writers)) / (max(one.ended for one in writers) - min(one.began for one in writers))


def _seconds(writers: list[Round]) -> list[float]:
    return [second for one in writers for second in one.seconds]


def _median(rounds: list[list[Round]], figure: Callable[[list[Round]], float]) -> float:
    return statistics.median(figure(one) for one in rounds)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1]


if __name__ == "__main__":
    main()
