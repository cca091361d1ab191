"""What staff leave on a conversation: notes, what was done with it, who looks at it, and the replies that they use again."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import BigInteger, Float, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers, words

_Sequence = BigInteger().with_variant(Integer, "sqlite")


class LineKind(StrEnum):
    """What a line of staff in a transcript tells."""

    NOTE = "note"  # words for colleagues, which the patient never sees
    TAKEN_OVER = "taken-over"
    ASSIGNED = "assigned"
    GIVEN_BACK = "given-back"
    RESOLVED = "resolved"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    TASK_DONE = "task-done"


class ConversationLine(Base):
    """A line of staff in a transcript. It stands behind the message `after_sequence`, those behind one message by `sequence`."""

    __tablename__ = "conversation_line"

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(String(64), sort_order=-10)
    conversation_id: Mapped[str] = mapped_column(String(64))
    after_sequence: Mapped[int] = mapped_column(_Sequence)  # of Communication
    kind: Mapped[LineKind] = mapped_column(words(LineKind))
    author: Mapped[str] = mapped_column(String(200))  # a staff member's name, or assistant
    body: Mapped[str] = mapped_column(Text, default="")  # the note; the person or team; the instant (ISO 8601); the task's reason
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("conversation_id", "conversation"),
        Index(None, "organization_id", "conversation_id"),
    )


class ConversationView(Base):
    """How far a staff member has read a conversation, and until when they are taken to look at it (elapsed time)."""

    __tablename__ = "conversation_view"

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    read_sequence: Mapped[int] = mapped_column(_Sequence, default=0)  # of Communication
    looking_until: Mapped[float] = mapped_column(Float, default=0.0)

    __table_args__ = (
        refers("conversation_id", "conversation"),
        refers("staff_id", "staff_account"),
        Index(None, "organization_id", "looking_until"),
    )


class CannedReply(Base):
    """A text that staff send again and again, once for each language."""

    __tablename__ = "canned_reply"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("uq_canned_reply_name_language", "organization_id", "name", "language", unique=True),)
