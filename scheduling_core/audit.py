"""The record of who did what. Called by name where it happens, in the transaction that does it."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import insert
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.models import AuditEvent
from scheduling_core.statements import Statement, Step

Action = Literal["C", "R", "U", "D", "E"]  # FHIR AuditEvent.action: create, read, update, delete, execute


def record(
    session: Session,
    *,
    agent: str,
    action: Action,
    entity: str,
    entity_id: str | None = None,
    patient_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one audit row. `agent` is who acted ("assistant:CONVERSATION", "token:NAME", "staff:EMAIL", "worker", "load"),
    `entity` the FHIR name of what was touched, `detail` ids, codes, and old and new of edits as plain JSON.
    """
    session.info["audited"] = True  # for edges that must leave a row for each request
    session.add(AuditEvent(**_row(agent, action, entity, entity_id, patient_id, detail)))


def insertion(
    *,
    agent: str,
    action: Action,
    entity: str,
    entity_id: str | None = None,
    patient_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Step:
    """What `record` adds, as a step of `statements.run`."""
    return _INSERT, _row(agent, action, entity, entity_id, patient_id, detail)


def _row(
    agent: str, action: Action, entity: str, entity_id: str | None, patient_id: str | None, detail: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "at": times.now(),
        "agent": agent,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "patient_id": patient_id,
        "detail": detail or {},
    }


_INSERT = Statement(
    insert(AuditEvent).inline(), ("organization_id", "at", "agent", "action", "entity", "entity_id", "patient_id", "detail")
)
