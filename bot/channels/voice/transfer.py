"""What the desk hears when a caller is put through: who it is and why, and one key to take the call."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.voice import callbacks, twiml
from bot.channels.voice.prompts import over
from bot.channels.voice.shaping import for_the_ear
from bot.channels.voice.twiml import Speech
from bot.channels.voice.words import ENGLISH, say
from bot.sentences import spoken_number
from scheduling_core import audit, calls, patients
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database
from scheduling_core.models import Conversation

log = logging.getLogger(__name__)

_STAFF_LANGUAGE = "en"
_WHY = {
    "asked-for-person": "They asked for a person.",
    "complaint": "They are not satisfied.",
    "not-understood": "The assistant did not understand them.",
}


def add_routes(voice: Blueprint, database: Database) -> None:
    @voice.post("/whisper")
    def whisper() -> Response:
        try:
            words = told()
        except (SQLAlchemyError, NotLoadedError) as error:
            log.error("a call put through met a database that is away: %s", type(error).__name__)
            words = Speech((ENGLISH.whisper.format(who="They could not be looked up", why=""),), _STAFF_LANGUAGE)
        return _xml(twiml.whisper(words) if words else twiml.document(over()))

    def told() -> Speech | None:
        """Who calls and why; None where no such call is known."""
        with database.transaction() as session:
            clinic = current(session)
            found = select(Conversation).where(Conversation.call_sid == request.args.get("call", ""))
            conversation = session.scalars(found).one_or_none()
            if conversation is None:
                return None
            who = "They hide their number" if conversation.phone == callbacks.ANONYMOUS else spoken_number(conversation.phone)
            if conversation.patient_id:
                patient = patients.get(session, conversation.patient_id)
                who = f"{patient.given} {patient.family}, {who}"
                audit.record(
                    session,
                    agent=f"assistant:{conversation.id}",
                    action="R",
                    entity="Patient",
                    entity_id=patient.id,
                    patient_id=patient.id,
                    detail={"told": "desk"},
                )
            task = calls.task_of(session, conversation.id, tuple(_WHY))
            why = _WHY[task.reason] if task else ""
            text = say(clinic, conversation.language, "whisper", who=who, why=why)
        return for_the_ear(text, clinic, _STAFF_LANGUAGE)

    @voice.post("/whisper/taken")
    def taken() -> Response:
        if request.form.get("Digits") != "1":
            return _xml(twiml.document(over()))
        return _xml(twiml.connect(Speech((ENGLISH.whisper_connect,), _STAFF_LANGUAGE)))


def _xml(document: str) -> Response:
    return Response(document, content_type="text/xml; charset=utf-8")
