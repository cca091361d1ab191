"""A patient's insurance, as told to us."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import coverage
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.models import AuditEvent, Coverage
from tests.factories import make_patient


def test_a_new_coverage_replaces_the_old_one(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        coverage.record(session, patient_id=ruth.id, payer_id="greatlakes", payer_name="Great Lakes", subscriber_id="A1", agent="t")
        coverage.record(session, patient_id=ruth.id, payer_id=None, payer_name="Somebody Else", subscriber_id=None, agent="t")
    with database.reading() as session:
        assert [row.payer_name for row in coverage.active(session, patient_id=ruth.id)] == ["Somebody Else"]
        rows = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Coverage").order_by(AuditEvent.sequence))
        assert [row.action for row in rows] == ["C", "U", "C"]


def test_one_key_records_one_coverage(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
    for _ in range(2):
        with database.transaction() as session:
            coverage.record(session, patient_id=ruth.id, payer_id="x", payer_name="X", subscriber_id="A1", agent="t", key="turn-1")
    with database.reading() as session:
        assert len(session.scalars(select(Coverage)).all()) == 1


def test_nobody_has_no_coverage(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFoundError):
        coverage.record(session, patient_id="nobody", payer_id="x", payer_name="X", subscriber_id=None, agent="t")
