"""Whole ways through the house by phone, with the trained model, to the row in the database: by keys alone, and by voice."""

from __future__ import annotations

import datetime as dt
import uuid
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from bot.settings import DEMO_ACCOUNT_SID
from tests.bot import twiml
from tests.journeys.assistant import CLINIC_PHONE, Assistant

pytestmark = pytest.mark.timeout(400)


class Call:
    """A call to the running assistant; every answer is held against Twilio's typings."""

    def __init__(self, assistant: Assistant, phone: str) -> None:
        self._assistant = assistant
        self._params = {
            "CallSid": f"CA{uuid.uuid4().hex}",
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": phone,
            "To": CLINIC_PHONE,
            "Direction": "inbound",
            "CallStatus": "in-progress",
        }
        self.heard = self._post("/twilio/voice")

    def _post(self, target: str, **more: str) -> str:
        answer = self._assistant.post(target, self._params | more)
        answer.raise_for_status()
        assert twiml.mistakes(answer.text, voice=True) == [], answer.text
        self.document = ElementTree.fromstring(answer.text)
        said = " ".join("".join(one.itertext()) for one in self.document.iter("Say"))
        redirect = self.document.find("Redirect")
        if self.document.find("Gather") is None and redirect is not None:
            return f"{said} {self._post(redirect.text or '')}"
        return said

    def _turn(self, **more: str) -> str:
        gather = self.document.find("Gather")
        assert gather is not None, self.heard
        self.heard = self._post(gather.attrib["action"], **more)
        return self.heard

    def press(self, *keys: str) -> str:
        """Press these, each when it is asked for; what is heard in the end."""
        for one in keys:
            self._turn(Digits=one)
        return self.heard

    def say(self, words: str) -> str:
        return self._turn(SpeechResult=words, Confidence="0.92")


def live(assistant: Assistant, patient: str) -> list[dict[str, Any]]:
    return [visit for visit in assistant.appointments(patient) if visit["status"] == "booked"]


def test_a_patient_on_file_books_moves_and_cancels_by_keys_alone(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Edna", family="Osei", birth_date=dt.date(1951, 9, 4), phone=phone)
    call = Call(assistant, phone)
    assert "For Follow-up visit, press 2." in call.press("1")
    assert "eight digits" in call.press("2")
    assert "For the soonest time, press 1." in call.press("09041951")
    assert "Option 2" in call.press("3")
    first = call.heard
    assert "Option 1" in call.press("9")
    assert call.heard != first
    assert "Follow-up visit for Edna" in call.press("1")
    assert "You're booked" in call.press("1")
    [booked] = live(assistant, patient)
    assert "I have texted them" in call.press("1")
    assert "Maple Grove" in assistant.twilio.to(phone).get(timeout=20)

    assert "would you like instead" in call.press("2")
    assert "Option 1" in call.press("1201")
    assert "Shall I move it?" in call.press("1")
    assert "is moved" in call.press("1")
    [moved] = live(assistant, patient)
    assert moved["start"][:10] == "2026-12-01" != booked["start"][:10]

    other = Call(assistant, phone)
    assert "Shall I cancel" in other.press("3", "09041951")
    assert "cancelled" in other.press("1")
    assert live(assistant, patient) == []


def test_keys_alone_book_in_spanish_too(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Pilar", family="Arce", birth_date=dt.date(1968, 12, 30), phone=phone)
    call = Call(assistant, phone)
    assert "Para Vaccination, oprima 6." in call.press("8", "1")
    assert "está reservada" in call.press("6", "12301968", "1", "1", "1")
    assert len(live(assistant, patient)) == 1


def test_a_visit_is_booked_by_voice_through_noise_and_a_wrong_word(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Otto", family="Brandl", birth_date=dt.date(1979, 3, 18), phone=phone)
    call = Call(assistant, phone)
    assert "date of birth" in call.say("Need a physical with doctor fereira.")
    assert "What day" in call.say("march eighth no wait march eighteenth nineteen seventy nine")
    assert "Option 1" in call.say("any morning next week")
    assert "Shall I book it?" in call.say("The 1st one.")
    assert "You're booked" in call.say("mm-hmm")
    assert len(live(assistant, patient)) == 1


def test_a_person_is_reached_from_the_middle_of_a_booking(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    call = Call(assistant, phone)
    call.say("I need a checkup")
    call.press("0")
    assert call.document.findtext("Dial/Number") == "+14145550120"
