"""The house as Twilio meets it: the web app behind real HTTP, with stand-ins for the dialogue and for Twilio's REST API."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
import waitress
from flask import Flask
from twilio.request_validator import RequestValidator
from waitress import wasyncore

from bot.app import close, create_app
from bot.channels.sender import create_sender
from bot.settings import DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, Environment, Settings
from bot.worker import Worker
from scheduling_core.db import Database
from tests.bot import twiml

PATIENT = "+14145550142"
CLINIC = "+14145550100"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    stand_in: Any

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Quiet(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def log_message(self, *_: object) -> None:
        pass


def _serve(handler: type[_Quiet], stand_in: Any) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    server.stand_in = stand_in
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class FakeDialogue:
    """Rasa's REST channel. Says "You said: ..." until `reply` is replaced; keeps what it was asked, in order."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reply: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda asked: [{"text": f"You said: {asked['message']}"}]
        self.status = 200
        self._server = _serve(_DialogueHandler, self)
        self.url = self._server.url

    @property
    def texts(self) -> list[str]:
        return [asked["message"] for asked in self.asked]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _DialogueHandler(_Quiet):
    def do_GET(self) -> None:
        self.answer(200, {"status": "ok"})

    def do_POST(self) -> None:
        asked = json.loads(self.body())
        dialogue: FakeDialogue = self.server.stand_in
        dialogue.asked.append(asked)
        self.answer(dialogue.status, dialogue.reply(asked))


class FakeTwilio:
    """Messages.json and Calls.json of Twilio's REST API: takes texts and calls, and lists them.

    `refuse`: it does not; `lose`: it does, and hangs up.
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.refuse: tuple[int, int] | None = None  # HTTP status and Twilio's code
        self.lose = False
        self._server = _serve(_TwilioHandler, self)
        self.url = self._server.url

    def bodies(self, to: str = PATIENT) -> list[str]:
        return [text["Body"] for text in self.sent if text["To"] == to]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _TwilioHandler(_Quiet):
    def do_POST(self) -> None:
        twilio: FakeTwilio = self.server.stand_in
        sent = dict(parse_qsl(self.body(), keep_blank_values=True))
        path = urlsplit(self.path).path
        assert path.startswith(f"/2010-04-01/Accounts/{DEMO_ACCOUNT_SID}/")
        is_call = path.endswith("/Calls.json")
        assert is_call or path.endswith("/Messages.json")
        if twilio.refuse:
            status, code = twilio.refuse
            return self.answer(status, {"code": code, "message": "refused", "status": status})
        sent["sid"] = f"{'CA' if is_call else 'SM'}{uuid.uuid4().hex}"
        sent["at"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        twilio.sent.append(sent)
        if twilio.lose:
            self.close_connection = True
            self.connection.close()
            return None
        return self.answer(201, _as_resource(sent))

    def do_GET(self) -> None:
        twilio: FakeTwilio = self.server.stand_in
        to = parse_qs(urlsplit(self.path).query)["To"][0]
        kind, prefix = ("calls", "CA") if urlsplit(self.path).path.endswith("/Calls.json") else ("messages", "SM")
        found = [_as_resource(sent) for sent in twilio.sent if sent["To"] == to and sent["sid"].startswith(prefix)]
        self.answer(200, {kind: found, "page": 0, "page_size": 50, "next_page_uri": None, "uri": self.path})


def _as_resource(sent: dict[str, str]) -> dict[str, Any]:
    return {
        "sid": sent["sid"],
        "to": sent["To"],
        "from": sent["From"],
        "body": sent.get("Body"),
        "status": "queued",
        "date_created": sent["at"],
    }


@dataclass
class House:
    """The running web app, and everything around it."""

    app: Flask
    settings: Settings
    database: Database
    dialogue: FakeDialogue
    twilio: FakeTwilio
    url: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def text(self, body: str, *, sid: str | None = None, phone: str = PATIENT, **more: str) -> list[str]:
        """A signed text; the messages of the TwiML that came back."""
        answer = self.post("/twilio/sms", text_params(body, sid=sid, phone=phone, **more))
        assert answer.status_code == 200, answer.text
        return messages(answer.text)

    def post(self, target: str, params: dict[str, str], *, signature: str | None = None) -> httpx.Response:
        signed = sign(self.settings.public_url + target, params) if signature is None else signature
        answer = self.http.post(self.url + target, data=params, headers={"X-Twilio-Signature": signed})
        if answer.headers["Content-Type"].startswith("text/xml"):
            bridges = target.endswith("/whisper/taken") and "<Hangup" not in answer.text
            assert twiml.mistakes(answer.text, voice="/voice" in target, bridges=bridges) == [], answer.text
        return answer

    def worker(self) -> Worker:
        return Worker(self.database, create_sender(self.settings), self.app.extensions["frontdesk"][1])


def sign(url: str, params: dict[str, str]) -> str:
    return RequestValidator(DEMO_AUTH_TOKEN).compute_signature(url, params)


def text_params(body: str, *, sid: str | None = None, phone: str = PATIENT, **more: str) -> dict[str, str]:
    sid = sid or new_sid()
    return {
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "AccountSid": DEMO_ACCOUNT_SID,
        "From": phone,
        "To": CLINIC,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    } | more


def new_sid() -> str:
    return f"SM{uuid.uuid4().hex}"


def messages(twiml: str) -> list[str]:
    return ["".join(message.itertext()) for message in ET.fromstring(twiml).iter("Message")]


@pytest.fixture
def dialogue() -> Iterator[FakeDialogue]:
    fake = FakeDialogue()
    yield fake
    fake.stop()


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    yield fake
    fake.stop()


@pytest.fixture
def house(loaded: Database, dialogue: FakeDialogue, twilio: FakeTwilio, tmp_path: Path) -> Iterator[House]:
    """The web app over the tests' clinic, on each database engine."""
    yield from running(loaded, dialogue, twilio, tmp_path, twiml_seconds=10.0)


