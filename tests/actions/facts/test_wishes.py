"""Who the visit should be with, in what language, and how."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "gender"),
    [
        ("a female doctor please", "female"),
        ("I'd prefer a woman", "female"),
        ("una doctora", "female"),
        ("prefiero que sea mujer", None),
        ("a male doctor", "male"),
        ("un médico hombre", "male"),
        ("my husband is a man", None),
        ("the lady at the desk", None),
        ("Dra. Ruiz, la doctora Ruiz", None),
    ],
)
def test_a_wish_for_a_gender(words: str, gender: str | None) -> None:
    assert facts.gender(words) == gender


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("someone who speaks Polish", "pl"),
        ("a doctor fluent in Hindi", "hi"),
        ("bilingual Spanish nurse", "es"),
        ("que hable español", "es"),
        ("I only speak Spanish", None),
        ("Polish", None),
    ],
)
def test_a_wish_for_a_language(words: str, code: str | None) -> None:
    assert facts.speaks(words) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [("ASL", "sign"), ("lengua de señas", "sign"), ("italiano", "it"), ("Mandarin please", "zh"), ("nothing", None)],
)
def test_a_language_is_named(words: str, code: str | None) -> None:
    assert facts.language(words) == code


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        ("a video visit", "video"),
        ("by zoom", "video"),
        ("telehealth", "video"),
        ("from home", "video"),
        ("por videollamada", "video"),
        ("in person please", "in-person"),
        ("not by video", "in-person"),
        ("en persona", "in-person"),
        ("presencial", "in-person"),
        ("no por video", "in-person"),
        ("I can come", None),
    ],
)
def test_a_wish_for_video_or_in_person(words: str, mode: str | None) -> None:
    assert facts.mode(words) == mode


@pytest.mark.parametrize(
    "words",
    [
        *("put me on the waitlist", "waiting list", "if something opens up", "cancellation list"),
        *("la lista de espera", "si se libera algo"),
    ],
)
def test_a_wish_for_the_waitlist(words: str) -> None:
    assert facts.wants_waitlist(words)


def test_who_can_wait_does_not_ask_for_the_waitlist() -> None:
    assert not facts.wants_waitlist("I can wait")


@pytest.mark.parametrize(
    ("words", "wished"),
    [
        ("I'm a 45 year old male and need a physical", None),
        ("my husband is a man of few words", None),
        ("con la doctora Ruiz por favor", None),
        ("una doctora por favor", "female"),
        ("only with a woman please", "female"),
        ("a female doctor", "female"),
        ("a doctor who is a man", "male"),
        ("a woman, please", "female"),
    ],
)
def test_the_practitioners_gender_is_told_from_the_patients(words: str, wished: str | None) -> None:
    assert facts.gender(words) == wished
