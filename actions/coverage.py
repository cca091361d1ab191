"""Taking down a patient's insurance, read back before it is written."""

from __future__ import annotations

import re

from actions import facts, forms, identity, visits
from actions.turn import Turn, action
from scheduling_core import coverage

FORM = "coverage_form"


@action("validate_coverage_form")
def validate(turn: Turn) -> None:
    identity.take_up(turn)
    answered = visits.identity_answered(turn) or _answers(turn)
    if _has_enough(turn) or forms.elsewhere(turn, FORM, answered=answered, again=go_on, leave=_leave):
        return
    if turn.asked in identity.PLACEHOLDERS and not answered:
        forms.unclear(turn, go_on)
        return
    if turn.asked == "confirm":
        _after_read_back(turn)
        return
    if not _hear(turn):
        return
    go_on(turn)


def go_on(turn: Turn) -> None:
    if not visits.on_file(turn):
        return
    if not turn.slot("insurer"):
        turn.say("utter_request_insurer" if turn.asked != "insurer" else "utter_request_insurer_again")
        turn.ask("insurer")
    elif not turn.slot("member_id"):
        turn.say("utter_request_member_id" if turn.asked != "member_id" else "utter_request_member_id_again", insurer=_name(turn))
        turn.ask("member_id")
    else:
        turn.say("utter_confirm_coverage", insurer=_name(turn), member_id=_spelled(turn, turn.slot("member_id")))
        turn.ask("confirm")


def _answers(turn: Turn) -> bool:
    if turn.asked == "insurer":
        return bool(turn.mentions.payers) or facts.skips(turn.text)
    if turn.asked == "member_id":
        return facts.member_id(turn.text, asked=True) is not None or facts.skips(turn.text)
    return turn.asked == "confirm" and turn.yes is not None


def _has_enough(turn: Turn) -> bool:
    """After a booking the insurance is only offered to be told: thanks or goodbye ends it."""
    if turn.asked in ("insurer", "member_id") and turn.means("thank", "goodbye", "deny", "stop") and not turn.mentions.payers:
        turn.say("utter_fine")
        turn.end()
        return True
    return False


def _hear(turn: Turn) -> bool:
    """Keep what was said; False when the form is over or the question was said again."""
    if said := turn.mentions.payers:
        turn.set(insurer=said[0])
    elif turn.asked == "insurer" and facts.skips(turn.text):
        turn.say("utter_no_insurance")
        turn.end()
        return False
    elif turn.asked == "insurer" and re.search(r"[^\W\d]{3}", turn.text) and turn.text.count(" ") < 7:
        turn.set(insurer=turn.text.strip(" .!")[:200])
    if turn.asked == "member_id" and (found := facts.member_id(turn.text, asked=True)):
        turn.set(member_id=found)
    elif turn.asked == "member_id" and facts.skips(turn.text):
        turn.say("utter_member_id_later")
        turn.end()
        return False
    elif turn.asked is None and turn.mentions.payers and (found := facts.member_id(turn.text, asked=False)):
        turn.set(member_id=found)
    return True


def _after_read_back(turn: Turn) -> None:
    corrected = facts.member_id(turn.text, asked=False)
    if turn.yes is True and not corrected and turn.known.patient:
        payer = turn.clinic.payers_by_id.get(turn.slot("insurer"))
        with turn.transaction() as session:
            coverage.record(
                session,
                patient_id=turn.known.patient.id,
                payer_id=payer.id if payer else None,
                payer_name=payer.name if payer else str(turn.slot("insurer")),
                subscriber_id=turn.slot("member_id"),
                agent=turn.agent,
                key=f"{turn.key}:coverage",
            )
        turn.say("utter_coverage_saved" if payer else "utter_coverage_saved_unknown", insurer=_name(turn))
        turn.end()
        return
    if corrected:
        turn.set(member_id=corrected)
    elif turn.mentions.payers:
        turn.set(insurer=turn.mentions.payers[0])
    elif turn.yes is False:
        turn.set(member_id=None)
    else:
        forms.unclear(turn, go_on)
        return
    go_on(turn)


def _name(turn: Turn) -> str:
    payer = turn.clinic.payers_by_id.get(turn.slot("insurer"))
    return payer.name if payer else str(turn.slot("insurer"))


def _spelled(turn: Turn, number: str) -> str:
    """As it stands on the card; on a call letter by letter."""
    return " ".join(number) if turn.by_voice else number


def _leave(turn: Turn) -> None:
    turn.say("utter_fine")
