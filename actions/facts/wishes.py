"""Wishes: who the visit should be with, in what language, how, and a place on the waitlist."""

from __future__ import annotations

import re

from actions.words import either, plain, tokens

_PRACTITIONER = either("doctor|dr|provider|practitioner|nurse|physician|np|gynecologist|gyno|one", "medico|medica|enfermer[oa]")


def _wish_for(words: str) -> re.Pattern[str]:
    """Words for a woman or a man, where they speak of the practitioner and not of the patient."""
    return re.compile(
        either(
            rf"\b{words}(?: \w+)? {_PRACTITIONER}\b",
            rf"\b{_PRACTITIONER}s?,? (?:who is |who's |that is |that's |to be |que sea )?(?:an? |una? )?{words}\b",
            rf"\b(?:see|with|by|prefer|rather|only|con)(?: to see| be seen by)? (?:an? |una? )?{words}\b",
            rf"^\W*(?:an? |una? )?{words}\W*(?:please|only|if possible|por favor)?\W*$",
        )
    )


_GENDERS = {"female": _wish_for(either("female|woman|women|lady", "mujer")), "male": _wish_for(either("male|man", "hombre|varon"))}
_UNA_DOCTORA = re.compile(r"\b(?:una doctora|doctora mujer)\b|^\W*doctora\W*$")


def gender(text: str) -> str | None:
    """The practitioner's gender that is wished for: "female" or "male"."""
    low = plain(text)
    if _UNA_DOCTORA.search(low):
        return "female"
    return next((value for value, pattern in _GENDERS.items() if pattern.search(low)), None)


_LANGUAGES = {
    "es": "spanish espanol castellano",
    "pl": "polish polaco",
    "zh": "chinese mandarin cantonese",
    "hi": "hindi",
    "ar": "arabic arabe",
    "fr": "french frances",
    "ru": "russian ruso",
    "vi": "vietnamese",
    "tl": "tagalog filipino",
    "ur": "urdu",
    "ko": "korean",
    "de": "german aleman",
    "it": "italian italiano",
    "pt": "portuguese portugues",
    "uk": "ukrainian",
    "so": "somali",
    "am": "amharic",
    "fa": "farsi persian",
    "bn": "bengali",
    "ja": "japanese",
    "ht": "creole",
    "en": "english ingles",
    "sign": "asl sign senas",
}
_LANGUAGE_OF = {word: code for code, words in _LANGUAGES.items() for word in words.split()}


def language(text: str) -> str | None:
    """A language that is named, as its code ("sign" for sign language)."""
    return next((_LANGUAGE_OF[token.plain] for token in tokens(text) if token.plain in _LANGUAGE_OF), None)


_SPEAKS = re.compile(r"\bspeak|in spanish|bilingual|fluent|\bhabl[ea]|en espanol")
_SPEAKS_ONESELF = re.compile(r"\b(?:i|my \w+) (?:don'?t|do not|only) speak")


def speaks(text: str) -> str | None:
    """The language that the practitioner should speak."""
    low = plain(text)
    return language(text) if _SPEAKS.search(low) and not _SPEAKS_ONESELF.search(low) else None


_VIDEO = re.compile(
    r"\b"
    + either(
        r"video|virtual(?:ly)?|tele ?(?:health|medicine|visit)|on ?line|zoom|remote(?:ly)?|facetime|from home",
        r"telemedicina|videollamada|por internet",
    )
    + r"\b"
)
_NO_VIDEO = re.compile(r"\b(?:not|no|instead of|rather than) (?:a |by |on |por )?(?:video|virtual|online)")
_IN_PERSON = re.compile(r"\b" + either("in[ -]person|face to face", "en persona|presencial") + r"\b")


def mode(text: str) -> str | None:
    """ "video" or "in-person" where the words say so."""
    low = plain(text)
    if _VIDEO.search(low):
        return "in-person" if _NO_VIDEO.search(low) else "video"
    return "in-person" if _IN_PERSON.search(low) else None


_WAITLIST = re.compile(
    r"\b"
    + either(
        r"wait(?:ing)?[ -]?list\b|cancell?ation list\b",
        r"if (?:something|anything|a (?:spot|slot|time)|one|it) (?:opens|comes up|frees|becomes)",
        r"lista de espera\b|si se (?:abre|libera|desocupa)",
    )
)


def wants_waitlist(text: str) -> bool:
    """ "put me on the waitlist", "if something opens up"."""
    return bool(_WAITLIST.search(plain(text)))
