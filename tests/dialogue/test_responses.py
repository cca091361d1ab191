"""What patients read: every reply in both languages, filled in as long as it gets in a real clinic."""

from __future__ import annotations

import re
import unicodedata
from string import Formatter
from typing import Any

import pytest
import yaml

from bot.training import DIALOGUE
from scheduling_core.segments import TWO_SEGMENTS, on_air, pack, segments

FORBIDDEN = r"yes|stop|cancel|end|quit|s[ií]"  # what carriers take for themselves, and what old people type by mistake
HARDEST = 6.0  # years of school that half of all adults read with ease
_EN = {
    "all": "both",
    "chain": "Wednesday, November 18 at Harborview Downtown Clinic: Skin lesion removal for Maximiliana at 10:40 AM "
    "with Dr. Whitcomb-Larsson, then Follow-up visit for Bartholomew at 11:20 AM with Dr. Oyelaran-Smith",
    "choices": "Dr. Whitcomb-Larsson, Dr. Whitcombe-Larsen or Dr. Whitman-Laursen",
    "clinic": "Harborview Medical Group and Family Health Center",
    "count": "3",
    "detail": "1422 North Commercial Street, Apartment 12B, South Portland, ME 04106",
    "first": "Maximiliana",
    "has": "Dr. Whitcomb-Larsson has",
    "head": "Follow-up visit",
    "hours": "24",
    "insurer": "Northern Coast Blue Health Plan of New England",
    "last": "Wednesday, September 23",
    "member_id": "N C H P 4 4 7 1 9 0 2 8 8",
    "minutes": "45",
    "more": ", group 88-4417, through your spouse, as your second insurance",
    "names": "Dr. Whitcomb-Larsson, Dr. Moreau, Dr. Adeleke, Signe Haugen and Rafael Silva",
    "note": "",
    "old": "Wednesday, November 18 at 10:40 AM",
    "options": "1) Wed Nov 18, 10:40 AM, Dr. Whitcomb-Larsson, at the Wharf\n"
    "2) Wed Nov 18, 11:20 AM, Dr. Oyelaran-Smith, Millbrook\n"
    "3) Thu Nov 19, 12:40 PM, Signe Haugen-Petersen, at the Wharf",
    "one": "Skin lesion removal",
    "other": "Lab blood draw",
    "others": "Dr. Whitcomb-Larsson, Dr. Moreau, Dr. Adeleke or Signe Haugen",
    "paper": "referral",
    "payer": "Northern Coast Health Plan",
    "payers": "Northern Coast Health Plan, Beacon Mutual, Great Lakes Mutual, Medicare and MaineCare",
    "person": "the second one",
    "phone": "(207) 555-0100",
    "prep": "Please arrive 15 minutes early to fill in your forms. Please bring: Photo ID, Insurance card, List of your medicines.",
    "price": "245.00",
    "say": "Please call 911 right away if this is an emergency. If you think of ending your life, call or text 988.",
    "service": "Skin lesion removal",
    "services": "New patient visit, Follow-up visit, Annual physical, Skin lesion removal or Lab blood draw",
    "visit": "Skin lesion removal, Wednesday, November 18 at 10:40 AM with Dr. Whitcomb-Larsson at Harborview Downtown Clinic",
    "visits": "1) Skin lesion removal, Wed Nov 18, 10:40 AM, Dr. Whitcomb-Larsson\n"
    "2) Follow-up visit, Mon Dec 7, 11:20 AM, Dr. Oyelaran-Smith\n"
    "3) Lab blood draw, Tue Dec 15, 12:40 PM, Signe Haugen-Petersen",
    "wanted": "Dr. Whitcomb-Larsson",
    "when": "Wednesday, November 25 at 10:40 AM",
    "where": "at Harborview Downtown Clinic",
    "who": "Dr. Whitcomb-Larsson",
    "whom": "with Dr. Whitcomb-Larsson",
    "wished": "on Wed Nov 18 after 3:00 PM",
}
_ES = _EN | {
    "all": "las dos",
    "chain": "Miércoles 18 de noviembre en Harborview Downtown Clinic: Skin lesion removal para Maximiliana a las 10:40 AM "
    "con la Dra. Whitcomb-Larsson, luego Follow-up visit para Bartholomew a las 11:20 AM con el Dr. Oyelaran-Smith",
    "choices": "la Dra. Whitcomb-Larsson, el Dr. Whitcombe-Larsen o el Dr. Whitman-Laursen",
    "has": "Dra. Whitcomb-Larsson no tiene",
    "last": "miércoles 23 de septiembre",
    "names": "la Dra. Whitcomb-Larsson, el Dr. Moreau, la Dra. Adeleke, Signe Haugen y Rafael Silva",
    "old": "miércoles 18 de noviembre a las 10:40 AM",
    "options": "1) mié 18 nov, 10:40 AM, Dra. Whitcomb-Larsson, at the Wharf\n"
    "2) mié 18 nov, 11:20 AM, Dr. Oyelaran-Smith, Millbrook\n"
    "3) sáb 21 nov, 12:40 PM, Signe Haugen-Petersen, at the Wharf",
    "others": "la Dra. Whitcomb-Larsson, el Dr. Moreau, la Dra. Adeleke o Signe Haugen",
    "paper": "referencia",
    "person": "la segunda persona",
    "payers": "Northern Coast Health Plan, Beacon Mutual, Great Lakes Mutual, Medicare y MaineCare",
    "prep": "Please arrive 15 minutes early to fill in your forms. "
    "Por favor traiga: Photo ID, Insurance card, List of your medicines.",
    "visit": "Skin lesion removal, miércoles 18 de noviembre a las 10:40 AM "
    "con la Dra. Whitcomb-Larsson en Harborview Downtown Clinic",
    "visits": "1) Skin lesion removal, mié 18 nov, 10:40 AM, Dra. Whitcomb-Larsson\n"
    "2) Follow-up visit, lun 7 dic, 11:20 AM, Dr. Oyelaran-Smith\n"
    "3) Lab blood draw, mar 15 dic, 12:40 PM, Signe Haugen-Petersen",
    "wanted": "la Dra. Whitcomb-Larsson",
    "when": "miércoles 25 de noviembre a las 10:40 AM",
    "where": "en Harborview Downtown Clinic",
    "who": "la Dra. Whitcomb-Larsson",
    "whom": "con la Dra. Whitcomb-Larsson",
    "wished": "el mié 18 nov después de las 3:00 PM",
}
LONG = {"en": _EN, "es": _ES}


