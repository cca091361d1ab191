"""What may happen in the middle of any form.

A question in between, another goal, a person please, never mind, words that say nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from actions import facts, identity, party, people, questions, reminders
from actions.goals import FIRM, GOALS
from actions.turn import Turn
from scheduling_core.identity import forget

Again = Callable[[Turn], None]

TASK_SLOTS = (
    "service",
    "practitioners",
    "gender",
    "speaks",
    "location",
    "mode",
    "time",
    "offers",
    "refused",
    "choice",
    "nearest",
    "doubt",
    "another",
    "waitlist",
    "visits",
    "unknown_practitioner",
    "insurer",
    "member_id",
    "coverage_more",
    "detail_kind",
    "detail",
    "unclear",
    "confirmed",
    "opening",
    "new_patient",
    "together",
    "network",
)


def for_whom(turn: Turn) -> None:
    """A task that begins for another person of this number: that one must prove it anew."""
    if turn.asked is None and (name := turn.names_relative):
        with turn.transaction() as session:
            forget(session, conversation_id=turn.known.id)
        turn.look_again()
        turn.claims(first=name, relation="family")


def elsewhere(turn: Turn, form: str, *, answered: bool, again: Again, leave: Again) -> bool:
    """Deal with what is no answer to the form's question; True when the turn is done with that.

    `answered`: the words answer the question that was asked, so that only a plain wish for a person may still take precedence.
    `again` asks the open question anew; `leave` says what did not happen.
    """
    people.note_needs(turn)
    people.note_health(turn)
    if people.in_danger(turn):
        people.red_flag(turn)
        turn.end()
        return True
    if turn.asked is None:
        return False
    if turn.means("ask_for_human") and (turn.confidence >= FIRM or not answered) and not facts.mode(turn.text):
        people.hand_over(turn, reason="asked-for-person")
        turn.end()
        return True
    if form == "reschedule_form" and reminders.gives_up(turn.text) == "cancel_form":
        turn.end(then="cancel_form")
        return True
    if answered:
        return False
    if identity.answers_why(turn):
        again(turn)
        return True
    if turn.means("complaint") and turn.confidence >= FIRM:
        people.hand_over(turn, reason="complaint")
        turn.end()
        return True
    if _leaves(turn, form):
        leave(turn)
        turn.end()
        return True
    goal = GOALS.get(turn.intent)
    if goal and goal != form and turn.confidence >= FIRM and not _is_change_of_time(turn, form):
        turn.end(then=goal)
        return True
    if questions.answer(turn):
        again(turn)
        return True
    return False


def unclear(turn: Turn, again: Again) -> None:
    """Nothing in the words helps the form on: ask again, differently the second time, and get a person the third."""
    count = int(turn.slot("unclear") or 0) + 1
    turn.set(unclear=count)
    if count >= 3:
        people.hand_over(turn, reason="not-understood")
        turn.end()
        return
    turn.say("utter_unclear" if count == 1 else "utter_unclear_again")
    again(turn)


def understood(turn: Turn) -> None:
    turn.set(unclear=0)


def clear(turn: Turn) -> None:
    """Forget the task; who this is stays known."""
    if turn.slot("together"):
        party.forget(turn)
    turn.set(**dict.fromkeys(TASK_SLOTS))


def _leaves(turn: Turn, form: str) -> bool:
    """Never mind. In a form that writes nothing yet, "cancel it" means the talk and not a visit on the books."""
    if turn.means("stop"):
        return True
    nothing_named = not any(word in turn.text.lower() for word in ("appointment", "visit", "appt", "cita"))
    return form == "booking_form" and turn.means("cancel_appointment") and nothing_named


def _is_change_of_time(turn: Turn, form: str) -> bool:
    """ "Can we move it to Friday" while a time is being chosen is about that time."""
    choosing = form in ("booking_form", "reschedule_form") and turn.asked in ("choice", "confirm", "time")
    return (
        choosing
        and turn.intent in ("reschedule_appointment", "book_appointment")
        and (turn.intent == "book_appointment" or form == "booking_form")
    )
