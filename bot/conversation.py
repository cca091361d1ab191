"""One turn at a time per conversation, in the order in which the texts came, each answered once.

A text is a row before anything else happens. Whoever holds the conversation's lease answers its waiting rows, the oldest first;
the webhook that brought a text only waits for its row's answer. So it does not matter which thread, process or machine does the
work, and a killed one leaves rows that the next text or a worker picks up.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import case, func, select, text, update
from sqlalchemy.orm import Session

from bot.channels.voice import line
from bot.dialogue_client import DialogueClient, DialogueDownError
from bot.metrics import Metrics
from bot.outcomes import Ask, Outcome, Reply, ReplyKind, Said
from bot.turn import after_dialogue, before_dialogue, dialogue_failed
from scheduling_core import audit, handoff, messaging, patients, times
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Channel, Communication, Conversation, Delivery, Direction, Owner, new_id

log = logging.getLogger(__name__)

TWIML_SECONDS = 10.0  # Twilio gives up after 15
LEASE_SECONDS = 12.0
_RENEW_SECONDS = 3.0
_LOOK_AGAIN_SECONDS = 0.5  # at what other processes do; an answer of this one wakes who waits for it


@dataclass(frozen=True)
class Incoming:
    """What came in. `external_id` is the carrier's id, the same when it is delivered again; `phone` E.164, or "anonymous".

    `seconds`: how long to wait for its answer at most, where that is less than for a text.
    """

    channel: Channel
    phone: str
    body: str
    external_id: str
    said: Said = Said.TEXT
    call_sid: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """What to say now, to what was `said`.

    `late`: nothing; a text's replies go out through the REST API, a call's are not ready yet.
    """

    language: str
    replies: tuple[Reply, ...] = ()
    late: bool = False
    said: Said = Said.TEXT


@dataclass(frozen=True)
class _Lease:
    conversation_id: str
    token: str


class _LeaseLostError(Exception):
    """Somebody else answers in this conversation now."""


class Turns:
    """Takes turns over one database with one dialogue. Safe for many threads and processes."""

    def __init__(
        self,
        database: Database,
        dialogue: DialogueClient,
        metrics: Metrics,
        *,
        twiml_seconds: float = TWIML_SECONDS,
        threads: int = 32,
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._metrics = metrics
        self._twiml_seconds = twiml_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="turn")
        self._answered: dict[str, threading.Event] = {}
        self._held: set[_Lease] = set()
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_leases, name="leases", daemon=True)
        self._keeper.start()

    def close(self) -> None:
        """Waits for the turns under way."""
        self._pool.shutdown(wait=True)
        self._closed.set()
        self._keeper.join()

    def take_turn(self, incoming: Incoming) -> Answer:
        """Stores what came in, once, and waits for its answer as long as Twilio does. The same `external_id`: the same answer."""
        seconds = min(self._twiml_seconds, incoming.seconds or self._twiml_seconds)
        until = time.time() + seconds
        with self._metrics.stage("receive"):
            message_id, lease, first = self._receive(incoming)
        answered = self._answered.setdefault(message_id, threading.Event())
        try:
            if lease and first:
                self._pool.submit(self._answer_all, lease, first)
                answered.wait(seconds)
            with self._metrics.stage("wait"):
                return self._wait(message_id, answered, until)
        finally:
            self._answered.pop(message_id, None)

    def answer_waiting(self, conversation_id: str) -> None:
        """Answers what waits in a conversation that nobody is busy with: how a killed process' rows are picked up."""
        with self._database.transaction() as session:
            lease = _take_lease(session, conversation_id)
            first = _next_waiting(session, conversation_id) if lease else None
            if lease and first is None:
                _release(session, lease)
        if lease and first:
            self._answer_all(lease, first)

    def _receive(self, incoming: Incoming) -> tuple[str, _Lease | None, str | None]:
        """The row's id; where the conversation was free, its lease and the row to answer first."""
        with self._database.transaction() as session:
            _queue_up(session, incoming.call_sid or incoming.phone)
            message = session.scalars(select(Communication).where(Communication.external_id == incoming.external_id)).one_or_none()
            if message is None:
                conversation = find_or_open(session, incoming)
                message = Communication(
                    id=new_id(),
                    conversation_id=conversation.id,
                    patient_id=conversation.patient_id,
                    channel=incoming.channel,
                    direction=Direction.IN,
                    phone=incoming.phone,
                    body=incoming.body.replace("\x00", ""),
                    author="patient",
                    status=Delivery.RECEIVED,
                    external_id=incoming.external_id,
                    kind=incoming.said,
                    worker_until=time.time() + self._twiml_seconds,
                    created_at=times.now(),
                )
                session.add(message)
                if conversation.patient_id:
                    _audit(session, conversation, message)
                session.flush()
            if message.status is not Delivery.RECEIVED or message.conversation_id is None:
                return message.id, None, None
            lease = _take_lease(session, message.conversation_id)
            return message.id, lease, _next_waiting(session, message.conversation_id) if lease else None

    def _wait(self, message_id: str, answered: threading.Event, until: float) -> Answer:
        while True:
            answered.clear()
            with self._database.reading() as session:
                message, conversation = session.execute(
                    select(Communication, Conversation)
                    .join(Conversation, Conversation.id == Communication.conversation_id)
                    .where(Communication.id == message_id)
                ).one()
                if message.answered_by == "rest":
                    return Answer(conversation.language, late=True)
                if message.answered_by:
                    return Answer(conversation.language, _stored_replies(session, message_id), said=Said(message.kind))
            by_voice = message.channel is Channel.VOICE
            left = (until if by_voice else message.worker_until) - time.time()
            if left <= 0 and (by_voice or self._decide_for_rest(message_id)):
                return Answer(conversation.language, late=True)
            if conversation.lease_until < time.time():
                self._pool.submit(self.answer_waiting, conversation.id)  # who had it was killed
            answered.wait(max(0.01, min(left, _LOOK_AGAIN_SECONDS)))

    def _decide_for_rest(self, message_id: str) -> bool:
        """False when the answer was decided in this very moment."""
        with self._database.transaction() as session:
            decided = session.execute(
                update(Communication)
                .where(
                    Communication.organization_id == session.info["organization"],
                    Communication.id == message_id,
                    Communication.answered_by.is_(None),
                )
                .values(answered_by="rest")
                .returning(Communication.sequence)
            )
            return decided.first() is not None

    def _answer_all(self, lease: _Lease, first: str) -> None:
        """Answers waiting rows, `first` and then the oldest, until there are none; then gives the lease back."""
        with self._holding(lease):
            message_id: str | None = first
            try:
                while message_id:
                    message_id = self._answer_one(lease, message_id)
            except _LeaseLostError:
                log.warning("lease of conversation %s was lost", lease.conversation_id)
            except Exception as error:
                _log_failure(error, lease.conversation_id)  # the row stays; a worker tries again

    def _answer_one(self, lease: _Lease, message_id: str) -> str | None:
        """The id of the next waiting row. Raises _LeaseLostError when the answer came too late to count."""
        with self._database.reading() as session, self._metrics.stage("before_dialogue"):
            clinic = current(session)
            message, conversation = session.execute(
                select(Communication, Conversation)
                .join(Conversation, Conversation.id == Communication.conversation_id)
                .where(Communication.id == message_id)
            ).one()
            try:
                decision = before_dialogue(session, clinic, conversation, message)
            except Exception as error:
                _log_failure(error, conversation.id)
                decision = dialogue_failed(clinic, conversation, message, "failure")
        outcome = self._ask(clinic, conversation, message, decision) if isinstance(decision, Ask) else decision
        with self._metrics.stage("finish"):
            following = self._finish(lease, clinic, message, outcome, owner=conversation.owner)
        self._metrics.count_turn(message.channel.value, outcome.name)
        if waiting := self._answered.get(message_id):
            waiting.set()  # not answered yet where staff gave the conversation back meanwhile: who waits looks again
        return following

    def _ask(self, clinic: ClinicFile, conversation: Conversation, message: Communication, ask: Ask) -> Outcome:
        """No transaction is open here."""
        try:
            with self._metrics.stage("dialogue"):
                told = {"channel": message.channel.value, "turn": message.id} | ({"alarm": ask.alarm.flag} if ask.alarm else {})
                answer = self._dialogue.ask(conversation.id, ask.text, told)
        except DialogueDownError as error:
            log.error("dialogue failed: %s", error.reason)
            return dialogue_failed(clinic, conversation, message, error.reason, ask.alarm)
        if message.channel is Channel.SMS:
            return after_dialogue(clinic, conversation, answer, picture=ask.picture)
        with self._database.reading() as session:
            now = session.scalars(select(Conversation).where(Conversation.id == conversation.id)).one()
            return line.after_dialogue(session, clinic, now, answer)

    def _finish(self, lease: _Lease, clinic: ClinicFile, message: Communication, outcome: Outcome, *, owner: Owner) -> str | None:
        """Stores the outcome, unless somebody was faster. The id of the next waiting row; without one the lease is given back.

        `owner` is who had the conversation when the outcome was found. Where a person took it over since, the assistant is silent:
        what it would have said is kept for staff to see. Where they gave it back since, the text waits in the fresh episode.
        """
        with self._database.transaction() as session:
            conversation = _count_turn(session, lease)
            unsaid: tuple[Reply, ...] = ()
            if owner is Owner.BOT and _was_taken_over(conversation):
                now = before_dialogue(session, clinic, conversation, message)
                if isinstance(now, Outcome):
                    unsaid, outcome = outcome.replies, now
            decided = session.execute(
                update(Communication)
                .where(
                    Communication.organization_id == session.info["organization"],
                    Communication.id == message.id,
                    Communication.conversation_id == conversation.id,
                    Communication.status == Delivery.RECEIVED,
                )
                .values(status=outcome.status, answered_by=_way_out())
                .returning(Communication.answered_by)
            ).one_or_none()
            if decided:
                if outcome.effect:
                    outcome.effect(session)
                for reply in unsaid:
                    _store_unsaid(session, conversation, message, reply)
                for reply in outcome.replies:
                    _store_reply(session, conversation, message, reply, by_rest=decided.answered_by == "rest")
            following = _next_waiting(session, lease.conversation_id)
            if following is None:
                _release(session, lease)
            return following

    @contextmanager
    def _holding(self, lease: _Lease) -> Iterator[None]:
        self._held.add(lease)
        try:
            yield
        finally:
            self._held.discard(lease)

    def _keep_leases(self) -> None:
        while not self._closed.wait(_RENEW_SECONDS):
            held = {lease.token for lease in tuple(self._held)}
            if held:
                try:
                    with self._database.transaction() as session:
                        session.execute(
                            update(Conversation)
                            .where(
                                Conversation.organization_id == session.info["organization"],
                                Conversation.lease.in_(held),
                            )
                            .values(lease_until=time.time() + LEASE_SECONDS)
                        )
                except Exception as error:
                    _log_failure(error, "-")  # what cannot be renewed now expires, and somebody else answers


