"""A clinic's month, simulated twice with the same patients: offers by our ranking, and the first free time that fits.

python -m benchmarks.utilisation [--months 3] [--fragmentation 0.4]

Patients ask for visits of 15 to 45 minutes, some with wishes; a part cancels, whose time is free again; some need a visit today.
Who does not come has kept the time all the same. Of three offers seven in ten patients take the first, two the second, one the
third. Two weeks before the month fill the calendar and do not count. Search, rules and database are the real ones; visits are
written without audit and ticks.
"""

from __future__ import annotations

import argparse
import datetime as dt
import heapq
import os
import random
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from benchmarks import busy_clinic, machine, pictures
from benchmarks.report import report
from scheduling_core import patients
from scheduling_core.calendar import hours, occupied, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.search import find, offers
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile, Ranking
from scheduling_core.models import Appointment

COMMAND = "python -m benchmarks.utilisation"
START = dt.datetime(2026, 3, 30, 13, tzinfo=dt.UTC)  # a Monday
WARM_UP, MONTH = 14, 28  # days
SERVICES = {"short": (15, 0.3), "usual": (20, 0.35), "long": (30, 0.2), "first": (45, 0.15)}  # minutes, and how often
PRACTITIONERS = 3
DEMAND = 1.1  # of the minutes that there are
CANCELLED, URGENT = 0.15, 0.08
SHORTEST = ticks.ticks_in(min(minutes for minutes, _ in SERVICES.values()))

Policy = Callable[[Session, ClinicFile, Request, TimeWish, random.Random], FreeTime | None]


@dataclass(frozen=True, order=True)
class Asks:
    """A patient who asks at a time."""

    at: dt.datetime
    service_id: str
    practitioners: tuple[str, ...]
    wish: TimeWish = field(compare=False)
    cancels_after: float | None = field(compare=False)  # of the time until the visit


@dataclass
class Month:
    """What became of a month."""

    open_minutes: int = 0
    booked: int = 0
    gaps: int = 0  # too short for any visit
    waits: list[float] = field(default_factory=list)  # days from asking to the visit, of routine visits
    refused: int = 0


def ours(session: Session, clinic: ClinicFile, request: Request, wish: TimeWish, dice: random.Random) -> FreeTime | None:
    found = offers(session, clinic, request, wish=wish)
    choice = dice.choices((0, 1, 2), (7, 2, 1))[0]
    return found[min(choice, len(found) - 1)] if found else None


def first_free(session: Session, clinic: ClinicFile, request: Request, wish: TimeWish, dice: random.Random) -> FreeTime | None:
    dice.choices((0, 1, 2), (7, 2, 1))
    start = dt.datetime.combine(wish.first_day or START.date(), dt.time(0), clinic.zone)
    found = find(session, clinic, request, start=start, end=start + dt.timedelta(days=60), wish=wish, limit=1)
    return found[0] if found else None


POLICIES: dict[str, Policy] = {"ours": ours, "first free": first_free}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--months", type=int, default=3)
    options.add_argument("--fragmentation", type=float)
    options.add_argument("--balance", type=float)
    chosen = options.parse_args()
    weights = {name: value for name in ("fragmentation", "balance") if (value := getattr(chosen, name)) is not None}
    made = clinic(Ranking(**weights))
    with tempfile.NamedTemporaryFile("w", suffix=".clock") as clock:
        os.environ["FRONTDESK_CLOCK"] = clock.name
        months = {
            name: [simulate(made, policy, Path(clock.name), seed=seed) for seed in range(chosen.months)]
            for name, policy in POLICIES.items()
        }
    for name, some in months.items():
        print(
            f"{name:10}: {_share(some):.1%} booked, "
            f"{statistics.mean(one.gaps for one in some):.0f} unusable gaps, "
            f"{statistics.mean(wait for one in some for wait in one.waits):.2f} days' wait, "
            f"{sum(one.refused for one in some)} refused"
        )
    more = (_share(months["ours"]) - _share(months["first free"])) * 100
    fewer = 1 - sum(one.gaps for one in months["ours"]) / sum(one.gaps for one in months["first free"])
    holds = more >= 5 or fewer >= 0.2
    report(
        "Fewer unusable gaps than with the first free time, a simulated month",
        round(fewer * 100, 1),
        "%",
        "20 or more",
        holds,
        COMMAND,
    )
    report(
        "More booked minutes than with the first free time, a simulated month",
        round(more, 2),
        "points",
        "5, or the gaps",
        holds,
        COMMAND,
    )
    if not weights:
        _draw(months)


def _share(months: list[Month]) -> float:
    return sum(one.booked for one in months) / sum(one.open_minutes for one in months)


def clinic(ranking: Ranking) -> ClinicFile:
    plain = busy_clinic.clinic(PRACTITIONERS)
    services = [
        plain.services[0].model_copy(update={"id": name, "name": name, "minutes": minutes})
        for name, (minutes, _) in SERVICES.items()
    ]
    urgent = plain.services[0].model_copy(update={"id": "urgent", "name": "urgent", "minutes": 20, "urgency": "urgent"})
    given = [one.model_copy(update={"services": [*SERVICES, "urgent"]}) for one in plain.practitioners]
    return plain.model_copy(update={"services": [*services, urgent], "practitioners": given, "ranking": ranking})


