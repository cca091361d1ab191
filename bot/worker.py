"""The worker: sends what waits in the outbox, finds out what became of sends that broke off, answers texts left lying, and
does what the clock asks for (`jobs`).

Any number of workers run at once. No network call happens inside a transaction, so a worker may be killed at any point: what it had
claimed and not marked is looked for at the carrier before it is sent again.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot import clearinghouse
from bot.channels.mail import Mail, Mailer
from bot.channels.sender import SECONDS, Call, Sender, SendError, Text, UnknownFateError, create_sender
from bot.conversation import Turns, waiting_conversations
from bot.dialogue_client import DialogueClient
from bot.jobs import Schedule
from bot.metrics import Metrics
from bot.settings import Settings
from scheduling_core import calendar_files, deliveries, links, messaging, packets, sending
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, Channel, Communication, Delivery
from scheduling_core.segments import on_air

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
LEASE_SECONDS = 60.0  # longer than any send takes
GIVE_UP_AFTER = 8  # attempts
GIVE_UP_ASKING_AFTER = 3600.0  # seconds, when the carrier cannot be asked about a send of unknown fate
CARRIER_SHOWS_AFTER = 5.0  # a text that was taken is in the carrier's list by then
_LOOK_AFTER_SECONDS = 2.0  # between looks at what broke off
_THREADS = 10
_AT_ONCE = 2 * _THREADS
_LOOK_AGAIN_AFTER = 0.5  # seconds after the claim, which has looked at everything
_LONGEST_SEND = 2 * SECONDS  # a claim is long enough for two of these, one after the other


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Works until `stop` is set; without one, until SIGTERM or Ctrl-C. Ends after the send under way."""
    if stop is None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
    database = Database(settings.database_url)
    dialogue = DialogueClient(settings.dialogue_url)
    turns = Turns(database, dialogue, Metrics())
    mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
    worker = Worker(database, create_sender(settings), turns, mailer)
    payers = clearinghouse.start(settings, database, worker.name, stop)
    try:
        worker.work_until(stop)
    finally:
        stop.set()
        worker.close()
        if payers:
            payers.join(clearinghouse.TIMEOUT_SECONDS)
        turns.close()
        dialogue.close()
        database.dispose()