def waiting_conversations(session: Session, *, limit: int) -> list[str]:
    """Conversations by text with rows that nobody answers: their webhook's time is over and the lease is free. For the worker."""
    elapsed = time.time()
    found = (
        select(Communication.conversation_id)
        .join(Conversation, Conversation.id == Communication.conversation_id)
        .where(
            Communication.status == Delivery.RECEIVED,
            Communication.channel == Channel.SMS,
            Communication.worker_until < elapsed,
            Conversation.lease_until < elapsed,
        )
        .distinct()
        .limit(limit)
    )
    return [conversation_id for conversation_id in session.scalars(found) if conversation_id]


def _queue_up(session: Session, key: str) -> None:
    """What comes from one number (or call) is stored one after the other. SQLite's writers queue anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{session.info['organization']}:{key}"}
        )


def find_or_open(session: Session, incoming: Incoming) -> Conversation:
    """The call's conversation, or the number's present episode. Its row is locked, so that a lease is not given back unseen."""
    if incoming.call_sid:
        found = select(Conversation).where(Conversation.call_sid == incoming.call_sid).with_for_update()
        return session.scalars(found).one_or_none() or _open(session, incoming, earlier=None)
    present = (
        select(Conversation)
        .where(Conversation.phone == incoming.phone, Conversation.channel == incoming.channel, Conversation.open)
        .order_by(Conversation.last_turn_at.desc())
        .limit(1)
        .with_for_update()
    )
    # PostgreSQL finds none where it waited for the lock of one that staff gave back; a second look sees the one opened for it
    earlier = session.scalars(present).one_or_none() or session.scalars(present).one_or_none()
    if earlier is None or _is_over(session, earlier):
        return _open(session, incoming, earlier=earlier)
    return earlier


def _is_over(session: Session, conversation: Conversation) -> bool:
    """Nothing was said by either side for hours. What staff own is over when they say so; what still waits is answered first."""
    since = times.now() - handoff.EPISODE_ENDS_AFTER
    if conversation.owner is Owner.STAFF or conversation.last_turn_at > since:
        return False
    recent = session.execute(
        select(Communication.sequence)
        .where(
            Communication.conversation_id == conversation.id,
            (Communication.created_at > since) | (Communication.status == Delivery.RECEIVED),
        )
        .limit(1)
    )
    return recent.first() is None


def _open(session: Session, incoming: Incoming, *, earlier: Conversation | None) -> Conversation:
    """A fresh episode: the language is kept, who they proved to be is not."""
    if earlier:
        earlier.open = False
    now = times.now()
    conversation = Conversation(
        id=new_id(),
        channel=incoming.channel,
        phone=incoming.phone,
        call_sid=incoming.call_sid,
        language=_language(session, incoming.phone),
        claim={},
        state={},
        last_turn_at=now,
        created_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation


def _language(session: Session, phone: str) -> str:
    """What was last spoken with this number, else what everybody on file for it speaks, else the clinic's first language."""
    spoken = session.scalars(
        select(Conversation.language).where(Conversation.phone == phone).order_by(Conversation.created_at.desc()).limit(1)
    ).first()
    if spoken:
        return spoken
    languages = current(session).clinic.languages
    on_file = {patient.language for patient in patients.on_file(session, phone=phone)}
    only = on_file.pop() if len(on_file) == 1 else None
    return only if only in languages else languages[0]


