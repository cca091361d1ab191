"""What becomes of a message: callbacks in any order, and what follows from each kind of failure."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, deliveries, messaging, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.deliveries import Remedy, remedy
from scheduling_core.models import Channel, Communication, Delivery, Task
from tests.factories import make_free_time, make_patient

RUTH = "+14145550142"


def _claimed(database: Database, kind: str = "reply", **more: object) -> Communication:
    with database.transaction() as session:
        messaging.queue(session, phone=RUTH, body="hello", author="system", kind=kind, **more)  # type: ignore[arg-type]
        [message] = messaging.claim_due(session, worker="w1", limit=1, lease_seconds=60)
    return message


def _say(database: Database, status: Delivery, *, sid: str = "SM1", **more: object) -> bool:
    with database.transaction() as session:
        return deliveries.record(session, external_id=sid, status=status, **more)  # type: ignore[arg-type]


def _sent(database: Database, message: Communication, sid: str = "SM1") -> None:
    with database.transaction() as session:
        messaging.mark_sent(session, communication_id=message.id, external_id=sid)


def _now(database: Database, message: Communication) -> Communication:
    with database.reading() as session:
        return session.scalars(select(Communication).where(Communication.id == message.id)).one()


@pytest.mark.parametrize(
    ("code", "kind", "attempts", "calls", "expected"),
    [
        ("30003", "reply", 1, True, Remedy.LATER),
        ("30005", "reminder", 3, True, Remedy.LATER),
        ("30008", "reply", 4, True, Remedy.STAFF),
        ("30006", "reminder", 1, True, Remedy.BY_VOICE),
        ("21635", "reminder", 1, False, Remedy.STAFF),
        ("30006", "offer", 1, True, Remedy.STAFF),
        ("21610", "reply", 1, True, Remedy.OPTED_OUT),
        ("21211", "reply", 1, True, Remedy.WRONG_NUMBER),
        ("21614", "reminder", 1, True, Remedy.WRONG_NUMBER),
        ("30007", "reply", 1, True, Remedy.STAFF),
    ],
)
def test_each_kind_of_failure_has_its_remedy(code: str, kind: str, attempts: int, calls: bool, expected: Remedy) -> None:
    assert remedy(code, kind=kind, attempts=attempts, calls=calls) is expected


def test_a_callback_that_overtakes_the_worker_is_kept(loaded: Database) -> None:
    message = _claimed(loaded)
    assert _say(loaded, Delivery.DELIVERED, communication_id=message.id, attempt=1)
    _sent(loaded, message)
    found = _now(loaded, message)
    assert (found.status, found.external_id) == (Delivery.DELIVERED, "SM1")


def test_a_callback_settles_a_message_whose_fate_was_unknown(loaded: Database) -> None:
    message = _claimed(loaded)
    with loaded.transaction() as session:
        messaging.mark_unknown(session, communication_id=message.id, error="timeout")
    assert _say(loaded, Delivery.SENT, communication_id=message.id, attempt=1)
    assert _now(loaded, message).status is Delivery.SENT
    with loaded.reading() as session:
        assert messaging.unknown(session, limit=5) == []


def test_a_later_state_is_never_overwritten_by_an_earlier_one(loaded: Database) -> None:
    message = _claimed(loaded)
    _sent(loaded, message)
    for status in (Delivery.SENT, Delivery.DELIVERED, Delivery.SENT, Delivery.FAILED, Delivery.SENT):
        assert _say(loaded, status)
    assert _now(loaded, message).status is Delivery.DELIVERED


def test_a_phone_that_is_switched_off_is_tried_later_with_growing_pauses_and_then_given_to_staff(loaded: Database) -> None:
    message = _claimed(loaded)
    pauses = []
    for attempt in range(1, 5):
        _sent(loaded, message, f"SM{attempt}")
        _say(loaded, Delivery.FAILED, sid=f"SM{attempt}", error="30003")
        waiting = _now(loaded, message)
        if attempt == 4:
            assert waiting.status is Delivery.FAILED
            break
        assert waiting.status is Delivery.QUEUED
        pauses.append(waiting.retry_at - time.time())
        _say(loaded, Delivery.SENT, sid=f"SM{attempt}")  # late, and of no use
        with loaded.transaction() as session:
            session.execute(update(Communication).values(retry_at=0.0))
            [message] = messaging.claim_due(session, worker="w1", limit=1, lease_seconds=60)
    assert pauses[0] > 200
    assert [later > 3 * sooner for sooner, later in pairwise(pauses)] == [True, True]
    with loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["not-delivered"]


def test_a_text_that_is_tried_later_holds_up_no_reply_meanwhile(loaded: Database) -> None:
    _sent(loaded, _claimed(loaded))
    _say(loaded, Delivery.FAILED, error="30003")
    assert _claimed(loaded).attempts == 1


def test_one_that_arrived_after_all_is_not_sent_again(loaded: Database) -> None:
    message = _claimed(loaded)
    _sent(loaded, message)
    _say(loaded, Delivery.FAILED, error="30008")
    assert _say(loaded, Delivery.DELIVERED)
    assert _now(loaded, message).status is Delivery.DELIVERED


def test_a_callback_about_an_earlier_try_says_nothing_of_the_one_under_way(loaded: Database) -> None:
    message = _claimed(loaded)
    _sent(loaded, message)
    _say(loaded, Delivery.FAILED, error="30003")
    with loaded.transaction() as session:
        session.execute(update(Communication).values(retry_at=0.0))
        messaging.claim_due(session, worker="w1", limit=1, lease_seconds=60)
    assert _say(loaded, Delivery.FAILED, error="30003", communication_id=message.id, attempt=1)
    assert _now(loaded, message).status is Delivery.SENDING


def test_a_landline_is_called_about_a_reminder_and_told_a_name_and_a_number_alone(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, phone=RUTH)
        visit = booking.book(
            session, clinic, patient_id=patient.id, time=make_free_time(clinic, start="2026-11-19T13:00"), agent="test", key="book"
        )
        key = sending.reminder_key(visit, 24)
    message = _claimed(loaded, "reminder", patient_id=patient.id, appointment_id=visit.id, key=key)
    _sent(loaded, message)
    _say(loaded, Delivery.FAILED, error="30006")
    with loaded.transaction() as session:
        [call] = messaging.claim_due(session, worker="w1", limit=5, lease_seconds=60)
    assert (call.channel, call.phone) == (Channel.VOICE, RUTH)
    assert call.body == ("This is Maple Grove Clinic with a message for you. Please call us at 4 1 4 5 5 5 0 1 0 0. Thank you.")


def test_who_opted_out_with_the_carrier_is_in_the_ledger_and_gets_nothing_more(loaded: Database) -> None:
    _sent(loaded, _claimed(loaded))
    _say(loaded, Delivery.FAILED, error="21610")
    with loaded.transaction() as session:
        assert messaging.opted_out(session, RUTH)
        assert session.scalars(select(Task)).all() == []
        late = messaging.queue(session, phone=RUTH, body="x", author="system", kind="reminder")
        assert late.status is Delivery.WITHHELD


def test_a_wrong_number_goes_to_staff_once(loaded: Database) -> None:
    _sent(loaded, _claimed(loaded))
    for _ in range(2):
        _say(loaded, Delivery.FAILED, error="21614")
    with loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["wrong-number"]


def test_a_callback_for_an_unknown_id_changes_nothing(loaded: Database) -> None:
    message = _claimed(loaded)
    assert not _say(loaded, Delivery.DELIVERED, sid="SM404")
    assert not _say(loaded, Delivery.DELIVERED, sid="SM404", communication_id="nobody", attempt=1)
    assert _now(loaded, message).status is Delivery.SENDING
