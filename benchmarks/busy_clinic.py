"""A clinic of fifty practitioners, and a calendar that is mostly taken."""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import insert

from scheduling_core import times
from scheduling_core.calendar import hours, ticks
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment, AppointmentStatus, Mode, Patient, new_id, occupancy

SERVICE = "visit"
PATIENTS = 5_000


WEEK = ("08:00-12:00", "13:00-17:00")


def clinic(
    practitioners: int = 50,
    *,
    rooms: int = 0,
    days: str = "mon-fri",
    sessions: tuple[str, ...] = WEEK,
    minutes: int = 20,
    grid_minutes: int = 5,
    horizon: int = 120,
) -> ClinicFile:
    """Everybody gives the one service, in the same sessions."""
    week = [{"days": days, "at": "main", "time": time} for time in sessions]
    facts = {"name": "Busy Clinic", "timezone": "America/Chicago", "phone": "+13125550100"}
    return ClinicFile.model_validate(
        {
            "clinic": facts | {"booking_horizon_days": horizon, "grid_minutes": grid_minutes},
            "locations": [
                {
                    "id": "main",
                    "name": "Main",
                    "hours": {days: "08:00-17:00"},
                    "rooms": [{"id": f"room-{number}", "name": f"Room {number}", "kind": "exam"} for number in range(rooms)],
                }
            ],
            "services": [
                {"id": SERVICE, "name": "Visit", "minutes": minutes, "specialty": "general", "room": "exam" if rooms else None}
            ],
            "practitioners": [
                {"id": f"practitioner-{number}", "name": f"Doctor Number{number}", "services": [SERVICE], "schedule": week}
                for number in range(practitioners)
            ],
            "emergency": {"say": "Call 911."},
            "handoff": {"hours": {"mon-fri": "08:00-17:00"}, "transfer_to": "+13125550120"},
        }
    )


def fill(database: Database, clinic: ClinicFile, *, utilisation: float, days: int, seed: int = 1) -> int:
    """Load the clinic and lay visits of 20 minutes over its coming days until this part of every day is taken; how many."""
    dice = random.Random(seed)
    today = times.now().date()
    service = clinic.services_by_id[SERVICE]
    length = sum(hours.lengths(service))
    people = [
        {"id": new_id(), "given": "Pat", "family": f"Ient{number}", "birth_date": dt.date(1980, 1, 1), **_stamped()}
        for number in range(PATIENTS)
    ]
    visits, taken = [], []
    for practitioner in clinic.practitioners:
        for day in (today + dt.timedelta(days=ahead) for ahead in range(days)):
            stretches = hours.hours_of(clinic).on(practitioner.id, day)
            wanted = utilisation * sum(stretch.length for stretch in stretches)
            for first in _packed(dice, [(stretch.first, stretch.end) for stretch in stretches], length, wanted):
                visits.append(visit(practitioner.id, dice.choice(people)["id"], first, length))
                taken += [(f"practitioner:{practitioner.id}", tick, visits[-1]["id"]) for tick in range(first, first + length)]
    with database.transaction() as session:
        loading.load(session, clinic, agent="benchmark")
        session.connection().execute(insert(Patient), [{"organization_id": database.organization, **one} for one in people])
    put(database, visits)
    for start in range(0, len(taken), 50_000):
        with database.transaction() as session:
            rows = [
                {"organization_id": database.organization, "actor": actor, "tick": tick, "lane": 0, "appointment_id": one}
                for actor, tick, one in taken[start : start + 50_000]
            ]
            session.connection().execute(insert(occupancy), rows)
    return len(visits)


def put(database: Database, visits: list[dict[str, object]]) -> None:
    """Write visits, without the ticks that guard them."""
    for start in range(0, len(visits), 20_000):
        with database.transaction() as session:
            rows = [{"organization_id": database.organization, **one} for one in visits[start : start + 20_000]]
            session.connection().execute(insert(Appointment), rows)


def _packed(dice: random.Random, stretches: list[tuple[int, int]], length: int, wanted: float) -> list[int]:
    """Starts of visits on a raster of their length, chosen at random until the wanted ticks are taken."""
    places = [first for a, b in stretches for first in range(a, b - length + 1, length)]
    return sorted(dice.sample(places, min(len(places), round(wanted / length))))


def visit(practitioner_id: str, patient_id: object, first: int, length: int) -> dict[str, object]:
    """A booked visit, as a row of Appointment."""
    return {
        "id": new_id(),
        "status": AppointmentStatus.BOOKED,
        "service_id": SERVICE,
        "patient_id": patient_id,
        "practitioner_id": practitioner_id,
        "location_id": "main",
        "mode": Mode.IN_PERSON,
        "start": ticks.instant_of(first),
        "end": ticks.instant_of(first + length),
        "first_tick": first,
        "end_tick": first + length,
        **_stamped(),
    }


def _stamped() -> dict[str, object]:
    now = times.now()
    return {"created_at": now, "updated_at": now}
