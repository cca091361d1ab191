"""Room for urgent visits: what is free, then who else can take them, then the plan that moves the fewest patients.

Of all starts at which the urgent visits could be, those are taken that move the fewest visits; among them the ones with the least
total displacement, exactly; then the soonest. Procedures, urgent visits, visits that the clinic moved before and who declined a
plan stay where they are; no patient is moved twice. A patient whom the clinic moved in the last year counts as ten days of
displacement for each time. A new time is free while the old one still stands, since it is kept while the patient is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import assignment, books, plans, times
from scheduling_core.assignment import Option
from scheduling_core.books import Books, Standing
from scheduling_core.calendar import hours, rules, search, ticks
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart
from scheduling_core.errors import NotBookableError, NotFoundError, WrongStateError
from scheduling_core.models import AppointmentStatus, MoveStatus, Plan, PlanKind, PlanMove, PlanStatus
from scheduling_core.plans import Move

_MOVABLE = (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)
_A_YEAR = dt.timedelta(days=365)
_FOR_EACH_EARLIER_MOVE = 10 * 24 * 60  # minutes of displacement
_FIRST_LOOK = 24  # the most promising ways of a need, tried before all others are judged by what they led to


class Way(StrEnum):
    """How an urgent visit gets its time, in the order in which they are tried."""

    URGENT_BLOCK = "urgent-block"  # in a time kept for urgent visits
    FREE = "free"
    ANOTHER = "another"  # with somebody else or elsewhere than was asked
    DISPLACEMENT = "displacement"


@dataclass(frozen=True)
class Proposal:
    """The urgent visits at a time each, in the order asked for, and what has to move for them."""

    times: tuple[FreeTime, ...]
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
    start, end = times.from_wall(day, dt.time(0), clinic.zone), times.from_wall(day + dt.timedelta(days=1), dt.time(0), clinic.zone)
    free = search.find(session, clinic, request, start=start, end=end)
    if blocks := [time for time in free if _is_in_urgent_block(clinic, time)]:
        return Answer(Way.URGENT_BLOCK, tuple(blocks[:count]))
    if free:
        return Answer(Way.FREE, tuple(free[:count]))
    if other := search.find(session, clinic, _anybody(request), start=start, end=end, limit=count):
        return Answer(Way.ANOTHER, tuple(other))
    return Answer(Way.DISPLACEMENT, proposal=propose(session, clinic, [request], day=day))


def propose(session: Session, clinic: ClinicFile, requests: Sequence[Request], *, day: dt.date) -> Proposal | None:
    """One plan for all of these visits on a day: the fewest patients moved, then the least far. Changes nothing.

    Whoever is free takes a visit before anybody moves for it; visits move with whom and where it was asked for if that can be, else
    with anybody. None where there is no room for all of them.
    Raises NotFoundError; NotBookableError when a rule forbids one of them at any time.
    """
    if not requests:
        return None
    asked, anybody = (
        [rules.ask(session, clinic, request) for request in some] for some in (requests, [_anybody(one) for one in requests])
    )
    if refusal := next((one.refusal for one in asked if one.refusal), None):
        raise NotBookableError(refusal.code, refusal.detail)
    calendar, history = books.read(session, clinic, anybody, day), _history(session, times.now())
    found = _Search(calendar, asked, anybody, *history)
    if (chosen := found.best()) is None and asked != anybody:
        found = _Search(calendar, anybody, anybody, *history)
        chosen = found.best()
    return None if chosen is None else _proposal(found, chosen)


def keep(session: Session, requests: Sequence[Request], proposal: Proposal, *, by: str) -> Plan:
    """Write a proposal down as a plan that waits for a scheduler's word; `by` is the email of a scheduler's account.

    Raises NotFoundError for a visit without a patient, NotAllowedError.
    """
    if any(request.patient_id is None for request in requests):
        raise NotFoundError("Patient")
    visits = [
        {
            "patient_id": request.patient_id,
            "time": plans.time_as_json(time),
            "practitioners": list(request.practitioners),
            "location_id": request.location_id,
        }
        for request, time in zip(requests, proposal.times, strict=True)
    ]
    need = {"visits": visits, "reasons": list(proposal.reasons)}
    return plans.save(session, kind=PlanKind.URGENT, need=need, moves=proposal.moves, by=by)


def plan_again(session: Session, clinic: ClinicFile, *, plan_id: str, by: str) -> Plan | None:
    """Give an urgent plan up and make another for the same visits on the same day, as the calendar stands now.

    None where there is no room any more: the old plan is given up then, too. Raises as `propose` and `keep`, and WrongStateError
    for a plan that is over or is none of this kind.
    """
    agent = plans.scheduler(session, by)
    old = plans.get(session, plan_id)
    if old.kind is not PlanKind.URGENT:
        raise WrongStateError(f"Plan/{plan_id}")
    plans.give_up(session, clinic, plan_id=plan_id, agent=agent)
    wanted = [(visit, plans.time_from_json(visit["time"])) for visit in old.need["visits"]]
    requests = [
        Request(
            time.service_id,
            practitioners=tuple(visit.get("practitioners", ())),
            location_id=visit.get("location_id"),
            mode=time.mode,
            patient_id=visit["patient_id"],
        )
        for visit, time in wanted
    ]
    first = wanted[0][1]
    day = times.to_wall(first.start, clinic.zone_of(first.location_id)).date()
    proposal = propose(session, clinic, requests, day=day)
    return None if proposal is None else keep(session, requests, proposal, by=by)


def is_procedure(service: ServicePart) -> bool:
    """Whether a visit takes a room of its own kind, which is prepared for it."""
    return service.room is not None


def _anybody(request: Request) -> Request:
    return replace(request, practitioners=(), location_id=None)


def _history(session: Session, now: dt.datetime) -> tuple[set[str], dict[str, int]]:
    """The visits that plans moved or ask about, which stay; and how often the clinic moved each patient in the last year."""
    settled = (
        select(PlanMove.appointment_id)
        .join(Plan, (Plan.organization_id == PlanMove.organization_id) & (Plan.id == PlanMove.plan_id))
        .where(PlanMove.status.in_((MoveStatus.MOVED, MoveStatus.DECLINED)) | (Plan.status == PlanStatus.ASKING))
    )
    moved = (
        select(PlanMove.patient_id, func.count())
        .where(PlanMove.status == MoveStatus.MOVED, PlanMove.moved_at > now - _A_YEAR)
        .group_by(PlanMove.patient_id)
    )
    return set(session.scalars(settled)), dict(session.execute(moved).tuples().all())


@dataclass(frozen=True)
class _Way:
    """A start for an urgent visit, the visits that go for it, and the least that this costs, others' share aside."""

    time: FreeTime
    evicts: tuple[Standing, ...]
    least: float
    is_elsewhere: bool  # with somebody else, or in another place, than was asked


