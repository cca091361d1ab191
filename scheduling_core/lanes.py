"""The lanes of the occupancy table: who lies above a visit, and who comes down when it goes.

Lane 0 is everybody's; a visit in a higher lane was overbooked on purpose (see `overbooking`). It has the practitioner alone there:
room and patient are always claimed in lane 0. Locks are taken in one order, the visit below before those above it, so that nothing
deadlocks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import audit
from scheduling_core.models import LIVE, Appointment, occupancy

_appointments = cast(Table, Appointment.__table__)
Tick = tuple[str, int, int]  # actor, tick, lane


def locked_above(session: Session, visit: Row[Any]) -> list[Row[Any]]:
    """The overbooked visits over a visit in lane 0, kept from others until the transaction ends; the lowest lane first.

    Asked when the visit itself is locked, before any tick is claimed. `visit` is a row of the appointments.
    """
    if visit.lane or visit.status not in LIVE:
        return []
    wanted = {
        "organization": session.info["organization"],
        "actor": f"practitioner:{visit.practitioner_id}",
        "first": visit.first_tick,
        "end": visit.end_tick,
    }
    return sorted(session.connection().execute(_ABOVE, wanted), key=lambda one: (one.lane, one.id))


def promote(session: Session, above: Collection[Row[Any]], now: dt.datetime, agent: str) -> None:
    """Bring those of `locked_above` down to lane 0 whose ticks are all free there now: called when the visit below has gone."""
    connection, organization = session.connection(), session.info["organization"]
    for visit in above:
        mine = {"organization": organization, "appointment": visit.id}
        higher = connection.execute(_HIGHER, mine).all()  # as it is now: it may have moved while its lock was waited for
        if not higher or missing(session, visit.id, [(actor, tick, 0) for actor, tick in higher]):
            continue
        leave(session, visit.id)
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


def leave(session: Session, appointment_id: str) -> None:
    """Give up the ticks of an appointment in higher lanes."""
    session.connection().execute(_LEAVE_HIGHER, {"organization": session.info["organization"], "appointment": appointment_id})


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


_ABOVE = (
    select(_appointments.c.id, _appointments.c.patient_id, _appointments.c.lane)
    .where(
        _appointments.c.organization_id == bindparam("organization"),
        _appointments.c.id.in_(
            select(occupancy.c.appointment_id).where(
                occupancy.c.organization_id == bindparam("organization"),
                occupancy.c.actor == bindparam("actor"),
                occupancy.c.tick >= bindparam("first"),
                occupancy.c.tick < bindparam("end"),
                occupancy.c.lane > 0,
            )
        ),
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
