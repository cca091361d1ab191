"""Birth dates as staff type them: 4/19/1980, 1980-04-19, 19.4.80, 04191980, April 19 1980, 19 abr 1980."""

from __future__ import annotations

import datetime as dt
import re

from scheduling_core import names

_MONTHS = (
    ("jan", "ene"),
    ("feb",),
    ("mar",),
    ("apr", "abr"),
    ("may",),
    ("jun",),
    ("jul",),
    ("aug", "ago"),
    ("sep", "set"),
    ("oct",),
    ("nov",),
    ("dec", "dic"),
)
_NUMBERS = re.compile(r"(?<![\d+])(\d{1,4})\s*[./\-]\s*(\d{1,2})\s*[./\-]\s*(\d{1,4})(?!\d)")
_DIGITS = re.compile(r"(?<![\d+])(\d{8})(?!\d)")
_MONTH_FIRST = re.compile(r"\b([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4}|\d{2})\b", re.IGNORECASE)
_DAY_FIRST = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+(?:de\s+)?([^\W\d_]{3,})\.?,?\s+(?:de\s+)?(\d{4}|\d{2})\b", re.IGNORECASE
)


def find(text: str, *, today: dt.date) -> tuple[set[dt.date], str]:
    """The dates that a birth date in the text may mean, and the text without it; no date and the whole text where there is none.

    With slashes and hyphens the month comes first unless it cannot; with dots the day. Two digits are the last such year that is
    not ahead.
    """
    for pattern in (_NUMBERS, _MONTH_FIRST, _DAY_FIRST, _DIGITS):
        for match in pattern.finditer(text):
            if found := {day for day in _read(match, today) if day <= today}:
                return found, f"{text[: match.start()]} {text[match.end() :]}".strip()
    return set(), text


def _read(match: re.Match[str], today: dt.date) -> set[dt.date]:
    if match.re is _DIGITS:
        digits = match.group()
        return _days((digits[:2], digits[2:4], digits[4:]), today) or _days((digits[:4], digits[4:6], digits[6:]), today)
    if match.re is _MONTH_FIRST:
        word, day, year = match.groups()
        return _of(year, _month(word), day, today)
    if match.re is _DAY_FIRST:
        day, word, year = match.groups()
        return _of(year, _month(word), day, today)
    one, two, three = match.groups()
    if "." in match.group() and len(one) < 3:
        return _of(three, two, one, today) or _of(three, one, two, today)
    return _days((one, two, three), today)


def _days(parts: tuple[str, str, str], today: dt.date) -> set[dt.date]:
    one, two, three = parts
    if len(one) == 4:
        return _of(one, two, three, today)
    return _of(three, one, two, today) or _of(three, two, one, today)


def _month(word: str) -> str:
    plain = "".join(names.words_of(word))
    return next((str(number) for number, begins in enumerate(_MONTHS, 1) if plain.startswith(begins)), "0")


def _of(year: str, month: str, day: str, today: dt.date) -> set[dt.date]:
    if len(year) not in (2, 4):
        return set()
    whole = int(year)
    if len(year) == 2:
        whole += today.year // 100 * 100
        whole -= 100 * (whole > today.year)
    try:
        return {dt.date(whole, int(month), int(day))}
    except ValueError:
        return set()
