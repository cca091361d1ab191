"""The answer to a message that asks for a visit (recall, ordered follow-up, referral), and to a question after a visit."""

from __future__ import annotations

import datetime as dt
import re

from actions import facts, sentences
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import follow_ups, outreach, sending, times
from scheduling_core.models import Outreach
from scheduling_core.outreach import Answer

FORM = "booking_form"
_FRESH = dt.timedelta(days=3)  # words that name no visit are about our message until then
_SENTENCES = {
    Answer.NOT_NOW: "utter_outreach_not_now",
    Answer.ELSEWHERE: "utter_outreach_elsewhere",
    Answer.STOP: "utter_outreach_stopped",
}


def answer(turn: Turn) -> bool:
    """Take the words for the answer to the message that asked last; False when none did, or they say something else.

    Who agrees or names a day goes on to the booking, with the kind of visit set.
    """
    if declines(turn):
        return True
    if (one := _asked(turn)) is None or not _agrees(turn):
        return False
    turn.set(service=one.service_id)
    turn.followup = FORM
    return True


def declines(turn: Turn) -> bool:
    """Keep a "not now", "I had it elsewhere" or "no more of these"; False where the words are none of them."""
    with turn.database.reading() as session:
        said = outreach.answered_in(session, key=_key(turn))
    one = None if said else _asked(turn)
    if one is not None and (said := _said(turn)) is not None:
        with turn.transaction() as session:
            outreach.answer(session, turn.clinic, outreach_id=one.id, said=said, agent=turn.agent, key=_key(turn))
    if said is None:
        return False
    turn.say(_SENTENCES[said])
    return True


def answer_after_visit(turn: Turn) -> bool:
    """Pass the answer to a question after a visit on to the clinical team; False when none was asked last."""
    with turn.database.reading() as session:
        last = sending.last_said(session, phone=turn.known.phone)
    if last is None or last.kind != sending.AFTER_VISIT or not _note(turn):
        return False
    turn.say("utter_after_visit_noted", phone=sentences.phone(turn.clinic.clinic.phone))
    return True


def note_complaint(turn: Turn) -> None:
    """What hurts after a visit is told to the clinical team, even where a booking begins with it."""
    if turn.mentions.complaint:
        _note(turn)


def _note(turn: Turn) -> bool:
    with turn.transaction() as session:
        noted = follow_ups.note_answer(
            session, turn.clinic, phone=turn.known.phone, words=turn.text, agent=turn.agent, key=turn.key
        )
    return noted is not None


def take_up(turn: Turn) -> None:
    """A booking that begins with an answer to our message, and names no visit, is for the visit that we wrote about."""
    if not turn.slot("service") and (one := _asked(turn)) is not None:
        turn.set(service=one.service_id)


def _asked(turn: Turn) -> Outreach | None:
    """What our last message asked for, while words that name no visit are about it."""
    said = turn.mentions
    if turn.slot("proposed") or said.complaint or facts.says_new(turn.text):
        return None
    with turn.database.reading() as session:
        one = outreach.asked_last(session, phone=turn.known.phone)
        last = sending.last_said(session, phone=turn.known.phone)
    if one is None or (said.services and one.service_id not in said.services):
        return None
    is_last = last is not None and last.kind in sending.OUTREACH
    is_fresh = one.sent_at is not None and times.now() - one.sent_at <= _FRESH
    return one if is_last or is_fresh else None


def _said(turn: Turn) -> Answer | None:
    low = plain(turn.text)
    if _STOPS.search(low):
        return Answer.STOP
    if _ELSEWHERE.search(low) and not _ON_THE_BOOKS.search(low):
        return Answer.ELSEWHERE
    if _NOT_NOW.search(low):
        return Answer.NOT_NOW
    names_a_day = turn.when() is not None
    if (_LATER.search(low) or turn.yes is False or turn.means("stop")) and not names_a_day:
        return Answer.NOT_NOW
    return None


def _agrees(turn: Turn) -> bool:
    if turn.is_question and turn.when() is None:
        return False
    reading = turn.when()
    return bool(
        turn.yes
        or (reading and (reading.wish or reading.question))
        or turn.means("no_preference", "request_alternatives", "check_availability", "book_appointment")
        or _BOOKS.search(plain(turn.text))
    )


def _key(turn: Turn) -> str:
    return f"{turn.key}:outreach"


_STOPS = re.compile(
    r"\b"
    + either(
        r"(?:stop|quit) (?:reminding|asking|bugging|nagging|sending (?:me )?(?:these|this|reminders))",
        r"no more (?:of these )?(?:reminders|of these|of this)",
        r"(?:don'?t|do not|never) (?:ever )?(?:remind|ask|bug) me (?:again|about|any)",
        r"(?:deje|deja|dejen|paren) de (?:recordar\w*|preguntar\w*|insistir)|no me (?:recuerden?|pregunten?) mas",
        r"no (?:quiero )?mas (?:recordatorios|avisos)",
    )
    + r"\b"
)
_SOMEWHERE = r"(?:another|other|different|new) (?:doctor|dr|clinic|practice|provider|office|place)"
_ELSEWHERE = re.compile(
    r"\b"
    + either(
        r"already (?:\w+ ){0,2}(?:had|did|done|got|gone|went|seen|been|taken care)|elsewhere|somewhere else|all done|was done",
        r"(?:had|did|got|done|have had) (?:it|that|one|mine|this|my \w+)(?: \w+){0,3} (?:already|last \w+|in \w+)",
        rf"(?:had|did|got|saw|seen|went|go|going|switched|moved|found|was)\b.{{0,25}}\b{_SOMEWHERE}",
        r"ya (?:me |lo |la |le )?(?:hice|tuve|fui|hicieron|hizo|vi)",
        r"(?:hice|tuve|fui|voy|hicieron|hizo|atiend\w+)\b.{0,25}\botr[ao] (?:lugar|clinica|consultorio|parte|doctora?|medic[ao])",
    )
    + r"\b"
)
_ON_THE_BOOKS = re.compile(
    r"\b"
    + either(r"booked|scheduled|have (?:an |my )?(?:appointment|appt|visit)|made an?", r"reserv\w+|tengo (?:una )?cita")
    + r"\b"
)
_NOT_NOW = re.compile(
    r"\b"
    + either(
        r"not (?:now|right now|at the moment|at this time|interested)|maybe later|no thanks?(?: you)?",
        r"(?:ask|remind|text|write) me (?:again|later|in)|(?:don'?t|do not) (?:need|want) (?:it|one|that|this|to)",
        r"i'?ll (?:call|let you know|get back|reach out)|(?:can'?t|cannot) (?:right )?now",
        r"(?:ahora|por ahora|todavia|por el momento) no|no por ahora|no gracias|no me interesa|no (?:lo |la )?(?:necesito|quiero)",
        r"(?:yo )?(?:les|le) (?:aviso|llamo)",
    )
    + r"\b"
)
_LATER = re.compile(
    r"\b"
    + either(
        r"later|some other time|another time|not (?:yet|today|this (?:week|month|year))|too busy|in a (?:few|couple)",
        r"mas (?:tarde|adelante)|despues|luego|otro (?:dia|momento)|hoy no|muy ocupad[oa]",
    )
    + r"\b"
)
_BOOKS = re.compile(
    r"\b"
    + either(
        r"book|schedule|set (?:it|that|one) up|sign me up|let'?s do|any (?:day|time)|whenever",
        r"agend\w+|reserv\w+|cuando sea|cualquier dia",
    )
    + r"\b"
)
