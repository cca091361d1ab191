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

from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot import clearinghouse
from bot.channels.sender import Sender, SendError, Text, UnknownFateError, create_sender
from bot.channels.sms import UNSUBSCRIBED
from bot.conversation import Turns, waiting_conversations
from bot.dialogue_client import DialogueClient
from bot.jobs import Schedule
from bot.metrics import Metrics
from bot.settings import Settings
from bot.turn import ReplyKind
from scheduling_core import handoff, messaging, sending
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database
from scheduling_core.models import Channel, Communication, Delivery
from scheduling_core.segments import on_air

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
LEASE_SECONDS = 60.0  # longer than any send takes
GIVE_UP_AFTER = 8  # attempts
CARRIER_SHOWS_AFTER = 5.0  # a text that was taken is in the carrier's list by then
_LOOK_AFTER_SECONDS = 2.0  # between looks at what broke off
_AT_ONCE = 20


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Works until `stop` is set; without one, until SIGTERM or Ctrl-C. Ends after the send under way."""
    if stop is None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
    database = Database(settings.database_url)
    dialogue = DialogueClient(settings.dialogue_url)
    turns = Turns(database, dialogue, Metrics())
    worker = Worker(database, create_sender(settings), turns)
    payers = clearinghouse.start(settings, database, worker.name, stop)
    try:
        worker.work_until(stop)
    finally:
        stop.set()
        if payers:
            payers.join(clearinghouse.TIMEOUT_SECONDS)
        turns.close()
        dialogue.close()
        database.dispose()


class Worker:
    """One worker's loop and its steps."""

    def __init__(self, database: Database, sender: Sender, turns: Turns) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{id(self):x}"[:64]
        self._database = database
        self._sender = sender
        self._turns = turns
        self._schedule = Schedule(database)

    def work_until(self, stop: threading.Event) -> None:
        look_after = 0.0
        while not stop.is_set():
            try:
                self._schedule.run_due()
                sent = self.send_due(stop)
                if time.monotonic() >= look_after:
                    self.reconcile()
                    self.answer_left_lying()
                    look_after = time.monotonic() + _LOOK_AFTER_SECONDS
            except DBAPIError as error:
                log.error("the database failed: %s", type(error.orig).__name__)
                sent = 0
                stop.wait(1.0)
            if not sent:
                stop.wait(POLL_SECONDS)

    def send_due(self, stop: threading.Event | None = None) -> int:
        """Sends what is due; how many were claimed. A look that finds nothing writes nothing."""
        with self._database.reading() as session:
            pending = session.scalar(
                select(
                    exists().where(
                        Communication.organization_id == self._database.organization,
                        Communication.channel == Channel.SMS,
                        Communication.status.in_((Delivery.QUEUED, Delivery.SENDING)),
                    )
                )
            )
        if not pending:
            return 0
        with self._database.transaction() as session:
            claimed = messaging.claim_due(session, worker=self.name, limit=_AT_ONCE, lease_seconds=LEASE_SECONDS)
            try:
                number = current(session).clinic.phone
            except NotLoadedError:
                return 0
        for message in claimed:
            if stop is not None and stop.is_set():
                self._put_back(message, "worker-stopped", retry_in=0.0)
            else:
                self._send(message, number)
        return len(claimed)

    def reconcile(self) -> int:
        """Asks the carrier about sends whose fate is unknown: sent, or to be sent again. How many were settled."""
        with self._database.reading() as session:
            lost = messaging.unknown(session, limit=_AT_ONCE)
            number = current(session).clinic.phone if lost else ""
        settled = 0
        for message in lost:
            claimed_at = message.worker_until - LEASE_SECONDS
            if time.time() < claimed_at + CARRIER_SHOWS_AFTER:
                continue
            try:
                found = self._sender.find(_text(message, number), since=claimed_at)
            except SendError as error:
                log.warning("cannot ask about message %s: %s", message.id, error.code)
                continue
            with self._database.transaction() as session:
                if not _is_still_unknown(session, message):
                    continue  # another worker was faster
                if found:
                    messaging.mark_sent(session, communication_id=message.id, external_id=found)
                else:
                    messaging.mark_failed(session, communication_id=message.id, error="not-taken", permanent=False, retry_in=0.0)
            settled += 1
        return settled

    def answer_left_lying(self) -> int:
        """Answers texts whose webhook's process was killed. In how many conversations."""
        with self._database.reading() as session:
            waiting = waiting_conversations(session, limit=_AT_ONCE)
        for conversation_id in waiting:
            self._turns.answer_waiting(conversation_id)
        return len(waiting)

    def _send(self, message: Communication, number: str) -> None:
        if message.channel is not Channel.SMS:
            return self._fail(message, "no-such-channel")
        try:
            external_id = self._sender.send(_text(message, number))
        except SendError as error:
            if error.permanent or message.attempts >= GIVE_UP_AFTER:
                return self._fail(message, error.code)
            log.warning("message %s was not taken: %s", message.id, error.code)
            return self._put_back(message, error.code, retry_in=min(300.0, 5.0 * 2 ** (message.attempts - 1)))
        except UnknownFateError as error:
            log.warning("the fate of message %s is unknown: %s", message.id, error.code)
            with self._database.transaction() as session:
                return messaging.mark_unknown(session, communication_id=message.id, error=error.code)
        with self._database.transaction() as session:
            messaging.mark_sent(session, communication_id=message.id, external_id=external_id)

    def _put_back(self, message: Communication, code: str, *, retry_in: float) -> None:
        with self._database.transaction() as session:
            messaging.mark_failed(session, communication_id=message.id, error=code, permanent=False, retry_in=retry_in)

    def _fail(self, message: Communication, code: str) -> None:
        """For good. Somebody waits for a reply or needs the reminder, so staff are told.

        Who has opted out with the carrier has opted out with us.
        """
        log.error("message %s cannot be sent: %s", message.id, code)
        with self._database.transaction() as session:
            messaging.mark_failed(session, communication_id=message.id, error=code, permanent=True)
            if code == UNSUBSCRIBED:
                if not messaging.opted_out(session, message.phone):
                    messaging.record_opt_out(session, message.phone, out=True, source="carrier")
            elif message.kind in (ReplyKind.REPLY, ReplyKind.EMERGENCY, sending.REMINDER):
                handoff.open_task(
                    session,
                    team="desk",
                    reason="not-delivered",
                    description=f"Our text could not be delivered (error {code}). Please call. It said: {message.body}",
                    patient_id=message.patient_id,
                    phone=message.phone,
                    conversation_id=message.conversation_id,
                    key=f"not-delivered:{message.id}",
                )


def _text(message: Communication, number: str) -> Text:
    return Text(to=message.phone, from_=number, body=on_air(message.body))


def _is_still_unknown(session: Session, message: Communication) -> bool:
    found = select(Communication.attempts).where(
        Communication.id == message.id, Communication.status == Delivery.UNKNOWN, Communication.attempts == message.attempts
    )
    return session.execute(found.with_for_update()).first() is not None
