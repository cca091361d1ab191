"""Phrases of a clinic file in a patient's words, misspelt a little or written as one word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from actions.words import Token, listed, tokens

Words = tuple[str, ...]
"""A phrase, word by word in plain letters."""

Phrases = tuple[tuple[Words, str], ...]
"""Ways to say something, each with the id of what it means."""

# words that alone name nothing
_FILLER = listed("a an the visit appointment annual minor lab health new first", "cita consulta")


def words(phrase: str) -> Words:
    return tuple(token.plain for token in tokens(phrase))


def index(items: Iterable[tuple[str, Iterable[Words]]]) -> Phrases:
    """Every way to say each item, given by its id; a phrase that two items share counts for the first."""
    meant: dict[Words, str] = {}
    for item, forms in items:
        for form in forms:
            if form and not (len(form) == 1 and form[0] in _FILLER):
                meant.setdefault(form, item)
    return tuple(meant.items())


def found(said: Sequence[Token], phrases: Phrases) -> tuple[str, ...]:
    """Ids of what is said, best match first. Of overlapping matches the better, then the longer one counts."""
    hits = [hit for form, item in phrases for hit in _hits(said, form, item)]
    hits.sort(key=lambda hit: (-hit.score * (hit.end - hit.start) ** 0.5, hit.start))
    taken: list[_Hit] = []
    for hit in hits:
        if not any(hit.start < other.end and other.start < hit.end for other in taken):
            taken.append(hit)
    return tuple(dict.fromkeys(hit.item for hit in taken))


@dataclass(frozen=True)
class _Hit:
    item: str
    score: float
    start: int  # in tokens
    end: int


def _hits(said: Sequence[Token], form: Words, item: str) -> Iterator[_Hit]:
    """Where the phrase stands in the text, misspelt a little or with other blanks ("followup")."""
    phrase = " ".join(form)
    size = len(form)
    for length in range(size - 1, size + 2) if size > 1 else (1,):
        for start in range(len(said) - length + 1):
            window = " ".join(token.plain for token in said[start : start + length])
            if length != size and window.replace(" ", "") != phrase.replace(" ", ""):
                continue
            if score := _likeness(window, phrase):
                yield _Hit(item, score, start, start + length)


def _likeness(window: str, phrase: str) -> float:
    """0 to 100; 0 where it is another word. Short words must be right, long ones may have a slip."""
    if window == phrase:
        return 100.0
    if window.rstrip("s") == phrase.rstrip("s") and len(phrase) > 3:
        return 99.0
    if window.replace(" ", "") == phrase.replace(" ", ""):
        return 98.0
    if len(phrase) < 5 or abs(len(window) - len(phrase)) > 2 or window[0] != phrase[0]:
        return 0.0
    pairs = list(zip(window.split(), phrase.split(), strict=False))
    if window.count(" ") == phrase.count(" ") and any(len(b) < 4 and a.rstrip("s") != b.rstrip("s") for a, b in pairs):
        return 0.0
    score = fuzz.ratio(window, phrase)
    return score if score >= (88 if len(phrase) < 8 else 86) else 0.0
