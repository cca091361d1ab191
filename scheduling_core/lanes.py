"""The lanes of the occupancy table: who lies above a visit, and who comes down when it goes.

Lane 0 is everybody's; a visit in a higher lane was overbooked on purpose (see `overbooking`). It has the practitioner alone there:
room and patient are always claimed in lane 0. A visit and those above it, or below it, are locked in one statement by id, whatever
their lanes: any other order deadlocks. Who overbooks locks what lies below, so that nobody new comes above a visit that is locked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import String, Table, and_, bindparam, delete, select, union, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import audit
from scheduling_core.models import Appointment, occupancy
from scheduling_core.statements import BACK, RELEASE, SAVEPOINT, Rows, Statement, Step, run

_appointments = cast(Table, Appointment.__table__)
Tick = tuple[str, int, int]  # actor, tick, lane


def locked(session: Session, appointment_id: str) -> tuple[Any, list[Any]]:
    """An appointment as it is now, None where there is none, and the overbooked visits over it, the lowest lane first.

    All are kept from others until the transaction ends. Asked before any hold is locked and any tick claimed.
    """
    while True:
        _, rows, above = run(session, (SAVEPOINT, {}), *locking(appointment_id))
        found = among_locked(appointment_id, rows, above)
        if found is not None:
            run(session, (RELEASE, {}))
            return found
        run(session, (BACK, {}), (RELEASE, {}))


def locking(appointment_id: str) -> tuple[Step, Step]:
    """What `locked` does, as steps of `statements.run`; `among_locked` reads what they find."""
    return (_LOCK, {"appointment": appointment_id}), (_ABOVE, {"appointment": appointment_id})


def among_locked(appointment_id: str, rows: Rows, above: Rows) -> tuple[Any, list[Any]] | None:
    """The answer of `locked`. None: somebody came above while the locks were waited for; go back, keep no lock, and ask anew."""
    found = {row.id: row for row in map(as_row, rows)}
    if any(one not in found for (one,) in above):
        return None
    over = [found[one] for (one,) in above]
    return found.get(appointment_id), sorted(over, key=lambda one: (one.lane, one.id))


def promote(session: Session, above: Collection[Any], now: dt.datetime, agent: str) -> None:
    """Bring those of `locked` down to lane 0 whose ticks are all free there now: called when the visit below has gone."""
    connection, organization = session.connection(), session.info["organization"]
    for visit in above:
        mine = {"organization": organization, "appointment": visit.id}
        higher = connection.execute(_HIGHER, mine).all()  # as it is now: it may have moved while its lock was waited for
        if not higher or missing(session, visit.id, [(actor, tick, 0) for actor, tick in higher]):
            continue
        connection.execute(_LEAVE_HIGHER, mine)
        connection.execute(
            update(_appointments)
            .where(_appointments.c.organization_id == organization, _appointments.c.id == visit.id)
            .values(lane=0, updated_at=now)
        )
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Appointment",
            entity_id=visit.id,
            patient_id=visit.patient_id,
            detail={"lane": {"old": visit.lane, "new": 0}},
        )


def missing(session: Session, appointment_id: str, wanted: Collection[Tick]) -> set[Tick]:
    """Claim ticks for an appointment, all or none; which of them others have, nothing when all are its own now."""
    connection = session.connection()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    rows = [
        {
            "organization_id": session.info["organization"],
            "actor": actor,
            "tick": tick,
            "lane": lane,
            "appointment_id": appointment_id,
        }
        for actor, tick, lane in sorted(wanted)
    ]
    savepoint = connection.begin_nested()
    statement = dialect.insert(occupancy).values(rows).on_conflict_do_nothing()
    got = connection.execute(statement.returning(occupancy.c.actor, occupancy.c.tick, occupancy.c.lane)).all()
    lost = set(wanted) - {(actor, tick, lane) for actor, tick, lane in got}
    if lost:
        savepoint.rollback()
    else:
        savepoint.commit()
    return lost


def as_row(values: tuple[Any, ...]) -> Any:
    """A row of all columns of the appointments, by their names."""
    return SimpleNamespace(**dict(zip(_COLUMNS, values, strict=True)))


_COLUMNS = [column.key for column in _appointments.columns]
_mine, _other = occupancy.alias(), occupancy.alias()
_lies_above = (
    select(_other.c.appointment_id)
    .join_from(
        _mine,
        _other,
        and_(_other.c.organization_id == _mine.c.organization_id, _other.c.actor == _mine.c.actor, _other.c.tick == _mine.c.tick),
    )
    .where(
        _mine.c.organization_id == bindparam("organization"),
        _mine.c.appointment_id == bindparam("appointment"),
        _mine.c.lane == 0,
        _other.c.lane > 0,
    )
)
_ABOVE = Statement(_lies_above.distinct())
_LOCK = Statement(
    select(_appointments)
    .where(
        _appointments.c.organization_id == bindparam("organization"),
        _appointments.c.id.in_(union(select(cast_to(bindparam("appointment"), String)), _lies_above)),
    )
    .order_by(_appointments.c.id)
    .with_for_update()
)
_IS_HIGHER = (
    occupancy.c.organization_id == bindparam("organization"),
    occupancy.c.appointment_id == bindparam("appointment"),
    occupancy.c.lane > 0,
)
_HIGHER = select(occupancy.c.actor, occupancy.c.tick).where(*_IS_HIGHER)
_LEAVE_HIGHER = delete(occupancy).where(*_IS_HIGHER)
