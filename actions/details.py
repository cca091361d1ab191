"""Changing phone, address or e-mail on file, and words about the patient's health: read back before they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

from actions import facts, forms, identity, sentences, visits
from actions.turn import Turn, action
from actions.words import plain
from scheduling_core import intake, patients
from scheduling_core.models import StatementKind

FORM = "details_form"

_KINDS: dict[str, str] = {
    "email": r"\be-?mail|\bcorreo",
    "phone": r"\b(?:phone|cell|mobile|number|telefono|celular|numero)\b",
    "address": r"\b(?:address|moved|moving|street|direccion|domicilio|me mude)\b",
    "health": r"\b(?:allerg\w+|medications?|medicines?|meds|medical history|health history|alerg\w+|medicin\w+|medicament\w+)\b",
}


@action("validate_details_form")
def validate(turn: Turn) -> None:
    identity.take_up(turn)
    if not turn.slot("detail_kind"):
        _hear_kind(turn)
    heard = _hear_value(turn)
    answered = visits.identity_answered(turn) or heard or (turn.asked == "confirm" and turn.yes is not None)
    if forms.elsewhere(turn, FORM, answered=answered, again=go_on, leave=_leave):
        return
    if turn.asked == "confirm" and not heard:
        _after_read_back(turn)
        return
    if turn.asked in (*identity.PLACEHOLDERS, "detail") and not answered:
        forms.unclear(turn, go_on)
        return
    go_on(turn)


def go_on(turn: Turn) -> None:
    if not visits.on_file(turn):
        return
    kind = turn.slot("detail_kind")
    if not kind:
        turn.say("utter_request_which_detail")
        turn.ask("detail_kind")
    elif not turn.slot("detail"):
        turn.say(f"utter_request_new_{kind}")
        turn.ask("detail")
    else:
        turn.say(f"utter_confirm_{kind}", detail=_shown(kind, turn.slot("detail")))
        turn.ask("confirm")


def _hear_kind(turn: Turn) -> None:
    low = plain(turn.text)
    if facts.health(turn.text):
        turn.set(detail_kind="health")
        return
    turn.set(detail_kind=next((kind for kind, pattern in _KINDS.items() if re.search(pattern, low)), None))


def _hear_value(turn: Turn) -> bool:
    readers: dict[str, Callable[[str], str | None]] = {
        "email": facts.email,
        "phone": facts.phone,
        "address": lambda text: facts.address(text, asked=turn.asked == "detail"),
        "health": lambda text: _health(text, asked=turn.asked == "detail"),
    }
    reader = readers.get(turn.slot("detail_kind") or "")
    found = reader(turn.text) if reader else None
    if found:
        turn.set(detail=found)
    return bool(found)


def _health(text: str, *, asked: bool) -> str | None:
    """The words that tell of it; all of them where they were asked for."""
    told = " ".join(one.said for one in facts.health(text))
    if told:
        return told
    return text.strip()[:300] if asked and len(text.split()) > 1 else None


def _after_read_back(turn: Turn) -> None:
    kind, value = turn.slot("detail_kind"), turn.slot("detail")
    if turn.yes is True and turn.known.patient and kind and value:
        with turn.transaction() as session:
            if kind == "health":
                of = StatementKind(facts.health_kind(value))
                intake.note(session, patient_id=turn.known.patient.id, kind=of, said=value, agent=turn.agent)
            else:
                patients.update(session, patient_id=turn.known.patient.id, agent=turn.agent, **{kind: value})
        turn.say("utter_detail_saved")
        turn.end()
    elif turn.yes is False:
        turn.set(detail=None)
        go_on(turn)
    else:
        forms.unclear(turn, go_on)


def _shown(kind: str, value: str) -> str:
    return sentences.phone(value) if kind == "phone" else value


def _leave(turn: Turn) -> None:
    turn.say("utter_fine")