def _responses() -> dict[str, dict[str, str]]:
    """The reply in each language, by name."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((DIALOGUE / "domain").glob("*.yml")):
        for name, variants in (yaml.safe_load(file.read_text(encoding="utf-8")).get("responses") or {}).items():
            assert name not in found, f"{name} is said twice"
            found[name] = {_language(one): one["text"] for one in variants}
            assert len(found[name]) == len(variants), f"{name} has two variants in one language"
    return found


def _language(variant: dict[str, Any]) -> str:
    return "es" if any(condition.get("value") == "es" for condition in variant.get("condition") or ()) else "en"


def _variables(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


RESPONSES = _responses()
EACH = pytest.mark.parametrize(
    ("name", "language"), [(name, language) for name, said in RESPONSES.items() for language in sorted(said)]
)


def filled(name: str, language: str) -> str:
    text = RESPONSES[name][language]
    return text.format(**{variable: LONG[language][variable] for variable in _variables(text)}).strip()


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_a_reply_is_there_in_both_languages_with_the_same_facts(name: str) -> None:
    said = RESPONSES[name]
    assert set(said) == {"en", "es"}
    if name != "utter_red_flag":  # the clinic's own English sentence; the Spanish one is ours
        assert _variables(said["en"]) == _variables(said["es"])


@EACH
def test_a_reply_takes_two_segments_at_most_at_its_longest(name: str, language: str) -> None:
    text = filled(name, language)
    assert segments(on_air(text)) <= TWO_SEGMENTS, len(text)


@EACH
def test_a_reply_asks_for_no_word_that_carriers_act_on(name: str, language: str) -> None:
    if name == "utter_opt_out_how":  # who asks how to get no more texts is told
        return
    assert not re.search(
        rf"\b(?:reply|text|send|type|say|answer|press|responda|envíe|escriba|diga|conteste|marque)\W+(?:{FORBIDDEN})\b",
        RESPONSES[name][language],
        re.IGNORECASE,
    )
    assert not re.search(r"\b(?:YES|STOP|CANCEL|END|QUIT|SI|SÍ)\b", RESPONSES[name][language])


@EACH
def test_a_reply_is_plain_text(name: str, language: str) -> None:
    text = filled(name, language)
    assert not [char for char in text if unicodedata.category(char) in ("So", "Sk", "Cn", "Cf")]
    assert "  " not in text
    assert text == "{note}" or text[-1:] in ".?!" or RESPONSES[name][language].endswith("}")


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_spanish_reply_costs_no_more_than_an_english_one(language: str) -> None:
    texts = [text for name in RESPONSES if (text := filled(name, language))]
    assert sum(segments(on_air(text)) for text in texts) <= 1.6 * len(texts)


def test_english_replies_are_read_with_six_years_of_school() -> None:
    plain = {"service": "visit", "head": "visit", "visit": "visit", "services": "visit", "options": "", "visits": ""}
    values = {name: plain.get(name, "this") for name in _EN}
    grades = [_grade(said["en"].format(**values)) for name, said in RESPONSES.items() if said["en"].strip("{}") not in _EN]
    assert sum(grades) / len(grades) <= HARDEST


def _grade(text: str) -> float:
    """The school grade by Flesch and Kincaid."""
    sentences = [
        words for part in re.split(r"[.!?:]+(?=\s|$)|\n", text) if (words := re.findall(r"[a-z]+(?:'[a-z]+)?", part.lower()))
    ]
    words = [word for sentence in sentences for word in sentence]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    bare = re.sub(r"(?<=[^td])ed$|(?<=[^szcxgh])es$|(?<!l)e$", "", word.split("'")[0])
    return max(1, len(re.findall(r"[aeiouy]+", bare)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_reply_with_more_than_two_segments_of_the_clinics_own_words_goes_out_in_two(language: str) -> None:
    values = LONG[language] | {"prep": " ".join([LONG[language]["prep"]] * 3)}
    text = RESPONSES["utter_booked"][language]
    parts = pack([text.format(**values)])
    assert [segments(on_air(part)) for part in parts] == [2, 2]
    assert LONG[language]["when"] in parts[0]
