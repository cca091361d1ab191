"""Words as they were meant: slips of the finger put right, and words that only sound right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

_REAL_WORDS = Path(__file__).with_name("real_words.txt")
_SHORTEST = 4  # letters that a word needs to be taken for a slip
_LONG = 8  # from so many letters on, two of them may be wrong


def plain_words(text: str) -> str:
    """Lower case words with one blank between them, without accents and apostrophes; "." between sentences, "," within."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    plain = re.sub(r"['’‘`´]", "", plain)
    plain = re.sub(r"(\d)[.,](\d)", r"\1·\2", plain)
    plain = re.sub(r"[.!?;:\n\r¡¿]+", " . ", plain.replace(",", " , "))
    plain = re.sub(r"[^\w\s.,·]", " ", plain).replace("·", ".").replace("_", " ")
    return " ".join(re.sub(r"([a-z])\1{2,}", r"\1", plain).split())


class Speller:
    """Puts the words of a text right that are meant to be of a vocabulary."""

    def __init__(self, vocabulary: Iterable[str], spelled: Mapping[str, str]) -> None:
        self._vocabulary = frozenset(vocabulary)
        self._near = [word for word in self._vocabulary if len(word) > _SHORTEST]
        self._by_sound: dict[str, list[str]] = {}
        for word in self._near:
            self._by_sound.setdefault(sound(word), []).append(word)
        lines = _REAL_WORDS.read_text(encoding="utf-8").splitlines()
        self._real = frozenset(word for line in lines if not line.startswith("#") for word in line.split())
        self._spelled = [(re.compile(rf"\b(?:{pattern})\b"), right) for right, pattern in spelled.items()]
        self._right = lru_cache(maxsize=20_000)(self._of_one)

    def __call__(self, words: str) -> str:
        """`words` as `plain_words` gives them."""
        return self._as_meant(" ".join(self._right(word) for word in self._as_meant(words).split()))

    def _as_meant(self, text: str) -> str:
        for pattern, right in self._spelled:
            text = pattern.sub(right, text)
        return text

    def _of_one(self, word: str) -> str:
        if len(word) < _SHORTEST or not word.isalpha() or word in self._vocabulary or word in self._real:
            return word
        off = 2 if len(word) >= _LONG else 1
        near = process.extract(word, self._near, scorer=OSA.distance, score_cutoff=off, limit=9)
        alike = [(right, 2.5) for right in self._by_sound.get(sound(word), []) if OSA.distance(word, right) <= _LONG // 3]
        slips = [
            (distance - (sound(right) == sound(word)), right)
            for right, distance, *_ in [*near, *alike]
            if _begin_alike(right, word)
        ]
        return min(slips, default=(0, word))[1]


def _begin_alike(one: str, other: str) -> bool:
    """Whether the first letters agree, or the first two are swapped: few slips are made there."""
    return one[0] == other[0] or sorted(one[:2]) == sorted(other[:2])


_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ph", "f"), (r"^(?:kn|gn)", "n"), (r"^wr", "r"), (r"gh", ""), (r"tch|ch|sh|ti(?=o)|si(?=o)", "x"), (r"th|d", "t"),
        (r"c(?=[eiy])|z|ss?", "s"), (r"ck|q|c|g", "k"), (r"j|dge", "x"), (r"v|w", "f"), (r"b", "p"), (r"(?<!^)[aeiouyh]", ""),
        (r"^[aeiouy]", "a"), (r"(.)\1+", r"\1"),
    )
]  # fmt: skip


def sound(word: str) -> str:
    """The word's consonants as they sound, "seezure" as "seizure"."""
    for pattern, letters in _SOUNDS:
        word = pattern.sub(letters, word)
    return word
