"""Ten thousand random steps against a model that is simple enough to be right: a list of who has what time."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, event, select

from scheduling_core import booking, claims
from scheduling_core.calendar.search import FreeTime, Request, find, offers
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, Mode, occupancy
from tests.conftest import Clock
from tests.core.clinics import make_clinic
from tests.factories import make_patient

CLINIC = make_clinic(
    practitioners=["abel", "bruno", "carl"],
    rooms=["red"],
    sessions=["09:00-11:00"],
    service={"minutes": 30, "buffer_after_minutes": 10, "modes": ["in-person", "video"]},
    services=[{"id": "procedure", "minutes": 20, "buffer_before_minutes": 5, "room": "procedure"}],
    practitioner={"max_visits_per_day": 3},
    clinic={"booking_horizon_days": 3, "hold_minutes": 8},
)
MONDAY = dt.datetime(2026, 11, 16, 6, tzinfo=dt.UTC)
TALKS = ("talk 1", "talk 2", "talk 3")
_numbers = itertools.count(1)
_visit = Appointment.__table__.c
_WHO_HAS_TIME = select(_visit.id, _visit.start, _visit.practitioner_id, _visit.room_id, _visit.patient_id, _visit.status).where(
    _visit.organization_id == bindparam("organization"),
    _visit.status.in_(("booked", "proposed")),
    (_visit.status == "booked") | (_visit.hold_expires_at > bindparam("now")),
)
_WHOSE_TICKS = select(occupancy.c.appointment_id).where(occupancy.c.organization_id == bindparam("organization"))


@dataclass
class Entry:
    """A visit or a hold, as the model has it."""

    time: FreeTime
    room_id: str | None
    patient_id: str | None
    held_for: str | None = None
    expires: dt.datetime | None = None

    def day(self) -> dt.date:
        return self.time.start.date()


class Walk:
    """Finds, holds, books, moves, cancels and lets time pass; after each step the database says what the model says."""

    def __init__(self, database: Database, clock_file: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        # A clinic of its own in the same database: each walk starts on an empty calendar.
        self.here = Database.__new__(Database)
        self.here.__dict__ = {**database.__dict__, "organization": f"clinic-{next(_numbers)}"}
        self.clock_file = clock_file
        self.now = MONDAY
        self._set_clock()
        self.entries: dict[str, Entry] = {}
        self.done: Counter[str] = Counter()
        self.found: list[FreeTime] = []
        with self.here.transaction() as session:
            loading.load(session, CLINIC, agent="load")
            self.patients = [make_patient(session).id for _ in range(4)]

    def take(self, steps: int) -> None:
        choices = {
            self.find: 4,
            self.offer_and_hold: 2,
            self.hold: 4,
            self.book: 6,
            self.book_a_hold: 5,
            self.move: 5,
            self.move_to_a_hold: 3,
            self.cancel: 4,
            self.pass_time: 2,
        }
        self.find()
        for step in self.dice.choices(list(choices), weights=list(choices.values()), k=steps):
            step()
            self.nothing_overlaps_and_nothing_is_lost()

    def find(self) -> None:
        """What is found on a day is what the model has nothing against."""
        service = self.dice.choice(["visit", "visit", "procedure"])
        request = Request(service, mode=self.dice.choice([None, None, Mode.VIDEO]) if service == "visit" else None)
        day = self.now.replace(hour=6, minute=0) + dt.timedelta(days=self.dice.choice([0, 0, 1, 2, 3, 4]))
        with self.here.reading() as session:
            found = find(session, CLINIC, request, start=day, end=day + dt.timedelta(days=1))
        free = [time for time in self._every_time(request, day) if not self._refusals(Entry(time, time.room_id, None))]
        assert [(one.start, one.practitioner_id) for one in found] == sorted((one.start, one.practitioner_id) for one in free)
        self.found = (self.found + found)[-60:]

    def offer_and_hold(self) -> None:
        """What is offered can be held, all of it."""
        talk = self.dice.choice(TALKS)
        self.entries = {one: entry for one, entry in self.entries.items() if entry.held_for != talk}
        request = Request(self.dice.choice(["visit", "procedure"]), patient_id=self.dice.choice(self.patients))
        with self.here.transaction() as session:
            booking.release(session, held_for=talk, agent="walk")
            wanted = offers(session, CLINIC, request, wish=TimeWish())
            held = booking.hold_all(session, CLINIC, free_times=wanted, held_for=talk, agent="walk")
        assert len(held) == len(wanted)
        for one, time in zip(held, wanted, strict=True):
            entry = Entry(time, one.room_id, None, talk, self.now + dt.timedelta(minutes=8))
            assert not self._refusals(entry)
            self.entries[one.id] = entry
        self.done["held all"] += len(held)

    def hold(self) -> None:
        if time := self._stale_time():
            talk = self.dice.choice(TALKS)
            entry = Entry(time, time.room_id, None, talk, self.now + dt.timedelta(minutes=8))
            made = self._try("held", entry, lambda session: booking.hold(session, CLINIC, time=time, held_for=talk, agent="walk"))
            if made:
                self.entries[made.id] = entry

    def book(self) -> None:
        if time := self._stale_time():
            patient_id, key = self.dice.choice(self.patients), self._key()
            entry = Entry(time, time.room_id, patient_id)

            def act(session: Any) -> Appointment:
                return booking.book(session, CLINIC, patient_id=patient_id, time=time, agent="walk", key=key)

            if made := self._try("booked", entry, act):
                self.entries[made.id] = entry
                if self.dice.random() < 0.2:
                    with self.here.transaction() as session:
                        assert act(session).id == made.id

    def book_a_hold(self) -> None:
        if held := self._one_of(lambda entry: entry.held_for is not None):
            entry, patient_id, key = self.entries.pop(held), self.dice.choice(self.patients), self._key()
            wanted = Entry(entry.time, entry.room_id, patient_id)

            def act(session: Any) -> Appointment:
                return booking.book(session, CLINIC, patient_id=patient_id, hold_id=held, agent="walk", key=key)

            self.entries[held] = wanted if self._try("booked a hold", wanted, act, talk=entry.held_for) else entry

    def move(self) -> None:
        visit, time = self._one_of(lambda entry: entry.held_for is None), self._stale_time()
        if visit and time and time.service_id == self.entries[visit].time.service_id:
            entry, key = self.entries.pop(visit), self._key()
            wanted = Entry(time, time.room_id, entry.patient_id)

            def act(session: Any) -> Appointment:
                return booking.reschedule(session, CLINIC, appointment_id=visit, time=time, agent="walk", key=key)

            over = entry.time.end <= self.now
            self.entries[visit] = wanted if self._try("moved", wanted, act, must_fail=over) else entry

    def move_to_a_hold(self) -> None:
        visit, hold = self._one_of(lambda entry: entry.held_for is None), self._one_of(lambda entry: entry.held_for is not None)
        if visit and hold and self.entries[visit].time.service_id == self.entries[hold].time.service_id:
            entry, there, key = self.entries.pop(visit), self.entries.pop(hold), self._key()
            wanted = Entry(there.time, there.room_id, entry.patient_id)

            def act(session: Any) -> Appointment:
                return booking.reschedule(session, CLINIC, appointment_id=visit, hold_id=hold, agent="walk", key=key)

            if self._try("moved to a hold", wanted, act, talk=there.held_for, must_fail=entry.time.end <= self.now):
                self.entries[visit] = wanted
            else:
                self.entries |= {visit: entry, hold: there}

    def cancel(self) -> None:
        if visit := self._one_of(lambda entry: entry.time.end > self.now):
            with self.here.transaction() as session:
                booking.cancel(session, CLINIC, appointment_id=visit, agent="walk", key=self._key())
            del self.entries[visit]
            self.done["cancelled"] += 1

    def pass_time(self) -> None:
        self.now += dt.timedelta(minutes=self.dice.choice([1, 1, 3, 9, 45]))
        self._set_clock()
        self.entries = {one: entry for one, entry in self.entries.items() if not entry.expires or entry.expires > self.now}

    def nothing_overlaps_and_nothing_is_lost(self) -> None:
        here = {"organization": self.here.organization, "now": self.now}
        with self.here.reading() as session:
            found = {one: tuple(rest) for one, *rest in session.connection().execute(_WHO_HAS_TIME, here)}
            owned = Counter(session.connection().execute(_WHOSE_TICKS, here).scalars())
        assert found == {
            # a hold may know for whom it is; in the model it takes nothing of the patient
            one: (
                e.time.start,
                e.time.practitioner_id,
                e.room_id,
                found[one][3] if e.held_for and one in found else e.patient_id,
                "proposed" if e.held_for else "booked",
            )
            for one, e in self.entries.items()
        }
        for one, entry in self.entries.items():
            length = entry.time.end_tick - entry.time.first_tick
            own = int((entry.time.end - entry.time.start).total_seconds()) // 300 if entry.patient_id else 0
            assert owned[one] == length * (2 if entry.room_id else 1) + own
        for one, other in itertools.combinations(self.entries.values(), 2):
            assert not _collide(one, other)

    def _refusals(self, wanted: Entry, talk: str | None = None) -> set[str]:
        """What the model has against an entry."""
        found = {"past"} if wanted.time.start < self.now else set()
        for entry in self.entries.values():
            if _collide(wanted, entry):
                found.add("taken")
        day = [entry for entry in self.entries.values() if entry.day() == wanted.day()]
        who, talk = wanted.time.practitioner_id, talk or wanted.held_for
        others = [e for e in day if e.time.practitioner_id == who and (e.held_for is None or e.held_for != talk)]
        holds = {entry.held_for for entry in others if entry.held_for}
        if len(holds) + sum(entry.held_for is None for entry in others) >= 3:
            found.add("full")
        return found

    def _try(
        self, what: str, wanted: Entry, act: Callable[[Any], Appointment], talk: str | None = None, must_fail: bool = False
    ) -> Appointment | None:
        """Do it, and see that it succeeds exactly when the model has nothing against it."""
        against = self._refusals(wanted, talk) | ({"over"} if must_fail else set())
        made = None
        try:
            with self.here.transaction() as session:
                made = act(session)
        except SchedulingError as refusal:
            reason = str(refusal)
        self.done[what if made else f"not {what}"] += 1
        assert made is None or not against, f"done in spite of {against}"
        assert made is not None or against, f"refused without a reason: {reason}"
        return made

    def _every_time(self, request: Request, day: dt.datetime) -> list[FreeTime]:
        """Every start of a day that lies in a session, taken or not."""
        service = CLINIC.services_by_id[request.service_id]
        mode = request.mode or Mode.IN_PERSON
        opens = dt.datetime(day.year, day.month, day.day, 9, tzinfo=CLINIC.zone).astimezone(dt.UTC)
        found = []
        for who, place in itertools.product(("abel", "bruno", "carl"), range(24)):
            start = opens + dt.timedelta(minutes=5 * place)
            end = start + dt.timedelta(minutes=service.minutes)
            first = int(start.timestamp()) // 300 - service.buffer_before_minutes // 5
            last = int(end.timestamp()) // 300 + service.buffer_after_minutes // 5
            inside = int(opens.timestamp()) // 300 <= first and last <= int(opens.timestamp()) // 300 + 24
            if inside and (start.astimezone(CLINIC.zone).date() - self.now.astimezone(CLINIC.zone).date()).days <= 3:
                room = "red" if service.room else None
                found.append(FreeTime(service.id, who, "here", mode, start, end, room, first, last))
        return found

    def _stale_time(self) -> FreeTime | None:
        """A time found at some step before: perhaps it is taken by now."""
        return self.dice.choice(self.found) if self.found else None

    def _one_of(self, fits: Callable[[Entry], bool]) -> str | None:
        those = [one for one, entry in self.entries.items() if fits(entry)]
        return self.dice.choice(those) if those else None

    def _key(self) -> str:
        return f"key {next(_numbers)}"

    def _set_clock(self) -> None:
        self.clock_file.write_text(self.now.isoformat())


def _collide(one: Entry, other: Entry) -> bool:
    """Whether two entries want the same practitioner, room or patient at one time. A hold does not take its patient."""
    busy = one.time.first_tick < other.time.end_tick and other.time.first_tick < one.time.end_tick
    meet = one.time.start < other.time.end and other.time.start < one.time.end
    same_room = one.room_id is not None and one.room_id == other.room_id
    same_patient = one.patient_id is not None and one.patient_id == other.patient_id
    return (busy and (one.time.practitioner_id == other.time.practitioner_id or same_room)) or (meet and same_patient)


def without_waiting_for_the_disk(database: Database) -> Database:
    """A walk commits ten thousand times; what it tests is not the disk."""
    if database.engine.dialect.name == "sqlite":
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        database.engine.dispose()
    return database


def walks(database: Database, clock: Clock, *, count: int, steps: int) -> Counter[str]:
    """Take so many walks of so many steps, the same ones in every run; what was done in them, by hypothesis' choice of seeds."""
    done: Counter[str] = Counter()

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**32))
    def one_walk(seed: int) -> None:
        walk = Walk(database, clock.file, seed)
        walk.take(steps)
        done.update(walk.done)

    one_walk()
    return done


def test_ten_thousand_random_steps_lose_no_visit_and_overlap_none(database, clock):
    done = walks(without_waiting_for_the_disk(database), clock, count=50, steps=100)  # on each of the two engines
    # What the walks are worth: all that can be done was done, and refused, often enough.
    assert min(done[what] for what in ("held", "held all", "booked", "booked a hold", "moved", "moved to a hold", "cancelled")) > 50
    assert min(done[what] for what in ("not held", "not booked", "not booked a hold", "not moved")) > 20


def test_the_walk_finds_out_when_the_guard_is_removed(sqlite_database, clock, monkeypatch):
    sweep = claims.sweep

    def sweep_and_see_nothing(*given: Any) -> set[str]:
        sweep(*given)
        return set()

    monkeypatch.setattr(claims, "lost", lambda *given: {})
    monkeypatch.setattr(claims, "look", lambda *given, **more: (False, set()))
    monkeypatch.setattr(claims, "sweep", sweep_and_see_nothing)
    with pytest.raises(AssertionError, match="done in spite of"):
        walks(without_waiting_for_the_disk(sqlite_database), clock, count=5, steps=100)