class Worker:
    """One worker's loop and its steps."""

    def __init__(self, database: Database, sender: Sender, turns: Turns, mailer: Mailer | None = None) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{id(self):x}"[:64]
        self._database = database
        self._sender = sender
        self._turns = turns
        self._mailer = mailer
        self._schedule = Schedule(database)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="send")
        self._under_way: set[Future[None]] = set()

    def work_until(self, stop: threading.Event) -> None:
        look_after = 0.0
        while not stop.is_set():
            try:
                self._schedule.run_due()
                started = self._start_due(stop)
                if time.monotonic() >= look_after:
                    self.reconcile()
                    self.answer_left_lying()
                    look_after = time.monotonic() + _LOOK_AFTER_SECONDS
            except DBAPIError as error:
                log.error("the database failed: %s", type(error.orig).__name__)
                started = 0
                stop.wait(1.0)
            if self._under_way:
                wait(self._under_way, POLL_SECONDS, FIRST_COMPLETED)
            elif not started:
                stop.wait(POLL_SECONDS)

    def close(self) -> None:
        """Ends the threads; a send under way is finished first."""
        self._pool.shutdown()

    def send_due(self) -> int:
        """Sends what is due, several at once; how many were claimed."""
        started = self._start_due()
        wait(self._under_way)
        self._reap()
        return started

    def _reap(self) -> None:
        """Forget the sends that have ended. Raises DBAPIError when one of them met a database that failed."""
        ended = {one for one in self._under_way if one.done()}
        self._under_way -= ended
        for one in ended:
            one.result()

    def _start_due(self, stop: threading.Event | None = None) -> int:
        """Gives what is due to the threads; how many were claimed. A look that finds nothing writes nothing.

        A send that the carrier keeps waiting holds up its own thread alone: more is claimed when half of them are free.
        """
        self._reap()
        room = _AT_ONCE - len(self._under_way)
        if room < _THREADS:
            return 0
        with self._database.reading() as session:
            pending = session.scalar(
                select(
                    exists().where(
                        Communication.organization_id == self._database.organization,
                        Communication.status.in_((Delivery.QUEUED, Delivery.SENDING)),
                    )
                )
            )
        if not pending:
            return 0
        with self._database.transaction() as session:
            claimed = messaging.claim_due(session, worker=self.name, limit=room, lease_seconds=LEASE_SECONDS)
            try:
                number = current(session).clinic.phone
            except NotLoadedError:
                return 0

        def send(message: Communication) -> None:
            if stop is not None and stop.is_set():
                self._put_back(message, "worker-stopped", retry_in=0.0)
            else:
                self._send_whatever_comes(message, number)

        self._under_way |= {self._pool.submit(send, message) for message in claimed}
        return len(claimed)

    def reconcile(self) -> int:
        """Asks the carrier about sends whose fate is unknown: sent, or to be sent again. How many were settled."""
        with self._database.reading() as session:
            lost = messaging.unknown(session, limit=_AT_ONCE)
            number = current(session).clinic.phone if lost else ""
        return sum(self._pool.map(lambda message: self._find_out(message, number), lost))

    def _find_out(self, message: Communication, number: str) -> bool:
        claimed_at = message.worker_until - LEASE_SECONDS
        try:
            # mail servers cannot be asked; a repeat carries the Message-ID of the first, by which mailboxes know it
            is_mail = message.channel is Channel.EMAIL
            found = [] if is_mail else self._sender.find(self._text(message, number), since=claimed_at)
        except SendError as error:
            return self._ask_later(message, error.code)
        except DBAPIError:
            raise
        except Exception as error:  # one message must not end the search for all others
            return self._ask_later(message, type(error).__name__)
        with self._database.transaction() as session:
            still = _still_unknown(session, message)
            if still is None:
                return False  # another worker was faster, or the carrier's callback
            if external_id := messaging.not_ours(session, found):
                messaging.mark_sent(session, communication_id=message.id, external_id=external_id)
            elif message.attempts >= GIVE_UP_AFTER:
                deliveries.fail(session, still, "not-taken")
            else:
                messaging.mark_failed(session, communication_id=message.id, error="not-taken", permanent=False, retry_in=0.0)
        return True

    def _ask_later(self, message: Communication, code: str) -> bool:
        """False: nothing is settled, unless it could not be found out for so long that it is given up."""
        log.warning("cannot ask about message %s: %s", message.id, code)
        with self._database.transaction() as session:
            if still := _still_unknown(session, message):
                if time.time() > message.worker_until - LEASE_SECONDS + GIVE_UP_ASKING_AFTER:
                    deliveries.fail(session, still, "unknown-fate")
                else:
                    still.retry_at = time.time() + _LOOK_AFTER_SECONDS
        return False

    def answer_left_lying(self) -> int:
        """Answers texts whose webhook's process was killed. In how many conversations."""
        with self._database.reading() as session:
            waiting = waiting_conversations(session, limit=_AT_ONCE)
        for conversation_id in waiting:
            self._turns.answer_waiting(conversation_id)
        return len(waiting)

    def _send_whatever_comes(self, message: Communication, number: str) -> None:
        """As `_send`; what nobody foresaw ends this try alone, and the message goes to staff after its tries."""
        try:
            self._send(message, number)
        except DBAPIError:
            raise  # the loop waits for the database; the message is looked for when its lease ends
        except Exception as error:  # its type alone: what it says may be about a patient
            log.error("message %s broke its send: %s", message.id, type(error).__name__)
            self._lose(message, "broken-send")

    def _send(self, message: Communication, number: str) -> None:
        if time.time() > message.worker_until - LEASE_SECONDS + _LOOK_AGAIN_AFTER:
            with self._database.reading() as session:
                if not messaging.is_still_held(session, message, seconds=_LONGEST_SEND):
                    return  # it comes to be unknown when its lease ends, is not found at the carrier, and is looked at anew
        try:
            external_id = self._hand_over(message, number)
        except SendError as error:
            if error.permanent or message.attempts >= GIVE_UP_AFTER:
                return self._fail(message, error.code)
            log.warning("message %s was not taken: %s", message.id, error.code)
            return self._put_back(message, error.code, retry_in=min(300.0, 5.0 * 2 ** (message.attempts - 1)))
        except UnknownFateError as error:
            log.warning("the fate of message %s is unknown: %s", message.id, error.code)
            return self._lose(message, error.code)
        with self._database.transaction() as session:
            messaging.mark_sent(session, communication_id=message.id, external_id=external_id)
        if message.kind == sending.PACKET:
            self._note_packet(message)

    def _hand_over(self, message: Communication, number: str) -> str:
        """The carrier's id. Raises SendError and UnknownFateError."""
        if message.channel is not Channel.EMAIL:
            return self._sender.send(self._text(message, number))
        with self._database.reading() as session:
            clinic = current(session)
            if self._mailer is None or clinic.clinic.main_email is None:
                raise SendError(deliveries.NO_MAIL_SERVER, permanent=True)
            mail = _mail(session, clinic, clinic.clinic.main_email, message)
        return self._mailer.send(self._with_packet(mail, message) if message.kind == sending.PACKET else mail)

    def _with_packet(self, mail: Mail, message: Communication) -> Mail:
        """The packet as it is on file now: for people, and for the partner's own records unless it goes to a fax."""
        from bot import referral_files  # a library for PDF, which few workers ever need

        with self._database.transaction() as session:
            clinic = current(session)
            packet = packets.enclosed(session, clinic, message)
        return replace(mail, files=referral_files.of(packet, for_fax=packets.is_fax(clinic, message.phone)))

    def _note_packet(self, message: Communication) -> None:
        """In a transaction of its own: whatever becomes of the referral, the mail has left and must not leave again."""
        try:
            with self._database.transaction() as session:
                packets.note_sent(session, current(session), message)
        except SchedulingError as error:
            log.error("the referral of message %s stays as it is: %s", message.id, error.code)

    def _put_back(self, message: Communication, code: str, *, retry_in: float) -> None:
        with self._database.transaction() as session:
            if _still_held(session, message):
                messaging.mark_failed(session, communication_id=message.id, error=code, permanent=False, retry_in=retry_in)

    def _lose(self, message: Communication, code: str) -> None:
        """It may have been taken: that is found out before it is sent again."""
        with self._database.transaction() as session:
            if _still_held(session, message):
                messaging.mark_unknown(session, communication_id=message.id, error=code, ask_in=CARRIER_SHOWS_AFTER)

    def _fail(self, message: Communication, code: str) -> None:
        """The carrier refused it for good, or too often."""
        log.error("message %s cannot be sent: %s", message.id, code)
        with self._database.transaction() as session:
            if held := _still_held(session, message):
                deliveries.fail(session, held, code)

    def _text(self, message: Communication, number: str) -> Text:
        about = message.id, message.attempts
        if message.channel is not Channel.VOICE:
            return Text(to=message.phone, from_=number, body=on_air(message.body), about=about)
        with self._database.reading() as session:
            language = sending.language_of_message(session, current(session), message)
        talks = message.kind == sending.REMINDER
        return Call(to=message.phone, from_=number, body=message.body, about=about, language=language, talks=talks)


