"""Writes that happen once, however often they are asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Compiled, Dialect, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.models import Base, IdempotencyKey
from scheduling_core.statements import Statement, Step, run


def insert_unless_there(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless a unique key of it is taken; False when it is.

    Waits for a transaction that is inserting the same key, and never fails because of it.
    """
    session.flush()
    connection = session.connection()
    values["organization_id"] = session.info["organization"]
    statement = _insert(table, connection.dialect, tuple(sorted(values)))
    return connection.execute(statement, values).first() is not None  # type: ignore[call-overload]  # compiled is not typed for it


@cache
def _insert(table: type[Base], dialect: Dialect, columns: tuple[str, ...]) -> Compiled:
    """Compiled once: SQLAlchemy remembers no statement with ON CONFLICT."""
    statement: Any = _insert_of(dialect.name)(table).on_conflict_do_nothing().returning(table.__mapper__.primary_key[-1])
    compiled: Compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    return compiled


def _insert_of(dialect: str) -> Any:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def earlier_answer(session: Session, key: str | None) -> dict[str, Any] | None:
    """What the write under this key answered, or None when it has not been done.

    None makes the key ours: the caller does the write and calls `remember` in the same transaction. Of two that ask at once, the
    second waits for the first. Without a key: None.
    """
    if key is None or insert_unless_there(session, IdempotencyKey, key=key, result={}, created_at=times.now()):
        return None
    return answer(session, key)


def is_done(session: Session, key: str) -> bool:
    """Whether a write under this key was committed."""
    return answer(session, key) is not None


def answer(session: Session, key: str) -> dict[str, Any] | None:
    """What the write under this key answered, or None when none was committed."""
    [found] = run(session, (_ANSWER, {"key": key}))
    return found[0][0] if found else None


_ANSWER = Statement(
    select(IdempotencyKey.result).where(
        IdempotencyKey.organization_id == bindparam("organization"), IdempotencyKey.key == bindparam("key")
    )
)


def insertion(key: str, result: dict[str, Any]) -> Step:
    """Take a key, as a step of `statements.run`: it gives a row when the key is ours, none when it was taken before."""
    return _TAKE, {"key": key, "result": result, "created_at": times.now()}


_TAKE = Statement(
    lambda dialect: _insert_of(dialect)(IdempotencyKey).on_conflict_do_nothing().returning(IdempotencyKey.key),
    ("organization_id", "key", "result", "created_at"),
)


def remember(session: Session, key: str | None, result: dict[str, Any]) -> None:
    """Keep the answer of the write whose key `earlier_answer` gave us."""
    if key is not None:
        organization = session.info["organization"]
        session.execute(
            update(IdempotencyKey)
            .where(IdempotencyKey.organization_id == organization, IdempotencyKey.key == key)
            .values(result=result)
            .execution_options(synchronize_session=False)
        )
