"""What stands on the books around a day, read once: where an urgent visit could be and where each standing one could go, in memory.

Reading each calendar once is what makes a plan for a whole clinic quick: a search for each visit that may move reads it again and
again.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.calendar import hours, occupied, rules, starts, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.occupied import Taken
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.calendar.rules import Asked
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, Mode, Patient
from scheduling_core.patients import age_on

DAYS = 14  # how far from its old day a visit may go

_HAVE_TIME = (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.FULFILLED)
_BOTH_WAYS = dt.timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Standing:
    """A visit or a live hold that has a time."""

    id: str
    patient_id: str | None
    status: AppointmentStatus
    sequence: int
    lane: int
    time: FreeTime


@dataclass
class Books:
    """The practitioners' calendars from `DAYS` before a day to `DAYS` after, and all that stands on that day."""

    clinic: ClinicFile
    day: dt.date
    now: dt.datetime
    taken: Taken
    rooms: Taken
    standing: dict[str, list[Standing]]  # by practitioner, by time
    patients: dict[str, list[tuple[str, int, int]]]  # their own visits: id, first tick and end
    births: dict[str, dt.date]
    _starts: dict[tuple[str, int, str], int] = field(default_factory=dict)
    _counted: dict[tuple[str, dt.date, str], int] = field(default_factory=dict)
    _elsewhere: dict[str, tuple[list[FreeTime], Iterator[FreeTime]]] = field(default_factory=dict)

    def in_the_way(self, time: FreeTime) -> list[Standing]:
        """What the practitioner has in this time, buffers included."""
        return [
            one
            for one in self.standing.get(time.practitioner_id, ())
            if one.time.end_tick > time.first_tick and one.time.first_tick < time.end_tick
        ]

    def ways(self, asked: Asked) -> Iterator[FreeTime]:
        """Where a visit could be on the day if only the practitioners' visits were not there, the rooms in turn."""
        service, patient_id = asked.service, asked.request.patient_id
        earliest = ticks.tick_from(rules.earliest(self.clinic, service, self.now))
        before, _, after = hours.lengths(service)
        if not asked.fits_age(self.day):
            return
        for practitioner in asked.practitioners:
            for stretch in rules.stretches(self.clinic, asked, practitioner, self.day):
                if not self._is_within_horizon(stretch):
                    continue
                own = self._own(patient_id, stretch, apart_from=asked.request.moving)
                found = starts.possible(stretch, service, taken=0, earliest=earliest, now=self.now, own=own)
                rooms = rules.rooms_at(self.clinic, stretch.location_id, asked.needs_room) if asked.needs_room else [None]
                for tick in (stretch.first + place for place in ticks.places(found)):
                    for room in rooms:
                        time = _time(asked.service.id, asked.mode, stretch, tick, asked.service.minutes, room, before, after)
                        if room is None or not self.rooms.bits(room, time.first_tick, time.end_tick - time.first_tick):
                            yield time

    def elsewhere(self, visit: Standing, *, count: int, beyond: int | None = None) -> Iterator[FreeTime]:
        """Free times for a visit as it is, the nearest first: its practitioner, place and mode, not its own start.

        At most `count`, and none that is more than `beyond` minutes farther from the old time than the nearest.
        """
        if visit.id not in self._elsewhere:
            self._elsewhere[visit.id] = [], self._by_distance(visit)
        known, further = self._elsewhere[visit.id]
        for number in range(count):
            if number == len(known):
                following = next(further, None)
                if following is None:
                    return
                known.append(following)
            if beyond is not None and distance(visit.time, known[number]) > distance(visit.time, known[0]) + beyond:
                return
            yield known[number]

    def room_in_the_day(self, practitioner_id: str, day: dt.date, location_id: str) -> int | None:
        """How many visits more a practitioner takes on a day; None where there is no maximum."""
        maximum = self.clinic.practitioners_by_id[practitioner_id].max_visits_per_day
        if maximum is None:
            return None
        key = practitioner_id, day, location_id
        if key not in self._counted:
            first, end = hours.day_bounds(day, self.clinic.zone_of(location_id))
            self._counted[key] = self.taken.visits(practitioner_id, first, end)
        return maximum - self._counted[key]

    def _by_distance(self, visit: Standing) -> Iterator[FreeTime]:
        """One by one as they are asked for: of a calendar that is free for weeks only the nearest times are looked at."""
        old = visit.time
        service = self.clinic.services_by_id[old.service_id]
        before, _, after = hours.lengths(service)
        at, own_day = ticks.tick_of(old.start), times.to_wall(old.start, self.clinic.zone_of(old.location_id)).date()

        def earlier() -> Iterator[tuple[int, int, Stretch]]:
            for day in (own_day - dt.timedelta(days=away) for away in range(DAYS + 1)):
                for stretch in reversed(self._stretches[old.practitioner_id, day]):
                    free = self._free(visit, stretch) & ticks.ones(max(0, at - stretch.first))
                    while free:
                        place = free.bit_length() - 1
                        yield at - stretch.first - place, stretch.first + place, stretch
                        free ^= 1 << place

        def later() -> Iterator[tuple[int, int, Stretch]]:
            for day in (own_day + dt.timedelta(days=away) for away in range(DAYS + 1)):
                for stretch in self._stretches[old.practitioner_id, day]:
                    free = self._free(visit, stretch) & ~ticks.ones(max(0, at + 1 - stretch.first))
                    while free:
                        place = (free & -free).bit_length() - 1
                        yield stretch.first + place - at, stretch.first + place, stretch
                        free &= free - 1

        for off, tick, stretch in heapq.merge(earlier(), later(), key=lambda one: one[0]):
            if off > DAYS * ticks.A_DAY:
                return
            yield _time(service.id, old.mode, stretch, tick, service.minutes, None, before, after)

    @cached_property
    def _stretches(self) -> dict[tuple[str, dt.date], list[Stretch]]:
        """The stretches to come in which something is free, or that the day itself has."""
        calendar = hours.hours_of(self.clinic)
        found: dict[tuple[str, dt.date], list[Stretch]] = defaultdict(list)
        first = self.day - _BOTH_WAYS - dt.timedelta(days=1)
        days = [first + dt.timedelta(days=number) for number in range(2 * DAYS + 3)]
        now = ticks.tick_of(self.now)
        for practitioner_id, day in itertools.product(self.standing, days):
            for stretch in calendar.on(practitioner_id, day):
                full = self.taken.bits(practitioner_id, stretch.first, stretch.length) == ticks.ones(stretch.length)
                if stretch.end > now and self._is_within_horizon(stretch) and (day == self.day or not full):
                    found[practitioner_id, day].append(stretch)
        return found

    def _is_within_horizon(self, stretch: Stretch) -> bool:
        return stretch.day <= rules.last_day(self.clinic, self.clinic.zone_of(stretch.location_id), self.now)

    def _fits(self, visit: Standing, stretch: Stretch) -> bool:
        """Whether the patient is of the right age, and the practitioner takes one visit more."""
        service = self.clinic.services_by_id[visit.time.service_id]
        birth_date = self.births.get(visit.patient_id or "")
        if birth_date and service.ages is not None and age_on(birth_date, stretch.day) not in service.ages:
            return False
        left = self.room_in_the_day(stretch.practitioner_id, stretch.day, stretch.location_id)
        is_own_day = stretch.day_first <= visit.time.first_tick < stretch.day_end
        return left is None or left + is_own_day > 0

    def _free(self, visit: Standing, stretch: Stretch) -> int:
        """Where in a stretch the visit could start."""
        if stretch.location_id != visit.time.location_id or not self._fits(visit, stretch):
            return 0
        service = self.clinic.services_by_id[visit.time.service_id]
        key = stretch.practitioner_id, stretch.first, service.id
        earliest = ticks.tick_from(rules.earliest(self.clinic, service, self.now))
        is_its_own = visit.time.first_tick < stretch.end and stretch.first < visit.time.end_tick
        own = self._own(visit.patient_id, stretch, apart_from=visit.id)
        if not is_its_own and not own and key in self._starts:
            return self._starts[key]
        taken = self.taken.bits(stretch.practitioner_id, stretch.first, stretch.length)
        if is_its_own:
            taken = self._without(visit, stretch, taken)
        found = starts.possible(stretch, service, taken=taken, earliest=earliest, now=self.now, own=own)
        if not is_its_own and not own:
            self._starts[key] = found
        return found

    def _without(self, visit: Standing, stretch: Stretch, taken: int) -> int:
        """What is taken when a visit goes: an overbooked visit may lie in the same time and stays."""
        taken &= ~_bits(visit.time.first_tick, visit.time.end_tick, stretch)
        for other in self.in_the_way(visit.time):
            if other.id != visit.id:
                taken |= _bits(other.time.first_tick, other.time.end_tick, stretch)
        return taken

    def _own(self, patient_id: str | None, stretch: Stretch, *, apart_from: str | None) -> int:
        """What the patient has on the books in a stretch."""
        found = 0
        for one, first, end in self.patients.get(patient_id or "", ()):
            if one != apart_from:
                found |= _bits(first, end, stretch)
        return found


