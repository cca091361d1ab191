"""What a day looks like at the desk: of each practitioner the visits, holds, free times, blocks and what keeps them away.

A calendar of many practitioners or days is read with two statements, whatever its size: what holds time, and what gave it up.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, and_, select, text
from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.calendar import hours, ticks
from scheduling_core.calendar.hours import Kept, Stretch
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Appointment, AppointmentStatus, Attendance, AuditEvent, Mode, ParticipationStatus, Patient
from scheduling_core.models.scheduling import HAS_TIME, IS_GONE

_NOON = ticks.A_DAY // 2
_OVERDUE = dt.timedelta(minutes=5)  # after the start a patient who is not here is overdue
_visits, _people, _marks = (cast(Table, one.__table__) for one in (Appointment, Patient, Attendance))


class State(StrEnum):
    """How a visit stands, in the words of the desk."""

    HOLD = "hold"  # on offer to somebody
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    LATE = "late"  # the patient said that they will be late
    OVERDUE = "overdue"  # the start has passed and nobody is here
    ARRIVED = "arrived"
    IN_ROOM = "in-room"
    DONE = "done"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"


GONE = (State.NO_SHOW, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Entry:
    """A visit or a hold. Rows are ticks of 5 minutes since midnight on the wall: of the patient's own time, without buffers."""

    id: str
    state: State
    row: int
    end_row: int
    first_tick: int
    end_tick: int
    start: dt.datetime
    end: dt.datetime
    lane: int
    sequence: int  # counts moves
    practitioner_id: str
    service_id: str
    location_id: str | None
    room_id: str | None
    mode: Mode
    patient_id: str | None
    given: str | None
    family: str | None
    birth_date: dt.date | None
    is_restricted: bool  # a person whose record staff open with a reason
    hold_expires_at: dt.datetime | None
    expected_at: dt.datetime | None
    arrived_at: dt.datetime | None
    comment: str | None
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a working day that is kept for some use still."""

    row: int
    end_row: int
    kept: Kept


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that nobody has, from now on, long enough for the shortest visit of the practitioner."""

    row: int
    end_row: int
    start: dt.datetime
    location_id: str
    kept: Kept | None  # the block that it lies in


@dataclass(frozen=True, slots=True)
class Away:
    """Why somebody who works on this weekday does not. `reason` as the clinic file has it, "" where it has none."""

    kind: str  # "absent", "closed", "holiday"
    reason: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One practitioner on one day of the clinic's calendar."""

    practitioner: PractitionerPart
    day: dt.date
    zone: ZoneInfo
    origin: int  # the tick of row 0
    stretches: tuple[Stretch, ...]
    away: tuple[Away, ...]
    bands: tuple[Band, ...]
    entries: tuple[Entry, ...]  # by start, then lane
    gaps: tuple[Gap, ...]
    behind: int  # minutes, 0 when in time or on another day

    @property
    def has_something(self) -> bool:
        return bool(self.stretches or self.entries or self.away)

    def count(self, *states: State) -> int:
        return sum(entry.state in states for entry in self.entries)


def columns(
    session: Session,
    clinic: ClinicFile,
    *,
    days: Sequence[dt.date],
    practitioners: Collection[str] | None = None,
    location_id: str | None = None,
) -> list[Column]:
    """A column for each practitioner and day, in the order of the clinic file, then of the days (which follow each other).

    With a location: of those who work or have visits there on that day, what is there. Who is neither expected nor has anything on
    a day has no column unless they were named. Raises NotFoundError for a practitioner or location that does not exist.
    """
    if location_id is not None and location_id not in clinic.locations_by_id:
        raise NotFoundError(f"Location/{location_id}")
    for one in practitioners or ():
        if one not in clinic.practitioners_by_id:
            raise NotFoundError(f"Practitioner/{one}")
    who = [one for one in clinic.practitioners if practitioners is None or one.id in practitioners]
    now = times.now()
    rows = _read(session, clinic, [one.id for one in who], days, now)
    found = []
    for practitioner in who:
        zone = zone_of(clinic, practitioner)
        for day in days:
            origin = ticks.tick_of(times.from_wall(day, dt.time(12), zone)) - _NOON
            of_day = [row for row in rows.get(practitioner.id, ()) if origin <= ticks.tick_of(row.start) < origin + ticks.A_DAY]
            column = _column(clinic, practitioner, day, zone, origin, of_day, location_id, now)
            if column.has_something or (practitioners is not None and location_id is None):
                found.append(column)
    return found


