"""The worker: every message of the outbox goes out once, wherever a worker is killed."""

from __future__ import annotations

import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from bot import worker as working
from bot.channels.sender import DemoCarrier, Text, TwilioSender, create_sender
from bot.settings import DEMO_ACCOUNT_SID
from scheduling_core import messaging
from scheduling_core.models import Channel, Communication, Delivery, Task
from tests.bot.conftest import CLINIC, PATIENT, House, make_settings


def queue(house: House, body: str, *, phone: str = PATIENT, kind: str = "reply") -> str:
    with house.database.transaction() as session:
        return messaging.queue(session, phone=phone, body=body, author="assistant", kind=kind).id


def status(house: House, message_id: str) -> Delivery:
    with house.database.reading() as session:
        return session.scalars(select(Communication.status).where(Communication.id == message_id)).one()


def let_the_lease_end(house: House) -> None:
    with house.database.transaction() as session:
        session.execute(update(Communication).values(worker_until=time.time() - 10))


def test_a_message_goes_out_with_the_clinics_number_and_a_status_address(house: House):
    message = queue(house, "Hello <you> & 🙂")
    assert house.worker().send_due() == 1
    (sent,) = house.twilio.sent
    assert (sent["To"], sent["From"], sent["Body"]) == (PATIENT, CLINIC, "Hello <you> & 🙂")
    assert sent["StatusCallback"] == f"https://clinic.example/twilio/status?message={message}&attempt=1"
    assert status(house, message) is Delivery.SENT


def test_messages_to_one_number_go_out_in_their_order(house: House):
    for number in range(3):
        queue(house, f"message {number}")
    worker = house.worker()
    while worker.send_due():
        pass
    assert house.twilio.bodies() == ["message 0", "message 1", "message 2"]


def test_many_workers_at_once_send_each_message_once(house: House):
    for number in range(30):
        queue(house, f"message {number}", phone=f"+1414555{number:04d}")
    workers = [house.worker() for _ in range(4)]

    def _work(worker: working.Worker) -> None:
        while worker.send_due():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_work, workers))
    assert sorted(sent["Body"] for sent in house.twilio.sent) == sorted(f"message {number}" for number in range(30))


