"""Whole ways through the house by signed text, with the trained model, to the row in the database."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant

pytestmark = pytest.mark.timeout(400)
ZONE = dt.timezone(dt.timedelta(hours=-6))  # Chicago, in the weeks of these tests


def live(assistant: Assistant, patient: str) -> list[dict[str, Any]]:
    return [visit for visit in assistant.appointments(patient) if visit["status"] == "booked"]


def start(visit: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(visit["start"]).astimezone(ZONE)


def test_an_established_patient_books_moves_asks_and_cancels(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Maud", family="Okonjo", birth_date=dt.date(1971, 2, 8), phone=phone)

    assert "date of birth" in assistant.text(phone, "hi, i need a follow up with dr fereira on wednesday morning")
    offers = assistant.text(phone, "2/8/1971")
    assert offers.count("Wed Nov 18") == 3
    read_back = assistant.text(phone, "the second one")
    assert "Follow-up visit for Maud, Wednesday, November 18" in read_back
    assert live(assistant, patient) == []
    assert "You're booked" in assistant.text(phone, "yes please")
    [booked] = live(assistant, patient)
    assert start(booked).date() == dt.date(2026, 11, 18)

    read_back = assistant.text(phone, "can I move my appointment to the same time next week?")
    assert "November 25" in read_back
    assert "moved" in assistant.text(phone, "yep")
    [moved] = live(assistant, patient)
    assert start(moved) == start(booked) + dt.timedelta(days=7)

    assert "November 25" in assistant.text(phone, "when is my appointment again?")
    assert "Shall I cancel" in assistant.text(phone, "I have to cancel it, sorry. please cancel my appointment")
    assert "cancelled" in assistant.text(phone, "yes")
    assert live(assistant, patient) == []


def test_a_new_patient_is_registered_with_the_first_visit_and_tells_the_insurance(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    assert "name" in assistant.text(phone, "Hello, I'm new here and I'd like to see a female doctor")
    assert "What day" in assistant.text(phone, "Greta Lindqvist-Moore, June 3 1990")
    assert "1)" in assistant.text(phone, "any afternoon this week")
    assert "Greta" in assistant.text(phone, "1")
    booked = assistant.text(phone, "yes, that's right")
    assert "You're booked: New patient visit" in booked
    assert "Photo ID" in booked
    assert "insurance" in booked
    assert "member ID" in assistant.text(phone, "great lakes mutual")
    assert "GLM778201" in assistant.text(phone, "GLM-778-201")
    assert "saved" in assistant.text(phone, "yes")
    [greta] = assistant.fhir("GET", f"Patient?phone={phone.replace('+', '%2B')}")["entry"]
    assert greta["resource"]["birthDate"] == "1990-06-03"
    [coverage] = assistant.fhir("GET", f"Coverage?beneficiary=Patient/{greta['resource']['id']}")["entry"]
    assert coverage["resource"]["subscriberId"] == "GLM778201"
    [visit] = live(assistant, greta["resource"]["id"])
    assert "ferreira" in str(visit["participant"])


def test_a_spanish_speaker_is_answered_in_spanish_throughout(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Inés", family="Robledo", birth_date=dt.date(1966, 3, 19), phone=phone)
    assert "fecha de nacimiento" in assistant.text(phone, "Hola, necesito una cita de seguimiento por la tarde")
    assert "¿Cual le sirve?" in assistant.text(phone, "19 de marzo de 1966")
    assert "¿La reservo?" in assistant.text(phone, "la primera")
    assert "reservada" in assistant.text(phone, "sí, por favor")
    assert len(live(assistant, patient)) == 1


def test_general_questions_are_answered_and_nothing_is_written(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    assert "8:00 AM-5:00 PM" in assistant.text(phone, "What are your hours at the main clinic?")
    assert "Free garage" in assistant.text(phone, "where do I park at north?")
    assert "10 hours" in assistant.text(phone, "do I have to fast before my lab work?")
    assert "by appointment" in assistant.text(phone, "do you take walk-ins?")
    assert assistant.fhir("GET", f"Patient?phone={phone.replace('+', '%2B')}").get("entry", []) == []


def test_a_red_flag_in_the_middle_of_a_booking_stops_everything_else(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    assistant.text(phone, "I'd like a checkup")
    assert "911" in assistant.text(phone, "actually I have crushing chest pain and my left arm is numb")
    tasks = assistant.fhir("GET", "Task?status=requested")["entry"]
    [urgent] = [task["resource"] for task in tasks if phone in str(task)]
    assert urgent["priority"] == "stat"


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """An assistant with a clock of its own."""
    with running.running(tmp_path, CLINICS / "maple.yml") as started:
        yield started


def test_a_reminder_is_confirmed_and_a_freed_time_goes_to_who_waits(own: Assistant) -> None:
    phone = own.new_phone()
    patient = own.put_on_file(given="Piet", family="Vandermeer", birth_date=dt.date(1959, 9, 1), phone=phone)
    own.text(phone, "follow-up with Lars Sorensen on Thursday please")
    own.text(phone, "9/1/1959")
    own.text(phone, "1")
    own.text(phone, "yes")
    [visit] = live(own, patient)
    own.set_clock((start(visit) - dt.timedelta(hours=23, minutes=30)).isoformat())
    reminder = own.twilio.to(phone).get(timeout=30)
    assert "reminder" in reminder.lower()
    assert re.search(r"sorensen|follow-up", reminder, re.IGNORECASE) is None
    assert "confirmed" in own.text(phone, "yes see you then")
    [visit] = live(own, patient)
    assert [p["status"] for p in visit["participant"] if "Patient/" in p["actor"]["reference"]] == ["accepted"]
