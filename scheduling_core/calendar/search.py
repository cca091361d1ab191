"""Finding free times: bitmaps of what is open, less what is taken, over the length of a visit, day by day until enough is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.calendar import hours, occupied, rules, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart

__all__ = ["FreeTime", "Request", "find", "nearest", "offers"]

_CHUNKS = (1, 1, 2, 4, 8, 16)  # working days read at once; then the last again and again
_APART = (12, 6, 3, 1, 0)  # ticks between the starts of two offers: an hour, and less where the wish leaves no room
_DAYS_AROUND = dt.timedelta(days=14)  # how far from the days that were wished others are looked for first
_A_WEEKEND = dt.timedelta(days=3)
_NO_WISH = TimeWish()

_WorkingDay = list[tuple[PractitionerPart, Stretch]]


@dataclass(frozen=True, slots=True)
class _Open:
    """The free starts of one stretch; bitmaps count from its first tick."""

    practitioner: PractitionerPart
    stretch: Stretch
    starts: int
    free: int  # ticks of the practitioner
    used_rooms: occupied.Taken | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    open: _Open
    tick: int  # of the patient's start
    waste: int  # ticks that would be left over before and after, too short for any visit of the practitioner
    load: float  # the part of the stretch that is taken, 0 to 1


def find(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    start: dt.datetime,
    end: dt.datetime,
    wish: TimeWish = _NO_WISH,
    limit: int | None = None,
) -> list[FreeTime]:
    """Every start from `start` to before `end` (aware) that can be booked, by time, then in the order of the clinic file.

    Nothing is found where `rules.who_may` refuses. Raises NotFoundError for a service or patient that does not exist.
    """
    asked = rules.ask(session, clinic, request)
    found: list[FreeTime] = []
    if asked.refusal or start >= end:
        return found
    search = _Search(session, clinic, asked, wish)
    first_day = min(times.to_wall(start, zone).date() for zone in search.zones)
    last_day = max(times.to_wall(end, zone).date() for zone in search.zones)
    first_tick, end_tick = ticks.tick_from(start), ticks.tick_from(end)
    for days in search.days(first_day, last_day):
        ticks_found = sorted(
            (one.stretch.first + place, order)
            for order, one in enumerate(days)
            for place in ticks.places(one.starts)
            if first_tick <= one.stretch.first + place < end_tick
        )
        found += [search.free_time(days[order], tick) for tick, order in ticks_found]
        if limit is not None and len(found) >= limit:
            break
    found.sort(key=lambda time: time.start)  # days of two zones overlap
    return found[:limit]


def offers(
    session: Session,
    clinic: ClinicFile,
    request: Request,
    *,
    wish: TimeWish,
    count: int = 3,
    avoid: Collection[tuple[str, dt.datetime]] = (),
) -> list[FreeTime]:
    """The best few times that fit the wish within the booking horizon, the best first (see `rank`).

    They lie an hour or more apart where the wish leaves room for it, closer where it does not. `avoid` are times (practitioner and
    start) that were refused: they are not offered again, and their neighbours only when there is nothing else.
    Nothing is offered where `rules.who_may` refuses. Raises NotFoundError.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    return _offers(_Search(session, clinic, asked, wish), count, avoid)


