"""What is made of what Twilio heard."""

from __future__ import annotations

import pytest

from bot.channels.voice.hearing import heard, lacks_month, words, yes_or_no
from bot.outcomes import Said


@pytest.mark.parametrize(
    ("form", "said", "body"),
    [
        ({"SpeechResult": "a checkup", "Confidence": "0.91"}, Said.TEXT, "a checkup"),
        ({"SpeechResult": "a checkup"}, Said.TEXT, "a checkup"),
        ({"SpeechResult": "a checkup", "Confidence": "0.5"}, Said.DOUBTFUL, "a checkup"),
        ({"SpeechResult": "a checkup", "Confidence": "0.2"}, Said.UNCLEAR, "a checkup"),
        ({"SpeechResult": "a checkup", "Confidence": "0.0"}, Said.TEXT, "a checkup"),
        ({"SpeechResult": ""}, Said.SILENCE, ""),
        ({"SpeechResult": "Uh. Hmm,", "Confidence": "0.9"}, Said.SILENCE, ""),
        ({"SpeechResult": "mm-hmm", "Confidence": "0.3"}, Said.TEXT, "yes"),
        ({"SpeechResult": "uh-uh"}, Said.TEXT, "no"),
        ({"Digits": "03181976#"}, Said.KEYS, "03181976"),
        ({"Digits": "*#*#"}, Said.KEYS, "*#*"),
        ({"Digits": "1", "SpeechResult": "one"}, Said.KEYS, "1"),
        ({"DialCallStatus": "completed", "DialBridged": "true"}, Said.CONNECTED, ""),
        ({"DialCallStatus": "completed", "DialBridged": "false"}, Said.NOT_REACHED, ""),
        ({"DialCallStatus": "no-answer"}, Said.NOT_REACHED, ""),
        ({"RecordingSid": "RE1", "Digits": "hangup"}, Said.RECORDED, "RE1"),
    ],
)
def test_what_twilio_tells_is_sorted(form: dict[str, str], said: Said, body: str) -> None:
    found = heard(form)
    assert (found.said, found.body) == (said, body)


def test_five_thousand_characters_are_cut() -> None:
    assert len(heard({"SpeechResult": "book " * 1000}).body) <= 1600


@pytest.mark.parametrize(
    ("text", "slot", "read"),
    [
        ("zero three one eight one nine seven six", "birth_date", "03181976"),
        ("March 18 no wait March 19 1976", "birth_date", "March 19 1976"),
        ("March 18 1976 I mean it", "birth_date", "March 18 1976 I mean it"),
        ("five five five double oh one four", "detail", "5550014"),
        ("cinco cinco cinco cero uno cuatro dos", "detail", "5550142"),
        ("P as in Peter A as in apple T as in Tom", "name", "Pat"),
        ("Ann Row r o e", "name", "Ann Roe"),
        ("Ann Roe R. O. E.", "name", "Ann Roe."),
        ("Lara Simons s i double m o n s", "name", "Lara Simmons"),
        ("Ann Roe with an e as in easy", "name", "Ann Roe with an e as in easy"),
        ("ann dot roe at example dot com", "detail", "ann.roe@example.com"),
        ("ana guion bajo roe arroba example punto org", "detail", "ana_roe@example.org"),
        ("ann roe example com", "detail", "ann.roe@example.com"),
        ("12 Main Street Springfield", "detail", "12 Main Street Springfield"),
        ("markh twelfth nineteen eighty five", "birth_date", "march twelfth nineteen eighty five"),
        ("12 de marso de 1985", "birth_date", "12 de marzo de 1985"),
        ("in oktober", "time", "in october"),
        (
            "between november twenty third and november the first after two pm",
            "time",
            "between november 23 and november 1 after 2 pm",
        ),
        ("december thirty-first at nine thirty am", None, "december 31 at nine thirty am"),
        ("I want two cancel", None, "I want to cancel"),
        ("I need two appointments", None, "I need two appointments"),
        ("that wood be great next weak", "time", "that would be great next week"),
        ("330", "choice", "3:30"),
        ("the one at 1130 please", "choice", "the one at 11:30 please"),
        ("330 p.m.", "time", "3:30 p.m."),
        ("330", "member_id", "330"),
        ("X O F - 5 5 5 - 0 1 9", "member_id", "X O F - 5 5 5 0 1 9"),
        ("x o f five double five", "member_id", "x o f 5 5 5"),
        ("one two three", "choice", "one two three"),
        ("Tuesday no wait Wednesday", "time", "Tuesday no wait Wednesday"),
    ],
)
def test_words_are_made_readable_for_the_question_that_they_answer(text: str, slot: str | None, read: str) -> None:
    assert words(text, slot) == read


@pytest.mark.parametrize(
    ("text", "meant"),
    [("yes", True), ("Sí, soy yo", True), ("1", True), ("no", False), ("2", False), ("not really", False), ("Tuesday", None)],
)
def test_yes_and_no(text: str, meant: bool | None) -> None:
    assert yes_or_no(text) is meant


def test_a_day_without_its_month_is_not_read_on():
    assert lacks_month("mulch twelfth nineteen eighty five")
    assert not lacks_month("march twelfth nineteen eighty five")
    assert not lacks_month("May 12th 1985")
    assert not lacks_month("three twelve eighty five")
    assert not lacks_month("12 de marzo de 1985")
