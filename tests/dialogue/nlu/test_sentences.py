"""The training sentences themselves: what would make the reading worse, or somebody else's, without anybody seeing it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
SENTENCES = PROJECT / "data" / "nlu"
MEASURED_WITH = PROJECT.parent / "shared" / "understanding" / "utterances_dev.jsonl"


def same(text: str) -> str:
    """What two sentences share that differ in case and punctuation alone."""
    return " ".join(re.sub(r"[^\w\s'#]", " ", text.lower().replace("’", "'")).split()) or text


def read(folder: Path) -> list[tuple[str, str, str]]:
    """(topic, intent, sentence) of each sentence in a folder."""
    found = []
    for file in sorted(folder.glob("*.yml")):
        for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]:
            found += [(file.stem, block["intent"], line.removeprefix("- ")) for line in block["examples"].splitlines()]
    return found


@pytest.fixture(scope="module")
def english() -> list[tuple[str, str, str]]:
    return read(SENTENCES)


@pytest.fixture(scope="module")
def spanish() -> list[tuple[str, str, str]]:
    return read(SENTENCES / "es")


def test_no_sentence_stands_twice(english, spanish):
    counts = Counter(same(sentence) for _, _, sentence in english + spanish)
    assert [sentence for sentence, count in counts.items() if count > 1] == []


def test_every_intent_has_sentences_enough(english, spanish):
    counts = Counter(intent for _, intent, _ in english + spanish)
    assert {intent: count for intent, count in counts.items() if count < 40} == {}
    assert counts["out_of_scope"] >= 200


def test_every_intent_is_known_in_spanish(english, spanish):
    counts = Counter(intent for _, intent, _ in spanish)
    assert {intent for _, intent, _ in english if counts[intent] < 10} == set()


def test_about_a_quarter_is_spanish(english, spanish):
    assert 0.2 <= len(spanish) / len(english + spanish) <= 0.35


def test_an_intent_has_one_topic_in_both_languages(english, spanish):
    topics = {}
    for topic, intent, _ in english + spanish:
        topics.setdefault(intent, set()).add(topic)
    assert {intent: found for intent, found in topics.items() if len(found) > 1} == {}


def test_the_domain_names_exactly_these_intents(english):
    domain = {
        intent
        for file in (PROJECT / "bot" / "dialogue" / "domain").glob("*.yml")
        for intent in yaml.safe_load(file.read_text(encoding="utf-8")).get("intents", [])
    }
    assert domain - {"nlu_fallback"} == {intent for _, intent, _ in english}


def test_no_sentence_is_one_that_the_reading_is_measured_with(english, spanish):
    if not MEASURED_WITH.exists():
        pytest.skip("the sentences to measure with are not on this machine")
    measured = {same(json.loads(line)["text"]) for line in MEASURED_WITH.read_text(encoding="utf-8").splitlines()}
    assert [sentence for _, _, sentence in english + spanish if same(sentence) in measured] == []


def test_no_sentence_names_a_doctor_or_a_place_of_a_clinic_in_the_house(english, spanish):
    said = [re.findall(r"\w+", sentence.lower()) for _, _, sentence in english + spanish]
    names = set()
    for file in [*(PROJECT / "clinics").glob("*.yml"), *(MEASURED_WITH.parents[1] / "clinics").glob("*.yml")]:
        clinic = yaml.safe_load(file.read_text(encoding="utf-8"))
        for doctor in clinic["practitioners"]:
            names.add(re.findall(r"\w+", doctor["name"].split(",")[0].lower())[-1])
    assert {name for words in said for name in words if name in names} == set()
