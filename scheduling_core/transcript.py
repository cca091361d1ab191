"""Everything that was said in a conversation, and what staff did with it, in one order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.errors import NotFoundError
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Conversation,
    ConversationLine,
    Delivery,
    Direction,
    LineKind,
)


class Speaker(StrEnum):
    PATIENT = "patient"
    ASSISTANT = "assistant"
    STAFF = "staff"
    NOTE = "note"
    SYSTEM = "system"


@dataclass(frozen=True)
class Line:
    """One line. `status`, `error` and `due_at` are a message's; `done` is what staff did, with `body` as LineKind says."""

    speaker: Speaker
    author: str
    body: str
    at: dt.datetime
    key: str  # unique within the transcript
    sequence: int = 0  # of the message; 0 for a line of staff
    kind: str = ""
    status: Delivery | None = None
    error: str | None = None
    due_at: dt.datetime | None = None
    done: LineKind | None = None


@dataclass(frozen=True)
class Episode:
    """An earlier or later conversation with the same number."""

    id: str
    began_at: dt.datetime
    open: bool


def get(session: Session, conversation_id: str) -> Conversation:
    """The conversation. Raises NotFoundError."""
    conversation = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one_or_none()
    if conversation is None:
        raise NotFoundError(f"Conversation/{conversation_id}")
    return conversation


def read(session: Session, conversation_id: str, *, agent: str) -> Conversation:
    """The conversation for a person to look at; the look is recorded. Raises NotFoundError."""
    conversation = get(session, conversation_id)
    audit.record(
        session, agent=agent, action="R", entity="Conversation", entity_id=conversation_id, patient_id=conversation.patient_id
    )
    return conversation


def lines(session: Session, conversation_id: str) -> list[Line]:
    """The transcript from its beginning."""
    messages = session.scalars(select(Communication).where(Communication.conversation_id == conversation_id))
    placed = [((message.sequence, 0, 0), _as_line(message)) for message in messages]
    for done in session.scalars(select(ConversationLine).where(ConversationLine.conversation_id == conversation_id)):
        line = Line(
            speaker=Speaker.NOTE if done.kind is LineKind.NOTE else Speaker.SYSTEM,
            author=done.author,
            body=done.body,
            at=done.created_at,
            key=f"line-{done.sequence}",
            done=done.kind,
        )
        placed.append(((done.after_sequence, 1, done.sequence), line))
    return [line for _, line in sorted(placed, key=lambda pair: pair[0])]


def episodes(session: Session, conversation: Conversation) -> list[Episode]:
    """The other conversations with this number, the latest first, at most ten."""
    if not conversation.phone.startswith("+"):
        return []
    found = session.execute(
        select(Conversation.id, Conversation.created_at, Conversation.open)
        .where(Conversation.phone == conversation.phone, Conversation.id != conversation.id)
        .order_by(Conversation.created_at.desc())
        .limit(10)
    )
    return [Episode(*row) for row in found.tuples()]


def holds(session: Session, conversation_id: str) -> list[Appointment]:
    """The times that the assistant holds for this conversation now, the earliest first."""
    found = select(Appointment).where(
        Appointment.held_for == conversation_id,
        Appointment.status == AppointmentStatus.PROPOSED,
        Appointment.hold_expires_at > times.now(),
    )
    return list(session.scalars(found.order_by(Appointment.start)))


def last_sequence(session: Session, conversation_id: str) -> int:
    """Of the last message; 0 where nothing was said."""
    return session.scalar(select(func.max(Communication.sequence)).where(Communication.conversation_id == conversation_id)) or 0


def _as_line(message: Communication) -> Line:
    return Line(
        speaker=_speaker(message),
        author=message.author,
        body=message.body,
        at=message.created_at,
        key=f"message-{message.sequence}",
        sequence=message.sequence,
        kind=message.kind,
        status=message.status,
        error=message.error,
        due_at=message.due_at,
    )


def _speaker(message: Communication) -> Speaker:
    if message.direction is Direction.IN:
        return Speaker.PATIENT
    if message.author == "assistant":
        return Speaker.ASSISTANT
    return Speaker.SYSTEM if message.author == "system" else Speaker.STAFF
