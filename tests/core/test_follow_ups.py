"""Ordered follow-ups and referrals from outside, and what is said after a visit."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from scheduling_core import follow_ups, messaging, orders, outreach
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.writing import create_service_request
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Communication,
    OutreachStatus,
    RequestCategory,
    RequestStatus,
    ServiceRequest,
)
from tests.core.clinics import load, make_clinic
from tests.core.test_recalls import book, rows, send, settle, tasks
from tests.factories import make_patient

PHONE = "+14145550142"
THREE_MONTHS = {"start": "2027-02-16", "end": "2027-03-02"}


@pytest.fixture
def patient(loaded):
    with loaded.transaction() as session:
        return make_patient(session, phone=PHONE).id


def order(database, clinic, patient_id, code="follow-up", **more):
    resource = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": [{"code": code}]},
    }
    with database.transaction() as session:
        return create_service_request(session, clinic, resource | more, "test", "key")


def test_back_in_three_months_becomes_a_message_in_time(loaded, clinic, clock, patient):
    answered = order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    assert answered["occurrencePeriod"] == THREE_MONTHS
    assert send(loaded, clinic) == []
    clock.set("2027-01-25T10:00:00-06:00")
    assert send(loaded, clinic) == []
    clock.set("2027-01-26T10:00:00-06:00")
    assert send(loaded, clinic) == [
        "Maple Grove Clinic: it is time for your next visit, as agreed at the last one. Which day would suit you? "
        'You can also say "not now". Text STOP to end texts.'
    ]


def test_a_booking_closes_the_order_when_the_visit_took_place(loaded, clinic, clock, patient):
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    clock.set("2027-02-01T10:00:00-06:00")
    send(loaded, clinic)
    visit = book(loaded, clinic, patient, service_id="follow-up", start="2027-02-16T09:00")
    settle(loaded, clinic)
    assert rows(loaded)[0].status is OutreachStatus.BOOKED
    clock.set("2027-02-17T10:00:00-06:00")
    settle(loaded, clinic)
    with loaded.reading() as session:
        assert session.scalars(select(ServiceRequest.status)).one() is RequestStatus.COMPLETED
    assert rows(loaded)[0].appointment_id == visit.id


def test_a_visit_next_week_is_not_the_one_ordered_for_spring(loaded, clinic, clock, patient):
    book(loaded, clinic, patient, service_id="follow-up")
    clock.set("2026-11-16T09:11:00-06:00")
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    assert settle(loaded, clinic) == 0
    assert rows(loaded)[0].status is OutreachStatus.OPEN


def test_a_visit_for_that_day_that_is_on_the_books_already_is_the_one(loaded, clinic, patient):
    book(loaded, clinic, patient, service_id="follow-up", start="2027-02-18T09:00")
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    assert settle(loaded, clinic) == 1


def test_who_does_not_answer_is_left_to_staff(loaded, clinic, clock, patient):
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    for day in ("2027-01-26", "2027-02-06", "2027-02-17", "2027-03-01"):
        clock.set(f"{day}T10:00:00-06:00")
        send(loaded, clinic)
    assert [(task.reason, task.team) for task in tasks(loaded)] == [("follow-up", "desk")]


def test_clinicians_are_told_when_a_patient_declines_what_they_ordered(loaded, clinic, clock, patient):
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    clock.set("2027-02-01T10:00:00-06:00")
    send(loaded, clinic)
    with loaded.transaction() as session:
        [one] = session.scalars(select(outreach.Outreach))
        outreach.answer(session, clinic, outreach_id=one.id, said=outreach.Answer.NOT_NOW, agent="test", key="turn")
    assert [(task.reason, task.team) for task in tasks(loaded)] == [("follow-up-declined", "clinical")]


def test_an_order_that_was_revoked_is_written_about_no_more(loaded, clinic, clock, patient):
    order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    with loaded.transaction() as session:
        session.execute(update(ServiceRequest).values(status=RequestStatus.REVOKED))
    clock.set("2027-02-01T10:00:00-06:00")
    assert send(loaded, clinic) == []
    assert rows(loaded)[0].status is OutreachStatus.OVER


def test_an_order_without_days_waits_for_the_patient(loaded, clinic, patient):
    order(loaded, clinic, patient, code="blood-draw")
    assert rows(loaded) == []


def test_the_same_order_twice_is_one(loaded, clinic, patient):
    for _ in range(2):
        order(loaded, clinic, patient, occurrencePeriod=THREE_MONTHS)
    assert len(rows(loaded)) == 1


@pytest.mark.parametrize("when", [{"start": "2027-03-02", "end": "2027-02-16"}, {"start": "in spring"}, {"end": 5}, "soon"])
def test_days_that_are_none_are_refused(loaded, clinic, patient, when):
    with pytest.raises(MalformedError):
        order(loaded, clinic, patient, occurrencePeriod=when)


@pytest.mark.parametrize(
    ("when", "first", "last"),
    [
        ({"occurrenceDateTime": "2027-02-16"}, "2027-02-16", "2027-02-16"),
        ({"occurrenceDateTime": "2027-02-16T00:00:00-06:00"}, "2027-02-16", "2027-02-16"),
        ({"occurrencePeriod": {"end": "2027-02"}}, None, "2027-02-28"),
    ],
)
def test_days_are_read_from_dates_times_and_months(loaded, clinic, patient, when, first, last):
    assert order(loaded, clinic, patient, **when)["occurrencePeriod"] == ({"start": first} if first else {}) | {"end": last}


def test_a_referral_from_outside_is_written_about_at_once(loaded, clinic, patient):
    referral = {"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}
    order(loaded, clinic, patient, code="minor-procedure", category=[referral])
    [text] = send(loaded, clinic)
    assert text.startswith("Maple Grove Clinic: another practice asked us to see you. Which day would suit you?")
    with loaded.reading() as session:
        assert session.scalars(select(ServiceRequest.category)).one() is RequestCategory.REFERRAL
        assert orders.on_file(session, patient_id=patient, service_id="minor-procedure")


# after a visit

AFTER = {"after_visit": {"hours": 24, "say": "Keep it dry until tomorrow.", "ask": "How are you today?"}}


@pytest.fixture
def seen(database, clock):
    """A patient who was here at nine, and the clinic."""
    clinic = load(database, make_clinic(service=AFTER, clinic={"languages": ["en", "es"]}))
    with database.transaction() as session:
        patient_id = make_patient(session, phone=PHONE).id
    book(database, clinic, patient_id, service_id="visit", start="2026-11-17T09:00", practitioner_id="lindgren", location_id="here")
    return clinic


def came(database, status=AppointmentStatus.FULFILLED):
    with database.transaction() as session:
        session.execute(update(Appointment).values(status=status))


def say_after(database, clinic):
    while True:
        with database.transaction() as session:
            if not follow_ups.any_to_say(session, clinic):
                break
            assert follow_ups.say_after_visits(session, clinic)
    with database.transaction() as session:
        claimed = messaging.claim_due(session, worker="w", limit=10, lease_seconds=60)
        for message in claimed:
            messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{message.id}"[:34])
        return [message.body for message in claimed if message.kind == "after-visit"]


def test_instructions_and_a_question_follow_a_visit_once(database, clock, seen):
    came(database)
    clock.set("2026-11-18T09:20:00-06:00")
    assert say_after(database, seen) == []
    clock.set("2026-11-18T09:30:00-06:00")
    assert say_after(database, seen) == ["Small Clinic: Keep it dry until tomorrow. How are you today?"]
    assert say_after(database, seen) == []


@pytest.mark.parametrize(("status", "day"), [("noshow", "18"), ("cancelled", "18"), ("booked", "18"), ("fulfilled", "21")])
def test_nothing_is_said_after_a_visit_that_was_missed_or_is_long_over(database, clock, seen, status, day):
    came(database, AppointmentStatus(status))
    clock.set(f"2026-11-{day}T09:30:00-06:00")
    assert say_after(database, seen) == []


def test_the_answer_goes_to_the_clinical_team(database, clock, seen):
    came(database)
    clock.set("2026-11-18T10:00:00-06:00")
    say_after(database, seen)
    with database.transaction() as session:
        visit_id = session.scalars(select(Communication.appointment_id).where(Communication.kind == "after-visit")).one()
        for _ in range(2):
            task = follow_ups.note_answer(session, seen, phone=PHONE, words="It itches", agent="test", key="turn")
        assert task
        assert (task.team, task.reason, task.appointment_id) == ("clinical", "after-visit", visit_id)
        assert '"It itches"' in task.description
        assert follow_ups.note_answer(session, seen, phone="+14145550199", words="x", agent="test", key="other") is None
    assert len(tasks(database)) == 1
    clock.set("2026-11-30T10:00:00-06:00")
    with database.reading() as session:
        assert follow_ups.asked_after(session, seen, phone=PHONE) is None
