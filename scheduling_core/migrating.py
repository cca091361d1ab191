"""Bringing a database's tables up to date.

`python -m scheduling_core.migrating "Add the waitlist"` writes the next migration from what the models say; read it before you
commit it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text

from scheduling_core.db import Database

_PLACE = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 7_140_228_011  # any number of our own: whoever upgrades at the same time waits for it


def upgrade(url: str, revision: str = "head") -> None:
    """Create or migrate the tables of the database at this SQLAlchemy URL. Of several processes at once, one does it."""
    database = Database(url)
    if database.engine.dialect.name == "sqlite":
        event.listen(database.engine, "connect", _without_foreign_keys)
    try:
        with database.transaction() as session:
            connection = session.connection()
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
            command.upgrade(config(connection), revision)
            if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                raise RuntimeError(f"the migration left a row of {broken[0]} that points at nothing; nothing was changed")
    finally:
        database.dispose()


def _without_foreign_keys(connection: Any, _: Any) -> None:
    """SQLite alters a table by building it anew, which its foreign keys would forbid; they are checked at the end."""
    connection.execute("PRAGMA foreign_keys=OFF")


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings; with a connection, it works inside that connection's transaction."""
    settings = Config()
    settings.set_main_option("script_location", str(_PLACE).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def revise(message: str) -> None:
    """Write the next migration: the difference between the migrations so far and the models."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.sqlite"
        upgrade(url)
        database = Database(url)
        number = len(list(ScriptDirectory.from_config(config()).walk_revisions())) + 1
        with database.transaction() as session:
            command.revision(config(session.connection()), message=message, autogenerate=True, rev_id=f"{number:04d}")
        database.dispose()


if __name__ == "__main__":
    revise(sys.argv[1])
