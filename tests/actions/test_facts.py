"""What else a sentence tells."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize("words", ["yes", "Yep", "y", "ok", "sure thing", "that's right", "Sí, está bien", "book it", "👍", "oh sure, yes. thanks!"])
def test_these_say_yes(words: str) -> None:
    assert facts.yes_or_no(words) is True


@pytest.mark.parametrize("words", ["no", "nope", "No wait, don't cancel it", "not that one", "no, keep it please", "none of those work", "no me sirve"])
def test_these_say_no(words: str) -> None:
    assert facts.yes_or_no(words) is False


@pytest.mark.parametrize("words", ["nothing hurts", "now", "not sure", "2", "Wednesday", "yesterday", "okafor", "normal"])
def test_these_say_neither(words: str) -> None:
    assert facts.yes_or_no(words) is None


@pytest.mark.parametrize(("words", "number"), [("2", 2), ("the second one", 2), ("option 3 please", 3), ("I'll take the first", 1), ("the last one", 3), ("la segunda", 2)])
def test_a_choice_is_read_by_its_number(words: str, number: int) -> None:
    assert facts.choice(words, 3) == number


@pytest.mark.parametrize("words", ["4", "two kids", "12", "Tuesday the 2nd", "at 2"])
def test_other_numbers_are_no_choice(words: str) -> None:
    assert facts.choice(words, 3) is None


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("ann o'neil", "Ann O'neil"),
        ("3/12/1985, Clara Weiss", "Clara Weiss"),
        ("Clara Weiss 3/12/1985", "Clara Weiss"),
        ("My name is Clara Weiss and I was born March 12, 1985", "Clara Weiss"),
        ("I'm Clara Weiss. The patient is my son Tim Weiss", "Tim Weiss"),
        ("it's for my daughter Mia Weiss", "Mia Weiss"),
        ("me llamo ramiro salinas", "Ramiro Salinas"),
        ("12 de diciembre de 1986", None),
        ("I don't want to", None),
        ("never mind", None),
    ],
)
def test_a_name_is_read_where_it_was_asked_for(words: str, name: str | None) -> None:
    found = facts.person_name(words, asked=True)
    assert (found.full if found else None) == name


@pytest.mark.parametrize(
    ("words", "relation"),
    [
        ("my son needs his shots", "son"),
        ("it's for my mother", "mother"),
        ("I'm calling about my dad", "father"),
        ("cancel my daughter Mia's appointment", "daughter"),
        ("para mi hijo", "son"),
        ("for me", "self"),
        ("my wife sees Dr. Roe and I want to start there too", None),
        ("my daughter can't believe it", None),
        ("my neighbor wrote it down for me", None),
    ],
)
def test_for_whom_a_visit_is(words: str, relation: str | None) -> None:
    assert facts.relation(words) == relation


@pytest.mark.parametrize(
    ("words", "number"),
    [("XOF-555-019-332", "XOF555019332"), ("X O F 4 4 0 9 1 2", "XOF440912"), ("my member id is W204958112", "W204958112"), ("10/21/1977", None)],
)
def test_a_member_number_is_read_spelled_or_not(words: str, number: str | None) -> None:
    assert facts.member_id(words, asked=True) == number


def test_needs_name_their_team() -> None:
    assert [need.team for need in facts.needs("I use a wheelchair")] == ["mobility"]
    assert [need.kind for need in facts.needs("I need a Polish interpreter")] == ["interpreter:pl"]
    assert [need.kind for need in facts.needs("I'm deaf, is there a sign language interpreter?")] == ["sign-language"]
    assert facts.needs("no interpreter needed, thanks") == () or facts.needs("I don't need an interpreter") == ()


def test_an_address_is_read_up_to_where_something_else_is_said() -> None:
    assert facts.address("We moved to 907 W Oak Ave, Milwaukee, WI 53202, please update my address", asked=False) == "907 W Oak Ave, Milwaukee, WI 53202"
    assert facts.address("at 3 on Tuesday", asked=True) is None
