"""Plain forms of words, shared by all that reads patients' sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@dataclass(frozen=True)
class Token:
    """One word: its plain form, and where it stands in the text."""

    plain: str
    start: int
    end: int


def plain(text: str) -> str:
    """Lower case without accents; every character keeps its place."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character


def tokens(text: str) -> list[Token]:
    low = plain(text)
    return [Token(match[0].replace("’", "'"), match.start(), match.end()) for match in _TOKEN.finditer(low)]


def straight(text: str) -> str:
    """`plain(text)` with every apostrophe straight."""
    return plain(text).replace("’", "'")


def either(*phrases: str) -> str:
    """A pattern for any of the phrases. One argument may hold several between bars: one line for each language or topic."""
    return f"(?:{'|'.join(phrases)})"


def listed(*lines: str) -> frozenset[str]:
    """The words of all the lines."""
    return frozenset(" ".join(lines).split())