def simulate(clinic: ClinicFile, policy: Policy, clock: Path, *, seed: int) -> Month:
    """One month under one policy. The same seed sends the same patients."""
    dice, choices = random.Random(seed), random.Random(seed)
    month = Month()
    with machine.database("sqlite") as database:
        clock.write_text(START.isoformat())
        with database.transaction() as session:
            loading.load(session, clinic, agent="benchmark")
            patient_id = patients.register(
                session, given="Pat", family="Ient", birth_date=dt.date(1980, 1, 1), new=False, agent="benchmark"
            ).id
        cancellations: list[tuple[dt.datetime, str]] = []
        with database.transaction() as session:
            for asks in _arrivals(dice):
                while cancellations and cancellations[0][0] <= asks.at:
                    session.execute(delete(Appointment).where(Appointment.id == heapq.heappop(cancellations)[1]))
                clock.write_text(asks.at.isoformat())
                time = policy(session, clinic, Request(asks.service_id, practitioners=asks.practitioners), asks.wish, choices)
                if time is None:
                    month.refused += 1
                    continue
                visit = busy_clinic.visit(time.practitioner_id, patient_id, time.first_tick, time.end_tick - time.first_tick)
                visit |= {"organization_id": database.organization, "service_id": asks.service_id}
                session.execute(insert(Appointment).values(visit))
                if asks.cancels_after is not None:
                    heapq.heappush(cancellations, (asks.at + asks.cancels_after * (time.start - asks.at), str(visit["id"])))
                if asks.service_id != "urgent" and asks.at >= START + dt.timedelta(days=WARM_UP):
                    month.waits.append((time.start - asks.at).total_seconds() / 86400)
            _count(session, clinic, month)
    return month


def _arrivals(dice: random.Random) -> list[Asks]:
    """Who asks when, by time: on workdays from 8 to 17, for what is to be had in three weeks."""
    per_visit = sum(minutes * share for minutes, share in SERVICES.values())
    a_day = round(DEMAND * PRACTITIONERS * 8 * 60 / per_visit)
    days = [START + dt.timedelta(days=ahead) for ahead in range(WARM_UP + MONTH) if ahead % 7 < 5]
    return sorted(_asks(dice, day + dt.timedelta(minutes=dice.randrange(9 * 60))) for day in days for _ in range(a_day))


def _asks(dice: random.Random, at: dt.datetime) -> Asks:
    today = at.date()
    urgent = dice.random() < URGENT
    service_id = "urgent" if urgent else dice.choices(list(SERVICES), [share for _, share in SERVICES.values()])[0]
    mine = (f"practitioner-{dice.randrange(PRACTITIONERS)}",) if dice.random() < 0.5 else ()
    wish = TimeWish(days=(Days(today, today + dt.timedelta(days=0 if urgent else 21)),), soonest=urgent or dice.random() < 0.15)
    if not urgent and dice.random() < 0.6:
        from_, to = dice.choice(((8, 12), (13, 17), (8, 10), (15, 17), (9, 15)))
        weekdays = frozenset(dice.sample(range(5), dice.choice((1, 2, 5))))
        wish = TimeWish(days=wish.days, hours=(Hours(dt.time(from_), dt.time(to)),), weekdays=weekdays)
    cancels_after = dice.random() if dice.random() < CANCELLED else None
    return Asks(at, service_id, mine if not urgent else (), wish, cancels_after)


def _count(session: Session, clinic: ClinicFile, month: Month) -> None:
    first_day = START.date() + dt.timedelta(days=WARM_UP)
    for practitioner in clinic.practitioners:
        for ahead in range(MONTH):
            for stretch in hours.hours_of(clinic).on(practitioner.id, first_day + dt.timedelta(days=ahead)):
                taken = occupied.practitioners(session, [practitioner.id], first=stretch.first, end=stretch.end, now=START)
                bits = taken.bits(practitioner.id, stretch.first, stretch.length)
                month.open_minutes += stretch.length * ticks.MINUTES
                month.booked += bits.bit_count() * ticks.MINUTES
                free = f"{bits:0{stretch.length}b}".split("1")
                month.gaps += sum(0 < len(gap) < SHORTEST for gap in free)


def _draw(months: dict[str, list[Month]]) -> None:
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    shown: list[tuple[str, Callable[[list[Month]], float]]] = [
        ("booked, % of what is open", lambda some: _share(some) * 100),
        ("unusable gaps a month", lambda some: statistics.mean(one.gaps for one in some)),
        ("days' wait", lambda some: statistics.mean(wait for one in some for wait in one.waits)),
    ]
    for number, (title, value) in enumerate(shown, start=1):
        axes = figure.add_subplot(1, len(shown), number)
        bars = axes.bar(list(months), [value(some) for some in months.values()], color=["#2b6cb0", "#a0aec0"], width=0.6)
        axes.bar_label(bars, fmt="%.1f")
        axes.set_title(title, fontsize=9)
    pictures.save(figure, "utilisation")


if __name__ == "__main__":
    main()
