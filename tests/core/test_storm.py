"""Plans for visits of somebody who is out."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy import select

from scheduling_core import booking, plans, storm
from scheduling_core.calendar.search import Request, find
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.models import Appointment, Communication, MoveStatus, PlanStatus, Task
from scheduling_core.storm import Outage
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

TUESDAY = dt.date(2026, 11, 17)
NORA = "nora@small.example"
STAFF = [{"name": "Nora", "email": NORA, "role": "scheduler"}]
CLINIC = make_clinic(
    practitioners=["abel", "bruno"],
    sessions=["09:00-11:00"],
    service={"minutes": 30},
    clinic={"booking_horizon_days": 20, "languages": ["en", "es"]},
    staff=STAFF,
)

_keys = itertools.count()


@pytest.fixture
def here(database, clock):
    load(database, CLINIC)
    clock.set("2026-11-16T12:00:00-06:00")
    return database


def fill(session, clinic=CLINIC, who="abel", day=TUESDAY, patient=None) -> list[Appointment]:
    start = dt.datetime.combine(day, dt.time(0), clinic.zone)
    found = find(session, clinic, Request("visit", practitioners=(who,)), start=start, end=start + dt.timedelta(days=1))
    times = [time for time in found if time.start.minute % 30 == 0]
    return [
        booking.book(
            session, clinic, patient_id=(patient or make_patient(session)).id, time=time, agent="test", key=f"s{next(_keys)}"
        )
        for time in times
    ]


def test_every_visit_gets_one_time_of_its_own_and_nobody_stays_with_who_is_out(here):
    with here.transaction() as session:
        visits = fill(session)
        fill(session, who="bruno")
        plan = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        moves = plans.moves(session, plan.id)
        assert {move.appointment_id for move in moves} == {one.id for one in visits}
        new = [plans.time_from_json(move.new) for move in moves]
        assert len({(one.practitioner_id, one.start) for one in new}) == len(visits)
        assert all(one.start.date() != TUESDAY for one in new)
        assert sum(abs((n.start - v.start).total_seconds()) for n, v in zip(new, visits, strict=True)) == 4 * 86400


def test_patients_are_asked_at_a_rate_and_each_answer_moves_its_visit(here):
    with here.transaction() as session:
        fill(session)
        plan = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
    asked = []
    for _ in range(5):  # as after an interruption: each round is a transaction
        with here.transaction() as session:
            asked.append(plans.ask_next(session, CLINIC, plan_id=plan.id, limit=2, per_minute=2, by=NORA))
    assert asked == [2, 2, 0, 0, 0]
    with here.transaction() as session:
        due = sorted(session.scalars(select(Communication.due_at).where(Communication.kind == "plan")))
        assert [(one - due[0]).total_seconds() for one in due] == [0, 30, 60, 90]
        for number, agrees in ((1, True), (2, True), (3, False), (4, True)):
            plans.answer(session, CLINIC, plan_id=plan.id, number=number, agrees=agrees, agent="test")
        assert plans.counts(session, plan.id) == {MoveStatus.MOVED: 3, MoveStatus.DECLINED: 1}
        assert plans.get(session, plan.id).status is PlanStatus.DONE
        assert [task.reason for task in session.scalars(select(Task))] == ["plan"]


def test_a_time_that_is_gone_leaves_its_visit_to_staff_and_the_others_go_on(here):
    with here.transaction() as session:
        fill(session)
        plan = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        first = plans.time_from_json(plans.moves(session, plan.id)[0].new)
        booking.book(session, CLINIC, patient_id=make_patient(session).id, time=first, agent="test", key="t")
        plans.ask_next(session, CLINIC, plan_id=plan.id, limit=10, per_minute=60, by=NORA)
        assert plans.counts(session, plan.id) == {MoveStatus.FOR_STAFF: 1, MoveStatus.ASKED: 3}


def test_what_finds_no_time_is_for_staff(sqlite_database, clock):
    clinic = make_clinic(sessions=["09:00-10:00"], days="tue", clinic={"booking_horizon_days": 6}, staff=STAFF)
    load(sqlite_database, clinic)
    clock.set("2026-11-16T12:00:00-06:00")
    with sqlite_database.transaction() as session:
        fill(session, clinic, who="lindgren")
        plan = storm.plan(session, clinic, Outage(TUESDAY, TUESDAY, location_id="here"), by=NORA)
        assert plans.counts(session, plan.id) == {MoveStatus.FOR_STAFF: 2}
        assert any("no time was found" in line for line in plans.describe(session, clinic, plan))


def test_the_language_the_place_and_the_patients_other_visits_are_kept(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        patient.language = "es"
        start = dt.datetime(2026, 11, 18, 9, tzinfo=clinic.zone)
        request = Request("follow-up", practitioners=("sorensen",))
        [time] = find(session, clinic, request, start=start, end=start + dt.timedelta(minutes=1))
        visit = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="k")
        day = start.date()
        out = Outage(day - dt.timedelta(days=2), day + dt.timedelta(days=9), practitioners=("sorensen",))
        [move] = storm.propose(session, clinic, out)
        assert move.appointment_id == visit.id
        assert move.new is not None
        assert (move.new.practitioner_id, move.new.location_id) == ("tanaka", "north")
        [elsewhere] = storm.propose(session, clinic, Outage(out.first, out.last, location_id="north"))
        assert elsewhere.new is not None
        assert elsewhere.new.location_id == "south"


@pytest.mark.parametrize(
    ("outage", "error"),
    [
        (Outage(TUESDAY, TUESDAY, practitioners=("nobody",)), NotFoundError),
        (Outage(TUESDAY, TUESDAY, location_id="nowhere"), NotFoundError),
        (Outage(TUESDAY, TUESDAY), WrongStateError),
        (Outage(TUESDAY, TUESDAY - dt.timedelta(days=1), practitioners=("abel",)), WrongStateError),
        (Outage(dt.date(2026, 1, 1), dt.date(2026, 1, 2), practitioners=("abel",)), WrongStateError),
    ],
)
def test_an_outage_that_cannot_be_is_refused(sqlite_database, clock, outage, error):
    load(sqlite_database, CLINIC)
    with sqlite_database.transaction() as session, pytest.raises(error):
        storm.plan(session, CLINIC, outage, by=NORA)


def test_who_does_not_answer_is_left_to_staff_and_may_answer_still(here, clock):
    with here.transaction() as session:
        fill(session)
        plan = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        plans.ask_next(session, CLINIC, plan_id=plan.id, limit=10, per_minute=60, by=NORA)
    clock.set("2026-11-18T13:00:00-06:00")
    with here.transaction() as session:
        plans.end_overdue(session, CLINIC)
        assert plans.counts(session, plan.id) == {MoveStatus.FOR_STAFF: 4}
        assert plans.get(session, plan.id).status is PlanStatus.DONE
        assert len(list(session.scalars(select(Task).where(Task.reason == "plan")))) == 4


def test_nobody_is_asked_by_two_plans(here):
    with here.transaction() as session:
        fill(session)
        first = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        plans.approve(session, CLINIC, plan_id=first.id, by=NORA)
        plans.ask_next(session, CLINIC, plan_id=first.id, limit=2, per_minute=60, by=NORA)
        second = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        assert plans.moves(session, second.id) == []


def test_the_rate_holds_after_a_quiet_night(here, clock):
    clock.set("2026-11-16T20:59:30-06:00")
    with here.transaction() as session:
        fill(session)
        plan = storm.plan(session, CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",)), by=NORA)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        plans.ask_next(session, CLINIC, plan_id=plan.id, limit=10, per_minute=1, by=NORA)
        due = sorted(session.scalars(select(Communication.due_at).where(Communication.kind == "plan")))
    assert [f"{one.astimezone(CLINIC.zone):%d %H:%M:%S}" for one in due] == [
        "16 20:59:30",
        "17 08:00:00",
        "17 08:01:00",
        "17 08:02:00",
    ]


def test_who_is_still_bookable_on_days_out_is_told_to_staff():
    assert storm.still_open(CLINIC, Outage(TUESDAY, TUESDAY, practitioners=("abel",))) == [
        "Dr. Abel can still be booked on Nov 17: write the absence into the clinic file."
    ]
