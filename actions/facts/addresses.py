"""E-mail and postal addresses."""

from __future__ import annotations

import re

from actions.words import either

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_EMAIL = re.compile(r"([\w.]+(?: dot \w+)*) at (\w+(?: dot \w+)+)", re.IGNORECASE)


def email(text: str) -> str | None:
    """An e-mail address in small letters, written or spoken ("ann at example dot org")."""
    if match := _EMAIL.search(text):
        return match[0].rstrip(".").lower()
    spoken = _SPOKEN_EMAIL.search(text)
    return f"{spoken[1]}@{spoken[2]}".lower().replace(" dot ", ".") if spoken else None


_LEAD = re.compile(
    r"(?is)^.*?\b"
    + either(
        r"moved to|moving to|live at|living at|address (?:is|to|now is|will be)|it'?s(?: now)?|it is(?: now)?|is now|new one is",
        r"direccion es|vivo en|me mude a",
    )
    + r"\s+(?=\d)"
)
_FROM_HOUSE_NUMBER = re.compile(r"\b\d{1,6}[A-Za-z]?\s+(?:[NSEW]\.?\s+)?[^\W\d][^\n;!?]{4,160}")
_SOMETHING_ELSE = re.compile(r"(?i)[,.]\s+(?:please|thanks?|thank you|can you|could you|update|i|my|and)\b")
_STREET = re.compile(
    r"(?i)\b"
    + either(
        r"st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|ct|court|pl|place|way|pkwy|parkway|ter|terrace|cir|circle|hwy",
        r"calle|avenida",
        r"apt|suite|unit|[A-Z]{2} \d{5}",
    )
    + r"\b"
)


def address(text: str, *, asked: bool) -> str | None:
    """A postal address: from the house number on, up to where something else is said.

    `asked`: it was asked for, so that it needs no word for a street.
    """
    match = _FROM_HOUSE_NUMBER.search(_LEAD.sub("", text))
    if not match:
        return None
    found = _SOMETHING_ELSE.split(match[0])[0].strip(" ,.")
    return _written(found) if _STREET.search(found) or (asked and "," in found) else None


_IN_CAPITALS = re.compile(r"\b(?:[nsew]|[ns][ew]|p ?o(?= box)|[a-z]{2}(?= \d{5}\b))\b", re.IGNORECASE)
_NUMBERED = re.compile(r"(?i)\b(apt|apartment|unit|suite|floor|lot) (one|two|three|four|five|six|seven|eight|nine|ten)\b")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _written(heard: str) -> str:
    """As it stands on an envelope, where it was spoken or typed in small letters."""
    if heard != heard.lower():
        return heard
    words = _NUMBERED.sub(lambda match: f"{match[1]} {_NUMBERS.index(match[2].lower()) + 1}", heard)
    words = re.sub(r"(?<![\w'’])[^\W\d_]", lambda match: match[0].upper(), words)
    return _IN_CAPITALS.sub(lambda match: match[0].upper(), words)
