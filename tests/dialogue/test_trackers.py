"""The dialogue's memory of a conversation. It runs in the dialogue's own environment, which has Rasa and no pytest."""

from __future__ import annotations

import subprocess
import textwrap

import pytest

from bot.training import DIALOGUE, dialogue_environ, dialogue_python

_TALK = """
import asyncio, pathlib, sys, tempfile, warnings
warnings.simplefilter("ignore")
import lean
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, ActiveLoop, SessionStarted, SlotSet, UserUttered
import trackers

DOMAIN = Domain.from_yaml('''
version: "3.1"
intents: [ask, tell]
slots:
  service: {type: any, mappings: [{type: custom}]}
  offers: {type: any, mappings: [{type: custom}]}
forms:
  booking_form: {required_slots: [service]}
''')

def store(folder):
    return trackers.RecentTurns(DOMAIN, database=f"sqlite:///{folder}/trackers.db")

def turn(tracker, intent, *events):
    tracker.update(UserUttered(intent, {"name": intent, "confidence": 1.0}))
    for event in events:
        tracker.update(event)
    tracker.update(ActionExecuted("action_listen"))

def begin(tracker):
    for event in (ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")):
        tracker.update(event)

def state(tracker):
    loop = tracker.active_loop
    return (tracker.current_slot_values(), loop and (loop.name, loop.is_interrupted, loop.rejected), tracker.latest_action_name,
            tracker.latest_message.text)

def seen_by_rules(tracker):
    shown = [event for event in tracker.applied_events() if isinstance(event, (ActionExecuted, UserUttered))]
    return [getattr(event, "action_name", None) or event.text for event in shown][-3:]

async def talk(folder, turns):
    memory = store(folder)
    whole, kept = DOMAIN_TRACKER(memory), DOMAIN_TRACKER(memory)
    begin(whole); begin(kept)
    for number, (intent, events) in enumerate(turns):
        turn(whole, intent, *events); turn(kept, intent, *events)
        await memory.save(kept)
        kept = await store(folder).retrieve("c") if number % 7 == 0 else await memory.retrieve("c")
        read = memory.deserialise_tracker("c", memory.serialise_tracker(whole))  # as a store of all events would read it
        assert state(kept) == state(read), (number, state(kept), state(read))
        users = sum(isinstance(event, UserUttered) for event in kept.events)
        assert users <= MOST, (number, users)
        assert seen_by_rules(kept) == seen_by_rules(read), (number, seen_by_rules(kept), seen_by_rules(read))
    return kept

def DOMAIN_TRACKER(memory):
    return memory.init_tracker("c")
"""


def _run(code: str, most: int = 6) -> None:
    done = subprocess.run(
        [str(dialogue_python()), "-c", _TALK.replace("MOST", str(most)) + textwrap.dedent(code)],
        cwd=DIALOGUE,
        env=dialogue_environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


pytestmark = pytest.mark.timeout(120)


def test_a_long_conversation_keeps_its_slots_and_its_open_form_and_few_turns() -> None:
    _run("""
        opened = [ActionExecuted("booking_form"), ActiveLoop("booking_form"), SlotSet("requested_slot", "service")]
        asked = [ActionExecuted("action_listen_not"), ActionExecuted("booking_form"), SlotSet("requested_slot", "service")]
        turns = [("tell", [SlotSet("offers", [{"id": "a"}])]), ("ask", opened)] + [("ask", asked)] * 30
        filled = [ActionExecuted("booking_form"), SlotSet("service", "x"), ActiveLoop(None), SlotSet("requested_slot", None)]
        turns += [("tell", filled)]
        turns += [("ask", [])] * 10
        with tempfile.TemporaryDirectory() as folder:
            kept = asyncio.run(talk(folder, turns))
        assert kept.get_slot("service") == "x" and kept.get_slot("offers") == [{"id": "a"}] and kept.active_loop is None
    """)


def test_a_form_that_was_just_interrupted_is_not_cut_in_two() -> None:
    _run(
        """
        opened = [ActionExecuted("booking_form"), ActiveLoop("booking_form"), SlotSet("requested_slot", "service")]
        rejected = [ActionExecutionRejected("booking_form"), ActionExecuted("action_answer")]
        turns = [("ask", opened)] + [("ask", rejected)] * 20 + [("tell", [ActionExecuted("booking_form")])] * 8
        with tempfile.TemporaryDirectory() as folder:
            kept = asyncio.run(talk(folder, turns))
        assert sum(isinstance(event, UserUttered) for event in kept.events) <= 6
        """,
        most=30,
    )


def test_conversations_that_nobody_has_touched_for_a_month_are_forgotten() -> None:
    _run("""
        async def forget(folder):
            memory = store(folder)
            for name in ("old", "new"):
                tracker = memory.init_tracker(name)
                begin(tracker)
                await memory.save(tracker)
            with memory._engine.begin() as connection:
                old = trackers._rows.c.conversation_id == "old"
                connection.execute(trackers._rows.update().where(old).values(saved_at=0.0))
            again = store(folder)
            await again.save(await again.retrieve("new"))
            assert list(await again.keys()) == ["new"]
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(forget(folder))
    """)
