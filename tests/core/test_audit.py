"""The record of who did what."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from scheduling_core import audit
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent
from tests.factories import make_patient


def test_a_record_goes_with_the_transaction_that_did_it(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:  # noqa: PT012  (the transaction is what is tested)
        make_patient(session)
        raise RuntimeError("the lights went out")
    with database.reading() as session:
        assert session.scalars(select(AuditEvent)).all() == []


def test_a_read_is_recorded_with_who_and_whom(database: Database) -> None:
    with database.transaction() as session:
        audit.record(session, agent="token:ehr", action="R", entity="Appointment", entity_id="a1", patient_id="p1")
    with database.reading() as session:
        row = session.scalars(select(AuditEvent)).one()
        assert (row.agent, row.action, row.entity, row.entity_id, row.patient_id, row.detail) == (
            "token:ehr",
            "R",
            "Appointment",
            "a1",
            "p1",
            {},
        )


def test_one_clinics_records_are_not_anothers(database: Database) -> None:
    other = Database(database.url, organization="elsewhere")
    try:
        with database.transaction() as session:
            make_patient(session)
        with other.reading() as session:
            assert session.scalars(select(AuditEvent)).all() == []
    finally:
        other.dispose()
