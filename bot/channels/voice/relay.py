"""Calls over Twilio's ConversationRelay, where a clinic wants it (FRONTDESK_VOICE=relay): Twilio listens and speaks all the time,
and words go to and fro over a websocket. Behind it stand the same turns as behind <Gather>.

Messages as Twilio documents them ("ConversationRelay, websocket messages"): setup, prompt, dtmf, interrupt and error come in, text
and end go out. What cannot be done over the socket (to dial the desk, to record) ends it, and Twilio asks the action of <Connect>
for that turn's TwiML.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from twilio.request_validator import RequestValidator
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Refusal
from websockets.sync.server import Server, ServerConnection, serve

from bot.channels.voice import callers, hearing, prompts, twiml
from bot.channels.voice.hearing import Heard
from bot.channels.voice.owed import Owed, Survives
from bot.channels.voice.twiml import Listen, Prompt
from bot.conversation import Incoming, Turns, find_or_open
from bot.outcomes import Said
from bot.settings import Settings
from scheduling_core import calls
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database
from scheduling_core.models import Channel, Direction

log = logging.getLogger(__name__)

OVER = "/twilio/voice/relayed"
_TURN_SECONDS = 4.5
_MOST_WAITS = 4
_SETUP_SECONDS = 10.0
_KEY_SECONDS = 2.5  # after the last key of an entry
_LETTERS_A_SECOND = 14.0  # of a speaking voice: silence is counted from when it is done
_LARGEST_MESSAGE = 64_000  # bytes
_NOT_KNOWN = 1008  # policy violation
_OPTION = re.compile(r"\b(?:option|opción) (\d)\b", re.IGNORECASE)
_THAT_ONE = re.compile(
    r"\W*(?:(?:yes|yeah|ok(?:ay)?|sure|s[ií]|i'?ll take|i want|quiero)\W+)*(?:that|this|es[aeo]|est[aeo])(?: one)?"
    r"(?: (?:works|is (?:good|fine)|please|por favor|est[aá] bien))*\W*",
    re.IGNORECASE,
)


def add_routes(voice: Blueprint, database: Database, survives: Survives) -> None:
    @voice.post("/relayed")
    @survives
    def relayed() -> Response:
        """The socket is closed: the TwiML of the turn that ended it; where it broke, the call goes on with <Gather>."""
        call_id, number = request.form["CallSid"], _turn_of(request.form.get("HandoffData", ""))
        with database.transaction() as session:
            document = calls.kept_turn(session, call_id, number) if number else None
            if document is None:
                phone = callers.other_party(
                    request.form.get("Direction", ""), caller=request.form.get("From", ""), called=request.form.get("To", "")
                )
                conversation = find_or_open(session, _incoming(call_id, phone, "", Heard(Said.TEXT)))
                document = twiml.document(prompts.anew(current(session), conversation, turn=calls.last_turn(session, call_id) + 1))
        return Response(document, content_type="text/xml; charset=utf-8")


def start(settings: Settings, database: Database, turns: Turns) -> Server:
    """Listens on loopback, behind the proxy that holds the certificate, until `shutdown` of what is returned."""
    debts = Owed(settings.data_dir, database)
    server = serve(
        lambda connection: _Talk(connection, database, turns, debts).run(),
        "127.0.0.1",
        settings.relay_port,
        process_request=lambda connection, asked: _refuse_others(settings, connection, asked),
        max_size=_LARGEST_MESSAGE,
    )
    threading.Thread(target=server.serve_forever, name="relay", daemon=True).start()
    return server


def _refuse_others(settings: Settings, connection: ServerConnection, asked: Handshake) -> Refusal | None:
    """Twilio signs the handshake as it signs a webhook without parameters, over the address that the TwiML named."""
    validator = RequestValidator(settings.twilio_auth_token or "")
    signature = asked.headers.get("X-Twilio-Signature", "")
    if settings.twilio_auth_token and settings.relay_url and validator.validate(settings.relay_url, {}, signature):
        return None
    return connection.respond(403, "not signed by Twilio\n")


@dataclass
class _Talk:
    """One socket, which is one call: what is heard becomes turns, one after the other."""

    connection: ServerConnection
    database: Database
    turns: Turns
    debts: Owed
    call_id: str = ""
    phone: str = ""
    number: int = 0
    keys: str = ""
    listen: Listen = field(default_factory=lambda: Listen(1))
    silent_at: float = 0.0  # time.monotonic() at which nothing heard is a silence
    option: str | None = None  # the last that was read out before the caller fell in

    def run(self) -> None:
        try:
            if self._set_up():
                while self._step():
                    pass
        except ConnectionClosed:
            pass  # the caller hung up: Twilio's status callback ends the call
        except (SQLAlchemyError, NotLoadedError) as error:
            log.error("a relayed call met a database that is away: %s", type(error).__name__)
            self.debts.add(call_id=self.call_id, phone=self.phone)
        except (ValueError, KeyError, TypeError) as error:
            log.error("a relayed call broke off: %s", type(error).__name__)
        self.connection.close()

    def _set_up(self) -> bool:
        told = self._receive(_SETUP_SECONDS)
        if told is None or told.get("type") != "setup":
            self.connection.close(_NOT_KNOWN, "setup comes first")
            return False
        self.call_id = str(told["callSid"])
        self.phone = callers.other_party(str(told.get("direction", "")), caller=str(told["from"]), called=str(told["to"]))
        with self.database.reading() as session:
            if calls.find(session, self.call_id) is None:  # whoever called has been greeted by a signed webhook
                self.connection.close(_NOT_KNOWN, "no such call")
                return False
            self.number = calls.last_turn(session, self.call_id)
        self._wait_for_words("")
        return True

    def _step(self) -> bool:
        """Take one message, or the lack of one; False when the socket is done with."""
        told = self._receive(max(0.05, self.silent_at - time.monotonic()))
        if told is None:
            return self._turn({"Digits": self.keys} if self.keys else {})
        match told.get("type"):
            case "prompt" if told.get("last", True):
                return self._turn({"SpeechResult": self._meant(str(told.get("voicePrompt", "")))})
            case "dtmf":
                self.keys += str(told.get("digit", ""))[:1]
                if self.keys.endswith("#") or len(self.keys) == self.listen.digits:
                    return self._turn({"Digits": self.keys})
                self.silent_at = time.monotonic() + _KEY_SECONDS
            case "interrupt":
                self.silent_at = time.monotonic() + self.listen.seconds  # Twilio has stopped speaking; words follow
                heard = _OPTION.findall(str(told.get("utteranceUntilInterrupt", "")))
                self.option = heard[-1] if heard else None
            case "error":
                log.error("ConversationRelay refused a message of call %s", self.call_id)
        return True

    def _meant(self, words: str) -> str:
        """ "That one", said into the list of options, is the one that was being read."""
        option, self.option = self.option, None
        return f"option {option}" if option and _THAT_ONE.fullmatch(words) else words

    def _turn(self, form: dict[str, str]) -> bool:
        self.keys = ""
        self.number += 1
        heard = hearing.heard(form)
        for _ in range(_MOST_WAITS + 1):
            answer = self.turns.take_turn(_incoming(self.call_id, self.phone, f"{self.call_id}:{self.number}", heard))
            if not answer.late:
                break
            with (
                self.database.reading() as session,
                suppress(ConnectionClosed),
            ):  # the turn goes on, and what it holds is to be freed
                self._say(prompts.wait(current(session), answer.language, self.number, 1))
        with self.database.transaction() as session:
            conversation = find_or_open(session, _incoming(self.call_id, self.phone, "", heard))
            call = calls.begin(session, conversation, direction=Direction.IN)  # it is there since it was greeted
            prompt, _ = prompts.keep(session, conversation, call, answer, number=self.number)
        if not isinstance(prompt.then, Listen):
            self.connection.send(json.dumps({"type": "end", "handoffData": json.dumps({"turn": self.number})}))
            return False
        self.listen = prompt.then
        self._wait_for_words(self._say(prompt))
        return True

    def _say(self, prompt: Prompt) -> str:
        """Sentence by sentence, so that the voice begins at once; all that was said."""
        parts = [(part, one.language) for one in prompt.speech for part in twiml.sentences(one)]
        for place, (part, language) in enumerate(parts):
            self.connection.send(
                json.dumps(
                    {
                        "type": "text",
                        "token": f"{part} ",
                        "lang": twiml.spoken(language),
                        "last": place == len(parts) - 1,
                        "interruptible": not isinstance(prompt.then, Listen) or prompt.then.interruptible,
                    }
                )
            )
        return " ".join(part for part, _ in parts)

    def _wait_for_words(self, said: str) -> None:
        self.silent_at = time.monotonic() + len(said) / _LETTERS_A_SECOND + self.listen.seconds

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None when there was none in time. Raises ConnectionClosed."""
        try:
            told = json.loads(self.connection.recv(timeout=seconds))
        except TimeoutError:
            return None
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


def _incoming(call_id: str, phone: str, external_id: str, heard: Heard) -> Incoming:
    return Incoming(
        channel=Channel.VOICE,
        phone=phone,
        body=heard.body,
        external_id=external_id,
        said=heard.said,
        call_sid=call_id,
        seconds=_TURN_SECONDS,
    )


def _turn_of(told: str) -> int | None:
    try:
        return int(json.loads(told)["turn"])
    except (ValueError, KeyError, TypeError):
        return None
