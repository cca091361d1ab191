"""The database's engine and its transactions."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.exc import DBAPIError

from scheduling_core.models import Patient

NOW = dt.datetime(2026, 11, 16, 15, tzinfo=dt.UTC)


def test_what_a_database_error_says_holds_nothing_of_a_patient(database):
    who = {"organization_id": "clinic", "id": "one", "given": "Petronella", "family": "Quux", "birth_date": dt.date(1980, 1, 1)}
    row = {**who, "created_at": NOW, "updated_at": NOW}
    with pytest.raises(DBAPIError) as failed, database.transaction() as session:
        session.connection().execute(Patient.__table__.insert(), [row, row])
    assert "INSERT INTO patient" in str(failed.value)
    assert "Petronella" not in str(failed.value)
