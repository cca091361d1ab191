"""Claiming time: the ticks that a visit takes of its practitioner, room and patient, and the holds that expired on them.

What refuses a double booking is the primary key of the occupancy table; nothing is trusted that was checked before. Ticks are
claimed in one statement sorted by (actor, tick), so that no two claims wait for each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, and_, bindparam, delete, exists, literal_column, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.calendar import occupied, ticks
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.errors import NotBookableError, PatientBusyError, SchedulingError, TimeTakenError
from scheduling_core.models import Appointment, AppointmentStatus, Practitioner, occupancy
from scheduling_core.statements import Rows, Statement, Step, run

HOLD_EXPIRED = "hold-expired"

Tick = tuple[str, int]  # actor and tick
_appointments = cast(Table, Appointment.__table__)
_table = _appointments.c
_SWEPT_AT_ONCE = 50


@dataclass(frozen=True)
class Visit:
    """A time that the rules allow, ready to be claimed."""

    time: FreeTime
    patient_id: str | None
    rooms: tuple[str, ...]  # that would do, the chosen one first
    day: tuple[int, int]  # the ticks of the practitioner's day
    daily_maximum: int | None

    @property
    def first_room(self) -> str | None:
        return self.rooms[0] if self.rooms else None

    def ticks(self, room_id: str | None) -> set[Tick]:
        """What the visit takes: the buffers take practitioner and room, not the patient."""
        time = self.time
        busy = range(time.first_tick, time.end_tick)
        found = {(f"practitioner:{time.practitioner_id}", tick) for tick in busy}
        if room_id is not None:
            found |= {(f"room:{room_id}", tick) for tick in busy}
        if self.patient_id is not None:
            found |= {(f"patient:{self.patient_id}", tick) for tick in range(*self.patient_ticks)}
        return found

    @property
    def patient_ticks(self) -> tuple[int, int]:
        """The first of the patient's own, and the one after the last."""
        return ticks.tick_of(self.time.start), ticks.tick_from(self.time.end)


class RoomTakenError(TimeTakenError):
    """The time is free, this room is not: another may do."""


# What is seen before a claim.


def look(
    session: Session, practitioner_id: str, rooms: Collection[str], *, first: int, end: int, now: dt.datetime, moving: str | None
) -> tuple[bool, set[str]]:
    """Whether somebody else than `moving` has the practitioner's time, and which expired holds lie on it and on the rooms."""
    practitioner = f"practitioner:{practitioner_id}"
    actors = [practitioner, *(f"room:{room}" for room in rooms)]
    wanted = {"first": first, "end": end} | {f"actor_{number}": actor for number, actor in enumerate(actors)}
    [holders] = run(session, (_whose(len(actors)), wanted))
    expired: set[str] = set()
    is_taken = False
    for holder, status, expires, actor in holders:
        if status == AppointmentStatus.PROPOSED and expires <= now:
            expired.add(holder)
        elif actor == practitioner and holder != moving:
            is_taken = True
    return is_taken, expired


@cache
def _whose(actors: int) -> Statement:
    return Statement(
        select(_table.id, _table.status, _table.hold_expires_at, occupancy.c.actor)
        .distinct()
        .join_from(
            occupancy,
            _appointments,
            and_(_table.organization_id == occupancy.c.organization_id, _table.id == occupancy.c.appointment_id),
        )
        .where(
            occupancy.c.organization_id == bindparam("organization"),
            occupancy.c.actor.in_([bindparam(f"actor_{number}") for number in range(actors)]),
            occupancy.c.tick >= bindparam("first"),
            occupancy.c.tick < bindparam("end"),
        )
    )


def sweep(session: Session, visits: Mapping[str, Visit], now: dt.datetime, agent: str) -> set[str]:
    """End the expired holds that lie on the wanted times.

    The answer is which of the wanted are seen to be taken: their claim would be refused too, only later.
    """
    expired: set[str] = set()
    taken: set[str] = set()
    for one, visit in visits.items():
        time = visit.time
        is_taken, over = look(
            session, time.practitioner_id, visit.rooms, first=time.first_tick, end=time.end_tick, now=now, moving=time.moving
        )
        expired |= over
        if is_taken:
            taken.add(one)
    end_holds(session, expired, now, agent)
    return taken


def end_holds(session: Session, expired: Iterable[str], now: dt.datetime, agent: str) -> int:
    """End these holds, in the order of their ids, unless somebody did or booked them meanwhile; how many."""
    ended = 0
    for hold_id in sorted(expired):
        [rows] = run(session, (_END, {"hold": hold_id, "now": now}))
        for (patient_id,) in rows:
            detail = {"status": {"old": "proposed", "new": HOLD_EXPIRED}}
            entry = audit.insertion(
                agent=agent, action="U", entity="Appointment", entity_id=hold_id, patient_id=patient_id, detail=detail
            )
            run(session, (_DELETE_TICKS, {"appointment": hold_id}), entry)
            ended += 1
    return ended


