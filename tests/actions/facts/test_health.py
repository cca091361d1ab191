"""What patients say of their own health."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("I'm allergic to penicillin", [("allergies", "I'm allergic to penicillin")]),
        ("Next week. My son is allergic to bees. Thanks", [("allergies", "My son is allergic to bees.")]),
        ("no known allergies", [("allergies", "no known allergies")]),
        ("soy alérgica a la penicilina", [("allergies", "soy alérgica a la penicilina")]),
        ("i take lisinopril and metformin", [("medicines", "i take lisinopril and metformin")]),
        ("I'm on 2.5 mg of something for my heart", [("medicines", "I'm on 2.5 mg of something for my heart")]),
        ("tomo pastillas para dormir", [("medicines", "tomo pastillas para dormir")]),
        ("I have type 2 diabetes", [("history", "I have type 2 diabetes")]),
        ("I had surgery in 2015", [("history", "I had surgery in 2015")]),
        ("tengo presión alta", [("history", "tengo presión alta")]),
        ("should i stop if i take lisinopril?", []),
        ("i think i have asthma", []),
        ("I have cancer screening on Friday", []),
        ("i can take tuesday", []),
        ("im on my way", []),
        ("I'm on a family plan", []),
        ("I have a fever", []),
        ("I had to cancel", []),
    ],
)
def test_sentences_that_tell_of_health_are_kept_whole(words: str, told: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.said) for one in facts.health(words)] == told
