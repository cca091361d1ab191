"""Several visits in one go, and several people at once: "back to back", "both my kids", "me and my husband"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.facts.relations import RELATIVE, relation_of
from actions.words import either, plain, straight


@dataclass(frozen=True)
class Who:
    """Somebody whom a visit is for: "self" or a relation, and a first name where one is said."""

    relation: str
    first: str | None = None


_TOGETHER = re.compile(
    r"\b"
    + either(
        r"(?:in|on|at|during|with) (?:just )?(?:one|1|a single) (?:go|visit|trip|appointment|appt|day|shot|stop)",
        r"(?:the )?same (?:visit|trip|appointment|appt|day|morning|afternoon)|(?:at|around) the same time|at once|all at once",
        r"back[- ]?(?:to|2)[- ]?back|b2b|one (?:right |straight )?after (?:the other|another)|right after (?:each|one|that)",
        r"together|consecutive(?:ly)?|in a row|combined?|while (?:i'?m|we'?re|i am|we are|she'?s|he'?s) (?:there|here|in)",
        r"(?:book|schedule|do|get|need|want|take) (?:them |me )?both\b(?! of my visits)|both (?:of them )?(?:please|then|together)",
        r"en una (?:sola )?(?:visita|cita|vez)|(?:el )?mismo dia|la misma (?:visita|cita|manana|tarde)|a la vez|de una vez",
        r"junt[oa]s|un[oa] (?:tras|despues del?(?: la)?) (?:el |la )?otr[oa]|seguid[oa]s|al mismo tiempo",
        r"ambas|reserv\w+ l[oa]s dos",
    )
    + r"\b"
)
_NOT_TOGETHER = re.compile(
    r"\b"
    + either(
        r"not (?:on |in |at )?(?:the )?same|(?:don'?t|doesn'?t) (?:need|have) to be (?:(?:on|in|at) )?(?:the same|together)",
        r"separate(?:ly)?",
        r"different days?|one at a time|one by one",
        r"(?:dias|citas) (?:distint|diferent)[oa]s|por separado|un[oa] por un[oa]|no (?:el )?mismo dia",
    )
    + r"\b"
)
_SAME_DAY_VISIT = re.compile(r"\bsame[- ]day (?:visit|appointment|appt|sick)\b|\b(?:today|tomorrow)\b.*\bsame day\b")


def together(text: str) -> bool:
    """Several visits are wished for in one go or one right after the other. A "same-day visit" is none of that."""
    low = straight(text)
    return bool(_TOGETHER.search(_SAME_DAY_VISIT.sub(" ", low))) and not _NOT_TOGETHER.search(low)


def apart(text: str) -> bool:
    """The visits need not, or shall not, follow each other."""
    return bool(_NOT_TOGETHER.search(straight(text)))


_NUMBERS = {"two": 2, "2": 2, "both": 2, "dos": 2, "ambos": 2, "ambas": 2, "three": 3, "3": 3, "tres": 3}
_GROUPS = {
    "child": "kids children twins babies toddlers grandkids hijos ninos gemelos mellizos",
    "son": "sons boys",
    "daughter": "daughters girls hijas ninas gemelas",
    "mother": "parents padres",
}
_GROUP_OF = {word: relation for relation, words in _GROUPS.items() for word in words.split()}
_COUNT = either(*_NUMBERS)
_GROUP = re.compile(
    rf"\b(?:(?P<before>{_COUNT}|all) )?(?:of )?(?:my|our|the|mis|nuestr[oa]s|los|las) (?:(?P<count>{_COUNT}) )?(?:\w+ )?"
    rf"(?P<group>{either(*sorted(_GROUP_OF, key=len, reverse=True))})\b"
)
_NEED = re.compile(r"\W*(?:\w+ ){0,3}(?:need|are due|are both|want|have to get|should get|to get|necesitan|quieren|tienen que)\b")
_ME = r"(?:me|myself|i)"
_PAIR = re.compile(
    r"\b"
    + either(
        rf"(?P<self>{_ME}|yo|mi) (?:and|y|n|&|\+) (?:my|mi) (?:\w+ )??(?P<a>{RELATIVE})",
        rf"(?:my|mi) (?P<b>{RELATIVE})(?: \w+)? (?:and|y|e|&|\+) (?P<too>{_ME}|yo)",
        rf"(?:my|our|mi) (?P<c>{RELATIVE})(?: \w+)? (?:and|y|e|&|\+) (?:(?:my|our|mi) )?(?:\w+ )??(?P<d>{RELATIVE})",
        r"(?P<us>both of us|(?:the )?two of us|nosotros dos)",
    )
    + r"\b"
)
_WANTED_FOR = re.compile(r"\b(?:for|book|schedule|see|bring|get|take|need|para|reserv\w+|llevar|agendar)\b[^.?!]{0,30}$")
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w'’-]+"
_NAMES = re.compile(rf"[ ,:(]+(?P<a>{_CAPITAL}) (?:and|y|&) (?P<b>{_CAPITAL})")


def people(text: str) -> tuple[Who, ...]:
    """The people of whom each needs a visit, who writes before others; empty where the text does not speak of several."""
    low = straight(text)
    if found := _GROUP.search(low):
        number = _NUMBERS.get(found["before"] or "") or _NUMBERS.get(found["count"] or "")
        if number or found["before"] or together(text) or _NEED.match(low[found.end() :]):
            relation = _GROUP_OF[found["group"]]
            names = _NAMES.match(text[found.end() :])
            firsts = [names["a"], names["b"]] if names else [None] * (number or 2)
            return tuple(Who(relation, first) for first in firsts)
    if (found := _PAIR.search(low)) and (
        _WANTED_FOR.search(low[: found.start()]) or _NEED.match(low[found.end() :]) or together(text)
    ):
        if found["us"]:
            return (Who("self"), Who("partner"))
        if found["c"]:
            return tuple(Who(relation_of(found[one]), _name_after(text, found.end(one))) for one in ("c", "d"))
        one = "a" if found["a"] else "b"
        return (Who("self"), Who(relation_of(found[one]), _name_after(text, found.end(one))))
    return ()


def _name_after(text: str, end: int) -> str | None:
    """ "my son Leo and ..." """
    name = re.match(rf" ({_CAPITAL})", text[end:])
    return name[1] if name else None


_PIECES = re.compile(r"\band\b|\by\b|[,;.&+]|\bthen\b|\bplus\b", re.IGNORECASE)


def pieces(text: str) -> list[str]:
    """The parts of a sentence that may each speak of another visit."""
    return [piece for piece in _PIECES.split(text) if piece.strip()]


_ONLY = re.compile(r"\b(?:just|only|solo|solamente|nada mas)\b")
_ONE = re.compile(r"\b(?:just|only) (?:the )?(?:first )?one\b|\bsol[oa] un[oa]\b")
_DROPS = re.compile(
    r"\b" + either(r"not|skip|drop|forget|without|leave out|cancel|never ?mind|no need for|no", r"sin|olvid\w+|dej\w+") + r"\b"
)


def keeps_only(text: str) -> bool:
    """ "just the physical", "only for my daughter"."""
    return bool(_ONLY.search(plain(text)))


def keeps_one(text: str) -> bool:
    """ "just one of them"."""
    return bool(_ONE.search(plain(text)))


def drops(text: str) -> bool:
    """ "skip the shot", "not the physical"."""
    return bool(_DROPS.search(plain(text)))


_MORE = re.compile(
    r"\b" + either(r"also|too|add|as well|plus|on top|on the side|in addition", r"tambien|ademas|agreg\w+|anad\w+|de paso") + r"\b"
)


def adds(text: str) -> bool:
    """ "can I also get", "add a flu shot"."""
    return bool(_MORE.search(straight(text)))


def rest(text: str) -> str:
    """The text without the words that say together: "the same day" names no day and no kind of visit."""
    made, end = "", 0
    for found in _TOGETHER.finditer(straight(text)):  # every character keeps its place
        made, end = f"{made}{text[end : found.start()]} ", found.end()
    return made + text[end:]
