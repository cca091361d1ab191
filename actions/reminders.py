"""The answer to a reminder: confirmed by the number that we reminded, or about that visit in free words."""

from __future__ import annotations

import re

from actions import sentences
from actions.turn import Turn
from actions.words import plain
from scheduling_core import booking, reminders
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
    if re.fullmatch(r"r|move|mover|cambiar", said):
        turn.followup = "reschedule_form"
    elif turn.yes or re.fullmatch(r"c|confirm(?:ed|o|ar|ado)?", said) or turn.intent == "confirm_visit":
        _confirm(turn, visit)
    elif turn.yes is False:
        turn.followup = "reschedule_form" if turn.when() else "cancel_form"
    else:
        return False
    return True


def _confirm(turn: Turn, visit: Appointment) -> None:
    try:
        with turn.transaction() as session:
            booking.confirm(session, appointment_id=visit.id, agent=turn.agent, key=f"{turn.key}:confirm")
    except SchedulingError:
        turn.say("utter_confirm_too_late", phone=sentences.phone(turn.clinic.clinic.phone))
        return
    assert visit.start
    turn.say("utter_visit_confirmed", when=sentences.start(turn, visit.start))