def test_a_worker_killed_before_it_sent_sends_once(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    message = queue(house, "hello")
    with house.database.transaction() as session:
        messaging.claim_due(session, worker="killed", limit=5, lease_seconds=60)
    worker = house.worker()
    assert worker.send_due() == 0
    let_the_lease_end(house)
    assert worker.send_due() == 0  # it may have been sent: that is found out first
    assert status(house, message) is Delivery.UNKNOWN
    assert worker.reconcile() == 1
    assert worker.send_due() == 1
    assert house.twilio.bodies() == ["hello"]


def test_a_worker_killed_after_it_sent_does_not_send_again(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    message = queue(house, "hello")
    worker = house.worker()

    def _killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(messaging, "mark_sent", _killed)
        with pytest.raises(KeyboardInterrupt):
            worker.send_due()
    with house.database.transaction() as session:
        session.execute(update(Communication).values(worker_until=Communication.worker_until - working.LEASE_SECONDS - 1))
    worker.send_due()
    assert worker.reconcile() == 1
    assert status(house, message) is Delivery.SENT
    assert worker.send_due() == 0
    assert house.twilio.bodies() == ["hello"]


def test_a_connection_lost_after_the_carrier_took_it_is_reconciled(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    house.twilio.lose = True
    message = queue(house, "hello")
    worker = house.worker()
    worker.send_due()
    assert status(house, message) is Delivery.UNKNOWN
    house.twilio.lose = False
    assert worker.reconcile() == 1
    assert status(house, message) is Delivery.SENT
    assert house.twilio.bodies() == ["hello"]


def test_what_is_unknown_is_not_sent_again_while_the_carrier_cannot_be_asked(house: House):
    house.twilio.lose = True
    message = queue(house, "hello")
    worker = house.worker()
    worker.send_due()
    house.twilio.stop()
    assert worker.reconcile() == 0
    assert worker.send_due() == 0
    assert status(house, message) is Delivery.UNKNOWN


def test_a_refusal_for_good_is_not_tried_again_and_staff_are_told(house: House):
    house.twilio.refuse = (400, 21211)
    message = queue(house, "hello")
    worker = house.worker()
    worker.send_due()
    assert status(house, message) is Delivery.FAILED
    assert worker.send_due() == 0
    with house.database.reading() as session:
        task = session.scalars(select(Task)).one()
    assert (task.reason, task.phone) == ("wrong-number", PATIENT)


def test_who_opted_out_with_the_carrier_has_opted_out_with_us(house: House):
    house.twilio.refuse = (400, 21610)
    queue(house, "hello")
    house.worker().send_due()
    with house.database.reading() as session:
        assert messaging.opted_out(session, PATIENT)
        assert session.scalars(select(Task)).all() == []


@pytest.mark.parametrize("refusal", [(429, 20429), (503, 20503), (401, 20003)])
def test_a_passing_refusal_is_tried_again_later(house: House, refusal: tuple[int, int]):
    house.twilio.refuse = refusal
    message = queue(house, "hello")
    worker = house.worker()
    worker.send_due()
    assert status(house, message) is Delivery.QUEUED
    assert worker.send_due() == 0  # not at once
    house.twilio.refuse = None
    with house.database.transaction() as session:
        session.execute(update(Communication).values(retry_at=0.0))
    assert worker.send_due() == 1
    assert house.twilio.bodies() == ["hello"]


def test_a_carrier_that_cannot_be_read_ends_no_worker(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    message, other = queue(house, "hello"), queue(house, "hi", phone="+14145550177")
    worker = house.worker()

    class Unreadable(DemoCarrier):
        def send(self, text: Text) -> str:
            if text.to == PATIENT:
                raise KeyError(text.to)
            return super().send(text)

        def find(self, text: Text, *, since: float) -> list[str]:
            raise ValueError(text.body)

    monkeypatch.setattr(worker, "_sender", Unreadable())
    assert worker.send_due() == 2
    assert (status(house, message), status(house, other)) == (Delivery.UNKNOWN, Delivery.SENT)
    assert worker.reconcile() == 0
    monkeypatch.setattr(working, "GIVE_UP_ASKING_AFTER", 0.0)
    with house.database.transaction() as session:
        session.execute(update(Communication).values(retry_at=0.0, worker_until=time.time() - 1))
    assert worker.reconcile() == 0
    assert status(house, message) is Delivery.FAILED


def test_nobody_there_is_tried_again(house: House):
    house.twilio.stop()
    message = queue(house, "hello")
    house.worker().send_due()
    assert status(house, message) is Delivery.QUEUED


def call(house: House) -> str:
    with house.database.transaction() as session:
        return messaging.queue(
            session, phone=PATIENT, channel=Channel.VOICE, body="Please call us.", author="system", kind="reply"
        ).id


def test_a_call_says_the_words_and_tells_later_how_it_went(house: House):
    message = call(house)
    house.worker().send_due()
    (sent,) = house.twilio.sent
    assert (sent["To"], sent["From"]) == (PATIENT, CLINIC)
    assert ET.fromstring(sent["Twiml"]).findtext("Say") == "Please call us."
    told = {"CallSid": sent["sid"], "CallStatus": "no-answer", "AccountSid": DEMO_ACCOUNT_SID}
    house.post(f"/twilio/status?message={message}&attempt=1", told)
    assert status(house, message) is Delivery.QUEUED  # it is tried again later
    with house.database.transaction() as session:
        session.execute(update(Communication).values(retry_at=0.0))
    house.worker().send_due()
    told |= {"CallSid": house.twilio.sent[-1]["sid"], "CallStatus": "completed"}
    house.post(f"/twilio/status?message={message}&attempt=2", told)
    assert status(house, message) is Delivery.DELIVERED


def test_a_call_that_was_lost_is_found_among_the_calls(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    house.twilio.lose = True
    message = call(house)
    worker = house.worker()
    worker.send_due()
    house.twilio.lose = False
    assert worker.reconcile() == 1
    assert status(house, message) is Delivery.SENT
    assert len(house.twilio.sent) == 1


def test_the_carriers_callback_settles_a_send_that_broke_off(house: House):
    house.twilio.lose = True
    message = queue(house, "hello")
    house.worker().send_due()
    told = {"MessageSid": house.twilio.sent[0]["sid"], "MessageStatus": "delivered", "AccountSid": DEMO_ACCOUNT_SID}
    assert house.post(f"/twilio/status?message={message}&attempt=1", told).status_code == 204
    assert status(house, message) is Delivery.DELIVERED


def test_of_two_equal_texts_that_were_lost_each_is_found_once(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    house.twilio.lose = True
    both = [queue(house, "hello"), queue(house, "hello")]
    worker = house.worker()
    for _ in both:
        worker.send_due()
        worker.reconcile()
    assert [status(house, one) for one in both] == [Delivery.SENT, Delivery.SENT]
    assert house.twilio.bodies() == ["hello", "hello"]


def test_the_loop_sends_what_comes_and_ends_when_told(house: House):
    stop = threading.Event()
    loop = threading.Thread(target=house.worker().work_until, args=(stop,))
    loop.start()
    queue(house, "hello")
    until = time.monotonic() + 10
    while not house.twilio.sent:
        assert time.monotonic() < until
        time.sleep(0.02)
    stop.set()
    loop.join(5)
    assert not loop.is_alive()


class HungCarrier(DemoCarrier):
    """Answers at once, save for one number: there it waits."""

    def __init__(self) -> None:
        self.answers, self.sent = threading.Event(), 0

    def send(self, text: Text) -> str:
        if text.to == PATIENT:
            self.answers.wait(20)
        self.sent += 1
        return super().send(text)


def test_an_answer_that_does_not_come_holds_up_nobody_else(house: House):
    waiting = queue(house, "hello")
    others = [queue(house, "hello", phone=f"+1414555{number:04d}") for number in range(60)]  # more than are claimed at once
    carrier, stop = HungCarrier(), threading.Event()
    worker = working.Worker(house.database, carrier, house.app.extensions["frontdesk"][1])
    loop = threading.Thread(target=worker.work_until, args=(stop,))
    loop.start()
    until = time.monotonic() + 20
    while carrier.sent < len(others) and time.monotonic() < until:
        time.sleep(0.02)
    assert carrier.sent == len(others)
    assert status(house, waiting) is Delivery.SENDING
    carrier.answers.set()
    stop.set()
    loop.join(10)
    worker.close()
    assert status(house, waiting) is Delivery.SENT


def test_without_twilio_the_demo_carrier_delivers(tmp_path):
    assert isinstance(create_sender(make_settings(tmp_path, "sqlite://")), DemoCarrier)
    assert isinstance(create_sender(make_settings(tmp_path, "sqlite://", twilio_api_url="http://127.0.0.1:9")), TwilioSender)
    assert isinstance(create_sender(make_settings(tmp_path, "sqlite://", twilio_account_sid="AC" + "1" * 32)), TwilioSender)
