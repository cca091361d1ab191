"""The action server: rasa-sdk's own web service, on loopback, with our plain functions behind it."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from actions import open_question
from actions.turn import ACTIONS, Action, Events, begin
from scheduling_core.db import Database

TOPICS = ("booking", "reschedule", "cancel", "visits", "coverage", "cost_form", "details", "questions", "people", "smalltalk")


def serve() -> None:
    """Serve until stopped. Reads FRONTDESK_DATABASE_URL and FRONTDESK_ACTIONS_PORT."""
    database = Database(os.environ["FRONTDESK_DATABASE_URL"])
    app = create_app(executor(database), cors_origins=None)
    app.run(
        host="127.0.0.1",
        port=int(os.environ.get("FRONTDESK_ACTIONS_PORT", "5055")),
        single_process=True,
        access_log=False,
        motd=False,
    )


def load_topics() -> None:
    """Import every topic, which registers its actions."""
    for topic in TOPICS:
        importlib.import_module(f"actions.{topic}")


def executor(database: Database) -> ActionExecutor:
    """rasa-sdk's executor with every action of every topic."""
    load_topics()
    found = ActionExecutor()
    for name, function in ACTIONS.items():
        found.register_function(name, _asynchronous(name, function, database))
    return found


def _asynchronous(name: str, function: Action, database: Database) -> Any:
    """The function in a thread: a call to the core may wait for the database, and the event loop must not."""

    def run(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        turn = begin(tracker, dispatcher, database)
        function(turn)
        open_question.tell(turn, name)
        return turn.events()

    async def call(dispatcher: CollectingDispatcher, tracker: Tracker, _domain: dict[str, Any]) -> Events:
        return await asyncio.to_thread(run, dispatcher, tracker)

    return call
