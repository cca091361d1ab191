"""One text, from the signed webhook to TwiML."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from scheduling_core import booking, handoff, messaging, times
from scheduling_core.models import Communication, Conversation, Delivery, Direction, Owner, Priority, Task
from tests.bot.conftest import CLINIC, PATIENT, House, messages, new_sid, sign, text_params
from tests.factories import make_conversation, make_free_time, make_patient


def rows(house: House, direction: Direction | None = None) -> list[Communication]:
    with house.database.reading() as session:
        found = select(Communication).order_by(Communication.sequence)
        return list(session.scalars(found.where(Communication.direction == direction) if direction else found))


def tasks(house: House) -> list[Task]:
    with house.database.reading() as session:
        return list(session.scalars(select(Task).order_by(Task.created_at)))


def conversations(house: House) -> list[Conversation]:
    with house.database.reading() as session:
        return list(session.scalars(select(Conversation).order_by(Conversation.created_at)))


def test_a_text_is_answered_in_twiml_and_both_are_kept(house: House):
    assert house.text("I need a checkup") == ["You said: I need a checkup"]
    incoming, outgoing = rows(house)
    assert (incoming.body, incoming.status, incoming.answered_by) == ("I need a checkup", Delivery.ANSWERED, "twiml")
    assert (outgoing.body, outgoing.status, outgoing.author) == ("You said: I need a checkup", Delivery.SENT, "assistant")
    assert outgoing.in_reply_to == incoming.id
    (conversation,) = conversations(house)
    assert house.dialogue.asked == [
        {"sender": conversation.id, "message": "I need a checkup", "metadata": {"channel": "sms", "turn": incoming.id}}
    ]
    assert PATIENT not in conversation.id
    assert (conversation.turn, conversation.lease) == (1, None)
