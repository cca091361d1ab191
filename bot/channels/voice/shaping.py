"""Words made for the ear: lists as options, numbers in groups, what only a text can do put in words of a call, and less of it the
second time."""

from __future__ import annotations

import re

from bot.channels.voice.twiml import As, Pause, Piece, Speech, Spelled
from scheduling_core.clinic_file.schema import ClinicFile

_BETWEEN_OPTIONS = Pause(350)
_OPTION = re.compile(r"(?:(?<=^)|(?<=\s))(\d{1,2})\)\s+(.*?)(?=\s+\d{1,2}\)\s|\n|$)", re.DOTALL)
_OPTION_WORD = {"en": "Option", "es": "Opción"}
_SPOKEN = re.compile(
    r"(?P<phone>\+1\d{10}\b|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b)|"
    r"(?P<digits>\b(?:911|988)\b|\b9 1 1\b|\b\d{5}(?:-\d{4})?\b(?!\)))"
)
# What is written for a text, as it is said on a call.
_ON_A_CALL = tuple(
    (re.compile(pattern, re.IGNORECASE), spoken)
    for pattern, spoken in (
        (r"\bText me any time\.", "Call any time."),
        (r"\bthen text me again\b", "then call again"),
        (r"\bSend its number\.", "Say or press its number."),
        (r"\bPlease send\b", "Please tell me"),
        (r"\bcheck and send\b", "check and tell me"),
        (r"\bThey will write to you here\.", "They will call you."),
        (r"\bI cannot go on by text\b", "I cannot go on"),
        (r"\bEscríbame cuando quiera\.", "Llame cuando quiera."),
        (r"\by escríbame otra vez\b", "y llame otra vez"),
        (r"\bMande el número\.", "Diga u oprima el número."),
        (r"\bPor favor envíe\b", "Por favor dígame"),
        (r"\brevise y envíe\b", "revise y dígame"),
        (r"\bno puedo seguir por mensaje\b", "no puedo seguir"),
        (r"\bReply\b|\bText\b(?= (?:yes|no|the)\b)", "Say"),
        (r"\bResponda\b", "Diga"),
        (r" ?\(referral\)", ""),
    )
)


def for_the_ear(text: str, clinic: ClinicFile, language: str, *, slow: bool = False) -> Speech:
    """The words as they are spoken."""
    for pattern, spoken in _ON_A_CALL:
        text = pattern.sub(spoken, text)
    word = _OPTION_WORD["es" if language.startswith("es") else "en"]
    pieces: list[Piece] = []
    end = 0
    for option in _OPTION.finditer(text):
        if before := _one_line(text[end : option.start()]):
            pieces += _read_out(before, clinic)
        if pieces:
            pieces.append(_BETWEEN_OPTIONS)
        pieces += _read_out(f"{word} {option[1]}: {_sentence(_one_line(option[2]))}", clinic)
        end = option.end()
    if rest := _one_line(text[end:]):
        if end:
            pieces.append(_BETWEEN_OPTIONS)
        pieces += _read_out(rest, clinic)
    return Speech(tuple(_apart(pieces)), language, slow)


def chosen(words: str, text: str) -> int | None:
    """The number of the option of `text` that the words repeat, all but a few of its own; None where that is none, or several.

    Numbers are left out: they are heard as words and as digits.
    """
    said = _letters(words)
    labels = {int(option[1]): _letters(option[2]) for option in _OPTION.finditer(text)}
    repeated = [number for number, label in labels.items() if len(label & said) >= _MOST_OF_IT * len(label | said)]
    return repeated[0] if len(repeated) == 1 else None


def _letters(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]+", text.lower()) if word not in _NUMBERS}


_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "twenty thirty forty fifty oh first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth",
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth",
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
)
_NUMBERS = frozenset(" ".join(_NUMBER_WORDS).split())
_MOST_OF_IT = 0.8


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text.rstrip(',;')}."


def _read_out(text: str, clinic: ClinicFile) -> list[Piece]:
    """Addresses of the clinic, phone numbers and numbers that are no quantity, marked so that they are read digit by digit."""
    pieces: list[Piece] = []
    rest = text
    for address in (place.address for place in clinic.locations if place.address and place.address in text):
        before, _, rest = rest.partition(address)
        pieces += [*_numbers(before), Spelled(address, As.ADDRESS)]
    return [*pieces, *_numbers(rest)]


def _numbers(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    end = 0
    for found in _SPOKEN.finditer(text):
        pieces.append(text[end : found.start()])
        pieces.append(Spelled(found[0], As.TELEPHONE if found["phone"] else As.DIGITS))
        end = found.end()
    pieces.append(text[end:])
    return [piece for piece in pieces if piece]


def _apart(pieces: list[Piece]) -> list[Piece]:
    """Words on both sides of a pause keep a blank between them: who reads the text alone sees words, not one long one."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], Pause):
            piece = f" {piece}"
        found.append(piece)
    return found


_QUESTION = re.compile(r"¿[^?]*\?|(?:[^.?!\n]|(?<=\bDr)\.|(?<=\bDra)\.)*\?")
_LAST_SENTENCE = re.compile(r"(?<=[.!?])(?<!\bDr\.)(?<!\bDra\.)\s+(?=[A-Z¿¡ÁÉÍÓÚ])")


def shorter(text: str) -> str:
    """What was asked, without what was said before it: the options and the last question, else the last sentence."""
    options = "\n".join(f"{option[1]}) {_one_line(option[2])}" for option in _OPTION.finditer(text))
    tail = _one_line(text[max((option.end() for option in _OPTION.finditer(text)), default=0) :])
    asked = _QUESTION.findall(tail)
    last = asked[-1].strip() if asked else _LAST_SENTENCE.split(tail)[-1].strip()
    if asked and not options and re.search(r"\d", text) and not re.search(r"\d", last):
        last = _with_what_is_asked_about(text, last)
    return f"{options}\n{last}".strip()


def _with_what_is_asked_about(text: str, question: str) -> str:
    """ "Shall I book it?" says nothing without the sentence before it, which has the day and the time."""
    if not re.search(r"\b(?:it|this|that|la|lo|them|all|both|esta)\b", question):
        return question
    before = text[: text.rfind(question)].rstrip()
    sentence = _LAST_SENTENCE.split(before)[-1]
    return f"{sentence} {question}"
