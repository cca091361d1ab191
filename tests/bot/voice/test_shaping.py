"""Words made for the ear."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from bot.channels.voice.shaping import chosen, for_the_ear, shorter
from bot.channels.voice.twiml import HangUp, Prompt, document
from scheduling_core.clinic_file.schema import ClinicFile
from tests.bot import twiml

OFFERS = (
    "Annual physical with Dr. Ferreira at Maple Grove North:\n1) Tuesday, November 24 at 9:20 AM\n"
    "2) Wednesday, November 25 at 10 AM\nWhich one works for you? Or name another day or time."
)


def spoken(clinic: ClinicFile, text: str, language: str = "en", *, slow: bool = False) -> ET.Element:
    made = document(Prompt((for_the_ear(text, clinic, language, slow=slow),), HangUp()))
    assert twiml.mistakes(made, voice=True) == []
    said = ET.fromstring(made).find("Say")
    assert said is not None
    return said


def test_a_list_is_read_as_options_with_a_breath_between(clinic: ClinicFile):
    said = spoken(clinic, OFFERS)
    assert "".join(said.itertext()) == (
        "Annual physical with Dr. Ferreira at Maple Grove North: Option 1: Tuesday, November 24 at 9:20 AM. "
        "Option 2: Wednesday, November 25 at 10 AM. Which one works for you? Or name another day or time."
    )
    assert len(said.findall("break")) == 3


def test_numbers_that_are_no_quantity_are_read_digit_by_digit(clinic: ClinicFile):
    said = spoken(clinic, "Call (414) 555-0100, or 911. We are at 410 N Maple St, Milwaukee, WI 53202.")
    marked = {mark.text: mark.attrib["interpret-as"] for mark in said.iter("say-as")}
    assert marked == {"(414) 555-0100": "telephone", "911": "digits", "410 N Maple St, Milwaukee, WI 53202": "address"}


def test_each_language_has_its_voice(clinic: ClinicFile):
    said = spoken(clinic, "Hola", "es")
    assert said.attrib == {"language": "es-US", "voice": "Polly.Lupe-Neural"}
    assert spoken(clinic, "Hello", "fr").attrib["language"] == "en-US"


def test_what_only_a_text_can_do_is_said_otherwise(clinic: ClinicFile):
    said = "".join(spoken(clinic, "All right, nothing is booked. Text me any time. Please send the last name.").itertext())
    assert said == "All right, nothing is booked. Call any time. Please tell me the last name."


def test_the_second_time_it_is_slower(clinic: ClinicFile):
    slow = spoken(clinic, OFFERS, slow=True).find("prosody")
    assert slow is not None
    assert slow.attrib["rate"] == "85%"


def test_the_second_time_only_what_was_asked_is_said():
    assert shorter("You have: a checkup on Monday, June 1 at 2 PM. What day would you like instead?") == (
        "What day would you like instead?"
    )
    assert shorter(OFFERS) == ("1) Tuesday, November 24 at 9:20 AM\n2) Wednesday, November 25 at 10 AM\nWhich one works for you?")
    assert shorter("You are welcome.") == "You are welcome."
    assert shorter("") == ""


def test_a_read_back_is_not_shortened_to_a_question_about_nothing():
    text = "Sorry for that. Checkup for Ann, Tuesday, November 24 at 9:20 AM with Dr. Roe at North. Shall I book it?"
    assert shorter(text) == "Checkup for Ann, Tuesday, November 24 at 9:20 AM with Dr. Roe at North. Shall I book it?"


def test_who_repeats_an_option_chooses_it():
    assert chosen("wednesday november 25 at 10 am", OFFERS) == 2
    assert chosen("Tuesday, November 24 at 9:20 AM", OFFERS) == 1
    assert chosen("wednesday november twenty fifth at ten am", OFFERS) == 2
    assert chosen("November", OFFERS) is None
    assert chosen("I need a checkup on Tuesday, November 24 at 9:20 AM for my son and myself", OFFERS) is None
