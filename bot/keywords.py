"""The words by which a person stops and starts texts, and how a text is made fit for the dialogue."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

LONGEST_TEXT = 1600  # characters: what the carrier passes on as one message

_STOP = {"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"}
_START = {"start", "unstop"}
_HELP = {"help", "info"}

# Free words for "no more texts". Each must speak of texts or lists: "stop the pain medicine" is none.
_TEXTS = r"(?:text(?:s|ing)?|messag(?:e|es|ing)|sms|contact(?:ing)?|bother(?:ing)?|spam(?:ming)?)"
_MENSAJES = r"(?:mensajes?|textos?|mensajear(?:me)?|escribir(?:me)?|textear(?:me)?|contactar(?:me)?|molestar(?:me)?)"
_STOP_IN_WORDS = re.compile(
    "|".join(
        (
            r"^(?:please )?(?:stop|quit|end|cease) (?:sending |all )?(?:me )?(?:any |these |those |the |your |all )?(?:more )?"
            rf"{_TEXTS}"
            r"(?: me)?(?: please| now| already| to me| to this number| this number| anymore)*$",
            r"^(?:please stop|stop please|stop now|stop it now|stop stop(?: stop)*|opt out|opt me out|unsubscribe me)(?: please)?$",
            rf"\b(?:stop|quit) (?:sending|{_TEXTS}) (?:me|us)\b",
            rf"\b(?:do not|dont|never) (?:ever )?(?:{_TEXTS}|send) (?:me|us)"
            r"(?: (?:again|any ?more|any|texts|messages|more texts|more messages))+\b",
            rf"\bno more (?:of these |of your |of those )?{_TEXTS}\b(?! (?:from|about) )",
            rf"\b(?:dont|do not) want (?:to (?:get|receive|have) )?(?:any |these |your |more |any more )*{_TEXTS}\b",
            r"\b(?:take|remove|delete) (?:me|my (?:phone |cell )?number|this number) (?:off|from) (?:of )?(?:your |this |the )?"
            r"(?:texting |text |sms |call |calling |phone |mailing )?list\b",
            r"\bunsubscribe (?:me|this number|my number)\b",
            r"\bopt (?:me )?out of (?:the |these |your |all )?(?:texts|text messages|messages|sms|texting)\b",
            rf"\b(?:deje|deja|dejen|paren|pare|para) (?:ya )?de (?:mandar(?:me)?|enviar(?:me)?|{_MENSAJES})",
            rf"\bno (?:me )?(?:manden|mande|mandes|envien|envie|envies) (?:mas |ya )*{_MENSAJES}",
            r"\bno me (?:escriban|escriba|escribas|texteen|textee|contacten|contacte|molesten|moleste) (?:mas|ya)\b",
            rf"\b(?:ya )?no quiero (?:recibir )?(?:mas |sus |estos )*{_MENSAJES}",
            r"\b(?:quiteme|quitenme|saqueme|saquenme|borreme|borrenme|eliminen?me) de (?:la|su|esta) lista\b",
        )
    )
)


class Keyword(StrEnum):
    STOP = "stop"
    CANCEL = "cancel"  # an opt-out that may have meant a visit
    START = "start"
    HELP = "help"
    STOP_IN_WORDS = "stop-in-words"


def keyword(text: str) -> Keyword | None:
    """The keyword that a whole text is, whatever its case, blanks, quotes and points; or the wish for no more texts in words."""
    words = plain_words(text)
    bare = words.replace(" ", "") if words in ("opt out", "stop all") else words
    if bare == "cancel":
        return Keyword.CANCEL
    if bare in _STOP:
        return Keyword.STOP
    if bare in _START:
        return Keyword.START
    if bare in _HELP:
        return Keyword.HELP
    return Keyword.STOP_IN_WORDS if _STOP_IN_WORDS.search(words) else None


def plain_words(text: str) -> str:
    """Lower case, no accents, no apostrophes, no other signs, one blank between words."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’‘`´]", "", letters)).split())


def fit_for_dialogue(text: str) -> str:
    """What the dialogue is asked: no control characters, no leading blanks and slashes (a slash would name an intent), no quotes
    around the whole, at most LONGEST_TEXT characters. May be empty.
    """
    kept = "".join(char if not unicodedata.category(char).startswith("C") or char == "\u200d" else " " for char in text)
    clean = " ".join(kept.split())
    for opening, closing in ('""', "''", "“”", "‘’", "«»", "``"):
        if len(clean) > 1 and clean.startswith(opening) and clean.endswith(closing):
            clean = clean[1:-1]
    clean = re.sub(r"^[\s/\u2044\u2215\uff0f\u200b\u200d\ufeff]+", "", clean)
    return clean[:LONGEST_TEXT].rstrip()
