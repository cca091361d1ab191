"""A sentence as pieces, each with the letter of its word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from actions.when import words

LONGEST_TEXT = 2_000  # characters that are read; nobody says more about a time


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, a number or something that a rule has made of several; `start` and `end` are places in the text."""

    letter: str
    start: int
    end: int
    value: Any = None
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.letter)


NOTHING = Piece("", 0, 0)


@lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    return {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "º": "º", "ª": "ª", "°": "°"}.get(
        character, unicodedata.normalize("NFD", character)[0].lower()[:1] or " "
    )


def fold(text: str) -> str:
    """Lower case without accents; every character keeps its place."""
    return text.lower() if text.isascii() else "".join(_plain(c) for c in text)


_PATTERN = re.compile(
    r"""
    (?P<junk> \b24/7\b | \b\d{3}-\d{4}\b | \b\d{5}-\d{4}\b | \+\d[\d().\ -]{6,20}\d
          | (?<!\d)\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}\b | (?<![\d/.-])\d{5,}(?![/-]) | [$€£#]\s?\d[\d.,]*
          | \d[\d.,]*\s?(?:%|€|percent\b|dollars?\b|bucks\b|euros?\b|degrees?\b|mg\b|lbs?\b|pounds?\b
              |kids?\b|children\b|people\b|years?[ -]old\b|yo\b|y/o\b)
          | \b\d{1,3}\s?-?(?:year|yr|month|week|day)s?[- ](?:old|check|checkup|check-up|visit|well|follow)\b
          | \b\d{1,3}\.\d{3,} )
  | (?P<full> (?<![\d/.])\d{1,4}\s?(?P<s>[/.-])\s?\d{1,2}\s?(?P=s)\s?\d{1,4}(?![\d/]) )
  | (?P<clock> (?<![\d:])\d{1,2}\s?:\s?\d{2}(?::\d{2})?(?!\d) | \b\d{1,2}h\d{2}\b | \b\d{1,2}(?:[.:]\d{2})?\s?h\b(?!r) )
  | (?P<fraction> \b[1-3]\s?/\s?[234]\s?(?=(?:an?\s)?h(?:ou)?rs?\b|h\b) )
  | (?P<pair> (?<![\d/])\d{1,4}\s?/\s?\d{1,4}(?![\d/]) )
  | (?P<dotted> (?<![\d.])\d{1,2}\.\d{1,2}(?!\d|\.\d) )
  | (?P<ordinal> \b\d{1,2}\s?(?:st|nd|rd|th)\b | \b\d{1,2}(?:ero|er|ro|do|to|\.?[º°ª]) )
  | (?P<texted> 2(?:morrow|moro|day|nite)\b )
  | (?P<number> \d{1,8} )
  | (?P<half> (?<=\d)[ap]\b(?![a-z'.]?[a-z']) | (?<=\d)\s?[ap]\.?\s?m\b\.?(?![a-z']) | \b[ap]\.\s?m\b\.? | \b[ap]\s?m\b )
  | (?P<oclock> o["' ]?\s?cl?ock\b )
  | (?P<word> w/c\b | m\s?-\s?f\b | [a-z]+(?:'[a-z]+)* | [^\W\d_]+ )
  | (?P<mark> \n | [-.,;:?!&|/~+] | (?<![^\s(])[<>](?=\s?\d) | @(?=\s?\d{1,2}(?::\d\d)?\s?(?:[ap]m?\b|[^\w.@]|$)) )
    """,
    re.VERBOSE,
)
_MARKS = {
    "\n": ".",
    "?": ".",
    "!": ".",
    ";": ",",
    "&": "&",
    "/": "/",
    "<": "B",
    ">": "F",
    "-": "-",
    ".": ".",
    ",": ",",
    ":": ":",
    "~": "-",
    "@": "@",
}
_ID = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{6,}\b")
_GLUED = re.compile(
    r"\d{1,2}[a-z]{3,10}(?:\d{2,4})?|[a-z]{3,10}\d{1,4}(?:[ap]m?)?|\d{1,4}(?:[ap]m?|h\d\d|th|st|nd|rd|min|mins|hrs?|hours?|ish|days?|weeks?|months?)"
)


def is_spanish(folded: str, language: str | None) -> bool:
    found = re.findall(r"[a-z]+", folded[:400])
    spanish = sum(word in words.SPANISH_ONLY for word in found)
    english = sum(word in words.ENGLISH_ONLY for word in found)
    return spanish > english or (language == "es" and spanish >= english)


