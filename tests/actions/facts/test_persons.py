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
        ("4/2/2022, i'm clara weiss. the patient is my sob tim weiss", "Tim Weiss"),
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


@pytest.mark.parametrize(
    ("words", "language", "given", "family"),
    [
        ("María José Gómez Peña", "es", "María José", "Gómez Peña"),
        ("María José Gómez", "es", "María José", "Gómez"),
        ("Leo Ramírez Soto", "es", "Leo", "Ramírez Soto"),
        ("María del Carmen Ruiz Soto", "es", "María del Carmen", "Ruiz Soto"),
        ("María de la Cruz", "es", "María", "de la Cruz"),
        ("Ana Ruiz de la Torre", "es", "Ana", "Ruiz de la Torre"),
        ("María de la Cruz", "en", "María", "de la Cruz"),
        ("Mary Ann van der Berg", "en", "Mary Ann", "van der Berg"),
        ("mary ann van der berg", "en", "Mary Ann", "van der Berg"),
        ("John F. Kennedy", "en", "John F", "Kennedy"),
        ("Mary Ann Roe", "en", "Mary Ann", "Roe"),
        ("My name's Al. Al Gore.", "en", "Al", "Gore"),
        ("its Duda, Agnieszka Duda", "en", "Agnieszka", "Duda"),
        ("Smith, John 05/05/1980", "en", "John", "Smith"),
        ("jean-luc picard july 13th 1955", "en", "Jean-Luc", "Picard"),
        ("the 13th of july 1955, June Poe", "en", "June", "Poe"),
        ("ann roe july thirteenth nineteen fifty five", "en", "Ann", "Roe"),
        ("ana ruiz 3 de mayo de 1980", "es", "Ana", "Ruiz"),
        ("hi its me ann roe 5/6/79", "en", "Ann", "Roe"),
        ("O'Brien, Mary Kate - 5/6/79", "en", "Mary Kate", "O'Brien"),
        ("Gómez Díaz, Laura 6/5/1979", "es", "Laura", "Gómez Díaz"),
        ("Ann Roe, Milwaukee", "en", "Ann", "Roe"),
        ("name ann roe birthday may 6 79", "en", "Ann", "Roe"),
        ("Ann Roe (5/6/1979)", "en", "Ann", "Roe"),
        ("Patient: Ann Roe 5/6/79", "en", "Ann", "Roe"),
        ("Robert Roe Jr.", "en", "Robert", "Roe Jr"),
    ],
)
def test_given_and_family_names_are_told_apart(words: str, language: str, given: str, family: str) -> None:
    found = facts.person_name(words, asked=True, language=language)
    assert found is not None
    assert (found.given, found.family) == (given, family)


@pytest.mark.parametrize(
    "words",
    [
        *("sorry typo, 7/4/1990", "uh huh it's the 8th of may 83", "oops wait, 7/6/86", "hang on a sec", "what for"),
        *("my bad", "give me a minute", "is this secure?", "same as before", "nice try", "new phone", "good question"),
        *(
            "perdón, me equivoqué, 9 de julio 1986",
            "ay disculpe",
            "un momento",
            "otra vez",
            "para qué",
            "buenos días",
            "no entiendo",
        ),
    ],
)
def test_apologies_and_fillers_are_no_name(words: str) -> None:
    assert facts.person_name(words, asked=True) is None
    assert facts.one_name(words) is None


@pytest.mark.parametrize(
    ("words", "name"),
    [("Jose 4/4/84", "Jose"), ("it's jose", "Jose"), ("soy José, 4 de abril de 1984", "José"), ("Jose Ruiz", None), ("hm", None)],
)
def test_one_name_alone_is_read_too(words: str, name: str | None) -> None:
    assert facts.one_name(words) == name
