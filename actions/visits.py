"""Visits on the books: which one is meant, and "when is my appointment"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from actions import facts, forms, identity, names, people, sentences, when
from actions.goals import form_meant
from actions.identity import Standing
from actions.turn import Turn, action
from scheduling_core import audit, booking
from scheduling_core.models import Appointment

FORM = "visits_form"
_NOT_ALL = re.compile(r"\b(?:not|but not|no) (?:all|both|everything|todas?)(?: of (?:them|my \w+))?", re.IGNORECASE)
_ALL = re.compile(r"\b(?:all|both|every|everything|each|todas?|todos?|ambas?|las dos)\b", re.IGNORECASE)


@action("validate_visits_form")
def validate(turn: Turn) -> None:
    if turn.asked is None and (other := form_meant(turn, FORM)) != FORM:
        turn.end(then=other)
        return
    forms.for_whom(turn)
    identity.take_up(turn)
    if forms.elsewhere(turn, FORM, answered=identity_answered(turn), again=show, leave=leave):
        return
    if turn.asked and not identity_answered(turn):
        forms.unclear(turn, show)
        return
    show(turn)


def show(turn: Turn) -> None:
    """Settle who this is, then tell the visits."""
    if not on_file(turn):
        return
    visits = upcoming(turn)
    if not visits:
        turn.say("utter_no_visits")
    elif len(visits) == 1:
        turn.say("utter_one_visit", visit=sentences.visit(turn, visits[0]))
    else:
        turn.say("utter_visits", visits=sentences.numbered([sentences.visit_short(turn, visit) for visit in visits[:5]]))
    turn.end()


def leave(turn: Turn) -> None:
    turn.say("utter_fine")


def identity_answered(turn: Turn) -> bool:
    """Whether the words answer a question about who this is."""
    return turn.asked in identity.PLACEHOLDERS and identity.answered(turn)


def on_file(turn: Turn) -> bool:
    """Whether it is settled that this is a patient on file; else a question or a sentence has been said."""
    standing = identity.standing(turn)
    if standing is Standing.NEW:
        people.ask_team(
            turn,
            team="desk",
            reason="not-on-file",
            description="Somebody asks about a visit, but name and birth date are not on file.",
        )
        turn.say("utter_not_on_file")
        turn.set(proposed="booking_form")
        turn.end()
    return standing is Standing.KNOWN


def upcoming(turn: Turn) -> list[Appointment]:
    """The patient's coming visits, by start; the reading is audited."""
    assert turn.known.patient
    with turn.transaction() as session:
        visits = booking.upcoming(session, patient_id=turn.known.patient.id)
        audit.record(session, agent=turn.agent, action="R", entity="Appointment", patient_id=turn.known.patient.id)
    return visits


def meant(turn: Turn, visits: Sequence[Appointment], *, listed: bool) -> list[Appointment]:
    """The visits that the words name: all of them, by number of the list that was shown, by service, practitioner or day."""
    if len(visits) <= 1:
        return list(visits)
    text = _NOT_ALL.sub(" ", _own_words(turn))
    if _ALL.search(text) and re.search(
        r"\b(?:appointments|visits|citas|them|both|everything|all|todas|todo|ambas|las dos)\b", text, re.IGNORECASE
    ):
        return list(visits)
    if listed and (number := facts.choice(turn.text, len(visits))):
        return [visits[number - 1]]
    found = list(visits)
    for test in _tests(turn, text):
        narrowed = [visit for visit in found if test(visit)]
        found = narrowed or found
    return found if len(found) < len(visits) else []


def _tests(turn: Turn, text: str) -> list[Callable[[Appointment], bool]]:
    """What the words say of a visit; "not the shot" is no word for it."""
    kept = re.sub(r"(?i)\b(?:not|but not|no) (?:the |my |el |la |mi )?[\w' -]+?(?=[,.;!?]|$)", " ", text)
    said = names.mentioned(turn.clinic, kept)
    tests: list[Callable[[Appointment], bool]] = []
    if said.services:
        tests.append(lambda visit: visit.service_id in said.services)
    reading = when.read(kept, turn.now, hours=turn.open_hours, language=turn.language)
    if reading and reading.wish and reading.wish.names_days and not reading.question:
        tests.append(lambda visit: visit.start is not None and reading.wish.allows_day(turn.local(visit.start).date()))
    if said.practitioners:
        tests.append(lambda visit: visit.practitioner_id in said.practitioners)
    return tests


def _own_words(turn: Turn) -> str:
    """The words that started the task, while they are the only ones that named a visit."""
    return turn.text if turn.asked in ("visit", "confirm") else f"{turn.slot('opening') or ''} {turn.text}".strip()


def ask_which(turn: Turn, visits: Sequence[Appointment]) -> None:
    turn.say("utter_which_visit", visits=sentences.numbered([sentences.visit_short(turn, visit) for visit in visits[:5]]))
    turn.ask("visit")
