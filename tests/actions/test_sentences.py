"""The pieces of sentences that vary: names in two languages, lists for a small screen, and the same words spoken."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core.models import Channel, Conversation
from scheduling_core.segments import on_air, segments
from tests.actions.talk import Talk


def offered(talk: Talk, text: str, language: str) -> dict[str, str]:
    talk.slots["language"] = language
    talk.say(text, "book_appointment")
    talk.say("4/19/1980" if language == "en" else "19 de abril de 1980")
    assert str(talk.last().response).startswith("utter_offers")
    return talk.last().values


@pytest.mark.parametrize(
    ("text", "language", "head"),
    [
        ("a follow-up with Dr. Ferreira tomorrow", "en", "Follow-up visit with Dr. Ferreira at Maple Grove North"),
        ("un follow-up con la Dra. Ferreira mañana", "es", "Follow-up visit con la Dra. Ferreira en Maple Grove North"),
        ("un follow-up con el Dr. Tanaka mañana", "es", "Follow-up visit con el Dr. Tanaka en Maple Grove South"),
        ("un follow-up con Lars Sorensen mañana", "es", "Follow-up visit con Lars Sorensen en Maple Grove North"),
    ],
)
def test_what_all_offers_share_is_said_once_with_the_title_that_fits(talk: Talk, text: str, language: str, head: str) -> None:
    assert offered(talk, text, language)["head"] == head


@pytest.mark.parametrize(("language", "day", "titles"), [("en", "Wed Nov 18", {"Dr."}), ("es", "mié 18 nov", {"Dr.", "Dra."})])
def test_offers_of_several_people_and_places_are_short_lines(talk: Talk, language: str, day: str, titles: set[str]) -> None:
    lines = offered(talk, "follow-up 11/18 after 2pm" if language == "en" else "follow-up el 18 de noviembre", language)["options"]
    assert all(day in line for line in lines.split("\n"))
    assert "Maple Grove" not in lines
    assert not {word for word in lines.split() if word.startswith("Dr")} - titles


def test_on_a_call_nothing_is_abbreviated(talk: Talk) -> None:
    with talk.database.transaction() as session:
        session.scalars(select(Conversation).where(Conversation.id == talk.conversation_id)).one().channel = Channel.VOICE
    assert "Wednesday, November 18 at" in offered(talk, "a follow-up on Wednesday", "en")["options"]


def test_a_wish_that_cannot_be_is_said_back_in_spanish_with_its_articles(talk: Talk) -> None:
    values = offered(talk, "un follow-up con la Dra. Ferreira el sábado antes de la 1 pm", "es")
    assert values["wished"] == "el sáb 21 nov antes de la 1:00 PM"
    assert segments(on_air(values["options"])) == 1
