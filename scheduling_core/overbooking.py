"""Putting a visit over another on purpose: a scheduler's word, a reason, and an audit row; never the assistant's.

Every rule holds save that the practitioner's time is taken and that the day is full. The patient's own time and a room are never
given twice. A time that is on offer to somebody is left to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, idempotency, lanes, no_show, plans, reminders, times, waiting
from scheduling_core.calendar import rules, ticks
from scheduling_core.calendar.hours import Stretch
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart
from scheduling_core.errors import NotBookableError, NotFoundError, PatientBusyError, TimeTakenError, WrongStateError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, new_id

LONGEST_REASON = 200  # characters
_OVERRULED = {"taken", "daily-maximum"}
_TRIES = 5  # the calendar may change while the locks of the visits below are waited for
_HAVE_TIME = (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.FULFILLED)


@dataclass(frozen=True)
class Place:
    """Where an extra visit could go, and what that is expected to cost in minutes of waiting and overtime (see `waiting`)."""

    time: FreeTime
    minutes: float
    over: tuple[str, ...]  # the visits that it would lie over
    staff: str  # the sentence for staff


def overbook(
    session: Session, clinic: ClinicFile, *, request: Request, start: dt.datetime, reason: str, agent: str, key: str
) -> Appointment:
    """Book a visit for `request.patient_id` with the one practitioner of the request, over what stands there at `start` (aware).

    It gets the lowest free lane; where nothing is in the way any more that is everybody's. `agent` is "staff:EMAIL" of an active
    scheduler or manager, `reason` up to 200 characters for the audit row. The same key again answers the same appointment.
    Raises NotAllowedError; NotBookableError for any other rule; TimeTakenError when all lanes are taken or somebody is deciding
    about the time; PatientBusyError; NotFoundError; WrongStateError for a reason that is empty or too long, or a key that was used.
    """
    plans.scheduler(session, agent.removeprefix("staff:") if agent.startswith("staff:") else "")
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON or request.patient_id is None or len(request.practitioners) != 1:
        raise WrongStateError("an overbooked visit needs a reason, a patient and one practitioner")
    with session.begin_nested():
        earlier = idempotency.earlier_answer(session, key)
        if earlier is not None:
            if earlier.get("operation") != "overbook":
                raise WrongStateError(f"the key {key} was used for another operation")
            return _load(session, earlier["appointments"][0])
        visit = _placed(session, clinic, request, start, agent)
        idempotency.remember(session, key, {"operation": "overbook", "appointments": [visit.id]})
        audit.record(
            session,
            agent=agent,
            action="C",
            entity="Appointment",
            entity_id=visit.id,
            patient_id=visit.patient_id,
            detail={
                "status": "booked",
                "service": visit.service_id,
                "practitioner": visit.practitioner_id,
                "start": start.isoformat(),
                "lane": visit.lane,
                "overbooked": reason,
            },
        )
    return visit


def best_place_to_overbook(
    session: Session, clinic: ClinicFile, request: Request, *, day: dt.date, agent: str, count: int = 3
) -> list[Place]:
    """Where on a day one more visit costs least, the best first: the starts at which only other visits stand in its way.

    The cost is worked out with each patient's risk of not coming where the clinic estimates it, with the same for all where not.
    Raises NotFoundError.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return []
    found: list[Place] = []
    for practitioner in asked.practitioners:
        for stretch in rules.stretches(clinic, asked, practitioner, day):
            found += _places_in(session, clinic, asked, practitioner, stretch, agent)
    found.sort(key=lambda one: (round(one.minutes, 6), one.time.start, one.time.practitioner_id))
    chosen: list[Place] = []
    for place in found:
        if len(chosen) == count:
            break
        practitioner = clinic.practitioners_by_id[place.time.practitioner_id]
        against = rules.obstacles(session, clinic, asked, practitioner, place.time.start, times.now())
        if not against - _OVERRULED:
            chosen.append(place)
    return chosen


def _placed(session: Session, clinic: ClinicFile, request: Request, start: dt.datetime, agent: str) -> Appointment:
    """The new row with its ticks claimed, in the lowest lane that is free."""
    now = times.now()
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    practitioner = asked.practitioners[0]
    time = _time_at(clinic, asked, practitioner, start)
    if against := rules.obstacles(session, clinic, asked, practitioner, start, now) - _OVERRULED:
        if against == {"patient-busy"}:
            raise PatientBusyError(_in_ids(time))
        raise NotBookableError(min(against, key=rules.CODES.index), _in_ids(time))
    visit = Appointment(
        id=new_id(),
        status=AppointmentStatus.BOOKED,
        service_id=time.service_id,
        patient_id=request.patient_id,
        practitioner_id=time.practitioner_id,
        location_id=time.location_id,
        room_id=time.room_id,
        mode=time.mode,
        start=time.start,
        end=time.end,
        first_tick=time.first_tick,
        end_tick=time.end_tick,
        next_reminder_at=reminders.first_after(clinic, time.start, now),
        changed_at=now,
        created_at=now,
        updated_at=now,
    )
    rooms = rules.rooms_at(clinic, time.location_id, asked.needs_room) if asked.needs_room else []
    for _ in range(_TRIES):
        savepoint = session.begin_nested()
        below = _standing(session, time)
        if any(status is AppointmentStatus.PROPOSED for status in below.values()):
            raise TimeTakenError(_in_ids(time))
        session.execute(select(Appointment.id).where(Appointment.id.in_(below)).order_by(Appointment.id).with_for_update())
        if _standing(session, time).keys() <= below.keys():
            booking.end_expired_holds(session, time, agent=agent)
            session.add(visit)
            session.flush()
            lane = _claim(session, visit, time, rooms, clinic.overbooking.extra_at_once if below else 0)
            if lane is not None:
                visit.lane = lane
                session.flush()
                savepoint.commit()
                return visit
            if below:
                raise TimeTakenError(_in_ids(time))
        savepoint.rollback()  # and look again, with no lock kept
    raise TimeTakenError(_in_ids(time))


