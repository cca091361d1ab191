"""The migrations make the tables that the models describe."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

from scheduling_core import migrating
from scheduling_core.db import Database
from scheduling_core.models import Base


def test_the_migrations_and_the_models_agree(bare_url: str) -> None:
    migrating.upgrade(bare_url)
    database = Database(bare_url)
    try:
        with database.reading() as session:
            connection = session.connection()
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []
            inspector = inspect(connection)
            for table in Base.metadata.sorted_tables:
                checks = {check["name"] for check in inspector.get_check_constraints(table.name)}
                assert checks == {str(rule.name) for rule in table.constraints if isinstance(rule, CheckConstraint)}, table.name
    finally:
        database.dispose()


def test_upgrading_again_changes_nothing_and_keeps_what_is_there(bare_url: str) -> None:
    migrating.upgrade(bare_url)
    database = Database(bare_url)
    try:
        with database.transaction() as session:
            session.execute(text("INSERT INTO location (organization_id, id, name, active) VALUES ('clinic', 'n', 'North', true)"))
        migrating.upgrade(bare_url)
        with database.reading() as session:
            assert session.execute(text("SELECT name FROM location")).scalars().all() == ["North"]
    finally:
        database.dispose()


def test_several_processes_may_upgrade_at_once(bare_url: str) -> None:
    mishaps: list[Exception] = []

    def upgrade() -> None:
        try:
            migrating.upgrade(bare_url)
        except Exception as mishap:
            mishaps.append(mishap)

    several = [threading.Thread(target=upgrade) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert mishaps == []


def test_ticks_are_stored_in_the_order_of_their_key_on_sqlite(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        made = session.execute(text("SELECT sql FROM sqlite_master WHERE name = 'occupancy'")).scalar_one()
        assert made.rstrip().endswith("WITHOUT ROWID")


def test_a_migration_that_orphans_a_row_is_taken_back(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/frontdesk.sqlite"
    migrating.upgrade(url)
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
            connection.execute(text("INSERT INTO patient_phone VALUES ('clinic', 'nobody', '+14145550142', 1)"))
            connection.commit()
        with pytest.raises(RuntimeError, match="points at nothing"):
            migrating.upgrade(url)
    finally:
        database.dispose()
