"""A form that stays open over many turns, and over a restart of the dialogue."""

from __future__ import annotations

import datetime as dt
import time

import psutil
import pytest

from tests.journeys.assistant import Assistant

pytestmark = pytest.mark.timeout(400)


def test_a_booking_survives_a_dozen_questions_in_between_and_a_killed_dialogue(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Lena", family="Hartwell", birth_date=dt.date(1984, 5, 12), phone=phone)
    assert assistant.text(phone, "I'd like to book a follow-up visit next week")
    offers = assistant.text(phone, "05/12/1984")
    assert "1)" in offers
    for number in range(12):
        assert assistant.text(phone, ("what are your hours?", "where do I park?")[number % 2])
    [dialogue] = [process for process in assistant.processes() if "serve" in process.cmdline()]
    dialogue.kill()
    psutil.wait_procs([dialogue], timeout=5)
    _wait_until_ready(assistant)
    read_back = assistant.text(phone, "the first one please")
    assert "?" in read_back
    assert assistant.text(phone, "yes that is right")
    [visit] = assistant.appointments(patient)
    assert visit["status"] == "booked"


def _wait_until_ready(assistant: Assistant) -> None:
    deadline = time.monotonic() + 90
    while assistant.http.get(f"{assistant.url}/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.5)
