"""Rules that rewrite pieces into larger pieces: a pattern over their letters, and what it builds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from actions.when.meanings import Now
from actions.when.text import NOTHING, Piece

Made = tuple[str, Any] | list[tuple[str, Any]] | None
Build = Callable[[Now, "Match"], Made]


class Match:
    """The pieces that a pattern matched, whole or by a group's name; a group may be missing from some of a rule's patterns."""

    def __init__(self, pieces: Sequence[Piece], found: re.Match[str]) -> None:
        self._pieces, self._found = pieces, found
        self.start, self.end = found.span()

    def group(self, name: str) -> list[Piece]:
        if name not in self._found.re.groupindex:
            return []
        start, end = self._found.span(name)
        return list(self._pieces[start:end]) if start >= 0 else []

    def one(self, name: str) -> Piece:
        """The group's first piece; a false one where the group matched nothing."""
        found = self.group(name)
        return found[0] if found else NOTHING

    def value(self, name: str) -> Any:
        return self.one(name).value

    @property
    def pieces(self) -> list[Piece]:
        return list(self._pieces[self.start : self.end])

    def said_before(self, words: frozenset[str], reach: int = 6) -> bool:
        """Whether one of the words stands shortly before the match."""
        return any(piece.text in words for piece in self._pieces[max(0, self.start - reach) : self.start])

    def ahead(self, pattern: str) -> bool:
        """Whether the letters behind the match start with `pattern`."""
        return re.compile(pattern).match(self._found.string, self.end) is not None

    @property
    def left(self) -> Piece:
        return self._pieces[self.start - 1] if self.start else NOTHING

    @property
    def further_left(self) -> Piece:
        return self._pieces[self.start - 2] if self.start > 1 else NOTHING

    @property
    def right(self) -> Piece:
        return self._pieces[self.end] if self.end < len(self._pieces) else NOTHING

    @property
    def after_right(self) -> Piece:
        return self._pieces[self.end + 1] if self.end + 1 < len(self._pieces) else NOTHING


class Stage:
    """Rules tried together, the longest match first, from left to right."""

    def __init__(self) -> None:
        self._rules: list[tuple[re.Pattern[str], Build]] = []

    def rule(self, *patterns: str) -> Callable[[Build], Build]:
        def add(build: Build) -> Build:
            self._rules.extend((re.compile(pattern), build) for pattern in patterns)
            return build

        return add

    def with_rules_of(self, other: Stage) -> Stage:
        """A stage that tries the rules of both."""
        both = Stage()
        both._rules = [*self._rules, *other._rules]
        return both

    def rewrite(self, now: Now, pieces: list[Piece]) -> list[Piece]:
        letters = "".join(piece.letter for piece in pieces)
        made: list[Piece] = []
        at = 0
        while at < len(letters):
            found = [
                (m.end(), -n, m, build)
                for n, (pattern, build) in enumerate(self._rules)
                if (m := pattern.match(letters, at)) and m.end() > at
            ]
            for end, _, match, build in sorted(found, key=lambda each: each[:2], reverse=True):
                if built := build(now, Match(pieces, match)):
                    first, last = pieces[at], pieces[end - 1]
                    text = " ".join(piece.text for piece in pieces[at:end])
                    several = built if isinstance(built, list) else [built]
                    made.extend(Piece(letter, first.start, last.end, value, text) for letter, value in several)
                    at = end
                    break
            else:
                made.append(pieces[at])
                at += 1
        return made
