"""Calls from the phone on a web page: each turn goes through the same signed webhook as Twilio's, and its TwiML comes back as what
to say and what to do next, in words that a page can act on.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Blueprint, Response, jsonify, request

from bot.settings import Settings

_ADDRESS = re.compile(r"/twilio/voice[\w/-]*(?:\?[\w=&%.+~-]*)?")
_HEARD = {  # what the page says happened, as Twilio's parameters, with the longest value
    "speech": ("SpeechResult", 1000),
    "digits": ("Digits", 40),
    "dialled": ("DialCallStatus", 20),
    "recorded": ("RecordingDuration", 6),
}
_SURE = "0.9"

Post = Callable[[str, dict[str, str]], httpx.Response]


def add_calls(
    phone: Blueprint, settings: Settings, number_of: Callable[[Any], str | None], clinic_number: Callable[[], str], post: Post
) -> None:
    @phone.post("/calls")
    def turn() -> tuple[Response, int]:
        """{"from", "sid"?, "next"?, one of "speech", "digits", "dialled", "recorded"} to {"sid", "steps", "next"}.

        Without `sid` a call begins. `steps`: [{"say", "language"}] in order. `next` is the address of the turn to come, or null
        where the clinic has hung up, with `waits_for` "words", "nothing", "person" or "recording".
        """
        sent = request.get_json(silent=True)
        sent = sent if isinstance(sent, dict) else {}
        number, sid, address = number_of(sent.get("from")), sent.get("sid"), sent.get("next")
        new = sid is None and address is None
        if number is None or not (new or (_is_sid(sid) and isinstance(address, str) and _ADDRESS.fullmatch(address))):
            return jsonify(error="from must be a phone number, sid and next what the last answer said"), 400
        sid = sid or f"CA{uuid.uuid4().hex}"
        params = _call(settings, sid, number, clinic_number()) | _heard(sent)
        try:
            answer = post("/twilio/voice" if new else address, params)
            answer.raise_for_status()
        except httpx.HTTPError:
            return jsonify(error="The call was cut off."), 502
        return jsonify(sid=sid, **_told(answer.text)), 200

    @phone.post("/calls/end")
    def hang_up() -> tuple[Response, int]:
        """{"from", "sid"}: the caller hangs up."""
        sent = request.get_json(silent=True)
        number, sid = (number_of(sent.get("from")), sent.get("sid")) if isinstance(sent, dict) else (None, None)
        if number is None or not _is_sid(sid):
            return jsonify(error="from must be a phone number, sid that of the call"), 400
        try:
            post(
                "/twilio/status", _call(settings, str(sid), number, clinic_number()) | {"CallStatus": "completed"}
            ).raise_for_status()
        except httpx.HTTPError:
            return jsonify(error="The call was cut off."), 502
        return jsonify(ended=True), 200


def _is_sid(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"CA[0-9a-f]{32}", value) is not None


def _call(settings: Settings, sid: str, number: str, clinic_number: str) -> dict[str, str]:
    return {
        "CallSid": sid,
        "AccountSid": settings.twilio_account_sid or "",
        "From": number,
        "To": clinic_number,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }


def _heard(sent: dict[str, Any]) -> dict[str, str]:
    for name, (parameter, longest) in _HEARD.items():
        if isinstance(value := sent.get(name), str) and value.strip():
            heard = {parameter: value.strip()[:longest]}
            if name == "speech":
                heard["Confidence"] = _SURE
            if name == "recorded":
                heard |= {"RecordingSid": f"RE{uuid.uuid4().hex}", "RecordingUrl": "https://recordings.invalid/demo"}
            return heard
    return {}


def _told(twiml: str) -> dict[str, Any]:
    """What the TwiML says and waits for. Verbs are done in their order; the first that waits or leads on is where it goes."""
    steps: list[dict[str, str]] = []
    for verb in ET.fromstring(twiml):
        steps += [
            {"say": " ".join("".join(said.itertext()).split()), "language": said.get("language", "en-US")}
            for said in verb.iter("Say")
        ]
        match verb.tag:
            case "Gather":
                return {"steps": steps, "next": _address(verb.get("action")), "waits_for": "words"}
            case "Redirect":
                return {"steps": steps, "next": _address(verb.text), "waits_for": "nothing"}
            case "Dial":
                return {"steps": steps, "next": _address(verb.get("action")), "waits_for": "person"}
            case "Record":
                return {"steps": steps, "next": _address(verb.get("action")), "waits_for": "recording"}
    return {"steps": steps, "next": None, "waits_for": "nothing"}


def _address(value: str | None) -> str | None:
    """The path and query of where the next turn goes: it is named with or without the public address."""
    parts = urlsplit((value or "").strip())
    return f"{parts.path}{'?' + parts.query if parts.query else ''}" or None
