"""Answers to the questions of plans that move visits."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, displacement, messaging, plans, storm
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.displacement import Proposal
from scheduling_core.models import (
    Appointment,
    Communication,
    Delivery,
    MoveStatus,
    Patient,
    PlanMove,
    PlanStatus,
    Task,
    TaskStatus,
)
from scheduling_core.plans import Move
from tests.actions.talk import Talk
from tests.factories import make_free_time, make_patient

NORA = "nora@maplegrove.example"
DAY = dt.date(2026, 11, 18)


def book(talk: Talk, clinic: ClinicFile, start: str = "2026-11-18T13:20", service_id: str = "follow-up") -> str:
    with talk.database.transaction() as session:
        patient = session.scalars(select(Patient)).first()
        assert patient
        time = make_free_time(clinic, start=start, service_id=service_id)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=start).id


def sent(talk: Talk) -> None:
    """The questions have gone out."""
    with talk.database.transaction() as session:
        session.execute(update(Communication).where(Communication.status == Delivery.QUEUED).values(status=Delivery.SENT))


@pytest.fixture
def moved(talk: Talk, clinic: ClinicFile) -> str:
    """A visit whose practitioner is out; its patient is asked about a new time."""
    appointment_id = book(talk, clinic)
    with talk.database.transaction() as session:
        plan = storm.plan(session, clinic, storm.Outage(DAY, DAY, practitioners=("ferreira",)), by=NORA)
        plans.approve(session, clinic, plan_id=plan.id, by=NORA)
        plans.ask_next(session, clinic, plan_id=plan.id, limit=10, per_minute=60, by=NORA)
    sent(talk)
    return appointment_id


@pytest.fixture
def urgent(talk: Talk, clinic: ClinicFile) -> str:
    """A visit that stands where somebody has to be seen urgently; its patient is asked about a new time."""
    appointment_id = book(talk, clinic)
    with talk.database.transaction() as session:
        visit = plans.visit(session, appointment_id)
        other = make_patient(session, family="Urgent")
        request = Request("sick", practitioners=("ferreira",), patient_id=other.id)
        new = make_free_time(clinic, start="2026-11-19T09:20")
        move = Move(visit.id, visit.patient_id or "", visit.sequence, plans.time_of(visit), new)
        proposal = Proposal((make_free_time(clinic, start="2026-11-18T13:20", service_id="sick"),), (move,), ())
        plan = displacement.keep(session, [request], proposal, by=NORA)
        plans.approve(session, clinic, plan_id=plan.id, by=NORA)
    sent(talk)
    return appointment_id


def visit(talk: Talk, appointment_id: str) -> Appointment:
    with talk.database.reading() as session:
        return plans.visit(session, appointment_id)


def move(talk: Talk) -> PlanMove:
    with talk.database.reading() as session:
        return session.scalars(select(PlanMove)).one()


def new_start(talk: Talk) -> dt.datetime:
    return plans.time_from_json(move(talk).new or {}).start


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("yes", "affirm"),
        ("sure, that works for me", "affirm"),
        ("ok that's fine thanks", "affirm"),
        ("I can do that", "inform"),
        ("9:20 is fine", "inform"),
        ("yes please move it", "reschedule_appointment"),
        ("Thursday at 9:20 works", "book_appointment"),
        ("sí, me viene bien", "affirm"),
        ("está bien, nos vemos", "confirm_visit"),
        ("no hay problema", "nlu_fallback"),
    ],
)
def test_a_patient_whose_doctor_is_out_agrees_in_free_words(talk: Talk, clinic: ClinicFile, words: str, intent: str) -> None:
    appointment_id = book(talk, clinic)
    with talk.database.transaction() as session:
        held = plans.visit(session, appointment_id)
        new = make_free_time(clinic, start="2026-11-19T09:20")
        need = {"practitioners": ["ferreira"], "location": None, "first": "2026-11-18", "last": "2026-11-18", "words": "out"}
        one = Move(held.id, held.patient_id or "", held.sequence, plans.time_of(held), new)
        plan = plans.save(session, kind=plans.PlanKind.STORM, need=need, moves=[one], by=NORA)
        plans.approve(session, clinic, plan_id=plan.id, by=NORA)
        plans.ask_next(session, clinic, plan_id=plan.id, limit=10, per_minute=60, by=NORA)
    sent(talk)
    assert talk.say(words, intent) == ["utter_plan_moved"]
    assert visit(talk, appointment_id).start == new.start
    assert move(talk).status is MoveStatus.MOVED
    assert talk.form is None


def test_an_answer_counts_once_and_a_turn_that_is_taken_again_says_the_same(talk: Talk, moved: str) -> None:
    new = new_start(talk)
    assert talk.say("yes", "affirm", turn="t1") == ["utter_plan_moved"]
    assert talk.say("yes", "affirm", turn="t1") == ["utter_plan_moved"]
    assert visit(talk, moved).start == new
    assert visit(talk, moved).sequence == 1
    assert talk.say("yes", "affirm", turn="t2") == ["utter_nothing_open"]


def test_who_declines_is_led_to_another_time_and_the_desk_knows_until_then(talk: Talk, clinic: ClinicFile, moved: str) -> None:
    assert talk.say("no, that doesn't work", "deny") == ["utter_plan_declined", "utter_request_birth_date"]
    assert move(talk).status is MoveStatus.DECLINED
    with talk.database.reading() as session:
        assert [task.status for task in session.scalars(select(Task).where(Task.reason == "plan"))] == [TaskStatus.REQUESTED]
    assert talk.say("April 19 1980") == ["utter_request_new_time"]
    assert talk.say("monday morning") == ["utter_offers"]
    talk.say("1", "select")
    assert talk.say("yes", "affirm") == ["utter_moved"]
    start = visit(talk, moved).start
    assert start
    assert start.astimezone(clinic.zone).date() == dt.date(2026, 11, 23)
    assert move(talk).status is MoveStatus.GONE
    with talk.database.reading() as session:
        assert [task.status for task in session.scalars(select(Task).where(Task.reason == "plan"))] == [TaskStatus.CANCELLED]


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("thursday is bad, can we do next week?", "reschedule_appointment"),
        ("Thursday doesn't work, how about Monday afternoon", "deny"),
        ("what about next tuesday?", "request_alternatives"),
        ("el jueves no puedo, ¿la próxima semana?", "inform"),
    ],
)
def test_a_counter_wish_is_looked_for_while_the_time_stays_kept(talk: Talk, moved: str, words: str, intent: str) -> None:
    assert talk.say(words, intent) == ["utter_request_birth_date"]
    assert talk.say("April 19 1980")[0] in ("utter_offers", "utter_offers_instead")
    assert all(offer["start"] >= "2026-11-20" for offer in talk.slots["offers"])
    assert move(talk).status is MoveStatus.ASKED
    talk.say("never mind", "stop")
    assert talk.say("ok, then the time you proposed is fine", "affirm") == ["utter_plan_moved"]


def test_a_question_in_between_leaves_the_answer_open(talk: Talk, moved: str) -> None:
    assert talk.say("why?", "nlu_fallback") == ["utter_plan_why_out"]
    assert talk.say("where can I park", "ask_parking") != ["utter_plan_moved"]
    assert talk.say("ok that works", "affirm") == ["utter_plan_moved"]


def test_something_else_is_no_answer(talk: Talk, moved: str) -> None:
    assert talk.say("I need a vaccine for my daughter next week", "book_appointment") != ["utter_plan_moved"]
    assert move(talk).status is MoveStatus.ASKED


def test_a_person_may_be_asked_for_instead(talk: Talk, moved: str) -> None:
    assert "utter_handoff" in talk.say("can somebody call me please", "ask_for_human")[0]
    assert move(talk).status is MoveStatus.ASKED


def test_a_yes_to_a_later_reminder_is_no_answer_to_the_plan(talk: Talk, clinic: ClinicFile, moved: str) -> None:
    other = book(talk, clinic, start="2026-11-30T09:00", service_id="physical")
    with talk.database.transaction() as session:
        reminder = messaging.queue(
            session,
            phone="+14145550142",
            body="Reminder",
            author="system",
            kind="reminder",
            appointment_id=other,
            key=f"reminder:{other}:0:24",
        )
        messaging.mark_sent(session, communication_id=reminder.id, external_id="SM1")
    assert talk.say("yes", "affirm") == ["utter_visit_confirmed"]
    assert move(talk).status is MoveStatus.ASKED


def test_a_visit_that_is_cancelled_instead_needs_no_new_time(talk: Talk, clinic: ClinicFile, moved: str) -> None:
    book(talk, clinic, start="2026-11-30T09:00", service_id="physical")
    talk.say("then just cancel it", "cancel_appointment")
    assert talk.say("April 19 1980") == ["utter_confirm_cancel"]
    assert talk.say("yes", "affirm") == ["utter_cancelled"]
    assert visit(talk, moved).status == "cancelled"
    assert move(talk).status is MoveStatus.GONE


def test_a_time_that_is_gone_by_then_is_left_to_staff_and_another_is_looked_for(talk: Talk, clinic: ClinicFile, moved: str) -> None:
    with talk.database.transaction() as session:
        one = session.scalars(select(PlanMove)).one()
        booking.release(session, held_for=f"plan:{one.plan_id}:1", agent="test")
        time = plans.time_from_json(one.new or {})
        booking.book(session, clinic, patient_id=make_patient(session).id, time=time, agent="test", key="taken")
    assert talk.say("yes", "affirm")[0] == "utter_plan_time_gone"
    assert move(talk).status is MoveStatus.FOR_STAFF


def test_for_an_urgent_visit_the_patient_agrees_and_the_visit_moves_by_a_schedulers_word(
    talk: Talk, clinic: ClinicFile, urgent: str
) -> None:
    assert talk.say("why?", "nlu_fallback") == ["utter_plan_why_urgent"]
    assert talk.say("sure", "affirm") == ["utter_plan_agreed"]
    old = visit(talk, urgent).start
    assert old != new_start(talk)
    with talk.database.transaction() as session:
        plans.carry_out(session, clinic, plan_id=move(talk).plan_id, by=NORA)
    assert visit(talk, urgent).start == new_start(talk)


def test_who_declines_to_make_room_keeps_the_visit(talk: Talk, urgent: str) -> None:
    old = visit(talk, urgent).start
    assert talk.say("no, I'd rather keep my time", "deny") == ["utter_plan_kept"]
    assert visit(talk, urgent).start == old
    with talk.database.reading() as session:
        assert plans.get(session, move(talk).plan_id).status is PlanStatus.GIVEN_UP


def test_who_moves_elsewhere_makes_room_and_the_time_is_kept_for_the_urgent_visit(
    talk: Talk, clinic: ClinicFile, urgent: str
) -> None:
    talk.say("Thursday is bad, but Monday the 23rd at 9 would be ok", "reschedule_appointment")
    talk.say("April 19 1980")
    assert talk.say("yes", "affirm")[0] in ("utter_moved", "utter_which_one")
    if talk.form:
        talk.say("1", "select")
        assert talk.say("yes", "affirm") == ["utter_moved"]
    assert move(talk).status is MoveStatus.GONE
    with talk.database.transaction() as session:
        done = plans.carry_out(session, clinic, plan_id=move(talk).plan_id, by=NORA)
        [booked] = plans.urgent_visits(done)
        assert plans.visit(session, booked).status == "booked"
