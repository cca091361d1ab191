"""Reminders: each once, at its time, never at night, and never of a visit that is gone."""

from __future__ import annotations

import datetime as dt
import threading
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from scheduling_core import booking, messaging, reminders, sending
from scheduling_core.models import Communication, Delivery, Direction, new_id
from scheduling_core.segments import on_air, segments
from tests.core.clinics import load, make_clinic
from tests.factories import make_conversation, make_free_time, make_patient

PHONE = "+14145550142"
CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def patient(loaded) -> str:
    with loaded.transaction() as session:
        return make_patient(session, phone=PHONE).id


def book(database, clinic, patient_id, start="2026-11-19T13:00", key="book", **more):
    with database.transaction() as session:
        time = make_free_time(clinic, start=start, **more)
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=key)


def remind(database, clinic) -> None:
    """What a worker does until nothing is due."""
    while True:
        with database.transaction() as session:
            if not reminders.any_due(session, clinic):
                return
            assert reminders.send_due(session, clinic) > 0


def queued(database) -> list[Communication]:
    with database.reading() as session:
        return list(session.scalars(select(Communication).where(Communication.kind == "reminder").order_by(Communication.sequence)))


def bodies(database) -> list[str]:
    return [message.body for message in queued(database)]


def send(database, clinic) -> list[str]:
    """What goes out now."""
    remind(database, clinic)
    with database.transaction() as session:
        claimed = messaging.claim_due(session, worker="w", limit=100, lease_seconds=60)
        for message in claimed:
            messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{message.id}"[:34])
        return [message.body for message in claimed]


