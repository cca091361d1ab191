"""For whom a visit is, and whether they have been here."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "relation"),
    [
        ("my son needs his shots", "son"),
        ("my 4 year old son has a cold", "son"),
        ("it's for my mother", "mother"),
        ("my mom's appointment", "mother"),
        ("I'm calling about my dad", "father"),
        ("cancel my daughter Mia's appointment", "daughter"),
        ("our youngest daughter needs a checkup", "daughter"),
        ("book it for my husband", "husband"),
        ("it's for my wife Ana", "wife"),
        ("please see my baby", "child"),
        ("not for me, for my brother", "brother"),
        ("para mi hijo", "son"),
        ("mi hijo tiene fiebre", "son"),
        ("quiero una cita para mi hija", "daughter"),
        ("es para mi abuela", "grandmother"),
        ("mi esposo", "husband"),
        ("for me", "self"),
        ("an appointment for me", "self"),
        ("No, that doesn't work for me. After 2 would be best", None),
        ("Tuesday is not good for me", None),
        ("that's too early for me", None),
        ("para mí", "self"),
        ("soy yo", "self"),
        ("my wife sees Dr. Roe and I want to start there too", None),
        ("my daughter can't believe it", None),
        ("my neighbor wrote it down for me", None),
        ("my husband told me to call", None),
        ("write it down for me", None),
    ],
)
def test_for_whom_a_visit_is(words: str, relation: str | None) -> None:
    assert facts.relation(words) == relation


@pytest.mark.parametrize(
    "words",
    [
        *("I'm a new patient", "never been there", "I haven't been there", "first visit", "I just moved here"),
        *("are you accepting new patients", "soy paciente nueva", "es mi primera vez"),
    ],
)
def test_these_are_new_to_the_clinic(words: str) -> None:
    assert facts.says_new(words) is True


@pytest.mark.parametrize("words", ["been there before", "I'm a patient of yours", "not my first time", "ya soy paciente"])
def test_these_are_known_to_the_clinic(words: str) -> None:
    assert facts.says_new(words) is False


@pytest.mark.parametrize("words", ["I need a follow-up", "first available appointment", "quiero una cita"])
def test_these_tell_nothing_of_being_new(words: str) -> None:
    assert facts.says_new(words) is None
