"""Many at once: the database itself refuses a second holder of one time."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

from sqlalchemy import select

from scheduling_core import booking, claims
from scheduling_core.calendar.search import FreeTime, Request, find
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, AppointmentStatus, AuditEvent, occupancy
from tests.core.clinics import load, make_clinic
from tests.factories import make_free_time, make_patient

CHICAGO = ZoneInfo("America/Chicago")
MANY = 50


def at_once(count: int, act: Callable[[int], object]) -> Counter[str]:
    """Let threads act at one moment; how often each outcome came: "done", or the code of the refusal. Anything else fails."""
    ready = threading.Barrier(count)

    def run(one: int) -> str:
        ready.wait()
        try:
            act(one)
        except SchedulingError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(count) as threads:
        return Counter(threads.map(run, range(count)))


def make_patients(database: Database, count: int) -> list[str]:
    with database.transaction() as session:
        return [make_patient(session).id for _ in range(count)]


def overlaps(database: Database) -> list[tuple[str, str]]:
    """Pairs of visits or holds that have the same practitioner, room or patient at one time, looked up without the ticks."""
    holding = ("proposed", "booked")
    with database.reading() as session:
        visits = list(session.scalars(select(Appointment).where(Appointment.status.in_(holding)).order_by(Appointment.first_tick)))
    found = []
    for number, one in enumerate(visits):
        for other in visits[number + 1 :]:
            shared = {one.practitioner_id, one.room_id} & {other.practitioner_id, other.room_id} - {None}
            if shared and other.first_tick < one.end_tick and one.first_tick < other.end_tick:
                found.append((one.id, other.id))
            if one.patient_id and one.patient_id == other.patient_id and other.start < one.end and one.start < other.end:
                found.append((one.id, other.id))
    return found


def orphans(database: Database) -> int:
    """Ticks of appointments that hold no time."""
    with database.reading() as session:
        holding = select(Appointment.id).where(Appointment.status.in_(("proposed", "booked")))
        return len(session.execute(select(occupancy.c.tick).where(occupancy.c.appointment_id.not_in(holding))).all())


def test_fifty_at_once_want_one_time_and_one_gets_it(loaded, clinic):
    patients, time = make_patients(loaded, MANY), make_free_time(clinic)

    def book(one: int) -> None:
        with loaded.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=time, agent="test", key=f"{one}")

    assert at_once(MANY, book) == {"done": 1, "time-taken": MANY - 1}
    assert overlaps(loaded) == []
    assert orphans(loaded) == 0


def test_of_partly_overlapping_starts_one_is_booked(loaded, clinic):
    patients = make_patients(loaded, MANY)
    times = [make_free_time(clinic, service_id="physical", start=f"2026-11-17T09:{minute:02}") for minute in range(0, 40, 5)]

    def book(one: int) -> None:
        with loaded.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=times[one % 8], agent="test", key=f"{one}")

    assert at_once(MANY, book) == {"done": 1, "time-taken": MANY - 1}


def test_fifty_at_once_hold_one_time_and_one_gets_it(loaded, clinic):
    time = make_free_time(clinic)

    def hold(one: int) -> None:
        with loaded.transaction() as session:
            booking.hold(session, clinic, time=time, held_for=f"talk {one}", agent="test")

    assert at_once(MANY, hold) == {"done": 1, "time-taken": MANY - 1}


def test_one_patient_cannot_book_two_visits_at_one_hour(loaded, clinic):
    (patient,) = make_patients(loaded, 1)
    whose = ("ferreira", "sorensen")
    times = [make_free_time(clinic, practitioner_id=who, start=f"2026-11-17T09:{five:02}") for who in whose for five in (0, 5, 10)]

    def book(one: int) -> None:
        with loaded.transaction() as session:
            booking.book(session, clinic, patient_id=patient, time=times[one % 6], agent="test", key=f"{one}")

    outcomes = at_once(24, book)
    assert outcomes["done"] == 1
    assert set(outcomes) <= {"done", "time-taken", "patient-busy"}
    assert overlaps(loaded) == []


def test_the_one_procedure_room_is_given_once(database, clock):
    clinic = load(
        database,
        make_clinic(
            practitioners=["abel", "bruno", "carl"], rooms=["red"], service={"room": "procedure"}, sessions=["09:00-12:00"]
        ),
    )
    patients = make_patients(database, MANY)
    times = _times(database, clinic, dt.date(2026, 11, 17))[:3]
    assert {time.practitioner_id for time in times} == {"abel", "bruno", "carl"}

    def book(one: int) -> None:
        with database.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=times[one % 3], agent="test", key=f"{one}")

    assert at_once(MANY, book) == {"done": 1, "time-taken": MANY - 1}
    assert overlaps(database) == []


def test_two_rooms_are_given_to_two(database, clock):
    clinic = load(
        database,
        make_clinic(
            practitioners=["abel", "bruno", "carl"], rooms=["red", "blue"], service={"room": "procedure"}, sessions=["09:00-12:00"]
        ),
    )
    patients = make_patients(database, 30)
    times = _times(database, clinic, dt.date(2026, 11, 17))[:3]  # all found with the red room

    def book(one: int) -> None:
        with database.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=times[one % 3], agent="test", key=f"{one}")

    assert at_once(30, book) == {"done": 2, "time-taken": 28}
    assert overlaps(database) == []


def test_one_key_that_comes_twice_at_once_books_once(loaded, clinic):
    (patient,) = make_patients(loaded, 1)
    answers = []

    def book(_: int) -> None:
        with loaded.transaction() as session:
            visit = booking.book(session, clinic, patient_id=patient, time=make_free_time(clinic), agent="test", key="one key")
            answers.append(visit.id)

    assert at_once(10, book) == {"done": 10}
    assert len(set(answers)) == 1


def test_an_expired_hold_that_many_want_goes_to_one(loaded, clinic, clock):
    patients = make_patients(loaded, 20)
    for start in ("09:00", "09:20"):
        with loaded.transaction() as session:
            booking.hold(session, clinic, time=make_free_time(clinic, start=f"2026-11-17T{start}"), held_for="talk", agent="test")
    clock.set("2026-11-16T09:30:00-06:00")
    wanted = [make_free_time(clinic, service_id="physical", start=f"2026-11-17T{start}") for start in ("09:00", "08:50", "09:10")]

    def book(one: int) -> None:
        with loaded.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=wanted[one % 3], agent="test", key=f"{one}")

    assert at_once(20, book) == {"done": 1, "time-taken": 19}
    assert orphans(loaded) == 0


def test_many_visits_that_move_to_one_time_and_into_each_others_neither_collide_nor_deadlock(loaded, clinic):
    patients = make_patients(loaded, 12)
    starts = [f"2026-11-18T{hour:02}:{minute:02}" for hour in (8, 9, 10) for minute in (0, 10, 20, 30)]
    visits = []
    for patient, start in zip(patients, starts[::2] + starts[::2], strict=True):
        who = "ferreira" if len(visits) < 6 else "sorensen"
        with loaded.transaction() as session:
            time = make_free_time(clinic, start=start, practitioner_id=who)
            visits.append(
                booking.book(session, clinic, patient_id=patient, time=time, agent="test", key=f"before {len(visits)}").id
            )
    wanted = [
        make_free_time(clinic, start=start, practitioner_id=who)
        for start in (*starts, "2026-11-18T10:40")
        for who in ("ferreira", "sorensen")
    ]
    for turn in range(4):

        def move(one: int, turn: int = turn) -> None:
            with loaded.transaction() as session:
                time = wanted[(one * 7 + turn * 5) % len(wanted)]
                booking.reschedule(session, clinic, appointment_id=visits[one % 12], time=time, agent="test", key=f"{turn} {one}")

        assert set(at_once(24, move)) <= {"done", "time-taken"}
        assert overlaps(loaded) == []
    with loaded.reading() as session:
        assert len(session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED)).all()) == 12
        owned = Counter(session.execute(select(occupancy.c.appointment_id)).scalars())
    assert owned == dict.fromkeys(visits, 8)


def test_conversations_that_hold_several_times_at_once_do_not_deadlock(loaded, clinic):
    times = [make_free_time(clinic, start=f"2026-11-18T{hour:02}:{half}") for hour in (8, 9, 10) for half in ("00", "30")]

    def hold(one: int) -> None:
        wanted = times[one % 6 :] + times[: one % 6]
        with loaded.transaction() as session:
            booking.hold_all(
                session, clinic, free_times=wanted[:3] if one % 2 else wanted[2::-1], held_for=f"talk {one}", agent="test"
            )

    assert at_once(30, hold) == {"done": 30}
    assert overlaps(loaded) == []


def test_the_daily_maximum_holds_when_many_book_at_once(database, clock):
    clinic = load(database, make_clinic(practitioner={"max_visits_per_day": 3}))
    patients = make_patients(database, 6)
    times = _times(database, clinic, dt.date(2026, 11, 17))[::6]
    assert len(times) == 6

    def book(one: int) -> None:
        with database.transaction() as session:
            booking.book(session, clinic, patient_id=patients[one], time=times[one], agent="test", key=f"{one}")

    assert at_once(6, book) == {"done": 3, "not-bookable": 3}


def _times(database: Database, clinic: ClinicFile, day: dt.date) -> list[FreeTime]:
    start = dt.datetime.combine(day, dt.time(0), CHICAGO)
    with database.reading() as session:
        return find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(days=1))


def test_two_workers_end_each_expired_hold_once(loaded, clinic, clock):
    starts = [f"2026-11-18T{hour:02}:{half}" for hour in (8, 9, 10) for half in ("00", "30")]
    for start in starts:
        with loaded.transaction() as session:
            booking.hold(session, clinic, time=make_free_time(clinic, start=start), held_for=start, agent="test")
    with loaded.reading() as session:
        assert not claims.any_expired(session)
    clock.set("2026-11-16T09:30:00-06:00")
    with loaded.reading() as session:
        assert claims.any_expired(session)
    ended = []

    def work(_: int) -> None:
        more = True
        while more:
            with loaded.transaction() as session:
                more = claims.end_some_expired(session, agent="worker", limit=2)
                ended.append(more)

    assert at_once(2, work) == {"done": 2}
    assert sum(ended) == len(starts)
    with loaded.reading() as session:
        assert not claims.any_expired(session)
        found = session.execute(select(Appointment.status, Appointment.cancelled_reason).distinct()).all()
        assert found == [(AppointmentStatus.CANCELLED, booking.HOLD_EXPIRED)]
        assert session.execute(select(occupancy)).all() == []
        entries = session.scalars(select(AuditEvent.entity_id).where(AuditEvent.agent == "worker")).all()
        assert len(entries) == len(set(entries)) == len(starts)
