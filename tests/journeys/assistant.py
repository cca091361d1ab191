"""The whole assistant as the outside meets it: `frontdesk up`, a stand-in for Twilio, signed texts, FHIR."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import psutil
from twilio.request_validator import RequestValidator

from bot.settings import DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, PROJECT

MODEL_CACHE = PROJECT / ".cache"
BOOTSTRAP_TOKEN = "journeys-token"
CLINIC_PHONE = "+14145550100"
_phones = itertools.count(5550200)


class TwilioStub:
    """Takes outgoing messages as Twilio's REST API does, and keeps them by number in the order in which they came."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []  # (to, body)
        self._by_number: dict[str, queue.Queue[str]] = {}
        stub = self

        class _Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True))
                stub.messages.append((sent.get("To", ""), sent.get("Body", "")))
                stub.to(sent.get("To", "")).put(sent.get("Body", ""))
                self._answer(201, {"sid": f"SM{uuid.uuid4().hex}", "status": "queued", "error_code": None})

            def do_GET(self) -> None:
                self._answer(200, {"messages": []})

            def _answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """A test says itself what went wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def to(self, phone: str) -> queue.Queue[str]:
        return self._by_number.setdefault(phone, queue.Queue())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Assistant:
    """A running `frontdesk up`."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    clock_file: Path
    twilio: TwilioStub
    said: list[str] = field(default_factory=list)  # what `up` printed
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=40))

    def set_clock(self, iso: str) -> None:
        """`iso` carries an offset, as in 2026-11-16T09:10:00-06:00."""
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(iso, encoding="utf-8")
        fresh.replace(self.clock_file)

    def new_phone(self) -> str:
        """A number that nobody has used yet."""
        return f"+1414{next(_phones)}"

    def text(self, phone: str, body: str, *, sid: str | None = None, wait: float = 20.0) -> str:
        """One signed text from `phone`; its reply, at once or through the REST API, "" where none comes in `wait` seconds."""
        answer = self.post("/twilio/sms", self.text_form(phone, body, sid=sid))
        answer.raise_for_status()
        messages = [message.text or "" for message in ElementTree.fromstring(answer.text).iter("Message")]
        if messages:
            return "\n".join(messages)
        try:
            return self.twilio.to(phone).get(timeout=wait)
        except queue.Empty:
            return ""

    def text_form(self, phone: str, body: str, *, sid: str | None = None) -> dict[str, str]:
        """The parameters that Twilio posts for a text."""
        return {
            "MessageSid": sid or f"SM{uuid.uuid4().hex}",
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": phone,
            "To": CLINIC_PHONE,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "ApiVersion": "2010-04-01",
        }

    def post(self, target: str, form: Mapping[str, str]) -> httpx.Response:
        """One request as Twilio signs it."""
        signature = RequestValidator(DEMO_AUTH_TOKEN).compute_signature(self.url + target, dict(form))
        return self.http.post(self.url + target, data=dict(form), headers={"X-Twilio-Signature": signature})

    def fhir(self, method: str, path: str, resource: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the FHIR API with the bootstrap token; the resource that it answers. Raises httpx.HTTPStatusError."""
        answer = self.http.request(
            method, f"{self.url}/fhir/R4/{path}", json=resource, headers={"Authorization": f"Bearer {BOOTSTRAP_TOKEN}"}
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def put_on_file(self, *, given: str, family: str, birth_date: dt.date, phone: str) -> str:
        """A patient on file; the id."""
        made = self.fhir(
            "POST",
            "Patient",
            {
                "resourceType": "Patient",
                "name": [{"given": [given], "family": family}],
                "birthDate": birth_date.isoformat(),
                "telecom": [{"system": "phone", "value": phone}],
            },
        )
        return str(made["id"])

    def appointments(self, patient_id: str) -> list[dict[str, Any]]:
        """What is on the books for a patient, live or not."""
        found = self.fhir("GET", f"Appointment?patient={patient_id}")
        return [entry["resource"] for entry in found.get("entry", [])]

    def processes(self) -> list[psutil.Process]:
        """`up` and all that it has started."""
        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]

    def stop(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(
    data: Path, clinic: Path, *, twilio: TwilioStub, clock: str, port: int = 0, seconds: float = 240, **environ: str
) -> Assistant:
    """`frontdesk up` over `data` in the test environment, ready. Raises RuntimeError with what it said when it fails."""
    data.mkdir(parents=True, exist_ok=True)
    lend_model(data)
    clock_file = data / "clock"
    clock_file.write_text(clock, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "up", "--clinic", str(clinic), "--data", str(data), "--port", str(port)],
        cwd=data,  # where no developer's .env lies
        env=clean_environ()
        | {
            "FRONTDESK_ENV": "test",
            "FRONTDESK_CLOCK": str(clock_file),
            "FRONTDESK_BOOTSTRAP_TOKEN": BOOTSTRAP_TOKEN,
            "FRONTDESK_TWILIO_API_URL": twilio.url,
        }
        | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: queue.Queue[str | None] = queue.Queue()
    assistant = Assistant(process, "", data, clock_file, twilio)

    def _listen() -> None:
        assert process.stdout
        with process.stdout as said:
            for line in said:
                assistant.said.append(line.rstrip())
                lines.put(line)
        lines.put(None)

    threading.Thread(target=_listen, daemon=True).start()
    deadline = time.monotonic() + seconds
    while True:
        try:
            line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
        except queue.Empty:
            line = None
        if line is None:
            assistant.stop()
            raise RuntimeError("\n".join(assistant.said))
        if found := re.match(r"Frontdesk is ready at (\S+)", line):
            assistant.url = found[1]
            return assistant


@contextlib.contextmanager
def running(data: Path, clinic: Path, *, clock: str = "2026-11-16T09:10:00-06:00") -> Iterator[Assistant]:
    """An assistant for the length of a `with`."""
    twilio = TwilioStub()
    try:
        assistant = start(data, clinic, twilio=twilio, clock=clock)
        try:
            yield assistant
        finally:
            assistant.stop()
    finally:
        twilio.close()


def clean_environ() -> dict[str, str]:
    """This process's environment without any setting of ours, so that a developer's own settings do not reach the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "TWILIO_"))}


def lend_model(data: Path) -> Path:
    """The one trained model of all tests and benchmarks, trained when the first asks for it, put into a data folder."""
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "train"],
        cwd=data,
        env=clean_environ() | {"FRONTDESK_DATA": str(MODEL_CACHE)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    model = Path(done.stdout.splitlines()[-1])
    lent = data / "models" / model.name
    lent.parent.mkdir(parents=True, exist_ok=True)
    if not lent.exists():
        shutil.copyfile(model, lent)
    return lent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