def _standing(session: Session, time: FreeTime) -> dict[str, AppointmentStatus]:
    """What the practitioner has at a time, as it is committed now: visits, and holds that have not expired."""
    rows = session.execute(
        select(Appointment.id, Appointment.status, Appointment.hold_expires_at).where(
            Appointment.practitioner_id == time.practitioner_id,
            Appointment.end_tick > time.first_tick,
            Appointment.end_tick <= time.end_tick + ticks.A_DAY,
            Appointment.first_tick < time.end_tick,
            Appointment.status.in_(_HAVE_TIME),
        )
    ).all()
    now = times.now()
    return {one: status for one, status, until in rows if status is not AppointmentStatus.PROPOSED or until > now}


def _claim(session: Session, visit: Appointment, time: FreeTime, rooms: Sequence[str], highest: int) -> int | None:
    """Claim the visit's ticks in the lowest lane that is free, in one of the rooms; the lane. Raises PatientBusyError."""
    busy = range(time.first_tick, time.end_tick)
    own = {(f"patient:{visit.patient_id}", tick, 0) for tick in range(ticks.tick_of(time.start), ticks.tick_from(time.end))}
    for lane in range(highest + 1):
        for room in rooms or (None,):
            wanted = own | {(f"practitioner:{time.practitioner_id}", tick, lane) for tick in busy}
            if room is not None:
                wanted |= {(f"room:{room}", tick, 0) for tick in busy}
            lost = {actor.partition(":")[0] for actor, _, _ in lanes.missing(session, visit.id, wanted)}
            if not lost:
                visit.room_id = room
                return lane
            if lost == {"patient"}:
                raise PatientBusyError(_in_ids(time))
            if "practitioner" in lost:
                break
    return None


def _places_in(
    session: Session, clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, stretch: Stretch, agent: str
) -> list[Place]:
    """The starts of one session over visits that stand, each with its cost."""
    now = times.now()
    whole = FreeTime("", practitioner.id, "", asked.mode, ticks.instant_of(stretch.first), now, None, stretch.first, stretch.end)
    ids = _standing(session, whole)
    standing = list(session.scalars(select(Appointment).where(Appointment.id.in_(ids)).order_by(Appointment.first_tick)))
    visits = [one for one in standing if one.status is not AppointmentStatus.PROPOSED]
    known = no_show.risks(session, clinic, visits, patient_id=asked.request.patient_id, agent=agent)
    risks = {one.id: known.of(one) for one in visits}
    expected = {one.id: waiting.Expected(one.first_tick or 0, one.end_tick or 0, 1 - risks[one.id], one.lane) for one in visits}
    found = []
    for at in ticks.places(stretch.grid):
        start = ticks.instant_of(stretch.first + at)
        if rules.obstacles_in_the_rules(clinic, asked, practitioner, start, now):
            continue
        time = _time_at(clinic, asked, practitioner, start)
        under = [one for one in standing if (one.end_tick or 0) > time.first_tick and (one.first_tick or 0) < time.end_tick]
        if not under or any(one.id not in expected for one in under) or _is_too_high(clinic, time, under):
            continue
        comes = 1 - known.at(asked.request.patient_id, start, asked.mode)
        extra = waiting.Expected(time.first_tick, time.end_tick, comes, 1)
        minutes = waiting.added_cost(expected.values(), extra, stretch.end)
        found.append(Place(time, minutes, tuple(one.id for one in under), _why(clinic, time, under, risks, minutes)))
    return found


def _is_too_high(clinic: ClinicFile, time: FreeTime, under: Sequence[Appointment]) -> bool:
    """Whether every lane has somebody in it."""
    lanes_taken = {one.lane for one in under}
    return all(lane in lanes_taken for lane in range(clinic.overbooking.extra_at_once + 1))


def _why(clinic: ClinicFile, time: FreeTime, under: Sequence[Appointment], risks: dict[str, float], minutes: float) -> str:
    zone = clinic.zone_of(time.location_id)
    stand = ", ".join(
        f"{times.to_wall(ticks.instant_of(one.first_tick or 0), zone):%-I:%M %p} ({round(100 * risks[one.id])}% may not come)"
        for one in under
    )
    who = clinic.practitioners_by_id[time.practitioner_id].name
    return (
        f"{times.to_wall(time.start, zone):%-I:%M %p} with {who}: over the visit{'s' if len(under) > 1 else ''} of {stand}; "
        f"expected cost {minutes:.0f} minutes of waiting and overtime."
    )


def _time_at(clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime) -> FreeTime:
    stretch = rules.stretch_for(clinic, asked, practitioner, start)
    first, end = rules.busy_ticks(asked.service, start)
    return FreeTime(
        service_id=asked.service.id,
        practitioner_id=practitioner.id,
        location_id=stretch.location_id if stretch else practitioner.schedule[0].at,
        mode=asked.mode,
        start=start,
        end=start + dt.timedelta(minutes=asked.service.minutes),
        room_id=None,
        first_tick=first,
        end_tick=end,
    )


def _in_ids(time: FreeTime) -> str:
    return f"{time.practitioner_id} {time.start.isoformat()}"


def _load(session: Session, appointment_id: str) -> Appointment:
    found = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"Appointment/{appointment_id}")
    return found