@pytest.fixture
def sqlite_house(sqlite_loaded: Database, dialogue: FakeDialogue, twilio: FakeTwilio, tmp_path: Path) -> Iterator[House]:
    """As `house`, on SQLite alone, for what the database has no part in."""
    yield from running(sqlite_loaded, dialogue, twilio, tmp_path, twiml_seconds=10.0)


@pytest.fixture
def hasty_house(loaded: Database, dialogue: FakeDialogue, twilio: FakeTwilio, tmp_path: Path) -> Iterator[House]:
    """As `house`, with webhooks that wait for an answer for 0.4 s only."""
    yield from running(loaded, dialogue, twilio, tmp_path, twiml_seconds=0.4)


def running(
    database: Database, dialogue: FakeDialogue, twilio: FakeTwilio, folder: Path, *, twiml_seconds: float, host: str | None = None
) -> Iterator[House]:
    """`host`: the web app's public address is http://HOST:PORT, for browsers; else one that only signatures are made with."""
    database_url = database.engine.url.render_as_string(hide_password=False)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]  # known beforehand, as `up` tells it to the web app
    public = {"public_url": f"http://{host}:{port}"} if host else {}
    settings = make_settings(folder, database_url, port=port, dialogue_url=dialogue.url, twilio_api_url=twilio.url, **public)
    app = create_app(settings, twiml_seconds=twiml_seconds)
    server = waitress.create_server(app, sockets=[listening], threads=16, ident=None)
    over = threading.Event()

    def _loop() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=0.02, map=server._map, count=1)

    thread = threading.Thread(target=_loop, daemon=True)
    thread.start()
    house = House(app, settings, database, dialogue, twilio, f"http://127.0.0.1:{port}")
    yield house
    house.http.close()
    over.set()
    thread.join(5)
    close(app)
    server.task_dispatcher.shutdown()
    for channel in list(server.active_channels.values()):
        channel.close()
    server.close()


def make_settings(folder: Path, database_url: str, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "env": Environment.TEST,
        "data_dir": folder,
        "database_url": database_url,
        "public_url": "https://clinic.example",
        "port": 0,
        "dialogue_url": "http://127.0.0.1:9",
        "actions_port": 9,
        "clock": None,
        "bootstrap_token": None,
        "twilio_account_sid": DEMO_ACCOUNT_SID,
        "twilio_auth_token": DEMO_AUTH_TOKEN,
        "twilio_api_url": "https://api.twilio.com",
        "clearinghouse_url": None,
    }
    return Settings(**values | more)
