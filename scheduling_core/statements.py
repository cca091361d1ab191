"""Statements of the hot path: written in SQLAlchemy Core, compiled once, run by the driver's own cursor.

Core spends some ten times on a small statement what the driver does, and a booking has ten of them. On PostgreSQL the statements
of one `run` share a round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Rows = list[tuple[Any, ...]]
_Convert = Callable[[Any], Any]


class Statement:
    """One statement, the same each time save for its named values; a value left out is the statement's own, or NULL.

    `written` is SQL, a Core statement without expanding parameters, or what makes one for a dialect's name. An insert names the
    columns that it fills.
    """

    def __init__(self, written: str | ClauseElement | Callable[[str], ClauseElement], columns: Sequence[str] | None = None) -> None:
        self._written = written
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def compiled(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> _Compiled:
        if isinstance(self._written, str):
            return _Compiled(self._written, (), (), is_positional=True)
        statement: Any = self._written if isinstance(self._written, ClauseElement) else self._written(dialect.name)
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)
        binds = [(name, compiled.binds[name]) for name in (compiled.positiontup or compiled.binds)]
        values = tuple(
            (name, None if one.required else one.value, one.type.dialect_impl(dialect).bind_processor(dialect))
            for name, one in binds
        )
        results = tuple(column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.exported_columns)
        return _Compiled(str(compiled), values, results, is_positional=compiled.positional)


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    values: tuple[tuple[str, Any, _Convert | None], ...]  # name, own value, what makes of a value the driver's
    results: tuple[_Convert | None, ...]
    is_positional: bool

    def bound(self, given: Mapping[str, Any]) -> Any:
        if self.is_positional:
            return [convert(given.get(name, own)) if convert else given.get(name, own) for name, own, convert in self.values]
        return {name: convert(given.get(name, own)) if convert else given.get(name, own) for name, own, convert in self.values}

    def rows(self, cursor: Any) -> Rows:
        if cursor.description is None:
            return []
        found: Rows = cursor.fetchall()
        if not any(self.results):
            return found
        return [
            tuple([convert(value) if convert else value for convert, value in zip(self.results, row, strict=True)]) for row in found
        ]


Step = tuple[Statement, Mapping[str, Any]]  # and its values
# One level of what may be undone. Nothing of the ORM may be pending in it when it is: the session does not know of it.
SAVEPOINT, BACK, RELEASE = (Statement(f"{what} frontdesk") for what in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"))


def run(session: Session, *steps: Step) -> list[Rows]:
    """Run statements one after the other in the session's transaction: the rows of each.

    What the session has not written yet goes first. The values `organization` and `organization_id` are the session's.
    Raises DBAPIError.
    """
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect
    mine = session.info["organization"]
    common = {"organization": mine, "organization_id": mine}
    ready = [(one.compiled(dialect), values) for one, values in steps]
    try:
        if dialect.name == "sqlite" or (len(ready) == 1 and driver.info.transaction_status):  # else BEGIN is a round trip
            return [one.rows(driver.execute(one.sql, one.bound(common | values))) for one, values in ready]  # type: ignore[operator]
        with driver.pipeline():
            cursors = [driver.execute(one.sql, one.bound(common | values)) for one, values in ready]  # type: ignore[operator]
        return [one.rows(cursor) for (one, _), cursor in zip(ready, cursors, strict=True)]
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            "; ".join(one.sql for one, _ in ready), None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
