"""People's names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.facts.relations import RELATIVE
from actions.words import either, listed, plain


@dataclass(frozen=True)
class PersonName:
    given: str
    family: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.family}".strip()


_WORD = r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?"
_NAME = re.compile(rf"{_WORD}(?:\s+{_WORD}){{0,4}}")
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w'’.-]*"
_PARTICLE = either("van|von|der|den|bin|al|da", "de|del|la|las|los|dos|y")
_CAPITAL_NAME = rf"{_CAPITAL}(?:\s+(?:{_PARTICLE}\s+)*{_CAPITAL}){{1,3}}"

_INTRODUCTION = re.compile(
    r"(?i)\b"
    + either(
        r"my (?:full )?name(?:'s|’s| is)|i['’]?m|i am|this is|patient is|name:|(?:his|her) name is",
        r"me llamo|mi nombre es|soy",
    )
    + r"\b"
)
_INTRODUCED = re.compile(
    r"\b"
    + either(
        r"my\s+(?:full\s+)?name(?:'s|’s| is)|i['’]?m|i am|this is|patient is(?:\s+my\s+\w+)?|name\s*:|(?:his|her|their) name is",
        r"me llamo|mi nombre es|soy",
    )
    + rf"\s+(?P<name>{_CAPITAL_NAME})"
)
_PATIENT_IS = re.compile(
    r"(?i:"
    + either(
        rf"patient is(?:\s+(?:my|our)\s+\w+)?|name is|for my \w+|my {RELATIVE}",
        rf"se llama|para mi \w+|mi {RELATIVE}",
    )
    + rf")[,:]?\s+(?P<name>{_CAPITAL_NAME})"
)

_GREETING = either(r"hi|hello|hey|oh|ok|okay|sure|yes|yeah|well|um+|let me think|ok so|so|thanks|of course", r"hola|si|claro")
_LEAD = re.compile(
    rf"^(?:{_GREETING}\b[\s,.!…-]*)*"
    + "(?:"
    + either(
        r"my (?:full |legal )?name(?:'s|’s| is)?|the (?:patient'?s? )?name is|the patient is|his name is|her name is",
        r"it['’]?s|it is|this is|i['’]?m|i am|name|full name|first and last name|for|under",
        r"me llamo|mi nombre es|el nombre es|su nombre es|se llama|soy|es|para",
    )
    + r"\b)?[\s:,-]*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,.;!-]+"
    + either(
        r"thanks?(?: you)?(?: for.*)?|please|here|sir|ma'?am|speaking|sorry.*|is (?:my|his|her|the) name.*",
        r"born.*|dob.*|date of birth.*|and .*",
        r"gracias|por favor|nacid[oa].*|y mi .*",
    )
    + r")+[\s.!]*$",
    re.IGNORECASE,
)
_RELATIVE_BEFORE = re.compile(rf"(?i)^(?:it'?s|is)?\s*(?:for\s+)?(?:my|mi)\s+{RELATIVE}\b[\s,:]*(?:is |named |called )?")
_DIGITS = re.compile(r"\d[\d/.,-]*(?:st|nd|rd|th)?")
_BREAK = re.compile(r"[,;\n]|\s-\s|\.\s")

_NOT_A_NAME = listed(
    "before after that this these those and but so then also just wait with from to of in on at by up down out off if or as",
    "is was be do does did has had would could should come me we us he she they him her his them our their there here",
    "well very too really back honey dear",
    "yes no not ok okay sure stop please thanks thank hi hello skip none either any anyone telling rather",
    "why what when where who how the a an i you it my your for is are there have can don't dont know help",
    "appointment visit doctor dr patient insurance calling about already been never first time need want new cancel book move",
    "tomorrow today morning afternoon birthday birth date",
    "monday tuesday wednesday thursday friday saturday sunday",
    "january february march july august september october november december",
    "esa ese eso esta este esto escojo misma mismo bien hora semana numero mejor otra otro",
    "si gracias hola cita nuevo paciente",
    "lunes martes miercoles jueves viernes sabado domingo",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
)


def person_name(text: str, *, asked: bool) -> PersonName | None:
    """A person's first and last name. `asked`: the name was asked for, so that bare words are one; else it must be introduced.

    Of "I'm Ann Roe. The patient is my son Leo Roe" the patient's name counts.
    """
    # introductions count in any case, the name itself keeps its capitals
    introduced = _INTRODUCTION.sub(lambda match: match[0].lower(), text)
    for pattern in (_PATIENT_IS, _INTRODUCED):
        found = list(pattern.finditer(introduced))
        if found and (name := _name(found[-1]["name"])):
            return name
    return _bare_name(text) if asked else None


def _bare_name(text: str) -> PersonName | None:
    """The first part of the text that is a name and no more, but for a greeting before it and the like."""
    for piece in _BREAK.split(_DIGITS.sub(",", text)):
        bare = _TAIL.sub("", _LEAD.sub("", piece.strip())).strip(" .!,\"'“”")
        bare = _RELATIVE_BEFORE.sub("", bare).strip()
        if _NAME.fullmatch(bare) and (name := _name(bare)):
            return name
    return None


def _name(text: str) -> PersonName | None:
    words = [word.strip(".,") for word in text.split() if word.strip(".,")]
    low = [plain(word) for word in words]
    if not 2 <= len(words) <= 5 or low[0] in ("de", "del", "la", "el", "y"):
        return None
    if any(word in _NOT_A_NAME for word in low) or any(len(word) > 30 for word in words):
        return None
    *given, family = (_capitalised(word) for word in words)
    return PersonName(" ".join(given), family)


def _capitalised(word: str) -> str:
    """Capitals for what is written all in small letters, or all in capitals."""
    return "-".join(part.capitalize() for part in word.split("-")) if word in (word.lower(), word.upper()) else word


_AFTER_RELATIVE = re.compile(rf"(?i:\b(?:my|our|mi)\s+{RELATIVE}),?\s+({_CAPITAL})")


def first_name_after_relation(text: str) -> str | None:
    """ "my son Leo" gives Leo."""
    match = _AFTER_RELATIVE.search(text)
    name = re.sub(r"['’]s$", "", match[1]) if match else ""
    return name if name and plain(name) not in _NOT_A_NAME else None
