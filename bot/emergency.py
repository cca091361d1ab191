"""Red flags: words that may mean danger to life, found without a model. The words and the rules are in `red_flags.yml`.

A rule names concepts, such as "chest hurt/pressure": words of each, in either language and in any order, close together in one
sentence. What is denied, long past, only supposed or a mere topic does not count, and figures of speech are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.spelling import Speller, plain_words

_TABLE = Path(__file__).with_name("red_flags.yml")
_LONGEST = 2000  # characters that are looked at: a text has 1600
_REACH = 8  # words between two words of one rule
_LANGUAGES = ("en", "es")
_NEVER_BETWEEN = r"(?:\.|but|no|not|nor|without|pero|sin|ni)"  # words that belong together are not parted by these
_DENIED_WITHIN = 9  # words between "no" and what it denies, in a list
_HEAVY_WITHIN = 2  # of them such as are neither light nor of the table


@dataclass(frozen=True)
class Alarm:
    """Which flag rose (its name in the table), and in which language: en or es.

    One that is not `sure` rose for words that are said harmlessly, too: where the dialogue can be asked, it decides by meaning.
    """

    flag: str
    language: str
    sure: bool = True


def find(text: str) -> Alarm | None:
    """The first sure red flag in a text, in the table's order, else the first; None where there is none."""
    return _table().find(text[:_LONGEST])


def red_flag(text: str) -> str | None:
    """The name of the red flag in a text, such as "chest-pain", or None."""
    alarm = find(text)
    return alarm.flag if alarm else None


@dataclass(frozen=True, slots=True)
class _Hit:
    """Where words of a concept stand, of which languages they are, and where the "no" stands that denies them."""

    start: int
    end: int
    languages: frozenset[str]
    denied: int | None

    def overlaps(self, other: _Hit) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class _Term:
    """One place of a rule: a hit of any of these concepts."""

    concepts: tuple[str, ...]
    anywhere: bool = False  # in another sentence, too
    absent: bool = False
    even_past: bool = False


@dataclass(frozen=True)
class _Rule:
    flag: str
    terms: tuple[_Term, ...]
    even_if: bool  # a supposed case counts: who asks what to do if a child swallowed bleach does not suppose
    sure: bool


