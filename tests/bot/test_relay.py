"""Calls over ConversationRelay: the websocket as Twilio speaks it."""

from __future__ import annotations

import json
import socket
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bot.app import close, create_app
from bot.settings import Settings, SettingsError
from scheduling_core import booking, calls
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment, AppointmentStatus, Communication
from tests.bot import twiml
from tests.bot.conftest import CLINIC, DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, PATIENT, FakeDialogue, make_settings, sign
from tests.conftest import Clock
from tests.factories import make_free_time

PUBLIC = "wss://clinic.example/relay"


class Relay:
    def __init__(self, settings: Settings, app: Any, dialogue: FakeDialogue) -> None:
        self.settings, self.app, self.dialogue = settings, app, dialogue
        self.call_id = f"CA{uuid.uuid4().hex}"

    def post(self, target: str, **more: str) -> ET.Element:
        params = {
            "CallSid": self.call_id,
            "AccountSid": DEMO_ACCOUNT_SID,
            "From": PATIENT,
            "To": CLINIC,
            "Direction": "inbound",
            **more,
        }
        signature = sign(self.settings.public_url + target, params)
        answer = self.app.test_client().post(target, data=params, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 200
        assert twiml.mistakes(answer.text, voice=True) == []
        return ET.fromstring(answer.text)

    def connect(self, signature: str | None = None) -> ClientConnection:
        signed = RequestValidator(DEMO_AUTH_TOKEN).compute_signature(PUBLIC, {}) if signature is None else signature
        return connect(f"ws://127.0.0.1:{self.settings.relay_port}/relay", additional_headers={"X-Twilio-Signature": signed})

    def begin(self, phone: str = PATIENT) -> ClientConnection:
        self.post("/twilio/voice", CallStatus="ringing", From=phone)
        talk = self.connect()
        tell(talk, type="setup", sessionId="VX1", callSid=self.call_id, **{"from": phone}, to=CLINIC, direction="inbound")
        return talk

    def hang_up(self) -> None:
        params = {"CallSid": self.call_id, "AccountSid": DEMO_ACCOUNT_SID, "From": PATIENT, "CallStatus": "completed"}
        signature = sign(self.settings.public_url + "/twilio/status", params)
        assert (
            self.app.test_client().post("/twilio/status", data=params, headers={"X-Twilio-Signature": signature}).status_code == 204
        )


def tell(talk: ClientConnection, **message: Any) -> None:
    talk.send(json.dumps(message))


def hear(talk: ClientConnection, seconds: float = 10.0) -> list[dict[str, Any]]:
    """The messages up to the end of what is said."""
    heard = [json.loads(talk.recv(timeout=seconds))]
    while heard[-1]["type"] == "text" and not heard[-1]["last"]:
        heard.append(json.loads(talk.recv(timeout=seconds)))
    return heard


@pytest.fixture
def relay(sqlite_loaded: Database, dialogue: FakeDialogue, tmp_path: Any) -> Iterator[Relay]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = replace(make_settings(tmp_path, sqlite_loaded.url, dialogue_url=dialogue.url), relay_url=PUBLIC, relay_port=port)
    app = create_app(settings)
    yield Relay(settings, app, dialogue)
    close(app)


def test_a_call_is_handed_to_the_relay_with_the_greeting(relay: Relay) -> None:
    conversation = relay.post("/twilio/voice", CallStatus="ringing").find("Connect/ConversationRelay")
    assert conversation is not None
    assert conversation.attrib["url"] == PUBLIC
    assert "Maple Grove Clinic" in conversation.attrib["welcomeGreeting"]


def test_words_are_answered_sentence_by_sentence(relay: Relay) -> None:
    relay.dialogue.reply = lambda asked: [{"text": f"You said {asked['message']}. And now?"}]
    with relay.begin() as talk:
        tell(talk, type="prompt", voicePrompt="I need", lang="en-US", last=False)
        tell(talk, type="prompt", voicePrompt="I need a checkup", lang="en-US", last=True)
        heard = hear(talk)
    assert [part["token"] for part in heard] == ["You said I need a checkup. ", "And now? "]
    assert [part["last"] for part in heard] == [False, True]
    assert relay.dialogue.texts == ["I need a checkup"]


def test_that_one_said_into_the_options_is_the_one_that_was_being_read(relay: Relay) -> None:
    with relay.begin() as talk:
        tell(talk, type="interrupt", utteranceUntilInterrupt="Option 1: Monday at 9. Option 2: Tue", durationUntilInterruptMs=900)
        tell(talk, type="prompt", voicePrompt="Yes, that one please.", last=True)
        hear(talk)
    assert relay.dialogue.texts == ["option 2"]


def test_a_person_ends_the_relay_and_the_turn_goes_on_as_twiml(relay: Relay) -> None:
    relay.dialogue.reply = lambda asked: [{"text": "I'll connect you."}, {"custom": {"handoff": True}}]
    with relay.begin() as talk:
        tell(talk, type="prompt", voicePrompt="a person please", last=True)
        (ended,) = hear(talk)
    assert ended["type"] == "end"
    document = relay.post("/twilio/voice/relayed", CallStatus="in-progress", HandoffData=ended["handoffData"])
    assert document.find("Dial") is not None or document.find("Hangup") is not None


def test_a_socket_that_broke_leaves_the_call_going_on_turn_by_turn(relay: Relay) -> None:
    with relay.begin() as talk:
        tell(talk, type="prompt", voicePrompt="hello", last=True)
        hear(talk)
    gather = relay.post("/twilio/voice/relayed", CallStatus="in-progress").find("Gather")
    assert gather is not None
    assert gather.attrib["action"].endswith("turn=2")


@pytest.mark.parametrize("seconds", [0.0, 5.5])
def test_what_a_turn_holds_after_the_caller_hung_up_is_freed(
    relay: Relay, sqlite_loaded: Database, clinic: ClinicFile, clock: Clock, seconds: float
) -> None:
    talk = relay.begin()

    def reply(asked: dict[str, Any]) -> list[dict[str, Any]]:
        talk.close()
        relay.hang_up()
        time.sleep(seconds)  # in which the caller would be asked to wait
        with sqlite_loaded.transaction() as session:
            free_time = make_free_time(clinic, start="2026-11-17T09:00")
            booking.hold_all(
                session, clinic, free_times=[free_time], held_for=asked["sender"], patient_id=None, agent="test", key="hold"
            )
        return [{"text": "1) Tuesday 9:00 AM"}]

    relay.dialogue.reply = reply
    tell(talk, type="prompt", voicePrompt="a checkup", last=True)
    until = time.monotonic() + seconds + 10
    kept: str | None = None
    while kept is None and time.monotonic() < until:
        time.sleep(0.1)
        with sqlite_loaded.reading() as session:
            kept = calls.kept_turn(session, relay.call_id, 1)
    assert kept
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.PROPOSED)).all() == []