def _take_lease(session: Session, conversation_id: str) -> _Lease | None:
    lease, elapsed = _Lease(conversation_id, new_id()), time.time()
    taken = session.execute(
        update(Conversation)
        .where(
            Conversation.organization_id == session.info["organization"],
            Conversation.id == conversation_id,
            Conversation.lease_until < elapsed,
        )
        .values(lease=lease.token, lease_until=elapsed + LEASE_SECONDS)
        .returning(Conversation.id)
    )
    return lease if taken.first() else None


def _count_turn(session: Session, lease: _Lease) -> Conversation:
    """Locks the conversation's row, so that no text can be stored unseen before the lease is given back. Raises _LeaseLostError."""
    counted = session.execute(
        update(Conversation)
        .where(
            Conversation.organization_id == session.info["organization"],
            Conversation.id == lease.conversation_id,
            Conversation.lease == lease.token,
        )
        .values(turn=Conversation.turn + 1, last_turn_at=times.now())
        .returning(Conversation.id)
    )
    if counted.first() is None:
        raise _LeaseLostError
    return session.scalars(select(Conversation).where(Conversation.id == lease.conversation_id)).one()


def _was_taken_over(conversation: Conversation) -> bool:
    """By a person: where the dialogue itself handed it over, the patient is told so."""
    return conversation.owner is Owner.STAFF and not (conversation.handed_over_by or "").startswith("assistant:")


