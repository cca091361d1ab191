"""What became of a visit since those whom it concerns were told of it last."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from scheduling_core import sending, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import LIVE, Appointment, Mode, ToldVisit


class Kind(StrEnum):
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Change:
    """`told` is the visit as it was before, None when nobody was told of it yet."""

    kind: Kind
    visit: Appointment
    told: ToldVisit | None

    @property
    def key(self) -> str:
        """Names the change for good."""
        return f"{self.visit.id}:{self.visit.sequence}:{self.kind}"


def change_of(visit: Appointment, told: ToldVisit | None) -> Change | None:
    """None when there is nothing to tell: it is as it was, or it came and went before anybody was told."""
    if visit.status in LIVE:
        if told is None or told.status not in LIVE:
            return Change(Kind.BOOKED, visit, None)
        same = (
            told.start == visit.start
            and told.practitioner_id == visit.practitioner_id
            and told.location_id == visit.location_id
            and told.mode is visit.mode
            and told.service_id == visit.service_id
        )
        return None if same else Change(Kind.MOVED, visit, told)
    return Change(Kind.CANCELLED, visit, told) if told is not None and told.status in LIVE else None


def wall_start(clinic: ClinicFile, visit: Appointment | ToldVisit) -> dt.datetime:
    """The start by the clock of the place."""
    assert visit.start
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    return times.to_wall(visit.start, zone)


def in_words(clinic: ClinicFile, visit: Appointment | ToldVisit) -> str:
    """A visit for staff, without its patient: "Follow-up visit with Dr. Roe, Thursday, November 19, 1:00 PM, by video"."""
    service = clinic.services_by_id.get(visit.service_id)
    practitioner = clinic.practitioners_by_id.get(visit.practitioner_id or "")
    place = clinic.locations_by_id.get(visit.location_id or "")
    assert visit.start
    day, time = sending.start_in_words(visit.start, clinic.zone_of(place.id) if place else clinic.zone, "en")
    where = "by video" if visit.mode is Mode.VIDEO else place.name if place else ""
    what = service.name if service else visit.service_id
    whom = practitioner.name if practitioner else visit.practitioner_id
    return ", ".join(filter(None, (f"{what} with {whom}", day, time, where)))
