"""What is free for one request: what is open, less what is taken, over the length of a visit.

One bitmap per practitioner and place runs over many days. What is open is remembered (`hours.Hours.starts`), what is taken is
read, so that the work grows with the rows that are read and hardly with the days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.calendar import hours, occupied, rules, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.calendar.rules import Asked
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart

_LOOKED_OVER = 16  # days, at least, that are looked over at once for those on which something is open
_MOST_READ = 64_000  # practitioners times days that are read at once
_A_DAY = dt.timedelta(days=1)
_A_WEEKEND = 3 * ticks.A_DAY


@dataclass(frozen=True, slots=True)
class Post:
    """A practitioner at one place."""

    practitioner: PractitionerPart
    location_id: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Part:
    """The free starts of each post from `first` to before `end`; bitmaps count from `base` and hold whole days of every zone."""

    base: int
    first: int
    end: int
    starts: list[tuple[int, int]]  # the number of the post, and its free starts
    taken: occupied.Taken
    used_rooms: occupied.Taken | None


@dataclass(slots=True)
class Open:
    """The free starts of one stretch; bitmaps count from its first tick. Nobody changes one; see FreeTime."""

    practitioner: PractitionerPart
    stretch: Stretch
    starts: int
    free: int  # ticks of the practitioner
    used_rooms: occupied.Taken | None


class Free:
    """One request over the days. It has somebody to ask: its `refusal` is None."""

    def __init__(self, session: Session, clinic: ClinicFile, asked: Asked, wish: TimeWish) -> None:
        self.session = session
        self.clinic = clinic
        self.asked = asked
        self.wish = wish
        self.now = times.now()
        self.before, self.visit, self.after = hours.lengths(asked.service)
        self.whole = self.before + self.visit + self.after
        self.hours = hours.hours_of(clinic)
        zones = {at.id: clinic.zone_of(at.id) for at in clinic.locations}
        self.posts = [Post(one, at.id, zones[at.id]) for one in asked.practitioners for at in asked.places[one.id]]
        self.zones = {post.zone for post in self.posts}
        self.earliest = ticks.tick_from(rules.earliest(clinic, asked.service, self.now))
        self.ends = {zone: hours.day_bounds(rules.last_day(clinic, zone, self.now), zone)[1] for zone in self.zones}
        self.most = max(_MOST_READ // len(asked.practitioners), 1)
        self.fitting = _fitting_ticks(wish) if wish.names_hours else None

    def times(self, first: int, end: int, *, limit: int | None = None) -> list[FreeTime]:
        """Every free start between two ticks by time, then in the order of the clinic file; the first few of them."""
        found: list[FreeTime] = []
        for part in self._parts(first, end) if limit is None else self._growing(first, end):
            found += self._times(part)
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]

    def days(self, first: dt.date | None = None, last: dt.date | None = None) -> Iterator[list[Open]]:
        """The clinic's days, from `first` to `last` or those of the wish, that have free starts: at first few are read at once."""
        first, last = first or self.wish.first_day, last or self.wish.last_day
        begin = hours.day_bounds(first - _A_DAY, self.clinic.zone)[0] if first else self.earliest  # a day early: other zones
        end = hours.day_bounds(last + _A_DAY, self.clinic.zone)[1] if last else max(self.ends.values())
        for part in self._growing(begin, end):
            union = reduce(or_, (starts for _, starts in part.starts), 0)
            for a, b in self._days_of(part.first, part.end):
                if union >> (a - part.base) & ticks.ones(b - a):
                    yield list(self._opens(part, a, b))

    def free_time(self, one: Open, tick: int) -> FreeTime:
        start = ticks.instant_of(tick)
        return FreeTime(
            service_id=self.asked.service.id,
            practitioner_id=one.practitioner.id,
            location_id=one.stretch.location_id,
            mode=self.asked.mode,
            start=start,
            end=start + self._long,
            room_id=self._room(one.stretch.location_id, one.used_rooms, tick),
            first_tick=tick - self.before,
            end_tick=tick - self.before + self.whole,
            moving=self.asked.request.moving,
        )

    def exclude_each_other(self, one: Open, tick: int, other: Open, other_tick: int) -> bool:
        """Whether two times need the same practitioner or, as far as we look, the same room at once."""
        if abs(tick - other_tick) >= self.whole:
            return False
        same_room = one.used_rooms is not None and one.stretch.location_id == other.stretch.location_id
        return one.practitioner is other.practitioner or same_room

    @property
    def _long(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.asked.service.minutes)

    def _parts(self, first: int, end: int) -> Iterator[Part]:
        """All of it in parts as large as memory likes."""
        first, end = max(first, self.earliest), min(end, max(self.ends.values()))
        for a in range(first, end, self.most * ticks.A_DAY):
            b = min(a + self.most * ticks.A_DAY, end)
            base, until = self._whole_days(a, b)
            yield self._part(self._open(base, until, a, b), base, until, a, b)

    def _growing(self, first: int, end: int) -> Iterator[Part]:
        """The days on which something is open, one at first, then ever more at once; days far from each other are read apart."""
        first, end = max(first, self.earliest), min(end, max(self.ends.values()))
        size = 1
        while first < end:
            until = min(first + max(size, _LOOKED_OVER) * ticks.A_DAY, end)
            base, limit = self._whole_days(first, until)
            opened = self._open(base, limit, first, until)
            union = reduce(or_, opened)
            days = [(a, b) for a, b in self._days_of(first, until) if union >> (a - base) & ticks.ones(b - a)]
            while days:
                many = 1
                while many < min(size, len(days)) and days[many][0] - days[many - 1][1] < _A_WEEKEND:
                    many += 1
                a, b = days[0][0], days[many - 1][1]
                yield self._part(opened, base, limit, a, b)
                days, size = days[many:], min(4 * size, self.most)
            first = until

    def _whole_days(self, first: int, end: int) -> tuple[int, int]:
        """From the start of the first day to the end of the last, wherever the clinic's zones put them."""
        bounds = [hours.day_bounds(_day(tick, zone), zone) for zone in self.zones for tick in (first, end - 1)]
        return min(first, *(a for a, _ in bounds)), max(end, *(b for _, b in bounds))

    def _days_of(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The clinic's days between two ticks, cut to them."""
        zone = self.clinic.zone
        day = _day(first, zone)
        while first < end:
            until = min(hours.day_bounds(day, zone)[1], end)
            yield first, until
            first, day = until, day + _A_DAY

    def _open(self, base: int, until: int, first: int, end: int) -> list[int]:
        """Of each post the starts from `first` to before `end` that are open to the patient by the rules and the wish."""
        allowed = {zone: self._allowed(zone, base, first, min(end, self.ends[zone])) for zone in self.zones}
        service = self.asked.service
        return [
            self.hours.starts(
                post.practitioner.id, post.location_id, service, first=base, end=until, within=allowed[post.zone], now=self.now
            )
            for post in self.posts
        ]

    def _allowed(self, zone: ZoneInfo, base: int, first: int, end: int) -> int:
        """The ticks at which the wish and the patient's age allow a visit to start in a zone; counts from `base`."""
        if first >= end:
            return 0
        within = ticks.ones(end - first) << (first - base)
        if not (self.wish.names_days or self.wish.names_hours or self.asked.service.ages):
            return within
        found = 0
        day, last = _day(first, zone), _day(end - 1, zone)
        while day <= last:
            if self.wish.allows_day(day) and self.asked.fits_age(day):
                a, b = hours.day_bounds(day, zone)
                found |= self._wished(day, a, b, zone) << (a - base)
            day += _A_DAY
        return found & within

    def _wished(self, day: dt.date, first: int, end: int, zone: ZoneInfo) -> int:
        if self.fitting is None:
            return ticks.ones(end - first)
        clock = hours.clock(day, first, end, zone)
        if isinstance(clock, range):
            return self.fitting
        return sum(1 << place for place, tick in enumerate(clock) if self.fitting >> tick & 1)

    def _part(self, opened: list[int], base: int, until: int, first: int, end: int) -> Part:
        """What is left of the open starts from `first` to before `end` when what is taken is taken off."""
        from_, to = self._whole_days(first, end)
        if (from_, to) != (base, until):
            opened = [bits >> (from_ - base) & ticks.ones(to - from_) for bits in opened]
        moving, patient_id, kind = self.asked.request.moving, self.asked.request.patient_id, self.asked.needs_room
        some = [(number, self.posts[number], bits) for number, bits in enumerate(opened) if bits]
        who = dict.fromkeys(post.practitioner.id for _, post, _ in some)
        counted = {post.practitioner.id for _, post, _ in some if post.practitioner.max_visits_per_day is not None}
        session, now = self.session, self.now
        taken = occupied.practitioners(session, who, first=from_, end=to, now=now, counted=counted, apart_from=moving)
        everything = ticks.ones(to - from_)
        for_all = everything
        if patient_id:
            own = occupied.patient(session, patient_id, first=from_, end=to, apart_from=moving).busy[patient_id]
            for_all = ticks.runs(everything & ~own, self.visit)
        used_rooms, with_room = None, {}
        if kind:
            places = dict.fromkeys(post.location_id for post in self.posts)
            rooms = {at: rules.rooms_at(self.clinic, at, kind) for at in places}
            used_rooms = occupied.rooms(
                session, [one for some in rooms.values() for one in some], first=from_, end=to, now=now, apart_from=moving
            )
            for at, here in rooms.items():
                free_rooms = [ticks.runs(everything & ~used_rooms.busy.get(room, 0), self.whole) for room in here]
                with_room[at] = reduce(or_, free_rooms) << self.before
        left = []
        for number, post, starts in some:
            busy = taken.busy.get(post.practitioner.id)
            if busy:
                if starts & busy == starts:  # as for all days of who is much asked for
                    continue
                starts &= ticks.runs(everything ^ busy, self.whole) << self.before
            if patient_id:
                starts &= for_all
            if kind:
                starts &= with_room[post.location_id]
            if starts and counted and post.practitioner.id in counted:
                starts = self._on_days_with_room(post, starts, taken)
            if starts:
                left.append((number, starts))
        return Part(from_, first, end, left, taken, used_rooms)

    def _on_days_with_room(self, post: Post, starts: int, taken: occupied.Taken) -> int:
        """The starts on days that have fewer visits than the practitioner takes."""
        found = 0
        left = starts
        while left:
            tick = taken.first + (left & -left).bit_length() - 1
            a, b = hours.day_bounds(_day(tick, post.zone), post.zone)
            day = ticks.ones(b - taken.first) & ~ticks.ones(max(a - taken.first, 0))
            if not rules.is_full(post.practitioner, taken, a, b):
                found |= starts & day
            left &= ~day
        return found

    def _opens(self, part: Part, first: int, end: int) -> Iterator[Open]:
        """The stretches with free starts between two ticks, in the order of the clinic file."""
        days = {zone: dict.fromkeys((_day(first, zone), _day(end - 1, zone))) for zone in self.zones}
        for number, starts in part.starts:
            here = starts >> (first - part.base) & ticks.ones(end - first)
            if not here:
                continue
            post = self.posts[number]
            for day in days[post.zone]:
                for stretch in self.hours.on(post.practitioner.id, day):
                    if stretch.location_id != post.location_id:
                        continue
                    ahead = stretch.first - first
                    mine = (here >> ahead if ahead > 0 else here << -ahead) & ticks.ones(stretch.length)
                    if mine:
                        free = ticks.ones(stretch.length) & ~part.taken.bits(post.practitioner.id, stretch.first, stretch.length)
                        yield Open(post.practitioner, stretch, mine, free, part.used_rooms)

    def _times(self, part: Part) -> Iterator[FreeTime]:
        many = len(self.posts)
        in_order = sorted(place * many + number for number, starts in part.starts for place in ticks.places(starts))
        posts = [(post.practitioner.id, post.location_id) for post in self.posts]
        long, before, until = self._long, self.before, self.whole - self.before
        service_id, mode, moving = self.asked.service.id, self.asked.mode, self.asked.request.moving
        room_id: str | None = None
        known = -1
        for number in in_order:
            place, post = divmod(number, many)
            tick = part.base + place
            if tick != known:  # many are free at once
                known = tick
                start = ticks.instant_of(tick)
                end = start + long
            who, at = posts[post]
            if part.used_rooms is not None:
                room_id = self._room(at, part.used_rooms, tick)
            yield FreeTime(service_id, who, at, mode, start, end, room_id, tick - before, tick + until, moving)

    def _room(self, location_id: str, used: occupied.Taken | None, tick: int) -> str | None:
        """The first room at a place that is free for a visit."""
        if used is None or not (kind := self.asked.needs_room):
            return None
        first = tick - self.before
        return next(room for room in rules.rooms_at(self.clinic, location_id, kind) if not used.bits(room, first, self.whole))


def _day(tick: int, zone: ZoneInfo) -> dt.date:
    return times.to_wall(ticks.instant_of(tick), zone).date()


def _fitting_ticks(wish: TimeWish) -> int:
    """The times of day that a wish allows, as a bitmap of ticks since midnight."""
    midnight = dt.datetime(2000, 1, 1)
    return sum(
        1 << tick for tick in range(ticks.A_DAY) if wish.allows_time((midnight + dt.timedelta(minutes=tick * ticks.MINUTES)).time())
    )
