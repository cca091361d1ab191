"""Help that a patient needs at the visit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.facts.wishes import language
from actions.words import either, straight


@dataclass(frozen=True)
class Need:
    """`kind` is "interpreter:<code>" where the language of the interpreter is known."""

    team: str
    kind: str


_SIGN_LANGUAGE = Need("language-access", "sign-language")
_INTERPRETER = Need("language-access", "interpreter")
_WHEELCHAIR = Need("mobility", "wheelchair")
_LOW_VISION = Need("mobility", "low-vision")

_WORDS = {
    _SIGN_LANGUAGE: either(r"asl\b|sign[ -]language|deaf\b|hard of hearing", r"sord[oa]|lengua de senas"),
    _INTERPRETER: either(r"interpret(?:er|ers|s|ing)?\b|translat(?:or|er|es|e for)", r"interprete|traductor"),
    _WHEELCHAIR: either(
        r"wheel ?chair|walker\b|mobility|scooter access|ramp\b|hoyer|can'?t (?:climb|stand|walk)",
        r"help getting (?:on|onto|out|in|from)|transfer (?:help|board)",
        r"silla de ruedas",
    ),
    _LOW_VISION: either(
        r"i'?m blind|am blind|visually impaired|low vision|guide dog|service dog|service animal",
        r"cieg[oa]",
    ),
}
_PATTERNS = {need: re.compile(rf"\b{words}") for need, words in _WORDS.items()}
_NOT_NEEDED = re.compile(r"\b(?:no|don'?t need|without) (?:an? |any )?(?:interpreter|wheel)")


def needs(text: str) -> tuple[Need, ...]:
    """Help that a patient needs at the visit, with the team that sees to it."""
    low = straight(text)
    if _NOT_NEEDED.search(low):
        return ()
    found = [need for need, pattern in _PATTERNS.items() if pattern.search(low)]
    if _SIGN_LANGUAGE in found:
        return tuple(need for need in found if need != _INTERPRETER)
    return tuple(_with_language(text) if need == _INTERPRETER else need for need in found)


def _with_language(text: str) -> Need:
    code = language(text)
    return Need(_INTERPRETER.team, f"interpreter:{code}") if code and code != "en" else _INTERPRETER
