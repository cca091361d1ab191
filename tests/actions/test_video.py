"""Visits by video in the dialogue: the link with the confirmation, and help when it fails."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from actions import video
from scheduling_core import booking, reminders
from scheduling_core.models import Communication, Conversation, Mode, Patient, Priority, Task
from tests.actions.talk import Talk
from tests.core.clinics import load
from tests.factories import make_free_time

LINK = "https://video.example/"


@pytest.fixture
def by_video(sqlite_loaded, clinic):
    """The tests' clinic, with visits by video."""
    video_visits = {"video": {"link": LINK + "{room}", "test": LINK + "test"}}
    return load(sqlite_loaded, type(clinic).model_validate(clinic.model_dump(by_alias=True) | video_visits))


def book(talk: Talk, clinic, start="2026-11-19T13:00", mode=Mode.VIDEO):
    with talk.database.transaction() as session:
        patient = session.scalars(select(Patient)).one()
        time = make_free_time(clinic, start=start, mode=mode)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=start)


def notes(talk: Talk) -> list[str]:
    return [said.values["note"] for said in talk.heard if said.response == "utter_note"]


def as_said(talk: Talk, visit) -> list[str]:
    """What a confirmation of this visit adds."""
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher

    from actions.turn import begin

    dispatcher = CollectingDispatcher()
    message = {"text": "ok", "intent": {"name": "affirm"}, "metadata": {"turn": "t"}}
    turn = begin(Tracker(talk.conversation_id, {}, message, [], False, None, {}, "action_listen"), dispatcher, talk.database)
    video.say_links(turn, [visit])
    return [said.get("note") or said["response"] for said in dispatcher.messages]


def test_a_confirmed_visit_by_video_comes_with_its_link_how_to_try_it_and_the_calendar(talk, by_video, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.example")
    join, try_it, fails, calendar = as_said(talk, book(talk, by_video))
    assert join.startswith(f"Join by video: {LINK}")
    assert try_it == f"Try it before: {LINK}test"
    assert fails == "If the video fails, call (414) 555-0100."
    assert calendar.startswith("For your calendar: https://texts.example/c/")


def test_a_visit_in_person_comes_with_the_calendar_alone(talk, by_video, monkeypatch):
    visit = book(talk, by_video, mode=Mode.IN_PERSON)
    assert as_said(talk, visit) == []
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.example")
    assert len(as_said(talk, visit)) == 1


def test_on_a_call_the_video_link_is_texted_once_and_none_is_spoken(talk, by_video):
    visit = book(talk, by_video)
    with talk.database.transaction() as session:
        session.scalars(select(Conversation)).one().channel = "voice"
    assert as_said(talk, visit) == as_said(talk, visit) == ["utter_video_link_by_text"]
    with talk.database.reading() as session:
        [text] = session.scalars(select(Communication)).all()
    assert (text.channel, text.phone) == ("sms", "+14145550142")
    assert LINK in text.body


@pytest.mark.parametrize("words", ["the link doesn't work", "i can't get into the video", "no puedo entrar al video", "no sound"])
def test_who_cannot_get_in_while_the_visit_is_on_hears_what_to_do_and_the_desk_is_told(talk, by_video, clock, words):
    book(talk, by_video)
    clock.set("2026-11-19T12:55:00-06:00")
    assert talk.say(words, "ask_video") == ["utter_video_trouble_told"]
    with talk.database.reading() as session:
        [task] = session.scalars(select(Task)).all()
    assert (task.team, task.reason, task.priority) == ("desk", "video-trouble", Priority.ASAP)


def test_on_another_day_nobody_is_called_for_it(talk, by_video):
    book(talk, by_video)
    assert talk.say("the link doesn't work", "ask_video") == ["utter_video_trouble"]
    with talk.database.reading() as session:
        assert session.scalars(select(Task)).all() == []


def test_the_number_that_was_reminded_of_a_visit_by_video_gets_its_link_again(talk, by_video, clock):
    book(talk, by_video)
    assert talk.say("send me the link again", "ask_video") == ["utter_video_link_where"]
    clock.set("2026-11-18T13:00:00-06:00")
    with talk.database.transaction() as session:
        reminders.send_due(session, by_video)
        session.scalars(select(Communication)).one().status = "sent"
    talk.say("send me the link again", "ask_video")
    assert notes(talk)[0].startswith(f"Join by video: {LINK}")


def test_others_are_told_how_to_try_it_and_what_it_is(talk, by_video, clinic):
    assert talk.say("do i need a camera", "ask_video") == ["utter_video_try"]
    assert talk.say("do you have video visits", "ask_video") == ["utter_video"]
    load(talk.database, clinic)
    assert talk.say("the link doesn't work", "ask_video") == ["utter_video"]


def test_a_booking_by_text_ends_with_the_links(talk, by_video, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.example")
    talk.say("I need a follow-up by video with Dr. Ferreira on Wednesday", "book_appointment")
    talk.say("4/19/1980")
    talk.say("2", "select")
    assert talk.say("yes", "affirm") == ["utter_booked", "utter_note", "utter_note", "utter_note", "utter_note"]
    assert [note.split(" http")[0] for note in notes(talk)] == [
        "Join by video:",
        "Try it before:",
        "If the video fails, call (414) 555-0100.",
        "For your calendar:",
    ]


def test_a_move_by_text_says_the_links_anew(talk, by_video, monkeypatch):
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://texts.example")
    book(talk, by_video, mode=Mode.IN_PERSON)
    talk.say("move my visit to Wednesday", "reschedule_appointment")
    talk.say("4/19/1980")
    while talk.last().response == "utter_offers":
        talk.say("1", "select")
    talk.say("yes", "affirm")
    assert talk.heard[0].response == "utter_moved"
    assert notes(talk)[0].startswith("For your calendar: https://texts.example/c/")
