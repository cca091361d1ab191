"""The database's engine and its transactions."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError

from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import IdempotencyKey, Patient, occupancy
from tests.core.test_races import at_once

NOW = dt.datetime(2026, 11, 16, 15, tzinfo=dt.UTC)


def test_what_a_database_error_says_holds_nothing_of_a_patient(database):
    who = {"organization_id": "clinic", "id": "one", "given": "Petronella", "family": "Quux", "birth_date": dt.date(1980, 1, 1)}
    row = {**who, "created_at": NOW, "updated_at": NOW}
    with pytest.raises(DBAPIError) as failed, database.transaction() as session:
        session.connection().execute(Patient.__table__.insert(), [row, row])
    assert "INSERT INTO patient" in str(failed.value)
    assert "Petronella" not in str(failed.value)


def test_writers_that_queue_are_kept_or_undone_one_by_one(sqlite_database):
    def write(one: int) -> None:
        with sqlite_database.transaction() as session:
            session.add(_key(f"{one}"))
            session.flush()
            if one % 3 == 0:
                raise SchedulingError(f"{one}")

    outcomes = at_once(24, write)
    assert outcomes["done"] == 16
    with sqlite_database.reading() as session:
        assert {int(key) % 3 for key in session.scalars(select(IdempotencyKey.key))} == {1, 2}


def test_nobody_is_told_of_a_write_whose_commit_failed(sqlite_database):
    def write(one: int) -> None:
        with sqlite_database.transaction() as session:
            connection = session.connection()
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            row = {"organization_id": "clinic", "actor": "room:red", "tick": one, "lane": 0, "appointment_id": "no such visit"}
            connection.execute(occupancy.insert(), row)

    def fails(one: int) -> None:
        with pytest.raises(DBAPIError):
            write(one)

    assert at_once(8, fails) == {"done": 8}
    with sqlite_database.transaction() as session:
        session.add(_key("after"))
    with sqlite_database.reading() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["after"]
        assert session.execute(select(occupancy)).all() == []


def test_a_writer_whose_transaction_the_engine_undoes_takes_no_others_answer_with_it(sqlite_database):
    """As SQLite does by itself where the disk is full or fails."""
    told = []

    def write(one: int) -> None:
        with suppress(SchedulingError, OperationalError):
            with sqlite_database.transaction() as session:
                session.add(_key(f"{one}"))
                session.flush()
                if one % 5 == 3:
                    session.connection().exec_driver_sql("ROLLBACK")
                    raise SchedulingError(f"{one}")
            told.append(f"{one}")

    at_once(24, write)
    with sqlite_database.reading() as session:
        assert sorted(session.scalars(select(IdempotencyKey.key))) == sorted(told)


def test_a_transaction_inside_another_is_refused_on_one_file(sqlite_database):
    with pytest.raises(RuntimeError), sqlite_database.transaction(), sqlite_database.transaction():
        pass
    with sqlite_database.transaction() as session:
        session.add(_key("after"))


def test_a_connection_that_was_cut_while_it_was_idle_is_made_anew(postgres_database):
    with postgres_database.reading() as session:
        backend = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other = Database(postgres_database.url)
    with other.transaction() as session:
        session.connection().exec_driver_sql(f"SELECT pg_terminate_backend({backend})")
    other.dispose()
    time.sleep(1.1)
    with postgres_database.transaction() as session:
        session.add(_key("after"))


def _key(key: str) -> IdempotencyKey:
    return IdempotencyKey(key=key, result={}, created_at=NOW)
