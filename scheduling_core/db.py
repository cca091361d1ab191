"""The database: one engine, transactions that open at the edge, and the line between one clinic's rows and another's."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker, with_loader_criteria

from scheduling_core.models.base import Base

DEFAULT_ORGANIZATION = "clinic"


class Database:
    """An engine with the two ways to open a transaction."""

    def __init__(self, url: str, organization: str = DEFAULT_ORGANIZATION) -> None:
        self.url = url
        self.organization = organization
        self.engine = _engine(url)
        self._sessions = sessionmaker(self.engine, class_=_ScopedSession, expire_on_commit=False)
        self._lock_file = _lock_file(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction that may write: committed at the end, rolled back on any exception. No network call belongs inside."""
        with _writer_turn(self._lock_file), self._open(writes=True) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads."""
        with self._open(writes=False) as session:
            yield session

    @contextmanager
    def _open(self, *, writes: bool) -> Iterator[Session]:
        session = self._sessions()
        session.info["organization"] = self.organization
        session.connection(execution_options={"frontdesk_writes": writes})
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def dispose(self) -> None:
        self.engine.dispose()


class _ScopedSession(Session):
    """A session that sees and writes the rows of one organization only."""


@event.listens_for(_ScopedSession, "do_orm_execute")
def _see_own_rows(state: ORMExecuteState) -> None:
    if state.is_select and not state.is_column_load and not state.is_relationship_load:
        organization = state.session.info["organization"]
        state.statement = state.statement.options(
            with_loader_criteria(Base, lambda cls: cls.organization_id == organization, include_aliases=True)
        )


@event.listens_for(_ScopedSession, "before_flush")
def _write_own_rows(session: Session, *_: Any) -> None:
    for row in session.new:
        if isinstance(row, Base):
            row.organization_id = session.info["organization"]


def _engine(url: str) -> Engine:
    """Parameters are hidden: an error's text goes to logs, and what patients say of themselves does not."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            url, isolation_level="READ COMMITTED", pool_size=20, max_overflow=40, pool_pre_ping=True, hide_parameters=True
        )
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=20, max_overflow=60, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN below, not the driver's
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("frontdesk_writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _lock_file(engine: Engine) -> Path | None:
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(engine.url.database).with_suffix(".lock")


@contextmanager
def _writer_turn(lock_file: Path | None) -> Iterator[None]:
    """Writers of one SQLite file queue on a file lock: a queue in the kernel is fair, polling on a busy database starves."""
    if lock_file is None:
        yield
        return
    handle = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
