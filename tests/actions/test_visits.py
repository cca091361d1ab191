"""Asking for, moving and cancelling visits on the books."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from scheduling_core import booking, messaging
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, Mode, Patient, Task
from tests.actions.talk import Talk
from tests.factories import make_free_time, make_patient


def book(talk: Talk, clinic: ClinicFile, **free_time: str) -> str:
    """A visit on the books of the number's patient."""
    with talk.database.transaction() as session:
        patient = session.scalars(select(Patient)).first()
        assert patient
        time = make_free_time(clinic, **free_time)  # type: ignore[arg-type]
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=f"test:{time.start}").id


def visit(talk: Talk, appointment_id: str) -> Appointment:
    with talk.database.reading() as session:
        return session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one()


def local_start(talk: Talk, clinic: ClinicFile, appointment_id: str) -> str:
    start = visit(talk, appointment_id).start
    assert start
    return f"{start.astimezone(clinic.zone):%Y-%m-%d %H:%M}"


@pytest.fixture
def one_visit(talk: Talk, clinic: ClinicFile) -> str:
    return book(talk, clinic, start="2026-11-18T13:20")


def test_nothing_of_a_visit_is_told_before_the_birth_date(talk: Talk, one_visit: str) -> None:
    assert talk.say("when is my appointment?", "check_appointment") == ["utter_request_birth_date"]
    assert talk.say("April 19 1980") == ["utter_one_visit"]
    assert "Wednesday, November 18 at 1:20 PM" in talk.last().values["visit"]


def test_a_visit_is_cancelled_after_the_read_back(talk: Talk, one_visit: str) -> None:
    talk.say("cancel my appointment", "cancel_appointment")
    assert talk.say("April 19 1980") == ["utter_confirm_cancel"]
    assert visit(talk, one_visit).status == "booked"
    assert talk.say("yes", "affirm") == ["utter_cancelled"]
    assert visit(talk, one_visit).status == "cancelled"


@pytest.mark.parametrize("words", ["no", "No wait, don't cancel it. I'll come.", "no, keep it please"])
def test_a_visit_is_kept_when_the_patient_thinks_better_of_it(talk: Talk, one_visit: str, words: str) -> None:
    talk.say("cancel my appointment", "cancel_appointment")
    talk.say("April 19 1980")
    assert talk.say(words, "deny") == ["utter_not_cancelled"]
    assert visit(talk, one_visit).status == "booked"


