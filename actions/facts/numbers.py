"""Member numbers of insurances, and telephone numbers."""

from __future__ import annotations

import re

import phonenumbers

from actions.facts.ordinary import ORDINARY
from actions.words import straight

_MEMBER_LEAD = re.compile(r"(?i)^.*?\b(?:member|id|number|numero|número|#)\b[\s:#]*(?:is|es)?[\s:#]*")
_NAMED = re.compile(
    r"(?i)\b(?:member|subscriber|policy|id|miembro|afiliad[oa]|p[oó]liza)\b[\s:#.]*(?:(?:id|number|no|n[uú]mero|is|es|now|ahora)\b[\s:#.]*)*"
)
_BETWEEN_SPELLED = re.compile(r"(?<=\b[A-Za-z0-9])(?<!['’][A-Za-z])[\s-]+(?=[A-Za-z0-9]\b)")
_WITH_DIGITS = re.compile(r"\b(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\b")
_BLOCK = r"[A-Za-z]*\d[A-Za-z0-9]*"
_IN_BLOCKS = re.compile(rf"(?<![\w/.])(?:[A-Za-z]{{1,4}}-|[A-Z]{{1,4}}\s)?{_BLOCK}(?:[\s-]+{_BLOCK})*(?:-[A-Za-z0-9]+)*(?![\w/])")
_SPOKEN_PREFIX = re.compile(r"\W*([a-z]{1,4})\s+(?=\d)")  # speech is heard in small letters: "xof 555 019"
_DATE = re.compile(r"(?:0?[1-9]|[12]\d|3[01])[-/](?:0?[1-9]|[12]\d|3[01])[-/](?:\d{4}|\d{2})")


def member_id(text: str, *, asked: bool) -> str | None:
    """An insurance member number in upper case, without blanks or dashes, with at least three digits.

    "X O F 4 4 0 9" spelled counts as well. `asked`: it was asked for, so that five digits alone are one, in blocks or not ("W1234
    5678 01"); the same after words that name it ("member 778812"). Else it has six letters and digits or more in one word.
    """
    named = _NAMED.search(text)
    if named and (found := _IN_BLOCKS.match(_BETWEEN_SPELLED.sub("", text[named.end() :]))) and (number := _number(found[0], 5)):
        return number
    if not asked:
        words = (_number(match[0], 6) for match in _WITH_DIGITS.finditer(text))
        return next((number for number in words if number and re.search(r"[A-Z]", number)), None)
    rest = _BETWEEN_SPELLED.sub("", _MEMBER_LEAD.sub("", text))
    if (first := _SPOKEN_PREFIX.match(rest)) and straight(first[1]) not in ORDINARY:
        rest = first[1].upper() + rest[first.end(1) :]
    return next((number for match in _IN_BLOCKS.finditer(rest) if (number := _number(match[0], 5))), None)


def _number(written: str, least: int) -> str | None:
    value = re.sub(r"[\s-]", "", written).upper()
    enough = len(value) >= least and sum(character.isdigit() for character in value) >= 3
    return value if enough and not _DATE.fullmatch(written) else None


def phone(text: str) -> str | None:
    """A telephone number as E.164; one without a country's code is of North America."""
    for match in phonenumbers.PhoneNumberMatcher(text, "US", leniency=phonenumbers.Leniency.POSSIBLE):
        return str(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164))
    return None
