"""Visits by video: the link with a confirmation, how to try it, and help when it fails."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from actions import people, reminders, sentences
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import booking, messaging, times, visit_texts
from scheduling_core.models import Appointment, Channel, Mode, Priority

_SOON = dt.timedelta(minutes=30)  # before its start a visit by video may be joined, and may fail


def say_links(turn: Turn, made: Sequence[Appointment]) -> None:
    """What a confirmation adds: how to join a visit by video, and the calendar's link where one visit was booked.

    Links cannot be spoken: on a call that of a visit by video goes out as a text.
    """
    with turn.transaction() as session:
        lines = [line for visit in made for line in visit_texts.video(session, turn.clinic, visit, turn.language)]
        if turn.by_voice:
            if lines and turn.known.phone.startswith("+"):
                messaging.queue(
                    session,
                    phone=turn.known.phone,
                    channel=Channel.SMS,
                    body=f"{turn.clinic.clinic.name}: {' '.join(dict.fromkeys(lines))}",
                    author="assistant",
                    kind="video-link",
                    conversation_id=turn.known.id,
                    patient_id=made[0].patient_id,
                    key=f"{turn.key}:video-link",
                )
        elif len(made) == 1:
            lines.append(visit_texts.calendar(session, made[0], turn.language))
    if turn.by_voice and lines:
        turn.say("utter_video_link_by_text")
    elif not turn.by_voice:
        for line in filter(None, dict.fromkeys(lines)):
            turn.say("utter_note", note=line)


def answer(turn: Turn) -> None:
    """A question about visits by video: help for who cannot get in, the link for who may have it, how to try it, what it is."""
    low = plain(turn.text)
    if turn.clinic.video is None:
        turn.say("utter_video", clinic=turn.clinic.clinic.name, phone=sentences.phone(turn.clinic.clinic.phone))
    elif _FAILS.search(low):
        _help(turn)
    elif visit := _told_of(turn):
        with turn.transaction() as session:
            lines = visit_texts.video(session, turn.clinic, visit, turn.language)
        for line in lines:
            turn.say("utter_note", note=line)
    elif _LINK.search(low):
        turn.say("utter_video_link_where", phone=sentences.phone(turn.clinic.clinic.phone))
    elif turn.clinic.video.test and _TRY.search(low):
        turn.say("utter_video_try", note=turn.clinic.video.test)
    else:
        turn.say("utter_video", clinic=turn.clinic.clinic.name, phone=sentences.phone(turn.clinic.clinic.phone))


def _help(turn: Turn) -> None:
    """What to do; while a visit of this number is on, the desk is told at once."""
    now = times.now()
    with turn.database.reading() as session:
        coming = [visit for who, _ in turn.known.family for visit in booking.upcoming(session, patient_id=who)]
    is_on = any(visit.mode is Mode.VIDEO and visit.start and visit.start - _SOON <= now for visit in coming)
    if is_on:
        people.ask_team(
            turn,
            team="desk",
            reason="video-trouble",
            description="A patient cannot get into a visit by video that is on now. Call.",
            priority=Priority.ASAP,
        )
    note = visit_texts.if_video_fails(turn.clinic, turn.language)
    turn.say("utter_video_trouble_told" if is_on else "utter_video_trouble", note=note)


def _told_of(turn: Turn) -> Appointment | None:
    """The visit by video whose link this number may have: the one that we reminded it of, or one of who has proved who they are."""
    visit = reminders.named(turn)
    if visit is None and turn.known.patient:
        with turn.database.reading() as session:
            coming = booking.upcoming(session, patient_id=turn.known.patient.id)
        visit = next((one for one in coming if one.mode is Mode.VIDEO), None)
    return visit if visit and visit.mode is Mode.VIDEO else None


_FAILS = re.compile(
    r"\b"
    + either(
        r"(?:doesn'?t|does not|isn'?t|is not|not|won'?t|will not|never) (?:work\w*|load\w*|open\w*|connect\w*|start\w*|go\w*)",
        r"(?:can'?t|cannot|can not|unable to|not able to) (?:get|join|enter|connect|hear|see|open|log|sign)",
        r"(?:link )?expired|broken|frozen|froze|stuck|nothing happens|black screen|no (?:sound|picture|audio|video)|error",
        r"(?:isn'?t|is not|not|nobody|no one)(?: is)? (?:on|there|here|in)\b",
        r"no (?:me )?(?:funciona|abre|carga|sirve|conecta|entra|deja)|no (?:puedo|se puede) (?:entrar|conectar\w*|ver|oir|abrir)",
        r"no (?:hay|se (?:oye|ve|escucha))|se (?:corta|cayo|congelo)|no escucho|no oigo",
    )
    + r"\b"
)
_LINK = re.compile(r"\b" + either(r"links?|join|click|url|address", r"enlaces?|liga|entr(?:o|ar)|vinculo") + r"\b")
_TRY = re.compile(
    r"\b"
    + either(
        r"test|try|check|camera|microphone|mic|phone|laptop|computer|tablet|app|browser|work",
        r"prob(?:ar|arlo)|prueba|camara|microfono|telefono|celular|computadora|aplicacion|funciona",
    )
    + r"\b"
)
