"""What is wanted in a long text stands in one of its sentences."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bot" / "dialogue"))

import numpy as np
from components import danger
from components.intents import read_story

WHOLE = [("greet", 0.9), ("book_appointment", 0.1)]
SUMMER = "It was such a lovely summer with all the grandchildren here. "
STORY = f"{SUMMER * 5}Could I see the doctor in May? My knee is fine. My knee is fine."


def rank(parts: list[str]) -> list[list[tuple[str, float]]]:
    return [[("book_appointment", 0.8)] if "see the doctor" in part else [("inform", 0.9)] for part in parts]


def test_the_sentence_that_wants_something_counts() -> None:
    assert read_story(STORY, WHOLE, rank) == [("book_appointment", 0.8)]


def test_a_story_that_wants_nothing_is_read_as_a_whole() -> None:
    assert read_story(STORY.replace("see the doctor", "sing"), WHOLE, rank) == WHOLE


def test_a_short_text_is_read_as_a_whole() -> None:
    assert read_story("Could I see the doctor in May?", WHOLE, rank) == WHOLE


class _Looks:
    """A model by which a text as a whole is no danger, and its sentences are as likely as told."""

    def __init__(self, *likely: float) -> None:
        self.likely = likely

    def chances(self, texts, vectors):
        return np.array([0.01] if len(texts) == 1 else self.likely)


def _chance(text: str, *likely: float) -> float:
    return danger.chance(text, np.zeros(1), _Looks(*likely), lambda parts: np.zeros((len(parts), 1)))


def test_one_of_many_sentences_that_looks_a_little_like_danger_is_none():
    story = "We drove to my sister. It was a long day for me. I forgot my pills there. Now I want my follow up."
    assert _chance(story, 0.1, 0.3, 0.6, 0.2) < danger.DANGER


def test_an_errand_around_it_does_not_hide_danger():
    assert _chance("Can I come in today? My throat is closing.", 0.1, 0.97) > danger.DANGER
