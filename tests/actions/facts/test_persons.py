"""People's names."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("ann o'neil", "Ann O'neil"),
        ("MARIO LUNA", "Mario Luna"),
        ("Jean-Luc Dubois", "Jean-Luc Dubois"),
        ("Clara Weiss, thanks", "Clara Weiss"),
        ("it's Ann Roe speaking", "Ann Roe"),
        ("name: Ann Roe", "Ann Roe"),
        ("3/12/1985, Clara Weiss", "Clara Weiss"),
        ("Clara Weiss 3/12/1985", "Clara Weiss"),
        ("My name is Clara Weiss and I was born March 12, 1985", "Clara Weiss"),
        ("I'm Clara Weiss. The patient is my son Tim Weiss", "Tim Weiss"),
        ("it's for my daughter Mia Weiss", "Mia Weiss"),
        ("me llamo ramiro salinas", "Ramiro Salinas"),
        ("se llama Leo Prado", "Leo Prado"),
        ("soy Rosa Pérez Luna, nacida el 3 de mayo", "Rosa Pérez Luna"),
        ("12 de diciembre de 1986", None),
        ("I don't want to", None),
        ("never mind", None),
        ("Ann", None),
        ("Tuesday morning", None),
        ("no tengo", None),
    ],
)
def test_a_name_is_read_where_it_was_asked_for(words: str, name: str | None) -> None:
    found = facts.person_name(words, asked=True)
    assert (found.full if found else None) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("This is Ann Roe, I need a visit", "Ann Roe"),
        ("hi, I'M Ann Roe", "Ann Roe"),
        ("the patient is my daughter Mia Roe", "Mia Roe"),
        ("me llamo Rosa Luna y quiero una cita", "Rosa Luna"),
        ("mi hija Mia Luna necesita una cita", "Mia Luna"),
        ("Ann Roe", None),
        ("ann roe here", None),
        ("I'm calling about my visit", None),
    ],
)
def test_a_name_that_nobody_asked_for_must_be_introduced(words: str, name: str | None) -> None:
    found = facts.person_name(words, asked=False)
    assert (found.full if found else None) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("my son Leo needs shots", "Leo"),
        ("my daughter Mia's appointment", "Mia"),
        ("My mother, Ana, is ill", "Ana"),
        ("mi hija Mia tiene tos", "Mia"),
        ("my son needs shots", None),
    ],
)
def test_a_relative_is_named_by_the_first_name(words: str, name: str | None) -> None:
    assert facts.first_name_after_relation(words) == name


@pytest.mark.parametrize(
    "full", ["Esther Roe", "Estela Marín", "Forrest Poe", "Imogen Hale", "Will Roe", "April Roe", "June Okafor-Lind"]
)
def test_a_first_name_keeps_its_first_letters(full: str) -> None:
    found = facts.person_name(full, asked=True)
    assert found is not None
    assert found.full == full


@pytest.mark.parametrize("words", ["esta semana no puedo", "esa hora", "Before that, honey", "misma hora por favor"])
def test_ordinary_words_are_no_name(words: str) -> None:
    assert facts.person_name(words, asked=True) is None
