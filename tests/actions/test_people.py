"""What a person should do."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core.models import Appointment, Task
from tests.actions.talk import Talk


def tasks(talk: Talk) -> list[tuple[str, str, str]]:
    with talk.database.reading() as session:
        return [(task.team, task.reason, task.priority) for task in session.scalars(select(Task))]


def test_danger_that_the_table_let_pass_stops_a_booking(talk: Talk) -> None:
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("everything went dark and I cannot feel my legs", "emergency", confidence=0.93) == ["utter_red_flag"]
    assert talk.form is None
    assert tasks(talk) == [("clinical", "red-flag", "stat")]
    with talk.database.reading() as session:
        assert {visit.status for visit in session.scalars(select(Appointment))} == {"cancelled"}


def test_the_sentence_of_danger_never_comes_without_its_task(talk: Talk) -> None:
    assert talk.say("i don't want to livve anymore", "emergency", confidence=0.4) == ["utter_red_flag"]
    assert tasks(talk) == [("clinical", "red-flag", "stat")]


@pytest.mark.parametrize("words", ["I want to talk to a real person", "can somebody call me"])
def test_who_asks_for_a_person_gets_one_and_silence_from_the_assistant(talk: Talk, words: str) -> None:
    assert talk.say(words, "ask_for_human") == ["utter_handoff"]
    assert tasks(talk) == [("desk", "asked-for-person", "routine")]


def test_after_hours_the_promise_is_for_the_next_opening(talk: Talk, clock) -> None:
    clock.set("2026-11-16T20:10:00-06:00")
    assert talk.say("I want to talk to a real person", "ask_for_human") == ["utter_handoff_after_hours"]


def test_a_bill_goes_to_billing(talk: Talk) -> None:
    assert talk.say("I do not understand this bill", "billing") == ["utter_billing"]
    assert tasks(talk) == [("billing", "billing-question", "routine")]


def test_running_late_is_told_to_the_desk_at_once(talk: Talk) -> None:
    assert talk.say("running 20 minutes late", "running_late") == ["utter_running_late"]
    assert tasks(talk) == [("desk", "running-late", "urgent")]
