"""What holding, booking, moving and cancelling a visit share, in the order in which they do it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from scheduling_core import audit, claims, idempotency, lanes, times
from scheduling_core.calendar import rules
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.claims import Visit
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import HoldExpiredError, NotBookableError, NotFoundError, TimeTakenError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, IdempotencyKey, Mode
from scheduling_core.statements import BACK, RELEASE, Rows, Statement, Step, run

_appointments = cast(Table, Appointment.__table__)
_table = _appointments.c


@contextmanager
def once(session: Session, key: str | None, operation: str, ids: list[str]) -> Iterator[tuple[list[str], bool]]:
    """All or nothing, once for a key: yields the ids of the appointments and whether it was done before.

    Of two that come at once with one key, the second waits for the first. Raises WrongStateError for a key of another operation.
    """
    with session.begin_nested():
        result = {"operation": operation, "appointments": ids}
        if key is None or idempotency.insert_unless_there(session, IdempotencyKey, key=key, result=result, created_at=times.now()):
            yield ids, False
            return
    done = idempotency.answer(session, key)
    assert done is not None
    yield done_before(done, key, operation), True


def done_before(done: dict[str, Any], key: str, operation: str) -> list[str]:
    """The ids of the appointments of what was done under a key. Raises WrongStateError for a key of another operation."""
    if done.get("operation") != operation:
        raise WrongStateError(f"the key {key} was used for another operation")
    found: list[str] = done["appointments"]
    return found


def earlier(session: Session, key: str, operation: str) -> Appointment | None:
    """The appointment of what was done under a key, None when nothing was. Raises WrongStateError for another operation's key."""
    done = idempotency.answer(session, key)
    return None if done is None else load(session, done_before(done, key, operation)[0])


def back_to_earlier(session: Session, key: str, operation: str) -> Appointment:
    """Go back to `SAVEPOINT`, for the key was taken: the answer of `earlier`."""
    run(session, (BACK, {}), (RELEASE, {}))
    found = earlier(session, key, operation)
    assert found is not None
    return found


@contextmanager
def undone_if_refused(session: Session) -> Iterator[None]:
    """Go back to `SAVEPOINT`, which was set or is set first inside, on any exception."""
    try:
        yield
    except Exception:
        run(session, (BACK, {}), (RELEASE, {}))
        raise


def in_one_of_the_rooms(visit: Visit, act: Callable[[str | None], Appointment]) -> Appointment:
    """Try the rooms that would do, the chosen one first. Raises what `act` raises, RoomTakenError when all are taken."""
    for room_id in visit.rooms or (None,):
        try:
            return act(room_id)
        except claims.RoomTakenError:
            if room_id == visit.rooms[-1]:
                raise
    raise AssertionError("a visit has a room, or needs none")


def look(session: Session, clinic: ClinicFile, time: FreeTime, now: dt.datetime) -> set[str]:
    """One look before any work at who has a time: the expired holds that lie on it. Nothing relies on what it sees.

    Of many that want one time at once, most are told here: without it all of them do the work of a booking, only to be refused.
    Raises TimeTakenError.
    """
    service = clinic.services_by_id.get(time.service_id)
    if service is None:
        return set()
    rooms: list[str] = []
    if service.room and time.mode is Mode.IN_PERSON and time.location_id in clinic.locations_by_id:
        rooms = rules.rooms_at(clinic, time.location_id, service.room)
    first, end = rules.busy_ticks(service, time.start)
    is_taken, expired = claims.look(session, time.practitioner_id, rooms, first=first, end=end, now=now, moving=time.moving)
    if is_taken:
        raise TimeTakenError(claims.place(time))
    return expired


def refuse_late_comers(session: Session, clinic: ClinicFile, time: FreeTime, key: str | None) -> None:
    """Raise TimeTakenError when `look` does, unless the write was done before under this key."""
    try:
        look(session, clinic, time, times.now())
    except TimeTakenError:
        if key is None or idempotency.answer(session, key) is None:
            raise


def locked(session: Session, appointment_id: str) -> tuple[Any, list[Any]]:
    """`lanes.locked` of an appointment that must exist. Raises NotFoundError."""
    found, above = lanes.locked(session, appointment_id)
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return found, above


def found(rows: Rows, appointment_id: str) -> Any:
    """The row that `reading` or `locking` found. Raises NotFoundError."""
    if not rows:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return lanes.as_row(rows[0])


def refuse_unless_held(row: Any, patient_id: str, now: dt.datetime) -> None:
    """Raise HoldExpiredError, or WrongStateError for what is booked already or another patient's."""
    if row.status == AppointmentStatus.CANCELLED or (row.status == AppointmentStatus.PROPOSED and row.hold_expires_at <= now):
        raise HoldExpiredError(f"Appointment/{row.id}")
    if row.status != AppointmentStatus.PROPOSED or row.patient_id not in (None, patient_id):
        raise WrongStateError(f"Appointment/{row.id}")


