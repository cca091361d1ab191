"""Search parameters: what was asked, and the conditions on columns that it means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, func, or_

from scheduling_core.fhir import reading
from scheduling_core.fhir.reading import MalformedError

PAGE = 100
LONGEST_PAGE = 1000
_IGNORED = ("_format", "_pretty", "_summary", "_elements", "_total", "_sort")  # how to show it: we show all, in our order
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


@dataclass(frozen=True)
class Query:
    """`asked`: values by parameter; of one parameter given twice both must hold, of values with commas between any.

    `count` and `offset` are the page; `given` is what to repeat in the links.
    """

    asked: dict[str, list[list[str]]] = field(default_factory=dict)
    count: int = PAGE
    offset: int = 0
    given: tuple[tuple[str, str], ...] = ()

    def any_of(self, name: str) -> list[str] | None:
        """The values that are allowed by every mention of the parameter; None where it is not mentioned."""
        mentions = self.asked.get(name)
        if not mentions:
            return None
        return [value for value in mentions[0] if all(value in other for other in mentions[1:])]

    def codes(self, name: str) -> list[str] | None:
        """As any_of, for tokens: `system|code` counts as `code`."""
        mentions = self.asked.get(name)
        if not mentions:
            return None
        bare = [[value.rpartition("|")[2] for value in mention] for mention in mentions]
        return [value for value in bare[0] if all(value in other for other in bare[1:])]

    def ids(self, name: str, kind: str) -> list[str] | None:
        """As any_of, for references to a kind of resource."""
        mentions = self.asked.get(name)
        if not mentions:
            return None
        bare = [[reading.id_of(value, kind, name) for value in mention] for mention in mentions]
        return [value for value in bare[0] if all(value in other for other in bare[1:])]


def read_query(pairs: Iterable[tuple[str, str]], known: Iterable[str], *, lenient: bool = False) -> Query:
    """Raises MalformedError for a parameter that is not among the known ones (a search that ignored it would tell too much).

    `lenient` is the sender's own wish that such parameters are ignored.
    """
    allowed = {*known, "_id", "_count", "_offset"}
    asked: dict[str, list[list[str]]] = {}
    given: list[tuple[str, str]] = []
    count, offset = PAGE, 0
    for name, value in pairs:
        if name in _IGNORED or not value:
            continue
        if name not in allowed:
            if lenient:
                continue
            raise MalformedError(name, f"is no search parameter here; there are {', '.join(sorted(allowed - {'_offset'}))}")
        if not reading.is_storable(value):
            raise MalformedError(name, "must not hold a NUL or half a character")
        if name == "_count":
            count = min(_whole(name, value), LONGEST_PAGE)
        elif name == "_offset":
            offset = _whole(name, value)
        else:
            asked.setdefault(name, []).append([part.replace("\\,", ",") for part in re.split(r"(?<!\\),", value)])
            given.append((name, value))
    return Query(asked, count, offset, tuple(given))


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise MalformedError(name, "must be a whole number")
    return int(value)


def among(column: Any, values: list[str] | None) -> list[ColumnElement[bool]]:
    """The condition that a column has one of the values; none where the parameter was not given."""
    if values is None:
        return []
    return [column.in_(values) if values else false()]


def states(column: Any, kind: Any, values: list[str] | None) -> list[ColumnElement[bool]]:
    """As `among`, for a column of a StrEnum; words that it does not have match nothing."""
    if values is None:
        return []
    return among(column, [kind(value) for value in values if value in list(kind)])


def begins(columns: list[Any], mentions: list[list[str]] | None) -> list[ColumnElement[bool]]:
    """A FHIR string search: a word of one of the columns begins so, whatever the case."""
    conditions = []
    for mention in mentions or []:
        tests = []
        for value in mention:
            start = re.sub(r"([\\%_])", r"\\\1", value.strip().lower())
            for column in columns:
                tests += [func.lower(column).like(f"{start}%", escape="\\"), func.lower(column).like(f"% {start}%", escape="\\")]
        conditions.append(or_(*tests))
    return conditions


def when(
    column: Any, mentions: list[list[str]] | None, name: str, zone: ZoneInfo, *, whole_days: bool = False
) -> list[ColumnElement[bool]]:
    """A FHIR date search with its prefixes on a column of instants, or of dates with `whole_days`."""
    conditions = []
    for mention in mentions or []:
        tests = []
        for value in mention:
            prefix, rest = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
            first, last = reading.period(rest, name, zone)
            if whole_days:
                tests.append(_compare(column, prefix, first.astimezone(zone).date(), last.astimezone(zone).date()))
            else:
                tests.append(_compare(column, prefix, first, last))
        conditions.append(or_(*tests))
    return conditions


def _compare(column: Any, prefix: str, first: dt.date, last: dt.date) -> ColumnElement[bool]:
    """`first` is included, `last` excluded; where they are one instant it is that instant."""
    instant = first == last
    inside: ColumnElement[bool] = column == first if instant else and_(column >= first, column < last)
    compare: dict[str, Callable[[], ColumnElement[bool]]] = {
        "eq": lambda: inside,
        "ap": lambda: inside,
        "ne": lambda: ~inside,
        "ge": lambda: column >= first,
        "gt": lambda: column > first if instant else column >= last,
        "sa": lambda: column > first if instant else column >= last,
        "lt": lambda: column < first,
        "eb": lambda: column < first,
        "le": lambda: column <= first if instant else column < last,
    }
    return compare[prefix]()


def window(mentions: list[list[str]] | None, name: str, zone: ZoneInfo) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The stretch of starts that a date parameter leaves, end excluded; open ends are None. Only ranges: no `ne`, no commas."""
    first: dt.datetime | None = None
    end: dt.datetime | None = None
    for mention in mentions or []:
        if len(mention) > 1:
            raise MalformedError(name, "takes one date or time at a time; give it twice for a range")
        value = mention[0]
        prefix, rest = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
        low, high = reading.period(rest, name, zone)
        after = high if high > low else low + dt.timedelta(microseconds=1)
        if prefix in ("eq", "ap", "ge", "gt", "sa"):
            bound = after if prefix in ("gt", "sa") else low
            first = max(first, bound) if first else bound
        if prefix in ("eq", "ap", "le", "lt", "eb"):
            bound = low if prefix in ("lt", "eb") else after
            end = min(end, bound) if end else bound
        if prefix == "ne":
            raise MalformedError(name, "does not take the prefix ne")
    return first, end
