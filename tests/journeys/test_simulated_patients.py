"""Simulated patients that nobody of this project wrote. They stand beside the project where they are at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, PROJECT
from tests.journeys import assistant as running

PATIENTS = PROJECT.parent / "shared" / "patients"
CLINIC = PROJECT.parent / "shared" / "clinics" / "riverside.yml"
TOPICS = ("booking_established", "booking_new", "cancel", "reschedule", "identity", "faq")
REQUIRED = 0.9

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not PATIENTS.exists(), reason="the simulated patients are not beside this project"),
]


def test_simulated_patients_get_what_they_want_and_nothing_else_happens(tmp_path: Path) -> None:
    twilio = running.TwilioStub()
    stub_port = running.free_port()
    try:
        assistant = running.start(
            tmp_path,
            CLINIC,
            twilio=twilio,
            clock="2026-10-26T09:00:00-05:00",
            FRONTDESK_TWILIO_API_URL=f"http://127.0.0.1:{stub_port}",
        )
        try:
            played = subprocess.run(
                [
                    *(sys.executable, str(PATIENTS / "simulate.py"), "--base-url", assistant.url),
                    *("--auth-token", DEMO_AUTH_TOKEN, "--account-sid", DEMO_ACCOUNT_SID),
                    *("--api-token", running.BOOTSTRAP_TOKEN, "--clock-file", str(assistant.clock_file)),
                    *("--stub-port", str(stub_port), "--jobs", "2", "--json", str(tmp_path / "out.json")),
                    *("--scenarios", *(str(PATIENTS / "scenarios" / f"{topic}.yml") for topic in TOPICS)),
                    *("--require", str(REQUIRED)),
                ],
                env=running.clean_environ() | {"PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            assistant.stop()
    finally:
        twilio.close()
    print(played.stdout[-20_000:])
    assert played.returncode == 0, played.stdout[-20_000:] + played.stderr[-4000:]
    summary = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["summary"]
    assert summary["wrong_write_rate"] == 0
    assert summary["disclosures"] == 0
