"""A phone call as Twilio carries it: follows what the TwiML says, speaks, presses keys, is silent, hangs up."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

from sqlalchemy import select

from scheduling_core.models import Conversation, Task
from tests.bot.conftest import CLINIC, DEMO_ACCOUNT_SID, PATIENT, House


class Call:
    def __init__(self, house: House, phone: str = PATIENT) -> None:
        self.house = house
        self.params = {
            "CallSid": f"CA{uuid.uuid4().hex}",
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": phone,
            "To": CLINIC,
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        self.greet()

    def greet(self) -> None:
        self.post("/twilio/voice", CallStatus="ringing")

    @property
    def sid(self) -> str:
        return self.params["CallSid"]

    def post(self, target: str, **more: str) -> ET.Element:
        answer = self.house.post(target, self.params | {"CallStatus": "in-progress"} | more)
        assert answer.status_code == 200, answer.text
        self.raw = answer.text
        self.twiml = ET.fromstring(answer.text)
        assert len(self.twiml), "an empty answer is silence"
        return self.twiml

    @property
    def gather(self) -> ET.Element:
        gather = self.twiml.find("Gather")
        assert gather is not None
        return gather

    @property
    def action(self) -> str:
        return self.gather.attrib["action"]

    @property
    def heard(self) -> str:
        return " ".join("".join(said.itertext()) for said in self.twiml.iter("Say"))

    @property
    def hints(self) -> list[str]:
        return self.gather.attrib["hints"].split(", ")

    @property
    def is_over(self) -> bool:
        return self.twiml.find("Hangup") is not None and self.twiml.find("Gather") is None

    def say(self, words: str, confidence: str = "0.93") -> str:
        self.post(self.action, SpeechResult=words, Confidence=confidence)
        return self.heard

    def press(self, digits: str) -> str:
        self.post(self.action, Digits=digits)
        return self.heard

    def stay_silent(self) -> str:
        self.post(self.action, SpeechResult="")
        return self.heard

    def hang_up(self) -> None:
        answer = self.house.post("/twilio/status", self.params | {"CallStatus": "completed"})
        assert answer.status_code == 204


def asks(slot: str | None, *texts: str, form: str = "booking_form", **more: object) -> list[dict[str, object]]:
    """What the dialogue answers on a call: its words, and what is open then."""
    asked = {"form": form, "slot": slot, "count": 0, "words": []} | more if slot else {}
    return [*({"text": text} for text in texts), {"custom": {"asked": asked}}]


def tasks(house: House) -> list[Task]:
    with house.database.reading() as session:
        return list(session.scalars(select(Task).order_by(Task.created_at, Task.id)))


def conversation(house: House, call: Call) -> Conversation:
    with house.database.reading() as session:
        return session.scalars(select(Conversation).where(Conversation.call_sid == call.sid)).one()
