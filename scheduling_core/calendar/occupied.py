"""What is taken: the visits and live holds in a stretch of time, read as plain rows and laid into bitmaps.

Search reads these intervals; the ticks of the occupancy table only guard.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, select, text, type_coerce
from sqlalchemy.orm import Session

from scheduling_core.calendar import ticks
from scheduling_core.models import Appointment

_table = Appointment.__table__.c
# Literal, so that both engines see that the partial indexes of the table hold every row wanted.
_HOLDS_TIME = text("status IN ('proposed', 'pending', 'booked', 'arrived', 'checked-in', 'fulfilled')")
_AT_ONCE = 10_000  # rows: a year of a large clinic is not held in memory
_ONES = [b"1" * length for length in range(3 * ticks.A_DAY + 1)]  # a visit of a day with a day's buffers is the longest


@dataclass(frozen=True, slots=True)
class Taken:
    """The bitmaps of actors over ticks from `first` to `end`, and who has which stretch."""

    first: int
    end: int
    busy: dict[str, int] = field(default_factory=dict)
    stretches: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # first tick, and whose it is; by time

    def bits(self, actor: str, first: int, length: int) -> int:
        """The taken ticks of an actor, as a bitmap that counts from `first`."""
        mine = self.busy.get(actor)
        return (mine >> (first - self.first)) & ticks.ones(length) if mine else 0

    def visits(self, actor: str, first: int, end: int) -> int:
        """How many visits start in this stretch. All holds of one conversation count as one: it will book one of them."""
        starts = self.stretches.get(actor, [])
        return len({whose for _, whose in starts[bisect_left(starts, (first, "")) : bisect_left(starts, (end, ""))]})


def practitioners(
    session: Session,
    ids: Collection[str],
    *,
    first: int,
    end: int,
    now: dt.datetime,
    counted: Collection[str] = (),
    apart_from: str | None = None,
) -> Taken:
    """What practitioners have between two ticks, buffers included; for those `counted` also how many visits start when.

    `apart_from` is an appointment whose time counts as free.
    """
    return _read(session, "practitioner_id", ids, first, end, now, counted, apart_from)


def rooms(
    session: Session, ids: Collection[str], *, first: int, end: int, now: dt.datetime, apart_from: str | None = None
) -> Taken:
    """What rooms have between two ticks, buffers included."""
    return _read(session, "room_id", ids, first, end, now, (), apart_from)


def patient(session: Session, patient_id: str, *, first: int, end: int, apart_from: str | None = None) -> Taken:
    """A patient's own visits between two ticks, without buffers. Holds do not count: two offers may be at one time."""
    rows = session.connection().execute(
        select(_table.id, _table.start, _table.end).where(
            _table.organization_id == session.info["organization"],
            _table.patient_id == patient_id,
            _table.status != "proposed",
            _HOLDS_TIME,
            _table.end > ticks.instant_of(first),
            _table.start < ticks.instant_of(end),
        )
    )
    taken = 0
    for appointment_id, start, until in rows:
        if appointment_id != apart_from:
            taken |= _bits(max(ticks.tick_of(start), first), min(ticks.tick_from(until), end), first)
    return Taken(first, end, {patient_id: taken})


def _read(
    session: Session,
    actor: str,
    ids: Collection[str],
    first: int,
    end: int,
    now: dt.datetime,
    counted: Collection[str],
    apart_from: str | None,
) -> Taken:
    statement = _statement(actor, counts=bool(counted), leaves_out=apart_from is not None)
    values = {"organization": session.info["organization"], "ids": list(ids), "first": first, "end": end, "now": now}
    values["last"] = end + ticks.A_DAY
    if apart_from is not None:
        values["apart_from"] = apart_from
    stretches: dict[str, list[tuple[int, str]]] = {}
    taken = {one: bytearray(b"0" * (end - first)) for one in ids}  # a digit a tick, the last tick first: a binary number
    result = session.connection().execute(statement, values)
    while rows := result.cursor.fetchmany(_AT_ONCE):  # text and numbers: the driver's own rows are good, and half the cost
        for who, a, b, *_ in rows:
            if first <= a and b <= end:
                taken[who][end - b : end - a] = _ONES[b - a]
            else:
                taken[who][max(end - b, 0) : end - max(a, first)] = _ONES[min(b, end) - max(a, first)]
        if counted:
            for who, a, _, appointment_id, status, held_for in rows:
                if who in counted:
                    stretches.setdefault(who, []).append((a, held_for if status == "proposed" and held_for else appointment_id))
    result.close()
    for starts in stretches.values():
        starts.sort()
    return Taken(first, end, {who: int(digits, 2) for who, digits in taken.items() if digits}, stretches)


def _bits(a: int, b: int, base: int) -> int:
    return ((1 << (b - a)) - 1) << (a - base) if a < b else 0


@cache
def _statement(actor: str, *, counts: bool, leaves_out: bool) -> Any:
    """The rows of actors that overlap a stretch. A visit lasts a day at most: that bounds the index at both ends."""
    columns: list[ColumnElement[Any]] = [_table[actor], _table.first_tick, _table.end_tick]
    if counts:
        columns += [_table.id, type_coerce(_table.status, String), _table.held_for]
    statement = select(*columns).where(
        _table.organization_id == bindparam("organization"),
        _table[actor].in_(bindparam("ids", expanding=True)),
        _table.end_tick > bindparam("first"),
        _table.end_tick <= bindparam("last"),
        _table.first_tick < bindparam("end"),
        _HOLDS_TIME,
        (_table.status != "proposed") | (_table.hold_expires_at > bindparam("now")),
    )
    return statement.where(_table.id != bindparam("apart_from")) if leaves_out else statement
