"""Member numbers of insurances, and telephone numbers."""

from __future__ import annotations

import re

import phonenumbers

_MEMBER_LEAD = re.compile(r"(?i)^.*?\b(?:member|id|number|numero|#)\b[\s:#]*(?:is|es)?[\s:#]*")
_BETWEEN_SPELLED = re.compile(r"(?<=\b[A-Za-z0-9])[\s-]+(?=[A-Za-z0-9]\b)")
_WITH_DIGITS = re.compile(r"\b(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\b")
_DATE = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}")


def member_id(text: str, *, asked: bool) -> str | None:
    """An insurance member number in upper case, without blanks or dashes: six letters and digits or more, at least three digits.

    "X O F 4 4 0 9" spelled counts as well. `asked`: it was asked for, so that digits alone are one.
    """
    rest = _MEMBER_LEAD.sub("", text) if asked else text
    for candidate in (rest, _BETWEEN_SPELLED.sub("", rest), text):
        for match in _WITH_DIGITS.finditer(candidate):
            value = match[0].replace("-", "").upper()
            if (
                len(value) >= 6
                and sum(character.isdigit() for character in value) >= 3
                and (asked or re.search(r"[A-Z]", value))
                and not _DATE.fullmatch(match[0])
            ):
                return value
    return None


def phone(text: str) -> str | None:
    """A telephone number as E.164; one without a country's code is of North America."""
    for match in phonenumbers.PhoneNumberMatcher(text, "US", leniency=phonenumbers.Leniency.POSSIBLE):
        return str(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164))
    return None
