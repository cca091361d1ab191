"""The form for what a visit costs with the patient's own plan: who, for which visit, then the answer."""

from __future__ import annotations

from actions import costs, forms, identity, services, visits
from actions.costs import FORM
from actions.turn import Turn, action


@action("validate_cost_form")
def validate(turn: Turn) -> None:
    """Who, for which visit, then what it would cost."""
    if turn.asked is None:
        turn.set(proposed=None)
        turn.say("utter_cost_of_plan")
    forms.for_whom(turn)
    identity.take_up(turn)
    if service := services.asked_about(turn):
        turn.set(service=service.id)
    if said := turn.mentions.payers:
        turn.set(insurer=said[0])
    answered = visits.identity_answered(turn) or bool(turn.asked == "cost_service" and turn.slot("service"))
    if forms.elsewhere(turn, FORM, answered=answered, again=go_on, leave=_leave):
        return
    if turn.asked and not answered:
        forms.unclear(turn, go_on)
        return
    go_on(turn)


def go_on(turn: Turn) -> None:
    if not visits.on_file(turn):
        return
    if not turn.slot("service"):
        turn.say("utter_request_cost_service")
        turn.ask("cost_service")
        return
    costs.tell(turn, turn.slot("service"))
    turn.end()


def _leave(turn: Turn) -> None:
    turn.say("utter_fine")
