"""Red flags: words that may mean danger to life, found without a model. The words themselves are in `red_flags.yml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

_TABLE = Path(__file__).with_name("red_flags.yml")
_LONGEST = 2000  # characters that are looked at: a text has 1600
_NEVER_BETWEEN = r"(?:\.|but|no|not|nor|without|pero|sin|ni)"  # words that belong together are not parted by these
_IS_DENIAL = re.compile(
    r"(?:cant|not|wont|isnt|unable|no (?:puedo|puede|respira|despierta|responde|reacciona)|ya no|barely|hardly)\b"
)
_IS_ANSWER = re.compile(r"no (?:i|im|my|he|hes|she|shes|its|it|the|we)\b")  # "no, my chest hurts" with the comma left out
_DENIED_WITHIN = 9  # words between "no" and what it denies


@dataclass(frozen=True)
class Alarm:
    """Which flag rose (its name in the table), and in which language: en or es."""

    flag: str
    language: str


def find(text: str) -> Alarm | None:
    """The first red flag in a text, in the table's order; None where there is none."""
    return _table().find(_normal(text[:_LONGEST]))


def red_flag(text: str) -> str | None:
    """The name of the red flag in a text, such as "chest-pain", or None."""
    alarm = find(text)
    return alarm.flag if alarm else None


@dataclass(frozen=True)
class _Sign:
    """Words that raise a flag, if each of `beside` is said in the same part of the sentence and each of `also` anywhere."""

    words: re.Pattern[str]
    needs: tuple[
        frozenset[str], ...
    ]  # of each of these, a text that has the sign has a word: most signs are ruled out by that alone
    beside: tuple[re.Pattern[str], ...]
    also: tuple[re.Pattern[str], ...]
    even_past: bool  # a past time in it is not the danger's: "I gave birth last week and am bleeding"


@dataclass(frozen=True)
class _Flag:
    name: str
    language: str
    signs: tuple[_Sign, ...]
    unless: re.Pattern[str] | None
    even_if: bool  # a supposed case counts: who asks what to do if a child swallowed bleach does not suppose


