"""The audit trail's seals."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import delete, event, select, text, update

from scheduling_core import audit, seals
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, AuditSeal


def _record(database: Database, count: int) -> None:
    with database.transaction() as session:
        for number in range(count):
            audit.record(session, agent="test", action="R", entity="Patient", entity_id=f"é{number}", detail={"b": 1.5, "a": None})


def _seal(database: Database) -> int:
    with database.transaction() as session:
        return seals.seal_some(session)


def _verify(database: Database, noted: seals.Head | None = None) -> seals.Verified:
    with database.reading() as session:
        return seals.verify(session, noted=noted)


def test_batches_form_one_chain(database: Database):
    _record(database, 3)
    assert _seal(database) == 3
    _record(database, 2)
    assert _seal(database) == 2
    assert _seal(database) == 0
    _record(database, 1)
    found = _verify(database)
    assert (found.rows, found.unsealed, found.head.number) == (5, 1, 2)


def test_a_late_commit_with_an_earlier_sequence_is_sealed_later(database: Database):
    _record(database, 2)
    with database.transaction() as session:
        session.execute(update(AuditEvent).where(AuditEvent.sequence == 1).values(sequence=1000))
    _seal(database)
    with database.transaction() as session:
        session.add(
            AuditEvent(
                sequence=1, at=session.scalars(select(AuditEvent.at)).first(), agent="test", action="R", entity="Patient", detail={}
            )
        )
    _seal(database)
    assert _verify(database).rows == 3


@pytest.mark.parametrize(
    "tamper",
    [
        update(AuditEvent).where(AuditEvent.entity_id == "é1").values(agent="somebody else"),
        update(AuditEvent).where(AuditEvent.entity_id == "é1").values(detail={"b": 2}),
        delete(AuditEvent).where(AuditEvent.entity_id == "é1"),
        delete(AuditEvent).where(AuditEvent.entity_id == "é5"),  # the last
        delete(AuditEvent).where(AuditEvent.sealed_in == 2),
        delete(AuditSeal).where(AuditSeal.number == 1),
        delete(AuditSeal).where(AuditSeal.number == 2),
        update(AuditEvent).where(AuditEvent.entity_id == "é1").values(sequence=4711),
        update(AuditEvent).where(AuditEvent.entity_id == "é1").values(seal=None, sealed_in=None),
        update(AuditEvent).where(AuditEvent.entity_id == "é1").values(sealed_in=None),
        update(AuditEvent).where(AuditEvent.entity_id == "é5").values(sealed_in=3),
    ],
)
def test_what_was_changed_after_its_seal_is_found(sqlite_database: Database, tamper: object):
    for _ in range(2):
        with sqlite_database.transaction() as session:
            count = len(session.scalars(select(AuditEvent)).all())
            for number in range(count, count + 3):
                audit.record(session, agent="test", action="R", entity="Patient", entity_id=f"é{number}", detail={"b": 1})
        _seal(sqlite_database)
    _verify(sqlite_database)
    with sqlite_database.transaction() as session:
        session.connection().execute(tamper)
    with pytest.raises(seals.BrokenChainError):
        _verify(sqlite_database)


def test_a_chain_computed_anew_does_not_hold_the_noted_head(sqlite_database: Database):
    _record(sqlite_database, 2)
    _seal(sqlite_database)
    noted = _verify(sqlite_database).head
    _verify(sqlite_database, noted)
    with sqlite_database.transaction() as session:
        session.execute(text("UPDATE audit_event SET seal = NULL, sealed_in = NULL, agent = 'nobody'"))
        session.execute(text("DELETE FROM audit_seal"))
    _seal(sqlite_database)
    _verify(sqlite_database)
    with pytest.raises(seals.BrokenChainError):
        _verify(sqlite_database, noted)
    with pytest.raises(seals.BrokenChainError):
        _verify(sqlite_database, seals.Head(noted.number + 1, noted.seal))


def test_sealers_at_once_seal_each_row_once(database: Database):
    _record(database, 40)
    several = [threading.Thread(target=_seal, args=(database,)) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    while _seal(database):
        pass
    assert _verify(database).rows == 40


def test_a_batch_that_is_sealed_while_the_chain_is_verified_does_not_break_it(database: Database):
    _record(database, 2)
    _seal(database)
    with database.reading() as session:

        @event.listens_for(session, "do_orm_execute")
        def seal_before_each_statement(_state: object) -> None:
            _record(database, 1)
            _seal(database)

        assert seals.verify(session).rows >= 2