def pieces(text: str, *, language: str | None = None) -> list[Piece]:
    """The text's words, numbers and marks with their letters (`actions.when.words`)."""
    folded = fold(text[:LONGEST_TEXT])
    spanish = is_spanish(folded, language)
    ids = [match.span() for match in _ID.finditer(folded) if not _GLUED.fullmatch(match.group())]
    raw: list[Piece] = []
    for match in _PATTERN.finditer(folded):
        if ids and any(a <= match.start() < b for a, b in ids):
            continue
        if piece := _piece(match):
            raw.append(piece)
    for a, b in ids:
        raw.append(Piece("#", a, b))
    if ids:
        raw.sort(key=lambda piece: piece.start)
    return _numbers(_name(raw, spanish))


def _piece(match: re.Match[str]) -> Piece | None:
    kind, text, (start, end) = match.lastgroup, match.group(), match.span()
    if kind == "s":
        kind = "full"
    if kind == "junk":
        return Piece("#", start, end, None, text)
    if kind == "full":
        return Piece("e", start, end, tuple(int(n) for n in re.findall(r"\d+", text)), text)
    if kind == "clock":
        digits = [int(n) for n in re.findall(r"\d+", text)]
        hour, minute = digits[0], digits[1] if len(digits) > 1 else 0
        if hour > 24 or minute > 59:
            return Piece("#", start, end)
        sure = hour == 0 or hour > 12 or text[0] == "0"
        return Piece("t", start, end, (hour % 24, minute, None, sure), text)
    if kind == "fraction":
        a, b = (int(n) for n in re.findall(r"\d+", text))
        return Piece("f", start, end, a / b, text) if a < b else Piece("d", start, end, (a, b), text)
    if kind == "pair":
        a, b = (int(n) for n in text.split("/"))
        return Piece("d", start, end, (a, b), text)
    if kind == "dotted":
        return Piece("f", start, end, float(text), text)
    if kind == "ordinal":
        return Piece("o", start, end, int(re.sub(r"\D", "", text)), text)
    if kind == "number":
        return Piece("n", start, end, int(text), text)
    if kind == "half":
        return Piece("p", start, end, "am" if "a" in text else "pm", text)
    if kind == "oclock":
        return Piece("c", start, end)
    if kind in ("word", "texted"):
        return Piece("_", start, end, None, text)
    return Piece(_MARKS.get(text, "_"), start, end, None, text)


def _name(raw: list[Piece], spanish: bool) -> list[Piece]:
    """Give the words their letters; a known phrase becomes one piece."""
    texts = [piece.text if piece.letter in "_n" or piece.text == "." else f"<{piece.letter}>" for piece in raw]
    named: list[Piece] = []
    at = 0
    while at < len(raw):
        piece = raw[at]
        if piece.letter not in "_n":
            named.append(piece)
            at += 1
            continue
        found = words.find(texts, at, spanish=spanish)
        if not found and piece.letter == "_" and (meant := words.corrected(piece.text)):
            found = words.find([meant], 0, spanish=spanish)
        if found and not (piece.letter == "n" and found[1] == 1):
            (letter, value), count = found
            if count == 1 and letter == "m" and texts[at] == "mar" and _is_martes(texts, at, spanish):
                letter, value = "w", 1
            if not (count == 1 and _misleads(piece, letter, texts, at, spanish)):
                if letter == "A" and texts[at] == "una" and at and texts[at - 1] in ("la", "a la"):
                    letter, value = "n", 1  # "a la una"
                if letter == "r" and value == 1 and texts[at] in ("manana",) and _is_morning(texts, at):
                    letter, value = "P", "morning"
                whole = " ".join(texts[at : at + count])
                named.append(Piece(letter, piece.start, raw[at + count - 1].end, value, whole))
                at += count
                continue
        named.append(piece)
        at += 1
    return named


_MAY_FOLLOWS = words.words_of("in of next this early late mid for by until before after through end de en -")


