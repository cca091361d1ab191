"""Somebody is out: one plan that has a new time for every visit that cannot be.

A visit keeps its kind, its mode, its place (unless the place is out) and a practitioner who speaks the patient's language where the
old one did. It may go to its own practitioner on another day or to somebody else, which counts as `ANOTHER` minutes. Free
stretches are cut into times of a service's length, longer services first; within a service the total displacement is the least
that those times allow. `plans` asks the patients.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import assignment, plans, times
from scheduling_core.assignment import Place, Visit
from scheduling_core.calendar import hours, occupied, rules, starts, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart, ServicePart
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, Mode, Patient, Plan, PlanKind, PlanStatus
from scheduling_core.patients import age_on
from scheduling_core.plans import Move

ANOTHER = 2 * 24 * 60  # minutes of displacement that keeping the practitioner is worth
SEARCHED = dt.timedelta(days=45)  # after the last day out

_MOVABLE = (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)


@dataclass(frozen=True)
class Outage:
    """Who is out (nobody named: the whole location), from the first to the last day."""

    first: dt.date
    last: dt.date
    practitioners: tuple[str, ...] = ()
    location_id: str | None = None

    def hits(self, practitioner_id: str | None, location_id: str | None, day: dt.date) -> bool:
        return (
            self.first <= day <= self.last
            and (not self.practitioners or practitioner_id in self.practitioners)
            and self.location_id in (None, location_id)
        )

    @property
    def shuts(self) -> str | None:
        """The location that is out as a whole."""
        return None if self.practitioners else self.location_id


@dataclass(frozen=True)
class _Hit:
    """A visit that cannot be, and what it asks of a new time."""

    row: Any
    birth_date: dt.date
    service: ServicePart
    may: frozenset[tuple[str, str]]  # practitioner and place

    @property
    def time(self) -> FreeTime:
        row = self.row
        return FreeTime(
            row.service_id,
            row.practitioner_id,
            row.location_id,
            row.mode,
            row.start,
            row.end,
            row.room_id,
            row.first_tick,
            row.end_tick,
        )


def plan(session: Session, clinic: ClinicFile, outage: Outage, *, by: str) -> Plan:
    """One plan for all booked visits that an outage hits, save those that a plan asks about already.

    Those without a new time are in it for staff.
    `by` is the email of a scheduler's account. Raises NotAllowedError, NotFoundError for somebody or a place that does not exist,
    WrongStateError for days that are over or reversed, or when nobody is named.
    """
    _refuse_nonsense(clinic, outage)
    moves = propose(session, clinic, outage)
    names = [clinic.practitioners_by_id[one].name for one in outage.practitioners]
    names += [clinic.locations_by_id[outage.location_id].name] if outage.location_id else []
    words = f"{', '.join(names)}, {outage.first:%b} {outage.first.day} to {outage.last:%b} {outage.last.day}"
    need = {
        "practitioners": list(outage.practitioners),
        "location": outage.location_id,
        "first": outage.first.isoformat(),
        "last": outage.last.isoformat(),
        "words": words,
    }
    return plans.save(session, kind=PlanKind.STORM, need=need, moves=moves, by=by)


def plan_again(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan:
    """Another plan for the same outage as the calendar stands now: for the visits that nobody is asked about yet.

    A plan that was only proposed is given up for it; one whose patients are asked goes on. Raises as `plan`, and WrongStateError
    for a plan of another kind.
    """
    agent = plans.scheduler(session, by)
    old = plans.get(session, plan_id)
    if old.kind is not PlanKind.STORM:
        raise WrongStateError(f"Plan/{plan_id}")
    if old.status is PlanStatus.PROPOSED:
        plans.give_up(session, clinic, plan_id=plan_id, agent=agent)
    need = old.need
    first, last = (dt.date.fromisoformat(need[name]) for name in ("first", "last"))
    return plan(session, clinic, Outage(first, last, tuple(need["practitioners"]), need["location"]), by=by)


def propose(session: Session, clinic: ClinicFile, outage: Outage) -> list[Move]:
    """The moves of such a plan, by old start. Changes nothing."""
    hits = _hits(session, clinic, outage)
    if not hits:
        return []
    found: dict[str, FreeTime] = {}
    by_service: dict[tuple[str, Mode], list[_Hit]] = defaultdict(list)
    for hit in hits:
        by_service[hit.service.id, hit.row.mode].append(hit)
    calendar = _Calendar(session, clinic, outage, hits)
    for _, some in sorted(by_service.items(), key=lambda item: (-sum(hours.lengths(item[1][0].service)), item[0])):
        found |= calendar.place(some)
    return [
        Move(hit.row.id, hit.row.patient_id, hit.row.sequence, hit.time, _for(found.get(hit.row.id), hit.row.id)) for hit in hits
    ]


def still_open(clinic: ClinicFile, outage: Outage) -> list[str]:
    """What staff should know: whom the clinic file still lets be booked on days out, a sentence each."""
    days = [outage.first + dt.timedelta(days=number) for number in range((outage.last - outage.first).days + 1)]
    found = []
    for practitioner in clinic.practitioners:
        stretches = [one for day in days for one in hours.hours_of(clinic).on(practitioner.id, day)]
        still = {one.day for one in stretches if outage.hits(practitioner.id, one.location_id, one.day)}
        if still:
            days_in_words = ", ".join(f"{day:%b} {day.day}" for day in sorted(still)[:5]) + (" ..." if len(still) > 5 else "")
            found.append(f"{practitioner.name} can still be booked on {days_in_words}: write the absence into the clinic file.")
    return found


def _for(time: FreeTime | None, appointment_id: str) -> FreeTime | None:
    return time and replace(time, moving=appointment_id)


def _refuse_nonsense(clinic: ClinicFile, outage: Outage) -> None:
    for practitioner_id in outage.practitioners:
        if practitioner_id not in clinic.practitioners_by_id:
            raise NotFoundError(f"Practitioner/{practitioner_id}")
    if outage.location_id is not None and outage.location_id not in clinic.locations_by_id:
        raise NotFoundError(f"Location/{outage.location_id}")
    if not outage.practitioners and outage.location_id is None:
        raise WrongStateError("name a practitioner or a location")
    if outage.last < outage.first or outage.last < times.to_wall(times.now(), clinic.zone).date():
        raise WrongStateError(f"{outage.first} to {outage.last}")


def _hits(session: Session, clinic: ClinicFile, outage: Outage) -> list[_Hit]:
    start = times.from_wall(outage.first, dt.time(0), clinic.zone) - dt.timedelta(days=1)
    end = times.from_wall(outage.last, dt.time(0), clinic.zone) + dt.timedelta(days=2)
    columns = Appointment.__table__.c
    table = [column for column in columns if column.name not in ("comment", "wish")]
    rows = session.execute(
        select(*table, Patient.birth_date, Patient.language)
        .join(Patient, (Patient.organization_id == Appointment.organization_id) & (Patient.id == Appointment.patient_id))
        .where(
            Appointment.organization_id == session.info["organization"],
            Appointment.status.in_(_MOVABLE),
            Appointment.start >= max(start, times.now()),
            Appointment.start < end,
            Appointment.practitioner_id.in_(outage.practitioners or clinic.practitioners_by_id),
            Appointment.id.not_in(plans.asked_about()),
        )
        .order_by(Appointment.start, Appointment.id)
    ).all()
    found = []
    known: dict[tuple[Any, ...], frozenset[tuple[str, str]]] = {}
    for row in rows:
        service = clinic.services_by_id.get(row.service_id)
        if service is None or row.location_id not in clinic.locations_by_id:
            continue
        if outage.hits(row.practitioner_id, row.location_id, times.to_wall(row.start, clinic.zone_of(row.location_id)).date()):
            key = service.id, row.mode, row.location_id, row.practitioner_id, row.language
            if key not in known:
                known[key] = frozenset(_who_may(clinic, outage, service, row))
            found.append(_Hit(row, row.birth_date, service, known[key]))
    return found


def _who_may(clinic: ClinicFile, outage: Outage, service: ServicePart, row: Any) -> Iterator[tuple[str, str]]:
    """With whom and where a visit can be, days aside."""
    old = clinic.practitioners_by_id.get(row.practitioner_id)
    language = row.language[:2] if row.language and old and row.language[:2] in old.languages else None
    for one in clinic.practitioners:
        if service.id in one.services and (language is None or language in one.languages):
            for at in dict.fromkeys(session.at for session in one.schedule):
                if at == row.location_id or outage.shuts == row.location_id:
                    yield one.id, at


class _Calendar:
    """What is free around an outage, less what the plan has given away."""

    def __init__(self, session: Session, clinic: ClinicFile, outage: Outage, hits: list[_Hit]) -> None:
        self.session, self.clinic, self.outage = session, clinic, outage
        self.now = times.now()
        self.first_day = times.to_wall(self.now, clinic.zone).date()
        self.last_day = min(outage.last + SEARCHED, rules.last_day(clinic, clinic.zone, self.now))
        self.base = ticks.tick_from(times.from_wall(self.first_day, dt.time(0), clinic.zone)) - ticks.A_DAY
        self.end = ticks.tick_from(times.from_wall(self.last_day, dt.time(0), clinic.zone)) + 2 * ticks.A_DAY
        who = {one for hit in hits for one, _ in hit.may}
        self.taken = occupied.practitioners(session, who, first=self.base, end=self.end, now=self.now, counted=who)
        kinds = {hit.service.room for hit in hits if hit.service.room}
        rooms = [room.id for place in clinic.locations for room in place.rooms if room.kind in kinds]
        self.rooms = occupied.rooms(session, rooms, first=self.base, end=self.end, now=self.now)
        self.given: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))  # visits by practitioner and day
        self.patients = _patients_times(session, hits, self.base, self.end)

    def place(self, hits: list[_Hit]) -> dict[str, FreeTime]:
        """New times for visits of one service and mode, by appointment; those that get none are left out."""
        service, mode = hits[0].service, hits[0].row.mode
        by_place: dict[frozenset[tuple[str, str]], list[_Hit]] = defaultdict(list)
        for hit in hits:
            by_place[hit.may].append(hit)
        free = list(self._free(service, mode, {pair for may in by_place for pair in may}))
        visits = [
            Visit(
                int(hit.row.start.timestamp()) // 60,
                f"{hit.row.practitioner_id} {hit.row.location_id}",
                frozenset(f"{who} {at}" for who, at in hit.may),
            )
            for hit in hits
        ]
        placed = [Place(int(one.start.timestamp()) // 60, f"{one.practitioner_id} {one.location_id}") for one in free]
        found: dict[str, FreeTime] = {}
        used: set[int] = set()
        left: list[_Hit] = []
        for hit, number in zip(hits, assignment.place(visits, placed, another=ANOTHER), strict=True):
            if number is not None and self._suits(hit, free[number]):
                found[hit.row.id] = free[number]
                used.add(number)
                self._give(hit, free[number])
            else:
                left.append(hit)
        for hit in left:  # whose patient has another visit then, or is not of the age: the nearest of what nobody else got
            nearest = sorted(set(range(len(free))) - used, key=lambda number: abs(free[number].start - hit.row.start))
            for number in nearest:
                time = free[number]
                if (time.practitioner_id, time.location_id) in hit.may and self._suits(hit, time):
                    found[hit.row.id] = time
                    used.add(number)
                    self._give(hit, time)
                    break
        return found

    def _free(self, service: ServicePart, mode: Mode, where: Collection[tuple[str, str]]) -> Iterator[FreeTime]:
        """Times of the service's length that do not overlap, in the free stretches of those who may."""
        earliest = ticks.tick_from(rules.earliest(self.clinic, service, self.now))
        days = [self.first_day + dt.timedelta(days=ahead) for ahead in range((self.last_day - self.first_day).days + 1)]
        kind = service.room if mode is Mode.IN_PERSON else None
        calendar = hours.hours_of(self.clinic)
        for practitioner_id in sorted({who for who, _ in where}):
            practitioner = self.clinic.practitioners_by_id[practitioner_id]
            for day in days:
                left = self._room_in_the_day(practitioner, calendar.on(practitioner_id, day))
                for stretch in calendar.on(practitioner_id, day):
                    if (practitioner_id, stretch.location_id) not in where or self.outage.hits(
                        practitioner_id, stretch.location_id, day
                    ):
                        continue
                    for time in self._cut(service, mode, kind, stretch, earliest):
                        if left > 0:
                            left -= 1
                            yield time

    def _room_in_the_day(self, practitioner: PractitionerPart, stretches: tuple[Stretch, ...]) -> int:
        if practitioner.max_visits_per_day is None or not stretches:
            return ticks.A_DAY
        first, end = stretches[0].day_first, stretches[0].day_end
        standing = self.taken.visits(practitioner.id, first, end) + self.given[practitioner.id][first]
        return practitioner.max_visits_per_day - standing

    def _cut(self, service: ServicePart, mode: Mode, kind: str | None, stretch: Stretch, earliest: int) -> Iterator[FreeTime]:
        before, visit, after = hours.lengths(service)
        whole = before + visit + after
        taken = self.taken.bits(stretch.practitioner_id, stretch.first, stretch.length)
        found = starts.possible(stretch, service, taken=taken, earliest=earliest, now=self.now)
        rooms = rules.rooms_at(self.clinic, stretch.location_id, kind) if kind else []
        at = 0
        for place in ticks.places(found):
            tick = stretch.first + place
            if place - before < at:
                continue
            room_id = next((one for one in rooms if not self.rooms.bits(one, tick - before, whole)), None)
            if kind and room_id is None:
                continue
            at = place + visit + after
            if room_id is not None:
                self._take(self.rooms.busy, room_id, tick - before, whole)  # two practitioners are not given one room
            start = ticks.instant_of(tick)
            yield FreeTime(
                service.id,
                stretch.practitioner_id,
                stretch.location_id,
                mode,
                start,
                start + dt.timedelta(minutes=service.minutes),
                room_id,
                tick - before,
                tick + visit + after,
            )

    def _suits(self, hit: _Hit, time: FreeTime) -> bool:
        """Whether the patient has nothing else then and is of the right age: rare enough to be left to staff."""
        day = times.to_wall(time.start, self.clinic.zone_of(time.location_id)).date()
        first, length = ticks.tick_of(time.start), ticks.ticks_in(hit.service.minutes)
        busy = self.patients.get(hit.row.patient_id, 0) >> (first - self.base) & ticks.ones(length)
        ages = hit.service.ages
        return not busy and (ages is None or age_on(hit.birth_date, day) in ages)

    def _give(self, hit: _Hit, time: FreeTime) -> None:
        length = time.end_tick - time.first_tick
        self._take(self.taken.busy, time.practitioner_id, time.first_tick, length)
        first, own = ticks.tick_of(time.start), ticks.ticks_in(hit.service.minutes)
        self._take(self.patients, hit.row.patient_id, first, own)
        zone = self.clinic.zone_of(time.location_id)
        self.given[time.practitioner_id][hours.day_bounds(times.to_wall(time.start, zone).date(), zone)[0]] += 1

    def _take(self, busy: dict[str, int], who: str, first: int, length: int) -> None:
        busy[who] = busy.get(who, 0) | ticks.ones(length) << (first - self.base)


def _patients_times(session: Session, hits: list[_Hit], base: int, end: int) -> dict[str, int]:
    """What the patients have on the books, their visits that must go left out."""
    gone = {hit.row.id for hit in hits}
    who = {hit.row.patient_id for hit in hits}
    rows = session.execute(
        select(Appointment.id, Appointment.patient_id, Appointment.start, Appointment.end).where(
            Appointment.patient_id.in_(who),
            Appointment.status.in_(_MOVABLE),
            Appointment.start >= ticks.instant_of(base),
            Appointment.start < ticks.instant_of(end),
        )
    )
    found: dict[str, int] = defaultdict(int)
    for appointment_id, patient_id, start, until in rows:
        if patient_id is not None and appointment_id not in gone and start is not None and until is not None:
            first = ticks.tick_of(start)
            found[patient_id] |= ticks.ones(ticks.tick_from(until) - first) << (first - base)
    return found
