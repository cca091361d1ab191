"""Handing a conversation or a piece of work to a person, and back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import handoff
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import AuditEvent, Channel, Conversation, Owner, Priority, Task, TaskStatus
from tests.factories import make_conversation, make_patient


def test_a_task_with_a_key_is_opened_once(database: Database) -> None:
    with database.transaction() as session:
        first = handoff.open_task(session, team="desk", reason="late-cancellation", description="...", key="late:1")
    with database.transaction() as session:
        again = handoff.open_task(session, team="desk", reason="late-cancellation", description="...", key="late:1")
        handoff.open_task(session, team="desk", reason="late-cancellation", description="...", key="late:2")
    with database.reading() as session:
        assert again.id == first.id
        assert len(session.scalars(select(Task)).all()) == 2


def test_tasks_without_a_key_are_opened_each_time(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(2):
            handoff.open_task(session, team="desk", reason="call-back", description="...")
        assert len(handoff.open_tasks(session)) == 2


def test_open_tasks_come_by_urgency(database: Database) -> None:
    with database.transaction() as session:
        for priority in (Priority.ROUTINE, Priority.STAT, Priority.URGENT):
            handoff.open_task(session, team="desk", reason=priority, description="...", priority=priority)
        handoff.open_task(session, team="billing", reason="bill", description="...", priority=Priority.ASAP)
        assert [task.reason for task in handoff.open_tasks(session)] == ["stat", "bill", "urgent", "routine"]
        assert [task.reason for task in handoff.open_tasks(session, team="billing")] == ["bill"]


def test_a_closed_task_is_open_no_longer(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        task = handoff.open_task(session, team="desk", reason="call-back", description="...", patient_id=ruth.id)
        handoff.close_task(session, task_id=task.id, agent="staff:nora")
        handoff.close_task(session, task_id=task.id, agent="staff:nora")
    with database.reading() as session:
        assert handoff.open_tasks(session) == []
        assert handoff.get_task(session, task.id).status is TaskStatus.COMPLETED
        changes = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Task", AuditEvent.action == "U")).all()
        assert [(row.agent, row.patient_id) for row in changes] == [("staff:nora", ruth.id)]


def test_a_conversation_that_staff_give_back_starts_afresh(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        old = make_conversation(session)
        old.patient_id, old.claim, old.language = ruth.id, {"given": "Ruth"}, "es"
    with database.transaction() as session:
        taken = handoff.take_over(session, conversation_id=old.id, owner_name="Nora Ellis", agent="staff:nora")
        assert (taken.owner, taken.owner_name) == (Owner.STAFF, "Nora Ellis")
    with database.transaction() as session:
        fresh = handoff.give_back(session, conversation_id=old.id, agent="staff:nora")
    with database.reading() as session:
        conversations = {row.id: row for row in session.scalars(select(Conversation))}
        assert not conversations[old.id].open
        assert fresh is not None
        assert fresh.id != old.id
        new = conversations[fresh.id]
        assert (new.open, new.owner, new.phone, new.language) == (True, Owner.BOT, old.phone, "es")
        assert (new.patient_id, new.claim, new.wrong_birth_dates, new.locked_out) == (None, {}, 0, False)


def test_a_call_that_staff_give_back_has_no_further_episode(database: Database) -> None:
    with database.transaction() as session:
        call = make_conversation(session, channel=Channel.VOICE)
        handoff.take_over(session, conversation_id=call.id, owner_name="Nora Ellis", agent="staff:nora")
        assert handoff.give_back(session, conversation_id=call.id, agent="staff:nora") is None
        assert not call.open


def test_only_what_staff_own_can_be_given_back(database: Database) -> None:
    with database.transaction() as session:
        conversation = make_conversation(session)
        with pytest.raises(WrongStateError):
            handoff.give_back(session, conversation_id=conversation.id, agent="staff:nora")
        with pytest.raises(NotFoundError):
            handoff.take_over(session, conversation_id="none", owner_name="Nora Ellis", agent="staff:nora")
