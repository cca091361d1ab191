"""Calls: who was on the line, what was answered in each turn, and what was recorded."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, words
from scheduling_core.models.workflow import Direction


class AnsweredBy(StrEnum):
    """Who picked up a call of ours, as the carrier hears it."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Call(Base):
    """One call, by the carrier's id of it. `communication_id`: of a call that we made, the message that it carries."""

    __tablename__ = "call"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # CallSid
    conversation_id: Mapped[str] = mapped_column(String(64))
    direction: Mapped[Direction] = mapped_column(words(Direction))
    phone: Mapped[str] = mapped_column(String(40))  # the other party, as Conversation.phone
    communication_id: Mapped[str | None] = mapped_column(String(64))
    answered_by: Mapped[AnsweredBy | None] = mapped_column(words(AnsweredBy))
    begun_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (Index(None, "organization_id", "conversation_id"),)


class CallTurn(Base):
    """What was answered in one turn of a call, word for word: the same turn again hears the same."""

    __tablename__ = "call_turn"

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    twiml: Mapped[str] = mapped_column(Text)


class Recording(Base):
    """What a caller left for the desk. The sound stays with the carrier, behind our credentials; `transcript` is its guess."""

    __tablename__ = "recording"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    external_id: Mapped[str] = mapped_column(String(64))  # RecordingSid
    call_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(500))
    seconds: Mapped[int | None]
    transcript: Mapped[str | None] = mapped_column(Text)
    task_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        Index("uq_recording_external_id", "organization_id", "external_id", unique=True),
        Index(None, "organization_id", "conversation_id"),
    )
