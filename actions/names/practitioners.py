"""Practitioners in a patient's words: by title, by nickname, misspelt, misheard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import jellyfish
from rapidfuzz import fuzz

from actions.words import Token, either, listed, plain, tokens
from scheduling_core.clinic_file.schema import ClinicFile

_DOCTOR = listed("dr doctor", "dra doctora")
_TITLES = _DOCTOR | listed("doc nurse np practitioner md", "enfermera enfermero")
_NOT_NAMES = listed(
    "the a an this that one male female man woman lady who who's which what when would will does do",
    "i me my you your he she it them anyone someone somebody either whoever any no not",
    "is was for on at in to and or with about from of so but than then again next last until if because here there",
    "can please said says told has have had like wants wanted order ordered sent referred called named speaks",
    "appointment visit visits office note notes practitioner available s",
    "today tomorrow soon asap monday tuesday tuesdays wednesday thursday friday mondays",
    "que con el la para hoy manana y o de del",
)
# last names that are ordinary words: they count only with a title or a first name
_COMMON_WORDS = listed(
    "hall young long king white black brown green day may june april grace hill lake wood woods rose price park best banks fields",
    "church street west north south east rivers stone waters summers winter love hope little small short strong wise good noon",
    "early late moon bell cook carter baker mason page frost snow rain knight marsh pool poole ray rice hand head foot back",
    "check chance please patient patients hospital health",
)
# "Dr. X ordered labs", "Dr. X sent me": who asked for the visit, not who shall give it
_SENT_BY = re.compile(
    r"\s*(?:has |had |just |already )*"
    + either(
        r"ordered|referred|sent|prescribed|wrote|told me to get|wants me to (?:get|have)",
        r"me mando|me refirio|ordeno",
    )
)

# how like a name a word must be, of 100, to be asked about and to be sure
_DOUBTFUL, _SURE = 70, 80


@dataclass(frozen=True)
class Found:
    """Ids of practitioners, and a name with a title that none of them has."""

    sure: tuple[str, ...]
    doubtful: tuple[str, ...]
    unknown: str | None


def found(clinic: ClinicFile, said: Sequence[Token], text: str) -> Found:
    """Who is named in `text`, whose words are `said`."""
    low = plain(text)
    sure: dict[str, float] = {}
    doubtful: dict[str, float] = {}
    unknown: str | None = None
    for place, token in enumerate(said):
        title = said[place - 1].plain if place and said[place - 1].plain in _TITLES else None
        if token.plain in _TITLES or token.plain in _NOT_NAMES or (len(token.plain) < 3 and not title):
            continue
        scores = {who.id: _score(said, place, who.name, who.aliases, titled=bool(title)) for who in clinic.practitioners}
        best = max(scores.values(), default=0.0)
        if best < _DOUBTFUL:
            if title in _DOCTOR:
                unknown = unknown or text[token.start : token.end]
        elif not _SENT_BY.match(low[token.end :]):
            near = {who: score for who, score in scores.items() if score >= max(best - 4, _DOUBTFUL)}
            if best >= _SURE and len(near) == 1:
                sure |= near
            else:
                doubtful |= near
    ranked = tuple(sorted(sure, key=lambda who: -sure[who]))
    return Found(ranked, tuple(who for who in doubtful if who not in sure), None if sure or doubtful else unknown)


def _score(said: Sequence[Token], place: int, name: str, aliases: Sequence[str], *, titled: bool) -> float:
    """How like a practitioner's last name (or nickname, or whole name) the word at `place` is, 0 to 100."""
    word = said[place].plain
    before = said[place - 1].plain if place else ""
    after = said[place + 1].plain if place + 1 < len(said) else ""
    *given, family = (token.plain for token in tokens(name.split(",")[0]) if token.plain not in _TITLES)
    with_given = any(_close(before, first) for first in given)
    if before in given and fuzz.ratio(word, family) >= 55:
        return 100.0 if word == family else 96.0
    best = 0.0
    for meant in (family, *map(plain, aliases)):
        if word in (meant, f"{meant}s", f"{meant}'s"):
            if titled or with_given or meant not in _COMMON_WORDS:
                return 100.0
        else:
            best = max(best, _likeness(word, meant, introduced=titled or with_given))
    # a first name alone
    if given == [word] and len(word) > 3 and not titled and (not after or (after in _NOT_NAMES and not _close(after, family))):
        best = max(best, 82.0)
    return min(best, 99.0)


def _likeness(word: str, meant: str, *, introduced: bool) -> float:
    """By sound as well where a title or a first name says that it is a name; else only long names with the same beginning."""
    likeness = fuzz.ratio(word, meant)
    if introduced:
        if jellyfish.metaphone(word) == jellyfish.metaphone(meant):
            return likeness + 12 if likeness >= 45 else 0.0
        return likeness if likeness >= 60 else 0.0
    if min(len(meant), len(word)) < 5 or word[0] != meant[0] or word in _COMMON_WORDS:
        return 0.0
    return likeness if likeness >= 80 else 0.0


def _close(word: str, name: str) -> bool:
    return word == name or (len(name) > 3 and fuzz.ratio(word, name) >= 80)
