"""Several visits in one go, and several people at once."""

from __future__ import annotations

import pytest

from actions.facts import groups


@pytest.mark.parametrize(
    "words",
    [
        "can I get my physical and my flu shot in one go",
        "a checkup and labs on the same day",
        "my two kids, back to back",
        "both my kids, one after the other",
        "can we come in at the same time",
        "the shot while I'm there",
        "book both",
        "quiero el chequeo y la vacuna el mismo día",
        "una después de la otra por favor",
        "los dos juntos",
    ],
)
def test_these_want_visits_together(words: str) -> None:
    assert groups.together(words)


@pytest.mark.parametrize(
    "words",
    [
        "can I get a same day appointment",
        "I need a same-day visit for a cough",
        "they don't need to be on the same day",
        "on different days please",
        "can you call me back",
        "one of my kids has a fever",
        "cancel both of my visits",
    ],
)
def test_these_do_not(words: str) -> None:
    assert not groups.together(words)


@pytest.mark.parametrize(
    ("words", "people"),
    [
        ("I need to book both my kids", [("child", None), ("child", None)]),
        ("flu shots for my two boys", [("son", None), ("son", None)]),
        ("checkups for my kids Mia and Leo back to back", [("child", "Mia"), ("child", "Leo")]),
        ("book my son Theo and my daughter Ana back to back", [("son", "Theo"), ("daughter", "Ana")]),
        ("flu shots for me and my husband", [("self", None), ("husband", None)]),
        ("my wife and I need physicals", [("self", None), ("wife", None)]),
        ("all three of my kids need shots", [("child", None)] * 3),
        ("citas para mis dos hijos", [("child", None), ("child", None)]),
        ("my mom and dad are in town", []),
        ("I have kids so mornings are hard", []),
        ("my son needs a checkup", []),
        ("what day is my visit, not my kids' thing", []),
        ("my husband can drive me", []),
    ],
)
def test_the_people_of_whom_each_needs_a_visit(words: str, people: list[tuple[str, str | None]]) -> None:
    assert [(who.relation, who.first) for who in groups.people(words)] == people


@pytest.mark.parametrize(
    ("words", "left"), [("a physical on the same day", "a physical  "), ("a shot, back to back, Monday", "a shot,  , Monday")]
)
def test_the_words_for_together_name_no_day(words: str, left: str) -> None:
    assert groups.rest(words).replace(" on ", " ").split() == left.replace(" on ", " ").split()
