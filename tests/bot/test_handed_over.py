"""What is said in a conversation that people have reaches them once, and the assistant is silent in it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from scheduling_core import handoff, inbox, inbox_queues, messaging, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import WrongStateError
from scheduling_core.inbox import Clerk
from scheduling_core.inbox_queues import Queue
from scheduling_core.models import Communication, Conversation, Delivery, Direction, Owner, Task
from tests.bot.conftest import PATIENT, House, new_sid
from tests.conftest import Clock
from tests.factories import make_clerk


def clerk(house: House, name: str = "Tess Quinn") -> Clerk:
    with house.database.transaction() as session:
        return make_clerk(session, name=name)


def claim(house: House, who: Clerk) -> str:
    """The open conversation is theirs."""
    with house.database.transaction() as session:
        conversation = session.scalars(select(Conversation).where(Conversation.open)).one()
        inbox.claim(session, conversation_id=conversation.id, clerk=who)
        return conversation.id


def heard(house: House, conversation_id: str) -> list[tuple[str, str]]:
    """What the patient said in it, in order, with its state."""
    with house.database.reading() as session:
        found = session.scalars(
            select(Communication)
            .where(Communication.conversation_id == conversation_id, Communication.direction == Direction.IN)
            .order_by(Communication.sequence)
        )
        return [(message.body, message.status) for message in found]


def said(house: House) -> list[tuple[str, Delivery]]:
    with house.database.reading() as session:
        found = session.scalars(
            select(Communication).where(Communication.direction == Direction.OUT).order_by(Communication.sequence)
        )
        return [(message.body, message.status) for message in found]


def test_what_a_patient_writes_is_in_the_inbox_once_however_often_it_is_delivered(house: House):
    tess = clerk(house)
    house.text("hi")
    conversation = claim(house, tess)
    sid = new_sid()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: house.text("are you there?", sid=sid), range(6)))
    assert answers == [[]] * 6
    assert heard(house, conversation) == [("hi", Delivery.ANSWERED), ("are you there?", Delivery.INBOX)]
    assert house.dialogue.texts == ["hi"]


def test_somebody_waits_from_the_first_text_on_until_a_person_answers(house: House, clinic: ClinicFile, clock: Clock):
    tess = clerk(house)
    house.text("hi")
    conversation = claim(house, tess)
    with house.database.transaction() as session:
        inbox.reply(session, clinic, conversation_id=conversation, clerk=tess, body="How can I help?")
    clock.set("2026-11-16T09:20:00-06:00")
    house.text("my knee")
    clock.set("2026-11-16T09:30:00-06:00")
    house.text("it hurts")
    with house.database.reading() as session:
        (row,) = inbox_queues.rows(session, Queue.MINE, staff_id=tess.staff_id)
        assert row.waiting_since.isoformat() == "2026-11-16T15:20:00+00:00"
        assert row.words == "it hurts"


@pytest.mark.parametrize("text", ["/restart", "  /session_start", "HELP", "///", "ok", "🙂"])
def test_no_text_makes_the_assistant_speak_in_it(sqlite_house: House, text: str):
    tess = clerk(sqlite_house)
    sqlite_house.text("hi")
    conversation = claim(sqlite_house, tess)
    assert sqlite_house.text(text) == []
    assert heard(sqlite_house, conversation)[-1] == (text.strip() if text.strip() == text else text, Delivery.INBOX)
    assert sqlite_house.dialogue.texts == ["hi"]


def test_danger_is_answered_at_once_and_is_in_the_inbox_too(sqlite_house: House, clinic: ClinicFile):
    tess = clerk(sqlite_house)
    sqlite_house.text("hi")
    conversation = claim(sqlite_house, tess)
    assert sqlite_house.text("my chest hurts badly") == [clinic.emergency.say]
    assert heard(sqlite_house, conversation)[-1] == ("my chest hurts badly", Delivery.INBOX)
    with sqlite_house.database.reading() as session:
        (row,) = inbox_queues.rows(session, Queue.MINE, staff_id=tess.staff_id)
        assert row.is_red_flag


def test_who_wants_no_texts_is_heard_too(sqlite_house: House):
    tess = clerk(sqlite_house)
    sqlite_house.text("hi")
    conversation = claim(sqlite_house, tess)
    assert len(sqlite_house.text("STOP")) == 1
    assert sqlite_house.text("call me about my bill") == []
    assert [status for _, status in heard(sqlite_house, conversation)[1:]] == [Delivery.INBOX] * 2


def test_staff_keep_it_however_long_it_is_silent(house: House, clock: Clock):
    tess = clerk(house)
    house.text("hi")
    conversation = claim(house, tess)
    clock.set("2026-11-18T11:00:00-06:00")
    assert house.text("still waiting") == []
    assert heard(house, conversation)[-1] == ("still waiting", Delivery.INBOX)


def test_it_reaches_the_inbox_with_the_dialogue_down(sqlite_house: House):
    tess = clerk(sqlite_house)
    sqlite_house.text("hi")
    conversation = claim(sqlite_house, tess)
    sqlite_house.dialogue.stop()
    assert sqlite_house.text("hello?") == []
    assert heard(sqlite_house, conversation)[-1] == ("hello?", Delivery.INBOX)


def test_a_text_that_the_dialogue_could_not_answer_waits_for_a_person(sqlite_house: House):
    sqlite_house.dialogue.stop()
    sqlite_house.text("I need a visit")
    with sqlite_house.database.reading() as session:
        (row,) = inbox_queues.rows(session, Queue.UNASSIGNED, staff_id="")
        assert row.reason == "dialogue-down"


def test_who_takes_over_while_the_dialogue_thinks_silences_it(house: House):
    tess = clerk(house)
    house.text("hi")
    thinking, taken = threading.Event(), threading.Event()

    def think(asked):
        thinking.set()
        taken.wait(10)
        return [{"text": "You are booked for Monday."}]

    house.dialogue.reply = think
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(house.text, "book me")
        thinking.wait(10)
        conversation = claim(house, tess)
        taken.set()
        assert answer.result() == []
    assert heard(house, conversation)[-1] == ("book me", Delivery.INBOX)
    assert said(house)[-1] == ("You are booked for Monday.", Delivery.WITHHELD)
    assert house.worker().send_due() == 0


def test_the_dialogue_itself_may_say_that_it_hands_over(sqlite_house: House):
    sqlite_house.text("hi")

    def hand_over(asked):
        with sqlite_house.database.transaction() as session:
            id_ = asked["sender"]
            handoff.take_over(session, conversation_id=id_, owner_name="desk", team="desk", agent=f"assistant:{id_}")
        return [{"text": "Somebody will write to you here."}]

    sqlite_house.dialogue.reply = hand_over
    assert sqlite_house.text("a person please") == ["Somebody will write to you here."]
    assert sqlite_house.text("thanks") == []


def test_the_dialogue_answers_what_came_in_while_it_was_given_back(house: House):
    """Whatever the order in which they meet, the text is answered once: by nobody in the inbox, or by the assistant."""
    tess = clerk(house)
    for number in range(10):
        house.text("hi")
        conversation = claim(house, tess)

        def give_back(conversation=conversation) -> None:
            with house.database.transaction() as session:
                inbox.give_back(session, conversation_id=conversation, clerk=tess)

        with ThreadPoolExecutor(2) as pool:
            text = pool.submit(house.text, f"hello {number}")
            pool.submit(give_back).result()
            answer = text.result()
        in_old = [status for body, status in heard(house, conversation) if body == f"hello {number}"]
        assert answer == ([] if in_old else [f"You said: hello {number}"])
        assert in_old in ([], [Delivery.INBOX])
        with house.database.reading() as session:
            opened = session.scalars(select(Conversation).where(Conversation.open)).all()
            assert len(opened) == 1
            assert opened[0].owner is Owner.BOT


def test_a_text_left_lying_by_a_killed_process_goes_to_the_inbox(house: House):
    tess = clerk(house)
    house.text("hi")
    conversation = claim(house, tess)
    with house.database.transaction() as session:
        message = Communication(
            conversation_id=conversation,
            channel="sms",
            direction=Direction.IN,
            phone=PATIENT,
            body="lost?",
            author="patient",
            status=Delivery.RECEIVED,
            kind="text",
            created_at=times.now(),
        )
        session.add(message)
    house.worker().answer_left_lying()
    assert heard(house, conversation)[-1] == ("lost?", Delivery.INBOX)
    house.worker().answer_left_lying()
    assert len(heard(house, conversation)) == 2


def test_what_is_resolved_begins_afresh_with_the_next_text(sqlite_house: House):
    tess = clerk(sqlite_house)
    sqlite_house.text("hi")
    conversation = claim(sqlite_house, tess)
    with sqlite_house.database.transaction() as session:
        inbox.resolve(session, conversation_id=conversation, clerk=tess)
    assert sqlite_house.text("one more thing") == ["You said: one more thing"]
    assert sqlite_house.dialogue.asked[-1]["sender"] != conversation


def test_the_terminal_and_the_console_say_the_same(sqlite_house: House, clinic: ClinicFile):
    from bot import inbox as terminal

    sqlite_house.text("hi")
    with sqlite_house.database.transaction() as session:
        conversation = session.scalars(select(Conversation.id)).one()
        assert terminal.reply(session, conversation_id=conversation, text="This is Ann.", name="Ann").startswith("The message")
        assert any("Ann" in line and "This is Ann." in line for line in terminal.waiting(session))
        messaging.record_opt_out(session, PATIENT, out=True, source="keyword")
        assert terminal.reply(session, conversation_id=conversation, text="x", name="Ann").startswith("Not sent")
        terminal.give_back(session, conversation_id=conversation, name="Ann")
        with pytest.raises(WrongStateError):
            terminal.give_back(session, conversation_id=conversation, name="Ann")
        assert session.scalars(select(Task)).all() == []
        session.execute(update(Conversation).values(open=False))
