"""Conversations, messages, tasks for people, and the record of who did what."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Float, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words

_Sequence = BigInteger().with_variant(Integer, "sqlite")


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"


class Owner(StrEnum):
    BOT = "bot"
    STAFF = "staff"


class Conversation(Base):
    """One episode of talk with one phone number (text) or one call. Its id is the dialogue's `sender`: opaque, fresh each episode.

    `patient_id` is who has proved who they are here (tier T2). `claim` is what a person said of themselves before that:
    {"given", "family", "birth_date", "relation"}.
    """

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    channel: Mapped[Channel] = mapped_column(words(Channel))
    phone: Mapped[str] = mapped_column(String(40))  # the other party, E.164; "anonymous" where a caller hides it
    call_sid: Mapped[str | None] = mapped_column(String(64))
    owner: Mapped[Owner] = mapped_column(words(Owner), default=Owner.BOT)
    owner_name: Mapped[str | None] = mapped_column(String(200))  # the person's name, or the team that nobody has picked it up from
    assignee_id: Mapped[str | None] = mapped_column(String(64))  # the person, where staff own it and it is not a team's
    team: Mapped[str | None] = mapped_column(String(64))
    handed_over_by: Mapped[str | None] = mapped_column(String(200))  # who made staff its owner, as AuditEvent.agent
    waiting_since: Mapped[dt.datetime | None]  # of what staff own: when the patient began to wait for a person's words
    snoozed_until: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]  # when staff resolved it or gave it back
    open: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(16), default="en")
    patient_id: Mapped[str | None] = mapped_column(String(64))
    claim: Mapped[dict[str, Any]] = mapped_column(default=dict)
    wrong_birth_dates: Mapped[int] = mapped_column(default=0)
    locked_out: Mapped[bool] = mapped_column(default=False)
    state: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # small facts of this talk that are not the dialogue's: last offers, visit named
    turn: Mapped[int] = mapped_column(default=0)
    last_turn_at: Mapped[dt.datetime]
    # the lease of the one turn at a time, in seconds of elapsed time (time.time()), not of the clinic's clock
    lease: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("assignee_id", "staff_account"),
        Index(None, "organization_id", "phone", "open"),
        Index(None, "organization_id", "open", "owner", "last_turn_at"),
        Index(None, "organization_id", "settled_at"),
        Index("uq_conversation_call_sid", "organization_id", "call_sid", unique=True),
    )


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Delivery(StrEnum):
    """Where a message is on its way."""

    RECEIVED = "received"  # in, not answered yet
    ANSWERED = "answered"  # in, its answer is decided
    INBOX = "inbox"  # in, for staff
    QUEUED = "queued"  # out, waits for a worker
    SENDING = "sending"  # out, a worker has it
    SENT = "sent"  # out, handed to the carrier or given as TwiML
    DELIVERED = "delivered"
    UNKNOWN = "unknown"  # out, the carrier may have it; reconciled before any repeat
    FAILED = "failed"
    WITHHELD = "withheld"  # out, not sent: the recipient opted out, or what it says holds no longer


class Communication(Base):
    """One message in or out; its order is `sequence`, never a timestamp."""

    __tablename__ = "communication"

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(64), sort_order=-10)
    id: Mapped[str] = mapped_column(String(64), default=new_id, unique=True)
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(String(64))
    channel: Mapped[Channel] = mapped_column(words(Channel))
    direction: Mapped[Direction] = mapped_column(words(Direction))
    phone: Mapped[str] = mapped_column(String(320))  # the other party: a number in E.164, or a mail address
    body: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(200))  # patient, assistant, system, or a staff member's name
    status: Mapped[Delivery] = mapped_column(words(Delivery))
    external_id: Mapped[str | None] = mapped_column(String(64))  # MessageSid
    in_reply_to: Mapped[str | None] = mapped_column(String(64))  # the communication that this answers
    answered_by: Mapped[str | None] = mapped_column(String(8))  # in: how its answer went out, "twiml" or "rest"; decided once
    kind: Mapped[str] = mapped_column(String(32), default="reply")  # reply, reminder, offer, ...
    appointment_id: Mapped[str | None] = mapped_column(String(64))
    due_at: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None]  # out: when a worker last took it to send it
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(64))
    worker_until: Mapped[float] = mapped_column(Float, default=0.0)  # elapsed time, as Conversation.lease_until
    retry_at: Mapped[float] = mapped_column(Float, default=0.0)
    error: Mapped[str | None] = mapped_column(String(200))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        Index("uq_communication_external_id", "organization_id", "external_id", unique=True),
        Index("uq_communication_idempotency_key", "organization_id", "idempotency_key", unique=True),
        Index(None, "organization_id", "conversation_id"),
        Index(None, "organization_id", "status", "due_at"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "phone", "kind"),
        Index(None, "in_reply_to"),
    )


class TaskStatus(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


class Task(Base):
    """Something that a person should do. `reason` is a stable code, `description` the words for staff."""

    __tablename__ = "task"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    status: Mapped[TaskStatus] = mapped_column(words(TaskStatus), default=TaskStatus.REQUESTED)
    priority: Mapped[Priority] = mapped_column(words(Priority), default=Priority.ROUTINE)
    team: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(Text)
    patient_id: Mapped[str | None] = mapped_column(String(64))
    phone: Mapped[str | None] = mapped_column(String(40))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    appointment_id: Mapped[str | None] = mapped_column(String(64))
    owner_name: Mapped[str | None] = mapped_column(String(200))
    owner_id: Mapped[str | None] = mapped_column(String(64))  # the account of who has taken it
    snoozed_until: Mapped[dt.datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(500))  # what came of it, in the words of who closed it
    due_at: Mapped[dt.datetime | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("owner_id", "staff_account"),
        Index(None, "organization_id", "status"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "conversation_id"),
        Index("uq_task_idempotency_key", "organization_id", "idempotency_key", unique=True),
    )


class AuditEvent(Base):
    """Who read or wrote what of whom, in the transaction that did it. `detail` holds ids and codes, and old and new of edits."""

    __tablename__ = "audit_event"

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(64), sort_order=-10)
    at: Mapped[dt.datetime]
    agent: Mapped[str] = mapped_column(String(200))  # assistant:CONVERSATION, token:NAME, staff:EMAIL, worker
    action: Mapped[str] = mapped_column(String(1))  # FHIR AuditEvent.action: C R U D E
    entity: Mapped[str] = mapped_column(String(64))  # Appointment, Patient, ...
    entity_id: Mapped[str | None] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seal: Mapped[str | None] = mapped_column(String(64))  # hash chain, set by the sealer in batches
    sealed_in: Mapped[int | None]  # AuditSeal.number

    __table_args__ = (
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "entity", "at"),
        Index(
            "ix_audit_event_unsealed",
            "organization_id",
            "sequence",
            sqlite_where=text("seal IS NULL"),
            postgresql_where=text("seal IS NULL"),
        ),
    )


class IdempotencyKey(Base):
    """A write that was done under this key, kept for good, with what it answered."""

    __tablename__ = "idempotency_key"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    result: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]


class OptOut(Base):
    """The ledger of who wants no texts. The row with the highest sequence of a number holds."""

    __tablename__ = "opt_out"

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(64), sort_order=-10)
    phone: Mapped[str] = mapped_column(String(40))
    channel: Mapped[Channel] = mapped_column(words(Channel))
    out: Mapped[bool]
    source: Mapped[str] = mapped_column(String(64))  # keyword, words, carrier, staff
    at: Mapped[dt.datetime]

    __table_args__ = (Index(None, "organization_id", "phone"),)


class IdentityAttempt(Base):
    """A wrong birth date. Counted by conversation, by number and day, and by patient and day, unless it was withdrawn."""

    __tablename__ = "identity_attempt"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(String(40))
    patient_id: Mapped[str | None] = mapped_column(String(64))
    withdrawn: Mapped[bool] = mapped_column(default=False)  # corrected at once
    at: Mapped[dt.datetime]

    __table_args__ = (Index(None, "organization_id", "phone", "at"), Index(None, "organization_id", "patient_id", "at"))
