"""Room for an urgent visit today: what is free, then who else can take it, then the plan that moves the fewest patients.

Of all starts at which the urgent visit could be, those are taken that move the fewest visits; among them the one with the least
total displacement, exactly. Procedures, urgent visits, visits that the clinic moved before and who declined a plan stay where they
are. A patient whom the clinic moved in the last year counts as ten days of displacement for each time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import assignment, plans, times
from scheduling_core.assignment import Option
from scheduling_core.calendar import hours, rules, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart, ServicePart
from scheduling_core.errors import NotBookableError, NotFoundError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, MoveStatus, Plan, PlanKind, PlanMove, PlanStatus
from scheduling_core.plans import Move

_HAVE_TIME = (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.FULFILLED)
_MOVABLE = (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)
_RADII = tuple(dt.timedelta(days=days) for days in (1, 3, 7, 14))  # how far from its old time a visit may go, the near first
_A_YEAR = dt.timedelta(days=365)
_FOR_EACH_EARLIER_MOVE = 10 * 24 * 60  # minutes of displacement


class Way(StrEnum):
    """How an urgent visit gets its time, in the order in which they are tried."""

    URGENT_BLOCK = "urgent-block"  # in a time kept for urgent visits
    FREE = "free"
    ANOTHER = "another"  # with somebody else or elsewhere than was asked
    DISPLACEMENT = "displacement"


@dataclass(frozen=True)
class Proposal:
    """The urgent visit at one time, and what has to move for it."""

    time: FreeTime
    moves: tuple[Move, ...]
    reasons: tuple[str, ...]  # for staff

    @property
    def minutes(self) -> int:
        """The total displacement."""
        return sum(move.minutes for move in self.moves)


@dataclass(frozen=True)
class Answer:
    """What can be done for an urgent need: free times, the soonest first, or a proposal; neither when nothing can."""

    way: Way
    times: tuple[FreeTime, ...] = ()
    proposal: Proposal | None = None


def make_room(session: Session, clinic: ClinicFile, request: Request, *, day: dt.date | None = None, count: int = 3) -> Answer:
    """The best way to see somebody on a day (today where it is left out). Changes nothing.

    Raises NotFoundError; NotBookableError when a rule forbids this visit at any time.
    """
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        raise NotBookableError(asked.refusal.code, asked.refusal.detail)
    day = day or times.to_wall(times.now(), clinic.zone).date()
    start, end = _day_of(clinic, day)
    free = search.find(session, clinic, request, start=start, end=end)
    if blocks := [time for time in free if _is_in_urgent_block(clinic, time)]:
        return Answer(Way.URGENT_BLOCK, tuple(blocks[:count]))
    if free:
        return Answer(Way.FREE, tuple(free[:count]))
    anyone = replace(request, practitioners=(), location_id=None)
    if other := search.find(session, clinic, anyone, start=start, end=end, limit=count):
        return Answer(Way.ANOTHER, tuple(other))
    proposal = propose(session, clinic, request, day=day)
    if proposal is None and anyone != request:
        proposal = propose(session, clinic, anyone, day=day)
    return Answer(Way.DISPLACEMENT, proposal=proposal)


def propose(session: Session, clinic: ClinicFile, request: Request, *, day: dt.date) -> Proposal | None:
    """The plan that moves the fewest visits of a day, then the least far; None where no start can be made free. Changes nothing."""
    asked = rules.ask(session, clinic, request)
    if asked.refusal:
        return None
    calendar = _Calendar(session, clinic, asked, day)
    by_number: dict[int, list[tuple[FreeTime, list[Appointment]]]] = {}
    for time in _starts(clinic, asked, day):
        in_the_way = calendar.in_the_way(time)
        if in_the_way and all(calendar.may_move(visit) for visit in in_the_way):
            by_number.setdefault(len(in_the_way), []).append((time, in_the_way))
    for number in sorted(by_number):
        for radius in _RADII:
            found = [one for time, visits in by_number[number] if (one := _move_away(calendar, time, visits, radius))]
            found.sort(key=lambda one: (one[0], one[1].start))
            best = next((one for one in found if calendar.is_only_taken(one[1])), None)
            # what lies farther costs more than the radius
            if best and (best[0] <= radius.total_seconds() // 60 or radius == _RADII[-1]):
                return _proposal(clinic, best[1], best[2], len(by_number[number]))
    return None


def keep(session: Session, request: Request, proposal: Proposal, *, agent: str) -> Plan:
    """Write a proposal down as a plan that waits for a scheduler's word. Raises NotFoundError without a patient."""
    if request.patient_id is None:
        raise NotFoundError("Patient")
    need = {
        "patient_id": request.patient_id,
        "service_id": request.service_id,
        "time": plans.time_as_json(proposal.time),
        "reasons": list(proposal.reasons),
    }
    return plans.save(session, kind=PlanKind.URGENT, need=need, moves=proposal.moves, agent=agent)