def read(session: Session, clinic: ClinicFile, asked: Sequence[Asked], day: dt.date) -> Books:
    """The books as they stand for visits that are wanted on a day. Raises nothing; changes nothing."""
    now = times.now()
    start, end = _day_of(clinic, day)
    first, last = ticks.tick_of(start), ticks.tick_of(end)
    who = sorted({one.id for some in asked for one in some.practitioners})
    standing = _standing(session, who, first - ticks.A_DAY, last + ticks.A_DAY, now)
    around = (DAYS + 2) * ticks.A_DAY
    counted = [one for one in who if clinic.practitioners_by_id[one].max_visits_per_day is not None]
    taken = occupied.practitioners(session, who, first=first - around, end=last + around, now=now, counted=counted)
    kinds = {some.needs_room for some in asked}
    rooms = [room.id for place in clinic.locations for room in place.rooms if room.kind in kinds]
    used_rooms = occupied.rooms(session, rooms, first=first - ticks.A_DAY, end=last + ticks.A_DAY, now=now)
    people = {one.patient_id for some in standing.values() for one in some} | {one.request.patient_id for one in asked}
    known = [one for one in people if one is not None]
    return Books(
        clinic,
        day,
        now,
        taken,
        used_rooms,
        {one: standing.get(one, []) for one in who},
        _patients_visits(session, known, ticks.instant_of(first - around), ticks.instant_of(last + around)),
        _births(session, known),
    )