def nearest(session: Session, clinic: ClinicFile, request: Request, *, wish: TimeWish, count: int = 1) -> list[FreeTime]:
    """What comes closest to a wish that cannot be had.

    Another hour of the wished days, else another day at the wished hours, else any time.

    What the patient excluded stays excluded. Empty when nothing is free in the horizon, or `rules.who_may` refuses.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    any_day = replace(wish, days=(), weekdays=frozenset())
    if wish.names_hours and wish.names_days:
        search = _Search(session, clinic, asked, replace(wish, hours=(), at=()))
        for day in search.horizon():
            candidates = sorted(search.candidates(day), key=lambda one: (_minutes_off(wish, one), rank(one, soonest=True)))
            if picked := _spread(search, candidates, count, ()):
                return [search.free_time(one.open, one.tick) for one in picked]
    for eased in (any_day, replace(any_day, hours=(), at=())):
        search = _Search(session, clinic, asked, eased)
        first, last = wish.first_day, wish.last_day
        if first and last:
            around = search.horizon(first - _DAYS_AROUND, last + _DAYS_AROUND)
            candidates = [one for day in around for one in search.candidates(day)]
            candidates.sort(key=lambda one: (_days_off(wish, one), rank(one, soonest=False)))
            if picked := _spread(search, candidates, count, ()):
                return [search.free_time(one.open, one.tick) for one in picked]
        if found := _offers(search, count, ()):
            return found
    return []


def rank(candidate: _Candidate, *, soonest: bool) -> tuple[float, ...]:
    """The smaller the better, among times that fit the wish: soonest, by the hour; least fragmentation; balance; then the clock.

    When the patient wants the first free time, the minute counts before all else.
    """
    hour = candidate.tick if soonest else candidate.tick // (60 // ticks.MINUTES)
    return hour, candidate.waste, candidate.load, candidate.tick


class _Search:
    """One request over the days: what is open and not taken."""

    def __init__(self, session: Session, clinic: ClinicFile, asked: Asked, wish: TimeWish) -> None:
        self.session = session
        self.clinic = clinic
        self.asked = asked
        self.wish = wish
        self.now = times.now()
        self.before, self.visit, self.after = hours.lengths(asked.service)
        self.earliest = ticks.tick_from(rules.earliest(clinic, asked.service, self.now))
        self.zones = {clinic.zone_of(session.at) for one in asked.practitioners for session in one.schedule}
        self.last_days = {one.id: rules.last_day(clinic, clinic.zone_of(one.id), self.now) for one in clinic.locations}
        self.counted = frozenset(one.id for one in asked.practitioners if one.max_visits_per_day is not None)
        self.hours = hours.hours_of(clinic)
        self.fitting = _fitting_ticks(wish) if wish.names_hours else None

    @property
    def today(self) -> dt.date:
        return min(times.to_wall(self.now, zone).date() for zone in self.zones)

    @property
    def horizon_end(self) -> dt.date:
        return max(self.last_days.values())

    def horizon(self, first: dt.date | None = None, last: dt.date | None = None) -> Iterator[list[_Open]]:
        """The days that the wish allows, from `first` to `last`."""
        return self.days(first or self.wish.first_day or self.today, last or self.wish.last_day or self.horizon_end)

    def days(self, first: dt.date, last: dt.date) -> Iterator[list[_Open]]:
        """Each allowed day's stretches with free starts. What is taken is read in chunks that grow."""
        first, last = max(first, self.today), min(last, self.horizon_end)
        for chunk in _chunks(self._working_days(first, last)):
            working = [stretch for day in chunk for _, stretch in day]
            self._read(min(one.day_first for one in working), max(one.day_end for one in working))
            for day in chunk:
                if found := [one for practitioner, stretch in day if (one := self._free(practitioner, stretch))]:
                    yield found

    def _working_days(self, first: dt.date, last: dt.date) -> Iterator[_WorkingDay]:
        """The days that the wish allows and on which somebody works."""
        for day in map(first.__add__, map(dt.timedelta, range((last - first).days + 1))):
            if self.wish.allows_day(day) and (stretches := self._stretches(day)):
                yield stretches

    def _stretches(self, day: dt.date) -> _WorkingDay:
        if not self.asked.fits_age(day):
            return []
        return [
            (practitioner, stretch)
            for practitioner in self.asked.practitioners
            for stretch in rules.stretches(self.clinic, self.asked, practitioner, day)
            if stretch.end > self.earliest and day <= self.last_days[stretch.location_id]
        ]

    def _read(self, base: int, end: int) -> None:
        moving, patient_id, kind = self.asked.request.moving, self.asked.request.patient_id, self.asked.needs_room
        self.taken = occupied.practitioners(
            self.session,
            [one.id for one in self.asked.practitioners],
            first=base,
            end=end,
            now=self.now,
            counted=self.counted,
            apart_from=moving,
        )
        self.own = occupied.patient(self.session, patient_id, first=base, end=end, apart_from=moving) if patient_id else None
        self.used_rooms = None
        if kind:
            rooms = [room.id for location in self.clinic.locations for room in location.rooms if room.kind == kind]
            self.used_rooms = occupied.rooms(self.session, rooms, first=base, end=end, now=self.now, apart_from=moving)

    def _free(self, practitioner: PractitionerPart, stretch: Stretch) -> _Open | None:
        """The free starts of a stretch, or None where there are none."""
        length, whole = stretch.length, self.before + self.visit + self.after
        everything = ticks.ones(length)
        free = everything & ~self.taken.bits(practitioner.id, stretch.first, length)
        starts = (ticks.runs(free, whole) << self.before) & stretch.grid
        if not starts or rules.is_full(practitioner, stretch, self.taken):
            return None
        if self.earliest > stretch.first:
            starts &= everything << (self.earliest - stretch.first)
        if self.fitting is not None:
            starts &= self._wished_starts(stretch)
        kept_from_patient = 0
        if self.own is not None and self.asked.request.patient_id:
            kept_from_patient = self.own.bits(self.asked.request.patient_id, stretch.first, length)
        for kept in stretch.kept:
            if kept.keeps_out(self.asked.service, self.now):
                kept_from_patient |= ticks.ones(kept.end - kept.first) << (kept.first - stretch.first)
        if kept_from_patient:
            starts &= ticks.runs(everything & ~kept_from_patient, self.visit)
        used_rooms, kind = self.used_rooms, self.asked.needs_room
        if used_rooms is not None and kind and starts:
            with_room = 0
            for room in rules.rooms_at(self.clinic, stretch.location_id, kind):
                with_room |= ticks.runs(everything & ~used_rooms.bits(room, stretch.first, length), whole)
            starts &= with_room << self.before
        return _Open(practitioner, stretch, starts, free, used_rooms) if starts else None

    def _wished_starts(self, stretch: Stretch) -> int:
        assert self.fitting is not None
        if stretch.clock[-1] - stretch.clock[0] == stretch.length - 1:
            return self.fitting >> stretch.clock[0]
        return sum(1 << place for place, tick in enumerate(stretch.clock) if self.fitting >> tick & 1)

    def candidates(self, days: list[_Open]) -> list[_Candidate]:
        found = []
        for one in days:
            shortest = self.hours.shortest_visit(one.practitioner.id)
            length = one.stretch.length
            load = 1 - one.free.bit_count() / length
            taken = ticks.ones(length) & ~one.free
            for place in ticks.places(one.starts):
                first, end = place - self.before, place + self.visit + self.after
                gap_before = first - (taken & ticks.ones(first)).bit_length()
                above = taken >> end
                gap_after = ((above & -above).bit_length() - 1) if above else length - end
                waste = sum(gap for gap in (gap_before, gap_after) if gap < shortest)
                found.append(_Candidate(one, one.stretch.first + place, waste, load))
        return found

    def exclude_each_other(self, one: _Candidate, other: _Candidate) -> bool:
        """Whether two times need the same practitioner or, as far as we look, the same room at once."""
        if abs(one.tick - other.tick) >= self.before + self.visit + self.after:
            return False
        same_room = one.open.used_rooms is not None and one.open.stretch.location_id == other.open.stretch.location_id
        return one.open.practitioner is other.open.practitioner or same_room

    def free_time(self, one: _Open, tick: int) -> FreeTime:
        first, end = tick - self.before, tick + self.visit + self.after
        room_id = None
        if one.used_rooms is not None and (kind := self.asked.needs_room):
            rooms = rules.rooms_at(self.clinic, one.stretch.location_id, kind)
            room_id = next(room for room in rooms if not one.used_rooms.bits(room, first, end - first))
        return FreeTime(
            service_id=self.asked.service.id,
            practitioner_id=one.practitioner.id,
            location_id=one.stretch.location_id,
            mode=self.asked.mode,
            start=ticks.instant_of(tick),
            end=ticks.instant_of(tick) + dt.timedelta(minutes=self.asked.service.minutes),
            room_id=room_id,
            first_tick=first,
            end_tick=end,
            moving=self.asked.request.moving,
        )


