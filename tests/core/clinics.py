"""Small clinics, each made for one question."""

from __future__ import annotations

from typing import Any

from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database

EVERY_DAY = "mon-sun"


def make_clinic(
    *,
    sessions: list[str] | None = None,
    days: str = EVERY_DAY,
    hours: dict[str, str] | None = None,
    zone: str = "America/Chicago",
    service: dict[str, Any] | None = None,
    services: list[dict[str, Any]] | None = None,
    practitioner: dict[str, Any] | None = None,
    practitioners: list[str] | None = None,
    rooms: list[str] | None = None,
    clinic: dict[str, Any] | None = None,
    **parts: Any,
) -> ClinicFile:
    """One location "here", one service "visit" of 30 minutes, people who work in these sessions. No notice is asked."""
    offered = [{"id": "visit", "name": "Visit", "minutes": 30, "specialty": "general"} | (service or {}), *(services or [])]
    offered = [{"name": one["id"], "specialty": "general"} | one for one in offered]
    schedule = [{"days": days, "at": "here", "time": time} for time in sessions or ["09:00-12:00"]]
    people = [
        {"id": who, "name": f"Dr. {who.title()}", "services": [one["id"] for one in offered], "schedule": schedule}
        | (practitioner or {})
        for who in practitioners or ["lindgren"]
    ]
    facts = {"name": "Small Clinic", "timezone": zone, "phone": "+14145550100", "booking_notice_minutes": 0}
    here = {
        "id": "here",
        "name": "Here",
        "hours": hours or {EVERY_DAY: "00:00-23:55"},
        "rooms": [{"id": room, "name": room, "kind": "procedure"} for room in rooms or []],
    }
    whole: dict[str, Any] = {
        "clinic": facts | (clinic or {}),
        "locations": [here],
        "services": offered,
        "practitioners": people,
        "emergency": {"say": "Call 911."},
        "handoff": {"hours": {"mon-fri": "08:00-17:00"}, "transfer_to": "+14145550120"},
    }
    return ClinicFile.model_validate(whole | parts)


def load(database: Database, clinic: ClinicFile) -> ClinicFile:
    """Put a clinic into a database."""
    with database.transaction() as session:
        loading.load(session, clinic, agent="load")
    return clinic
