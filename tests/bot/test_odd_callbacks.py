"""Status callbacks that belong to nothing, and the nights when the clocks change, as the running house meets them."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from bot.settings import DEMO_ACCOUNT_SID
from scheduling_core import booking, messaging, reminders
from scheduling_core.models import Communication, Delivery, Task
from tests.bot.conftest import PATIENT, House
from tests.factories import make_free_time, make_patient


def callback(house: House, query: str = "", **params: str) -> int:
    told = {"AccountSid": DEMO_ACCOUNT_SID, "To": PATIENT} | params
    return house.post(f"/twilio/status{query}", told).status_code


def statuses(house: House) -> list[Delivery]:
    with house.database.reading() as session:
        return list(session.scalars(select(Communication.status).order_by(Communication.sequence)))


def test_a_callback_for_an_unknown_id_is_taken_and_changes_nothing(sqlite_house: House):
    with sqlite_house.database.transaction() as session:
        messaging.queue(session, phone=PATIENT, body="hello", author="assistant", kind="reply")
    sqlite_house.worker().send_due()
    for query in ("", "?message=nobody&attempt=1", "?message=nobody&attempt=x", "?message=&attempt=", "?attempt=-1"):
        for said in ("delivered", "failed", "undelivered", "read"):
            params = {"MessageSid": f"SM{uuid.uuid4().hex}", "MessageStatus": said, "ErrorCode": "30006"}
            assert callback(sqlite_house, query, **params) == 204
    assert statuses(sqlite_house) == [Delivery.SENT]
    with sqlite_house.database.reading() as session:
        assert session.scalars(select(Task)).all() == []


def test_callbacks_in_any_order_and_twice_end_with_the_last_state(sqlite_house: House):
    with sqlite_house.database.transaction() as session:
        messaging.queue(session, phone=PATIENT, body="hello", author="assistant", kind="reply")
    sqlite_house.worker().send_due()
    sid = sqlite_house.twilio.sent[0]["sid"]
    for said in ("delivered", "sent", "delivered", "queued", "failed"):
        callback(sqlite_house, MessageSid=sid, MessageStatus=said)
    assert statuses(sqlite_house) == [Delivery.DELIVERED]


@pytest.mark.parametrize(
    ("booked", "start", "night", "morning"),
    [
        # the reminder of 24 hours falls into the night in which the clock skips 2:00 to 3:00, and into the one that has 1:00 twice
        ("2027-03-11T09:00:00-06:00", "2027-03-15T08:30", "2027-03-14T03:30:00-05:00", "2027-03-14T08:30:00-05:00"),
        ("2026-10-29T09:00:00-05:00", "2026-11-02T08:30", "2026-11-01T01:30:00-06:00", "2026-11-01T08:30:00-06:00"),
    ],
)
def test_in_both_nights_nothing_goes_out_and_the_reminder_comes_once_in_the_morning(
    sqlite_house: House, clinic, clock, booked: str, start: str, night: str, morning: str
):
    clock.set(booked)
    with sqlite_house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        time = make_free_time(clinic, start=start)
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")
    worker = sqlite_house.worker()

    def work(at: str) -> int:
        clock.set(at)
        with sqlite_house.database.transaction() as session:
            reminders.send_due(session, clinic)
        worker.send_due()
        return len(sqlite_house.twilio.sent)

    assert work(night) == 0
    assert work(morning) == 1
    assert work(night) == 1
    assert work(morning) == 1
