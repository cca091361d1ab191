"""What finding free times costs beside reading the same rows by a plain driver cursor, and how it grows.

python -m benchmarks.finding [--engine sqlite] [--rounds 9] [--no-pictures]

Every practitioner works every day from 9 to 17; visits of 30 minutes start on half hours, 70% of them are booked. S is one
practitioner for 30 days, L fifty for 90. The floor reads the visits' rows, walks them for gaps and writes the gaps as ISO times of
the clinic's zone. Ours is `find`, from the request to the list of free times with the same ISO times. They run in turn, each in an
open transaction.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from unittest import mock

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks import busy_clinic, machine, pictures
from benchmarks.report import report
from scheduling_core import patients, times
from scheduling_core.calendar import occupied, ticks
from scheduling_core.calendar.search import Request, find, offers
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database

COMMAND = "python -m benchmarks.finding"
HALF_HOUR = ticks.ticks_in(30)
OLD_VISITS = 20_000
SMALL, LARGE, MANY = (1, 30), (50, 90), (1_000, 180)
PRACTITIONERS = 200
WITH_HISTORY = 10  # of them, the last, who have old visits
_ROWS = """SELECT practitioner_id, first_tick, end_tick FROM appointment WHERE organization_id = {} AND practitioner_id {}
    AND end_tick > {} AND end_tick <= {} AND first_tick < {}
    AND status IN ('proposed', 'pending', 'booked', 'arrived', 'checked-in', 'fulfilled') ORDER BY practitioner_id, first_tick"""
FLOOR = {
    "sqlite": _ROWS.format("?", "IN (SELECT value FROM json_each(?))", "?", "?", "?"),
    "postgresql": _ROWS.format("%s", "= ANY(%s)", "%s", "%s", "%s"),
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--no-pictures", action="store_true")
    chosen = options.parse_args()
    grown: dict[str, dict[str, pictures.Series]] = {}
    for engine in chosen.engine or machine.ENGINES:
        with machine.database(engine) as database:
            calendar = Calendar(engine, database)
            _beside_the_floor(calendar, chosen.rounds)
            history = _with_history(calendar, chosen.rounds)
            if not chosen.no_pictures:
                for along, lines in (_growth(calendar, chosen.rounds) | history).items():
                    for name, series in lines.items():
                        grown.setdefault(along, {})[f"{name}, {engine}"] = series
        with machine.database(engine) as database:
            _nothing_free(engine, database, chosen.rounds)
    if grown:
        pictures.growth("finding", "Finding free times, 70% booked: all of them, and the first three", grown)


class Calendar:
    """A database full of visits, and the ways to find what is free in it."""

    def __init__(self, engine: str, database: Database) -> None:
        self.engine, self.database = engine, database
        self.clinics: dict[int, ClinicFile] = {}
        self.zone = self.clinic(PRACTITIONERS).zone
        self.first_day = times.to_wall(times.now(), self.zone).date() + dt.timedelta(days=1)
        with database.transaction() as session:
            loading.load(session, self.clinic(PRACTITIONERS), agent="benchmark")
            self.patient_id = patients.register(
                session, given="Pat", family="Ient", birth_date=dt.date(1980, 1, 1), new=False, agent="benchmark"
            ).id
        busy_clinic.put(database, [visit for number in range(PRACTITIONERS) for visit in self._visits(number)])
        self.analyze()

    def _visits(self, number: int) -> Iterator[dict[str, object]]:
        dice = random.Random(number % (PRACTITIONERS - WITH_HISTORY))  # the last have the calendars of the first
        for ahead in range(LARGE[1]):
            nine = ticks.tick_of(times.from_wall(self.first_day + dt.timedelta(days=ahead), dt.time(9), self.zone))
            for first in range(nine, nine + 8 * 12, HALF_HOUR):
                if dice.random() < 0.7:
                    yield busy_clinic.visit(f"practitioner-{number}", self.patient_id, first, HALF_HOUR)

    def remember(self, old: range) -> None:
        """Give those with a history their old visits of these numbers, counted back from yesterday."""
        midnight = ticks.tick_of(times.from_wall(self.first_day, dt.time(0), self.zone))
        starts = [midnight - (number // 16 + 2) * ticks.A_DAY + (18 + number % 16) * HALF_HOUR for number in old]
        who = [f"practitioner-{number}" for number in range(PRACTITIONERS - WITH_HISTORY, PRACTITIONERS)]
        busy_clinic.put(
            self.database, [busy_clinic.visit(one, self.patient_id, first, HALF_HOUR) for one in who for first in starts]
        )
        self.analyze()

    def analyze(self) -> None:
        with self.database.transaction() as session:
            session.execute(text("ANALYZE"))

    def clinic(self, practitioners: int) -> ClinicFile:
        if practitioners not in self.clinics:
            self.clinics[practitioners] = busy_clinic.clinic(
                practitioners, days="mon-sun", sessions=("09:00-17:00",), minutes=30, grid_minutes=30, horizon=LARGE[1] + 2
            )
        return self.clinics[practitioners]

    def span(self, days: int) -> tuple[dt.datetime, dt.datetime]:
        """So many whole days of the clinic from tomorrow on."""
        last = self.first_day + dt.timedelta(days=days)
        return times.from_wall(self.first_day, dt.time(0), self.zone), times.from_wall(last, dt.time(0), self.zone)

    def ours(self, session: Session, who: range, days: int, of: int | None = None) -> list[str]:
        """Every open time of these practitioners, all of a clinic or some of a larger one."""
        start, end = self.span(days)
        some = tuple(f"practitioner-{number}" for number in who) if of else ()
        found = find(session, self.clinic(of or who.stop), Request(busy_clinic.SERVICE, practitioners=some), start=start, end=end)
        return [one.start.astimezone(self.zone).isoformat() for one in found]

    def first_three(self, session: Session, who: range, days: int) -> list[str]:
        wish = TimeWish(days=(Days(self.first_day, self.first_day + dt.timedelta(days=days - 1)),))
        found = offers(session, self.clinic(who.stop), Request(busy_clinic.SERVICE), wish=wish)
        return [one.start.astimezone(self.zone).isoformat() for one in found]

    def floor(self, session: Session, who: range, days: int) -> list[str]:
        """The same by the driver: rows, gaps, ISO times."""
        first, end = (ticks.tick_of(instant) for instant in self.span(days))
        names = [f"practitioner-{number}" for number in who]
        asked = (self.database.organization, json.dumps(names) if self.engine == "sqlite" else names, first, end + ticks.A_DAY, end)
        connection = session.connection().connection.driver_connection
        assert connection is not None
        taken: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
        for name, a, b in connection.cursor().execute(FLOOR[self.engine], asked).fetchall():
            taken[name].append((a, b))
        found = []
        for visits in taken.values():
            number = 0
            for at in self._nines(days):
                closes = at + 8 * 12
                while number < len(visits) and visits[number][0] < closes:
                    a, b = visits[number]
                    found += range(at, a, HALF_HOUR)
                    at, number = b, number + 1
                found += range(at, closes, HALF_HOUR)
        found.sort()
        return [dt.datetime.fromtimestamp(tick * 300, self.zone).isoformat() for tick in found]

    def _nines(self, days: int) -> list[int]:
        return [
            ticks.tick_of(times.from_wall(self.first_day + dt.timedelta(days=ahead), dt.time(9), self.zone))
            for ahead in range(days)
        ]


def _in_turn(database: Database, rounds: int, *ways: Callable[[Session], object]) -> list[float]:
    """The median milliseconds of each way; they run one after another in each round, after two that do not count."""
    took: list[list[float]] = [[] for _ in ways]
    gc.collect()
    gc.freeze()  # what was made before is not looked through again and again
    with database.reading() as session:
        for number in range(rounds + 2):
            for way, seconds in zip(ways, took, strict=True):
                began = time.perf_counter()
                way(session)
                if number >= 2:
                    seconds.append(time.perf_counter() - began)
    return [statistics.median(seconds) * 1000 for seconds in took]


def _beside_the_floor(calendar: Calendar, rounds: int) -> None:
    for name, (practitioners, days), most, more in (("S", SMALL, 2.0, 10), ("L", LARGE, 1.6, 1)):
        who = range(practitioners)
        with calendar.database.reading() as session:
            found = calendar.ours(session, who, days)
            assert found == calendar.floor(session, who, days)
        floor, ours, first = _in_turn(
            calendar.database,
            rounds * more,
            lambda session, who=who, days=days: calendar.floor(session, who, days),
            lambda session, who=who, days=days: calendar.ours(session, who, days),
            lambda session, who=who, days=days: calendar.first_three(session, who, days),
        )
        print(
            f"{calendar.engine} {name}: {len(found):,} open times, floor {floor:.2f} ms, ours {ours:.2f} ms, first 3 {first:.2f} ms"
        )
        _report(f"All open times of {name} beside the floor, {calendar.engine}", ours / floor, "times", most)
        if name == "L":
            _report(f"First 3 offers of L beside all of L, {calendar.engine}", first / ours, "times", 0.05)


def _with_history(calendar: Calendar, rounds: int) -> dict[str, dict[str, pictures.Series]]:
    """What old visits cost, and how it grows: milliseconds for all open times of those with a history."""
    with_history = range(PRACTITIONERS - WITH_HISTORY, PRACTITIONERS)
    series: pictures.Series = []
    for had, has in pairwise((0, 0, OLD_VISITS // 4, OLD_VISITS // 2, OLD_VISITS)):
        calendar.remember(range(had, has))
        took = _in_turn(calendar.database, rounds, lambda session: calendar.ours(session, with_history, LARGE[1], PRACTITIONERS))
        series.append((has, took[0]))
    for practitioners, days, more in ((1, 30, 10), (WITH_HISTORY, 90, 1)):
        young, old = (range(first, first + practitioners) for first in (0, PRACTITIONERS - WITH_HISTORY))
        without, with_ = _in_turn(
            calendar.database,
            rounds * more,
            lambda session, who=young, days=days: calendar.ours(session, who, days, PRACTITIONERS),
            lambda session, who=old, days=days: calendar.ours(session, who, days, PRACTITIONERS),
        )
        print(f"{calendar.engine}, {practitioners} x {days}: {without:.2f} ms, with {OLD_VISITS:,} old visits each {with_:.2f} ms")
        name = f"All open times of {practitioners} x {days} with {OLD_VISITS:,} old visits each, beside none, {calendar.engine}"
        _report(name, with_ / without, "times", 1.2)
    return {f"old visits each, {WITH_HISTORY} practitioners, {LARGE[1]} days": {"all": series}}


def _growth(calendar: Calendar, rounds: int) -> dict[str, dict[str, pictures.Series]]:
    """Milliseconds for all open times and for the first three offers, along practitioners and along days."""
    axes = {
        "practitioners, 30 days each": [(number, (range(number), 30)) for number in (10, 25, 50, 100, 150, 200)],
        "days, 50 practitioners": [(days, (range(50), days)) for days in (7, 15, 30, 60, 90)],
    }
    grown: dict[str, dict[str, pictures.Series]] = {}
    for along, steps in axes.items():
        grown[along] = {"all": [], "first 3": []}
        for value, (who, days) in steps:
            all_, first = _in_turn(
                calendar.database,
                rounds,
                lambda session, who=who, days=days: calendar.ours(session, who, days),
                lambda session, who=who, days=days: calendar.first_three(session, who, days),
            )
            grown[along]["all"].append((value, all_))
            grown[along]["first 3"].append((value, first))
    return grown


def _nothing_free(engine: str, database: Database, rounds: int) -> None:
    """The first offers where every practitioner has one long visit on each day but the last, which is 70% booked.

    What is taken has been read.
    """
    practitioners, days = MANY
    clinic = busy_clinic.clinic(practitioners, days="mon-sun", sessions=("09:00-17:00",), minutes=30, grid_minutes=30, horizon=days)
    zone = clinic.zone
    today = times.to_wall(times.now(), zone).date()
    nines = [ticks.tick_of(times.from_wall(today + dt.timedelta(days=ahead), dt.time(9), zone)) for ahead in range(days)]
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
        patient_id = patients.register(
            session, given="Pat", family="Ient", birth_date=dt.date(1980, 1, 1), new=False, agent="benchmark"
        ).id
    dice = random.Random(1)
    last = times.from_wall(today + dt.timedelta(days=days), dt.time(9), zone)
    starts = range(ticks.tick_of(last), ticks.tick_of(last) + 8 * 12, HALF_HOUR)
    visits = [busy_clinic.visit(one.id, patient_id, nine, 8 * 12) for one in clinic.practitioners for nine in nines]
    visits += [
        busy_clinic.visit(one.id, patient_id, first, HALF_HOUR)
        for one in clinic.practitioners
        for first in starts
        if dice.random() < 0.7
    ]
    busy_clinic.put(database, visits)
    read = occupied.practitioners
    known: dict[tuple[int, int], occupied.Taken] = {}  # the first search reads, those that are timed have it read

    def read_once(*args: Any, first: int, end: int, **kwargs: Any) -> occupied.Taken:
        if (first, end) not in known:
            known[first, end] = read(*args, first=first, end=end, **kwargs)
        return known[first, end]

    took = []
    with database.reading() as session, mock.patch.object(occupied, "practitioners", read_once):
        for number in range(rounds + 2):
            began = time.perf_counter()
            found = offers(session, clinic, Request(busy_clinic.SERVICE), wish=TimeWish())
            if number >= 2:
                took.append((time.perf_counter() - began) / practitioners / days * 1e9)
            assert all(times.to_wall(one.start, zone).date() == today + dt.timedelta(days=days) for one in found)
    name = f"Search of {practitioners:,} x {days} days with nothing free until the last, reading apart, {engine}"
    value = statistics.median(took)
    report(name, round(value), "ns a practitioner-day", "250 or less", value <= 250, COMMAND)


def _report(name: str, value: float, unit: str, most: float) -> None:
    report(name, round(value, 3), unit, f"{most:g} or less", value <= most, COMMAND)


if __name__ == "__main__":
    main()