_END = Statement(
    update(_appointments)
    .where(
        _table.organization_id == bindparam("organization"),
        _table.id == bindparam("hold"),
        _table.status == AppointmentStatus.PROPOSED,
        _table.hold_expires_at <= bindparam("now"),
    )
    .values(status=AppointmentStatus.CANCELLED, cancelled_reason=HOLD_EXPIRED, updated_at=bindparam("now"))
    .returning(_table.patient_id)
)


def end_expired_holds(session: Session, time: FreeTime, *, agent: str) -> None:
    """End the expired holds that lie on a time, for who claims it in another way than `claim`."""
    rooms = (time.room_id,) if time.room_id else ()
    sweep(session, {"wanted": Visit(time, None, rooms, (0, 0), None)}, times.now(), agent)


def any_expired(session: Session) -> bool:
    """Whether a hold has expired that nobody ended: one look at an index."""
    return bool(session.scalar(select(exists(_expired(session, times.now())))))


def end_some_expired(session: Session, *, agent: str, limit: int = _SWEPT_AT_ONCE) -> int:
    """End expired holds whose time nobody has wanted yet; how many, 0 when there are none. Any number of workers may do it."""
    now = times.now()
    some = _expired(session, now).order_by(_table.id).limit(limit).with_for_update(skip_locked=True)
    return end_holds(session, session.connection().execute(some).scalars().all(), now, agent)


def _expired(session: Session, now: dt.datetime) -> Select[tuple[str]]:
    return select(_table.id).where(
        _table.organization_id == session.info["organization"],
        _table.status == literal_column("'proposed'"),  # so that both engines see that the partial index holds every row wanted
        _table.hold_expires_at <= now,
    )


# The claim itself.


def claim(session: Session, visit: Visit, appointment_id: str, owned: set[Tick]) -> str | None:
    """Make all ticks of a visit its own, in one of the rooms that would do: the answer is the room.

    Raises TimeTakenError or PatientBusyError; the caller goes back then or deletes what was claimed in part.
    """
    rooms = visit.rooms or (None,)
    for room_id in rooms:
        claims = {appointment_id: visit.ticks(room_id) - owned}
        if len(visit.rooms) > 1:
            missing = claim_ticks(session, claims)
        else:  # what is claimed in part goes with the savepoint of the whole operation
            missing = lost(claims, run(session, insertion(claims))[0]) if claims[appointment_id] else {}
        if not missing:
            return room_id
        refusal = refused(visit, missing[appointment_id])
        if not isinstance(refusal, RoomTakenError):
            break
    raise refusal


def claim_ticks(session: Session, wanted: Mapping[str, set[Tick]]) -> dict[str, set[Tick]]:
    """Claim the ticks of appointments, of each all or none. The answer is what others have, of those that got none."""
    connection = session.connection()
    without: dict[str, set[Tick]] = {}
    while claims := {one: claim for one, claim in wanted.items() if one not in without and claim}:
        savepoint = connection.begin_nested()
        missing = lost(claims, run(session, insertion(claims))[0])
        if not missing:
            savepoint.commit()
            break
        savepoint.rollback()
        without |= missing
    return without


def insertion(claims: Mapping[str, Collection[Tick]]) -> Step:
    """Insert the ticks that nobody has, as a step of `statements.run`; of two claims here to one tick the first gets it."""
    by_rank = enumerate(claims.items())
    ordered = sorted((actor, tick, rank, one) for rank, (one, claim) in by_rank for actor, tick in claim)
    values: dict[str, Any] = {}
    for number, (actor, tick, _, one) in enumerate(ordered):
        values[f"actor_{number}"], values[f"tick_{number}"], values[f"appointment_{number}"] = actor, tick, one
    return _insert(len(ordered)), values


@cache
def _insert(rows: int) -> Statement:
    values: list[dict[str, Any]] = [
        {
            "organization_id": bindparam("organization"),
            "actor": bindparam(f"actor_{number}"),
            "tick": bindparam(f"tick_{number}"),
            "lane": literal_column("0"),
            "appointment_id": bindparam(f"appointment_{number}"),
        }
        for number in range(rows)
    ]
    return Statement(
        lambda dialect: (
            (sqlite.insert if dialect == "sqlite" else postgresql.insert)(occupancy)
            .values(values)
            .on_conflict_do_nothing()
            .returning(occupancy.c.appointment_id, occupancy.c.actor, occupancy.c.tick)
        )
    )


def lost(claims: Mapping[str, set[Tick]], inserted: Rows) -> dict[str, set[Tick]]:
    """The ticks that others have, of the appointments that did not get all they claimed."""
    missing = {one: set(claim) for one, claim in claims.items()}
    for one, actor, tick in inserted:
        missing[one].discard((actor, tick))
    return {one: ticks for one, ticks in missing.items() if ticks}