def _release(session: Session, lease: _Lease) -> None:
    session.execute(
        update(Conversation)
        .where(
            Conversation.organization_id == session.info["organization"],
            Conversation.id == lease.conversation_id,
            Conversation.lease == lease.token,
        )
        .values(lease=None, lease_until=0.0)
    )


def _next_waiting(session: Session, conversation_id: str) -> str | None:
    found = (
        select(Communication.id)
        .where(
            Communication.conversation_id == conversation_id,
            Communication.direction == Direction.IN,
            Communication.status == Delivery.RECEIVED,
        )
        .order_by(Communication.sequence)
        .limit(1)
    )
    return session.scalars(found).first()


def _way_out() -> case[str]:
    """TwiML while the webhook waits, unless it was decided before."""
    by_rest = (Communication.channel == Channel.SMS) & (Communication.worker_until < time.time())
    return func.coalesce(Communication.answered_by, case((by_rest, "rest"), else_="twiml"))  # type: ignore[return-value]


def _store_reply(session: Session, conversation: Conversation, message: Communication, reply: Reply, *, by_rest: bool) -> None:
    kind = reply.kind
    if message.channel is Channel.SMS and kind is ReplyKind.REPLY and messaging.opted_out(session, message.phone):
        kind = ReplyKind.OPT_OUT  # the dialogue was asked, so the wish for no texts was its doing: this confirms it
    if by_rest:
        messaging.queue(
            session,
            phone=message.phone,
            body=reply.body,
            channel=message.channel,
            author="assistant",
            kind=kind,
            conversation_id=conversation.id,
            patient_id=conversation.patient_id,
            in_reply_to=message.id,
        )
        return
    stored = Communication(
        id=new_id(),
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        channel=message.channel,
        direction=Direction.OUT,
        phone=message.phone,
        body=reply.body,
        author="assistant",
        status=Delivery.SENT,
        in_reply_to=message.id,
        kind=kind,
        created_at=times.now(),
    )
    session.add(stored)
    if conversation.patient_id:
        _audit(session, conversation, stored)


