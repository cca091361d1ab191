"""A talk with the actions, without Rasa: what the rules would run for an intent is run, and what is said is kept.

The rules are read from data/rules, so that a renamed form or intent fails here, too. Everything behind the actions is real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import server
from actions.turn import ACTIONS, begin
from scheduling_core.db import Database

PROJECT = Path(__file__).parents[2]


@dataclass
class Said:
    """One sentence of the assistant: its name in the domain, and what fills it; a text of the clinic's own has no name."""

    response: str | None
    values: dict[str, Any]

    @property
    def text(self) -> str:
        return str(self.values.get("text") or "")


@dataclass
class Talk:
    database: Database
    conversation_id: str
    slots: dict[str, Any] = field(default_factory=dict)
    form: str | None = None
    turns: int = 0
    heard: list[Said] = field(default_factory=list)
    ranking: list[tuple[str, float]] = field(default_factory=list)  # further readings of what is said next

    def say(self, text: str, intent: str = "inform", *, confidence: float = 0.9, turn: str | None = None) -> list[str]:
        """Text something; the names of the sentences that come back."""
        self.turns += 1
        self.heard = []
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": confidence},
            "intent_ranking": [{"name": name, "confidence": likely} for name, likely in self.ranking or [(intent, confidence)]],
            "metadata": {"turn": turn or f"{self.conversation_id}:{self.turns}"},
        }
        action = f"validate_{self.form}" if self.form else _rules()[intent]
        if not self.form and action.startswith("validate_"):
            self.slots["requested_slot"] = None
        self._run(action, message)
        return [said.response or said.text for said in self.heard]

    def last(self) -> Said:
        return self.heard[-1]

    def _run(self, action: str, message: dict[str, Any]) -> None:
        if action.startswith("utter_"):
            self.heard.append(Said(action, {}))
            return
        active = self.form if action == f"validate_{self.form}" else None
        events = self._call(action, message, active)
        follow = next((event["name"] for event in events if event["event"] == "followup"), None)
        if action.startswith("validate_"):
            self.form = action.removeprefix("validate_")
            if self.slots.get("requested_slot") is None:
                self.form = None
                self._run("action_task_done", message)
        elif follow:
            self._run(f"validate_{follow}" if follow.endswith("_form") else follow, message)

    def _call(self, action: str, message: dict[str, Any], active: str | None) -> list[dict[str, Any]]:
        loop = {"name": active} if active else {}
        tracker = Tracker(self.conversation_id, dict(self.slots), message, [], False, None, loop, "action_listen")
        dispatcher = CollectingDispatcher()
        turn = begin(tracker, dispatcher, self.database)
        ACTIONS[action](turn)
        events = turn.events()
        for event in events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
        self.heard += [Said(one.get("response"), one) for one in dispatcher.messages if one.get("response") or one.get("text")]
        return events


def _rules() -> dict[str, str]:
    """What each intent begins with when nothing is open."""
    server.load_topics()
    found: dict[str, str] = {}
    for file in sorted((PROJECT / "data" / "rules").glob("*.yml")):
        for rule in yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]:
            first, *rest = rule["steps"]
            if "condition" in rule:
                continue
            action = rest[0]["action"]
            for step in first.get("or", [first]):
                found[step["intent"]] = f"validate_{action}" if action.endswith("_form") else action
    return found