def distance(old: FreeTime, new: FreeTime) -> int:
    """In minutes."""
    return int(abs(new.start - old.start).total_seconds()) // 60


def _day_of(clinic: ClinicFile, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    return times.from_wall(day, dt.time(0), clinic.zone), times.from_wall(day + dt.timedelta(days=1), dt.time(0), clinic.zone)


def _standing(
    session: Session, practitioners: Collection[str], first: int, last: int, now: dt.datetime
) -> dict[str, list[Standing]]:
    """A visit lasts a day at most: that bounds the index at both ends."""
    table = Appointment.__table__.c
    rows = session.connection().execute(
        select(
            table.id,
            table.patient_id,
            table.status,
            table.sequence,
            table.lane,
            table.service_id,
            table.practitioner_id,
            table.location_id,
            table.mode,
            table.start,
            table.end,
            table.room_id,
            table.first_tick,
            table.end_tick,
        )
        .where(
            table.organization_id == session.info["organization"],
            table.practitioner_id.in_(practitioners),
            table.end_tick > first,
            table.end_tick <= last + ticks.A_DAY,
            table.first_tick < last,
            table.status.in_(_HAVE_TIME),
            (table.status != AppointmentStatus.PROPOSED) | (table.hold_expires_at > now),
        )
        .order_by(table.first_tick, table.id)
    )
    found: dict[str, list[Standing]] = defaultdict(list)
    for id_, patient_id, status, sequence, lane, *place in rows:
        time = FreeTime(*place)
        found[time.practitioner_id].append(Standing(id_, patient_id, status, sequence, lane, time))
    return found


def _patients_visits(
    session: Session, patients: Collection[str], start: dt.datetime, end: dt.datetime
) -> dict[str, list[tuple[str, int, int]]]:
    rows = session.execute(
        select(Appointment.id, Appointment.patient_id, Appointment.start, Appointment.end).where(
            Appointment.patient_id.in_(patients),
            Appointment.status.in_((*LIVE, AppointmentStatus.FULFILLED)),
            Appointment.end > start,
            Appointment.start < end,
        )
    )
    found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for appointment_id, patient_id, begins, ends in rows:
        if patient_id and begins and ends:
            found[patient_id].append((appointment_id, ticks.tick_of(begins), ticks.tick_from(ends)))
    return found


def _births(session: Session, patients: Collection[str]) -> dict[str, dt.date]:
    return dict(session.execute(select(Patient.id, Patient.birth_date).where(Patient.id.in_(patients))).tuples().all())


def _bits(first: int, end: int, stretch: Stretch) -> int:
    a, b = max(first, stretch.first), min(end, stretch.end)
    return ticks.ones(b - a) << (a - stretch.first) if a < b else 0


def _time(
    service_id: str, mode: Mode, stretch: Stretch, tick: int, minutes: int, room_id: str | None, before: int, after: int
) -> FreeTime:
    start = ticks.instant_of(tick)
    return FreeTime(
        service_id,
        stretch.practitioner_id,
        stretch.location_id,
        mode,
        start,
        start + dt.timedelta(minutes=minutes),
        room_id,
        tick - before,
        tick + ticks.ticks_in(minutes) + after,
    )