def _store_unsaid(session: Session, conversation: Conversation, message: Communication, reply: Reply) -> None:
    """What the assistant would have said, had nobody taken over."""
    session.add(
        Communication(
            id=new_id(),
            conversation_id=conversation.id,
            patient_id=conversation.patient_id,
            channel=message.channel,
            direction=Direction.OUT,
            phone=message.phone,
            body=reply.body,
            author="assistant",
            status=Delivery.WITHHELD,
            error="taken-over",
            in_reply_to=message.id,
            kind=reply.kind,
            created_at=times.now(),
        )
    )


def _stored_replies(session: Session, message_id: str) -> tuple[Reply, ...]:
    found = session.execute(
        select(Communication.body, Communication.kind)
        .where(
            Communication.in_reply_to == message_id,
            Communication.author == "assistant",
            Communication.status != Delivery.WITHHELD,
        )
        .order_by(Communication.sequence)
    )
    return tuple(Reply(body, ReplyKind(kind)) for body, kind in found)


def _audit(session: Session, conversation: Conversation, message: Communication) -> None:
    audit.record(
        session,
        agent=f"assistant:{conversation.id}",
        action="C",
        entity="Communication",
        entity_id=message.id,
        patient_id=conversation.patient_id,
        detail={"kind": str(message.kind)},
    )


def _log_failure(error: Exception, conversation_id: str) -> None:
    """Where it failed and how, without the error's text: a database error quotes the row."""
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("turn failed in conversation %s: %s\n%s", conversation_id, type(error).__name__, where)