class _Table:
    """The table, read and compiled once."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw["concepts"]
        sure = frozenset(raw["sure"].split())
        rules = [_read_rule(flag, rule, sure) for flag, rules in raw["flags"].items() for rule in rules]
        self._rules = sorted(rules, key=lambda rule: not rule.sure)
        self._single: dict[str, set[tuple[str, str]]] = {}
        self._phrases: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        vocabulary = set(raw["words"].split())
        for concept in self._raw:
            for language in _LANGUAGES:
                choices = list(self._choices(concept, language))
                vocabulary.update(word for choice in choices for word in re.findall(r"(?<![\\\w])[a-z]{4,}(?![\w*\\?])", choice))
                singles = {choice for choice in choices if choice.isalnum()}
                for word in singles:
                    self._single.setdefault(word, set()).add((concept, language))
                if phrases := [self._expand(choice) for choice in choices if choice not in singles]:
                    self._phrases.setdefault(concept, []).append((language, _whole(phrases)))
        self._vocabulary = frozenset(vocabulary)
        self._spell = Speller(vocabulary, raw["spelled"])
        self._harmless = _whole(map(self._expand, raw["harmless"]))
        self._light = frozenset(raw["denied"]["light"].split())
        self._denied_by = _whole([raw["denied"]["by"]])
        self._denied_by_all = _whole([raw["denied"]["by_all"]])
        self._denies_not = _whole([raw["denied"]["but_not"]])
        self._no_answer = re.compile(raw["denied"]["answers"] + r"(?= |$)")
        self._past, self._supposed, self._talked_about, self._present = (
            _whole(map(self._expand, raw[part])) for part in ("past", "supposed", "talked_about", "present")
        )
        self._topic = re.compile(f" ?(?:{'|'.join(raw['topic'])})(?= |$)")
        self._doubt = _whole(raw["doubt"])
        self._hard, self._soft = _whole([raw["parts"]["hard"]]), _whole([raw["parts"]["soft"]])

    def find(self, text: str) -> Alarm | None:
        return _Search(self, self._harmless.sub("_", self._spell(plain_words(text)))).find()

    def _choices(self, concept: str, language: str) -> Iterator[str]:
        for choice in re.findall(r"'((?:[^'])+)'|([^,']+)", self._raw[concept].get(language, "")):
            pattern = (choice[0] or choice[1]).strip()
            if re.fullmatch(r"@[\w-]+", pattern):
                yield from self._choices(pattern[1:], language)
            elif pattern:
                yield pattern

    def _expand(self, pattern: str) -> str:
        def named(name: re.Match[str]) -> str:
            return f"(?:{'|'.join(self._expand(choice) for each in _LANGUAGES for choice in self._choices(name[1], each))})"

        pattern = re.sub(r"@([a-z]+(?:-[a-z]+)*)", named, pattern)
        pattern = re.sub(r"(?<!\\w)(?<=\w)\*", r"\\w*", pattern)
        return re.sub(r" ?<(\d+)> ?", lambda gap: rf"(?: (?!{_NEVER_BETWEEN} )[^ ]+){{0,{gap[1]}}}? ", pattern).strip()


class _Search:
    """One text under the table's rules."""

    def __init__(self, table: _Table, text: str) -> None:
        self._table, self._text = table, text
        self._found: dict[str, list[_Hit]] = {}
        self._singles: dict[str, list[tuple[tuple[int, int], str]]] = {}
        for word in re.finditer(r"[^ ]+", text):
            for concept, language in table._single.get(word[0], ()):
                self._singles.setdefault(concept, []).append((word.span(), language))

    def find(self) -> Alarm | None:
        for rule in self._table._rules:
            if hits := self._match(rule):
                spanish = sum(hit.languages == {"es"} for hit in hits)
                language = "es" if spanish > sum("en" in hit.languages for hit in hits) else "en"
                return Alarm(rule.flag, language, rule.sure and not self._table._doubt.search(self._text))
        return None

    def _match(self, rule: _Rule) -> list[_Hit] | None:
        first, *others = rule.terms
        for anchor in self._hits(first):
            low, high = self._part(anchor, soft=False)
            chosen: list[_Hit] = [anchor]
            for term in others:
                hits = [hit for hit in self._hits(term, chosen) if term.anywhere or low <= hit.start < high]
                if term.absent:
                    if hits:
                        break
                    continue
                near = [hit for hit in hits if self._goes_with(hit, chosen, term)]
                if not near:
                    break
                chosen.append(min(near, key=lambda hit: min(self._between(hit, one) for one in chosen)))
            else:
                if self._is_meant(rule, chosen):
                    return chosen
        return None

    def _goes_with(self, hit: _Hit, chosen: list[_Hit], term: _Term) -> bool:
        if any(hit.overlaps(one) for one in chosen):
            return False
        return term.anywhere or min(self._between(hit, one) for one in chosen) <= _REACH

    def _between(self, one: _Hit, other: _Hit) -> int:
        first, second = sorted((one, other), key=lambda hit: hit.start)
        return self._text.count(" ", first.end, second.start)

    def _hits(self, term: _Term, chosen: Sequence[_Hit] = ()) -> list[_Hit]:
        """Those that nothing denies, but for words that were chosen: "no movement of my baby" denies no baby."""
        hits = (hit for concept in term.concepts for hit in self._of(concept))
        return [hit for hit in hits if hit.denied is None or any(one.start <= hit.denied < one.end for one in chosen)]

    def _of(self, concept: str) -> list[_Hit]:
        if concept not in self._found:
            by_span: dict[tuple[int, int], set[str]] = {}
            for span, language in self._singles.get(concept, ()):
                by_span.setdefault(span, set()).add(language)
            for language, pattern in self._table._phrases.get(concept, ()):
                for match in pattern.finditer(self._text):
                    by_span.setdefault(match.span(), set()).add(language)
            self._found[concept] = [_Hit(*span, frozenset(found), self._denial(*span)) for span, found in sorted(by_span.items())]
        return self._found[concept]

    def _is_meant(self, rule: _Rule, chosen: list[_Hit]) -> bool:
        table = self._table
        for hit in chosen:
            topic = table._topic.match(self._text, hit.end)
            if topic and not any(one.start < topic.end() and hit.end < one.end for one in chosen):
                return False
        starts, ends = zip(*(self._part(hit, soft=True) for hit in chosen if not self._is_far(hit, chosen[0])), strict=True)
        thought = self._text[min(starts) : max(ends)]
        if table._talked_about.search(thought):
            return False
        if table._present.search(thought):
            return True
        even_past = any(term.even_past for term in rule.terms)
        return (even_past or not table._past.search(thought)) and (rule.even_if or not table._supposed.search(thought))

    def _is_far(self, hit: _Hit, anchor: _Hit) -> bool:
        low, high = self._part(anchor, soft=False)
        return not low <= hit.start < high

    def _denial(self, begin: int, end: int) -> int | None:
        """Where the "no" stands that is close before the words, and holds for them."""
        table, text = self._table, self._text
        if table._denied_by.match(text, begin) or table._denies_not.match(text, begin):
            return None  # "cannot breathe" denies nothing
        start = self._starts(begin, soft=True)
        before = table._denies_not.sub(lambda harmless: "-" * len(harmless[0]), text[start:])[: begin - start]
        for denial in table._denied_by.finditer(before):
            between = before[denial.end() :].split()
            heavy = [word for word in between if word not in table._light and word not in table._vocabulary]
            if len(between) > _DENIED_WITHIN or len(heavy) > _HEAVY_WITHIN or between[:1] == [","]:
                continue
            if table._no_answer.match(before, denial.start()):
                continue
            listed = {"or", "nor", "ni", "o"} & {*between, *text[end:].split()[:6]}
            if "," in between and not listed:
                continue
            if {"and", "y"} & set(between) and not table._denied_by_all.search(before):
                continue
            return start + denial.start()
        return None

    def _part(self, hit: _Hit, *, soft: bool) -> tuple[int, int]:
        """Where the part of the sentence that holds the hit starts and ends."""
        ends = [found.start() for border in self._borders(soft) if (found := border.search(self._text, hit.end))]
        return self._starts(hit.start, soft=soft), min(ends, default=len(self._text))

    def _starts(self, position: int, *, soft: bool) -> int:
        starts = [found.start() for border in self._borders(soft) for found in border.finditer(self._text, 0, position)]
        return max(starts, default=0)

    def _borders(self, soft: bool) -> tuple[re.Pattern[str], ...]:
        return (self._table._hard, self._table._soft) if soft else (self._table._hard,)


def _read_rule(flag: str, rule: str, sure: frozenset[str]) -> _Rule:
    terms = [
        _Term(
            tuple(term.strip("~!+").split("/")),
            anywhere=term.startswith("~"),
            absent=term.startswith("!"),
            even_past=term.endswith("+"),
        )
        for term in rule.split()
    ]
    return _Rule(flag.rstrip("?"), tuple(terms), flag.endswith("?"), any(sure.issuperset(term.concepts) for term in terms))


def _whole(patterns: Iterable[str]) -> re.Pattern[str]:
    """Any of the patterns, over whole words."""
    return re.compile(f"(?<![^ ])(?:{'|'.join(patterns)})(?= |$)")


@lru_cache(maxsize=1)
def _table() -> _Table:
    return _Table(yaml.safe_load(_TABLE.read_text(encoding="utf-8")))