def checked(
    session: Session, clinic: ClinicFile, time: FreeTime, patient_id: str | None, now: dt.datetime, *, is_held: bool = False
) -> Visit:
    """Ask every rule but occupancy. What a caller says of end, ticks, place and room is not believed but worked out anew."""
    request = Request(
        service_id=time.service_id,
        practitioners=(time.practitioner_id,),
        location_id=time.location_id,
        mode=time.mode,
        patient_id=patient_id,
        moving=time.moving,
    )
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    practitioner = asked.practitioners[0]
    against = rules.obstacles_in_the_rules(clinic, asked, practitioner, time.start, now, held=is_held)
    stretch = rules.stretch_for(clinic, asked, practitioner, time.start)
    if against or stretch is None:
        raise NotBookableError(min(against, key=rules.CODES.index), f"{practitioner.id} {time.start.isoformat()}")
    rooms: list[str] = []
    if asked.needs_room:
        rooms = rules.rooms_at(clinic, stretch.location_id, asked.needs_room)
        rooms.sort(key=lambda room: room != time.room_id)
    first, end = rules.busy_ticks(asked.service, time.start)
    time = replace(
        time,
        location_id=stretch.location_id,
        end=time.start + dt.timedelta(minutes=asked.service.minutes),
        first_tick=first,
        end_tick=end,
    )
    return Visit(time, patient_id, tuple(rooms), (stretch.day_first, stretch.day_end), practitioner.max_visits_per_day)


def write(session: Session, appointment_id: str, now: dt.datetime, **values: Any) -> None:
    run(session, writing(appointment_id, now, **values))


def writing(appointment_id: str, now: dt.datetime, **values: Any) -> Step:
    """Change columns of an appointment, as a step of `statements.run`."""
    values["updated_at"] = now
    return _update(tuple(sorted(values))), values | {"appointment": appointment_id}


@cache
def _update(columns: tuple[str, ...]) -> Statement:
    return Statement(update(_appointments).where(*_IS_ONE), columns)


def remove(session: Session, appointment_id: str) -> None:
    run(session, (_DELETE, {"appointment": appointment_id}))


def placed(time: FreeTime) -> dict[str, Any]:
    return {
        "practitioner_id": time.practitioner_id,
        "location_id": time.location_id,
        "mode": time.mode,
        "start": time.start,
        "end": time.end,
        "first_tick": time.first_tick,
        "end_tick": time.end_tick,
    }


def time_of(row: Any) -> FreeTime:
    return FreeTime(
        service_id=row.service_id,
        practitioner_id=row.practitioner_id,
        location_id=row.location_id,
        mode=row.mode,
        start=row.start,
        end=row.end,
        room_id=row.room_id,
        first_tick=row.first_tick,
        end_tick=row.end_tick,
    )


def described(time: FreeTime) -> dict[str, Any]:
    return {"service": time.service_id, "practitioner": time.practitioner_id, "start": time.start.isoformat()}


def record(
    session: Session, agent: str, action: audit.Action, appointment_id: str, patient_id: str | None, detail: dict[str, Any]
) -> None:
    run(session, recording(agent, action, appointment_id, patient_id, detail))


def recording(agent: str, action: audit.Action, appointment_id: str, patient_id: str | None, detail: dict[str, Any]) -> Step:
    """An audit row of an appointment, as a step of `statements.run`."""
    return audit.insertion(
        agent=agent, action=action, entity="Appointment", entity_id=appointment_id, patient_id=patient_id, detail=detail
    )


def load(session: Session, appointment_id: str) -> Appointment:
    return load_all(session, [appointment_id])[0]


def load_all(session: Session, ids: list[str]) -> list[Appointment]:
    """As the database has them now, whatever the session remembers."""
    return list(session.scalars(select(Appointment).where(Appointment.id.in_(ids)).execution_options(populate_existing=True)))


def as_object(session: Session, row: tuple[Any, ...]) -> Appointment:
    """The object of a row of `reading` that the session does not know yet: the ORM's own loading takes ten times as long."""
    values = dict(zip(_COLUMNS, row, strict=True))
    if identity_key(Appointment, (values["organization_id"], values["id"])) in session.identity_map:
        return load(session, values["id"])
    made = Appointment(**values)
    make_transient_to_detached(made)
    session.add(made)
    return made


def reading(appointment_id: str) -> Step:
    """Read an appointment, as a step of `statements.run`."""
    return _READ, {"appointment": appointment_id}


def locking(appointment_id: str) -> Step:
    """As `reading`, and keep it from others. Of a visit `lanes.locking` is wanted: this is for holds."""
    return _LOCK, {"appointment": appointment_id}


_COLUMNS = [column.key for column in _appointments.columns]
_IS_ONE = (_table.organization_id == bindparam("organization"), _table.id == bindparam("appointment"))
_DELETE = Statement(delete(_appointments).where(*_IS_ONE))
_READ = Statement(select(_appointments).where(*_IS_ONE))
_LOCK = Statement(select(_appointments).where(*_IS_ONE).with_for_update())