def test_of_two_visits_the_one_that_was_named_is_cancelled(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    other = book(talk, clinic, start="2026-11-30T09:00", service_id="physical")
    talk.say("cancel my appointment", "cancel_appointment")
    assert talk.say("April 19 1980") == ["utter_which_visit"]
    assert talk.say("the physical") == ["utter_confirm_cancel"]
    talk.say("yes", "affirm")
    assert (visit(talk, one_visit).status, visit(talk, other).status) == ("booked", "cancelled")


def test_all_visits_are_cancelled_at_once(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    other = book(talk, clinic, start="2026-11-30T09:00", service_id="physical")
    talk.say("please cancel all my appointments", "cancel_appointment")
    assert talk.say("April 19 1980") == ["utter_confirm_cancel_all"]
    assert talk.say("yes", "affirm") == ["utter_cancelled_all"]
    assert {visit(talk, one_visit).status, visit(talk, other).status} == {"cancelled"}


def test_a_late_cancellation_is_done_and_told_to_the_desk(talk: Talk, clinic: ClinicFile) -> None:
    soon = book(talk, clinic, start="2026-11-16T15:00")
    talk.say("cannot make it this afternoon, cancel please", "cancel_appointment")
    talk.say("April 19 1980")
    talk.say("yes", "affirm")
    assert visit(talk, soon).status == "cancelled"
    with talk.database.reading() as session:
        assert [task.reason for task in session.scalars(select(Task))] == ["late-cancellation"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("can I move my appointment to the same time next week?", "2026-11-25 13:20"),
        ("could you push my appointment back an hour?", "2026-11-18 14:20"),
        ("I'd like my visit on November 18th one hour later", "2026-11-18 14:20"),
        ("I'm away that day. Same time the day after?", "2026-11-19 13:20"),
    ],
)
def test_a_wish_that_refers_to_the_visit_is_read_back_at_once(
    talk: Talk, clinic: ClinicFile, one_visit: str, words: str, expected: str
) -> None:
    talk.say(words, "reschedule_appointment")
    assert talk.say("April 19 1980") == ["utter_confirm_move"]
    assert local_start(talk, clinic, one_visit) == "2026-11-18 13:20"
    assert talk.say("yes please", "affirm") == ["utter_moved"]
    assert local_start(talk, clinic, one_visit) == expected


def test_the_old_time_goes_only_when_the_new_one_is_booked(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    talk.say("I need to move my visit", "reschedule_appointment")
    assert talk.say("April 19 1980") == ["utter_request_new_time"]
    assert talk.say("Monday or Tuesday after this week") == ["utter_offers"]
    assert talk.say("never mind, keep it as it is", "stop") == ["utter_not_moved"]
    assert local_start(talk, clinic, one_visit) == "2026-11-18 13:20"


def test_moving_keeps_the_practitioner_unless_another_is_wished_for(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    talk.say("move my visit to Monday November 30th", "reschedule_appointment")
    talk.say("April 19 1980")
    assert {offer["practitioner"] for offer in talk.slots["offers"]} == {"ferreira"}
    talk.say("rather with Lars Sorensen", "inform")
    assert {offer["practitioner"] for offer in talk.slots["offers"]} == {"sorensen"}


def test_the_goal_can_change_in_the_middle(talk: Talk, one_visit: str) -> None:
    talk.say("I need to move my visit", "reschedule_appointment")
    talk.say("April 19 1980")
    assert talk.say("actually just cancel my appointment", "cancel_appointment") == ["utter_confirm_cancel"]
    talk.say("yes", "affirm")
    assert visit(talk, one_visit).status == "cancelled"


def test_the_visit_of_the_child_that_was_named_is_cancelled(talk: Talk, clinic: ClinicFile) -> None:
    with talk.database.transaction() as session:
        leo = make_patient(session, given="Leo", family="Novak", birth_date="2018-05-09", phone="+14145550142")
        time = make_free_time(
            clinic, start="2026-11-30T14:00", service_id="well-child", practitioner_id="tanaka", location_id="south"
        )
        leos = booking.book(session, clinic, patient_id=leo.id, time=time, agent="test", key="leo").id
    assert talk.say("I have to cancel my son Leo's visit", "cancel_appointment")[0].startswith("utter_request")
    talk.say("Leo Novak, May 9 2018")
    talk.say("yes", "affirm")
    assert visit(talk, leos).status == "cancelled"


def test_a_stranger_is_told_nothing_and_the_desk_is(stranger: Talk) -> None:
    stranger.say("when is my appointment", "check_appointment")
    assert stranger.say("Clara Weiss, 3/12/1985") == ["utter_not_on_file"]
    with stranger.database.reading() as session:
        assert [task.reason for task in session.scalars(select(Task))] == ["not-on-file"]


def test_a_video_visit_stays_by_video_when_it_moves(talk: Talk, clinic: ClinicFile) -> None:
    with talk.database.transaction() as session:
        patient = session.scalars(select(Patient)).one()
        time = make_free_time(clinic, start="2026-11-18T13:20", mode=Mode.VIDEO)
        booked = booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key="video").id
    talk.say("move my visit a week later please", "reschedule_appointment")
    talk.say("April 19 1980")
    talk.say("yes", "affirm")
    moved = visit(talk, booked)
    assert moved.mode is Mode.VIDEO
    assert moved.start
    assert moved.start.astimezone(clinic.zone).date() == dt.date(2026, 11, 25)


def test_another_hour_means_the_visits_own_day_first(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    talk.say("can you move my visit to 2pm", "reschedule_appointment")
    talk.say("April 19 1980")
    talk.say("yes", "affirm")
    assert local_start(talk, clinic, one_visit) == "2026-11-18 14:00"


def remind(talk: Talk, visit_id: str) -> None:
    with talk.database.transaction() as session:
        reminder = messaging.queue(
            session,
            phone="+14145550142",
            body="Reminder",
            author="system",
            kind="reminder",
            appointment_id=visit_id,
            key="reminder",
        )
        messaging.mark_sent(session, communication_id=reminder.id, external_id="SM1")


def test_a_refusal_after_a_reminder_is_never_a_confirmation(talk: Talk, one_visit: str) -> None:
    remind(talk, one_visit)
    assert talk.say("I can't make it", "inform") == ["utter_request_birth_date"]
    talk.say("never mind", "stop")
    with talk.database.transaction() as session:
        said = messaging.queue(session, phone="+14145550142", body="All right.", author="assistant", kind="reply", key="said")
        messaging.mark_sent(session, communication_id=said.id, external_id="SM2")
    talk.say("yes", "affirm")
    assert visit(talk, one_visit).confirmation == "needs-action"


def test_who_will_not_come_and_says_cancel_cancels(talk: Talk, one_visit: str) -> None:
    remind(talk, one_visit)
    talk.say("no I won't come, please cancel it", "inform")
    assert talk.form == "cancel_form"
    talk.say("April 19 1980")
    talk.say("yes", "affirm")
    assert visit(talk, one_visit).status == "cancelled"


@pytest.mark.parametrize(
    "words",
    [
        "please cancel my exam with Dr. Ferreira on November 18th, we are traveling that week",
        "yo scratch my appointment on November 18th",
        "cancle my follow up",
    ],
)
def test_a_plain_word_for_cancelling_cancels_whatever_it_was_taken_for(talk: Talk, one_visit: str, words: str) -> None:
    talk.say(words, "book_appointment")
    assert talk.form == "cancel_form"


@pytest.mark.parametrize("words", ["don't cancel my appointment", "if I cancel my visit is there a fee?"])
def test_words_about_cancelling_do_not_cancel(talk: Talk, one_visit: str, words: str) -> None:
    talk.say(words, "book_appointment")
    assert talk.form != "cancel_form"


def test_a_visit_that_shall_be_by_video_is_moved_and_not_cancelled(talk: Talk, one_visit: str) -> None:
    talk.ranking = [("cancel_appointment", 0.6), ("reschedule_appointment", 0.2)]
    talk.say("can't leave the house, could my follow-up be a video call on Nov 20", "cancel_appointment")
    assert talk.form == "reschedule_form"


def test_who_cancels_in_the_middle_of_a_move_cancels(talk: Talk, one_visit: str) -> None:
    talk.say("can you move my visit", "reschedule_appointment")
    talk.say("April 19 1980")
    assert talk.say("no I won't be able to come, please cancel it", "deny") == ["utter_confirm_cancel"]
    assert talk.form == "cancel_form"


def test_the_relative_who_is_named_is_the_one_that_it_is_about(talk: Talk, clinic: ClinicFile, one_visit: str) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Max", family="Novak", birth_date="2018-05-09", phone="+14145550142")
    talk.say("when is my appointment", "check_appointment")
    talk.say("April 19 1980")
    assert talk.say("and a sick visit for Max today", "book_appointment")[0].startswith("utter_request")
    assert "first" not in talk.last().values or talk.last().values["first"] == "Max"


def test_the_same_time_next_week_of_a_visit_next_week_is_the_week_after(talk: Talk, clinic: ClinicFile) -> None:
    next_week = book(talk, clinic, start="2026-11-25T13:20")
    talk.say("can I move my appointment to the same time next week?", "reschedule_appointment")
    assert talk.say("April 19 1980") == ["utter_confirm_move"]
    talk.say("yes", "affirm")
    assert local_start(talk, clinic, next_week) == "2026-12-02 13:20"


def test_who_wants_their_follow_up_books_it_even_where_it_sounds_like_a_move(talk: Talk) -> None:
    talk.ranking = [("reschedule_appointment", 0.57), ("book_appointment", 0.33)]
    talk.say("this is ridiculous, I just want my follow-up with Ferreira, any day next week", "reschedule_appointment")
    assert talk.form == "booking_form"
