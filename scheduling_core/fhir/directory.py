"""The names and zones that resources show beside ids: those of the clinic file, and of what has left it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core.clinic_file.schema import ClinicFile, Room
from scheduling_core.models import HealthcareService, Location, Patient, Practitioner


@dataclass(frozen=True)
class Directory:
    """`left` holds the ids that are no longer in the clinic file, by kind of resource, with their names."""

    clinic: ClinicFile
    organization: str
    left: dict[str, dict[str, str]] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)

    def practitioner(self, id_: str) -> str:
        part = self.clinic.practitioners_by_id.get(id_)
        return part.name if part else self.left.get("Practitioner", {}).get(id_, id_)

    def location(self, id_: str) -> str:
        part = self.clinic.locations_by_id.get(id_)
        return part.name if part else self.left.get("Location", {}).get(id_, id_)

    def service(self, id_: str) -> str:
        part = self.clinic.services_by_id.get(id_)
        return part.name if part else self.left.get("HealthcareService", {}).get(id_, id_)

    def room(self, location_id: str | None, room_id: str) -> str:
        part = self.clinic.locations_by_id.get(location_id or "")
        return next((room.name for room in part.rooms if room.id == room_id), room_id) if part else room_id

    def zone(self, location_id: str | None) -> ZoneInfo:
        return self.clinic.zone_of(location_id) if location_id in self.clinic.locations_by_id else self.clinic.zone

    def rooms(self) -> dict[str, tuple[str, Room]]:
        """Rooms by id, each with its location's id."""
        return {room.id: (location.id, room) for location in self.clinic.locations for room in location.rooms}


def directory(session: Session, clinic: ClinicFile, *, patients: Iterable[str | None] = ()) -> Directory:
    """The directory, with the names of these patients."""
    left = {
        table.__name__: dict(session.execute(select(table.id, table.name).where(table.active.is_(False))).tuples().all())
        for table in (Practitioner, Location, HealthcareService)
    }
    wanted = {id_ for id_ in patients if id_}
    named: dict[str, str] = {}
    if wanted:
        rows = session.execute(select(Patient.id, Patient.given, Patient.family).where(Patient.id.in_(wanted)))
        named = {id_: f"{given} {family}".strip() for id_, given, family in rows}
    return Directory(clinic, session.info["organization"], left, named)
