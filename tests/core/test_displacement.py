"""Room for an urgent visit."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy import func, select, update

from scheduling_core import booking, displacement, plans
from scheduling_core.calendar.search import Request, find
from scheduling_core.displacement import Way
from scheduling_core.errors import WrongStateError
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Delivery,
    MoveStatus,
    PlanMove,
    PlanStatus,
    Task,
    TaskStatus,
    occupancy,
)
from scheduling_core.plan_texts import NEWS
from scheduling_core.plans import CalendarChangedError, NotAllowedError
from scheduling_core.sending import PLAN
from tests.core.clinics import load, make_clinic
from tests.factories import make_patient

CLINIC = make_clinic(
    sessions=["09:00-11:00"],
    rooms=["red"],
    service={"minutes": 30},
    services=[
        {"id": "long", "minutes": 60},
        {"id": "urgent", "minutes": 30, "urgency": "urgent"},
        {"id": "procedure", "minutes": 30, "room": "procedure"},
    ],
    clinic={"booking_horizon_days": 20},
    staff=[
        {"name": "Nora", "email": "nora@small.example", "role": "scheduler"},
        {"name": "Paula", "email": "paula@small.example", "role": "billing"},
    ],
)
NORA = "nora@small.example"
MONDAY = dt.date(2026, 11, 16)
_keys = itertools.count()


@pytest.fixture
def here(database, clock):
    load(database, CLINIC)
    clock.set("2026-11-16T07:00:00-06:00")
    return database


def book(session, at: str, service: str = "visit", patient=None, day: dt.date = MONDAY) -> Appointment:
    patient = patient or make_patient(session, family=f"Person{next(_keys)}")
    start = dt.datetime.combine(day, dt.time.fromisoformat(at), CLINIC.zone)
    [time] = find(session, CLINIC, Request(service), start=start, end=start + dt.timedelta(minutes=1))
    return booking.book(session, CLINIC, patient_id=patient.id, time=time, agent="test", key=f"k{next(_keys)}")


def fill(session, day: dt.date = MONDAY, service: str = "visit") -> list[Appointment]:
    return [book(session, at, service, day=day) for at in ("09:00", "09:30", "10:00", "10:30")]


def need(session) -> Request:
    return Request("urgent", patient_id=make_patient(session, family="Urgent").id)


def wall(time) -> str:
    return f"{time.start.astimezone(CLINIC.zone):%d %H:%M}"


def test_a_free_time_is_taken_before_anybody_moves(here):
    with here.transaction() as session:
        book(session, "09:00")
        answer = displacement.make_room(session, CLINIC, need(session))
    assert answer.way is Way.FREE
    assert wall(answer.times[0]) == "16 09:30"


def test_the_times_kept_for_urgent_visits_come_first(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        request = Request("sick", practitioners=("ferreira",))
        answer = displacement.make_room(session, clinic, request, day=dt.date(2026, 11, 17))
        assert answer.way is Way.URGENT_BLOCK
        other = displacement.make_room(session, clinic, request, day=dt.date(2026, 11, 20))
    assert other.way is Way.ANOTHER  # she does not work on Fridays


def test_one_visit_moves_as_near_as_it_can(here):
    with here.transaction() as session:
        fill(session)
        fill(session, day=MONDAY + dt.timedelta(days=1))
        book(session, "09:00", day=MONDAY + dt.timedelta(days=2))
        proposal = displacement.make_room(session, CLINIC, need(session)).proposal
    assert proposal is not None
    [move] = proposal.moves
    assert (wall(move.old), wall(move.new)) == ("16 10:30", "18 09:30")
    assert wall(proposal.times[0]) == "16 10:30"


def test_procedures_and_urgent_visits_stay(here):
    with here.transaction() as session:
        visits = [book(session, at, service) for at, service in (("09:00", "procedure"), ("09:30", "urgent"), ("10:00", "visit"))]
        book(session, "10:30", "procedure")
        proposal = displacement.make_room(session, CLINIC, need(session)).proposal
        assert proposal is not None
        assert [move.appointment_id for move in proposal.moves] == [visits[2].id]
        booking.cancel(session, CLINIC, appointment_id=visits[2].id, agent="test", key="c")
        book(session, "10:00", "urgent")
        assert displacement.make_room(session, CLINIC, need(session)).proposal is None


def test_a_visit_that_a_plan_moved_is_not_moved_again_and_its_patient_is_spared(here):
    with here.transaction() as session:
        visits = fill(session)
        first = _carried_out(session)
        moved = plans.moves(session, first.id)[0]
        assert moved.appointment_id == visits[3].id
        patient = session.scalars(select(Appointment).where(Appointment.id == moved.appointment_id)).one().patient_id
        booking.cancel(session, CLINIC, appointment_id=plans.urgent_visits(first)[0], agent="test", key="c")
        again = booking.book(
            session,
            CLINIC,
            patient_id=patient,
            agent="test",
            key="again",
            time=find(
                session,
                CLINIC,
                Request("visit"),
                start=visits[3].start.replace(hour=16, minute=30, day=16),
                end=visits[3].start.replace(hour=16, minute=31, day=16),
            )[0],
        )
        proposal = displacement.make_room(session, CLINIC, need(session)).proposal
    assert proposal is not None
    assert {move.appointment_id for move in proposal.moves}.isdisjoint({moved.appointment_id, again.id})


def test_a_plan_is_carried_out_whole_and_undone_whole(here):
    with here.transaction() as session:
        visits = fill(session)
        before = {one.id: one.start for one in visits}
        plan = _carried_out(session)
        [move] = plans.moves(session, plan.id)
        urgent = session.scalars(select(Appointment).where(Appointment.id == plans.urgent_visits(plan)[0])).one()
        assert (plan.status, move.status, urgent.status) == (PlanStatus.DONE, MoveStatus.MOVED, AppointmentStatus.BOOKED)
        assert urgent.start == before[move.appointment_id]
        assert plans.urgent_visits(plans.carry_out(session, CLINIC, plan_id=plan.id, by=NORA)) == [urgent.id]
    with here.transaction() as session:
        plans.undo(session, CLINIC, plan_id=plan.id, by=NORA)
        now = {one.id: one.start for one in session.scalars(select(Appointment).where(Appointment.id.in_(before)))}
        assert now == before
        assert session.scalar(select(func.count()).select_from(occupancy)) == 4 * 6 * 2
        assert session.scalars(select(Task.status).where(Task.reason == "late-cancellation")).all() == [TaskStatus.CANCELLED]
        bodies = list(session.scalars(select(Communication.body).where(Communication.kind.in_((PLAN, NEWS)))))
    assert [any(words in body for body in bodies) for words in ("Could we move", "is now on", "stays as it was")] == [True] * 3


def test_only_a_scheduler_decides_and_only_when_all_have_agreed(here):
    with here.transaction() as session:
        fill(session)
        plan = _proposed(session)
        for nobody in ("paula@small.example", "who@small.example"):
            with pytest.raises(NotAllowedError):
                plans.approve(session, CLINIC, plan_id=plan.id, by=nobody)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        with pytest.raises(WrongStateError):
            plans.carry_out(session, CLINIC, plan_id=plan.id, by=NORA)


def test_a_refusal_gives_the_plan_up_and_the_visit_is_not_asked_again(here):
    with here.transaction() as session:
        fill(session)
        plan = _proposed(session)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        [move] = plans.moves(session, plan.id)
        [patient_phone] = session.scalars(select(Communication.phone).where(Communication.kind == PLAN))
        assert plans.asked_last(session, phone=patient_phone) is None  # it has not gone out yet
        session.execute(update(Communication).values(status=Delivery.SENT))
        assert plans.asked_last(session, phone=patient_phone) == (plan, move)
        plans.answer(session, CLINIC, plan_id=plan.id, number=1, agrees=False, agent="staff:nora")
        plans.answer(session, CLINIC, plan_id=plan.id, number=1, agrees=False, agent="staff:nora")
        assert plans.get(session, plan.id).status is PlanStatus.GIVEN_UP
        assert session.scalar(select(func.count()).where(Appointment.status == AppointmentStatus.PROPOSED)) == 0
        second = _proposed(session)
        assert plans.moves(session, second.id)[0].appointment_id != move.appointment_id


@pytest.mark.parametrize("change", ["moved", "cancelled", "time taken"])
def test_a_plan_is_refused_whole_when_the_calendar_has_changed(here, change):
    with here.transaction() as session:
        fill(session)
        plan = _proposed(session)
        [move] = plans.moves(session, plan.id)
        new = plans.time_from_json(move.new)
        if change == "time taken":
            booking.book(session, CLINIC, patient_id=make_patient(session).id, time=new, agent="test", key="t")
        elif change == "moved":
            [other] = find(
                session,
                CLINIC,
                Request("visit"),
                start=new.start + dt.timedelta(days=1),
                end=new.start + dt.timedelta(days=1, minutes=1),
            )
            booking.reschedule(session, CLINIC, appointment_id=move.appointment_id, time=other, agent="test", key="t")
        else:
            booking.cancel(session, CLINIC, appointment_id=move.appointment_id, agent="test", key="t")
    with here.transaction() as session:
        with pytest.raises(CalendarChangedError):
            plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        assert plans.get(session, plan.id).status is PlanStatus.PROPOSED
        assert session.scalar(select(func.count()).where(Appointment.status == AppointmentStatus.PROPOSED)) == 0
        assert session.scalar(select(func.count()).where(Communication.kind == PLAN)) == 0
        assert set(session.scalars(select(PlanMove.status))) == {MoveStatus.PROPOSED}


def test_two_short_visits_move_for_a_long_one_and_each_has_its_own_time(here):
    clinic = make_clinic(
        sessions=["09:00-10:00"],
        service={"minutes": 30},
        services=[{"id": "urgent", "minutes": 60, "urgency": "urgent"}],
        clinic={"booking_horizon_days": 20},
    )
    load(here, clinic)
    with here.transaction() as session:
        for at in ("09:00", "09:30"):
            start = dt.datetime.combine(MONDAY, dt.time.fromisoformat(at), clinic.zone)
            [time] = find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=1))
            booking.book(session, clinic, patient_id=make_patient(session).id, time=time, agent="test", key=at)
        proposal = displacement.make_room(session, clinic, Request("urgent")).proposal
    assert proposal is not None
    assert sorted(wall(move.new) for move in proposal.moves) == ["17 09:00", "17 09:30"]
    assert proposal.minutes == 2 * 24 * 60


def _proposed(session):
    request = need(session)
    proposal = displacement.make_room(session, CLINIC, request).proposal
    assert proposal is not None
    return displacement.keep(session, [request], proposal, by=NORA)


def _carried_out(session):
    plan = _proposed(session)
    plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
    for move in plans.moves(session, plan.id):
        plans.answer(session, CLINIC, plan_id=plan.id, number=move.number, agrees=True, agent="staff:nora")
    return plans.carry_out(session, CLINIC, plan_id=plan.id, by=NORA)


def test_several_urgent_visits_get_room_in_one_plan_and_nobody_moves_twice(here):
    with here.transaction() as session:
        patient = make_patient(session, family="Twice")
        for at in ("09:00", "09:30"):
            book(session, at, patient=patient)
        for at in ("10:00", "10:30"):
            book(session, at)
        requests = [need(session), need(session)]
        proposal = displacement.propose(session, CLINIC, requests, day=MONDAY)
        assert proposal is not None
        assert len({time.start for time in proposal.times}) == 2
        assert len({move.patient_id for move in proposal.moves}) == 2
        plan = displacement.keep(session, requests, proposal, by=NORA)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        for move in plans.moves(session, plan.id):
            plans.answer(session, CLINIC, plan_id=plan.id, number=move.number, agrees=True, agent="test")
        booked = plans.urgent_visits(plans.carry_out(session, CLINIC, plan_id=plan.id, by=NORA))
        assert len(booked) == 2
        four = [*requests, need(session), need(session)]
        assert displacement.propose(session, CLINIC, four, day=MONDAY) is None


def test_one_long_visit_that_moves_makes_room_for_two(here):
    with here.transaction() as session:
        book(session, "09:00", "long")
        for at in ("10:00", "10:30"):
            book(session, at)
        proposal = displacement.propose(session, CLINIC, [need(session), need(session)], day=MONDAY)
    assert proposal is not None
    assert [wall(time) for time in sorted(proposal.times, key=lambda one: one.start)] == ["16 09:00", "16 09:30"]
    assert len(proposal.moves) == 1


def test_a_plan_whose_calendar_changed_is_made_again(here):
    with here.transaction() as session:
        fill(session)
        plan = _proposed(session)
        [move] = plans.moves(session, plan.id)
        time = plans.time_from_json(move.new)
        booking.book(session, CLINIC, patient_id=make_patient(session).id, time=time, agent="test", key="t")
        with pytest.raises(CalendarChangedError):
            plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        again = displacement.plan_again(session, CLINIC, plan_id=plan.id, by=NORA)
        assert again is not None
        assert plans.get(session, plan.id).status is PlanStatus.GIVEN_UP
        assert plans.approve(session, CLINIC, plan_id=again.id, by=NORA).status is PlanStatus.ASKING
        with pytest.raises(NotAllowedError):
            displacement.plan_again(session, CLINIC, plan_id=again.id, by="paula@small.example")


def test_a_plan_that_nobody_answers_before_its_time_is_given_up(here, clock):
    with here.transaction() as session:
        fill(session)
        plan = _proposed(session)
        plans.approve(session, CLINIC, plan_id=plan.id, by=NORA)
        assert not plans.any_overdue(session, CLINIC)
    clock.set("2026-11-16T10:30:00-06:00")
    with here.transaction() as session:
        assert plans.any_overdue(session, CLINIC)
        plans.end_overdue(session, CLINIC)
        assert plans.get(session, plan.id).status is PlanStatus.GIVEN_UP
        assert not plans.any_overdue(session, CLINIC)
        assert set(session.scalars(select(Communication.status))) == {Delivery.WITHHELD}  # the question had not gone out


def test_a_full_day_has_room_when_another_visit_leaves_it(here):
    clinic = make_clinic(
        sessions=["09:00-11:00"],
        service={"minutes": 30},
        services=[{"id": "urgent", "minutes": 30, "urgency": "urgent"}],
        practitioner={"max_visits_per_day": 2},
        clinic={"booking_horizon_days": 20},
        staff=[{"name": "Nora", "email": NORA, "role": "scheduler"}],
    )
    load(here, clinic)
    with here.transaction() as session:
        for at in ("09:00", "09:30"):
            start = dt.datetime.combine(MONDAY, dt.time.fromisoformat(at), clinic.zone)
            [time] = find(session, clinic, Request("visit"), start=start, end=start + dt.timedelta(minutes=1))
            booking.book(session, clinic, patient_id=make_patient(session).id, time=time, agent="test", key=at)
        request = need(session)
        proposal = displacement.make_room(session, clinic, request).proposal
        assert proposal is not None
        assert [wall(move.new)[:2] for move in proposal.moves] == ["17"]
        assert "Dr. Lindgren takes no more than 2 visits on a day." in proposal.reasons
        plan = displacement.keep(session, [request], proposal, by=NORA)
        plans.approve(session, clinic, plan_id=plan.id, by=NORA)
        plans.answer(session, clinic, plan_id=plan.id, number=1, agrees=True, agent="test")
        assert plans.carry_out(session, clinic, plan_id=plan.id, by=NORA).status is PlanStatus.DONE
