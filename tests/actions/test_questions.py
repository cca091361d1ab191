"""General questions, answered from the clinic file."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core.models import Appointment, Patient, Task
from tests.actions.talk import Talk


@pytest.mark.parametrize(
    ("words", "intent", "told"),
    [
        (
            "what are your hours at the main clinic",
            "ask_hours",
            "Maple Grove North: Mon-Fri 8:00 AM-5:00 PM, Sat 9:00 AM-12:00 PM.",
        ),
        ("where is the south office", "ask_location", "Maple Grove South: 2200 S Bay St, Milwaukee, WI 53207."),
        ("parking at north?", "ask_parking", "Maple Grove North: Free garage under the building."),
        ("do I have to fast before my labs", "ask_prep", "Lab blood draw: Fast for 10 hours before the draw."),
        (
            "what do I bring to my first visit",
            "ask_prep",
            "New patient visit: Please come 15 minutes early. Please bring: Photo ID, Insurance card.",
        ),
    ],
)
def test_the_clinic_file_answers(stranger: Talk, words: str, intent: str, told: str) -> None:
    stranger.say(words, intent)
    assert stranger.last().text == told
    with stranger.database.reading() as session:
        assert [session.scalars(select(table)).first() for table in (Task, Appointment, Patient)] == [None, None, None]


def test_a_question_taken_for_an_errand_elsewhere_is_answered_when_it_names_our_place(stranger: Talk) -> None:
    stranger.say("where's bay view", "out_of_scope")
    assert stranger.last().text == "Maple Grove South: 2200 S Bay St, Milwaukee, WI 53207."
    stranger.ranking = [("out_of_scope", 0.6), ("ask_hours", 0.3)]
    stranger.say("what time does bay view close saturdays", "out_of_scope")
    assert (stranger.last().text or "").startswith("Maple Grove South: Mon")


def test_an_errand_elsewhere_is_not_answered_as_a_question_about_a_place(stranger: Talk) -> None:
    assert stranger.say("where is the closest taco place", "out_of_scope") == ["utter_out_of_scope"]
    assert stranger.last().values["clinic"] == "Maple Grove Clinic"
    assert stranger.say("book me a flight to the south", "out_of_scope") == ["utter_out_of_scope"]


def test_who_speaks_a_language_is_named_and_a_yes_begins_a_booking_with_them(talk: Talk) -> None:
    assert talk.say("which doctors speak Spanish?", "find_provider") == ["utter_providers"]
    assert talk.last().values["names"] == "Dr. Tanaka and Lars Sorensen"
    assert talk.say("yes please", "affirm") == ["utter_request_service"]
    assert talk.slots["speaks"] == "es"


def test_a_question_that_nobody_wrote_down_is_not_answered_by_guessing(stranger: Talk) -> None:
    assert stranger.say("do you sell gift cards", "ask_clinic") == ["utter_cannot_answer"]


def test_a_medical_question_goes_to_the_clinical_team_without_advice(talk: Talk) -> None:
    assert talk.say("can I take ibuprofen with my pills?", "medical_question") == ["utter_medical_question"]
    with talk.database.reading() as session:
        assert [task.team for task in session.scalars(select(Task))] == ["clinical"]