def refuse_lost(visit: Visit, appointment_id: str, wanted: Mapping[str, set[Tick]], inserted: Rows, owned: set[Tick]) -> None:
    """Raise what `refused` gives when a visit did not get all its ticks that it had not before."""
    missing = lost(wanted, inserted).get(appointment_id, set()) - owned
    if missing:
        raise refused(visit, missing)


def refused(visit: Visit, missing: Collection[Tick]) -> SchedulingError:
    """Why a visit cannot be had whose ticks others have."""
    kinds = {actor.partition(":")[0] for actor, _ in missing}
    if kinds == {"patient"}:
        return PatientBusyError(place(visit.time))
    return (RoomTakenError if kinds == {"room"} else TimeTakenError)(place(visit.time))


def refuse_above_daily_maximum(session: Session, visit: Visit, now: dt.datetime, ours: Collection[str | None]) -> None:
    """Visits of one practitioner who has a maximum are counted one transaction after the other. Raises NotBookableError."""
    if visit.daily_maximum is None:
        return
    who, (first, end) = visit.time.practitioner_id, visit.day
    session.connection().execute(
        select(Practitioner.id)
        .where(Practitioner.organization_id == session.info["organization"], Practitioner.id == who)
        .with_for_update(key_share=True)
    )
    taken = occupied.practitioners(session, [who], first=first, end=end, now=now, counted=[who])
    others = {whose for start, whose in taken.stretches.get(who, ()) if first <= start < end and whose not in ours}
    if len(others) >= visit.daily_maximum:
        raise NotBookableError("daily-maximum", place(visit.time))


def ticks_of(session: Session, appointment_id: str | None) -> set[Tick]:
    """The ticks that an appointment has in the lane that is everybody's."""
    return set() if appointment_id is None else as_ticks(run(session, owning(appointment_id))[0])


def owning(appointment_id: str) -> Step:
    """What `ticks_of` asks, as a step of `statements.run`; `as_ticks` reads what it finds."""
    return _TICKS_OF, {"appointment": appointment_id}


def as_ticks(rows: Rows) -> set[Tick]:
    return {(actor, tick) for actor, tick in rows}


def release_ticks(session: Session, appointment_id: str) -> None:
    """Give up all ticks of an appointment. Comes after every claim of the transaction."""
    run(session, (_DELETE_TICKS, {"appointment": appointment_id}))


def handing_over(from_id: str, to_id: str) -> Step:
    """Make the ticks of one appointment another's, as a step of `statements.run`."""
    return _HAND_OVER, {"appointment": from_id, "to": to_id}


def keeping_only(visit: Visit, appointment_id: str, room_id: str | None) -> Step:
    """Give up the ticks of an appointment, of any lane, that the visit does not take, as a step of `statements.run`."""
    first, end = visit.patient_ticks
    return _KEEP_ONLY, {
        "appointment": appointment_id,
        "practitioner": f"practitioner:{visit.time.practitioner_id}",
        "room": f"room:{room_id}",
        "patient": f"patient:{visit.patient_id}",
        "busy_first": visit.time.first_tick,
        "busy_end": visit.time.end_tick,
        "own_first": first,
        "own_end": end,
    }


_IS_OF_APPOINTMENT = (
    occupancy.c.organization_id == bindparam("organization"),
    occupancy.c.appointment_id == bindparam("appointment"),
)
_TICKS_OF = Statement(select(occupancy.c.actor, occupancy.c.tick).where(*_IS_OF_APPOINTMENT, occupancy.c.lane == 0))
_DELETE_TICKS = Statement(delete(occupancy).where(*_IS_OF_APPOINTMENT))
_HAND_OVER = Statement(
    update(occupancy).where(*_IS_OF_APPOINTMENT).values(appointment_id=bindparam("to", type_=occupancy.c.appointment_id.type))
)
_KEEP_ONLY = Statement(
    delete(occupancy).where(
        *_IS_OF_APPOINTMENT,
        or_(
            occupancy.c.lane > 0,
            not_(
                or_(
                    and_(
                        occupancy.c.actor.in_([bindparam("practitioner"), bindparam("room")]),
                        occupancy.c.tick >= bindparam("busy_first"),
                        occupancy.c.tick < bindparam("busy_end"),
                    ),
                    and_(
                        occupancy.c.actor == bindparam("patient"),
                        occupancy.c.tick >= bindparam("own_first"),
                        occupancy.c.tick < bindparam("own_end"),
                    ),
                )
            ),
        ),
    )
)


def place(time: FreeTime) -> str:
    """A time by ids, for errors."""
    return f"{time.practitioner_id} {time.start.isoformat()}"
