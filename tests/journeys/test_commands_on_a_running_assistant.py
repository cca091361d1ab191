"""Commands that speak to the running assistant, or read with its model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant

pytestmark = pytest.mark.timeout(400)
MAPLE = str(CLINICS / "maple.yml")


def _frontdesk(*arguments: str, data: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", *arguments],
        cwd=data,
        env=running.clean_environ()
        | {"FRONTDESK_ENV": "test", "FRONTDESK_DATA": str(data), "FRONTDESK_CLOCK": str(data / "clock")},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_terminal_texts_with_the_running_assistant(assistant: Assistant) -> None:
    done = _frontdesk("chat", "--from", assistant.new_phone(), data=assistant.data, stdin="hello\nwhere do I park?\n")
    assert done.returncode == 0, done.stderr
    assert "Maple Grove Clinic" in done.stdout
    assert "garage" in done.stdout


def test_a_terminal_without_an_assistant_is_told_how_to_start_one(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("2026-11-16T09:10:00-06:00", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", "chat"],
        env=running.clean_environ() | {"FRONTDESK_DATA": str(tmp_path), "FRONTDESK_PORT": str(running.free_port())},
        input="hello\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("start one with: frontdesk up")


def test_a_token_opens_the_fhir_api_of_the_running_assistant(assistant: Assistant) -> None:
    token = _frontdesk("token", "new", "--name", "ehr", "--role", "integration", data=assistant.data).stdout.strip()
    url = f"{assistant.url}/fhir/R4/Task?status=requested"
    assert assistant.http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert assistant.http.get(url, headers={"Authorization": f"Bearer {token}x"}).status_code == 401


def test_staff_take_a_conversation_reply_in_it_and_return_it(assistant: Assistant) -> None:
    phone = assistant.new_phone()
    assert assistant.text(phone, "I want to talk to a person please")
    listed = _frontdesk("handoff", "list", data=assistant.data).stdout
    [line] = [line for line in listed.splitlines() if line.startswith("conversation") and phone in line]
    conversation = line.split()[1]
    assert assistant.text(phone, "is anybody there?", wait=2) == ""

    replied = _frontdesk("handoff", "reply", conversation, "This is Ann. How can I help?", "--name", "Ann", data=assistant.data)
    assert replied.returncode == 0, replied.stderr
    assert assistant.twilio.to(phone).get(timeout=20) == "This is Ann. How can I help?"

    assert _frontdesk("handoff", "return", conversation, data=assistant.data).returncode == 0
    assert assistant.text(phone, "where do I park?")
    again = _frontdesk("handoff", "return", conversation, data=assistant.data)
    assert again.returncode == 1
    assert len(again.stderr.splitlines()) == 1


def test_understand_reads_intent_time_and_names_of_any_clinic(tmp_path: Path) -> None:
    running.lend_model(tmp_path)
    (tmp_path / "clock").write_text("2026-11-16T09:10:00-06:00", encoding="utf-8")
    lines = [
        {"id": "book", "text": "I'd like to book a physical next Tuesday morning", "now": "2026-11-16T09:10:00"},
        {"id": "cancel", "text": "please cancel my appointment", "now": "2026-11-16T09:10:00"},
        {"id": "danger", "text": "I have chest pain and can't breathe", "now": "2026-11-16T09:10:00"},
    ]
    done = _frontdesk(
        "understand", "--clinic", MAPLE, "--jsonl", data=tmp_path, stdin="".join(json.dumps(line) + "\n" for line in lines)
    )
    assert done.returncode == 0, done.stderr
    book, cancel, danger = (json.loads(line) for line in done.stdout.splitlines())
    assert set(book) == {
        *("id", "intent", "confidence", "when", "services", "practitioners", "payers", "locations", "emergency"),
    }
    assert (book["id"], book["intent"], book["services"]) == ("book", "book_appointment", ["physical"])
    assert book["when"]["start"].startswith("2026-11-24")
    assert set(book["when"]) == {"start", "end", "grain", "bound", "weekdays", "except", "ambiguous"}
    assert (cancel["intent"], cancel["when"], cancel["emergency"]) == ("cancel_appointment", None, False)
    assert danger["emergency"] is True
