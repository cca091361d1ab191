"""Yes, no, a choice out of a list, no preference, nothing to say."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    "words",
    [
        *("yes", "Yep", "y", "ok", "sure thing", "that's right", "book it", "👍", "oh sure, yes. thanks!"),
        *("works for me", "that’s me", "correct", "do it", "absolutely", "i do"),
        *("Sí, está bien", "dale", "claro que sí", "me parece bien", "vale, gracias", "sí por favor"),
    ],
)
def test_these_say_yes(words: str) -> None:
    assert facts.yes_or_no(words) is True


@pytest.mark.parametrize(
    "words",
    [
        *("no", "nope", "No wait, don't cancel it", "not that one", "no, keep it please", "none of those work"),
        *("not really", "nah", "actually no", "changed my mind", "that's wrong", "wrong"),
        *("no me sirve", "ninguna de esas", "no gracias", "no lo cancele"),
    ],
)
def test_these_say_no(words: str) -> None:
    assert facts.yes_or_no(words) is False


@pytest.mark.parametrize(
    "words",
    [
        *("nothing hurts", "now", "not sure", "2", "Wednesday", "yesterday", "nominal", "normal"),
        *("mañana", "siempre", "noviembre", "a las dos"),
    ],
)
def test_these_say_neither(words: str) -> None:
    assert facts.yes_or_no(words) is None


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("2", 2),
        ("3.", 3),
        ("ok 1 thanks", 1),
        ("number two", 2),
        ("the second one", 2),
        ("option 3 please", 3),
        ("I'll take the first", 1),
        ("can i have the second slot", 2),
        ("the third time works for me", 3),
        ("the last one", 3),
        ("uno", 1),
        ("la segunda", 2),
        ("prefiero la primera", 1),
        ("opción 2 por favor", 2),
        ("el último", 3),
    ],
)
def test_a_choice_is_read_by_its_number(words: str, number: int) -> None:
    assert facts.choice(words, 3) == number


@pytest.mark.parametrize(
    "words",
    ["4", "two kids", "12", "Tuesday the 2nd", "at 2", "the 3 o'clock", "first available", "quinta", "la de las tres"],
)
def test_other_numbers_are_no_choice(words: str) -> None:
    assert facts.choice(words, 3) is None


@pytest.mark.parametrize(
    "words",
    [
        *("anyone", "whoever is free", "no preference", "I don’t care", "either is fine", "first available", "any doctor"),
        *("cualquiera", "no importa", "el que sea", "otra doctora"),
    ],
)
def test_these_leave_it_to_the_clinic(words: str) -> None:
    assert facts.no_preference(words)


@pytest.mark.parametrize(
    "words",
    [
        *("skip", "I don’t have it with me", "I'd rather not say", "self-pay", "I'll pay cash", "maybe later", "uninsured"),
        *("no tengo", "sin seguro", "no sé", "ninguno"),
    ],
)
def test_these_pass_over_a_question(words: str) -> None:
    assert facts.skips(words)


@pytest.mark.parametrize("words", ["ABC123", "Tuesday", "el martes"])
def test_an_answer_is_neither_left_to_the_clinic_nor_passed_over(words: str) -> None:
    assert not facts.no_preference(words)
    assert not facts.skips(words)


@pytest.mark.parametrize(
    "words",
    [
        "good lord no",
        "sounds good? no it doesn't",
        "claro que no",
        "do I have to pay?",
        "thanks, do you take my insurance?",
        "ok what's the address?",
        "right, who am I seeing?",
        "i do have a question first",
        "great, but can I just move it instead?",
        "k but what if I want to come later",
        "y tho",
        "perfect timing lol what was it for?",
        "¿y dónde es?",
        "si puedo cambiarla mejor",
        "bueno, ¿y se puede mover?",
        "esta bien pero mejor el martes",
        "sounds good but let me ask my husband first",
        "ok and my wife too at the same time",
        "1",
    ],
)
def test_a_yes_that_goes_on_otherwise_is_no_yes(words: str) -> None:
    assert facts.yes_or_no(words) is not True


@pytest.mark.parametrize(
    "words",
    [
        "yes cancel it",
        "yep see you then",
        "ok thanks",
        "perfect, thank you so much dear",
        "yes, sorry I'm at work so I am slow",
        "si claro",
        "book it",
        "Yes, that will do nicely, thank you",
    ],
)
def test_a_yes_with_courtesy_stays_a_yes(words: str) -> None:
    assert facts.yes_or_no(words) is True
