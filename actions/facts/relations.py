"""How the patient stands to the one who writes, and to the clinic."""

from __future__ import annotations

import re

from actions.words import either, listed, straight

_RELATIONS = {
    "son": "son boy hijo nino",
    "daughter": "daughter girl hija nina",
    "child": "child kid baby toddler newborn infant bebe",
    "mother": "mother mom mum mama mommy madre",
    "father": "father dad papa daddy padre",
    "wife": "wife esposa mujer",
    "husband": "husband esposo marido",
    "partner": "partner boyfriend girlfriend fiance fiancee pareja novio novia",
    "grandmother": "grandmother grandma granny abuela",
    "grandfather": "grandfather grandpa abuelo",
    "grandchild": "grandson granddaughter grandchild grandkid nieto nieta",
    "sister": "sister hermana",
    "brother": "brother hermano",
    "friend": "friend neighbor neighbour aunt uncle cousin niece nephew roommate "
    "amigo amiga vecino vecina tia tio primo prima sobrino sobrina",
}
_RELATION_OF = {word: relation for relation, words in _RELATIONS.items() for word in words.split()}

RELATIVE = either(*sorted(_RELATION_OF, key=len, reverse=True))
"""A pattern for any word for a relative or a friend, in plain letters."""


def relation_of(word: str) -> str:
    """The relation that a word of RELATIVE names, a key of _RELATIONS."""
    return _RELATION_OF[word]


_AGED = r"\d+ ?(?:year|yr|month|week)s? ?-?old"
_FOR_OTHER = (
    # "for my new baby", "about my dad"
    re.compile(
        r"\b"
        + either(
            r"for|about|see|seen|bring(?:ing)?|cancel|move|reschedule|book|schedule|on behalf of|calling for|patient is|meant|mean",
            r"para|de|sobre",
        )
        + rf"\s+(?:that\s+one\s+for\s+)?{either('my|our|the', 'mi|mis|nuestro|nuestra')}\s+"
        + rf"(?:{either(_AGED, 'little|oldest|youngest|new|elderly|late')}\s+)*"
        + rf"(?P<relation>{RELATIVE})\b(?!'s (?:name|insurance|doctor))"
    ),
    # "my son Leo needs"
    re.compile(
        rf"\b{either('my|our', 'mi|nuestra|nuestro')}\s+(?:{either(_AGED, 'little|oldest|youngest|elderly|new')}\s+)*"
        rf"(?P<relation>{RELATIVE})(?:\s+[^\W\d]+){{0,2}}?\s+"
        + either(
            r"needs?|needed|has|is|was|wants?|would|could|can(?!')|should|got|hurt|isn't|hasn't|feels?|woke|keeps|fell|also|'s",
            r"necesita|tiene|esta|quiere",
        )
        + r"\b(?!\s+(?:sick of|gave|told|said))"
    ),
    # "my mom's appointment"
    re.compile(
        rf"\b(?:my|our|mi)\s+(?P<relation>{RELATIVE})(?:\s+[^\W\d]+){{0,2}}?'s?\s+(?:\w+\s+){{0,2}}"
        r"(?:appointment|visit|checkup|check-up|physical|shot|shots|vaccine|appt)"
    ),
    # "it's my wife Ana", and no more
    re.compile(
        r"^\W*(?:"
        + either("it'?s|it is|no|yes|actually|sorry", "es")
        + rf"\W+)*(?:for |para )?(?:my|our|mi)\s+(?P<relation>{RELATIVE})"
        + r"(?:[\s,]+(?!(?:can|says|said|thinks|told|will|is|was|sees|wrote|loves)\b)[^\W\d]+){0,3}\W*$"
    ),
)
_FOR_SELF = re.compile(
    r"\b"
    + either(
        r"it'?s me\b|myself|i am the patient|i'm the patient",
        r"para mi\b(?!\s+\w*(?:hij|espos|madre|padre|mam|pap|abuel|herman))|soy yo",
    )
)
_FOR_ME = re.compile(r"(?:(\w+)\W+)?for me\b")
_SUITS = listed(  # "does not work for me" speaks of a time
    "it that this those them one down work works working worked do does good bad fine best better great perfect ideal early late",
    "easier hard far convenient ok okay possible impossible tough difficult awkward soon",
    "time times day days hour morning afternoon",
)
_NOT_FOR_SELF = re.compile(r"\bnot for me\b")


def relation(text: str) -> str | None:
    """Whom the visit is for: "self", a key of _RELATIONS, or None where the text does not say. Of several the first counts."""
    low = straight(text)
    for_me = any(match[1] not in _SUITS for match in _FOR_ME.finditer(low))
    if (for_me or _FOR_SELF.search(low)) and not _NOT_FOR_SELF.search(low):
        return "self"
    found = [match for pattern in _FOR_OTHER if (match := pattern.search(low))]
    if not found:
        return None
    first = min(found, key=re.Match.start)
    if _OWN_WISH.search(low[: first.start()]) and _AS_WELL.search(low[first.start() :]):
        return "self"
    return _RELATION_OF[first["relation"]]


# "I'd like a flu shot. My husband needs one too": one after the other, and the own visit first
_OWN_WISH = re.compile(
    r"\b" + either(r"i need|i want|i'?d like|i would like|can i|could i|i'm due|book me", r"necesito|quiero|quisiera") + r"\b"
)
_AS_WELL = re.compile(r"\b" + either("too|also|as well|after (?:that|me)|then|mine first|me first", "tambien|despues") + r"\b")


_KNOWN = re.compile(
    r"\b"
    + either(
        r"already (?:a )?patient|a patient (?:here|there) already|patient of yours|i'm a patient\b",
        r"(?:existing|current|long ?time) patient|established|returning|not new|not my first",
        r"been (?:there|here|to your|with you|a patient|seen)",
        r"ya soy paciente|he (?:ido|venido|estado)",
    )
)
_NEVER_BEEN = re.compile(r"\b" + either(r"(?:never|not|haven't|hasn't) been", r"(?:no|nunca) (?:he|ha) (?:ido|venido|estado)"))
_NEW = re.compile(
    r"\b"
    + either(
        r"new patient|i'?m new|i am new|new here|new to (?:the|your)|just moved|become a patient",
        r"never been|not been (?:there|here)|(?:have|has)(?:n't| not) been|first (?:time|visit|appointment)\b(?! available)",
        r"(?:take|taking) new patients|accepting new|establish care|get established",
        r"need a (?:new )?(?:primary|doctor\b(?! (?:visit|appointment)))",
        r"paciente nuev[oa]|nuev[oa] paciente|soy nuev[oa]|primera vez|primera visita|primera cita",
        r"nunca (?:he|ha) (?:ido|venido|estado)",
    )
)


def says_new(text: str) -> bool | None:
    """Whether the patient says to be new here (True), known here (False), or neither (None)."""
    low = straight(text)
    if _KNOWN.search(low) and not _NEVER_BEEN.search(low):
        return False
    return True if _NEW.search(low) else None
