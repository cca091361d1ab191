"""How well a clinic's own history tells who may not come, where the truth is known because it was made up.

Patients have a habit that nobody sees, and visits have effects that the model is not told of as such (a step at nine o'clock, a
lead time whose effect levels off). The oracle knows all of it.

python -m benchmarks.no_show
"""

from __future__ import annotations

import datetime as dt
import math
import random
import time
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert, select

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import no_show, sending, times
from scheduling_core.calendar import ticks
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Channel,
    Communication,
    Delivery,
    Direction,
    Mode,
    ParticipationStatus,
    Patient,
    Priority,
    Task,
    TaskStatus,
    new_id,
)

COMMAND = "python -m benchmarks.no_show"
PATIENTS, DAYS_BACK, DAYS_AHEAD, A_YEAR = 2_500, 730, 90, 365.0
VISITS_A_YEAR = 5.0
_CONFIRMS, _CONFIRMS_AND_MISSES = 0.6, 0.1  # of those reminded who come, and of those who do not


@dataclass(frozen=True)
class Truth:
    """The chances of visits to come, as the oracle has them at booking and once it knows who confirmed, and which are missed."""

    at_booking: dict[str, float]
    chances: dict[str, float]
    missed: dict[str, bool]


def main() -> None:
    for engine in machine.ENGINES:
        with machine.database(engine) as database:
            clinic = learning_clinic()
            truth = make_history(database, clinic, random.Random(1))
            began = time.perf_counter()
            with database.transaction() as session:
                model = no_show.train(session, clinic, agent="benchmark")
            took = time.perf_counter() - began
            with database.transaction() as session:
                visits = list(session.scalars(select(Appointment).where(Appointment.start > times.now()).order_by(Appointment.id)))
                known = no_show.risks(session, clinic, visits, agent="benchmark")
            print(f"\n{engine}: learned from {model.visits:,} visits in {took:.1f} s, tried on {len(visits):,} to come")
            print(
                f"  what training measured on its latest fifth: AUC {model.auc:.3f}, ECE {model.ece:.4f}, slope {model.slope:.2f}"
            )
            early = [model.risk(replace(known.known(one), reminded=False, confirmed=False)) for one in visits]
            late = [known.of(one) for one in visits]
            _tell(engine, "at booking", visits, early, truth.at_booking, truth.missed)
            _tell(engine, "on the day before", visits, late, truth.chances, truth.missed)


def _tell(
    engine: str, when: str, visits: list[Appointment], risks: list[float], chances: dict[str, float], missed: dict[str, bool]
) -> None:
    outcomes = [missed[one.id] for one in visits]
    ours, oracle = no_show.figures(risks, outcomes), no_show.figures([chances[one.id] for one in visits], outcomes)
    for name, found in (("oracle", oracle), ("model", ours)):
        print(f"  {when}, {name:6}: AUC {found['auc']:.3f}, ECE {found['ece']:.4f}, slope {found['slope']:.2f}")
    share, slope, ece = 100 * ours["auc"] / oracle["auc"], ours["slope"], ours["ece"]
    of = f"No-shows {when}, {engine}"
    report(f"{of}: AUC of the oracle's", round(share, 1), "%", "95 or more", share >= 95, COMMAND)
    report(f"{of}: calibration slope", round(slope, 2), "", "0.9 to 1.1", 0.9 <= slope <= 1.1, COMMAND)
    report(f"{of}: expected calibration error", round(ece, 4), "", "0.02 or less", ece <= 0.02, COMMAND)


def learning_clinic() -> ClinicFile:
    plain = busy_clinic.clinic(5)
    return ClinicFile.model_validate(plain.model_dump(by_alias=True) | {"no_shows": {"estimate": True}})


def make_history(database: Database, clinic: ClinicFile, dice: random.Random) -> Truth:
    """Two years of visits with their outcomes, and the visits of the next three months."""
    rows: dict[type[Any], list[dict[str, Any]]] = {Patient: [], Appointment: [], Communication: [], Task: []}
    truth = Truth({}, {}, {})
    for number in range(PATIENTS):
        _live(rows, truth, dice, number)
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
    for table, some in rows.items():
        for start in range(0, len(some), 5_000):
            with database.transaction() as session:
                part = [{"organization_id": database.organization, **one} for one in some[start : start + 5_000]]
                session.connection().execute(insert(table), part)
    return truth


