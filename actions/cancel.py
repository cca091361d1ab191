"""Cancelling visits, after one read-back."""

from __future__ import annotations

from actions import forms, identity, plans, reminders, sentences, visits
from actions.goals import form_meant
from actions.turn import Turn, action
from scheduling_core import booking
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment
from scheduling_core.plans import settle

FORM = "cancel_form"


@action("validate_cancel_form")
def validate(turn: Turn) -> None:
    if turn.asked is None:
        if not turn.slot("visits") and form_meant(turn, FORM) == "reschedule_form":
            turn.end(then="reschedule_form")
            return
        turn.set(opening=turn.text)
    forms.for_whom(turn)
    identity.take_up(turn)
    answered = visits.identity_answered(turn) or (turn.asked == "confirm" and turn.yes is not None)
    if forms.elsewhere(turn, FORM, answered=answered, again=go_on, leave=_leave):
        return
    if turn.asked == "confirm":
        _after_read_back(turn)
        return
    if turn.asked in identity.PLACEHOLDERS and not answered:
        forms.unclear(turn, go_on)
        return
    go_on(turn)


def go_on(turn: Turn) -> None:
    """Settle who, then which, then read back."""
    if not visits.on_file(turn):
        return
    coming = visits.upcoming(turn)
    if not coming:
        turn.say("utter_no_visits")
        turn.end()
        return
    chosen = _chosen(turn, coming) or visits.meant(turn, coming, listed=turn.asked == "visit")
    if not chosen and turn.asked != "visit":
        chosen = [visit for visit in coming if (named := plans.named(turn) or reminders.named(turn)) and visit.id == named.id]
    if not chosen:
        visits.ask_which(turn, coming)
        return
    _read_back(turn, chosen)


def _chosen(turn: Turn, coming: list[Appointment]) -> list[Appointment]:
    ids = turn.slot("visits") or ()
    return [visit for visit in coming if visit.id in ids]


def _read_back(turn: Turn, chosen: list[Appointment]) -> None:
    turn.set(visits=[visit.id for visit in chosen])
    if len(chosen) == 1:
        turn.say("utter_confirm_cancel", visit=sentences.visit(turn, chosen[0]))
    else:
        listed = "\n".join(sentences.visit_short(turn, visit) for visit in chosen)
        turn.say("utter_confirm_cancel_all", visits=listed, count=len(chosen))
    turn.ask("confirm")


def _after_read_back(turn: Turn) -> None:
    coming = visits.upcoming(turn) if turn.known.patient else []
    chosen = _chosen(turn, coming)
    if turn.yes is True and chosen:
        _cancel(turn, chosen)
    elif turn.yes is False:
        other = visits.meant(turn, coming, listed=False) if len(coming) > 1 and not _keeps(turn) else []
        if other and {visit.id for visit in other} != {visit.id for visit in chosen} and len(other) < len(coming):
            _read_back(turn, other)
        else:
            turn.say("utter_not_cancelled")
            turn.end()
    else:
        forms.unclear(turn, go_on)


def _keeps(turn: Turn) -> bool:
    return any(word in turn.text.lower() for word in ("keep", "don't", "dont", "do not", "leave", "come", "no la cancele"))


def _cancel(turn: Turn, chosen: list[Appointment]) -> None:
    done = 0
    for visit in chosen:
        try:
            with turn.transaction() as session:
                booking.cancel(
                    session,
                    turn.clinic,
                    appointment_id=visit.id,
                    agent=turn.agent,
                    key=f"{turn.key}:cancel:{visit.id}",
                    reason="patient",
                )
                settle(session, turn.clinic, appointment_id=visit.id, agent=turn.agent)
            done += 1
        except SchedulingError:
            continue  # it was cancelled or is over meanwhile: there is nothing left to do
    turn.say("utter_cancelled" if done == 1 else "utter_cancelled_all", count=done, visit=sentences.visit(turn, chosen[0]))
    turn.end()


def _leave(turn: Turn) -> None:
    turn.say("utter_not_cancelled")
