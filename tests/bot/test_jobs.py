"""What the worker does by the clinic's clock, from the database to the carrier."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.jobs import Job, Schedule
from scheduling_core import booking, reminders, sending, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.models import Appointment, AppointmentStatus, Communication, Task
from scheduling_core.segments import on_air, segments
from tests.bot.conftest import PATIENT
from tests.factories import make_free_time, make_patient


@pytest.fixture
def working(house):
    """Starts workers that run until the test is over."""
    stop, threads = threading.Event(), []

    def start(count: int = 1) -> None:
        for _ in range(count):
            threads.append(threading.Thread(target=house.worker().work_until, args=(stop,)))
            threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)


def book(house, clinic, *, phone=PATIENT, start="2026-11-19T13:00", **more) -> str:
    with house.database.transaction() as session:
        patient = make_patient(session, phone=phone)
        free = make_free_time(clinic, start=start, **more)
        return booking.book(session, clinic, patient_id=patient.id, time=free, agent="test", key=f"{phone} {start}").id


def until(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_jump_of_the_clock_sends_what_became_due_within_seconds(house, clinic, clock, working):
    book(house, clinic)
    working()
    time.sleep(0.5)
    assert house.twilio.bodies() == []
    clock.set("2026-11-16T17:10:00-06:00")
    assert until(lambda: len(house.twilio.bodies()) == 1, 5)
    assert "reminder from maple grove clinic" in house.twilio.bodies()[0].lower()
    clock.set("2026-11-18T17:10:00-06:00")
    assert until(lambda: len(house.twilio.bodies()) == 2, 5)


def test_three_workers_send_each_reminder_once(house, clinic, clock, working):
    for number in range(12):
        start = f"2026-11-19T{13 + number // 6:02}:{number % 6}0"
        book(house, clinic, phone=f"+1414555{2000 + number}", start=start, service_id="vaccine", practitioner_id="nurse-abara")
    working(3)
    clock.set("2026-11-16T17:10:00-06:00")
    assert until(lambda: len(house.twilio.sent) >= 12)
    time.sleep(0.6)
    assert sorted(text["To"] for text in house.twilio.sent) == [f"+1414555{2000 + number}" for number in range(12)]


def test_a_cancelled_visit_is_offered_to_who_waits_for_the_day(house, clinic, clock, working):
    visit = book(house, clinic, phone="+14145550199", start="2026-12-02T13:00", practitioner_id="brandt")
    with house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        day = dt.date(2026, 12, 2)
        request = Request("follow-up", practitioners=("brandt",), patient_id=patient.id)
        wish = TimeWish(days=(Days(day, day),))
        place = waitlist.join(session, clinic, request=request, wish=wish, agent="test", key="join")
    working(2)
    with house.database.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit, agent="test", key="cancel")
    assert until(lambda: house.twilio.bodies())
    assert house.twilio.bodies() == [
        "A time opened at Maple Grove Clinic: Wednesday, December 2 at 1:00 PM. "
        "Reply 1 to take it or 2 to pass. We keep it for you for 20 minutes."
    ]

    def offer() -> waitlist.Offer | None:
        with house.database.reading() as session:
            return waitlist.open_offer(session, phone=PATIENT)

    assert until(lambda: offer() is not None)
    with house.database.transaction() as session:
        last = sending.last_said(session, phone=PATIENT, kinds=sending.STARTED_BY_US)
        assert last is not None
        assert last.kind == "offer"
        taken = waitlist.accept(session, clinic, place_id=place.id, agent="test", key="accept")
    assert taken.start == dt.datetime(2026, 12, 2, 19, tzinfo=dt.UTC)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["Riverbend", "Centro Médico de la Asunción", "Maple Grove Clinic for Families and Friends " * 3])
def test_texts_take_two_segments_at_most_whatever_the_clinics_name(sqlite_loaded, clinic, clock, name, language):
    named = clinic.model_copy(update={"clinic": clinic.clinic.model_copy(update={"name": name.strip()})})
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        patient.language = language
        free = make_free_time(clinic, start="2026-11-21T09:00", practitioner_id="sorensen")
        booking.book(session, clinic, patient_id=patient.id, time=free, agent="test", key="book")
        clock.set("2026-11-20T12:00:00-06:00")
        assert reminders.send_due(session, named) == 1
        [body] = session.scalars(select(Communication.body))
    assert segments(on_air(body)) <= 2
    assert ("Saturday, November 21" if language == "en" else "sábado 21 de noviembre") in body


def test_an_expired_hold_that_nobody_wants_is_ended(sqlite_loaded, clinic, clock):
    with sqlite_loaded.transaction() as session:
        held = booking.hold(session, clinic, time=make_free_time(clinic), held_for="talk", agent="test").id
    clock.set("2026-11-16T09:30:00-06:00")
    Schedule(sqlite_loaded).run_due()
    with sqlite_loaded.reading() as session:
        assert session.get(Appointment, ("clinic", held)).status is AppointmentStatus.CANCELLED


def test_a_job_that_fails_stops_no_other(sqlite_loaded, clock, caplog):
    ran = []

    def fails(*_: object) -> bool:
        raise OperationalError("select", {}, Exception("gone"))

    def works(*_: object) -> bool:
        ran.append(1)
        return False

    schedule = Schedule(sqlite_loaded, (Job("bad", 0.0, fails, fails), Job("good", 0.0, works, works)))
    with caplog.at_level(logging.ERROR):
        schedule.run_due()
    assert ran == [1]
    assert "job bad failed: OperationalError" in caplog.text


def test_before_a_clinic_is_loaded_there_is_nothing_to_do(sqlite_database, clock):
    assert Schedule(sqlite_database).run_due() == 0


def test_news_of_a_visit_go_out_by_themselves_and_two_workers_tell_each_once(house, clinic, clock, working):
    with house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        patient.needs = ["interpreter:pl"]
        time_of_it = make_free_time(clinic, start="2026-11-19T13:00")
        booking.book(session, clinic, patient_id=patient.id, time=time_of_it, agent="test", key="book")

    def told() -> list[str]:
        with house.database.reading() as session:
            return list(session.scalars(select(Task.reason)))

    working(2)
    assert until(told)
    time.sleep(0.7)
    assert told() == ["need-at-visit"]
