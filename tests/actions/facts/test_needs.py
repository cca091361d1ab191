"""Help that a patient needs at the visit."""

from __future__ import annotations

import pytest

from actions import facts


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("I use a wheelchair", [("mobility", "wheelchair")]),
        ("I can’t climb stairs", [("mobility", "wheelchair")]),
        ("uso silla de ruedas", [("mobility", "wheelchair")]),
        ("I have a guide dog", [("mobility", "low-vision")]),
        ("soy ciega", [("mobility", "low-vision")]),
        ("I need a Polish interpreter", [("language-access", "interpreter:pl")]),
        ("traductor de ruso", [("language-access", "interpreter:ru")]),
        ("necesito un intérprete", [("language-access", "interpreter")]),
        ("I'm deaf, is there a sign language interpreter?", [("language-access", "sign-language")]),
        ("lengua de señas", [("language-access", "sign-language")]),
        ("wheelchair and a Somali interpreter", [("language-access", "interpreter:so"), ("mobility", "wheelchair")]),
        ("I don't need an interpreter", []),
        ("no wheelchair", []),
        ("I feel fine", []),
    ],
)
def test_needs_name_their_team(words: str, needs: list[tuple[str, str]]) -> None:
    assert [(need.team, need.kind) for need in facts.needs(words)] == needs