def _mail(session: Session, clinic: ClinicFile, sender: str, message: Communication) -> Mail:
    """A message as a mail; to a patient with the visit that it is about, as it stands now, as a calendar file."""
    name = clinic.clinic.name
    if message.kind in _SUBJECTS:
        return Mail(message.id, message.phone, (name, sender), _SUBJECTS[message.kind].format(name), message.body)
    language = sending.language_of_message(session, clinic, message)
    visit = session.scalars(select(Appointment).where(Appointment.id == message.appointment_id)).one_or_none()
    calendar = None
    if visit and visit.start:
        video = links.video_link(session, clinic, visit)
        calendar = calendar_files.invitation(clinic, visit, attendee=message.phone, language=language, video=video)
    return Mail(message.id, message.phone, (name, sender), _SUBJECT[language].format(name), message.body, calendar)


_SUBJECT = {"en": "A message from {}", "es": "Un mensaje de {}"}
_SUBJECTS = {  # of mails to others than patients
    sending.DAY_SHEET: "Your day at {}",
    sending.DAY_CHANGE: "A change of today at {}",
    sending.TASK_NEWS: "A task waits at {}",
    sending.PACKET: "A referral from {}",
}


def _still_unknown(session: Session, message: Communication) -> Communication | None:
    return _as_it_was(session, message, Delivery.UNKNOWN)


def _still_held(session: Session, message: Communication) -> Communication | None:
    return _as_it_was(session, message, Delivery.SENDING)


def _as_it_was(session: Session, message: Communication, status: Delivery) -> Communication | None:
    """The row, locked, unless another worker or the carrier's callback has gone on with the message since."""
    found = select(Communication).where(
        Communication.id == message.id, Communication.status == status, Communication.attempts == message.attempts
    )
    return session.scalars(found.with_for_update()).one_or_none()