def _misleads(piece: Piece, letter: str, texts: list[str], at: int, spanish: bool) -> bool:
    """A name of a day, month or part of a day that is something else here: "I sat", "it may be", "Dr. March", "three nights"."""
    before = texts[at - 1] if at else ""
    after = texts[at + 1] if at + 1 < len(texts) else ""
    text = piece.text
    if letter in "mw" and (before in _TITLES or (before == "." and at > 1 and texts[at - 2] in _TITLES) or after in _STREETS):
        return True
    if text == "nights":
        return before in ("many", "few", "several") or _is_number(before, spanish)
    if text == "tu":
        return True
    if text == "vie":
        return not (spanish or after.isdigit())
    if text in ("sat", "sun", "wed", "mon", "dom"):
        return before in ("i", "we", "he", "she", "they", "the", "and", "my") and not after.isdigit()
    if text == "may":
        alone = before in ("", ".", ",") and after in ("", ".", ",")
        named = before in _MAY_FOLLOWS and after not in ("i", "be", "not", "have")
        return not (alone or named or _is_number(before, spanish) or _is_number(after, spanish))
    return text == "clock"


def _is_number(word: str, spanish: bool) -> bool:
    found = words.find([word], 0, spanish=spanish) if word else None
    return word.isdigit() or word in ("<o>", "<n>", "<e>", "<d>") or (found is not None and found[0][0] in ("n", "o", "z"))


def _is_martes(texts: list[str], at: int, spanish: bool) -> bool:
    """Whether "mar" is Tuesday: "el mar", "mar 24 nov", and in Spanish, where the day stands before its month, "mar 24"."""
    before = texts[at - 1] if at else ""
    if before in ("el", "al", "los", "este", "proximo", "del"):
        return True
    if at + 1 >= len(texts) or not texts[at + 1].isdigit() or before.isdigit() or before in ("de", "del"):
        return False
    behind = [word for word in texts[at + 2 : at + 4] if word != "de"]
    found = words.find(behind[:1], 0, spanish=spanish) if behind else None
    return (found is not None and found[0][0] == "m") or (spanish and len(texts[at + 1]) <= 2)


_TITLES = words.words_of("dr doctor doctora mr mrs ms miss nurse sr sra prof avenida calle")
_STREETS = words.words_of("st street ave avenue road rd blvd lane drive way terrace")


def _is_morning(texts: list[str], at: int) -> bool:
    return at > 0 and texts[at - 1] in ("la", "esta", "cada", "las", "misma", "media")


def _numbers(named: list[Piece]) -> list[Piece]:
    """Join number words: "twenty first" is 21st, "nineteen eighty five" stays 19 and 85, "two thousand twenty seven" is 2027."""
    joined: list[Piece] = []
    at = 0
    while at < len(named):
        piece = named[at]
        if (piece.letter in "nz" and piece.text == "mil") or piece.text == "thousand":
            piece, at = _thousand(named, at, joined)
            joined.append(piece)
            continue
        if piece.letter == "n" and piece.text in words.TENS:
            follows = at + 1
            if (
                follows < len(named)
                and named[follows].letter in "-&"
                and (
                    named[follows].letter == "-"
                    or piece.text in ("treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
                )
            ):
                follows += 1
            if follows < len(named):
                unit = named[follows]
                if unit.letter in "nzo" and isinstance(unit.value, int) and 1 <= unit.value <= 9 and not unit.text[:1].isdigit():
                    letter = "o" if unit.letter == "o" else "n"
                    joined.append(Piece(letter, piece.start, unit.end, piece.value + unit.value, f"{piece.text} {unit.text}"))
                    at = follows + 1
                    continue
        if (
            piece.text in ("oh", "o")
            and at + 1 < len(named)
            and named[at + 1].letter in "nz"
            and joined
            and joined[-1].letter in "nz"
            and named[at + 1].value < 10
        ):
            unit = named[at + 1]
            joined.append(Piece("n", piece.start, unit.end, unit.value, f"0{unit.value}"))
            at += 2
            continue
        joined.append(piece)
        at += 1
    return joined


def _thousand(named: list[Piece], at: int, joined: list[Piece]) -> tuple[Piece, int]:
    """ "two thousand (and) twenty seven", "mil novecientos ochenta y cinco", "dos mil veintiseis"."""
    start, end, total = named[at].start, named[at].end, 1000
    if joined and joined[-1].letter in "nz" and joined[-1].value in (1, 2):
        before = joined.pop()
        start, total = before.start, before.value * 1000
    at += 1
    rest: list[Piece] = []
    while (
        at < len(named) and len(rest) < 4 and (named[at].letter in "nz" or named[at].letter == "&" or named[at].text == "hundred")
    ):
        rest.append(named[at])
        at += 1
    while rest and rest[-1].letter == "&":
        rest.pop()
        at -= 1
    for piece in rest:
        if piece.letter in "nz" and isinstance(piece.value, int) and piece.value < 1000:
            total += piece.value
            end = piece.end
    return Piece("n", start, end, total, str(total)), at
