"""What Twilio asks during a call: each turn is one request with what it heard, answered by what to say next."""

from __future__ import annotations

import logging
from functools import wraps

from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.signature import is_from_twilio
from bot.channels.sms import OVER
from bot.channels.voice import callers, hearing, outgoing, owed, prompts, recordings, relay, transfer, twiml
from bot.channels.voice.owed import View
from bot.channels.voice.twiml import Prompt
from bot.conversation import Answer, Incoming, Turns, find_or_open
from bot.metrics import Metrics
from bot.outcomes import Said
from bot.settings import Settings
from scheduling_core import calls
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Channel, Direction

log = logging.getLogger(__name__)

SECONDS = 4.5  # within which a turn answers; what takes longer is waited for in further requests
MOST_WAITS = 4
_MOST_TURNS = 1000


def create_voice(settings: Settings, database: Database, turns: Turns, metrics: Metrics) -> Blueprint:
    voice = Blueprint("voice", __name__, url_prefix="/twilio/voice")
    debts = owed.Owed(settings.data_dir, database)
    known: list[ClinicFile] = []  # the clinic as it was last read: what is left to say when the database is away

    @voice.before_request
    def _refuse_others() -> None:
        if not is_from_twilio(request, settings) or not request.form.get("CallSid"):
            metrics.count_refused()
            abort(403)

    def survives(view: View) -> View:
        """With the database away the call is not dropped: an honest sentence, and a note on disk that becomes a task later."""

        @wraps(view)
        def answer() -> Response:
            try:
                return view()
            except (SQLAlchemyError, NotLoadedError) as error:
                log.error("a call met a database that is away: %s", type(error).__name__)
                debts.add(call_id=request.form["CallSid"], phone=_other_party())
                return _xml(twiml.document(prompts.database_away(known[-1] if known else None)))

        return answer

    def begin_with(prompt: Prompt) -> str:
        if settings.relay_url:
            return twiml.relay(prompt, url=settings.relay_url, over=relay.OVER)
        return twiml.document(prompt)

    @voice.post("")
    @survives
    def greet() -> Response:
        with database.transaction() as session:
            clinic = current(session)
            known[:] = [clinic]
            conversation = find_or_open(session, _incoming("", Said.TEXT, ""))
            calls.begin(session, conversation, direction=_direction())
            text = calls.kept_turn(session, request.form["CallSid"], 0) or calls.keep_turn(
                session, request.form["CallSid"], 0, begin_with(prompts.greeting(clinic, conversation.language))
            )
        return _xml(text)

    @voice.post("/turn")
    @survives
    def turn() -> Response:
        number, waited = request.args.get("turn", type=int), request.args.get("waited", 0, type=int)
        if number is None or not 0 < number < _MOST_TURNS:
            abort(400)
        call_id, heard = request.form["CallSid"], hearing.heard(request.form)
        with database.reading() as session:
            if kept := calls.kept_turn(session, call_id, number):
                return _xml(kept)
        if request.form.get("CallStatus") in OVER and heard.said is not Said.RECORDED:
            with database.transaction() as session:
                calls.end(session, call_id)
            return _xml(twiml.document(prompts.over()))
        if heard.said is Said.RECORDED:
            recordings.keep(database, request.form)
        answer = turns.take_turn(_incoming(f"{call_id}:{number}", heard.said, heard.body))
        if answer.late and waited < MOST_WAITS:
            with database.reading() as session:
                return _xml(twiml.document(prompts.wait(current(session), answer.language, number, waited + 1)))
        return _xml(_say_next(database, answer, number))

    transfer.add_routes(voice, database)
    recordings.add_routes(voice, database, survives)
    outgoing.add_routes(voice, database, survives)
    relay.add_routes(voice, database, survives)
    return voice


def _say_next(database: Database, answer: Answer, number: int) -> str:
    """The answer of this turn as TwiML."""
    with database.transaction() as session:
        conversation = find_or_open(session, _incoming("", Said.TEXT, ""))
        call = calls.begin(session, conversation, direction=_direction())
        return prompts.keep(session, conversation, call, answer, number=number)[1]


def _incoming(external_id: str, said: Said, body: str) -> Incoming:
    """The same turn of the same call is the same message, however often it is posted."""
    return Incoming(
        channel=Channel.VOICE,
        phone=_other_party(),
        body=body,
        external_id=external_id,
        said=said,
        call_sid=request.form["CallSid"],
        seconds=SECONDS,
    )


def _other_party() -> str:
    return callers.other_party(
        request.form.get("Direction", ""), caller=request.form.get("From", ""), called=request.form.get("To", "")
    )


def _direction() -> Direction:
    return callers.direction(request.form.get("Direction", ""))


def _xml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
