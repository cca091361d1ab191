"""Calls, as Twilio makes them."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from scheduling_core import messaging
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Communication, Direction, Priority
from tests.bot.conftest import PATIENT, House
from tests.bot.voice.call import Call, tasks
from tests.conftest import Clock


def test_a_call_is_greeted_and_listened_to(sqlite_house: House):
    call = Call(sqlite_house)
    assert "Maple Grove Clinic" in call.heard
    assert "assistant" in call.heard
    assert "person" in call.heard
    gather = call.twiml.find("Gather")
    assert gather is not None
    assert gather.attrib["input"] == "dtmf speech"
    assert gather.attrib["actionOnEmptyResult"] == "true"
    assert call.action == "/twilio/voice/turn?turn=1"


def test_what_is_said_and_pressed_goes_to_the_dialogue_call_by_call(house: House):
    call, other = Call(house), Call(house)
    assert call.say("I need a checkup") == "You said: I need a checkup"
    assert call.press("04191980#").startswith("You said: 1980-04-19")
    assert other.say("hello") == "You said: hello"
    senders = [asked["sender"] for asked in house.dialogue.asked]
    assert senders[0] == senders[1] != senders[2]
    assert house.dialogue.asked[0]["metadata"]["channel"] == "voice"
    assert call.action == "/twilio/voice/turn?turn=3"


def test_a_turn_posted_twice_is_one_turn_with_one_answer(house: House):
    call = Call(house)
    action = call.action
    first = call.say("book me in")
    call.post(action, SpeechResult="book me in", Confidence="0.93")
    assert call.heard == first
    assert house.dialogue.texts == ["book me in"]


def test_what_was_heard_badly_is_asked_again_and_not_passed_on(sqlite_house: House):
    call = Call(sqlite_house)
    assert "once more" in call.say("mumble", confidence="0.2")
    assert sqlite_house.dialogue.asked == []
    assert call.say("a checkup") == "You said: a checkup"


def test_silence_is_asked_again_slower_and_then_called_back(house: House):
    call = Call(house)
    call.say("a checkup")
    first, second = call.stay_silent(), call.stay_silent()
    assert "You said: a checkup" in first
    assert "keys" in second
    assert "call you back" in call.stay_silent()
    assert call.twiml.find("Hangup") is not None
    (task,) = tasks(house)
    assert (task.reason, task.phone) == ("call-back", PATIENT)


def test_a_word_between_two_silences_starts_the_count_anew(sqlite_house: House):
    call = Call(sqlite_house)
    call.stay_silent()
    call.stay_silent()
    call.say("hello")
    assert "did not hear" in call.stay_silent()
    assert tasks(sqlite_house) == []


def test_a_person_in_the_desks_hours_is_dialled_and_after_that_is_not(house: House, clock: Clock):
    house.dialogue.reply = lambda _: [{"text": "Somebody will call you."}, {"custom": {"handoff": True}}]
    call = Call(house)
    call.say("a person please")
    assert call.twiml.findtext("Dial/Number") == "+14145550120"
    clock.set("2026-11-16T19:00:00-06:00")
    call = Call(house)
    assert call.say("a person please").startswith("If this is an emergency, call 911")
    assert call.twiml.find("Dial") is None


def test_a_desk_that_does_not_pick_up_leaves_a_task(house: House):
    house.dialogue.reply = lambda _: [{"text": "x"}, {"custom": {"handoff": True}}]
    call = Call(house)
    call.say("a person please")
    dial = call.twiml.find("Dial")
    assert dial is not None
    call.post(dial.attrib["action"], DialCallStatus="no-answer")
    assert "call you back" in call.heard
    (task,) = tasks(house)
    assert task.reason == "call-back"


def test_zero_asks_for_a_person(sqlite_house: House):
    Call(sqlite_house).press("0")
    assert sqlite_house.dialogue.texts == ["I want to talk to a person"]


def test_a_red_flag_on_a_call(sqlite_house: House, clinic: ClinicFile):
    call = Call(sqlite_house)
    assert call.say("my chest hurts so much I can hardly breathe") == clinic.emergency.say
    (task,) = tasks(sqlite_house)
    assert task.priority is Priority.STAT
    assert sqlite_house.dialogue.asked == []


@pytest.mark.parametrize("word", ["stop", "cancel", "help"])
def test_opt_out_words_are_ordinary_words_on_a_call(sqlite_house: House, word: str):
    assert Call(sqlite_house).say(word) == f"You said: {word}"
    with sqlite_house.database.reading() as session:
        assert not messaging.opted_out(session, PATIENT)


def test_a_dialogue_that_is_down_is_said_and_leaves_a_task(sqlite_house: House):
    sqlite_house.dialogue.stop()
    call = Call(sqlite_house)
    assert "problem" in call.say("hello")
    assert call.twiml.find("Hangup") is not None
    assert [task.reason for task in tasks(sqlite_house)] == ["dialogue-down"]


def test_a_slow_answer_asks_for_patience_and_comes(hasty_house: House):
    def _reply(asked):
        time.sleep(0.6)
        return [{"text": "here it is"}]

    hasty_house.dialogue.reply = _reply
    call = Call(hasty_house)
    assert "moment" in call.say("hello")
    target = call.twiml.findtext("Redirect")
    assert target
    call.post(target)
    assert call.heard == "here it is"
    assert hasty_house.dialogue.texts == ["hello"]


def test_a_hidden_number_is_served(sqlite_house: House):
    assert Call(sqlite_house, phone="anonymous").say("hello") == "You said: hello"


def test_calls_are_kept_as_messages(sqlite_house: House):
    Call(sqlite_house).say("hello")
    with sqlite_house.database.reading() as session:
        kept = session.execute(select(Communication.direction, Communication.body).order_by(Communication.sequence)).all()
    assert [tuple(row) for row in kept] == [(Direction.IN, "hello"), (Direction.OUT, "You said: hello")]
