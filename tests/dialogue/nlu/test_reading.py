"""The trained model reads sentences that it has not seen, each by itself, without Rasa, server or database."""

import json
import subprocess
from pathlib import Path

import pytest

from bot.training import DIALOGUE, dialogue_environ, dialogue_python
from tests.journeys.assistant import lend_model

SENTENCES = {
    "could you squeeze me in for a checkup on thursday": "book_appointment",
    "my elbow hurts whenever i lift something, who can look at that": "book_appointment",
    "follow-up with dr sorensen tuesday": "book_appointment",
    "tuesday morning": "inform",
    "september 9th 1966": "inform",
    "don't cancel it": "deny",
    "no please keep it": "deny|stop",
    "please cancel the appointment i have on monday": "cancel_appointment",
    "can we push my appointment back half an hour": "reschedule_appointment",
    "when do i have to come in next": "check_appointment",
    "yes i'll be there on friday": "confirm_visit",
    "stuck behind a truck, will be ten minutes late": "running_late",
    "what do you have open wednesday": "check_availability",
    "do any of the doctors speak farsi": "find_provider",
    "do you take delta dental": "insurance",
    "i've got a new insurance plan since march": "insurance_change",
    "what's the price without insurance": "ask_cost",
    "how late are you open tonight": "ask_hours",
    "what's the address of the clinic": "ask_location",
    "where can i leave my car": "ask_parking",
    "should i skip breakfast before the blood test": "ask_prep",
    "let me talk to somebody real": "ask_for_human",
    "is it okay to take advil with my antibiotics": "medical_question",
    "i need a sign language interpreter": "needs",
    "we moved, can i give you the new address": "update_details",
    "quit sending me these texts": "opt_out",
    "dont wanna live no moree": "emergency",
    "my little guy got into grandpas hart medicine and cant keep his eyes open": "emergency",
    "mi papá se agarra el pecho y está sudando mucho": "emergency",
    "is there a slot tomorrow? my tongue is getting thick after the nuts": "emergency",
    "Good morning, it is a long story. I took my pills every day as I was told. Then we drove to my sister and I forgot them. "
    "I am a little tired since, but who would not be. Could I have a follow-up some time this month?": "book_appointment",
    "wanna get my son in, he has a bit of a cough": "book_appointment",
    "my mother had a stroke years ago, do i need a screening": "book_appointment|ask_clinic|medical_question",
    "who won the match on sunday": "out_of_scope",
    "turn the heating up": "out_of_scope",
    "quisiera una cita con la doctora para el jueves": "book_appointment",
    "tengo que cancelar la cita del lunes": "cancel_appointment",
    "me pueden cambiar la cita para otro día": "reschedule_appointment",
    "hay estacionamiento cerca": "ask_parking",
    "quiero hablar con una persona de verdad": "ask_for_human",
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    model = lend_model(tmp_path_factory.mktemp("reading"))
    asked = "".join(json.dumps({"id": text, "text": text}) + "\n" for text in [*SENTENCES, "", "\x00🙂", "a" * 10_000])
    done = subprocess.run(
        [dialogue_python(), "-m", "parse", str(model)],
        cwd=DIALOGUE,
        env=dialogue_environ(),
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return {reading["id"]: reading for reading in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize(("text", "intent"), SENTENCES.items())
def test_a_sentence_is_read_as_it_is_meant(readings, text, intent):
    assert readings[text]["intent"] in intent.split("|")


def test_a_reading_names_its_three_best_guesses(readings):
    reading = readings["tuesday morning"]
    assert len(reading["ranking"]) == 3
    assert reading["ranking"][0] == [reading["intent"], reading["confidence"]]


def test_nothing_that_can_be_sent_breaks_the_reading(readings):
    assert {"", "\x00🙂", "a" * 10_000} <= readings.keys()


def test_training_says_in_one_line_why_it_cannot(tmp_path: Path):
    done = subprocess.run(
        [
            dialogue_python(),
            "-m",
            "train",
            "--out",
            tmp_path / "m",
            "--domain",
            tmp_path,
            "--data",
            tmp_path,
            "--config",
            "none.yml",
        ],
        cwd=DIALOGUE,
        env=dialogue_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not exist" in done.stderr
