"""What is told of an insurance besides its payer and member number."""

from __future__ import annotations

import re

from actions.words import either, straight

_GROUP = re.compile(
    r"\b" + either(r"group|grp", "grupo") + r"\b[\s:#.]*(?:" + either("id|number|num|no|is", "numero|es") + r"\b[\s:#.]*)*"
    r"(?P<number>(?=[a-z-]*\d)[a-z0-9][a-z0-9-]{2,19})\b"
)
_THROUGH = r"(?:under|through|from|on|by|with) (?:my|our|his|her)|(?:por|con|de|del) (?:mi|su)|bajo (?:mi|su)"
_HOLDERS = {
    "spouse": either("husband|wife|spouse|partner", "esposo|esposa|marido|mujer|pareja"),
    "child": either("mom|mother|dad|father|parents?|stepdad|stepmom", "mama|madre|papa|padre|padres"),
}
_OF_HOLDER = {relationship: re.compile(rf"\b(?:{_THROUGH}) {who}(?:'?s)?\b") for relationship, who in _HOLDERS.items()}
_SECOND = re.compile(
    r"\b" + either("secondary|second insurance|supplement(?:al)?|medigap|also have", "secundario|segundo seguro") + r"\b"
)


def group_number(text: str) -> str | None:
    """The number of a group plan, in upper case: "group 5567", "GRP# AB-12"."""
    found = _GROUP.search(straight(text))
    return found["number"].upper() if found else None


def relationship(text: str) -> str | None:
    """How the patient stands to whose insurance it is, where that is said: "spouse" or "child"."""
    low = straight(text)
    return next((relationship for relationship, pattern in _OF_HOLDER.items() if pattern.search(low)), None)


def is_second(text: str) -> bool:
    """Whether it is an insurance beside the first."""
    return bool(_SECOND.search(straight(text)))