def entry(session: Session, clinic: ClinicFile, *, appointment_id: str) -> Entry:
    """One visit or hold as it stands on its day. Raises NotFoundError, also for a place on the waitlist: it has no time."""
    rows = session.connection().execute(
        _select(session).where(_visits.c.id == appointment_id, _visits.c.start.is_not(None), _visits.c.practitioner_id.is_not(None))
    )
    row = rows.one_or_none()
    if row is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    practitioner = clinic.practitioners_by_id.get(row.practitioner_id)
    zone = zone_of(clinic, practitioner) if practitioner else clinic.zone
    day = times.to_wall(row.start, zone).date()
    return _entry(row, ticks.tick_of(times.from_wall(day, dt.time(12), zone)) - _NOON, times.now())


def record_look(session: Session, *, agent: str, days: Sequence[dt.date], shown: Sequence[Column], location_id: str | None) -> None:
    """Note in the audit that somebody saw these calendars: one row, which tells whose, of which days and at which place.

    Whom they saw there follows from the visits' own rows; a thousand ids in each look would be the largest part of the audit.
    """
    detail = {
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "location": location_id,
        "practitioners": list(dict.fromkeys(column.practitioner.id for column in shown)),
        "visits": sum(len(column.entries) for column in shown),
    }
    audit.record(session, agent=agent, action="R", entity="Schedule", entity_id=days[0].isoformat(), detail=detail)


def trail(session: Session, one: Entry) -> list[AuditEvent]:
    """Who did what with a visit, the latest first; who only looked at it is not in it."""
    found = (
        select(AuditEvent)
        .where(
            AuditEvent.patient_id == one.patient_id if one.patient_id else AuditEvent.patient_id.is_(None),
            AuditEvent.entity == "Appointment",
            AuditEvent.entity_id == one.id,
            AuditEvent.action != "R",
        )
        .order_by(AuditEvent.sequence.desc())
    )
    return list(session.scalars(found))


# Room load.


@dataclass(frozen=True, slots=True)
class Load:
    """Half an hour at a location: the most patients in it who wait, who are with somebody, and the most rooms of a kind in use."""

    start: dt.datetime
    waiting: int
    seen: int
    rooms: dict[str, int]


