"""A mistake in a clinic file, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

Key = tuple[str | int, ...]  # ("practitioners", 2, "services"): the way from the top of the file to a value


@dataclass(frozen=True)
class Finding:
    """Something wrong at a key. `hint` says what would be right.

    `relies_on`: other keys that the finding speaks of; where one of them is broken itself, it is not said. `see`: the other place
    of two that do not go together.
    """

    key: Key
    problem: str
    hint: str = ""
    relies_on: tuple[Key, ...] = ()
    see: Key | None = None


@dataclass(frozen=True)
class Mistake:
    """A finding in its place, as one line: `clinic.yml:41: practitioners[2].services: there is no ...; did you mean ...?`."""

    file: Path
    line: int
    key: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        said = f"{self.key}: {self.problem}" if self.key else self.problem
        return f"{self.file}:{self.line}: {said}{f'; {self.hint}' if self.hint else ''}".replace("\n", " ")


class ClinicFileError(Exception):
    """The clinic file has mistakes. `mistakes` holds all of them by line; `str` is one line for each."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def written(key: Key) -> str:
    """A key as people write it: `practitioners[2].services`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def did_you_mean(word: str, possible: Iterable[str]) -> str:
    """The hint for a word that is none of these: the nearest one, or all of them where they are few and none is near."""
    choices = list(dict.fromkeys(possible))
    nearest = process.extractOne(word.lower(), choices, scorer=fuzz.ratio, processor=str.lower, score_cutoff=60)
    if nearest:
        return f'did you mean "{nearest[0]}"?'
    return f"possible here: {', '.join(choices)}" if 0 < len(choices) <= 12 else ""
