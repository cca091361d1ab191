"""What callers leave for the desk: Twilio tells of it in several requests, in any order."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, request
from sqlalchemy import select

from bot.channels.voice import callbacks
from bot.channels.voice.owed import Survives
from scheduling_core import calls
from scheduling_core.clinic_file.loading import current
from scheduling_core.db import Database
from scheduling_core.models import Conversation

_LONGEST_TRANSCRIPT = 4000


def add_routes(voice: Blueprint, database: Database, survives: Survives) -> None:
    @voice.post("/recording")
    @survives
    def recording() -> Response:
        if request.form.get("RecordingStatus", "completed") == "completed":
            keep(database, request.form)
        return Response(status=204)

    @voice.post("/transcript")
    @survives
    def transcript() -> Response:
        if request.form.get("TranscriptionStatus") == "completed":
            keep(database, request.form)
        return Response(status=204)


def keep(database: Database, form: Mapping[str, str]) -> None:
    """Keep what this request tells of a recording, and tell the desk. Of a call that is not known nothing is kept."""
    external_id, seconds = form.get("RecordingSid", ""), form.get("RecordingDuration", "")
    with database.transaction() as session:
        found = select(Conversation).where(Conversation.call_sid == form["CallSid"])
        conversation = session.scalars(found).one_or_none()
        if conversation is None or not external_id:
            return
        recording = calls.record(
            session,
            conversation,
            external_id=external_id,
            url=form.get("RecordingUrl", "")[:500] or None,
            seconds=int(seconds) if seconds.isascii() and seconds.isdigit() else None,
            transcript=form.get("TranscriptionText", "").strip()[:_LONGEST_TRANSCRIPT] or None,
        )
        callbacks.tell_desk(session, current(session), conversation, recording)
