"""Calls that the clinic makes: who picks up, and what they hear and may do."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from scheduling_core import booking, calls, messaging, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import AnsweredBy, Channel, Communication, Delivery
from tests.bot.conftest import CLINIC, DEMO_ACCOUNT_SID, PATIENT, House
from tests.bot.voice.call import Call, conversation
from tests.conftest import Clock
from tests.factories import make_free_time, make_patient


class Answered(Call):
    """A call of ours that was picked up, by a person unless told otherwise."""

    def __init__(self, house: House, target: str, by: str = "human") -> None:
        self.house, self.target, self.by = house, target, by
        self.params = {
            "CallSid": f"CA{uuid.uuid4().hex}",
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": CLINIC,
            "To": PATIENT,
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
        }
        self.greet()

    def greet(self) -> None:
        self.post(self.target, AnsweredBy=self.by)


@pytest.fixture
def reminded(sqlite_house: House, clinic: ClinicFile, clock: Clock) -> House:
    """A call that reminds Ruth of her visit on Tuesday waits in the outbox."""
    with sqlite_house.database.transaction() as session:
        patient = make_patient(session, phone=PATIENT)
        visit = booking.book(
            session, clinic, patient_id=patient.id, time=make_free_time(clinic, start="2026-11-17T13:00"), agent="test", key="book"
        )
        messaging.queue(
            session,
            phone=PATIENT,
            channel=Channel.VOICE,
            body=sending.call_back_words(clinic, "en"),
            author="system",
            kind=sending.REMINDER,
            patient_id=patient.id,
            appointment_id=visit.id,
            key=sending.reminder_key(visit, 24),
        )
    sqlite_house.worker().send_due()
    return sqlite_house


def target(house: House) -> str:
    (sent,) = [sent for sent in house.twilio.sent if sent["sid"].startswith("CA")]
    parts = urlsplit(sent["Url"])
    assert sent["Url"].startswith(house.settings.public_url)
    return f"{parts.path}?{parts.query}"


def test_a_reminder_calls_and_listens_for_machines(reminded: House):
    (sent,) = reminded.twilio.sent
    assert (sent["To"], sent["From"], sent["MachineDetection"]) == (PATIENT, CLINIC, "DetectMessageEnd")
    assert "Twiml" not in sent


@pytest.mark.parametrize("by", ["machine_end_beep", "machine_start", "fax"])
def test_a_machine_hears_who_called_and_nothing_about_the_visit(reminded: House, by: str):
    call = Answered(reminded, target(reminded), by)
    assert call.is_over
    assert "Maple Grove Clinic" in call.heard
    for private in ("Ruth", "Tuesday", "visit", "1:00", "Ferreira", "reminder"):
        assert private not in call.heard
    with reminded.database.reading() as session:
        kept = calls.find(session, call.sid)
        assert kept is not None
        assert kept.answered_by is AnsweredBy.MACHINE


def test_nothing_of_the_visit_is_said_before_somebody_says_it_is_theirs(reminded: House):
    call = Answered(reminded, target(reminded))
    assert "Is this Ruth?" in call.heard
    assert "Tuesday" not in call.heard
    assert "Please have them call us" in call.press("2")
    assert "Tuesday" not in call.heard
    assert call.is_over


def test_the_visit_is_told_and_confirmed_by_a_key_or_a_word(reminded: House):
    call = Answered(reminded, target(reminded))
    assert "Tuesday, November 17 at 1:00 PM" in call.press("1")
    assert "To confirm, press 1." in call.heard
    call.press("1")
    other = Answered(reminded, target(reminded))
    other.say("yes this is she")
    other.say("yes I can")
    assert reminded.dialogue.texts == ["confirm", "confirm"]
    assert conversation(reminded, call).phone == PATIENT


@pytest.mark.parametrize(("key", "said"), [("2", "I need to move my appointment"), ("3", "I want to cancel my appointment")])
def test_a_visit_is_moved_or_cancelled_from_its_reminder(reminded: House, key: str, said: str):
    call = Answered(reminded, target(reminded))
    call.press("1")
    call.press(key)
    assert reminded.dialogue.texts == [said]


def test_a_visit_that_is_gone_is_not_reminded_of(reminded: House, clinic: ClinicFile):
    with reminded.database.transaction() as session:
        message = session.scalars(select(Communication).where(Communication.kind == "reminder")).one()
        booking.cancel(session, clinic, appointment_id=message.appointment_id, agent="test", key="cancel")
    call = Answered(reminded, target(reminded))
    assert "nothing that you need to do" in call.heard
    assert call.is_over


def test_the_same_request_twice_hears_the_same(reminded: House):
    call = Answered(reminded, target(reminded))
    first = call.raw
    call.press("1")
    call.greet()
    assert call.raw == first


def test_a_message_that_is_not_there_is_not_found(sqlite_house: House):
    params = {"CallSid": f"CA{uuid.uuid4().hex}", "AccountSid": DEMO_ACCOUNT_SID, "From": CLINIC, "To": PATIENT}
    assert sqlite_house.post("/twilio/voice/reminder?message=nothing", params).status_code == 404


def test_how_the_call_went_is_kept(reminded: House):
    (sent,) = reminded.twilio.sent
    call = Answered(reminded, target(reminded))
    ended = call.params | {"CallSid": sent["sid"], "CallStatus": "completed"}
    reminded.post(f"/twilio/status?{urlsplit(sent['StatusCallback']).query}", ended)
    with reminded.database.reading() as session:
        message = session.scalars(select(Communication).where(Communication.kind == "reminder")).one()
    assert message.status is Delivery.DELIVERED