def _live(rows: dict[type[Any], list[dict[str, Any]]], truth: Truth, dice: random.Random, number: int) -> None:
    """One patient's visits, reminders and late cancellations."""
    now, patient_id, habit = times.now(), new_id(), dice.gauss(0, 0.8)
    stamped = {"created_at": now, "updated_at": now}
    rows[Patient].append(
        {"id": patient_id, "given": "Pat", "family": f"Ient{number}", "birth_date": dt.date(1980, 1, 1), **stamped}
    )
    day, first = -DAYS_BACK + dice.expovariate(VISITS_A_YEAR / A_YEAR), True
    while day < DAYS_AHEAD:
        local = now + dt.timedelta(days=day)
        while local.weekday() > 4:
            local += dt.timedelta(days=1)
        hour = dice.choice(range(8, 17))
        start = local.replace(hour=hour + 6, minute=dice.choice((0, 20, 40)), second=0, microsecond=0)  # Chicago, in winter
        lead, video = min(90.0, dice.expovariate(1 / 20)), dice.random() < 0.15
        odds = -2.2 + habit + 0.9 * math.tanh((lead - 15) / 15) + 0.3 * (start.weekday() == 0) + 0.4 * (hour == 8)
        odds += -0.7 * video + 0.4 * first
        chance = 1 / (1 + math.exp(-odds))
        missed, reminded = dice.random() < chance, dice.random() < 0.9
        confirmed = reminded and dice.random() < (_CONFIRMS_AND_MISSES if missed else _CONFIRMS)
        visit_id, is_past = new_id(), start < now - dt.timedelta(hours=1)
        came = AppointmentStatus.NOSHOW if missed else AppointmentStatus.FULFILLED
        first_tick = ticks.tick_of(start)
        rows[Appointment].append(
            {
                "id": visit_id,
                "status": came if is_past else AppointmentStatus.BOOKED,
                "service_id": busy_clinic.SERVICE,
                "patient_id": patient_id,
                "practitioner_id": f"practitioner-{dice.randrange(5)}",
                "location_id": "main",
                "mode": Mode.VIDEO if video else Mode.IN_PERSON,
                "start": start,
                "end": start + dt.timedelta(minutes=20),
                "first_tick": first_tick,
                "end_tick": first_tick + 4,
                "confirmation": ParticipationStatus.ACCEPTED if confirmed else ParticipationStatus.NEEDS_ACTION,
                "created_at": start - dt.timedelta(days=lead),
                "updated_at": now,
            }
        )
        if reminded:
            rows[Communication].append(_reminder(patient_id, visit_id, start))
        if not is_past:
            truth.at_booking[visit_id] = chance
            truth.chances[visit_id] = _after_the_reminder(chance, reminded, confirmed)
            truth.missed[visit_id] = missed
        if is_past and dice.random() < 0.05 * math.exp(habit):
            rows[Task].append(_late_cancellation(patient_id, start))
        day, first = day + dice.expovariate(VISITS_A_YEAR / A_YEAR), False


def _after_the_reminder(chance: float, reminded: bool, confirmed: bool) -> float:
    """By Bayes: the chance of a no-show once it is known who confirmed."""
    if not reminded:
        return chance
    if_missed, if_comes = (_CONFIRMS_AND_MISSES, _CONFIRMS) if confirmed else (1 - _CONFIRMS_AND_MISSES, 1 - _CONFIRMS)
    return chance * if_missed / (chance * if_missed + (1 - chance) * if_comes)


def _reminder(patient_id: str, visit_id: str, start: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "patient_id": patient_id,
        "channel": Channel.SMS,
        "direction": Direction.OUT,
        "phone": "+13125550142",
        "body": "",
        "author": "system",
        "status": Delivery.DELIVERED,
        "kind": sending.REMINDER,
        "appointment_id": visit_id,
        "created_at": start - dt.timedelta(days=1),
    }


def _late_cancellation(patient_id: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "status": TaskStatus.COMPLETED,
        "priority": Priority.ROUTINE,
        "team": "desk",
        "reason": "late-cancellation",
        "description": "",
        "patient_id": patient_id,
        "created_at": at,
        "updated_at": at,
    }


if __name__ == "__main__":
    main()
