"""Every call to Twilio's REST API as Twilio's own description of it wants it (`twilio_api.json`), captured on its way out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import MultiDict

from bot.channels.sender import Call, Text, TwilioSender
from bot.settings import Settings

SPEC = json.loads((Path(__file__).parent / "twilio_api.json").read_text(encoding="utf-8"))
TWILIO = OpenAPI.from_dict(SPEC)
SID = "0123456789abcdef0123456789abcdef"


@dataclass
class Asked:
    """One request as it came over the wire, and what was answered."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: dict[str, Any]

    @property
    def request(self) -> MockRequest:
        parts = urlsplit(self.target)
        return MockRequest(
            "https://api.twilio.com",
            self.method.lower(),
            parts.path,
            args=MultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=self.headers,
            data=self.body,
            content_type=self.headers.get("content-type", ""),
        )

    @property
    def names(self) -> set[str]:
        """Of the parameters, in the address or the body."""
        return {name for name, _ in parse_qsl(urlsplit(self.target).query + "&" + self.body.decode(), keep_blank_values=True)}

    @property
    def known_names(self) -> set[str]:
        """Of the parameters that Twilio knows for such a call: an unknown one would be passed over in silence."""
        kind = "Calls" if "/Calls.json" in self.target else "Messages"
        operation = SPEC["paths"][f"/2010-04-01/Accounts/{{AccountSid}}/{kind}.json"][self.method.lower()]
        forms = operation.get("requestBody", {"content": {}})["content"].values()
        return {one["name"] for one in operation["parameters"]} | {name for form in forms for name in form["schema"]["properties"]}


class _Handler(BaseHTTPRequestHandler):
    asked: list[Asked]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, body, self._resource(dict(parse_qsl(body.decode()))))

    def do_GET(self) -> None:
        kind = "calls" if "/Calls.json" in self.path else "messages"
        sent = self._resource({"Body": "Your visit is tomorrow.", "To": "+14145550142", "From": "+14145550100"})
        uri = urlsplit(self.path).path
        pages = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None, "uri": uri}
        self._answer(200, b"", {kind: [sent], "page": 0, "page_size": 50, "start": 0, "end": 0, **pages})

    def _resource(self, form: dict[str, str]) -> dict[str, Any]:
        both = {"to": form["To"], "from": form["From"], "status": "queued", "date_created": formatdate(usegmt=False)}
        if "/Calls.json" in self.path:
            return {"sid": f"CA{SID}", **both}
        return {"sid": f"SM{SID}", "body": form["Body"], "direction": "outbound-api", "num_segments": "1", **both}

    def _answer(self, status: int, body: bytes, answer: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked.append(Asked(self.command, self.path, headers, body, status, answer))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked() -> list[Asked]:
    return []


@pytest.fixture
def twilio(asked: list[Asked]) -> Iterator[TwilioSender]:
    """The sender, whose calls are kept in `asked`."""
    handler = type("Handler", (_Handler,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings = Settings.from_env({"FRONTDESK_ENV": "test", "FRONTDESK_PUBLIC_URL": "https://clinic.example"})
    yield TwilioSender(replace(settings, twilio_api_url=f"http://127.0.0.1:{server.server_port}"))
    server.shutdown()
    server.server_close()


def valid(one: Asked) -> None:
    TWILIO.validate_request(one.request)
    TWILIO.validate_response(one.request, MockResponse(json.dumps(one.answer).encode(), one.status))
    assert one.names <= one.known_names


TEXT = Text(to="+14145550142", from_="+14145550100", body="Your visit is tomorrow.", about=("0123456789abcdef", 2))
WORDS = ["Your visit is tomorrow.", "¿Le queda bien el martes a las 9? Ñ & = + %", "x" * 1600, "A\nB", "1"]


@pytest.mark.parametrize("body", WORDS)
@pytest.mark.parametrize("about", [None, ("0123456789abcdef", 2)])
def test_sending_a_text_is_valid(twilio, asked, body, about):
    assert twilio.send(replace(TEXT, body=body, about=about)) == f"SM{SID}"
    [one] = asked
    valid(one)
    form = dict(parse_qsl(one.body.decode()))
    assert (one.method, form["To"], form["From"], form["Body"]) == ("POST", TEXT.to, TEXT.from_, body)
    assert form["StatusCallback"].startswith("https://clinic.example/twilio/status")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("body", WORDS[:3])
def test_making_a_call_is_valid(twilio, asked, language, body):
    assert twilio.send(Call(to=TEXT.to, from_=TEXT.from_, body=body, about=TEXT.about, language=language)) == f"CA{SID}"
    [one] = asked
    valid(one)
    assert "Twiml" in one.names


def test_asking_for_texts_that_were_lost_is_valid(twilio, asked):
    assert twilio.find(TEXT, since=time.time()) == [f"SM{SID}"]
    [one] = asked
    valid(one)
    assert one.names == {"To", "From", "DateSent>", "PageSize"}


def test_asking_for_calls_that_were_lost_is_valid(twilio, asked):
    assert twilio.find(Call(to=TEXT.to, from_=TEXT.from_, body="Please call us."), since=time.time()) == [f"CA{SID}"]
    [one] = asked
    valid(one)


def test_the_check_finds_what_is_wrong(twilio, asked):
    twilio.send(TEXT)
    [one] = asked
    for wrong in (
        replace(one, body=one.body.replace(b"To=", b"Too=")),
        replace(one, target=one.target.replace("Messages", "Mesages")),
        replace(one, target=one.target.replace("/AC", "/XY")),
        replace(one, headers={name: value for name, value in one.headers.items() if name != "authorization"}),
        replace(one, headers=one.headers | {"content-type": "application/json"}),
    ):
        with pytest.raises(OpenAPIError):
            TWILIO.validate_request(wrong.request)
    assert not replace(one, body=one.body + b"&Bodi=x").names <= one.known_names
