"""What staff do with a task: take it, pass it on, let it sleep, set its day, close it with what came of it.

Whoever changes who has a task says whom they saw with it: of two who take one at once, one has it and the other is told.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.handoff import OPEN
from scheduling_core.models import StaffAccount, Task, TaskStatus

LONGEST_OUTCOME = 500


class TakenTaskError(SchedulingError):
    """Somebody else has this task."""

    code = "task-taken"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name  # of the colleague, "" for nobody any more


def take(session: Session, *, task_id: str, me: StaffAccount, seen: str | None = None) -> Task:
    """Make a task mine that nobody has, or that `seen` (an account's id) had when I looked. Taking it again changes nothing.

    Raises NotFoundError, WrongStateError (closed), TakenTaskError.
    """
    return assign(session, task_id=task_id, to=me, seen=seen, agent=f"staff:{me.email}")


def assign(session: Session, *, task_id: str, to: StaffAccount | None, seen: str | None, agent: str) -> Task:
    """Give a task to somebody, or back to its team (None). Raises as `take`."""
    whose = None if to is None else to.id
    values = {
        "owner_id": whose,
        "owner_name": to.name if to else None,
        "status": TaskStatus.ACCEPTED if to else TaskStatus.REQUESTED,
        "snoozed_until": None,
    }
    return _change(session, task_id, values, seen, agent, {"owner": {"old": seen, "new": whose}}, unless_owner=whose)


def to_team(session: Session, clinic: ClinicFile, *, task_id: str, team: str, seen: str | None, agent: str) -> Task:
    """Leave a task to another team; nobody has it then. Raises NotFoundError for a team that there is not, and as `take`."""
    if team not in clinic.handoff.teams:
        raise NotFoundError(f"team {team}")
    old = handoff.get_task(session, task_id).team
    values = {
        "team": team,
        "owner_id": None,
        "owner_name": None,
        "status": TaskStatus.REQUESTED,
        "snoozed_until": None,
    }
    return _change(session, task_id, values, seen, agent, {"team": {"old": old, "new": team}})


def snooze(session: Session, *, task_id: str, until: dt.datetime, seen: str | None, agent: str) -> Task:
    """Take a task off the lists until an instant. Raises as `take`; WrongStateError for an instant that is past."""
    if until <= times.now():
        raise WrongStateError(f"Task/{task_id}")
    return _change(session, task_id, {"snoozed_until": until}, seen, agent, {"snoozed": until.isoformat()})


def set_due(session: Session, *, task_id: str, due_at: dt.datetime | None, seen: str | None, agent: str) -> Task:
    """When a task is to be done by. Raises as `take`."""
    old = handoff.get_task(session, task_id).due_at
    both = {"due": {"old": old and old.isoformat(), "new": due_at and due_at.isoformat()}}
    return _change(session, task_id, {"due_at": due_at}, seen, agent, both)


def close(
    session: Session, *, task_id: str, outcome: str, seen: str | None, agent: str, status: TaskStatus = TaskStatus.COMPLETED
) -> Task:
    """Done, with what came of it in a few words. Closing it again changes nothing. Raises NotFoundError, TakenTaskError."""
    task = _locked(session, task_id)
    if task.status not in OPEN:
        return task
    _refuse_if_others(task, seen)
    task.outcome = " ".join(outcome.split())[:LONGEST_OUTCOME] or None
    return handoff.close_task(session, task_id=task_id, agent=agent, status=status)


def _change(
    session: Session,
    task_id: str,
    values: dict[str, Any],
    seen: str | None,
    agent: str,
    detail: dict[str, Any],
    *,
    unless_owner: str | None = None,
) -> Task:
    """The conditional UPDATE: the row is as it was seen, or nothing is changed."""
    values["updated_at"] = times.now()
    done = session.execute(
        update(Task)
        .where(
            Task.organization_id == session.info["organization"],
            Task.id == task_id,
            Task.status.in_(OPEN),
            Task.owner_id == seen if seen else Task.owner_id.is_(None),
        )
        .values(**values)
        .returning(Task.id)
        .execution_options(synchronize_session=False)
    ).first()
    task = _fresh(session, task_id)
    if done is None:
        if task.status not in OPEN:
            raise WrongStateError(f"Task/{task_id}")
        if unless_owner is None or task.owner_id != unless_owner:
            raise TakenTaskError(task.owner_name or "")
        return task
    audit.record(session, agent=agent, action="U", entity="Task", entity_id=task_id, patient_id=task.patient_id, detail=detail)
    return task


def _refuse_if_others(task: Task, seen: str | None) -> None:
    if task.owner_id != (seen or None):
        raise TakenTaskError(task.owner_name or "")


def _locked(session: Session, task_id: str) -> Task:
    found = select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    task = session.scalars(found).one_or_none()
    if task is None:
        raise NotFoundError(f"Task/{task_id}")
    return task


def _fresh(session: Session, task_id: str) -> Task:
    session.flush()
    task = session.scalars(select(Task).where(Task.id == task_id).execution_options(populate_existing=True)).one_or_none()
    if task is None:
        raise NotFoundError(f"Task/{task_id}")
    return task