def room_load(clinic: ClinicFile, shown: Iterable[Column], *, location_id: str) -> list[Load]:
    """The load of a location over a day, from its columns. Patients come ten minutes early, and whoever is done has left.

    Video visits use neither chairs nor rooms.
    """
    early, step = ticks.ticks_in(10), ticks.ticks_in(30)
    waiting: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    rooms: dict[str, dict[str, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    kinds = {room.id: room.kind for room in clinic.locations_by_id[location_id].rooms}
    for one in (one for column in shown for one in column.entries):
        if one.location_id != location_id or one.mode is Mode.VIDEO or one.state in (*GONE, State.HOLD):
            continue
        first, end = ticks.tick_of(one.start), ticks.tick_from(one.end)
        waiting.update(range(first - early, first))
        seen.update(range(first, end))
        if one.room_id in kinds:
            rooms[kinds[one.room_id]][one.room_id or ""].update(range(one.first_tick, one.end_tick))
    if not seen:
        return []
    found = []
    for at in range(min(waiting) // step * step, max(seen) + 1, step):
        within = range(at, at + step)
        used = {
            kind: max(sum(bool(by_tick[tick]) for by_tick in of_kind.values()) for tick in within)
            for kind, of_kind in rooms.items()
        }
        found.append(Load(ticks.instant_of(at), max(waiting[t] for t in within), max(seen[t] for t in within), used))
    return found


# Reading and laying out.

_COLUMNS = (
    _visits.c.id,
    _visits.c.status,
    _visits.c.practitioner_id,
    _visits.c.service_id,
    _visits.c.location_id,
    _visits.c.room_id,
    _visits.c.patient_id,
    _visits.c.mode,
    _visits.c.start,
    _visits.c.end,
    _visits.c.first_tick,
    _visits.c.end_tick,
    _visits.c.lane,
    _visits.c.sequence,
    _visits.c.confirmation,
    _visits.c.hold_expires_at,
    _visits.c.comment,
    _visits.c.updated_at,
    _people.c.given,
    _people.c.family,
    _people.c.birth_date,
    _people.c.restricted,
    _marks.c.expected_at,
    _marks.c.arrived_at,
)


def _select(session: Session) -> Any:
    joined = _visits.outerjoin(
        _people, and_(_people.c.organization_id == _visits.c.organization_id, _people.c.id == _visits.c.patient_id)
    ).outerjoin(_marks, and_(_marks.c.organization_id == _visits.c.organization_id, _marks.c.appointment_id == _visits.c.id))
    return select(*_COLUMNS).select_from(joined).where(_visits.c.organization_id == session.info["organization"])


def _read(
    session: Session, clinic: ClinicFile, who: Sequence[str], days: Sequence[dt.date], now: dt.datetime
) -> dict[str, list[Any]]:
    """The rows of some days by practitioner, by start. A day more on both sides is read: zones differ."""
    first = hours.day_bounds(days[0] - dt.timedelta(days=1), clinic.zone)[0]
    end = hours.day_bounds(days[-1] + dt.timedelta(days=1), clinic.zone)[1]
    holding = (
        _visits.c.practitioner_id.in_(who),
        _visits.c.end_tick > first,
        _visits.c.end_tick <= end + ticks.A_DAY,
        _visits.c.first_tick < end,
        text(HAS_TIME),
        (_visits.c.status != AppointmentStatus.PROPOSED) | (_visits.c.hold_expires_at > now),
    )
    gone = (
        _visits.c.practitioner_id.in_(who),
        _visits.c.start >= ticks.instant_of(first),
        _visits.c.start < ticks.instant_of(end),
        text(IS_GONE),
    )
    connection = session.connection()
    found: dict[str, list[Any]] = defaultdict(list)
    for of_kind in (holding, gone):
        for row in connection.execute(_select(session).where(*of_kind)).all():
            found[row.practitioner_id].append(row)
    for of_one in found.values():
        of_one.sort(key=lambda row: (row.start, row.lane, row.id))
    return found


def _column(
    clinic: ClinicFile,
    practitioner: PractitionerPart,
    day: dt.date,
    zone: ZoneInfo,
    origin: int,
    rows: Sequence[Any],
    location_id: str | None,
    now: dt.datetime,
) -> Column:
    everything = tuple(_entry(row, origin, now) for row in rows)
    stretches = hours.hours_of(clinic).on(practitioner.id, day)
    gaps = [gap for stretch in stretches for gap in _gaps(clinic, practitioner, stretch, everything, origin, now)]
    if location_id is not None:
        stretches = tuple(one for one in stretches if one.location_id == location_id)
        gaps = [gap for gap in gaps if gap.location_id == location_id]
    shown = tuple(one for one in everything if location_id in (None, one.location_id))
    is_today = times.to_wall(now, zone).date() == day
    return Column(
        practitioner=practitioner,
        day=day,
        zone=zone,
        origin=origin,
        stretches=stretches,
        away=tuple(_away(clinic, practitioner, day, location_id)),
        bands=tuple(
            Band(one.first - origin, one.end - origin, one)
            for stretch in stretches
            for one in stretch.kept
            if now < one.released_at
        ),
        entries=shown,
        gaps=tuple(gaps),
        behind=_behind(everything, now) if is_today else 0,
    )


def _entry(row: Any, origin: int, now: dt.datetime) -> Entry:
    return Entry(
        id=row.id,
        state=_state(row, now),
        row=ticks.tick_of(row.start) - origin,
        end_row=ticks.tick_from(row.end) - origin,
        first_tick=row.first_tick,
        end_tick=row.end_tick,
        start=row.start,
        end=row.end,
        lane=row.lane,
        sequence=row.sequence,
        practitioner_id=row.practitioner_id,
        service_id=row.service_id,
        location_id=row.location_id,
        room_id=row.room_id,
        mode=row.mode,
        patient_id=row.patient_id,
        given=row.given,
        family=row.family,
        birth_date=row.birth_date,
        is_restricted=bool(row.restricted),
        hold_expires_at=row.hold_expires_at,
        expected_at=row.expected_at,
        arrived_at=row.arrived_at,
        comment=row.comment,
        updated_at=row.updated_at,
    )


_STATES = {
    AppointmentStatus.PROPOSED: State.HOLD,
    AppointmentStatus.ARRIVED: State.ARRIVED,
    AppointmentStatus.CHECKED_IN: State.IN_ROOM,
    AppointmentStatus.FULFILLED: State.DONE,
    AppointmentStatus.NOSHOW: State.NO_SHOW,
    AppointmentStatus.CANCELLED: State.CANCELLED,
}


def _state(row: Any, now: dt.datetime) -> State:
    found = _STATES.get(row.status)
    if found is not None:
        return found
    if row.expected_at is not None and now < row.expected_at + _OVERDUE:
        return State.LATE
    if row.start + _OVERDUE <= now:
        return State.OVERDUE
    return State.CONFIRMED if row.confirmation is ParticipationStatus.ACCEPTED else State.BOOKED


def _gaps(
    clinic: ClinicFile, practitioner: PractitionerPart, stretch: Stretch, entries: Iterable[Entry], origin: int, now: dt.datetime
) -> Iterable[Gap]:
    shortest = min((sum(hours.lengths(clinic.services_by_id[one])) for one in practitioner.services), default=1)
    taken = 0
    for one in entries:
        if one.state not in GONE and one.end_tick > stretch.first and one.first_tick < stretch.end:
            first = max(one.first_tick, stretch.first)
            taken |= ticks.ones(min(one.end_tick, stretch.end) - first) << (first - stretch.first)
    passed = min(max(ticks.tick_from(now) - stretch.first, 0), stretch.length)
    free = ticks.ones(stretch.length) & ~taken & ~ticks.ones(passed)
    kept_now = [one for one in stretch.kept if now < one.released_at]
    edges = sorted({tick - stretch.first for one in kept_now for tick in (one.first, one.end)})
    at = 0
    while free >> at:
        at += ((free >> at) & -(free >> at)).bit_length() - 1
        rest = ~(free >> at)
        end = at + (rest & -rest).bit_length() - 1
        if end - at >= shortest:
            for a, b in zip([at, *(e for e in edges if at < e < end)], [*(e for e in edges if at < e < end), end], strict=True):
                first = stretch.first + a
                kept = next((one for one in kept_now if one.first <= first < one.end), None)
                yield Gap(first - origin, stretch.first + b - origin, ticks.instant_of(first), stretch.location_id, kept)
        at = end


def _away(clinic: ClinicFile, practitioner: PractitionerPart, day: dt.date, location_id: str | None) -> Iterable[Away]:
    """What keeps somebody from the sessions of this weekday, each reason once."""
    places = {one.at for one in practitioner.schedule if day.weekday() in one.days and location_id in (None, one.at)}
    if not places:
        return
    for absence in practitioner.absences:
        if absence.from_ <= day <= absence.to:
            yield Away("absent", absence.reason, absence.to)
    if hours.is_holiday(clinic, day):
        yield Away("holiday", hours.closure_name(clinic, "", day))
        return
    for name in dict.fromkeys(hours.closure_name(clinic, place, day) for place in clinic.locations_by_id if place in places):
        if name:
            yield Away("closed", name)


def _behind(entries: Iterable[Entry], now: dt.datetime) -> int:
    """How long the first of those who wait has waited beyond the start, or how far the visit in the room has run over."""
    late = [now - one.start for one in entries if one.state is State.ARRIVED]
    late += [now - one.end for one in entries if one.state is State.IN_ROOM]
    return max([0, *(int(one.total_seconds()) // 60 for one in late)])


def zone_of(clinic: ClinicFile, practitioner: PractitionerPart) -> ZoneInfo:
    """The wall that a practitioner's day is drawn by: that of the first place where they work."""
    return clinic.zone_of(practitioner.location_ids[0]) if practitioner.location_ids else clinic.zone
