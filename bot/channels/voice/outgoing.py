"""Calls that the clinic makes: what is said when somebody, or a machine, picks up."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.voice import keypad, questions, twiml
from bot.channels.voice.expected import hints
from bot.channels.voice.owed import Survives
from bot.channels.voice.questions import CALL, Question
from bot.channels.voice.shaping import for_the_ear
from bot.channels.voice.twiml import HangUp, Listen, Prompt
from bot.channels.voice.words import say
from bot.conversation import Incoming, find_or_open
from scheduling_core import calls, patients, sending
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import AnsweredBy, Channel, Communication, Conversation, Direction


def add_routes(voice: Blueprint, database: Database, survives: Survives) -> None:
    @voice.post("/reminder")
    @survives
    def reminder() -> Response:
        """A call of ours was picked up. The message is named in the address; `AnsweredBy` says by whom."""
        with database.transaction() as session:
            clinic = current(session)
            found = select(Communication).where(
                Communication.id == request.args.get("message", ""), Communication.channel == Channel.VOICE
            )
            message = session.scalars(found).one_or_none()
            if message is None:
                abort(404)
            call_id = request.form["CallSid"]
            if kept := calls.kept_turn(session, call_id, 0):
                return _xml(kept)
            conversation = find_or_open(session, Incoming(Channel.VOICE, message.phone, "", "", call_sid=call_id))
            conversation.language = sending.language_of_message(session, clinic, message)
            calls.begin(session, conversation, direction=Direction.OUT, communication_id=message.id)
            by = _answered_by(request.form.get("AnsweredBy", ""))
            calls.answered(session, call_id, by)
            text = calls.keep_turn(session, call_id, 0, twiml.document(_prompt(session, clinic, conversation, message, by)))
        return _xml(text)


def _prompt(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, by: AnsweredBy) -> Prompt:
    """A machine hears who called, and no more; a person is asked whether they are the right one before anything else is said."""
    language = conversation.language
    if by is AnsweredBy.MACHINE:
        return Prompt((for_the_ear(sending.call_back_words(clinic, language), clinic, language),), HangUp())
    if message.patient_id is None or not sending.holds_still(session, message):
        return Prompt((for_the_ear(say(clinic, language, "reminder_over"), clinic, language),), HangUp())
    question = Question(CALL, "right_person")
    questions.keep(session, conversation.id, question)
    name = patients.get(session, message.patient_id).given.split()[0]
    speech = (
        for_the_ear(say(clinic, language, "reminder_for", patient=name), clinic, language),
        for_the_ear(keypad.instructions(question, clinic, language), clinic, language),
    )
    return Prompt(speech, Listen(1, seconds=8, digits=1, hints=hints(clinic, question, language)))


def _answered_by(said: str) -> AnsweredBy:
    if said == "human":
        return AnsweredBy.HUMAN
    return AnsweredBy.MACHINE if said.startswith(("machine", "fax")) else AnsweredBy.UNKNOWN


def _xml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
