"""What is wanted in a long text stands in one of its sentences."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bot" / "dialogue"))

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
