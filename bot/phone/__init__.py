"""A phone on a web page to try the assistant with, through the same signed webhooks as Twilio's. Never in production."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from typing import Any

import httpx
from flask import Blueprint, Response, jsonify, render_template, request
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from bot.keywords import LONGEST_TEXT
from bot.phone.calls import add_calls
from bot.settings import Settings
from scheduling_core import times
from scheduling_core.clinic_file.loading import current
from scheduling_core.db import Database
from scheduling_core.models import Channel, Communication, Delivery, Direction
from scheduling_core.segments import segments

FIRST_NUMBER = "+13125550142"
_SECONDS = 20.0
_PAGE = 200  # messages in one answer
_NOT_SEEN = (Delivery.QUEUED, Delivery.SENDING, Delivery.UNKNOWN, Delivery.FAILED, Delivery.WITHHELD)


def create_phone(settings: Settings, database: Database) -> Blueprint:
    phone = Blueprint("phone", __name__, url_prefix="/phone", template_folder="../templates", static_folder="../static")

    def clinic_number() -> str:
        with database.reading() as session:
            return current(session).clinic.phone

    def post(address: str, params: dict[str, str]) -> httpx.Response:
        """Signed as Twilio signs."""
        signature = RequestValidator(settings.twilio_auth_token).compute_signature(f"{settings.public_url}{address}", params)
        return httpx.post(
            f"http://127.0.0.1:{settings.port}{address}",
            data=params,
            headers={"X-Twilio-Signature": signature},
            timeout=_SECONDS,
            trust_env=False,
        )

    add_calls(phone, settings, _number, clinic_number, post)

    @phone.get("/")
    def page() -> str:
        with database.reading() as session:
            clinic = current(session).clinic
        return render_template("phone.html", clinic=clinic.name, number=FIRST_NUMBER, longest=LONGEST_TEXT)

    @phone.post("/messages")
    def send() -> tuple[Response, int]:
        """{"from", "body"} to {"sid", "replies"}: the texts that came back at once; late ones are found by `since`."""
        sent = request.get_json(silent=True)
        number = _number(sent.get("from")) if isinstance(sent, dict) else None
        body = sent.get("body") if isinstance(sent, dict) else None
        if number is None or not isinstance(body, str) or len(body) > LONGEST_TEXT:
            return jsonify(error=f"from must be a phone number, body a text of at most {LONGEST_TEXT} characters"), 400
        params = _as_twilio_sends(settings, number, clinic_number(), body)
        try:
            answer = post("/twilio/sms", params)
            answer.raise_for_status()
        except httpx.HTTPError:
            return jsonify(error="The text could not be delivered."), 502
        return jsonify(sid=params["MessageSid"], replies=_messages(answer.text)), 200

    @phone.get("/messages")
    def since() -> tuple[Response, int]:
        """?from=NUMBER&after=SEQUENCE: the messages of a number behind a sequence, as its phone shows them, and whether we type."""
        number, after = _number(request.args.get("from")), request.args.get("after", 0, type=int)
        if number is None:
            return jsonify(error="from must be a phone number"), 400
        with database.reading() as session:
            return jsonify(messages=_shown(session, number, after), typing=_is_typing(session, number)), 200

    return phone


def _number(value: Any) -> str | None:
    """A number as a person types it, in E.164; ten digits are taken for a North American one."""
    if not isinstance(value, str):
        return None
    digits = re.sub(r"[\s().-]", "", value)
    if re.fullmatch(r"\d{10}", digits):
        digits = f"+1{digits}"
    return digits if re.fullmatch(r"\+[1-9]\d{6,14}", digits) else None


def _as_twilio_sends(settings: Settings, number: str, clinic_number: str, body: str) -> dict[str, str]:
    sid = f"SM{uuid.uuid4().hex}"
    return {
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "AccountSid": settings.twilio_account_sid or "",
        "From": number,
        "To": clinic_number,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": str(segments(body)),
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }


def _messages(twiml: str) -> list[str]:
    return ["".join(message.itertext()) for message in ET.fromstring(twiml).iter("Message")]


def _shown(session: Session, number: str, after: int) -> list[dict[str, Any]]:
    """In the order of their sequence, and nothing behind a text that is still on its way: a reader's `after` never skips one."""
    mine = (Communication.phone == number, Communication.channel == Channel.SMS)
    coming = session.scalar(
        select(func.min(Communication.sequence)).where(
            *mine,
            Communication.status.in_((Delivery.QUEUED, Delivery.SENDING)),
            or_(Communication.due_at.is_(None), Communication.due_at <= times.now()),
        )
    )
    found = select(Communication).where(*mine, Communication.sequence > after, Communication.status.not_in(_NOT_SEEN))
    if coming is not None:
        found = found.where(Communication.sequence < coming)
    newest = session.scalars(found.order_by(Communication.sequence.desc()).limit(_PAGE)).all()
    return [
        {
            "sequence": message.sequence,
            "mine": message.direction is Direction.IN,
            "body": message.body,
            "status": message.status.value,
            "sid": message.external_id,
        }
        for message in reversed(newest)
    ]


def _is_typing(session: Session, number: str) -> bool:
    waiting = select(Communication.sequence).where(
        Communication.phone == number, Communication.channel == Channel.SMS, Communication.status == Delivery.RECEIVED
    )
    return session.execute(waiting.limit(1)).first() is not None
