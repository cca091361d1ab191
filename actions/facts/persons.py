"""People's names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.facts.ordinary import ORDINARY
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
_ONE_NAME = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")
_NAME = re.compile(rf"{_WORD}(?:\s+{_WORD}){{0,6}}")
_CAPITAL = r"(?:[^\W\d_a-zß-öø-ÿ]\.|[^\W\d_a-zß-öø-ÿ][\w'’-]*)"
_PARTICLES = listed("van von der den bin al da di st", "de del la las los dos y")
_NEVER = ORDINARY - _PARTICLES
_NO_BEGINNING = _PARTICLES - {"al", "st"} | {"el"}
_NO_END = _PARTICLES - {"al", "bin"}
_PARTICLE = either(*sorted(_PARTICLES))
_CAPITAL_NAME = rf"{_CAPITAL}(?:\s+(?:{_PARTICLE}\s+)*{_CAPITAL}){{1,4}}"

_INTRODUCTION = re.compile(
    r"(?i)\b"
    + either(
        r"my (?:full )?name(?:'s|’s| is)|i['’]?m|i am|this is|patient is|name:|(?:his|her) name is|name['’]s",
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

_PATIENT_IS_IN_SMALL = re.compile(  # typed in small letters, to the end of a sentence
    r"\b"
    + either(r"patient is(?: my \w+)?", r"(?:el|la) paciente es(?: mi \w+)?")
    + r",? (?P<name>[^\W\d_]+(?: [^\W\d_]+){1,2})(?=\W*(?:[.!;\n]|$))"
)

_GREETING = either(r"hi|hello|hey|oh|ok|okay|sure|yes|yeah|well|um+|let me think|ok so|so|thanks|of course", r"hola|si|claro")
_LEAD = re.compile(
    rf"^(?:{_GREETING}\b[\s,.!…-]*)*"
    + "(?:"
    + either(
        r"my (?:full |legal )?name(?:'s|’s| is)?|the (?:patient'?s? )?name is|the patient is|his name is|her name is",
        r"it['’]?s(?: me)?|it is|this is|i['’]?m|i am|patient|name|full name|first and last name|for|under",
        r"me llamo|mi nombre es|el nombre es|su nombre es|se llama|soy|es|para",
    )
    + r"\b)?[\s:,-]*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,.;!-]+"
    + either(
        r"thanks?(?: you)?(?: for.*)?|please|here|sir|ma'?am|speaking|sorry.*|is (?:my|his|her|the) name.*",
        r"born.*|dob.*|date of birth.*|b(?:irth)?-?day.*|birth ?date.*|and .*",
        r"gracias|por favor|nacid[oa].*|y mi .*",
    )
    + r")+[\s.!]*$",
    re.IGNORECASE,
)
_RELATIVE_BEFORE = re.compile(rf"(?i)^(?:it'?s|is)?\s*(?:for\s+)?(?:my|mi)\s+{RELATIVE}\b[\s,:]*(?:is |named |called )?")
_BREAK = re.compile(r"[,;\n]|\s-\s|(?<![\s;][^\W\d_])\.\s")
_LAST_FIRST = re.compile(rf"\s*(?P<family>{_WORD}(?:\s{_WORD})?),\s*(?P<given>{_WORD}(?:\s{_WORD})?)\s*")

_MONTH = either(
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?",
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre",
)
_COUNT = either(
    r"\d+(?:st|nd|rd|th)?|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|twentieth|thirtieth",
    r"(?:thir|four|fif|six|seven|eigh|nine)teenth|(?:thir|four|fif|six|seven|eigh|nine)teen|ten|eleven|twelve|hundred|thousand",
    r"(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty[\s-]?)?(?:one|two|three|four|five|six|seven|eight|nine)",
    r"(?:(?:twen|thir)ty[\s-])(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|(?:twen|thir|for|fif|six|seven|eigh|nine)ty",
    r"uno|primero|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci\w+|veinti?\w*",
    r"treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|mil|novecientos",
)
_COUNTS = rf"{_COUNT}\b(?:[\s,'’-]+(?:(?:of|de|del|y|and)\s+)?{_COUNT}\b)*"
_DATE = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}"
    + rf"|\b{_MONTH}\b\.?\s+(?:the\s+)?{_COUNTS}"
    + rf"|\b(?:the\s+|el\s+)?{_COUNT}\s+(?:(?:of|de)\s+)?{_MONTH}\b\.?(?:[\s,'’-]+(?:(?:of|de|del)\s+)?{_COUNTS})?"
    + r"|\d[\d/.,-]*(?:st|nd|rd|th)?"
)


def person_name(text: str, *, asked: bool, language: str = "en") -> PersonName | None:
    """A person's first and last name. `asked`: the name was asked for, so that bare words are one; else it must be introduced.

    Of "I'm Ann Roe. The patient is my son Leo Roe" the patient's name counts. In Spanish the last two names are the family's.
    """
    # introductions count in any case, the name itself keeps its capitals
    introduced = _INTRODUCTION.sub(lambda match: match[0].lower(), text)
    if name := patient_name(text, language=language) or _last(_INTRODUCED, introduced, language):
        return name
    return _bare_name(text, language) if asked else None


def patient_name(text: str, *, language: str = "en") -> PersonName | None:
    """The name that is said to be the patient's, of "I'm Ann Roe. The patient is my son Leo Roe" Leo Roe; not who writes."""
    if name := _last(_PATIENT_IS, text, language):
        return name
    small = _PATIENT_IS_IN_SMALL.search(text)
    return _name(small["name"], language) if small and _are_names(small["name"].split(), most=3) else None


