"""Sickness in general words."""

from __future__ import annotations

import re

from actions.words import either, plain

_WHO = either("i|we|he|she|they|kid|son|daughter|baby|mom|mother|dad|father|wife|husband")
_SICK = either(
    r"sick|ill|fever|feverish|cough(?:ing)?|throw(?:ing)? up|vomit\w*|diarrh?o?ea|rash|infection|pain|hurts?|aches?|sore|dizzy",
    r"swollen|migraine|headaches?|earache|ear ache|sinus|uti|pink ?eye|congest\w+|stuffy|nause\w+|bleed\w*|itch\w*",
    r"burn(?:s|ing)? when",
)
_AILMENT = either(
    r"cough|fever|rash|cold|flu|headache|migraine|earache|backache|stomach ?ache|toothache|infection|sore \w+",
)
_COMPLAINT = re.compile(
    r"\b"
    + either(
        rf"{_WHO}\b[^.?!]{{0,40}}\b{_SICK}\b",
        rf"(?:bad|terrible|awful|my|a) {_AILMENT}",
        r"not feeling (?:well|good)|feel(?:ing)? (?:awful|terrible|bad|sick|lousy)|under the weather|came down with|caught a",
        r"my \w+(?: \w+)? (?:is|are) (?:killing me|swollen|infected|sore|hurting|red|itchy)|my \w+(?: \w+)? (?:really )?hurts?",
        r"me siento mal|estoy enferm[oa]|esta enferm[oa]|me duele|le duele",
        r"tengo (?:fiebre|tos|gripe|dolor|nauseas|vomito|diarrea)|tiene (?:fiebre|tos|gripe|dolor|nauseas|vomito)",
    )
)


def found(text: str) -> bool:
    """Whether somebody is said to be sick or in pain."""
    return bool(_COMPLAINT.search(plain(text)))
