"""When people work: weekly hours less closures, public holidays and absences, as stretches of ticks per practitioner and day.

A working stretch is one session of the weekly schedule on one calendar day, cut to the hours of its location. Visits lie inside one
stretch with their buffers: nobody is asked to prepare a room before the clinic opens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from zoneinfo import ZoneInfo

import holidays

from scheduling_core import times
from scheduling_core.calendar import ticks
from scheduling_core.clinic_file.schema import Block, ClinicFile, PractitionerPart, ServicePart, Session, Span

_REMEMBERED_CLINICS = 4
_REMEMBERED_DAYS = 100_000
_REMEMBERED_PAGES = 30_000
_PAGE = 64 * ticks.A_DAY
_EPOCH = dt.date(1970, 1, 1)
_EVER = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """A block on one day: kept for one use until `released_at`."""

    first: int
    end: int
    block: Block
    released_at: dt.datetime

    def is_for(self, service: ServicePart) -> bool:
        if self.block.keep_for == "urgent":
            return service.urgency == "urgent"
        return service.id in self.block.keep_for

    def keeps_out(self, service: ServicePart, now: dt.datetime) -> bool:
        return now < self.released_at and not self.is_for(service)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One session on one day, in ticks; bitmaps count from `first`."""

    practitioner_id: str
    location_id: str
    day: dt.date  # of the location's calendar
    day_first: int  # the ticks of that day
    day_end: int
    first: int
    end: int
    grid: int  # the ticks at which a visit may start
    clock: Sequence[int]  # of each tick the wall time, in ticks since midnight
    kept: tuple[Kept, ...]

    @property
    def length(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class _Page:
    """The starts on 64 days that hours, grid, buffers and blocks allow, right from one release of a block to before the next.

    Bitmaps of pages count from a day before the first of theirs, as wherever a place lies its days begin no earlier.
    """

    starts: int
    since: dt.datetime
    until: dt.datetime


class Hours:
    """The working stretches of one clinic, remembered."""

    def __init__(self, clinic: ClinicFile) -> None:
        self.clinic = clinic
        self._stretches: dict[tuple[str, dt.date], tuple[Stretch, ...]] = {}
        self._pages: dict[tuple[str, str, str, int], _Page] = {}
        self._left_over: dict[str, tuple[int, ...]] = {}

    def on(self, practitioner_id: str, day: dt.date) -> tuple[Stretch, ...]:
        """The stretches of a practitioner on a calendar day, by time."""
        key = (practitioner_id, day)
        found = self._stretches.get(key)
        if found is None:
            if len(self._stretches) >= _REMEMBERED_DAYS:
                self._stretches.clear()
            found = self._stretches[key] = _stretches(self.clinic, self.clinic.practitioners_by_id[practitioner_id], day)
        return found

    def starts(
        self, practitioner_id: str, location_id: str, service: ServicePart, *, first: int, end: int, within: int, now: dt.datetime
    ) -> int:
        """Where between two ticks visits may start as far as hours, grid, buffers and blocks go, of those `within`.

        Both bitmaps count from `first`.
        """
        found = 0
        for number in range((first - ticks.A_DAY) // _PAGE, (end + ticks.A_DAY) // _PAGE + 1):
            key = (practitioner_id, location_id, service.id, number)
            page = self._pages.get(key)
            if page is None or not page.since <= now < page.until:
                if len(self._pages) >= _REMEMBERED_PAGES:
                    self._pages.clear()
                page = self._pages[key] = self._page(practitioner_id, location_id, service, number, now)
            ahead = number * _PAGE - ticks.A_DAY - first
            found |= page.starts << ahead if ahead > 0 else page.starts >> -ahead
        return found & within

    def _page(self, practitioner_id: str, location_id: str, service: ServicePart, number: int, now: dt.datetime) -> _Page:
        first = number * _PAGE - ticks.A_DAY
        starts = 0
        since, until = _EVER
        for day in range(number * _PAGE // ticks.A_DAY, (number + 1) * _PAGE // ticks.A_DAY):
            for stretch in self.on(practitioner_id, _EPOCH + dt.timedelta(days=day)):
                if stretch.location_id != location_id:
                    continue
                starts |= starts_in(stretch, service, now) << (stretch.first - first)
                for kept in stretch.kept:
                    if kept.is_for(service):
                        continue
                    if kept.released_at <= now:
                        since = max(since, kept.released_at)
                    else:
                        until = min(until, kept.released_at)
        return _Page(starts, since, until)

    def left_over(self, practitioner_id: str) -> tuple[int, ...]:
        """Of a gap of so many ticks, how many stay free however the practitioner's visits fill it.

        A gap too short for any visit counts twice: it is lost for certain, where a longer one may still be shifted about.
        """
        if practitioner_id not in self._left_over:
            services = self.clinic.services_by_id
            given = self.clinic.practitioners_by_id[practitioner_id].services
            self._left_over[practitioner_id] = _left_over(frozenset(sum(lengths(services[one])) for one in given))
        return self._left_over[practitioner_id]


@cache
def _left_over(visits: frozenset[int]) -> tuple[int, ...]:
    left = [0]
    for gap in range(1, 2 * ticks.A_DAY):
        left.append(min([left[gap - visit] for visit in visits if visit <= gap], default=gap))
    return tuple(2 * gap if gap < min(visits, default=1) else some for gap, some in enumerate(left))


_remembered: list[Hours] = []
_remembering = Lock()


def hours_of(clinic: ClinicFile) -> Hours:
    """The hours of a clinic. A clinic file is never changed in place, so the same object has the same hours."""
    for known in _remembered:
        if known.clinic is clinic:
            return known
    made = Hours(clinic)
    with _remembering:
        _remembered[:] = [made, *_remembered[: _REMEMBERED_CLINICS - 1]]
    return made


def lengths(service: ServicePart) -> tuple[int, int, int]:
    """The ticks of a service's buffer before, visit and buffer after."""
    return (
        ticks.ticks_in(service.buffer_before_minutes),
        ticks.ticks_in(service.minutes),
        ticks.ticks_in(service.buffer_after_minutes),
    )


def starts_in(stretch: Stretch, service: ServicePart, now: dt.datetime) -> int:
    """Where in a stretch a visit may start as far as grid, buffers and blocks go, as a bitmap that counts from its first tick."""
    before, visit, after = lengths(service)
    everything = ticks.ones(stretch.length)
    starts = (ticks.runs(everything, before + visit + after) << before) & stretch.grid
    kept_out = 0
    for kept in stretch.kept:
        if kept.keeps_out(service, now):
            kept_out |= ticks.ones(kept.end - kept.first) << (kept.first - stretch.first)
    return starts & ticks.runs(everything & ~kept_out, visit) if kept_out else starts


def is_holiday(clinic: ClinicFile, day: dt.date) -> bool:
    return clinic.holiday_calendar is not None and day in _public_holidays(clinic.holiday_calendar, day.year)


def is_closure(clinic: ClinicFile, location_id: str, day: dt.date) -> bool:
    return any(c.date == day and (c.locations is None or location_id in c.locations) for c in clinic.closures)


def is_closed(clinic: ClinicFile, location_id: str, day: dt.date) -> bool:
    """Whether a place keeps its doors shut on a whole day: a closure or a public holiday."""
    return is_closure(clinic, location_id, day) or is_holiday(clinic, day)


def closure_name(clinic: ClinicFile, location_id: str, day: dt.date) -> str:
    """Why a place is closed on a day, as people call it; empty when it is an ordinary day."""
    for closure in clinic.closures:
        if closure.date == day and (closure.locations is None or location_id in closure.locations):
            return closure.name
    return _public_holidays(clinic.holiday_calendar, day.year).get(day, "") if clinic.holiday_calendar else ""


def is_absent(practitioner: PractitionerPart, day: dt.date) -> bool:
    return any(absence.from_ <= day <= absence.to for absence in practitioner.absences)


def is_open(clinic: ClinicFile, location_id: str, first: int, end: int) -> bool:
    """Whether the weekly hours of a location hold this stretch."""
    zone = clinic.zone_of(location_id)
    day = times.to_wall(ticks.instant_of(first), zone).date()
    open_hours = _merged(clinic.locations_by_id[location_id].hours_on(day.weekday()))
    return any(a <= first and end <= b for a, b in (_ticks_of(day, span, zone) for span in open_hours))


def works(clinic: ClinicFile, session: Session, first: int, end: int) -> bool:
    """Whether a session of the weekly schedule holds this stretch."""
    zone = clinic.zone_of(session.at)
    day = times.to_wall(ticks.instant_of(first), zone).date()
    a, b = _ticks_of(day, session.time, zone)
    return day.weekday() in session.days and a <= first and end <= b


@lru_cache(maxsize=10_000)
def day_bounds(day: dt.date, zone: ZoneInfo) -> tuple[int, int]:
    """The ticks of a calendar day: 23 to 25 hours."""
    return (
        ticks.tick_from(times.from_wall(day, dt.time(0), zone)),
        ticks.tick_from(times.from_wall(day + dt.timedelta(days=1), dt.time(0), zone)),
    )


def clock(day: dt.date, first: int, end: int, zone: ZoneInfo) -> Sequence[int]:
    """The wall time of each of these ticks of a day, in ticks since midnight: a range where the clock does not change that day."""
    midnight = _even_midnight(day, zone)
    if midnight is not None:
        return range(first - midnight, end - midnight)
    return tuple(_ticks_since_midnight(tick, zone) for tick in range(first, end))


@cache
def _public_holidays(calendar: str, year: int) -> dict[dt.date, str]:
    """The days with their names."""
    country, _, subdivision = calendar.partition("-")
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def _stretches(clinic: ClinicFile, practitioner: PractitionerPart, day: dt.date) -> tuple[Stretch, ...]:
    if is_holiday(clinic, day) or is_absent(practitioner, day):
        return ()
    found = []
    for session in practitioner.schedule:
        if day.weekday() not in session.days or is_closure(clinic, session.at, day):
            continue
        zone = clinic.zone_of(session.at)
        works_from, works_to = _ticks_of(day, session.time, zone)
        for span in _merged(clinic.locations_by_id[session.at].hours_on(day.weekday())):
            opens, closes = _ticks_of(day, span, zone)
            first, end = max(works_from, opens), min(works_to, closes)
            if first < end:
                found.append(_stretch(clinic, practitioner, session, day, first, end))
    return tuple(sorted(found, key=lambda stretch: stretch.first))


def _stretch(clinic: ClinicFile, practitioner: PractitionerPart, session: Session, day: dt.date, first: int, end: int) -> Stretch:
    zone = clinic.zone_of(session.at)
    by_clock = clock(day, first, end, zone)
    step = ticks.ticks_in(clinic.clinic.grid_minutes)
    kept = []
    for block in practitioner.blocks:
        if day.weekday() in block.days and block.at in (None, session.at):
            a, b = _ticks_of(day, block.time, zone)
            if a < end and first < b:
                begins = times.from_wall(day, block.time.start, zone)
                kept.append(Kept(max(a, first), min(b, end), block, begins - dt.timedelta(hours=block.release_hours)))
    day_first, day_end = day_bounds(day, zone)
    return Stretch(
        practitioner_id=practitioner.id,
        location_id=session.at,
        day=day,
        day_first=day_first,
        day_end=day_end,
        first=first,
        end=end,
        grid=_grid(by_clock, step),
        clock=by_clock,
        kept=tuple(kept),
    )


@lru_cache(maxsize=1_000)
def _grid(clock: Sequence[int], step: int) -> int:
    """The places of a stretch whose wall time is a multiple of `step` ticks since midnight."""
    return sum(1 << place for place, tick in enumerate(clock) if tick % step == 0)


def _ticks_since_midnight(tick: int, zone: ZoneInfo) -> int:
    wall = times.to_wall(ticks.instant_of(tick), zone)
    return (wall.hour * 60 + wall.minute) // ticks.MINUTES


def _ticks_of(day: dt.date, span: Span, zone: ZoneInfo) -> tuple[int, int]:
    """The whole ticks inside a span of wall time; an end at 00:00 is midnight."""
    midnight = _even_midnight(day, zone)
    if midnight is not None:
        a, b = (time.hour * 60 + time.minute for time in (span.start, span.end))
        return midnight + ticks.ticks_in(a), midnight + (b or 24 * 60) // ticks.MINUTES
    end_day = day if span.end != dt.time(0) else day + dt.timedelta(days=1)
    return ticks.tick_from(times.from_wall(day, span.start, zone)), ticks.tick_of(times.from_wall(end_day, span.end, zone))


@lru_cache(maxsize=10_000)
def _even_midnight(day: dt.date, zone: ZoneInfo) -> int | None:
    """The tick of midnight on a day that counts evenly from there to the next, as nearly all do; None where the clock changes."""
    first, end = day_bounds(day, zone)
    even = end - first == ticks.A_DAY and ticks.instant_of(first) == times.from_wall(day, dt.time(0), zone)
    noon = times.from_wall(day, dt.time(12), zone)
    return first if even and ticks.tick_of(noon) - first == ticks.A_DAY // 2 else None


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch or overlap as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(start=found[-1].start, end=max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