def is_procedure(service: ServicePart) -> bool:
    """Whether a visit takes a room of its own kind, which is prepared for it."""
    return service.room is not None


class _Calendar:
    """What stands on the books, read once for a proposal, and where each visit could go."""

    def __init__(self, session: Session, clinic: ClinicFile, asked: Asked, day: dt.date) -> None:
        self.session, self.clinic, self.asked, self.now = session, clinic, asked, times.now()
        self.known: dict[tuple[str, dt.timedelta], list[FreeTime]] = {}
        self.allowed: dict[FreeTime, bool] = {}
        start, end = _day_of(clinic, day)
        first, last = ticks.tick_of(start) - ticks.A_DAY, ticks.tick_of(end) + ticks.A_DAY
        standing = select(Appointment).where(
            Appointment.practitioner_id.in_([one.id for one in asked.practitioners]),
            Appointment.end_tick > first,
            Appointment.end_tick <= last + ticks.A_DAY,
            Appointment.first_tick < last,
            Appointment.status.in_(_HAVE_TIME),
            (Appointment.status != AppointmentStatus.PROPOSED) | (Appointment.hold_expires_at > self.now),
        )
        self.standing: dict[str | None, list[Appointment]] = {}
        for visit in session.scalars(standing.order_by(Appointment.first_tick)):
            self.standing.setdefault(visit.practitioner_id, []).append(visit)
        statement = (
            select(PlanMove.appointment_id)
            .join(Plan, (Plan.organization_id == PlanMove.organization_id) & (Plan.id == PlanMove.plan_id))
            .where(PlanMove.status.in_((MoveStatus.MOVED, MoveStatus.DECLINED)) | (Plan.status == PlanStatus.ASKING))
        )
        self.settled = set(session.scalars(statement))
        moved = (
            select(PlanMove.patient_id, func.count())
            .where(PlanMove.status == MoveStatus.MOVED, PlanMove.moved_at > self.now - _A_YEAR)
            .group_by(PlanMove.patient_id)
        )
        self.moved_before = dict(session.execute(moved).tuples().all())

    def in_the_way(self, time: FreeTime) -> list[Appointment]:
        """The visits and holds of the practitioner in this time, buffers included."""
        return [
            visit
            for visit in self.standing.get(time.practitioner_id, ())
            if (visit.end_tick or 0) > time.first_tick and (visit.first_tick or 0) < time.end_tick
        ]

    def is_only_taken(self, time: FreeTime) -> bool:
        """Whether nothing but the visits in its way stands against a time."""
        if time not in self.allowed:
            practitioner = self.clinic.practitioners_by_id[time.practitioner_id]
            against = rules.obstacles(self.session, self.clinic, self.asked, practitioner, time.start, self.now)
            self.allowed[time] = against == {"taken"}
        return self.allowed[time]

    def may_move(self, visit: Appointment) -> bool:
        service = self.clinic.services_by_id.get(visit.service_id)
        return (
            visit.status in _MOVABLE
            and visit.patient_id is not None
            and visit.lane == 0
            and visit.start is not None
            and visit.start > self.now
            and service is not None
            and service.urgency != "urgent"
            and not is_procedure(service)
            and visit.id not in self.settled
        )

    def equivalent(self, visit: Appointment, radius: dt.timedelta) -> list[FreeTime]:
        """Free times for a visit as it is: with the same practitioner, at the same place, in the same way; its own time is one."""
        if (visit.id, radius) not in self.known:
            old = plans.time_of(visit)
            request = Request(
                visit.service_id,
                practitioners=(old.practitioner_id,),
                location_id=old.location_id,
                mode=old.mode,
                patient_id=visit.patient_id,
                moving=visit.id,
            )
            start, end = old.start - radius, old.start + radius + dt.timedelta(minutes=1)
            self.known[visit.id, radius] = search.find(self.session, self.clinic, request, start=start, end=end)
        return self.known[visit.id, radius]

    def unfairness(self, visit: Appointment) -> int:
        return _FOR_EACH_EARLIER_MOVE * self.moved_before.get(visit.patient_id or "", 0)


