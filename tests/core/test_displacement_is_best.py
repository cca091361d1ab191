"""Room for urgent visits in small random calendars, against every possibility."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from dataclasses import replace
from functools import cache

from scheduling_core import books, displacement, times
from scheduling_core.calendar import rules, ticks
from scheduling_core.calendar.occupied import Taken
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.calendar.rules import Asked
from scheduling_core.models import AppointmentStatus, Mode
from tests.core.clinics import make_clinic

CLINIC = make_clinic(
    practitioners=["abel", "bruno"],
    sessions=["09:00-10:00"],
    service={"minutes": 20},
    services=[
        {"id": "long", "minutes": 30, "buffer_after_minutes": 10},
        {"id": "urgent", "minutes": 20, "urgency": "urgent"},
    ],
    clinic={"booking_horizon_days": 2, "grid_minutes": 10},
)
DAY = dt.date(2026, 11, 17)
NOW = dt.datetime.combine(DAY, dt.time(7), CLINIC.zone).astimezone(dt.UTC)
DAYS = [DAY + dt.timedelta(days=number) for number in range(3)]
CASES = 1_000
EARLIER_MOVE = 10 * 24 * 60


def test_the_fewest_move_and_then_the_least_far_in_a_thousand_small_calendars(clock):
    clock.set(NOW.isoformat())
    dice = random.Random(3)
    with_moves = with_several = 0
    for case in range(CASES):
        standing = random_calendar(dice)
        moved_before = {f"p{number}": 1 for number in range(12) if dice.random() < 0.2}
        needs = [random_need(dice, number) for number in range(1 + (case % 4 == 0))]
        calendar = made_of(standing)
        found = displacement._Search(calendar, needs, needs, set(), moved_before).best()
        expected = best_of_all(standing, needs, moved_before)
        assert (found is None) == (expected is None), case
        if found is None:
            continue
        moves = [(visit, new) for visit, new in found.moves]
        costs = sum(books.distance(visit.time, new) + EARLIER_MOVE * moved_before.get(visit.patient_id, 0) for visit, new in moves)
        assert (len(moves), costs) == expected, case
        with_moves += bool(moves)
        with_several += len(moves) > 1
    assert with_moves > CASES / 4
    assert with_several > CASES / 40


def random_calendar(dice: random.Random) -> list[books.Standing]:
    found: list[books.Standing] = []
    taken: set[tuple[str, int]] = set()
    for who, day in itertools.product(("abel", "bruno"), DAYS):
        for _ in range(dice.randint(6, 9) if day == DAY else dice.randint(0, 2)):
            service = dice.choice(("visit", "visit", "visit", "long", "urgent"))
            time = at(who, service, day, dice.randrange(0, 50, 10))
            patient = f"p{dice.randrange(12)}"
            mine = claims(time, patient)
            if time.end_tick > end_of(day) or mine & taken:
                continue
            taken |= mine
            found.append(books.Standing(f"v{len(found)}", patient, AppointmentStatus.BOOKED, 0, 0, time))
    return found


def random_need(dice: random.Random, number: int) -> Asked:
    who = dice.choice((("abel",), ("bruno",), ("abel", "bruno")))
    request = Request("urgent", practitioners=who)
    asked = rules.ask(None, CLINIC, request)  # without a patient nothing is read
    return replace(asked, request=replace(request, patient_id=f"urgent{number}"))


def made_of(standing: list[books.Standing]) -> books.Books:
    first, end = ticks.tick_of(NOW) - 20 * ticks.A_DAY, ticks.tick_of(NOW) + 20 * ticks.A_DAY
    taken, patients = Taken(first, end), {}
    for visit in standing:
        time = visit.time
        bits = ticks.ones(time.end_tick - time.first_tick) << (time.first_tick - first)
        taken.busy[time.practitioner_id] = taken.busy.get(time.practitioner_id, 0) | bits
        own = visit.id, ticks.tick_of(time.start), ticks.tick_from(time.end)
        patients.setdefault(visit.patient_id, []).append(own)
    by_practitioner = {who: [one for one in standing if one.time.practitioner_id == who] for who in ("abel", "bruno")}
    return books.Books(CLINIC, DAY, NOW, taken, Taken(first, end), by_practitioner, patients, {})


def best_of_all(standing, needs, moved_before) -> tuple[int, int] | None:
    """Every start of every need with every new time of every visit in the way."""
    found = []
    starts = [[at(one.id, "urgent", DAY, minute) for one in need.practitioners for minute in range(0, 50, 10)] for need in needs]
    for chosen in itertools.product(*starts):
        urgent = [claims(time, need.request.patient_id) for time, need in zip(chosen, needs, strict=True)]
        if any(time.end_tick > end_of(DAY) for time in chosen) or not is_apart(urgent):
            continue
        evicted = [one for one in standing if claims(one.time, one.patient_id) & frozenset().union(*urgent)]
        if any(one.time.service_id == "urgent" for one in evicted) or len({one.patient_id for one in evicted}) < len(evicted):
            continue
        places = [elsewhere(visit, standing) for visit in evicted]
        for new in itertools.product(*places):
            if is_apart([*urgent, *(claims(time, one.patient_id) for time, one in zip(new, evicted, strict=True))]):
                costs = sum(
                    books.distance(one.time, time) + EARLIER_MOVE * moved_before.get(one.patient_id, 0)
                    for time, one in zip(new, evicted, strict=True)
                )
                found.append((len(evicted), costs))
    return min(found, default=None)


def elsewhere(visit: books.Standing, standing) -> list[FreeTime]:
    others = frozenset().union(*(claims(one.time, one.patient_id) for one in standing if one is not visit))
    times_ = [at(visit.time.practitioner_id, visit.time.service_id, day, minute) for day in DAYS for minute in range(0, 50, 10)]
    return [
        time
        for time in times_
        if time.start != visit.time.start
        and time.end_tick <= end_of(times.to_wall(time.start, CLINIC.zone).date())
        and not claims(time, visit.patient_id) & others
    ]


@cache
def at(who: str, service_id: str, day: dt.date, minute: int) -> FreeTime:
    service = CLINIC.services_by_id[service_id]
    start = dt.datetime.combine(day, dt.time(9, minute), CLINIC.zone).astimezone(dt.UTC)
    end = start + dt.timedelta(minutes=service.minutes)
    first = ticks.tick_of(start)
    last = first + (service.minutes + service.buffer_after_minutes) // ticks.MINUTES
    return FreeTime(service_id, who, "here", Mode.IN_PERSON, start, end, None, first, last)


def end_of(day: dt.date) -> int:
    return ticks.tick_of(dt.datetime.combine(day, dt.time(10), CLINIC.zone))


@cache
def claims(time: FreeTime, patient: str | None) -> frozenset[tuple[str, int]]:
    own = {(f"patient {patient}", tick) for tick in range(ticks.tick_of(time.start), ticks.tick_from(time.end))}
    return frozenset(own | {(time.practitioner_id, tick) for tick in range(time.first_tick, time.end_tick)})


def is_apart(some) -> bool:
    return sum(map(len, some)) == len(frozenset().union(*some))
