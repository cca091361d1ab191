"""What goes out: rows first, claimed in order, never to who opted out."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select

from scheduling_core import deliveries, messaging, times
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, Communication, Delivery
from tests.conftest import Clock
from tests.factories import make_patient

RUTH, OLGA = "+14145550142", "+14145550143"


def _queue(database: Database, body: str, *, phone: str = RUTH, kind: str = "reply", **more: object) -> Communication:
    with database.transaction() as session:
        return messaging.queue(session, phone=phone, body=body, author="assistant", kind=kind, **more)  # type: ignore[arg-type]


def _claim(database: Database, worker: str = "w1", lease_seconds: float = 60.0) -> list[Communication]:
    with database.transaction() as session:
        return messaging.claim_due(session, worker=worker, limit=10, lease_seconds=lease_seconds)


def _status(database: Database, message: Communication) -> Delivery:
    with database.reading() as session:
        return session.scalars(select(Communication.status).where(Communication.id == message.id)).one()


def test_messages_of_one_number_go_out_one_after_the_other(database: Database) -> None:
    _queue(database, "first")
    _queue(database, "second")
    _queue(database, "other", phone=OLGA)
    claimed = _claim(database)
    assert [message.body for message in claimed] == ["first", "other"]
    assert [message.status for message in claimed] == [Delivery.SENDING, Delivery.SENDING]
    assert _claim(database, "w2") == []
    with database.transaction() as session:
        messaging.mark_sent(session, communication_id=claimed[0].id, external_id="SM1")
    assert [message.body for message in _claim(database)] == ["second"]


def test_no_more_messages_are_claimed_than_there_is_room_for(database: Database) -> None:
    with database.transaction() as session:
        for number in range(60):
            messaging.queue(session, phone=f"+1414555{number:04}", body="hello", author="assistant", kind="reply")
    claims = [_claim(database) for _ in range(6)]
    assert [len(claimed) for claimed in claims] == [10] * 6
    assert len({message.id for claimed in claims for message in claimed}) == 60


def test_a_message_waits_until_it_is_due_and_holds_up_nobody_meanwhile(database: Database, clock: Clock) -> None:
    _queue(database, "reminder", due_at=times.now() + dt.timedelta(hours=2))
    _queue(database, "now")
    [now] = _claim(database)
    assert now.body == "now"
    with database.transaction() as session:
        messaging.mark_sent(session, communication_id=now.id, external_id="SM1")
    assert _claim(database) == []
    clock.set("2026-11-16T11:10:00-06:00")
    assert [message.body for message in _claim(database)] == ["reminder"]


def test_what_a_dead_worker_left_is_unknown_and_not_sent_again(database: Database) -> None:
    message = _queue(database, "hello")
    _claim(database, lease_seconds=-1)
    assert _claim(database, "w2") == []
    assert _status(database, message) is Delivery.UNKNOWN
    with database.reading() as session:
        assert [row.id for row in messaging.unknown(session, limit=10)] == [message.id]


def test_a_passing_failure_is_tried_again_and_keeps_the_order(database: Database) -> None:
    message = _queue(database, "first")
    _queue(database, "second")
    _claim(database)
    with database.transaction() as session:
        messaging.mark_failed(session, communication_id=message.id, error="503", permanent=False, retry_in=60)
    assert _claim(database) == []
    with database.transaction() as session:
        messaging.mark_failed(session, communication_id=message.id, error="503", permanent=False, retry_in=0)
    [again] = _claim(database)
    assert (again.body, again.attempts) == ("first", 2)


def test_a_final_failure_lets_the_next_one_go(database: Database) -> None:
    message = _queue(database, "first")
    _queue(database, "second")
    _claim(database)
    with database.transaction() as session:
        messaging.mark_failed(session, communication_id=message.id, error="21211", permanent=True)
    assert [message.body for message in _claim(database)] == ["second"]


def test_one_message_for_one_key(database: Database) -> None:
    first = _queue(database, "hello", key="turn-1")
    assert _queue(database, "hello", key="turn-1").id == first.id
    assert len(_claim(database)) == 1


def test_many_workers_send_every_message_once_and_in_order(database: Database) -> None:
    for number in range(4):
        for phone in (RUTH, OLGA, "+14145550144"):
            _queue(database, str(number), phone=phone)
    sent: list[tuple[str, int]] = []

    def work(worker: str) -> None:
        for _ in range(200):
            with database.transaction() as session:
                claimed = messaging.claim_due(session, worker=worker, limit=2, lease_seconds=60)
            for message in claimed:
                sent.append((message.phone, int(message.body)))
                with database.transaction() as session:
                    messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{message.id}")
            if len(sent) == 12:
                return

    workers = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(sent) == sorted((phone, number) for phone in (RUTH, OLGA, "+14145550144") for number in range(4))
    for phone in (RUTH, OLGA, "+14145550144"):
        assert [number for to, number in sent if to == phone] == [0, 1, 2, 3]


def test_nothing_goes_to_who_opted_out_until_they_opt_in_again(database: Database) -> None:
    waiting = _queue(database, "reminder")
    with database.transaction() as session:
        messaging.record_opt_out(session, RUTH, out=True, source="keyword")
        assert messaging.opted_out(session, RUTH)
        assert not messaging.opted_out(session, OLGA)
    assert _status(database, waiting) is Delivery.WITHHELD
    assert _queue(database, "reply").status is Delivery.WITHHELD
    with database.transaction() as session:
        messaging.record_opt_out(session, RUTH, out=False, source="keyword")
        assert not messaging.opted_out(session, RUTH)
    assert _queue(database, "reply").status is Delivery.QUEUED


def test_a_text_that_is_tried_again_does_not_reach_who_opted_out_meanwhile(database: Database) -> None:
    message = _queue(database, "hello")
    _claim(database)
    with database.transaction() as session:
        messaging.record_opt_out(session, RUTH, out=True, source="keyword")
        messaging.mark_failed(session, communication_id=message.id, error="503", permanent=False, retry_in=0)
    assert _claim(database) == []
    assert _status(database, message) is Delivery.WITHHELD


@pytest.mark.parametrize("kind", ["emergency", "opt-out"])
def test_the_emergency_sentence_and_the_confirmation_reach_who_opted_out(database: Database, kind: str) -> None:
    with database.transaction() as session:
        messaging.record_opt_out(session, RUTH, out=True, source="words")
    assert _queue(database, "Call 911 now.", kind=kind).status is Delivery.QUEUED


def test_what_the_carrier_says_later_is_kept(database: Database) -> None:
    message = _queue(database, "hello")
    with database.transaction() as session:
        messaging.mark_sent(session, communication_id=message.id, external_id="SM1")
        assert deliveries.record(session, external_id="SM1", status=Delivery.DELIVERED)
        assert deliveries.record(session, external_id="SM1", status=Delivery.SENT)
        assert not deliveries.record(session, external_id="SM2", status=Delivery.SENT)
    assert _status(database, message) is Delivery.DELIVERED


def test_a_message_about_a_patient_is_audited(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
    message = _queue(database, "hello", patient_id=ruth.id, conversation_id="c1")
    with database.reading() as session:
        row = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Communication")).one()
        assert (row.agent, row.action, row.entity_id, row.patient_id) == ("assistant:c1", "C", message.id, ruth.id)
