"""Keys at each question, and the sentences that tell them."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.channels.voice import keypad
from bot.channels.voice.keypad import Act
from bot.channels.voice.questions import CALL, Question
from scheduling_core.clinic_file.schema import ClinicFile
from tests.conftest import Clock


def pressed(clinic: ClinicFile, keys: str, slot: str | None = None, language: str = "en", **more: int) -> str:
    found = keypad.read(keys, Question("booking_form", slot, **more), clinic, language)
    return found.words if found.act is Act.SAY else f"({found.act})"


@pytest.mark.parametrize(
    ("keys", "slot", "said"),
    [
        ("1", None, "I would like to book a visit"),
        ("2", None, "I need to move my appointment"),
        ("3", None, "I want to cancel my appointment"),
        ("0", "choice", "I want to talk to a person"),
        ("*", "choice", "(again)"),
        ("***", None, "(again)"),
        ("8", None, "(language)"),
        ("8", "time", "(nothing)"),
        ("1", "confirm", "yes"),
        ("2", "confirm", "no"),
        ("3", "confirm", "(nothing)"),
        ("9", "choice", "none of these work for me"),
        ("1", "time", "the soonest you have"),
        ("1124", "time", "on 11/24"),
        ("0931", "time", "(nothing)"),
        ("03181976", "birth_date", "1976-03-18"),
        ("031876", "birth_date", "1976-03-18"),
        ("18031976", "birth_date", "1976-03-18"),
        ("19760318", "birth_date", "1976-03-18"),
        ("99999999", "birth_date", "(nothing)"),
        ("03182099", "birth_date", "(nothing)"),
        ("4145550142", "detail", "4145550142"),
        ("55501", "member_id", "55501"),
        ("*#*", None, "(nothing)"),
        ("", None, "(nothing)"),
        ("7", "name", "(nothing)"),
    ],
)
def test_a_key_says_what_it_means_at_the_open_question(clinic: ClinicFile, clock: Clock, keys: str, slot: str | None, said: str):
    assert pressed(clinic, keys, slot) == said


def test_keys_speak_the_callers_language(clinic: ClinicFile):
    assert pressed(clinic, "1", None, "es") == "Quiero reservar una cita"
    assert pressed(clinic, "1124", "time", "es") == "el 24 de noviembre"
    assert pressed(clinic, "1", "confirm", "es-US") == "sí"


def test_choices_are_taken_by_their_number_and_no_further(clinic: ClinicFile):
    assert pressed(clinic, "2", "choice", count=2) == "2"
    assert pressed(clinic, "3", "choice", count=2) == "(nothing)"
    assert pressed(clinic, "2", "birth_date", count=2) == "2"


def test_a_long_list_is_read_in_pages_that_begin_again(clinic: ClinicFile):
    names = [service.name for service in clinic.services]
    assert len(names) > 7, "the tests' clinic needs two pages"
    question = Question("booking_form", "service")
    told = keypad.instructions(question, clinic, "en")
    assert f"For {names[0]}, press 1." in told
    assert names[7] not in told
    assert "For more, press 9." in told
    assert pressed(clinic, "9", "service") == "(more)"
    second = Question("booking_form", "service", page=1)
    assert f"For {names[7]}, press 1." in keypad.instructions(second, clinic, "en")
    assert pressed(clinic, "1", "service", page=1) == names[7]
    assert pressed(clinic, "1", "service", page=2) == names[0]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "slot",
    [None, "service", "time", "choice", "confirm", "birth_date", "name", "visit", "doubt", "detail", "detail_kind", "member_id",
     "insurer", "waitlist", "another", "cost_service", "proposed", "unheard-of"],
)  # fmt: skip
def test_no_question_is_without_a_key_that_leads_on(clinic: ClinicFile, slot: str | None, language: str):
    question = Question("booking_form", slot)
    assert keypad.instructions(question, clinic, language)
    assert keypad.read("0", question, clinic, language).act is Act.SAY
    assert keypad.read("*", question, clinic, language).act is Act.AGAIN


@pytest.mark.parametrize("slot", ["heard", "text_details", "right_person", "callback_time", "callback_number", "reminder"])
def test_questions_of_the_call_itself_tell_their_keys(clinic: ClinicFile, slot: str):
    assert "press" in keypad.instructions(Question(CALL, slot), clinic, "en").lower()


def test_an_entry_ends_by_itself_where_its_length_is_known():
    assert keypad.how_many_digits(Question()) == 1
    assert keypad.how_many_digits(Question("f", "birth_date")) == 8
    assert keypad.how_many_digits(Question("f", "birth_date", count=2)) == 1
    assert keypad.how_many_digits(Question("f", "detail")) is None


def test_a_birth_date_by_keys_is_a_day_gone_by(clock: Clock):
    assert keypad.birth_date("02291980") == dt.date(1980, 2, 29)
    assert keypad.birth_date("02301980") is None
    assert keypad.birth_date("111726") is None or keypad.birth_date("111726") == dt.date(1926, 11, 17)