def _offers(search: _Search, count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[FreeTime]:
    candidates: list[_Candidate] = []
    picked: list[_Candidate] = []
    for day in search.horizon():
        ranked = sorted(search.candidates(day), key=lambda one: rank(one, soonest=search.wish.soonest))
        candidates += ranked
        picked = _apart(search, ranked, count, avoid, _APART[0], picked)
        if len(picked) == count:
            break
    else:
        picked = _spread(search, candidates, count, avoid)
    return [search.free_time(one.open, one.tick) for one in picked]


def _spread(search: _Search, ranked: list[_Candidate], count: int, avoid: Collection[tuple[str, dt.datetime]]) -> list[_Candidate]:
    """The first few that lie far apart, or less far where there are not enough."""
    picked: list[_Candidate] = []
    for distance in _APART:
        picked = _apart(search, ranked, count, avoid, distance, [])
        if len(picked) == count:
            break
    return picked


def _apart(
    search: _Search,
    ranked: list[_Candidate],
    count: int,
    avoid: Collection[tuple[str, dt.datetime]],
    distance: int,
    picked: list[_Candidate],
) -> list[_Candidate]:
    """`picked` and the first of the ranked that keep a distance in ticks from it, from each other and from what is avoided.

    All of them can be held at once.
    """
    picked = list(picked)
    refused = {(practitioner_id, ticks.tick_of(start)) for practitioner_id, start in avoid}
    starts = [tick for _, tick in refused] + [one.tick for one in picked]
    for one in ranked:
        if len(picked) == count:
            break
        if (
            (one.open.practitioner.id, one.tick) not in refused
            and all(abs(one.tick - other) >= distance for other in starts)
            and not any(search.exclude_each_other(one, other) for other in picked)
        ):
            picked.append(one)
            starts.append(one.tick)
    return picked


def _chunks(days: Iterator[_WorkingDay]) -> Iterator[list[_WorkingDay]]:
    """Days to read at once, ever more of them; days far from each other are read apart."""
    sizes = iter(_CHUNKS)
    size = next(sizes)
    chunk: list[_WorkingDay] = []
    for day in days:
        if chunk and (len(chunk) == size or day[0][1].day - chunk[-1][0][1].day > _A_WEEKEND):
            yield chunk
            chunk, size = [], next(sizes, size)
        chunk.append(day)
    if chunk:
        yield chunk


def _fitting_ticks(wish: TimeWish) -> int:
    """The times of day that a wish allows, as a bitmap of ticks since midnight."""
    midnight = dt.datetime(2000, 1, 1)
    return sum(
        1 << tick for tick in range(ticks.A_DAY) if wish.allows_time((midnight + dt.timedelta(minutes=tick * ticks.MINUTES)).time())
    )


def _clock(candidate: _Candidate) -> int:
    """The wall time of a start, in minutes since midnight."""
    stretch = candidate.open.stretch
    return stretch.clock[candidate.tick - stretch.first] * ticks.MINUTES


def _minutes_off(wish: TimeWish, candidate: _Candidate) -> int:
    """How far a start lies from the wished hours."""
    clock = _clock(candidate)
    wished = [(_minutes(at), _minutes(at)) for at in wish.at]
    wished += [(_minutes(span.start), _minutes(span.end) - 1 if span.end else 24 * 60) for span in wish.hours]
    return min((max(first - clock, clock - last, 0) for first, last in wished), default=0)


def _minutes(time: dt.time) -> int:
    return time.hour * 60 + time.minute


def _days_off(wish: TimeWish, candidate: _Candidate) -> int:
    """How far a day lies from the wished days."""
    day = candidate.open.stretch.day
    spans = [(span.first or day, span.last or day) for span in wish.days]
    return min((max((first - day).days, (day - last).days, 0) for first, last in spans), default=0)
