"""Starting the whole assistant, and what is left of it afterwards."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import CLINICS
from tests.journeys import assistant as running

pytestmark = pytest.mark.timeout(400)
_CLOCK = "2026-11-16T09:10:00-06:00"


def _gone(processes: list[psutil.Process], *, seconds: float = 10.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_up_killed_leaves_nothing_behind_and_starts_again_over_the_same_data(tmp_path: Path) -> None:
    twilio = running.TwilioStub()
    try:
        first = running.start(tmp_path, CLINICS / "maple.yml", twilio=twilio, clock=_CLOCK)
        phone = first.new_phone()
        assert first.text(phone, "hello")
        processes = first.processes()
        assert len(processes) >= 5
        first.process.kill()
        assert _gone(processes[1:])
        first.stop()

        second = running.start(tmp_path, CLINICS / "maple.yml", twilio=twilio, clock=_CLOCK)
        try:
            assert second.text(phone, "are you still there?")
            for child in second.processes()[1:]:
                child.kill()
            assert _answers_again(second)
            assert any("starting it again" in line for line in second.said)
            processes = second.processes()
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(20) == 0
            assert _gone(processes)
        finally:
            second.stop()
    finally:
        twilio.close()


def _answers_again(assistant: running.Assistant) -> bool:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if assistant.http.get(f"{assistant.url}/readyz").status_code == 200 and assistant.text(assistant.new_phone(), "hello"):
                return True
        except httpx.HTTPError:
            pass
        time.sleep(1)
    return False


def test_a_second_up_over_the_same_data_is_refused(assistant: running.Assistant) -> None:
    with pytest.raises(RuntimeError, match="Another frontdesk up runs over"):
        running.start(assistant.data, CLINICS / "maple.yml", twilio=assistant.twilio, clock=_CLOCK)