class _Table:
    """The table, read and compiled once."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._lists: dict[str, str] = raw["lists"]
        self.spelled = [(re.compile(rf"\b(?:{pattern})\b"), right) for right, pattern in raw["spelled"].items()]
        self.words = frozenset(raw["words"].split())
        self.real_words = frozenset(raw["real_words"].split())
        flags = [flag for item in raw["flags"] for flag in self._read_flag(item)]
        self._signs = [(flag, sign) for flag in flags for sign in flag.signs]
        self._always = {number for number, (_, sign) in enumerate(self._signs) if not sign.needs}
        self._by_word: dict[str, set[int]] = {}
        for number, (_, sign) in enumerate(self._signs):
            for word in min(sign.needs, key=len, default=()):
                self._by_word.setdefault(word, set()).add(number)
        self._denied_by = self._any([raw["denied"]["by"]])
        self._denied_by_all = self._any([raw["denied"]["by_all"]])
        self._denies_not = self._any([raw["denied"]["but_not"]])
        self._past = self._any(raw["past"])
        self._supposed = self._any(raw["supposed"])
        self._talked_about = self._any(raw["talked_about"])
        self._topic = re.compile(f" ?(?:{'|'.join(map(self._expand, raw['topic']))})(?= |$)")
        self._present = self._any(raw["present"])
        self._hard = self._any([raw["parts"]["hard"]])
        self._soft = self._any([raw["parts"]["soft"]])

    def find(self, text: str) -> Alarm | None:
        words = set(text.split())
        possible = self._always.union(*(self._by_word.get(word, ()) for word in words))
        for number in sorted(possible):
            flag, sign = self._signs[number]
            if any(words.isdisjoint(some) for some in sign.needs):
                continue
            if any(self._is_meant(flag, sign, text, match) for match in sign.words.finditer(text)) and all(
                self._is_said(also, text) for also in sign.also
            ):
                return Alarm(flag.name, flag.language)
        return None

    def _is_meant(self, flag: _Flag, sign: _Sign, text: str, match: re.Match[str]) -> bool:
        start, end = _part_around(text, match, [self._hard])
        if flag.unless and flag.unless.search(text[start:end]):
            return False
        if not all(self._is_said(beside, text, start, end) for beside in sign.beside):
            return False
        start, end = _part_around(text, match, [self._hard, self._soft])
        thought = text[start:end]
        if self._talked_about.search(thought) or self._topic.match(text, match.end()) or self._is_denied(text, match):
            return False
        if self._present.search(thought):
            return True
        return (sign.even_past or not self._past.search(thought)) and (flag.even_if or not self._supposed.search(thought))

    def _is_said(self, words: re.Pattern[str], text: str, start: int = 0, end: int = _LONGEST) -> bool:
        return any(not self._is_denied(text, match) for match in words.finditer(text, start, end))

    def _is_denied(self, text: str, match: re.Match[str]) -> bool:
        """Whether a "no" stands close before the words, and holds for them."""
        if _IS_DENIAL.match(match[0]):
            return False  # "it is not the flu, I cannot breathe"
        start = _start_of_part(text, match.start(), [self._hard, self._soft])
        before = self._denies_not.sub(lambda harmless: "-" * len(harmless[0]), text[start:])[: match.start() - start]
        for denial in self._denied_by.finditer(before):
            between = before[denial.end() :].split()
            if (
                len(between) > _DENIED_WITHIN
                or between[:1] == [","]
                or re.match(r"no (?:i|im|my|he|hes|she|shes|its|it|the|we)\b", before[denial.start() :])
            ):
                continue
            listed = {"or", "nor", "ni", "o"} & {*between, *text[match.end() :].split()[:6]}
            if "," in between and not listed:
                continue
            if {"and", "y"} & set(between) and not self._denied_by_all.search(before):
                continue
            return True
        return False

    def _read_flag(self, item: dict[str, Any]) -> Iterable[_Flag]:
        for language, unless in (("en", "unless"), ("es", "unless_es")):
            yield _Flag(
                item["flag"],
                language,
                tuple(self._read_sign(sign) for sign in item[language]),
                self._any(item[unless]) if unless in item else None,
                item.get("even_if", False),
            )

    def _read_sign(self, sign: str | dict[str, Any]) -> _Sign:
        if isinstance(sign, str):
            return _Sign(self._any([sign]), _needs(self._named(sign)), (), (), False)
        beside, also = (tuple(self._any([words]) for words in sign.get(key, ())) for key in ("and", "with"))
        said = self._named(sign["say"])
        return _Sign(self._any([said]), _needs(said), beside, also, sign.get("even_past", False))

    def _any(self, patterns: list[str]) -> re.Pattern[str]:
        return re.compile(f"(?<![^ ])(?:{'|'.join(map(self._expand, patterns))})(?= |$)")

    def _named(self, pattern: str) -> str:
        return re.sub(r"@(\w+)", lambda name: self._lists[name[1]], pattern)

    def _expand(self, pattern: str) -> str:
        return re.sub(r" ?<(\d+)> ?", lambda gap: rf"(?: (?!{_NEVER_BETWEEN} )[^ ]+){{0,{gap[1]}}}? ", self._named(pattern)).strip()


@lru_cache(maxsize=1)
def _table() -> _Table:
    return _Table(yaml.safe_load(_TABLE.read_text(encoding="utf-8")))


def _part_around(text: str, match: re.Match[str], borders: list[re.Pattern[str]]) -> tuple[int, int]:
    """Where the part of the sentence that holds the match starts and ends."""
    ends = [found.start() for border in borders if (found := border.search(text, match.end()))]
    return _start_of_part(text, match.start(), borders), min(ends, default=len(text))


def _start_of_part(text: str, position: int, borders: list[re.Pattern[str]]) -> int:
    starts = [found.start() for border in borders for found in border.finditer(text, 0, position)]
    return max(starts, default=0)


def _normal(text: str) -> str:
    """Lower case words with one blank between them; "." between sentences, "," within; known misspellings put right."""
    table = _table()
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    plain = re.sub(r"['’‘`´]", "", plain)
    plain = re.sub(r"(\d)[.,](\d)", r"\1·\2", plain)
    plain = re.sub(r"[.!?;:\n\r¡¿]+", " . ", plain.replace(",", " , "))
    plain = re.sub(r"[^\w\s.,·]", " ", plain).replace("·", ".").replace("_", " ")
    plain = re.sub(r"([a-z])\1{2,}", r"\1", plain)
    plain = " ".join(_right_spelling(word) for word in plain.split())
    for pattern, right in table.spelled:
        plain = pattern.sub(right, plain)
    return plain


@lru_cache(maxsize=20_000)
def _right_spelling(word: str) -> str:
    """The word of the table that a misspelt one means: one letter off, from eight on two, and the first letter is mostly right."""
    table = _table()
    if len(word) < 4 or not word.isalpha() or word in table.words or word in table.real_words:
        return word
    off = 2 if len(word) >= 8 else 1
    near = process.extract(word, table.words, scorer=OSA.distance, score_cutoff=off, limit=3)
    for right, _, _ in near:
        if len(right) >= 5 and (right[0] == word[0] or sorted(right[:2]) == sorted(word[:2])):
            return str(right)
    return word


def _needs(pattern: str) -> tuple[frozenset[str], ...]:
    """The first words that a pattern asks for, part by part. A part that may be missing or begins with no plain word adds none."""
    if len(_split(pattern, "|")) > 1:
        return ()
    found = []
    for part in _split(re.sub(r"<\d+>", " ", pattern).replace(" ?", "?"), " "):
        choices = _split(part[3:-1], "|") if _is_group(part) else [part]
        firsts = [re.match(r"([a-z]+)(?= |$)", choice) for choice in choices]
        if all(firsts):
            found.append(frozenset(first[1] for first in firsts if first))
    return tuple(found)


def _is_group(part: str) -> bool:
    """Whether one pair of brackets holds the whole part."""
    depths = [part[: end + 1].count("(") - part[: end + 1].count(")") for end in range(len(part))]
    return part.startswith("(?:") and depths[-1] == 0 and 0 not in depths[:-1]


def _split(pattern: str, sign: str) -> list[str]:
    """Split at a sign, but not inside brackets."""
    parts, depth = [""], 0
    for char in pattern:
        depth += (char in "([") - (char in ")]")
        if char == sign and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]
