"""Red flags: what raises one, what does not, and in how much time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot import emergency

CASES = yaml.safe_load((Path(__file__).parent / "red_flags.yml").read_text(encoding="utf-8"))


def test_every_emergency_raises_a_flag():
    assert [text for text in CASES["emergencies"] if emergency.find(text) is None] == []


def test_no_ordinary_text_raises_one():
    assert [(text, found) for text in CASES["ordinary"] if (found := emergency.red_flag(text))] == []


@pytest.mark.parametrize(
    ("text", "flag", "language"),
    [
        ("I have crushing chest pain and my left arm is numb", "chest-pain", "en"),
        ("my husband says my face is drooping", "stroke", "en"),
        ("my baby swallowed bleach", "poisoning", "en"),
        ("I keep thinking about killing myself", "suicide", "en"),
        ("me duele mucho el pecho", "chest-pain", "es"),
        ("quiero quitarme la vida", "suicide", "es"),
    ],
)
def test_the_flag_is_named_with_its_language(text: str, flag: str, language: str):
    alarm = emergency.find(text)
    assert alarm is not None
    assert (alarm.flag, alarm.language) == (flag, language)


@pytest.mark.parametrize(
    "text", ["I want to die", "he can't breathe", "crushing chest pain", "she is unconscious", "no despierta", "me quiero matar"]
)
def test_the_gravest_words_need_no_second_look(text: str):
    alarm = emergency.find(text)
    assert alarm is not None
    assert alarm.sure


@pytest.mark.parametrize(
    ("sure", "doubtful"),
    [
        ("I can't breathe", "I can't breathe with this schedule lol"),
        ("no puedo respirar", "no puedo respirar con este tráfico"),
        ("crushing chest pain", "crushing chest pain now, I'm not joking"),
    ],
)
def test_beside_words_of_doubt_the_gravest_words_do_need_one(sure: str, doubtful: str):
    alarms = emergency.find(sure), emergency.find(doubtful)
    assert [alarm and alarm.sure for alarm in alarms] == [True, False]


def test_words_that_may_be_harmless_do_need_one():
    alarm = emergency.find("my sugar is 45")
    assert alarm is not None
    assert not alarm.sure


@pytest.mark.parametrize(
    ("harmless", "grave"),
    [
        ("no chest pain", "no fever, chest pain since this morning"),
        ("I don't have trouble breathing", "I don't have a fever but I have trouble breathing"),
        ("no fever, chest pain or cough", "no, my chest hurts"),
        ("my dad had a stroke in 2010", "my dad had a stroke in 2010 and now his speech is slurred"),
        ("I had a seizure two years ago", "I just had a seizure"),
        ("what if I have chest pain", "I have chest pain, what should I do"),
        ("history of heart attacks", "history of heart attacks, chest is tight right now"),
        ("do you treat asthma attacks", "he is having an asthma attack"),
        ("my knee is killing me", "he is trying to kill me"),
        ("stroke follow up", "stroke symptoms right now"),
        ("no tengo dolor de pecho", "no aguanto el dolor de pecho"),
        ("mi papá tuvo un infarto hace 5 años", "mi papá está teniendo un infarto"),
    ],
)
def test_denied_past_and_supposed_are_told_from_present(harmless: str, grave: str):
    assert emergency.red_flag(harmless) is None
    assert emergency.red_flag(grave) is not None


@pytest.mark.parametrize(
    "text",
    ["CHEST PAIN!!!", "chest   pain", "cheeeest paaain", "ches tpain chest pian", "Chest-pain", "çhest pâin", "“chest pain”"],
)
def test_case_signs_and_slips_do_not_hide_one(text: str):
    assert emergency.red_flag(text) == "chest-pain"


@pytest.mark.parametrize(
    "text", ["", " ", "...", "🙂" * 1600, "x" * 10_000, "<script>", "no no no no", "\x00\x01", "((((((", "1) 2) 3)"]
)
def test_nonsense_raises_none(text: str):
    assert emergency.red_flag(text) is None