@dataclass(frozen=True)
class _Chosen:
    """A way for each need, and a new time for each visit that goes."""

    ways: tuple[_Way, ...]
    moves: tuple[tuple[Standing, FreeTime], ...]
    cost: float


@dataclass
class _Search:
    """The exact search: a first look at the most promising ways gives a plan; then all ways that could be part of a better one.

    What a way costs at least: a visit that goes counts as `heavy` minutes and its nearest time; where several needs could share the
    place of one visit, each bears its part. So the sum over the needs is never above the cost of a whole plan, and a way
    whose cost with the least of the others is not below the best plan known cannot be part of a better one.
    """

    calendar: Books
    asked: Sequence[Asked]
    anybody: Sequence[Asked]  # the same needs without the wish for somebody or some place
    settled: set[str]
    moved_before: dict[str, int]
    costs: dict[tuple[str, int, int], int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dearest = books.DAYS * 24 * 60 + _FOR_EACH_EARLIER_MOVE * max(self.moved_before.values(), default=0)
        self.shortest = min(sum(hours.lengths(one.service)) for one in self.asked)
        self.longest = max(sum(hours.lengths(service)) for service in self.calendar.clinic.services)
        self.heavy = len(self.asked) * (self.longest + 1) * dearest + 1
        self.ways = [self._ways(one, other) for one, other in zip(self.asked, self.anybody, strict=True)]

    def best(self) -> _Chosen | None:
        if not all(self.ways):
            return None
        if found := self._at_a_glance():
            return found
        count = _FIRST_LOOK
        found = self._solve([_promising(ways, count) for ways in self.ways], beyond=None)
        while found is None and count < max(map(len, self.ways)):
            count *= 8
            found = self._solve([_promising(ways, count) for ways in self.ways], beyond=None)
        if found is None:
            return None
        least = [min(way.least for way in ways) for ways in self.ways]
        slack = found.cost - sum(least) - 1  # whole minutes: less than one is no better
        if slack < -0.5:
            return found
        able = [[way for way in ways if way.least - low <= slack + 0.5] for ways, low in zip(self.ways, least, strict=True)]
        better = self._solve(able, beyond=int(slack + 0.5))
        return better if better and better.cost < found.cost else found

    def _at_a_glance(self) -> _Chosen | None:
        """The plan for one need for which at most one visit moves: the least is exact then."""
        best = min(self.ways[0], key=lambda way: (way.least, way.is_elsewhere, way.time.start))
        left = self.left(best.time)
        if len(self.ways) > 1 or len(best.evicts) > 1 or (left is not None and left < 1):
            return None
        moves = []
        for visit in best.evicts:
            times_ = self.calendar.elsewhere(visit, count=2 * self.longest + 1)
            moves.append((visit, next(time for time in times_ if not _overlap(time, best.time))))
        return _Chosen((best,), tuple(moves), best.least)

    def _ways(self, asked: Asked, anybody: Asked) -> list[_Way]:
        found = []
        wished = set(self.calendar.ways(asked))
        for time in self.calendar.ways(anybody):
            evicts = tuple(self.calendar.in_the_way(time))
            if (evicts and time not in wished) or not self._takes_more(time):
                continue
            if all(self._may_move(visit) for visit in evicts):
                costs = [self._least(visit, time) for visit in evicts]
                if all(cost is not None for cost in costs):
                    shares = [self._share(visit, time) for visit in evicts]
                    least = sum((self.heavy + (cost or 0)) * share for cost, share in zip(costs, shares, strict=True))
                    found.append(_Way(time, evicts, least, time not in wished))
        return found

    def _may_move(self, visit: Standing) -> bool:
        service = self.calendar.clinic.services_by_id.get(visit.time.service_id)
        practitioner = self.calendar.clinic.practitioners_by_id[visit.time.practitioner_id]
        return (
            visit.status in _MOVABLE
            and visit.patient_id is not None
            and visit.lane == 0
            and visit.time.start > self.calendar.now
            and service is not None
            and service.id in practitioner.services
            and visit.time.mode in service.modes
            and visit.time.location_id in self.calendar.clinic.locations_by_id
            and service.urgency != "urgent"
            and not is_procedure(service)
            and visit.id not in self.settled
        )

    def _takes_more(self, time: FreeTime) -> bool:
        """Whether the practitioner's day is not beyond its maximum already."""
        left = self.left(time)
        return left is None or left >= 0

    def left(self, time: FreeTime) -> int | None:
        return self.calendar.room_in_the_day(time.practitioner_id, self._day(time), time.location_id)

    def _day(self, time: FreeTime) -> dt.date:
        return times.to_wall(time.start, self.calendar.clinic.zone_of(time.location_id)).date()

    def _least(self, visit: Standing, way: FreeTime) -> int | None:
        """What a visit costs at least when it goes for a way; None where it has nowhere to go."""
        key = visit.id, way.first_tick, way.end_tick
        if key not in self.costs:
            apart = (new for new in self.calendar.elsewhere(visit, count=2 * self.longest + 1) if not _overlap(new, way))
            nearest = next(apart, None)
            self.costs[key] = None if nearest is None else books.distance(visit.time, nearest) + self._unfairness(visit)
        return self.costs[key]

    def _share(self, visit: Standing, way: FreeTime) -> float:
        if len(self.asked) == 1:
            return 1.0
        a, b = max(visit.time.first_tick, way.first_tick), min(visit.time.end_tick, way.end_tick)
        return (b - a) / (visit.time.end_tick - visit.time.first_tick)

    def _unfairness(self, visit: Standing) -> int:
        return _FOR_EACH_EARLIER_MOVE * self.moved_before.get(visit.patient_id or "", 0)

    def _solve(self, needs: Sequence[Sequence[_Way]], *, beyond: int | None) -> _Chosen | None:
        """The best plan of these ways. `beyond`: new times that many minutes farther than the nearest; else the nearest few.

        A visit can need no more times than the others can take from it: each takes at most twice the longest length of starts.
        """
        most = sum(max((len(way.evicts) for way in ways), default=0) for ways in needs)
        enough = (most - 1 + len(needs)) * 2 * self.longest + 1
        count = enough if beyond is not None else min(enough, 2 * (most + len(needs)) + 2 * self.longest)
        visits = {visit.id: visit for ways in needs for way in ways for visit in way.evicts}
        numbers = {one: number for number, one in enumerate(visits)}
        new = [list(self.calendar.elsewhere(visit, count=count, beyond=beyond)) for visit in visits.values()]
        options = [[self._option(visit, time) for time in some] for visit, some in zip(visits.values(), new, strict=True)]
        ranks = {start: rank for rank, start in enumerate(sorted({way.time.start for ways in needs for way in ways}))}
        ways = [
            [self._way(one, way, ranks[way.time.start] + way.is_elsewhere * len(ranks), numbers) for way in some]
            for one, some in zip(self.asked, needs, strict=True)
        ]
        limits: dict[Hashable, int] = {
            (time.practitioner_id, self._day(time)): left
            for time in [way.time for some in needs for way in some] + [time for some in new for time in some]
            if (left := self.left(time)) is not None
        }
        room = assignment.make_room(ways, options, limits)
        if room is None:
            return None
        moves = [(visits[one], new[numbers[one]][room.options[numbers[one]]]) for one in visits if numbers[one] in room.options]
        cost = sum(self.heavy + books.distance(visit.time, time) + self._unfairness(visit) for visit, time in moves)
        return _Chosen(tuple(some[number] for some, number in zip(needs, room.ways, strict=True)), tuple(moves), cost)

    def _way(self, asked: Asked, way: _Way, rank: int, numbers: dict[str, int]) -> assignment.Way:
        takes: set[Hashable] = _taken_by(way.time, asked.request.patient_id)
        if way.time.room_id is not None:
            takes |= {(f"room:{way.time.room_id}", tick) for tick in range(way.time.first_tick, way.time.end_tick)}
        counts = (((way.time.practitioner_id, self._day(way.time)), 1),)
        return assignment.Way(rank, frozenset(takes), frozenset(numbers[visit.id] for visit in way.evicts), counts)

    def _option(self, visit: Standing, new: FreeTime) -> Option:
        cost = books.distance(visit.time, new) + self._unfairness(visit)
        takes = _taken_by(new, visit.patient_id) | {("moved", visit.patient_id)}  # nobody is moved twice
        old_day, new_day = self._day(visit.time), self._day(new)
        who = visit.time.practitioner_id
        counts = () if old_day == new_day else (((who, old_day), -1), ((who, new_day), 1))
        return Option(cost, frozenset(takes), counts)


def _promising(ways: Sequence[_Way], count: int) -> list[_Way]:
    """The ways that cost least, the soonest first; of those for which the same visits go at most three."""
    found: list[_Way] = []
    of: dict[tuple[str, ...], int] = {}
    for way in sorted(ways, key=lambda one: (one.least, one.time.start)):
        same = tuple(visit.id for visit in way.evicts)
        of[same] = of.get(same, 0) + 1
        if of[same] <= 3 or not same:
            found.append(way)
        if len(found) == count:
            break
    return found if len(found) == count else list(ways)


def _overlap(one: FreeTime, other: FreeTime) -> bool:
    same = one.practitioner_id == other.practitioner_id
    return same and one.first_tick < other.end_tick and other.first_tick < one.end_tick


def _taken_by(time: FreeTime, patient_id: str | None) -> set[Hashable]:
    own = range(ticks.tick_of(time.start), ticks.tick_from(time.end)) if patient_id else ()
    busy = range(time.first_tick, time.end_tick)
    return {(f"practitioner:{time.practitioner_id}", tick) for tick in busy} | {(f"patient:{patient_id}", tick) for tick in own}


def _is_in_urgent_block(clinic: ClinicFile, time: FreeTime) -> bool:
    zone = clinic.zone_of(time.location_id)
    first, end = ticks.tick_of(time.start), ticks.tick_from(time.end)
    return any(
        kept.first < end and first < kept.end and kept.block.keep_for == "urgent" and times.now() < kept.released_at
        for stretch in hours.hours_of(clinic).on(time.practitioner_id, times.to_wall(time.start, zone).date())
        for kept in stretch.kept
    )


def _proposal(found: _Search, chosen: _Chosen) -> Proposal:
    moves = [
        Move(visit.id, visit.patient_id or "", visit.sequence, visit.time, replace(new, moving=visit.id))
        for visit, new in chosen.moves
    ]
    moves.sort(key=lambda move: (move.old.start, move.appointment_id))
    number, visits = len(moves), len(chosen.ways)
    reasons = []
    if number:
        starts = len({way.time for ways in found.ways for way in ways})
        if visits == 1:
            reasons.append(
                "Nothing is free that day, neither in times kept for urgent visits nor with anybody else who gives this."
            )
        reasons += [
            f"At least {number} visit{'s' if number > 1 else ''} must move; of {starts} starts that could be made free this moves "
            f"them the least far: {sum(move.minutes for move in moves)} minutes in all.",
            "Procedures, urgent visits and visits that a plan has moved or asked before stay where they are.",
            "Each moved visit keeps its practitioner, place and kind.",
        ]
        for who in sorted(
            {way.time.practitioner_id for way in chosen.ways if (left := found.left(way.time)) is not None and left < 1}
        ):
            practitioner = found.calendar.clinic.practitioners_by_id[who]
            reasons.append(f"{practitioner.name} takes no more than {practitioner.max_visits_per_day} visits on a day.")
        spared = sum(bool(found.moved_before.get(move.patient_id)) for move in moves)
        if spared:
            reasons.append(f"{spared} of these patients were moved in the last year; nobody else could be moved instead.")
    return Proposal(tuple(way.time for way in chosen.ways), tuple(moves), tuple(reasons))
