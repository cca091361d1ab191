"""On a call: beside the words of a turn, what is open now, for the keys and the recogniser of the phone."""

from __future__ import annotations

from typing import Any

from actions import offering, sentences
from actions.turn import Turn

_FORM_STEP = "validate_"
_MADE = ("utter_booked", "utter_moved", "utter_booked_together")
_DANGER = "utter_red_flag"
_MOST_LISTED = 5


def tell(turn: Turn, action: str) -> None:
    """Tell the phone which form asks for what, out of how many, and the words of the choices; a visit made, danger to life.

    Nothing is told by an action of no form while a form is open: its question stays.
    """
    if not turn.by_voice:
        return
    mark: dict[str, Any] = {}
    if action.startswith(_FORM_STEP):
        slot = turn.slot("requested_slot")
        mark["asked"] = _question(turn, action.removeprefix(_FORM_STEP), slot) if slot else {}
    elif not turn.tracker.active_loop.get("name"):
        mark["asked"] = {"slot": "proposed"} if turn.slot("proposed") else {}
    said = {message.get("response") for message in turn.dispatcher.messages}
    if said & set(_MADE):
        mark["booked"] = True
    if _DANGER in said:
        mark["danger"] = True
    if mark:
        turn.dispatcher.utter_message(json_message=mark)


def _question(turn: Turn, form: str, slot: str) -> dict[str, Any]:
    words, count = _choices(turn, slot)
    return {"form": form, "slot": slot, "count": count, "words": words}


def _choices(turn: Turn, slot: str) -> tuple[list[str], int]:
    """What can be chosen from, as it would be said, and how many there are; none where the answer is free."""
    if slot == "choice":
        offers = offering.offered(turn)
        return [sentences.start(turn, offer.start) for offer in offers], len(offers)
    if slot == "birth_date":
        return [], len(turn.known.claim.get("birth_readings") or ()) if not turn.known.claim.get("birth_date") else 0
    if slot == "doubt":
        doubt = turn.slot("doubt") or {}
        if who := doubt.get("practitioners"):
            return [sentences.practitioner(turn, one) for one in who[:3]], len(who[:3])
        return list(doubt.get("time", ())[:2]), len(doubt.get("time", ())[:2])
    return [], _MOST_LISTED if slot == "visit" else 0
