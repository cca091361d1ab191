"""A small clinic that has every rule, and random cases in which searching must agree with explaining."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import booking, orders, why
from scheduling_core.calendar import rules
from scheduling_core.calendar.search import Request, find
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, Mode
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

CLINIC = make_clinic(
    practitioners=["abel", "bruno"],
    rooms=["red"],
    locations=[
        {
            "id": "here",
            "name": "Here",
            "hours": {"mon-fri": "08:30-12:00", "sat-sun": "00:00-05:00"},
            "rooms": [{"id": "red", "name": "Red", "kind": "procedure"}],
        },
        {"id": "there", "name": "There", "hours": {"mon-fri": "13:00-15:00"}, "timezone": "America/New_York"},
    ],
    service={"buffer_after_minutes": 10, "modes": ["in-person", "video"]},
    services=[
        {"id": "procedure", "minutes": 20, "buffer_before_minutes": 5, "room": "procedure"},
        {"id": "urgent", "minutes": 15, "urgency": "urgent"},
        {"id": "child", "minutes": 15, "ages": "0-17"},
        {"id": "first", "minutes": 25, "who": "new"},
        {"id": "ordered", "minutes": 10, "needs_order": True},
    ],
    practitioner={
        "max_visits_per_day": 2,
        "schedule": [
            {"days": "mon-fri", "at": "here", "time": "08:00-10:30"},
            {"days": "mon,wed,fri", "at": "there", "time": "13:00-14:00"},
            {"days": "sun", "at": "here", "time": "00:30-04:00"},
        ],
        "blocks": [
            {"days": "mon-fri", "time": "09:00-09:30", "keep_for": "urgent", "release_hours": 20},
            {"days": "wed", "time": "10:00-10:30", "keep_for": ["procedure"], "release_hours": 500},
        ],
        "absences": [{"from": "2026-10-29", "to": "2026-10-29"}],
    },
    closures=[{"date": "2026-11-02", "name": "Cleaning", "locations": ["here"]}],
    holiday_calendar="US-IL",
    clinic={"booking_horizon_days": 6, "booking_notice_minutes": 90, "grid_minutes": 5},
)
NOW = dt.datetime(2026, 10, 28, 14, 2, tzinfo=dt.UTC)  # a Wednesday; on Sunday the clock goes back, Tuesday is Election Day

_REQUESTS = 4  # in each world, from what is on the books and the time on the clock
_TIMES = 10  # for each request
_STEP = dt.timedelta(minutes=5)


@dataclass
class Tally:
    """How many cases there were, in how many the time was free, what was said against the others, and where the two disagreed."""

    cases: int = 0
    free: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)


def check(database: Database, set_clock: Callable[[str], object], *, cases: int, seed: int) -> Tally:
    """Random visits, holds, requests and starts: each start is found exactly when explaining says nothing against it."""
    dice = random.Random(seed)
    tally = Tally()
    set_clock(NOW.isoformat())
    load(database, CLINIC)
    with database.transaction() as session:
        people = {
            "adult": make_patient(session).id,
            "child": make_patient(session, birth_date="2008-10-31").id,
            "newcomer": make_patient(session, new=True).id,
            "ordered": make_patient(session).id,
        }
        orders.add(session, patient_id=people["ordered"], service_id="ordered", intent="order", note=None, agent="test")
    while tally.cases < cases:
        set_clock(NOW.isoformat())
        with database.transaction() as session:
            world = session.begin_nested()
            others = [(dice.randrange(400), _some_request(dice)) for _ in range(dice.randrange(15))]
            visits = take_some(session, others, people)
            now = NOW + dt.timedelta(minutes=dice.choice((0, 0, dice.randrange(3 * 24 * 60))))
            set_clock(now.isoformat())
            for _ in range(_REQUESTS):
                request = of_a_person(_some_request(dice), people, visits if dice.random() < 0.3 else [])
                _check_some(session, dice, request, now, tally)
            world.rollback()
    return tally


def _check_some(session: Session, dice: random.Random, request: Request, now: dt.datetime, tally: Tally) -> None:
    first = now - dt.timedelta(days=1)
    taken = list(session.scalars(select(Appointment.start).order_by(Appointment.start)))
    found = {one.start for one in find(session, CLINIC, request, start=first, end=now + dt.timedelta(days=9))}
    for _ in range(_TIMES):
        start = dice.choice(
            (
                _some_time(dice, now),
                dice.choice(sorted(found) or [now]),
                dice.choice(taken or [now]) + dice.randrange(-3, 4) * _STEP,
            )
        )
        against = rules.explain_time(session, CLINIC, request, start)
        said = why.is_offered(why.explain(session, CLINIC, request, start))
        tally.cases += 1
        tally.free += start in found
        tally.reasons.update(against)
        if (start in found) != (not against) or said != (not against):
            case = f"{start.isoformat()} at {now.isoformat()}, {request}"
            tally.disagreements.append(f"{case}: found {start in found}, against {against}")


def _some_time(dice: random.Random, now: dt.datetime) -> dt.datetime:
    """Mostly within the working hours of one of the two places, on a five minutes' mark."""
    day = (now + dt.timedelta(days=dice.randrange(-1, 8))).astimezone(CLINIC.zone).date()
    minute = dice.choice((dice.randrange(24 * 60), dice.randrange(8 * 60, 14 * 60), dice.randrange(0, 5 * 60)))
    start = dt.datetime.combine(day, dt.time(minute // 60, minute % 60 - (0 if dice.random() < 0.05 else minute % 5)), CLINIC.zone)
    return start.astimezone(dt.UTC)


def _some_request(dice: random.Random) -> Request:
    return Request(
        dice.choice(("visit", "visit", "procedure", "urgent", "child", "first", "ordered")),
        practitioners=dice.choice(((), ("abel",), ("bruno",), ("bruno",))),
        location_id=dice.choice((None, None, None, "here", "there")),
        mode=dice.choice((None, None, None, Mode.VIDEO)),
        patient_id=dice.choice((None, "adult", "child", "newcomer", "ordered")),
    )


def take_some(session: Session, others: list[tuple[int, Request]], people: dict[str, str]) -> list[str]:
    """Book and hold some of what is free; the ids of the visits."""
    made = []
    for place, other in others:
        free = find(session, CLINIC, of_a_person(other, people, []), start=NOW, end=NOW + dt.timedelta(days=7))
        if not free:
            continue
        time = free[place % len(free)]
        try:
            if other.patient_id is None:
                booking.hold(session, CLINIC, time=time, held_for=f"talk {place}", agent="test")
            else:
                key = f"{place} {time.start} {len(made)}"
                patient_id = people[other.patient_id]
                made.append(booking.book(session, CLINIC, patient_id=patient_id, time=time, agent="test", key=key).id)
        except SchedulingError:
            continue
    return made


def of_a_person(request: Request, people: dict[str, str], visits: list[str]) -> Request:
    """The request with the id of its patient; one who has visits moves the first."""
    patient_id = people[request.patient_id] if request.patient_id else None
    return Request(
        **{**request.__dict__, "patient_id": patient_id, "moving": visits[0] if visits and request.practitioners else None}
    )
