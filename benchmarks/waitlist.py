"""How soon the best match for a freed time is known where ten thousand wait.

The match is who comes first by need, spread, fit and wait among those whose wish the time fits. What follows before an offer goes
out (patient and phone, visits found meanwhile, the calendar) is timed as well.

python -m benchmarks.waitlist
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable

from sqlalchemy import insert, select, text

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from scheduling_core import freed, times
from scheduling_core.calendar import ticks
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment, AppointmentStatus, FreedTime, Mode, Patient, PatientPhone, WaitlistOffer, new_id

COMMAND = "python -m benchmarks.waitlist"
PLACES, FREED, DAYS = 10_000, 200, 60
_SERVICES = [
    ("visit", 20, "routine"),
    ("long", 40, "routine"),
    ("short", 10, "routine"),
    ("sick", 20, "urgent"),
    ("talk", 30, "routine"),
]


def main() -> None:
    for engine in machine.ENGINES:
        with machine.database(engine) as database:
            clinic = waiting_clinic()
            ids = _fill(database, clinic, random.Random(1))
            with database.reading() as session:
                freed_times = [session.scalars(select(FreedTime).where(FreedTime.id == one)).one() for one in ids]
                matches = _measure(freed_times, lambda one, s=session, c=clinic: next(freed.line_for(s, c, one), None))
                for one in freed_times[:3]:  # the head of the line is the best of all of it
                    line = list(freed.line_for(session, clinic, one))
                    assert line == sorted(line, key=freed.rank)
                    assert line
            with database.transaction() as session:
                found = _measure(
                    freed_times[:100], lambda one, s=session, c=clinic: freed.best_for(s, c, one, count=1, agent=COMMAND)
                )
            median, slowest = statistics.median(matches), statistics.quantiles(matches, n=100)[-1]
            print(f"\n{engine}: {len(line):,} of {PLACES:,} could take the last time; match p99 {slowest:.2f} ms")
            name = f"Best waitlist match among {PLACES:,}, {engine}, median"
            report(name, round(median, 2), "ms", "1 or less", median <= 1, COMMAND)
            whole = statistics.median(found)
            name = f"Best waitlist match with every check before an offer, {engine}, median"
            report(name, round(whole, 1), "ms", "10 or less", whole <= 10, COMMAND)


def waiting_clinic() -> ClinicFile:
    """Fifty practitioners who give four of five services each."""
    plain = busy_clinic.clinic().model_dump(by_alias=True)
    plain["services"] = [
        {"id": one, "name": one, "minutes": minutes, "specialty": "general", "urgency": urgency}
        for one, minutes, urgency in _SERVICES
    ]
    for number, practitioner in enumerate(plain["practitioners"]):
        practitioner["services"] = [one for place, (one, _, _) in enumerate(_SERVICES) if place != number % 5]
    return ClinicFile.model_validate(plain)


def _measure(freed_times: list[FreedTime], match: Callable[[FreedTime], object]) -> list[float]:
    took = []
    for one in freed_times:
        began = time.perf_counter()
        match(one)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _fill(database: Database, clinic: ClinicFile, dice: random.Random) -> list[str]:
    """Patients who wait, some of them asked today already, and times that came free; the ids of these."""
    now = times.now()
    here, stamped = {"organization_id": database.organization}, {"created_at": now - dt.timedelta(days=90), "updated_at": now}
    people = [
        {**here, "id": new_id(), "given": "Pat", "family": f"Ient{number}", "birth_date": dt.date(1980, 1, 1), **stamped}
        for number in range(PLACES)
    ]
    phones = [{**here, "patient_id": one["id"], "phone": f"+1312{number:07}", "rank": 1} for number, one in enumerate(people)]
    places = [_place(dice, clinic, one["id"], now) | here for one in people]
    opened = [_freed(dice, now) | here for _ in range(FREED)]
    asked = [_offer(opened[number], place, now) | here for number, place in enumerate(dice.sample(places, 100))]
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
        for table, rows in (
            (Patient, people),
            (PatientPhone, phones),
            (Appointment, places),
            (FreedTime, opened),
            (WaitlistOffer, asked),
        ):
            session.connection().execute(insert(table), rows)
        session.execute(text("ANALYZE"))
    return [str(one["id"]) for one in opened]


def _place(dice: random.Random, clinic: ClinicFile, patient_id: object, now: dt.datetime) -> dict[str, object]:
    first = now.date() + dt.timedelta(days=dice.randrange(DAYS))
    wish = TimeWish(
        days=(Days(first, first + dt.timedelta(days=dice.randrange(5, 40))),) if dice.random() < 0.7 else (),
        weekdays=frozenset(dice.sample(range(5), 2)) if dice.random() < 0.5 else frozenset(),
        hours=(dice.choice((Hours(dt.time(8), dt.time(12)), Hours(dt.time(12)))),) if dice.random() < 0.4 else (),
    )
    wanted = dice.sample([one.id for one in clinic.practitioners], dice.choice((0, 0, 1, 1, 3)))
    joined = now - dt.timedelta(minutes=dice.randrange(1, 60 * 24 * 60))
    return {
        "id": new_id(),
        "status": AppointmentStatus.WAITLIST,
        "service_id": dice.choices([one for one, _, _ in _SERVICES], weights=[5, 2, 2, 0.05, 2])[0],
        "patient_id": patient_id,
        "practitioner_id": wanted[0] if len(wanted) == 1 else None,
        "mode": Mode.IN_PERSON,
        "wish": wish.as_json() | ({"practitioners": wanted} if wanted else {}),
        "created_at": joined,
        "updated_at": joined,
    }


def _freed(dice: random.Random, now: dt.datetime) -> dict[str, object]:
    day = now.replace(hour=14 + dice.randrange(8), minute=dice.choice((0, 20, 40)), second=0, microsecond=0)
    start = day + dt.timedelta(days=dice.randrange(2, DAYS))
    while start.weekday() > 4:
        start += dt.timedelta(days=1)
    first = ticks.tick_of(start)
    return {
        "id": new_id(),
        "practitioner_id": f"practitioner-{dice.randrange(50)}",
        "start": start,
        "first_tick": first,
        "end_tick": first + 4,
        "freed_at": now,
        "next_look_at": now,
    }


def _offer(freed_time: dict[str, object], place: dict[str, object], now: dt.datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "freed_id": freed_time["id"],
        "place_id": place["id"],
        "hold_id": place["id"],
        "phone": "+13125550142",
        "status": "lapsed",
        "expires_at": now,
        "created_at": now - dt.timedelta(hours=3),
        "updated_at": now,
    }


if __name__ == "__main__":
    main()
