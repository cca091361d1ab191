"""Answers to a time that opened for who waits."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, freed, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, Communication, Delivery, Patient
from tests.actions.talk import Talk
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient


@pytest.fixture
def offered(talk: Talk, clinic: ClinicFile) -> None:
    """Ruth waits for a follow-up; somebody cancels one, and she is asked."""
    with talk.database.transaction() as session:
        ruth = session.scalars(select(Patient)).one()
        other = make_patient(session, given="Olga")
        time = make_free_time(clinic, start="2026-11-18T13:20", service_id="follow-up")
        taken = booking.book(session, clinic, patient_id=other.id, time=time, agent="test", key="taken")
        request = Request("follow-up", patient_id=ruth.id)
        waitlist.join(session, clinic, request=request, wish=TimeWish(), agent="test", key="join")
    with talk.database.transaction() as session:
        booking.cancel(session, clinic, appointment_id=taken.id, agent="test", key="cancel")
    with talk.database.transaction() as session:
        freed.offer_freed(session, clinic)
    with talk.database.transaction() as session:
        session.execute(update(Communication).where(Communication.status == Delivery.QUEUED).values(status=Delivery.SENT))


def booked(talk: Talk) -> int:
    with talk.database.reading() as session:
        return len(session.scalars(select(Appointment).where(Appointment.status == "booked")).all())


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("1", "select"),
        ("yes", "affirm"),
        ("ys, book it for me", "book_appointment"),
        ("sí, la quiero", "affirm"),
        ("I'll take it", "affirm"),
    ],
)
def test_an_offered_time_is_taken_in_any_words_for_yes(talk: Talk, offered: None, words: str, intent: str) -> None:
    assert talk.say(words, intent) == ["utter_booked"]
    assert booked(talk) == 1


@pytest.mark.parametrize(("words", "intent"), [("2", "select"), ("no thanks", "deny"), ("not that one", "request_alternatives")])
def test_who_passes_keeps_waiting(talk: Talk, offered: None, words: str, intent: str) -> None:
    assert talk.say(words, intent) == ["utter_offer_passed"]
    assert booked(talk) == 0


def test_a_late_yes_gets_the_time_that_is_there_still(talk: Talk, offered: None, clock: Clock) -> None:
    clock.set("2026-11-16T10:40:00-06:00")
    assert talk.say("1", "select") == ["utter_booked"]
    assert booked(talk) == 1


def test_a_late_yes_to_what_somebody_else_took_hears_that_it_is_gone(
    talk: Talk, clinic: ClinicFile, offered: None, clock: Clock
) -> None:
    clock.set("2026-11-16T10:40:00-06:00")
    with talk.database.transaction() as session:
        other = make_patient(session, given="Ivo")
        time = make_free_time(clinic, start="2026-11-18T13:20", service_id="follow-up")
        booking.book(session, clinic, patient_id=other.id, time=time, agent="test", key="faster")
    assert talk.say("yes please", "affirm") == ["utter_offer_gone"]
    assert booked(talk) == 1


def test_other_words_that_come_late_are_no_answer_to_the_offer(talk: Talk, offered: None, clock: Clock) -> None:
    clock.set("2026-11-16T10:40:00-06:00")
    assert "utter_offer_passed" not in talk.say("cancel my appointment", "cancel_appointment")


def test_who_asks_twice_for_what_is_not_there_is_asked_about_the_waitlist(talk: Talk, clinic: ClinicFile) -> None:
    content = clinic.model_dump(mode="json", by_alias=True)
    for part in content["practitioners"]:
        part["absences"] = [{"from": "2026-11-01", "to": "2027-12-31"}]
    with talk.database.transaction() as session:
        loading.load(session, ClinicFile.model_validate(content), agent="load")
    talk.say("a follow-up next week", "book_appointment")
    assert talk.say("4/19/1980")[-1] == "utter_nothing_free"
    assert talk.say("then any tuesday")[-1] == "utter_confirm_waitlist"
    talk.say("yes", "affirm")
    with talk.database.reading() as session:
        assert [place.status for place in session.scalars(select(Appointment))] == ["waitlist"]


def test_who_insists_on_a_time_that_is_not_there_is_asked_about_the_waitlist(talk: Talk) -> None:
    talk.say("a follow-up on November 26", "book_appointment")
    talk.say("4/19/1980")
    assert talk.slots["nearest"] is True
    assert talk.say("no, november 26", "request_alternatives") == ["utter_confirm_waitlist"]
