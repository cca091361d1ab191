"""The database: one engine, transactions that open at the edge, and the line between one clinic's rows and another's."""

from __future__ import annotations

import fcntl
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker, with_loader_criteria
from sqlalchemy.pool import ConnectionPoolEntry

from scheduling_core import patient_keys
from scheduling_core.models.base import Base

DEFAULT_ORGANIZATION = "clinic"
_IDLE_SECONDS = 1  # how long a pooled connection is believed to live without being asked
_BATCH_SECONDS = 0.02  # a commit takes in nobody who comes later than that


class Database:
    """An engine with the two ways to open a transaction."""

    def __init__(self, url: str, organization: str = DEFAULT_ORGANIZATION) -> None:
        self.url = url
        self.organization = organization
        self.engine = _engine(url)
        self._sessions = sessionmaker(self.engine, class_=_ScopedSession, expire_on_commit=False)
        lock_file = _lock_file(self.engine)
        self._writers = _Writers(self.engine, lock_file) if lock_file else None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction that may write: on the disk at the end, rolled back on any exception. No network call belongs inside."""
        if self._writers is None:
            with self._open(self._sessions()) as session:
                yield session
            return
        with (
            self._writers.turn() as connection,
            self._open(self._sessions(bind=connection, join_transaction_mode="create_savepoint")) as session,
        ):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads."""
        session = self._sessions()
        session.connection(execution_options={"frontdesk_writes": False})
        with self._open(session):
            yield session

    @contextmanager
    def _open(self, session: Session) -> Iterator[Session]:
        session.info["organization"] = self.organization
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


event.listen(_ScopedSession, "after_flush", patient_keys.note_changes)


def _engine(url: str) -> Engine:
    """Parameters are hidden: an error's text goes to logs, and what patients say of themselves does not."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, isolation_level="READ COMMITTED", pool_size=20, max_overflow=40, hide_parameters=True)
        _ping_when_idle(engine)
        return engine
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


def _ping_when_idle(engine: Engine) -> None:
    """Ask a pooled connection whether it still lives only when it was idle: asking is a round trip of each transaction."""

    @event.listens_for(engine, "checkin")
    def _note(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", math.inf) < _IDLE_SECONDS:  # inf: it is new
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool connects anew


def _lock_file(engine: Engine) -> Path | None:
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(engine.url.database).with_suffix(".lock")


class _Batch:
    """The writers of one commit."""

    def __init__(self, engine: Engine, lock_file: Path) -> None:
        self.began = time.monotonic()
        self.is_over = threading.Event()
        self.error: BaseException | None = None
        with ExitStack() as taken:
            lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            taken.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.connection: Connection = taken.enter_context(engine.connect())
            self._transaction = self.connection.begin()
            self._taken = taken.pop_all()

    @property
    def is_whole(self) -> bool:
        """Whether what the writers did is all there, and nothing else, when no writer is at work.

        Where the disk is full or fails SQLite undoes the transaction itself, the savepoints of earlier writers with it.
        """
        driver: Any = self.connection.connection.driver_connection
        return driver.in_transaction and not self.connection.in_nested_transaction()

    def end(self) -> None:
        try:
            if not self.is_whole:
                raise OperationalError("COMMIT", None, RuntimeError("the transaction is undone"), hide_parameters=True)
            self._transaction.commit()
        except BaseException as error:
            self.error = error
            self.connection.invalidate()  # SQLite keeps a transaction open whose COMMIT failed
        finally:
            self._taken.close()
            self.is_over.set()


class _Writers:
    """Who writes to one SQLite file: one at a time, and those of this process that queue share one commit.

    Each has a savepoint of its own, and is answered when what all of them did is on the disk: a kill before that undoes what nobody
    was told of. Processes queue on a file lock: a queue in the kernel is fair, polling on a busy database starves.
    """

    def __init__(self, engine: Engine, lock_file: Path) -> None:
        self._engine = engine
        self._lock_file = lock_file
        self._mutex = threading.Lock()  # of the queue
        self._queue: deque[_Turn] = deque()  # the first is at work
        self._batch: _Batch | None = None  # of the first, when it has joined or begun one

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """The connection to write with, alone. Raises what the commit raises, RuntimeError inside another turn of the thread."""
        self._wait()
        try:
            batch = self._batch = self._batch or _Batch(self._engine, self._lock_file)
            yield batch.connection
        finally:
            self._leave()
        batch.is_over.wait()
        if batch.error is not None:
            raise batch.error

    def _wait(self) -> None:
        mine = _Turn()
        with self._mutex:
            if self._queue and self._queue[0].thread == mine.thread:
                raise RuntimeError("a transaction that writes inside another")
            self._queue.append(mine)
            if self._queue[0] is mine:
                return
        try:
            mine.has_come.wait()
        except BaseException:  # Ctrl-C
            with self._mutex:
                is_waiting = self._queue[0] is not mine
                if is_waiting:
                    self._queue.remove(mine)
            if not is_waiting:
                self._leave()
            raise

    def _leave(self) -> None:
        """Let the next one join the batch, or end it first."""
        batch = self._batch
        with self._mutex:
            if batch is None or (len(self._queue) > 1 and batch.is_whole and time.monotonic() - batch.began < _BATCH_SECONDS):
                self._pass_on()
                return
        self._batch = None
        batch.end()
        with self._mutex:
            self._pass_on()

    def _pass_on(self) -> None:
        self._queue.popleft()
        if self._queue:
            self._queue[0].has_come.set()


class _Turn:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.has_come = threading.Event()
