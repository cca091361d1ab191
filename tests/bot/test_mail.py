"""Mail: who gets it, what is in it, and what becomes of one that a server refuses."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from bot import worker as working
from bot.channels.mail import Mailer
from bot.channels.sender import DemoCarrier
from bot.settings import Settings, SettingsError
from bot.worker import Worker
from scheduling_core import booking, calendar_files, deliveries, messaging, news, reminders, sending
from scheduling_core.db import Database
from scheduling_core.models import Channel, Communication, Delivery, OptOut, Patient, PatientPhone, Task
from tests.core.clinics import load
from tests.factories import make_free_time, make_patient

RUTH = "ruth@home.example"


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail. `refuse`: the answer to RCPT; `lose`: it hangs up when it has the mail."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.got: list[EmailMessage] = []
        self.refuse: bytes | None = None
        self.lose = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"RCPT":
                    self.wfile.write(self.server.refuse or b"250 ok\r\n")
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    data = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        data += part
                    self.server.got.append(email.message_from_bytes(data, policy=email.policy.default))  # type: ignore[arg-type]
                    if self.server.lose:
                        return
                    self.wfile.write(b"250 ok\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running
        running.shutdown()


def _remind(database: Database, clinic, clock, *, phone: bool = False, mail: str | None = RUTH) -> None:
    with database.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patient.email = mail
        time = make_free_time(clinic, start="2026-11-19T13:00")
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")
        if not phone:
            session.delete(session.scalars(select(PatientPhone)).one())
    clock.set("2026-11-18T13:00:00-06:00")
    with database.transaction() as session:
        assert reminders.send_due(session, clinic) == 1


def _worker(database: Database, server: MailServer | None) -> Worker:
    mailer = Mailer(f"smtp://127.0.0.1:{server.server_address[1]}") if server else None
    return Worker(database, DemoCarrier(), None, mailer)  # type: ignore[arg-type]


def _messages(database: Database) -> list[Communication]:
    with database.reading() as session:
        return list(session.scalars(select(Communication).order_by(Communication.sequence)))


def test_who_has_no_number_is_reminded_by_mail_with_the_visit_as_a_calendar_file(sqlite_loaded, clinic, clock, server):
    _remind(sqlite_loaded, clinic, clock)
    assert _worker(sqlite_loaded, server).send_due() == 1
    [mail] = server.got
    assert (mail["To"], mail["From"]) == (RUTH, "Maple Grove Clinic <desk@maplegrove.example>")
    text = mail.get_body(("plain",)).get_content()
    assert "your visit is on Thursday, November 19 at 1:00 PM" in text
    assert "+14145550100" in text
    [calendar] = mail.iter_attachments()
    assert (calendar.get_content_type(), calendar.get_param("method")) == ("text/calendar", "REQUEST")
    assert "DTSTART:20261119T190000Z" in calendar.get_content()
    assert not any(word in str(mail) for word in ("Ferreira", "Follow", "Novak"))
    [message] = _messages(sqlite_loaded)
    assert (message.channel, message.status) == (Channel.EMAIL, Delivery.SENT)


def test_a_mail_of_a_clinic_with_a_long_domain_is_sent_once(loaded, clinic, clock, server):
    content = clinic.model_dump(by_alias=True)
    content["clinic"]["main_email"] = f"desk@{'maple-grove-' * 4}clinic.example"
    named_at_length = load(loaded, type(clinic).model_validate(content))
    _remind(loaded, named_at_length, clock)
    worker = _worker(loaded, server)
    assert [worker.send_due(), worker.send_due()] == [1, 0]
    [mail], [message] = server.got, _messages(loaded)
    assert message.status is Delivery.SENT
    assert mail["Message-ID"] == f"<{message.external_id}@{'maple-grove-' * 4}clinic.example>"


def test_who_has_a_number_is_texted(sqlite_loaded, clinic, clock, server):
    _remind(sqlite_loaded, clinic, clock, phone=True)
    _worker(sqlite_loaded, server).send_due()
    assert server.got == []
    assert [message.channel for message in _messages(sqlite_loaded)] == [Channel.SMS]


def test_a_number_that_gets_no_texts_is_called_and_one_that_is_wrong_is_mailed(sqlite_loaded, clinic, clock):
    _remind(sqlite_loaded, clinic, clock, phone=True)
    for number, (error, expected) in enumerate((("30006", Channel.VOICE), ("21211", Channel.EMAIL))):
        with sqlite_loaded.transaction() as session:
            session.execute(update(Communication).where(Communication.channel == "sms").values(status="failed", error=error))
            patient_id = session.scalars(select(Communication.patient_id)).first()
            time = make_free_time(clinic, start=f"2026-11-19T1{4 + number}:00")
            booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=f"{number}")
        clock.set(f"2026-11-18T1{4 + number}:00:00-06:00")
        with sqlite_loaded.transaction() as session:
            reminders.send_due(session, clinic)
        assert _messages(sqlite_loaded)[-1].channel is expected


def test_without_a_mail_server_the_desk_is_asked_to_call(sqlite_loaded, clinic, clock):
    _remind(sqlite_loaded, clinic, clock)
    _worker(sqlite_loaded, None).send_due()
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["not-delivered"]
    assert _messages(sqlite_loaded)[0].error == "no-mail-server"


def test_an_address_that_is_refused_goes_to_staff_and_one_that_is_busy_waits(sqlite_loaded, clinic, clock, server):
    _remind(sqlite_loaded, clinic, clock)
    worker = _worker(sqlite_loaded, server)
    server.refuse = b"450 later\r\n"
    worker.send_due()
    assert _messages(sqlite_loaded)[0].status is Delivery.QUEUED
    with sqlite_loaded.transaction() as session:
        session.execute(update(Communication).values(retry_at=0.0))
    server.refuse = b"550 nobody\r\n"
    worker.send_due()
    assert _messages(sqlite_loaded)[0].status is Delivery.FAILED
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["wrong-address"]
        assert messaging.opted_out(session, RUTH, Channel.EMAIL)


@pytest.mark.parametrize("address", ["a@[", "a@b,c@d"])
def test_what_is_no_address_on_an_old_record_goes_to_staff_and_to_no_server(sqlite_loaded, clinic, clock, server, address):
    _remind(sqlite_loaded, clinic, clock, mail=address)
    assert _worker(sqlite_loaded, server).send_due() == 1
    assert server.got == []
    assert _messages(sqlite_loaded)[0].status is Delivery.FAILED
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["wrong-address"]


def test_a_mail_that_breaks_its_send_ends_no_worker_and_goes_to_staff_after_its_tries(
    sqlite_loaded, clinic, clock, server, monkeypatch, caplog
):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    _remind(sqlite_loaded, clinic, clock)
    [broken] = _messages(sqlite_loaded)
    with sqlite_loaded.transaction() as session:
        other = messaging.queue(
            session, phone="desk@home.example", channel=Channel.EMAIL, body="hi", author="system", kind=sending.TASK_NEWS
        ).id
    monkeypatch.setattr(calendar_files, "invitation", lambda *_, **__: {}[RUTH])
    worker = _worker(sqlite_loaded, server)
    for _ in range(working.GIVE_UP_AFTER):
        worker.send_due()
        worker.reconcile()
    assert [mail["To"] for mail in server.got] == ["desk@home.example"]
    found = {message.id: message.status for message in _messages(sqlite_loaded)}
    assert found == {broken.id: Delivery.FAILED, other: Delivery.SENT}
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["not-delivered"]
    said = [record.getMessage() for record in caplog.records]
    assert f"message {broken.id} broke its send: KeyError" in said
    assert not any(RUTH in one for one in said)


def test_after_mail_came_back_the_next_reminder_goes_another_way(sqlite_loaded, clinic, clock, server):
    _remind(sqlite_loaded, clinic, clock)
    server.refuse = b"550 5.1.1 nobody here\r\n"
    _worker(sqlite_loaded, server).send_due()
    with sqlite_loaded.reading() as session:
        assert sending.way_to(session, clinic, session.scalars(select(Patient)).one()) is None


def test_a_refusal_that_is_not_about_the_address_does_not_end_mail_to_it(sqlite_loaded, clinic, clock, server):
    _remind(sqlite_loaded, clinic, clock)
    server.refuse = b"550 5.7.1 your network is on a list\r\n"
    _worker(sqlite_loaded, server).send_due()
    assert _messages(sqlite_loaded)[0].error == "mail-550"
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["not-delivered"]
        assert not messaging.opted_out(session, RUTH, Channel.EMAIL)


def test_mail_that_a_person_saw_come_back_is_noted_once(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        make_patient(session).email = RUTH
    for _ in range(2):
        with sqlite_loaded.transaction() as session:
            assert deliveries.note_bounce(session, address=RUTH, agent="test") == 1
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["wrong-address"]
        assert session.scalars(select(OptOut.source)).all() == ["bounced"]


def test_booking_moving_and_cancelling_are_mailed_with_the_calendar_file_as_it_is_then(sqlite_loaded, clinic, clock, server):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patient.email = RUTH
        time = make_free_time(clinic, start="2026-11-23T13:00")
        visit = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book").id
    worker = _worker(sqlite_loaded, server)

    def tell() -> None:
        with sqlite_loaded.transaction() as session:
            assert news.tell(session, clinic) == 1
        assert worker.send_due() == 1

    tell()
    with sqlite_loaded.transaction() as session:
        later = make_free_time(clinic, start="2026-11-24T14:00")
        booking.reschedule(session, clinic, appointment_id=visit, time=later, agent="test", key="move")
    tell()
    with sqlite_loaded.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit, agent="test", key="cancel")
    tell()
    files = []
    for mail in server.got:
        [calendar] = mail.iter_attachments()
        lines = calendar.get_content().replace("\r\n ", "").split("\r\n")
        sequence = next(line for line in lines if line.startswith("SEQUENCE"))
        files.append((calendar.get_param("method"), sequence, next(line for line in lines if line.startswith("DTSTART"))))
    assert files == [
        ("REQUEST", "SEQUENCE:0", "DTSTART:20261123T190000Z"),
        ("REQUEST", "SEQUENCE:2", "DTSTART:20261124T200000Z"),
        ("CANCEL", "SEQUENCE:3", "DTSTART:20261124T200000Z"),
    ]
    assert [mail["To"] for mail in server.got] == [RUTH] * 3
    assert not any(word in str(mail) for mail in server.got for word in ("Ferreira", "Follow", "Novak"))


def test_without_a_mail_server_confirmations_and_staff_mail_trouble_nobody(sqlite_loaded, clinic, clock):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patient.email = RUTH
        time = make_free_time(clinic, start="2026-11-23T13:00")
        booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="book")
        news.tell(session, clinic)
    _worker(sqlite_loaded, None).send_due()
    [message] = _messages(sqlite_loaded)
    assert (message.kind, message.status, message.error) == ("invitation", Delivery.WITHHELD, "no-mail-server")
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Task)).all() == []


def test_a_mail_whose_fate_is_unknown_is_repeated_under_the_same_id(sqlite_loaded, clinic, clock, server, monkeypatch):
    monkeypatch.setattr(working, "CARRIER_SHOWS_AFTER", 0.0)
    _remind(sqlite_loaded, clinic, clock)
    worker = _worker(sqlite_loaded, server)
    server.lose = True
    worker.send_due()
    server.lose = False
    assert worker.reconcile() == 1
    worker.send_due()
    first, second = server.got
    assert first["Message-ID"] == second["Message-ID"]
    assert _messages(sqlite_loaded)[0].status is Delivery.SENT


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_a_mail_server_has_an_smtp_address(url):
    assert Settings.from_env({"FRONTDESK_ENV": "test"}).smtp_url is None
    with pytest.raises(SettingsError, match="FRONTDESK_SMTP_URL"):
        Settings.from_env({"FRONTDESK_ENV": "test", "FRONTDESK_SMTP_URL": url})
