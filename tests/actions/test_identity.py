"""Who is texting: what of an answer is a name, what a birth date, and what neither."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions import identity
from actions.turn import Turn, begin
from scheduling_core.models import Conversation
from tests.actions.talk import Talk
from tests.factories import make_patient

VISIT = ("I'd like a follow-up tomorrow", "book_appointment")
MINE = ("When is my appointment?", "check_appointment")


def claim(talk: Talk) -> dict[str, Any]:
    with talk.database.reading() as session:
        return dict(session.scalars(select(Conversation).where(Conversation.id == talk.conversation_id)).one().claim)


def named(talk: Talk) -> tuple[Any, Any]:
    return claim(talk).get("given"), claim(talk).get("family")


def verified(talk: Talk) -> bool:
    with talk.database.reading() as session:
        return session.scalars(select(Conversation).where(Conversation.id == talk.conversation_id)).one().patient_id is not None


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("sorry typo, 4/19/1980", "en"),
        ("oops wait, 4/19/80", "en"),
        ("uh huh it's the 19th of april 80", "en"),
        ("Ruthie Nowak, 4/19/1980", "en"),
        ("perdón, me equivoqué, 19 de abril 1980", "es"),
        ("ay disculpe, 19 de abril de 1980", "es"),
    ],
)
def test_no_name_is_taken_from_an_answer_to_the_birth_date_alone(talk: Talk, words: str, language: str) -> None:
    talk.slots["language"] = language
    assert talk.say(*MINE) == ["utter_request_birth_date"]
    assert talk.say(words) == ["utter_no_visits"]
    assert named(talk) == (None, None)
    assert verified(talk)


def test_a_name_told_before_does_not_stand_in_the_way_of_the_right_birth_date(talk: Talk) -> None:
    talk.say("This is Bella Thornton, when is my appointment?", "check_appointment")
    assert talk.say("4/19/1980") == ["utter_no_visits"]
    assert verified(talk)


def test_of_two_born_on_a_day_the_name_decides(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Anton", family="Novak", phone="+14145550142")
    talk.say("This is Anton Novak, when is my appointment?", "check_appointment")
    assert talk.say("4/19/1980") == ["utter_no_visits"]
    assert verified(talk)


def test_a_relative_on_the_same_number_is_asked_for_the_birth_date_alone(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Anton", family="Novak", birth_date="1979-02-02", phone="+14145550142")
    talk.say(*MINE)
    talk.say("4/19/1980")
    assert talk.say("and when is Anton's appointment?", "check_appointment") == ["utter_request_birth_date_of"]
    assert talk.last().values["first"] == "Anton"
    assert talk.say("4/19/1980") == ["utter_birth_date_wrong"]
    assert talk.say("2/2/1979") == ["utter_no_visits"]
    assert verified(talk)


def test_of_twins_the_first_name_is_asked_for(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Anton", family="Novak", phone="+14145550142")
    talk.say(*MINE)
    assert talk.say("4/19/1980") == ["utter_request_name"]
    assert talk.say("sorry typo")[-1].startswith("utter_request_name")
    assert talk.say("Anton Novak") == ["utter_no_visits"]
    assert verified(talk)


@pytest.mark.parametrize("words", ["Anton", "it's anton"])
def test_of_twins_the_first_name_is_enough(talk: Talk, words: str) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Anton", family="Novak", phone="+14145550142")
    talk.say(*MINE)
    talk.say("4/19/1980")
    assert talk.say(words)[-1] == "utter_no_visits"
    assert verified(talk)


def test_who_writes_for_a_child_is_not_the_patient(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Leo", family="Novak", birth_date="2019-02-02", phone="+14145550142")
    talk.say("This is Ruth Novak, I need to know when my son's appointment is", "check_appointment")
    assert named(talk) == (None, None)


@pytest.mark.parametrize(
    ("name", "born", "language", "stored"),
    [
        ("Laura Bennett", "5/6/79", "en", ("Laura", "Bennett")),
        ("laura bennett", "may 6th 1979", "en", ("Laura", "Bennett")),
        ("Leo Ramírez Soto", "1 de febrero de 2020", "es", ("Leo", "Ramírez Soto")),
    ],
)
def test_name_and_birth_date_may_come_in_two_texts(
    stranger: Talk, name: str, born: str, language: str, stored: tuple[str, str]
) -> None:
    stranger.slots["language"] = language
    assert stranger.say("I'd like to see a doctor for a first visit tomorrow", "book_appointment") == [
        "utter_request_name_and_birth_date"
    ]
    assert stranger.say(name)[-1] == "utter_request_birth_date"
    assert stranger.say(born) == ["utter_offers"]
    assert named(stranger) == stored


def test_the_birth_date_may_come_before_the_name(stranger: Talk) -> None:
    stranger.say(*VISIT)
    assert stranger.say("5/6/79") == ["utter_request_name"]
    assert stranger.say("Laura Bennett") == ["utter_offers"]


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        ("Smith, John 05/05/1980", ("John", "Smith")),
        ("jean-luc picard july 13th 1955", ("Jean-Luc", "Picard")),
        ("My name's Al. Al Gore. 3/31/1948", ("Al", "Gore")),
        ("its Duda, Agnieszka Duda, 3/31/1948", ("Agnieszka", "Duda")),
        ("sorry typo, 7/4/1990", (None, None)),
    ],
)
def test_name_and_birth_date_in_one_text(stranger: Talk, words: str, stored: tuple[Any, Any]) -> None:
    stranger.say(*VISIT)
    stranger.say(words)
    assert named(stranger) == stored


@pytest.mark.parametrize(("words", "language"), [("Jose 4/4/84", "en"), ("soy José, 4 de abril de 1984", "es")])
def test_who_tells_a_first_name_alone_is_asked_for_the_last_name(stranger: Talk, words: str, language: str) -> None:
    stranger.slots["language"] = language
    stranger.say(*VISIT)
    assert stranger.say(words) == ["utter_request_family_name"]
    assert stranger.say("Ramirez")[-1] == "utter_offers"
    assert claim(stranger)["family"] == "Ramirez"


def test_the_whole_name_may_answer_the_question_for_the_last(stranger: Talk) -> None:
    stranger.say(*VISIT)
    stranger.say("Jose 4/4/84")
    stranger.say("it's Jose Ramirez")
    assert named(stranger) == ("Jose", "Ramirez")


@pytest.mark.parametrize(
    "words",
    [
        "flu shot dec 14 9am",
        "book physical january 5 10am",
        "when is my appt on dec 8 26?",
        "a visit on 12/8/26 please",
        "a follow-up 12/14/2026 at 9:30",
        "a follow-up dec 14 at 1930",
        "vacuna de la gripe el 14 de diciembre 9am",
        "cuando es mi cita del 8 de diciembre 26",
    ],
)
def test_the_date_of_a_visit_is_no_birth_date(talk: Talk, words: str) -> None:
    talk.say(words, "book_appointment")
    assert "birth_date" not in claim(talk)
    assert not verified(talk)


@pytest.mark.parametrize(
    "words",
    [
        "a follow-up tomorrow, I was born april 19 80",
        "a follow-up tomorrow at 9am, dob 4/19/80",
        "a follow-up tomorrow, 4/19/80",
        "Ruth Novak April 19 1980, a follow-up please",
        "una cita de control mañana, nací el 19 de abril del 80",
        "una cita de control, fecha de nacimiento 19 de abril de 1980",
    ],
)
def test_a_birth_date_is_taken_unasked_when_it_is_called_one_or_has_its_year(talk: Talk, words: str) -> None:
    talk.slots["language"] = "es" if "cita" in words else "en"
    talk.say(words, "book_appointment")
    assert verified(talk)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("why do you need that?", "en"),
        ("is this secure?", "en"),
        ("who can see it", "en"),
        ("¿por qué?", "es"),
        ("¿para qué lo necesitan?", "es"),
        ("¿es seguro?", "es"),
    ],
)
def test_why_the_birth_date_is_asked_is_told(talk: Talk, words: str, language: str) -> None:
    talk.slots["language"] = language
    talk.say(*MINE)
    turn = at_the_question(talk, words)
    assert identity.answers_why(turn)
    assert [message["response"] for message in turn.dispatcher.messages] == ["utter_why_birth_date"]


@pytest.mark.parametrize("words", ["4/19/1980", "I don't know", "is there parking?", "who is my doctor"])
def test_other_words_are_not_answered_with_the_reason(talk: Talk, words: str) -> None:
    talk.say(*MINE)
    assert not identity.answers_why(at_the_question(talk, words))


def at_the_question(talk: Talk, words: str) -> Turn:
    """The turn of a text that comes while the birth date is asked, before any action has run."""
    message = {"text": words, "intent": {"name": "nlu_fallback", "confidence": 0.3}, "metadata": {"turn": words}}
    tracker = Tracker(talk.conversation_id, dict(talk.slots), message, [], False, None, {"name": talk.form}, "action_listen")
    return begin(tracker, CollectingDispatcher(), talk.database)


@pytest.mark.parametrize(
    ("answer", "settled"),
    [("2", "1980-11-12"), ("the first one", "1980-12-11"), ("november", "1980-11-12"), ("December 11 1980", "1980-12-11")],
)
def test_a_birth_date_that_can_be_read_in_two_ways_is_asked_about(talk: Talk, answer: str, settled: str) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Olga", family="Novak", birth_date=settled, phone="+14145550142")
    talk.say(*MINE)
    assert talk.say("11.12.1980") == ["utter_request_which_birth_date"]
    assert (talk.last().values["one"], talk.last().values["other"]) == ("December 11, 1980", "November 12, 1980")
    assert not verified(talk)
    talk.say(answer)
    assert verified(talk)


def test_a_birth_date_with_the_day_above_twelve_needs_no_question(talk: Talk) -> None:
    talk.say(*MINE)
    assert talk.say("19.4.1980") == ["utter_no_visits"]
