"""Writes that happen once, however often they are asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Compiled, Dialect, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.models import Base, IdempotencyKey


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
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).on_conflict_do_nothing().returning(table.__mapper__.primary_key[-1])
    return statement.compile(dialect=dialect, column_keys=list(columns))


def earlier_answer(session: Session, key: str | None) -> dict[str, Any] | None:
    """What the write under this key answered, or None when it has not been done.

    None makes the key ours: the caller does the write and calls `remember` in the same transaction. Of two that ask at once, the
    second waits for the first. Without a key: None.
    """
    if key is None or insert_unless_there(session, IdempotencyKey, key=key, result={}, created_at=times.now()):
        return None
    answer: dict[str, Any] = session.scalars(select(IdempotencyKey.result).where(IdempotencyKey.key == key)).one()
    return answer


def is_done(session: Session, key: str) -> bool:
    """Whether a write under this key was committed."""
    return session.connection().execute(_IS_DONE, {"organization": session.info["organization"], "key": key}).first() is not None


_IS_DONE = select(IdempotencyKey.key).where(
    IdempotencyKey.organization_id == bindparam("organization"), IdempotencyKey.key == bindparam("key")
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
