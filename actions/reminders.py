"""The answer to a reminder: confirmed by the number that we reminded, or about that visit in free words."""

from __future__ import annotations

import re

from actions import sentences
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import booking, reminders, sending
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment


def named(turn: Turn) -> Appointment | None:
    """The visit that our last reminder to this number was about, if it is still to come."""
    with turn.database.reading() as session:
        return reminders.named(session, phone=turn.known.phone)


def answer(turn: Turn) -> bool:
    """Confirm or begin to move the visit that we named; False when there is none, or the words say neither.

    A number on file may confirm a visit that we named to it; to see, move or cancel one, the birth date is asked.
    """
    visit = named(turn)
    if visit is None:
        return False
    said = plain(turn.text).strip(" .!")
    if form := gives_up(turn.text):
        turn.followup = form
        return True
    if re.fullmatch(r"r|move|mover|cambiar", said):
        turn.followup = "reschedule_form"
    elif re.fullmatch(r"c|confirm(?:ed|o|ar|ado)?", said) or turn.means("confirm_visit") or (turn.yes and _is_last(turn)):
        _confirm(turn, visit)
    elif turn.yes is False:
        turn.followup = "reschedule_form" if turn.when() else "cancel_form"
    else:
        return False
    return True


def gives_up(text: str) -> str | None:
    """The form that somebody means who cannot come: another time is looked for unless a plain cancelling is asked for."""
    low = plain(text)
    if not _CANNOT_COME.search(low):
        return None
    return "cancel_form" if _CANCELS.search(low) and not _ANOTHER_TIME.search(low) else "reschedule_form"


_CANCELS = re.compile(r"\bcancel\w*\b")
_ANOTHER_TIME = re.compile(
    r"\b(?:re-?sched\w*|re-?book\w*|move|another|other|instead|later|next|otro|otra|mover|cambiar|reprogramar)\b"
)
_CANNOT_COME = re.compile(
    r"\b"
    + either(
        r"(?:can'?t|cannot|can not|couldn'?t|won'?t|will not|not gonna|not going to|unable to|not able to)"
        r"(?: be able to)? (?:make (?:it|that)|come|be there|get there|attend|do (?:it|that))",
        r"no (?:puedo|podre|voy a poder|voy a) (?:ir|llegar|asistir)",
    )
    + r"\b"
)


def _is_last(turn: Turn) -> bool:
    """Whether the reminder is the last that we said to this number: a bare yes answers that and nothing older."""
    with turn.database.reading() as session:
        last = sending.last_said(session, phone=turn.known.phone)
    return last is not None and last.kind == "reminder"


def _confirm(turn: Turn, visit: Appointment) -> None:
    try:
        with turn.transaction() as session:
            booking.confirm(session, appointment_id=visit.id, agent=turn.agent, key=f"{turn.key}:confirm")
    except SchedulingError:
        turn.say("utter_confirm_too_late", phone=sentences.phone(turn.clinic.clinic.phone))
        return
    assert visit.start
    turn.say("utter_visit_confirmed", when=sentences.start(turn, visit.start))
