"""Calls: each turn is one request that Twilio makes with what it heard, answered by what to say next."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from bot.channels.sender import SPOKEN
from bot.channels.signature import is_from_twilio
from bot.conversation import Answer, Incoming, Turns
from bot.metrics import Metrics
from bot.sentences import say
from bot.settings import Settings
from bot.turn import ReplyKind, Said
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Channel

LEAST_CONFIDENCE = 0.4
_MOST_WAITS = 3
_PERSON = {"en": "I want to talk to a person", "es": "quiero hablar con una persona"}


def create_voice(settings: Settings, database: Database, turns: Turns, metrics: Metrics) -> Blueprint:
    voice = Blueprint("voice", __name__, url_prefix="/twilio/voice")

    @voice.before_request
    def _refuse_others() -> None:
        if not is_from_twilio(request, settings) or not request.form.get("CallSid"):
            metrics.count_refused()
            abort(403)

    @voice.post("")
    def greet() -> Response:
        clinic, language = _clinic(database)
        return _ask_next(clinic, language, say(clinic, language, "voice_greeting"), turn=1)

    @voice.post("/turn")
    def turn() -> Response:
        number, waited = request.args.get("turn", type=int), request.args.get("waited", 0, type=int)
        if number is None or not 0 < number < 1000:
            abort(400)
        clinic, _ = _clinic(database)
        answer = turns.take_turn(_heard(number))
        if answer.late:
            return _wait(clinic, answer.language, number, waited)
        return _speak(clinic, answer, number)

    return voice


def _clinic(database: Database) -> tuple[ClinicFile, str]:
    with database.reading() as session:
        clinic = current(session)
    return clinic, clinic.clinic.languages[0]


def _heard(number: int) -> Incoming:
    """What Twilio heard in this turn. The same turn of the same call is the same message, however often it is posted."""
    form = request.form
    digits, speech = form.get("Digits", "").strip("#"), form.get("SpeechResult", "").strip()
    said, body = Said.TEXT, digits or speech
    if dialled := form.get("DialCallStatus"):
        said, body = (Said.CONNECTED if dialled in ("completed", "answered") else Said.NOT_REACHED), ""
    elif not body:
        said = Said.SILENCE
    elif not digits and _confidence(form.get("Confidence", "")) < LEAST_CONFIDENCE:
        said = Said.UNCLEAR
    elif digits == "0":
        body = _PERSON["en"]
    return Incoming(
        channel=Channel.VOICE,
        phone=form.get("From") or "anonymous",
        body=body,
        external_id=f"{form['CallSid']}:{number}",
        said=said,
        call_sid=form["CallSid"],
    )


def _confidence(value: str) -> float:
    """Without a figure from Twilio what was heard is believed."""
    try:
        return float(value)
    except ValueError:
        return 1.0


def _speak(clinic: ClinicFile, answer: Answer, number: int) -> Response:
    text = " ".join(reply.body for reply in answer.replies)
    kinds = {reply.kind for reply in answer.replies}
    if ReplyKind.TRANSFER in kinds:
        document = VoiceResponse()
        document.say(text, language=_spoken(answer.language))
        dial = Dial(action=_action(number + 1), method="POST", timeout=25)
        dial.number(clinic.handoff.transfer_to)
        document.append(dial)
        return _xml(document)
    if ReplyKind.GOODBYE in kinds:
        document = VoiceResponse()
        document.say(text, language=_spoken(answer.language))
        document.hangup()
        return _xml(document)
    if ReplyKind.EMERGENCY in kinds:
        return _ask_next(clinic, answer.language, text, turn=number + 1, seconds=10)
    return _ask_next(clinic, answer.language, text or say(clinic, answer.language, "voice_again"), turn=number + 1)


def _ask_next(clinic: ClinicFile, language: str, text: str, *, turn: int, seconds: int = 6) -> Response:
    """Say it and listen, for words or keys. Silence is posted too, so that nobody is left in it."""
    document = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        action=_action(turn),
        method="POST",
        action_on_empty_result=True,
        speech_timeout="auto",
        timeout=seconds,
        language=_spoken(language),
        speech_model="phone_call",
        enhanced=True,
        profanity_filter=False,
    )
    gather.say(text, language=_spoken(language))
    document.append(gather)
    return _xml(document)


def _wait(clinic: ClinicFile, language: str, number: int, waited: int) -> Response:
    """The answer is not ready: ask for patience, and for the same turn again."""
    document = VoiceResponse()
    if waited >= _MOST_WAITS:
        document.say(say(clinic, language, "down"), language=_spoken(language))
        document.hangup()
        return _xml(document)
    document.say(say(clinic, language, "voice_wait"), language=_spoken(language))
    document.redirect(f"{_action(number)}&waited={waited + 1}", method="POST")
    return _xml(document)


def _action(turn: int) -> str:
    return f"/twilio/voice/turn?turn={turn}"


def _spoken(language: str) -> str:
    return SPOKEN.get(language[:2].lower(), "en-US")


def _xml(document: VoiceResponse) -> Response:
    return Response(str(document), content_type="text/xml; charset=utf-8")