def _day_of(clinic: ClinicFile, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    zone = clinic.zone
    return times.from_wall(day, dt.time(0), zone), times.from_wall(day + dt.timedelta(days=1), dt.time(0), zone)


def _is_in_urgent_block(clinic: ClinicFile, time: FreeTime) -> bool:
    zone = clinic.zone_of(time.location_id)
    first, end = ticks.tick_of(time.start), ticks.tick_from(time.end)
    return any(
        kept.first < end and first < kept.end and kept.block.keep_for == "urgent" and times.now() < kept.released_at
        for stretch in hours.hours_of(clinic).on(time.practitioner_id, times.to_wall(time.start, zone).date())
        for kept in stretch.kept
    )


def _starts(clinic: ClinicFile, asked: Asked, day: dt.date) -> list[FreeTime]:
    """Where the urgent visit could be on that day if only the visits in its way were not there."""
    found, now = [], times.now()
    for practitioner in asked.practitioners:
        for stretch in rules.stretches(clinic, asked, practitioner, day):
            for at in ticks.places(stretch.grid):
                start = ticks.instant_of(stretch.first + at)
                if not rules.obstacles_in_the_rules(clinic, asked, practitioner, start, now):
                    found.append(_time(clinic, asked, practitioner, stretch.location_id, start))
    return found


def _time(clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, location_id: str, start: dt.datetime) -> FreeTime:
    first, end = rules.busy_ticks(asked.service, start)
    rooms = rules.rooms_at(clinic, location_id, asked.needs_room) if asked.needs_room else []
    return FreeTime(
        service_id=asked.service.id,
        practitioner_id=practitioner.id,
        location_id=location_id,
        mode=asked.mode,
        start=start,
        end=start + dt.timedelta(minutes=asked.service.minutes),
        room_id=rooms[0] if rooms else None,
        first_tick=first,
        end_tick=end,
    )


def _move_away(
    calendar: _Calendar, time: FreeTime, visits: list[Appointment], radius: dt.timedelta
) -> tuple[int, FreeTime, tuple[Move, ...]] | None:
    """The cheapest way for these visits out of this time, and its cost; None where one of them has nowhere to go."""
    choices = [_elsewhere(calendar, visit, time, len(visits), radius) for visit in visits]
    if not all(choices):
        return None
    options = [[option for _, option in some] for some in choices]
    chosen = assignment.choose(options) if len(options) > 1 else [0]  # one alone takes its nearest
    moves, cost = [], 0
    for visit, some, number in zip(visits, choices, chosen, strict=True):
        if number is None:
            return None
        new, option = some[number]
        cost += option.cost
        old = plans.time_of(visit)
        moves.append(Move(visit.id, visit.patient_id or "", visit.sequence, old, replace(new, moving=visit.id)))
    return cost, time, tuple(moves)


def _elsewhere(
    calendar: _Calendar, visit: Appointment, time: FreeTime, movers: int, radius: dt.timedelta
) -> list[tuple[FreeTime, Option]]:
    """The times that a visit could go to, the nearest first: as many as it can need when the others take the best of them.

    Another visit of at most a day's longest length can block no more starts than the ticks of both together.
    """
    old = plans.time_of(visit)
    found = [
        (int(abs(new.start - old.start).total_seconds()) // 60 + calendar.unfairness(visit), new)
        for new in calendar.equivalent(visit, radius)
        if new.start != old.start and not (new.first_tick < time.end_tick and time.first_tick < new.end_tick)
    ]
    found.sort(key=lambda one: (one[0], one[1].start))
    longest = max(sum(hours.lengths(service)) for service in calendar.clinic.services)
    needed = (movers - 1) * 2 * longest + 1
    return [(new, Option(cost, _taken_by(new, visit.patient_id))) for cost, new in found[:needed]]


def _taken_by(time: FreeTime, patient_id: str | None) -> frozenset[tuple[str, int]]:
    own = range(ticks.tick_of(time.start), ticks.tick_from(time.end))
    return frozenset(
        {(time.practitioner_id, tick) for tick in range(time.first_tick, time.end_tick)}
        | {(f"patient:{patient_id}", t) for t in own}
    )


def _proposal(clinic: ClinicFile, time: FreeTime, moves: Collection[Move], alternatives: int) -> Proposal:
    number = len(moves)
    reasons = [
        "Nothing is free that day, neither in the times kept for urgent visits nor with anybody else who gives this service.",
        f"At least {number} visit{'s' if number > 1 else ''} must move; of {alternatives} starts where that is enough, this moves "
        "them the least far.",
        "Procedures, urgent visits and visits that a plan has moved or asked before stay where they are.",
        "Each moved visit keeps its practitioner, place and kind.",
    ]
    return Proposal(time, tuple(moves), tuple(reasons))
