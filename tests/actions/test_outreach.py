"""Answers to messages that ask for a visit."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from scheduling_core import booking, follow_ups, outreach, times
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import AfterVisit, ClinicFile
from scheduling_core.models import Appointment, Communication, Delivery, Outreach, OutreachKind, OutreachStatus, Patient, Task
from tests.actions.talk import Talk
from tests.factories import make_free_time


@pytest.fixture
def recalled(talk: Talk, clinic: ClinicFile) -> None:
    """Ruth was told that it is time for her yearly visit."""
    with talk.database.transaction() as session:
        outreach.begin(
            session,
            kind=OutreachKind.RECALL,
            patient_id=session.scalars(select(Patient.id)).one(),
            service_id="physical",
            due_on=dt.date(2026, 10, 1),
            next_at=times.now(),
            key="recall",
            agent="test",
        )
        outreach.send_due(session, clinic)
        session.execute(update(Communication).where(Communication.status == Delivery.QUEUED).values(status=Delivery.SENT))


def status(talk: Talk) -> OutreachStatus:
    with talk.database.reading() as session:
        return session.scalars(select(Outreach.status)).one()


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("not now", "deny"),
        ("no thanks", "deny"),
        ("maybe later", "maybe"),
        ("ask me again in the spring", "inform"),
        ("I don't need it", "cancel_appointment_never"),
        ("too busy these days, some other time", "nlu_fallback"),
        ("ahora no", "deny"),
        ("más adelante, gracias", "nlu_fallback"),
    ],
)
def test_not_now_in_free_words(talk: Talk, recalled: None, words: str, intent: str) -> None:
    intent = "inform" if intent.endswith("_never") else intent
    assert talk.say(words, intent) == ["utter_outreach_not_now"]
    assert status(talk) is OutreachStatus.DECLINED


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("I already had it done in May", "mention_existing"),
        ("I had it with another doctor", "inform"),
        ("did that one already", "nlu_fallback"),
        ("I go to a different clinic now", "inform"),
        ("ya me hice el chequeo", "nlu_fallback"),
        ("me lo hicieron en otro lugar", "inform"),
    ],
)
def test_had_elsewhere_in_free_words(talk: Talk, recalled: None, words: str, intent: str) -> None:
    assert talk.say(words, intent) == ["utter_outreach_elsewhere"]
    assert status(talk) is OutreachStatus.ELSEWHERE


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("stop reminding me about this", "opt_out"),
        ("please don't ask me again", "stop"),
        ("no more reminders", "nlu_fallback"),
        ("dejen de recordarme", "nlu_fallback"),
        ("no quiero más recordatorios", "deny"),
    ],
)
def test_no_more_of_these_in_free_words(talk: Talk, recalled: None, words: str, intent: str) -> None:
    assert talk.say(words, intent) == ["utter_outreach_stopped"]
    assert status(talk) is OutreachStatus.STOPPED


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("yes", "affirm"),
        ("sure, let's do it", "affirm"),
        ("thursday morning", "inform"),
        ("ok can I come next week?", "check_availability"),
        ("book me in please", "book_appointment"),
        ("any day", "no_preference"),
        ("not today, but tomorrow morning works", "inform"),
        ("el jueves por la mañana", "inform"),
        ("sí, por favor", "affirm"),
        ("can I see a different doctor on thursday", "book_appointment"),
    ],
)
def test_who_agrees_or_names_a_day_books_that_visit(talk: Talk, recalled: None, words: str, intent: str) -> None:
    assert talk.say(words, intent)[-1] == "utter_request_birth_date"
    assert talk.slots["service"] == "physical"
    assert status(talk) is OutreachStatus.OPEN


def test_from_the_recall_to_a_booked_visit(talk: Talk, clinic: ClinicFile, recalled: None) -> None:
    talk.say("thursday morning would be good", "inform")
    assert talk.say("April 19 1980") == ["utter_offers"]
    talk.say("1", "select")
    assert "utter_booked" in talk.say("yes", "affirm")
    with talk.database.transaction() as session:
        assert [visit.service_id for visit in session.scalars(select(Appointment).where(Appointment.status == "booked"))] == [
            "physical"
        ]
        outreach.settle(session, clinic)
    assert status(talk) is OutreachStatus.BOOKED


def test_another_visit_than_the_one_asked_for_is_booked_as_asked(talk: Talk, recalled: None) -> None:
    talk.say("I need a vaccination on thursday", "book_appointment")
    assert talk.slots["service"] == "vaccine"
    assert status(talk) is OutreachStatus.OPEN


def test_a_turn_that_is_taken_again_says_the_same(talk: Talk, recalled: None) -> None:
    for _ in range(2):
        assert talk.say("had it elsewhere", "inform", turn="t1") == ["utter_outreach_elsewhere"]


def test_what_is_said_without_a_message_of_ours_stays_what_it_was(talk: Talk) -> None:
    assert talk.say("not now", "deny") == ["utter_nothing_to_stop"]
    assert talk.say("stop reminding me", "opt_out") == ["utter_opt_out_how"]


def test_an_old_message_does_not_make_every_booking_its_own(talk: Talk, recalled: None, clock) -> None:
    talk.say("hello", "greet")
    with talk.database.transaction() as session:
        session.add(_reply(session))
    clock.set("2026-12-16T09:10:00-06:00")
    talk.say("I need an appointment", "book_appointment")
    assert talk.slots.get("service") is None


@pytest.fixture
def asked_after(talk: Talk, clinic: ClinicFile) -> ClinicFile:
    """Ruth had a procedure, and was asked today how she is."""
    rule = AfterVisit(hours=24, ask="How are you today?")
    services = [one.model_copy(update={"after_visit": rule}) if one.id == "follow-up" else one for one in clinic.services]
    changed = clinic.model_copy(update={"services": services})
    asking = ClinicFile.model_validate(changed.model_dump(mode="json", by_alias=True))
    with talk.database.transaction() as session:
        loading.load(session, asking, agent="load")
        ruth = session.scalars(select(Patient)).one()
        time = make_free_time(asking, start="2026-11-17T09:00", service_id="follow-up")
        booking.book(session, asking, patient_id=ruth.id, time=time, agent="test", key="book")
        session.execute(update(Appointment).values(status="fulfilled"))
    return asking


def ask(talk: Talk, clinic: ClinicFile) -> None:
    with talk.database.transaction() as session:
        assert follow_ups.say_after_visits(session, clinic) == 1
        session.execute(update(Communication).where(Communication.status == Delivery.QUEUED).values(status=Delivery.SENT))


@pytest.mark.parametrize(
    ("words", "intent", "answered"),
    [
        ("a bit sore but ok", "inform", "utter_after_visit_noted"),
        ("I'm doing much better, thanks", "thank", "utter_after_visit_noted"),
        ("yes all good", "affirm", "utter_after_visit_noted"),
        ("bien, gracias a Dios", "nlu_fallback", "utter_after_visit_noted"),
        ("thank you!", "thank", "utter_welcome"),
    ],
)
def test_how_somebody_is_after_a_visit_goes_to_the_clinical_team(
    talk: Talk, asked_after: ClinicFile, clock, words: str, intent: str, answered: str
) -> None:
    clock.set("2026-11-18T10:00:00-06:00")
    ask(talk, asked_after)
    assert talk.say(words, intent) == [answered]
    with talk.database.reading() as session:
        teams = [task.team for task in session.scalars(select(Task).where(Task.reason == "after-visit"))]
    assert teams == ["clinical"] * (answered == "utter_after_visit_noted")


def test_what_hurts_after_a_visit_is_told_to_the_clinical_team_and_booked(talk: Talk, asked_after: ClinicFile, clock) -> None:
    clock.set("2026-11-18T10:00:00-06:00")
    ask(talk, asked_after)
    talk.say("I have a sore throat and want to be seen", "book_appointment")
    assert talk.form == "booking_form"
    with talk.database.reading() as session:
        assert session.scalars(select(Task.reason)).all() == ["after-visit"]


def _reply(session) -> Communication:
    first = session.scalars(select(Communication)).first()
    return Communication(
        phone=first.phone,
        channel=first.channel,
        direction=first.direction,
        body="Hello",
        author="assistant",
        status=Delivery.SENT,
        created_at=first.created_at,
    )
