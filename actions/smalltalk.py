"""What is said outside of any task."""

from __future__ import annotations

import re

from actions import facts, offering, outreach, people, plans, preferences, reminders, sentences, waitlist
from actions.forms import clear
from actions.goals import names_a_visit
from actions.turn import Turn, action
from actions.words import plain


@action("action_greet")
def greet(turn: Turn) -> None:
    turn.say("utter_greet", clinic=turn.clinic.clinic.name)


@action("action_help")
def help_(turn: Turn) -> None:
    turn.say("utter_help", clinic=turn.clinic.clinic.name, phone=sentences.phone(turn.clinic.clinic.phone))


def _answers_us(turn: Turn) -> bool:
    """Whether the words answer something that the clinic asked by itself."""
    return (
        outreach.answer(turn)
        or plans.answer(turn)
        or waitlist.answer_offer(turn)
        or reminders.answer(turn)
        or outreach.answer_after_visit(turn)
        or preferences.take_up(turn)
    )


@action("action_welcome")
def welcome(turn: Turn) -> None:
    """Thanks; "I am fine, thank you" may answer how somebody is after a visit."""
    if len(turn.text.split()) <= _BARE_THANKS or not outreach.answer_after_visit(turn):
        turn.say("utter_welcome")


_BARE_THANKS = 3  # words


@action("action_opt_out_how")
def opt_out_how(turn: Turn) -> None:
    """Fewer texts: by another way, none of the kind that was just sent, or none at all by a keyword."""
    if not (preferences.take_up(turn) or outreach.declines(turn)):
        turn.say("utter_opt_out_how")


@action("action_not_understood")
def not_understood(turn: Turn) -> None:
    """Words that say nothing we know: another hint the second time, a person the third."""
    if _answers_us(turn):
        return
    if names_a_visit(turn):
        turn.followup = "booking_form"
        return
    if facts.health(turn.text):
        turn.followup = "details_form"
        return
    count = int(turn.slot("unclear") or 0) + 1
    turn.set(unclear=count)
    if count >= 3 and turn.text and any(character.isalpha() for character in turn.text):
        people.hand_over(turn, reason="not-understood")
    else:
        turn.say(
            "utter_not_understood" if count == 1 else "utter_not_understood_again", phone=sentences.phone(turn.clinic.clinic.phone)
        )


@action("action_task_done")
def task_done(turn: Turn) -> None:
    """The end of every form: let go of what is still on hold, forget the task, and go on with the next one if the goal changed."""
    if turn.slot("offers"):
        offering.let_go(turn)
    follows = turn.slot("next_form")
    carried = ("visits", "insurer", *(offering.WISHES if follows == "reschedule_form" else ())) if follows else ()
    kept = {name: turn.slot(name) for name in carried}
    clear(turn)
    turn.set(next_form=None, **kept)
    turn.followup = follows


_CANCELS = re.compile(r"\bcancel\w*\b")


@action("action_nothing_open")
def nothing_open(turn: Turn) -> None:
    """An answer while no question is open. Words that name a visit begin a booking all the same."""
    if _answers_us(turn):
        return
    proposed, also = turn.slot("proposed"), turn.slot("also")
    turn.set(proposed=None, also=None)
    if form := reminders.gives_up(turn.text):
        turn.followup = form
        return
    if _CANCELS.search(plain(turn.text)) and turn.intent == "stop":
        turn.followup = "cancel_form"
        return
    if also and turn.yes:
        turn.set(service=also)
    if proposed and turn.yes:
        turn.followup = proposed
    elif facts.address(turn.text, asked=False) or facts.email(turn.text) or facts.health(turn.text):
        turn.followup = "details_form"
    elif names_a_visit(turn):
        turn.followup = "booking_form"
    else:
        turn.say("utter_nothing_to_stop" if turn.yes is False else "utter_nothing_open")
