"""Another visit of a kind that the patient has already: wanted, or the one on the books forgotten or to be moved."""

from __future__ import annotations

import re

from actions import sentences, visits
from actions.turn import Turn
from actions.words import plain


def ask_about_it(turn: Turn) -> bool:
    """Who has such a visit already may want another, or may have forgotten: asked once."""
    if turn.slot("another") or not turn.known.patient:
        return False
    same = [visit for visit in visits.upcoming(turn) if visit.service_id == turn.slot("service")]
    if not same:
        turn.set(another=True)
        return False
    turn.say("utter_already_booked", visit=sentences.visit(turn, same[0]))
    turn.ask("another")
    return True


def answered(turn: Turn) -> bool:
    """Move the visit that there is, or book another; True when the form is over with that, or the question was said again."""
    low = plain(turn.text)
    another = bool(_ANOTHER.search(low)) or turn.intent == "book_appointment"
    if not another and (turn.yes or _MOVE_IT.search(low) or turn.intent == "reschedule_appointment"):
        same = [visit for visit in visits.upcoming(turn) if visit.service_id == turn.slot("service")]
        turn.set(visits=[same[0].id] if same else None)
        turn.end(then="reschedule_form")
        return True
    turn.set(another=another or turn.yes is False)
    return False


_MOVE_IT = re.compile(r"\b(?:move|change|switch|reschedul\w*|instead|that one|mover|cambiar|muevala|cambiela)\b")
_ANOTHER = re.compile(r"\b(?:another|new|second|both|besides|additional|extra|one more|book|otra|nueva|ademas|reservar)\b")


def says_which(text: str) -> bool:
    """The words choose between moving the visit on the books and booking another."""
    low = plain(text)
    return bool(_MOVE_IT.search(low) or _ANOTHER.search(low))