def test_a_socket_whose_turn_meets_a_clinic_that_is_gone_owes_a_callback(relay: Relay, sqlite_loaded: Database) -> None:
    with relay.begin() as talk:
        tell(talk, type="prompt", voicePrompt="hello", last=True)
        hear(talk)

        def reply(asked: dict[str, Any]) -> list[dict[str, Any]]:
            with sqlite_loaded.transaction() as session:
                session.connection().exec_driver_sql("DELETE FROM clinic_version")
            return [{"text": "and then?"}]

        relay.dialogue.reply = reply
        tell(talk, type="prompt", voicePrompt="hello again", last=True)
        with pytest.raises(ConnectionClosed):
            hear(talk)
    file = relay.settings.data_dir / "owed-callbacks.jsonl"
    assert json.loads(file.read_text(encoding="utf-8")) == {"call": relay.call_id, "phone": PATIENT}


def test_a_hidden_number_is_nobodys(relay: Relay, sqlite_loaded: Database) -> None:
    with relay.begin("+266696687") as talk:
        tell(talk, type="prompt", voicePrompt="hello", last=True)
        hear(talk)
    with sqlite_loaded.reading() as session:
        assert set(session.scalars(select(Communication.phone))) == {"anonymous"}


def test_who_is_not_twilio_is_refused(relay: Relay) -> None:
    with pytest.raises(InvalidStatus):
        relay.connect(signature="wrong")


def test_a_call_that_was_never_greeted_is_refused(relay: Relay) -> None:
    with relay.connect() as talk:
        tell(talk, type="setup", callSid="CA" + "0" * 32, **{"from": PATIENT}, to=CLINIC, direction="inbound")
        with pytest.raises(ConnectionClosed):
            talk.recv(timeout=5)


@pytest.mark.parametrize(
    "noise", ["not json", "[]", '{"type": "error", "description": "x"}', '{"type": "?"}', '{"type": "prompt"}']
)
def test_noise_does_not_end_the_call(relay: Relay, noise: str) -> None:
    with relay.begin() as talk:
        talk.send(noise)
        tell(talk, type="prompt", voicePrompt="hello there", last=True)
        until = time.monotonic() + 10
        while "hello there" not in relay.dialogue.texts and time.monotonic() < until:
            hear(talk)
    assert "hello there" in relay.dialogue.texts


def test_keys_are_an_entry_when_the_last_was_pressed(relay: Relay) -> None:
    with relay.begin() as talk:
        for digit in "0#":
            tell(talk, type="dtmf", digit=digit)
        assert hear(talk)


def test_the_relay_needs_its_address() -> None:
    with pytest.raises(SettingsError):
        Settings.from_env({"FRONTDESK_ENV": "test", "FRONTDESK_VOICE": "relay"})
    with pytest.raises(SettingsError):
        Settings.from_env({"FRONTDESK_ENV": "test", "FRONTDESK_VOICE": "pigeon"})
    assert Settings.from_env({"FRONTDESK_ENV": "test"}).relay_url is None
