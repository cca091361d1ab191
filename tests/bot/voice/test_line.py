"""What a call does by itself, around the dialogue: silence, doubt, keys, the end of what was wished, and a text afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import booking, messaging
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Communication, Conversation, Delivery
from tests.bot.conftest import PATIENT, House
from tests.bot.voice.call import Call, asks, conversation, tasks
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient

READ_BACK = "Annual physical for Ruth, Tuesday, November 24 at 9:20 AM with Dr. Ferreira at North. Shall I book it?"
OFFERS = "Times:\n1) Tuesday, November 24 at 9:20 AM\n2) Wednesday, November 25 at 10:00 AM\nWhich one works for you?"


def answers(house: House, *turns: list[dict[str, object]]) -> None:
    """The dialogue answers with these, one after the other, then with the last of them."""
    left = list(turns)
    house.dialogue.reply = lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_the_recogniser_is_told_the_words_to_expect(sqlite_house: House, clinic: ClinicFile):
    call = Call(sqlite_house)
    assert "Annual physical" in call.hints
    assert "Dr. Joana Ferreira" in call.hints
    answers(sqlite_house, asks("choice", OFFERS, count=2, words=["Tuesday, November 24 at 9:20 AM"]))
    call.say("a checkup")
    assert "Tuesday November 24 at 9:20 AM" in call.hints
    assert call.gather.attrib["bargeIn"] == "true"
    assert call.gather.attrib["speechTimeout"] == "auto"


def test_keys_at_an_offer_say_its_number_and_are_told_to_who_uses_them(sqlite_house: House):
    answers(sqlite_house, asks("choice", OFFERS, count=2), asks("confirm", READ_BACK))
    call = Call(sqlite_house)
    assert "press its number" not in call.say("a checkup")
    assert "Press 1 for yes, 2 for no." in call.press("2")
    call.press("1")
    assert sqlite_house.dialogue.texts == ["a checkup", "2", "yes"]


def test_a_key_that_means_nothing_is_said_and_passed_on_to_nobody(sqlite_house: House):
    answers(sqlite_house, asks("confirm", READ_BACK))
    call = Call(sqlite_house)
    call.say("a checkup")
    for keys in ("*#*#", "77", "6"):
        assert "Shall I book it?" in call.press(keys)
    assert sqlite_house.dialogue.texts == ["a checkup"]


def test_the_same_dead_key_three_times_is_a_call_for_help(sqlite_house: House):
    answers(sqlite_house, asks("confirm", READ_BACK))
    call = Call(sqlite_house)
    call.say("a checkup")
    for _ in range(3):
        call.press("7")
    assert call.twiml.find("Dial") is not None
    assert [task.reason for task in tasks(sqlite_house)] == ["not-understood"]


def test_what_was_asked_is_asked_again_in_fewer_words_and_slower(sqlite_house: House):
    answers(sqlite_house, asks("time", "You have: a checkup on Monday. What day and time would you like instead?"))
    call = Call(sqlite_house)
    call.say("I need to move my visit")
    first, second = call.stay_silent(), call.stay_silent()
    assert "What day and time" in first
    assert "You have" not in first + second
    assert "For the soonest time, press 1" in first
    assert call.twiml.find(".//prosody") is not None


def test_only_breath_is_silence(sqlite_house: House):
    call = Call(sqlite_house)
    for _ in range(3):
        call.say("hhm. uh")
    assert call.is_over
    assert sqlite_house.dialogue.texts == []
    assert [task.reason for task in tasks(sqlite_house)] == ["call-back"]


def test_nobody_calls_back_who_said_nothing_and_hides_the_number(sqlite_house: House):
    call = Call(sqlite_house, phone="+266696687")
    for _ in range(3):
        call.stay_silent()
    assert call.is_over
    assert "call you back" not in call.heard
    assert tasks(sqlite_house) == []


@pytest.mark.parametrize("hour", ["2026-11-16T09:10:00-06:00", "2026-11-16T19:00:00-06:00"])
def test_three_times_not_understood_is_for_a_person(sqlite_house: House, clock: Clock, hour: str):
    clock.set(hour)
    call = Call(sqlite_house)
    heard = [call.say("mumble", confidence="0.1") for _ in range(3)]
    assert heard[0] != heard[1]
    assert (call.twiml.find("Dial") is not None) is ("T09" in hour)
    assert len(tasks(sqlite_house)) == 1


def test_what_was_doubtfully_heard_is_read_back_where_it_would_be_costly(sqlite_house: House):
    answers(sqlite_house, asks("birth_date", "What is your date of birth?"), asks("time", "What day?"))
    call = Call(sqlite_house)
    call.say("a checkup", confidence="0.5")
    assert "I heard: March 8 1976. Is that right?" in call.say("March 8 1976", confidence="0.5")
    assert "What is your date of birth?" in call.say("no")
    call.say("March 18 1976", confidence="0.5")
    assert "What day?" in call.press("1")
    assert sqlite_house.dialogue.texts == ["a checkup", "March 18 1976"]


def test_a_birth_date_whose_month_was_lost_is_asked_again(sqlite_house: House):
    answers(sqlite_house, asks("birth_date", "What is your date of birth?"))
    call = Call(sqlite_house)
    call.say("a checkup")
    assert "What is your date of birth?" in call.say("mulch twelfth nineteen eighty five")
    assert sqlite_house.dialogue.texts == ["a checkup"]


def test_a_doubtful_answer_said_anew_needs_no_yes(sqlite_house: House):
    answers(sqlite_house, asks("birth_date", "What is your date of birth?"))
    call = Call(sqlite_house)
    call.say("a checkup")
    call.say("March 8 1976", confidence="0.5")
    call.say("March 18 1976")
    assert sqlite_house.dialogue.texts == ["a checkup", "March 18 1976"]


def test_the_call_changes_language_with_a_key(sqlite_house: House):
    call = Call(sqlite_house)
    assert "Para español, oprima 8." in call.heard
    assert "Para reservar una cita, oprima 1." in call.press("8")
    assert call.gather.attrib["language"] == "es-US"
    call.press("1")
    assert sqlite_house.dialogue.texts == ["Quiero reservar una cita"]


def test_when_nothing_is_open_a_no_or_silence_ends_the_call_without_a_callback(sqlite_house: House):
    answers(sqlite_house, asks(None, "Your visit is cancelled."))
    call = Call(sqlite_house)
    assert call.say("cancel it").endswith("Is there anything else?")
    assert "Goodbye" in call.say("No, that's all. Thank you.")
    assert call.is_over
    other = Call(sqlite_house)
    other.say("cancel it")
    assert "anything else" in other.stay_silent()
    other.stay_silent()
    assert other.is_over
    assert tasks(sqlite_house) == []


def test_after_words_of_danger_nothing_else_is_asked(sqlite_house: House):
    answers(sqlite_house, [{"text": "Call 911 now."}, {"custom": {"asked": {}, "danger": True}}])
    call = Call(sqlite_house)
    assert call.say("the room is going dark") == "Call 911 now."
    assert call.gather.attrib["bargeIn"] == "false"


def test_a_no_that_goes_on_is_heard(sqlite_house: House):
    answers(sqlite_house, asks(None, "Your visit is cancelled."))
    call = Call(sqlite_house)
    call.say("cancel it")
    call.say("no, but I need a flu shot")
    assert sqlite_house.dialogue.texts[-1] == "no, but I need a flu shot"


@pytest.fixture
def booked(sqlite_house: House, clinic: ClinicFile, clock: Clock) -> House:
    """A dialogue that books for Ruth, who called, whatever she says."""
    with sqlite_house.database.transaction() as session:
        patient_id = make_patient(session, phone=PATIENT).id

    def reply(asked):
        with sqlite_house.database.transaction() as session:
            booking.book(
                session,
                clinic,
                patient_id=patient_id,
                time=make_free_time(clinic, start="2026-11-17T09:00"),
                agent=f"assistant:{asked['sender']}",
                key=f"{asked['metadata']['turn']}:book",
            )
            found = session.scalars(select(Conversation).where(Conversation.id == asked["sender"])).one()
            found.patient_id = patient_id
        return [{"text": "You're booked: Tuesday."}, {"custom": {"asked": {}, "booked": True}}]

    sqlite_house.dialogue.reply = reply
    return sqlite_house


def texts(house: House) -> list[Communication]:
    with house.database.reading() as session:
        return list(session.scalars(select(Communication).where(Communication.kind == "details")))


def test_who_agrees_gets_a_text_with_what_was_booked_and_the_way_there(booked: House):
    call = Call(booked)
    assert "Shall I text you the details?" in call.say("a follow up please")
    assert "anything else" in call.press("1")
    (text,) = texts(booked)
    assert text.status is Delivery.QUEUED
    assert text.phone == PATIENT
    assert "Tuesday, November 17 at 9:00 AM with Dr. Joana Ferreira" in text.body
    assert "410 N Maple St" in text.body
    assert "Across from the library." in text.body
    assert len(booked.dialogue.texts) == 1


def test_who_does_not_agree_gets_none(booked: House):
    call = Call(booked)
    call.say("a follow up please")
    call.say("no thanks")
    assert "anything else" in call.heard
    assert texts(booked) == []


@pytest.mark.parametrize("phone", [PATIENT, "anonymous"])
def test_no_text_is_offered_to_who_wants_none_or_hides_the_number(booked: House, phone: str):
    with booked.database.transaction() as session:
        messaging.record_opt_out(session, PATIENT, out=True, source="keyword")
    call = Call(booked, phone=phone)
    assert "text you" not in call.say("a follow up please")


def test_a_call_is_a_conversation_of_its_own(booked: House):
    first, second = Call(booked), Call(booked)
    assert conversation(booked, first).id != conversation(booked, second).id
