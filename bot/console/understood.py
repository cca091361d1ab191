"""What the dialogue has understood so far, read from its own store. It may be out of reach, and then nothing is shown."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.settings import Settings
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database

log = logging.getLogger(__name__)

_QUERY = "SELECT events FROM dialogue_tracker WHERE conversation_id = "


@dataclass(frozen=True)
class Understood:
    """`intent` and `confidence` (0 to 1) of the last sentence; `facts` in words, a name and a value each."""

    intent: str | None
    confidence: float | None
    facts: list[tuple[str, str]]


def read(settings: Settings, database: Database, clinic: ClinicFile, conversation_id: str) -> Understood | None:
    """None where the dialogue knows nothing of the conversation, or cannot be asked."""
    events = _events(settings, database, conversation_id)
    if not events:
        return None
    slots: dict[str, Any] = {}
    intent, confidence = None, None
    for event in events:
        if event.get("event") == "slot":
            slots[event["name"]] = event.get("value")
        elif event.get("event") == "user":
            found = (event.get("parse_data") or {}).get("intent") or {}
            intent, confidence = found.get("name"), found.get("confidence")
    return Understood(intent, confidence, _facts(clinic, slots))


def _events(settings: Settings, database: Database, conversation_id: str) -> list[dict[str, Any]]:
    """The last turns, as the dialogue stores them (bot/dialogue/trackers.py)."""
    try:
        if settings.database_url.startswith("sqlite"):
            file = settings.data_dir / "dialogue" / "trackers.db"
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.2)) as connection:
                row = connection.execute(f"{_QUERY} ?", (conversation_id,)).fetchone()
        else:
            with database.engine.connect() as connection_:
                row = connection_.execute(text(f"{_QUERY} :id"), {"id": conversation_id}).fetchone()
    except (sqlite3.Error, SQLAlchemyError) as error:
        log.info("what the dialogue understood cannot be read: %s", type(error).__name__)
        return []
    return list(json.loads(row[0])["events"]) if row else []


def _facts(clinic: ClinicFile, slots: dict[str, Any]) -> list[tuple[str, str]]:
    services = {service.id: service.name for service in clinic.services}
    people = {person.id: person.name for person in clinic.practitioners}
    places = {place.id: place.name for place in clinic.locations}
    payers = {payer.id: payer.name for payer in clinic.payers}
    named = [
        (_("Visit"), _names(slots.get("service"), services)),
        (_("With"), _names(slots.get("practitioners"), people)),
        (_("Where"), _names(slots.get("location"), places)),
        (_("How"), _names(slots.get("mode"), {"in-person": _("In person"), "video": _("By video"), "phone": _("By phone")})),
        (_("Insurance"), _names(slots.get("insurer"), payers)),
        (_("Needs"), _names(slots.get("needs"), {})),
        (_("Says"), _("New here") if slots.get("new_patient") is True else ""),
    ]
    return [(name, value) for name, value in named if value]


def _names(value: Any, known: dict[str, str]) -> str:
    """Ids as names; what is neither a word nor a list of words is not shown."""
    words = value if isinstance(value, list) else [value]
    return ", ".join(known.get(word, word) for word in words if isinstance(word, str) and word)
