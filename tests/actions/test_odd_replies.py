"""Replies that answer nothing any more, or nothing yet: years late, to a cancelled visit, from nobody we know, from one of two."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, reminders
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    Delivery,
    ParticipationStatus,
    Patient,
    Task,
)
from tests.actions.conftest import PHONE
from tests.actions.talk import Talk
from tests.factories import make_free_time, make_patient

CONFIRMED = ParticipationStatus.ACCEPTED


def book(talk: Talk, clinic, start="2026-11-19T13:00", patient_id=None) -> str:
    with talk.database.transaction() as session:
        who = patient_id or session.scalars(select(Patient.id)).first()
        time = make_free_time(clinic, start=start)
        return booking.book(session, clinic, patient_id=who, time=time, agent="test", key=f"book {start}").id


def remind(talk: Talk, clinic, clock, at="2026-11-18T13:00:00-06:00") -> None:
    clock.set(at)
    with talk.database.transaction() as session:
        reminders.send_due(session, clinic)
        session.execute(update(Communication).where(Communication.status == Delivery.QUEUED).values(status=Delivery.SENT))


@pytest.fixture
def reminded(talk: Talk, clinic, clock) -> str:
    """Ruth was reminded of a visit on Thursday."""
    visit = book(talk, clinic)
    remind(talk, clinic, clock)
    return visit


def visit(talk: Talk, visit_id: str) -> Appointment:
    with talk.database.reading() as session:
        return session.scalars(select(Appointment).where(Appointment.id == visit_id)).one()


def untouched(talk: Talk) -> bool:
    """Nobody has another visit than before, none is confirmed, none cancelled."""
    with talk.database.reading() as session:
        visits = session.scalars(select(Appointment)).all()
        return all(one.status is AppointmentStatus.BOOKED and one.confirmation is not CONFIRMED for one in visits)


@pytest.mark.parametrize("words", ["C", "confirm", "yes see you", "c!"])
def test_an_answer_in_time_confirms_the_visit(talk: Talk, reminded: str, words: str) -> None:
    """What the replies below would do, if they still answered something."""
    assert talk.say(words, "affirm" if "yes" in words else "nlu_fallback") == ["utter_visit_confirmed"]
    assert visit(talk, reminded).confirmation is CONFIRMED


@pytest.mark.parametrize(("words", "intent"), [("C", "nlu_fallback"), ("yes", "affirm"), ("R", "nlu_fallback"), ("1", "inform")])
def test_a_reply_years_later_confirms_and_moves_nothing(talk: Talk, reminded: str, clock, words: str, intent: str) -> None:
    clock.set("2029-03-05T10:00:00-06:00")
    said = talk.say(words, intent)
    assert "utter_visit_confirmed" not in said
    assert not talk.form
    assert untouched(talk)


@pytest.mark.parametrize(("words", "intent"), [("C", "nlu_fallback"), ("yes", "affirm"), ("confirm", "confirm_visit")])
def test_a_reply_to_a_cancelled_visit_does_not_bring_it_back(talk: Talk, clinic, reminded: str, words: str, intent: str) -> None:
    with talk.database.transaction() as session:
        booking.cancel(session, clinic, appointment_id=reminded, agent="test", key="cancel")
    assert "utter_visit_confirmed" not in talk.say(words, intent)
    found = visit(talk, reminded)
    assert found.status is AppointmentStatus.CANCELLED
    assert found.confirmation is not CONFIRMED


def test_a_reply_to_a_reminder_of_a_visit_that_moved_since_does_not_confirm_the_new_time(talk: Talk, clinic, reminded: str) -> None:
    with talk.database.transaction() as session:
        later = make_free_time(clinic, start="2026-11-24T14:00")
        booking.reschedule(session, clinic, appointment_id=reminded, time=later, agent="test", key="move")
    assert "utter_visit_confirmed" not in talk.say("C", "nlu_fallback")
    assert visit(talk, reminded).confirmation is not CONFIRMED


@pytest.mark.parametrize(("words", "intent"), [("C", "nlu_fallback"), ("yes", "affirm"), ("1", "inform"), ("cant make it", "deny")])
def test_a_reply_from_a_number_that_nobody_on_file_has_does_nothing_to_anybody(
    talk: Talk, stranger: Talk, reminded: str, words: str, intent: str
) -> None:
    said = stranger.say(words, intent)
    assert said
    assert "utter_visit_confirmed" not in said
    assert untouched(talk)


@pytest.mark.parametrize(("words", "intent"), [("1", "inform"), ("2", "inform"), ("yes", "affirm"), ("C", "nlu_fallback")])
def test_a_bare_answer_without_a_question_is_said_to_be_one(talk: Talk, words: str, intent: str) -> None:
    said = talk.say(words, intent)
    assert said
    assert all(one in ("utter_nothing_open", "utter_not_understood", "utter_nothing_to_stop") for one in said)
    with talk.database.reading() as session:
        assert session.scalars(select(Appointment)).all() == []
        assert session.scalars(select(Task)).all() == []


def test_of_two_on_one_number_the_one_last_reminded_is_confirmed_and_not_the_other(talk: Talk, clinic, clock) -> None:
    hers = book(talk, clinic)
    with talk.database.transaction() as session:
        leo = make_patient(session, given="Leo", birth_date="2015-03-02", phone=PHONE).id
    his = book(talk, clinic, start="2026-11-19T15:00", patient_id=leo)
    remind(talk, clinic, clock, "2026-11-18T13:00:00-06:00")
    remind(talk, clinic, clock, "2026-11-18T15:00:00-06:00")
    with talk.database.reading() as session:
        bodies = session.scalars(select(Communication.body).order_by(Communication.sequence)).all()
    assert any("Ruth's visit" in body for body in bodies)
    assert "Leo's visit" in bodies[-1]
    assert talk.say("C", "nlu_fallback") == ["utter_visit_confirmed"]
    assert visit(talk, his).confirmation is CONFIRMED
    assert visit(talk, hers).confirmation is not CONFIRMED


def test_two_who_are_reminded_of_one_number_are_not_both_confirmed_by_one_word(talk: Talk, clinic, clock) -> None:
    hers = book(talk, clinic)
    with talk.database.transaction() as session:
        leo = make_patient(session, given="Leo", birth_date="2015-03-02", phone=PHONE).id
    his = book(talk, clinic, start="2026-11-19T13:20", patient_id=leo)
    remind(talk, clinic, clock, "2026-11-18T13:20:00-06:00")
    talk.say("yes", "affirm")
    assert [visit(talk, one).confirmation is CONFIRMED for one in (hers, his)].count(True) <= 1


def test_a_reply_in_a_talk_that_began_before_the_clock_went_back_counts(talk: Talk, reminded: str, clock) -> None:
    clock.set("2026-11-17T08:00:00-06:00")
    assert talk.say("C", "nlu_fallback") == ["utter_visit_confirmed"]
    assert visit(talk, reminded).confirmation is CONFIRMED
