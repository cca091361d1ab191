"""How somebody wants to be reached: by text, call or mail."""

from __future__ import annotations

import re

from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import patients, sending
from scheduling_core.models import Channel


def take_up(turn: Turn) -> bool:
    """Keep the way that the words ask for; False when they ask for none.

    It is kept for who has proved who they are, else for those on file with this number: what goes to a number is theirs to choose.
    Mail goes to the address on file alone, so that nobody can send somebody else's reminders elsewhere.
    """
    wished = wish(turn.text)
    whose = [turn.known.patient.id] if turn.known.patient else [patient_id for patient_id, _ in turn.known.family]
    if wished is None or not whose:
        return False
    with turn.transaction() as session:
        people = [patients.get(session, patient_id) for patient_id in whose]
        if wished is Channel.EMAIL and not any(sending.mail_address(session, one) for one in people):
            turn.say("utter_prefers_no_address")
            return True
        for one in people:
            patients.update(session, patient_id=one.id, prefers=wished, agent=turn.agent)
    turn.say(_SAID[wished])
    return True


_SAID = {Channel.EMAIL: "utter_prefers_mail", Channel.VOICE: "utter_prefers_call", Channel.SMS: "utter_prefers_text"}


def wish(text: str) -> Channel | None:
    """The way that a text asks for, from now on; a wish to be called back now is none."""
    low = plain(text)
    return next((channel for channel, words in _WAYS.items() if words.search(low)), None)


_REMINDERS = r"(?:the |my |your |all |these |future )*(?:reminders?|messages?|notices?|notifications?|confirmations?|updates?)"
_RECORDATORIOS = r"(?:(?:los|mis|sus|las) )?(?:recordatorios?|avisos?|mensajes?|notificaciones|confirmaciones)"
_OTHER = r"(?:instead|rather|from now on|please not|not text)"
_WAYS = {
    Channel.EMAIL: re.compile(
        r"\b"
        + either(
            rf"e-?mail me (?:{_REMINDERS} )?(?:{_OTHER}|and (?:don'?t|do not|stop) text)",
            rf"e-?mail (?:me )?{_REMINDERS}",
            r"(?:prefer|rather (?:have|get|receive)|switch (?:me )?to|like) (?:getting |to get |an? )?e-?mails?",
            rf"{_REMINDERS} (?:by|via|through|over|in an?|to my) e-?mail",
            r"by e-?mail (?:instead|rather|from now on)|e-?mails? instead of (?:a )?text",
            r"prefiero (?:el |los |recibir |por )*(?:correos?|e-?mails?)",
            rf"(?:mande|envie)(?:n|me|nme)? {_RECORDATORIOS} (?:por|al?) (?:mi )?(?:correo|e-?mail)",
            r"por (?:correo(?: electronico)?|e-?mail) (?:mejor|en vez|en lugar|de ahora en adelante)",
            r"mejor por (?:correo|e-?mail)",
        )
        + r"\b"
    ),
    Channel.VOICE: re.compile(
        r"\b"
        + either(
            rf"call me (?:with|for|about) {_REMINDERS}",
            r"(?:call|phone|ring) me instead of (?:a )?text\w*|calls? instead of (?:a )?texts?",
            r"prefer (?:a |to get |getting )?(?:phone )?calls?(?! from)",
            rf"{_REMINDERS} (?:by|via|over the) (?:phone|call|voice)",
            r"prefiero (?:que me llamen|las? llamadas?|por telefono)",
            r"llamenme en (?:vez|lugar) de (?:mandar(?:me)?|enviar(?:me)?|textos?|mensajes?)",
        )
        + r"\b"
    ),
    Channel.SMS: re.compile(
        r"\b"
        + either(
            r"text me instead of (?:an? )?(?:call|e-?mail|phon)\w*|texts? instead of (?:an? )?(?:calls?|e-?mails?)",
            r"prefer (?:a |to get |getting )?(?:texts?|texting|sms|text messages?)",
            rf"{_REMINDERS} (?:by|via|in an?) (?:text|sms)",
            r"prefiero (?:los |recibir |por )*(?:textos?|mensajes? de texto|sms)",
        )
        + r"\b"
    ),
}