def test_a_visit_booked_far_ahead_is_reminded_of_twice(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    assert send(loaded, clinic) == []
    clock.set("2026-11-16T12:59:59-06:00")
    assert send(loaded, clinic) == []
    clock.set("2026-11-16T13:00:00-06:00")
    assert send(loaded, clinic) == [
        "Reminder from Maple Grove Clinic: your visit is on Thursday, November 19 at 1:00 PM. "
        "Reply C to confirm or R to move it. Text STOP to end texts."
    ]
    assert send(loaded, clinic) == []
    clock.set("2026-11-18T13:00:00-06:00")
    assert len(send(loaded, clinic)) == 1
    clock.set("2026-11-19T12:00:00-06:00")
    assert send(loaded, clinic) == []


def test_a_reminder_fits_one_text_and_tells_nothing_of_the_visit(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    clock.set("2026-11-16T17:10:00-06:00")
    [text] = send(loaded, clinic)
    assert len(text) <= 160
    assert not any(word in text for word in ("Ferreira", "Follow", "North", "Ruth", "YES"))


@pytest.mark.parametrize(
    ("now", "count"), [("2026-11-16T13:30:00-06:00", 1), ("2026-11-17T11:00:00-06:00", 1), ("2026-11-18T14:00:00-06:00", 0)]
)
def test_what_was_past_when_the_visit_was_booked_is_not_sent_late(loaded, clinic, clock, patient, now, count):
    clock.set(now)
    book(loaded, clinic, patient)
    assert send(loaded, clinic) == []
    sent = 0
    for later in ("2026-11-17T12:00", "2026-11-18T13:00", "2026-11-18T20:00", "2026-11-19T11:00"):
        if f"{later}:00-06:00" > now:
            clock.set(f"{later}:00-06:00")
            sent += len(send(loaded, clinic))
    assert sent == count


def test_of_two_that_became_due_at_once_only_the_latest_goes_out(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    clock.set("2026-11-18T16:10:00-06:00")
    assert len(send(loaded, clinic)) == 1
    assert [message.idempotency_key.rsplit(":", 1)[1] for message in queued(loaded)] == ["24"]


def test_nothing_is_sent_of_a_visit_that_is_over_or_begins_at_once(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    book(loaded, clinic, patient, start="2026-11-19T16:00", key="later")
    clock.set("2026-11-19T15:30:00-06:00")
    assert send(loaded, clinic) == []


def test_a_clock_that_goes_back_and_forth_sends_nothing_twice(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    sent = 0
    for now in (
        "2026-11-16T17:00",
        "2026-11-16T09:10",
        "2026-11-16T17:00",
        "2026-11-18T17:00",
        "2026-11-16T09:10",
        "2026-11-18T17:00",
    ):
        clock.set(f"{now}:00-06:00")
        sent += len(send(loaded, clinic))
    assert sent == 2


def test_a_clock_that_jumps_beyond_the_visit_and_back_loses_no_reminder(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    clock.set("2027-11-16T09:10:00-06:00")
    assert send(loaded, clinic) == []
    clock.set("2026-11-16T17:00:00-06:00")
    assert len(send(loaded, clinic)) == 1


def test_a_reminder_that_falls_into_the_night_goes_out_in_the_morning(database, clock):
    clinic = load(database, make_clinic(sessions=["06:00-12:00"]))
    with database.transaction() as session:
        patient_id = make_patient(session, phone=PHONE).id
    time = {"service_id": "visit", "practitioner_id": "lindgren", "location_id": "here"}
    book(database, clinic, patient_id, start="2026-11-20T06:30", **time)
    clock.set("2026-11-17T06:30:00-06:00")
    assert send(database, clinic) == []
    clock.set("2026-11-17T07:59:00-06:00")
    assert send(database, clinic) == []
    clock.set("2026-11-17T08:00:00-06:00")
    assert len(send(database, clinic)) == 1


def test_what_the_morning_would_bring_too_late_is_left_out(database, clock):
    clinic = load(database, make_clinic(sessions=["06:00-12:00"], reminders={"send_before_hours": [2]}))
    with database.transaction() as session:
        patient_id = make_patient(session, phone=PHONE).id
    time = {"service_id": "visit", "practitioner_id": "lindgren", "location_id": "here"}
    book(database, clinic, patient_id, start="2026-11-20T08:30", **time)
    book(database, clinic, patient_id, start="2026-11-20T09:30", key="b", **time)
    clock.set("2026-11-20T06:45:00-06:00")
    assert send(database, clinic) == []
    clock.set("2026-11-20T08:00:00-06:00")
    assert [text.split(" at ")[1][:7] for text in send(database, clinic)] == ["9:30 AM"]


def test_a_message_that_waited_into_the_night_is_kept_until_morning(loaded, clinic, clock, patient):
    book(loaded, clinic, patient)
    clock.set("2026-11-16T20:59:00-06:00")
    remind(loaded, clinic)
    clock.set("2026-11-16T21:00:00-06:00")
    assert send(loaded, clinic) == []
    clock.set("2026-11-17T08:00:00-06:00")
    assert len(send(loaded, clinic)) == 1


def test_a_moved_visit_is_reminded_of_anew_and_the_old_reminder_withdrawn(loaded, clinic, clock, patient):
    visit = book(loaded, clinic, patient)
    clock.set("2026-11-16T17:10:00-06:00")
    remind(loaded, clinic)  # queued, not sent yet
    with loaded.transaction() as session:
        later = make_free_time(clinic, start="2026-11-24T14:00")
        booking.reschedule(session, clinic, appointment_id=visit.id, time=later, agent="test", key="move")
    assert send(loaded, clinic) == []
    assert [message.status for message in queued(loaded)] == [Delivery.WITHHELD]
    clock.set("2026-11-21T14:00:00-06:00")
    [text] = send(loaded, clinic)
    assert "Tuesday, November 24 at 2:00 PM" in text


def test_a_cancelled_visit_is_not_reminded_of(loaded, clinic, clock, patient):
    visit = book(loaded, clinic, patient)
    other = book(loaded, clinic, patient, start="2026-11-19T14:00", key="other")
    with loaded.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit.id, agent="test", key="cancel")
    clock.set("2026-11-16T17:10:00-06:00")
    remind(loaded, clinic)
    with loaded.transaction() as session:
        booking.cancel(session, clinic, appointment_id=other.id, agent="test", key="cancel other")
    assert send(loaded, clinic) == []


def test_who_has_confirmed_is_not_asked_again(loaded, clinic, clock, patient):
    visit = book(loaded, clinic, patient)
    with loaded.transaction() as session:
        booking.confirm(session, appointment_id=visit.id, agent="test", key="confirm")
    clock.set("2026-11-18T16:10:00-06:00")
    [text] = send(loaded, clinic)
    assert "C to confirm" not in text
    assert "Reply R to move it." in text


def test_who_opted_out_gets_none_and_none_is_made_up_for_later(loaded, clinic, clock, patient):
    book(loaded, clinic, patient, start="2026-11-20T14:00", practitioner_id="tanaka", location_id="south")
    with loaded.transaction() as session:
        messaging.record_opt_out(session, PHONE, out=True, source="keyword")
    clock.set("2026-11-17T17:10:00-06:00")
    assert send(loaded, clinic) == []
    with loaded.transaction() as session:
        messaging.record_opt_out(session, PHONE, out=False, source="keyword")
    assert send(loaded, clinic) == []
    clock.set("2026-11-19T16:10:00-06:00")
    assert len(send(loaded, clinic)) == 1


def test_spanish_speakers_are_reminded_in_spanish_in_two_segments_at_most(loaded, clinic, clock):
    with loaded.transaction() as session:
        patient = make_patient(session, phone=PHONE)
        patient.language = "es-MX"
    book(loaded, clinic, patient.id)
    book(loaded, clinic, patient.id, start="2026-11-21T09:00", practitioner_id="sorensen", key="sat")
    clock.set("2026-11-18T16:10:00-06:00")
    [weekday] = send(loaded, clinic)
    clock.set("2026-11-19T08:10:00-06:00")  # one a day
    [saturday] = send(loaded, clinic)
    assert weekday.startswith("Recordatorio de Maple Grove Clinic: su cita es el jueves 19 de noviembre, 1:00 PM. Responda C ")
    assert len(weekday) <= 160
    assert "sábado 21 de noviembre" in saturday
    assert segments(on_air(saturday)) == 1  # á goes on air as a, and the sentence about STOP stays


def test_a_number_of_two_patients_is_told_whose_visit_it_is(loaded, clinic, clock, patient):
    with loaded.transaction() as session:
        child = make_patient(session, given="Leo", birth_date="2018-03-01", phone=PHONE).id
    book(loaded, clinic, child)
    clock.set("2026-11-16T17:10:00-06:00")
    assert "Leo's visit is on Thursday" in send(loaded, clinic)[0]


def test_reminders_keep_their_hours_over_both_nights_when_the_clocks_change(loaded, clinic, clock, patient):
    clock.set("2026-10-26T09:10:00-05:00")
    book(loaded, clinic, patient, start="2026-11-02T09:00")
    clock.set("2026-10-30T09:59:00-05:00")
    assert send(loaded, clinic) == []
    clock.set("2026-10-30T10:00:00-05:00")
    assert "Monday, November 2 at 9:00 AM" in send(loaded, clinic)[0]
    clock.set("2026-11-01T08:59:00-06:00")
    assert send(loaded, clinic) == []
    clock.set("2026-11-01T09:00:00-06:00")
    assert "Monday, November 2 at 9:00 AM" in send(loaded, clinic)[0]
    clock.set("2027-03-10T09:10:00-06:00")
    book(loaded, clinic, patient, start="2027-03-15T08:00", key="spring")
    clock.set("2027-03-12T07:59:00-06:00")  # the 72 hours were over at 7:00: too early to write
    assert send(loaded, clinic) == []
    clock.set("2027-03-12T08:00:00-06:00")
    assert "Monday, March 15 at 8:00 AM" in send(loaded, clinic)[0]
    clock.set("2027-03-14T08:00:00-05:00")
    assert len(send(loaded, clinic)) == 1


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-10-31T23:30-05:00", "2026-11-01T08:00-06:00"),  # the night with an hour more
        ("2026-11-01T01:30-05:00", "2026-11-01T08:00-06:00"),
        ("2026-11-01T01:30-06:00", "2026-11-01T08:00-06:00"),
        ("2027-03-13T22:00-06:00", "2027-03-14T08:00-05:00"),  # the night with an hour less
        ("2027-03-14T03:00-05:00", "2027-03-14T08:00-05:00"),
        ("2026-11-16T20:59-06:00", None),
        ("2026-11-16T21:00-06:00", "2026-11-17T08:00-06:00"),
        ("2026-11-16T08:00-06:00", None),
        ("2026-11-16T07:59-06:00", "2026-11-16T08:00-06:00"),
    ],
)
def test_quiet_hours_are_wall_time(clinic, at, until):
    found = sending.quiet_until(clinic, phone=PHONE, at=dt.datetime.fromisoformat(at))
    assert found == (dt.datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize(
    ("phone", "at", "until"),
    [
        ("+14155550142", "2026-11-16T08:30-06:00", "2026-11-16T10:00-06:00"),  # San Francisco still sleeps
        ("+14155550142", "2026-11-16T21:30-06:00", "2026-11-17T10:00-06:00"),  # the clinic's town does, the number's not yet
        ("+12125550142", "2026-11-16T20:30-06:00", "2026-11-17T08:00-06:00"),  # New York sleeps already
        ("+18005550142", "2026-11-16T08:30-06:00", None),  # belongs to no place
        ("anonymous", "2026-11-16T08:30-06:00", None),
    ],
)
def test_quiet_hours_are_kept_where_the_number_is_from_as_well(clinic, phone, at, until):
    found = sending.quiet_until(clinic, phone=phone, at=dt.datetime.fromisoformat(at))
    assert found == (dt.datetime.fromisoformat(until) if until else None)


def test_two_workers_at_once_send_each_reminder_once(loaded, clinic, clock):
    with loaded.transaction() as session:
        people = [make_patient(session).id for _ in range(24)]
    for number, patient_id in enumerate(people):
        minutes = number * 20
        book(
            loaded,
            clinic,
            patient_id,
            start=f"2026-11-19T{8 + minutes // 60:02}:{minutes % 60:02}",
            key=f"{number}",
            service_id="vaccine",
            practitioner_id="nurse-abara",
        )
    clock.set("2026-11-18T16:10:00-06:00")
    mishaps: list[Exception] = []

    def work() -> None:
        try:
            while True:
                with loaded.transaction() as session:
                    if not reminders.send_due(session, clinic, limit=3):
                        return
        except Exception as mishap:
            mishaps.append(mishap)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert mishaps == []
    assert len(queued(loaded)) == 24
    assert len({message.appointment_id for message in queued(loaded)}) == 24


def test_the_last_reminder_names_the_visit_that_an_answer_is_about(loaded, clinic, clock, patient):
    first = book(loaded, clinic, patient, start="2026-11-19T13:00")
    second = book(loaded, clinic, patient, start="2026-11-19T15:00", key="second")

    def named() -> str | None:
        with loaded.reading() as session:
            visit = reminders.named(session, phone=PHONE)
            return visit and visit.id

    assert named() is None
    clock.set("2026-11-16T13:00:00-06:00")
    remind(loaded, clinic)
    assert named() is None  # queued only: nobody has read it
    send(loaded, clinic)
    assert named() == first.id
    clock.set("2026-11-16T15:00:00-06:00")
    assert send(loaded, clinic) == []  # one a day
    clock.set("2026-11-17T08:00:00-06:00")
    send(loaded, clinic)
    assert named() == second.id
    with loaded.transaction() as session:
        assert [visit.id for visit in reminders.asked_about(session, phone=PHONE)] == [second.id, first.id]
        later = make_free_time(clinic, start="2026-11-24T14:00")
        booking.reschedule(session, clinic, appointment_id=second.id, time=later, agent="test", key="move")
    assert named() is None
    clock.set("2026-11-18T13:00:00-06:00")
    send(loaded, clinic)
    assert named() == first.id
    clock.set("2026-11-19T13:10:00-06:00")
    assert named() == first.id  # running late
    clock.set("2026-11-19T13:20:00-06:00")
    assert named() is None


def test_nobody_is_reminded_through_a_number_that_is_not_there(loaded, clinic, clock):
    with loaded.transaction() as session:
        patient = make_patient(session)
        patient.phones = []
    book(loaded, clinic, patient.id)
    clock.set("2026-11-16T17:10:00-06:00")
    assert send(loaded, clinic) == []


def test_a_reminder_is_written_in_the_language_spoken_last(loaded, clinic, clock, patient):
    with loaded.transaction() as session:
        make_conversation(session, phone=PHONE).language = "es"
    book(loaded, clinic, patient)
    clock.set("2026-11-16T17:10:00-06:00")
    assert send(loaded, clinic)[0].startswith("Recordatorio")


def test_an_old_reminder_of_another_number_names_nothing(loaded, clinic, patient):
    with loaded.transaction() as session:
        session.add(
            Communication(
                id=new_id(),
                channel="sms",
                direction=Direction.OUT,
                phone="+14145550199",
                body="Reminder",
                author="system",
                status=Delivery.SENT,
                kind="reminder",
                appointment_id=None,
                created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
            )
        )
    with loaded.reading() as session:
        assert reminders.named(session, phone="+14145550199") is None