def _last(pattern: re.Pattern[str], text: str, language: str) -> PersonName | None:
    found = list(pattern.finditer(text))
    return _name(found[-1]["name"], language) if found else None


def one_name(text: str) -> str | None:
    """The one name that the text holds and no more, but for a date and the like: "Jose 4/4/84", "it's Ramirez"."""
    found = [bare for piece in _BREAK.split(_without_dates(text)) if (bare := _bare(piece))]
    if len(found) != 1 or "?" in text or not _ONE_NAME.fullmatch(found[0]) or not _are_names(found, most=1):
        return None
    return _capitalised(found[0])


def family_name(text: str) -> str | None:
    """What the text says where the last name alone was asked for: "Ramirez", "it's de la Cruz", two names at most."""
    units = _units([word.strip(".") for word in _bare(_without_dates(text)).split()])
    words = " ".join(units).split()
    return " ".join(map(_capitalised, words)) if len(units) <= 2 and _are_names(words, most=6) else None


def _without_dates(text: str) -> str:
    """The text with a break in the place of each date or number."""
    made, end = "", 0
    for match in _DATE.finditer(plain(text)):  # every character keeps its place
        made, end = f"{made}{text[end : match.start()]};", match.end()
    return made + text[end:]


def _bare_name(text: str, language: str) -> PersonName | None:
    """The first part of the text that is a name and no more, but for a greeting before it and the like."""
    if "?" in text:
        return None
    undated = _without_dates(text)
    for piece in undated.split(";"):
        if name := _last_first(_bare(piece), language):
            return name
    for piece in _BREAK.split(undated):
        bare = _bare(piece)
        if _NAME.fullmatch(bare) and (name := _name(bare, language)):
            return name
    return None


def _last_first(text: str, language: str) -> PersonName | None:
    """ "Roe, Ann"; in Spanish also "Gómez Díaz, Ana". In "Roe, Ann Roe" the whole name follows the last."""
    turned = _LAST_FIRST.fullmatch(text)
    if not turned or (language != "es" and " " in turned["family"]):
        return None
    family, given = turned["family"].split(), turned["given"].split()
    if set(family) & set(given) or not _are_names([*family, *given], most=4):
        return None
    return PersonName(" ".join(map(_capitalised, given)), " ".join(map(_capitalised, family)))


def _bare(piece: str) -> str:
    bare = _TAIL.sub("", _LEAD.sub("", piece.strip())).strip(" .!,()-\"'“”")
    return _RELATIVE_BEFORE.sub("", bare).strip()


def _name(text: str, language: str) -> PersonName | None:
    words = [word.strip(".,") for word in text.split() if word.strip(".,")]
    if not words or plain(words[0]) in _NO_BEGINNING or plain(words[-1]) in _NO_END or not _are_names(words, most=7):
        return None
    units = _units(words)
    if not 2 <= len(units) <= 5:
        return None
    given = _count_of_given(units, language)
    low, high = (" ".join(map(_capitalised, " ".join(part).split())) for part in (units[:given], units[given:]))
    return PersonName(low, high)


def _are_names(words: list[str], *, most: int) -> bool:
    low = [plain(word).strip(".,") for word in words]
    return 1 <= len(words) <= most and not any(word in _NEVER or len(word) > 30 or _CONTRACTED.search(word) for word in low)


_SUFFIXES = listed("jr sr ii iii iv")
_CONTRACTED = re.compile(r"n['’]t$|['’](?:s|ll|ve|re|m|d)$")


def _units(words: list[str]) -> list[str]:
    """The words with particles joined to what follows them: María, de la Cruz."""
    units: list[str] = []
    joined = ""
    for place, word in enumerate(words):
        joined = f"{joined} {word}".strip()
        if place == 0 or place == len(words) - 1 or plain(word) not in _PARTICLES:
            units.append(joined)
            joined = ""
    if len(units) > 2 and plain(units[-1]) in _SUFFIXES:
        units[-2:] = [" ".join(units[-2:])]
    return units


def _count_of_given(units: list[str], language: str) -> int:
    """How many of the units are given names; at least one is a family name."""
    seconds = [plain(unit).split()[-1] in _SECOND_GIVEN for unit in units]
    if len(units) > 2 and seconds[1] and (language == "es" or plain(units[1]).split()[0] in _PARTICLES):
        return 2
    if language == "es":
        return max(1, len(units) - 2)
    particles = (place for place, unit in enumerate(units) if place and plain(unit).split()[0] in _PARTICLES)
    return next(particles, len(units) - 1)


_SECOND_GIVEN = listed(
    "maria jose luis carlos juan antonio manuel jesus angel angeles alberto alejandro andres eduardo enrique ernesto fernando",
    "francisco gabriel guillermo javier jorge miguel pablo pedro rafael ramon ricardo roberto",
    "ana isabel elena teresa luisa carmen pilar rosa rosario guadalupe lourdes luz mercedes beatriz cristina eugenia fernanda",
    "victoria alejandra",
)
"""Spanish names that often are the second of two given names."""


def _capitalised(word: str) -> str:
    """Capitals for what is written all in small letters, or all in capitals; particles stay small."""
    if word not in (word.lower(), word.upper()) or (plain(word) in _PARTICLES and word.islower()):
        return word
    return "-".join(part.capitalize() for part in word.split("-"))


_AFTER_RELATIVE = re.compile(rf"(?i:\b(?:my|our|mi)\s+{RELATIVE}),?\s+({_CAPITAL})")


def first_name_after_relation(text: str) -> str | None:
    """ "my son Leo" gives Leo."""
    match = _AFTER_RELATIVE.search(text)
    name = re.sub(r"['’]s$", "", match[1]) if match else ""
    return name if name and plain(name) not in ORDINARY else None
