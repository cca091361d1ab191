"""From a clone to the first booked visit by `make demo`, and how soon a second `up` is ready. Package caches are warm.

python -m benchmarks.start
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import httpx

from benchmarks.report import report
from bot.settings import PROJECT
from tests.conftest import CLINICS
from tests.journeys import assistant as running

COMMAND = "python -m benchmarks.start"
_PHONE = "+14145550188"
# What a new patient answers to what the assistant asks for, the first pattern that fits.
_ANSWERS = (
    (r"\b1\b.*\b2\b|which (one|time)|work(s)? for you", "the first one"),
    (r"date of birth|birth date|born", "Nora Fielding, 03/14/1990"),
    (r"\bname\b", "Nora Fielding, 03/14/1990"),
    (r"insur|coverage", "no insurance, I will pay myself"),
    (r"what day|when (would|do|is)|which day", "any time next week"),
    (r"reason|what (kind|type)|which visit|what .*for", "a first visit as a new patient"),
    (r"right\?|correct\?|shall i|should i|book it|go ahead|ok\?", "yes please"),
)


def main() -> None:
    _first_visit()
    _second_start()


def _first_visit() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "frontdesk"
        began = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=clone,
            env={name: value for name, value in running.clean_environ().items() if name != "VIRTUAL_ENV"} | {"FRONTDESK_PORT": "0"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _book(_address(demo))
            seconds = time.perf_counter() - began
        finally:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait(30)
    report("From git clone to a first booked visit by make demo", round(seconds), "s", "300 or less", seconds <= 300, COMMAND)


def _address(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout
    for line in demo.stdout:
        print(f"  {line.rstrip()}")
        if found := re.match(r"Frontdesk is ready at (\S+)", line):
            threading.Thread(target=demo.stdout.read, daemon=True).start()
            return found[1]
    raise RuntimeError("make demo ended before it was ready")


def _book(url: str) -> None:
    """A new patient on the phone page, until the assistant says that the visit is booked."""
    said = "I am a new patient and need an appointment next week"
    with httpx.Client(timeout=60) as phone:
        for _ in range(12):
            answer = phone.post(f"{url}/phone/messages", json={"from": _PHONE, "body": said}).raise_for_status()
            reply = " ".join(answer.json()["replies"])
            print(f"  patient: {said}\n  clinic:  {reply}")
            if re.search(r"\b(is|are) (now )?booked|you're booked|see you", reply, re.IGNORECASE):
                return
            said = next((text for pattern, text in _ANSWERS if re.search(pattern, reply, re.IGNORECASE | re.DOTALL)), "yes please")
    raise RuntimeError("no visit was booked")


def _second_start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with running.running(data, CLINICS / "maple.yml"):
            pass
        began = time.perf_counter()
        with running.running(data, CLINICS / "maple.yml"):
            seconds = time.perf_counter() - began
    report("A second up until it is ready", round(seconds, 1), "s", "60 or less", seconds <= 60, COMMAND)


if __name__ == "__main__":
    main()
