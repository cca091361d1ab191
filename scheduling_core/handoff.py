"""Handing a conversation or a piece of work to a person, and back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency, times
from scheduling_core.calendar import hours
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import (
    Channel,
    Communication,
    Conversation,
    ConversationLine,
    Delivery,
    LineKind,
    Owner,
    Priority,
    StaffAccount,
    Task,
    TaskStatus,
    new_id,
)

OPEN = (TaskStatus.REQUESTED, TaskStatus.ACCEPTED, TaskStatus.IN_PROGRESS)
BY_URGENCY = {Priority.STAT: 0, Priority.ASAP: 1, Priority.URGENT: 2, Priority.ROUTINE: 3}
EPISODE_ENDS_AFTER = dt.timedelta(hours=8)  # of silence on both sides


def desk_is_open(clinic: ClinicFile) -> bool:
    """Whether people take conversations over now: by the hours of `handoff`, on a day when the clinic is not closed as a whole."""
    wall = times.to_wall(times.now(), clinic.zone)
    day = wall.date()
    if hours.is_holiday(clinic, day) or any(closure.date == day and closure.locations is None for closure in clinic.closures):
        return False
    return any(span.start <= wall.time() < span.end for span in clinic.handoff.hours_on(wall.weekday()))


def open_task(
    session: Session,
    *,
    team: str,
    reason: str,
    description: str,
    priority: Priority = Priority.ROUTINE,
    patient_id: str | None = None,
    phone: str | None = None,
    conversation_id: str | None = None,
    appointment_id: str | None = None,
    due_at: dt.datetime | None = None,
    key: str | None = None,
    agent: str | None = None,
) -> Task:
    """Something that a person should do. The same key answers the same task, however often it is asked for.

    `agent` is the assistant in the conversation, or the worker where there is none, unless somebody else is named.
    """
    now = times.now()
    task_id = new_id()
    inserted = idempotency.insert_unless_there(
        session,
        Task,
        id=task_id,
        status=TaskStatus.REQUESTED,
        priority=priority,
        team=team,
        reason=reason,
        description=description,
        patient_id=patient_id,
        phone=phone,
        conversation_id=conversation_id,
        appointment_id=appointment_id,
        due_at=due_at,
        idempotency_key=key,
        created_at=now,
        updated_at=now,
    )
    if not inserted:
        return session.scalars(select(Task).where(Task.idempotency_key == key)).one()
    audit.record(
        session,
        agent=agent or (f"assistant:{conversation_id}" if conversation_id else "worker"),
        action="C",
        entity="Task",
        entity_id=task_id,
        patient_id=patient_id,
        detail={"reason": reason, "team": team},
    )
    return get_task(session, task_id)


def get_task(session: Session, task_id: str) -> Task:
    """Raises NotFoundError."""
    task = session.scalars(select(Task).where(Task.id == task_id)).one_or_none()
    if task is None:
        raise NotFoundError(f"Task/{task_id}")
    return task


def open_tasks(session: Session, *, team: str | None = None, conversation_id: str | None = None) -> list[Task]:
    """What is still to be done, the most urgent first, then the oldest."""
    urgency = case(BY_URGENCY, value=Task.priority)
    found = select(Task).where(Task.status.in_(OPEN)).order_by(urgency, Task.created_at, Task.id)
    if team is not None:
        found = found.where(Task.team == team)
    if conversation_id is not None:
        found = found.where(Task.conversation_id == conversation_id)
    return list(session.scalars(found))


def close_task(session: Session, *, task_id: str, agent: str, status: TaskStatus = TaskStatus.COMPLETED) -> Task:
    """Mark a task as done (or cancelled). Closing it again changes nothing. Raises NotFoundError."""
    task = get_task(session, task_id)
    if task.status in OPEN:
        old, task.status, task.updated_at = task.status, status, times.now()
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Task",
            entity_id=task.id,
            patient_id=task.patient_id,
            detail={"status": {"old": old, "new": status}},
        )
        if task.conversation_id:
            add_line(session, task.conversation_id, LineKind.TASK_DONE, author=name_of(session, agent), body=task.reason)
    return task


def take_over(session: Session, *, conversation_id: str, owner_name: str, team: str | None = None, agent: str) -> Conversation:
    """A person without an account, or a team until a person picks it up, owns the conversation: the assistant is silent in it.

    Raises NotFoundError; WrongStateError when the conversation is closed.
    """
    conversation = _conversation(session, conversation_id)
    if not conversation.open:
        raise WrongStateError(f"Conversation/{conversation_id}")
    if conversation.owner is Owner.BOT:
        conversation.handed_over_by, conversation.waiting_since = agent, times.now()
    conversation.owner, conversation.owner_name = Owner.STAFF, owner_name
    conversation.team, conversation.assignee_id, conversation.snoozed_until = team, None, None
    audit_owner(session, conversation, agent)
    add_line(session, conversation.id, LineKind.TAKEN_OVER, author=name_of(session, agent), body=owner_name)
    return conversation


def give_back(session: Session, *, conversation_id: str, agent: str) -> Conversation | None:
    """The assistant speaks again, in a fresh episode: the old conversation is closed and a new one opened for the number.

    Its new id starts the dialogue with no memory of the old, and whoever writes proves anew who they are. What came in and waits to
    be looked at is answered there. A call has no further episode: None. Raises NotFoundError; WrongStateError when staff do not own
    it.
    """
    old = _conversation(session, conversation_id)
    if not old.open or old.owner is not Owner.STAFF:
        raise WrongStateError(f"Conversation/{conversation_id}")
    settle(session, old, LineKind.GIVEN_BACK, agent=agent)
    if old.channel is Channel.VOICE:
        return None
    now = times.now()
    fresh = Conversation(
        id=new_id(),
        channel=old.channel,
        phone=old.phone,
        language=old.language,
        last_turn_at=now,
        created_at=now,
        claim={},
        state={},
    )
    session.add(fresh)
    session.flush()
    session.execute(
        update(Communication)
        .where(
            Communication.organization_id == session.info["organization"],
            Communication.conversation_id == old.id,
            Communication.status == Delivery.RECEIVED,
        )
        .values(conversation_id=fresh.id)
        .execution_options(synchronize_session=False)
    )
    return fresh


def settle(session: Session, conversation: Conversation, kind: LineKind, *, agent: str) -> None:
    """Staff are done with a conversation of theirs: it is closed."""
    conversation.open, conversation.owner, conversation.owner_name, conversation.assignee_id = False, Owner.BOT, None, None
    conversation.waiting_since, conversation.snoozed_until, conversation.settled_at = None, None, times.now()
    audit_owner(session, conversation, agent)
    add_line(session, conversation.id, kind, author=name_of(session, agent))


def add_line(session: Session, conversation_id: str, kind: LineKind, *, author: str, body: str = "") -> ConversationLine:
    """A line of staff behind what has been said so far."""
    last = select(func.max(Communication.sequence)).where(Communication.conversation_id == conversation_id)
    line = ConversationLine(
        conversation_id=conversation_id,
        after_sequence=session.scalar(last) or 0,
        kind=kind,
        author=author[:200],
        body=body,
        created_at=times.now(),
    )
    session.add(line)
    return line


def name_of(session: Session, agent: str) -> str:
    """What colleagues call who acted: the name on the account, else what stands in `agent` itself."""
    kind, _, who = agent.partition(":")
    if kind != "staff":
        return kind
    return session.scalars(select(StaffAccount.name).where(StaffAccount.email == who)).first() or who


def _conversation(session: Session, conversation_id: str) -> Conversation:
    conversation = session.scalars(select(Conversation).where(Conversation.id == conversation_id).with_for_update()).one_or_none()
    if conversation is None:
        raise NotFoundError(f"Conversation/{conversation_id}")
    return conversation


def audit_owner(session: Session, conversation: Conversation, agent: str) -> None:
    audit.record(
        session,
        agent=agent,
        action="U",
        entity="Conversation",
        entity_id=conversation.id,
        patient_id=conversation.patient_id,
        detail={"owner": conversation.owner, "open": conversation.open, "assignee": conversation.assignee_id},
    )
