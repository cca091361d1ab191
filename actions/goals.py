"""Which task a sentence wants, where its intent alone does not settle it."""

from __future__ import annotations

import re

from actions import facts
from actions.turn import Turn
from actions.words import either, plain

GOALS = {
    "book_appointment": "booking_form",
    "reschedule_appointment": "reschedule_form",
    "cancel_appointment": "cancel_form",
    "check_appointment": "visits_form",
    "insurance_change": "coverage_form",
    "insurance_proof": "coverage_form",
    "update_details": "details_form",
}
FIRM = 0.75  # a form is left for another goal only when the sentence surely has that goal


def form_meant(turn: Turn, form: str) -> str:
    """The form that a task's first words mean, where their shape tells it better than the first reading does.

    Only a form that is among the likely readings is chosen instead.
    """
    low = plain(turn.text)
    if _CANCELS.search(low) and not _ANOTHER_TIME.search(low):
        return GOALS["cancel_appointment"]
    for intent, pattern in _SHAPES.items():
        if GOALS[intent] != form and turn.best_of([intent])[1] >= _POSSIBLE and pattern.search(low):
            return GOALS[intent]
    return form


_POSSIBLE = 0.08
_VISIT = either("appt|appointment|visit|checkup|check-up|physical|follow[- ]?up", "cita")
_CANCELS = re.compile(
    r"(?<!\bnot )(?<!n't )\b"
    + either(
        rf"(?:cancel|cancle|scratch|scrap|nix|call off)\w* (?:my|our|his|her|the) (?:\w+ ){{0,3}}?(?:{_VISIT}|exam|shot|labs?)",
        r"cancel[ea]r? (?:mi|la|su) (?:\w+ ){0,2}?cita",
    )
    + r"\b(?! (?:policy|fee))"
)
_ANOTHER_TIME = re.compile(
    r"\b"
    + either(
        r"re-?sched\w*|re-?book\w*|move|another|other|instead|later|new (?:one|time|appointment)",
        r"if|fee|policy|how|what|can i still",
        "otro|otra|mover|cambiar|si",
    )
    + r"\b"
)
_SHAPES = {
    "book_appointment": re.compile(
        r"^(?!.*\b(?:mov|resched|chang|push|switch|instead|another|different|earlier|later|cancel))"
        rf".*\b(?:want|need|would like|'d like|give me|get me) (?:my|a|an) (?:\w+ ){{0,2}}{_VISIT}\b"
        r".*\b(?:with|on|any|next|this|tomorrow)\b"
    ),
    "reschedule_appointment": re.compile(
        r"\b"
        + either(
            rf"my (?:\w+ )?{_VISIT}\b.{{0,20}}\b(?:go|be|put|moved?|switched|changed?) (?:to|on|for|up|back)",
            rf"my (?:\w+ )?{_VISIT}\b be (?:an? |by |on |over )?(?:video|virtual|phone|tele\w*|online|in person)",
            r"(?:another|different|other|new) (?:date|day|time|slot)\b.{0,20}\bfor (?:my|our|the)",
            rf"my (?:\w+ )?{_VISIT}\b.*\binstead",
            r"mi cita\b.*\b(?:otro dia|otra hora)",
        )
        + r"\b"
    ),
    "check_appointment": re.compile(
        r"\b"
        + either(
            r"(?:when|what (?:time|day))\b.{0,12}\b(?:i|we|he|she)(?:'?m)? (?:come|comes|am|is|are|go|going|coming|supposed|due)",
            r"remind me (?:when|what|of)",
        )
        + r"\b"
    ),
}


def wants_to_book(turn: Turn) -> bool:
    """The words name a visit and wish for it, whatever else they were taken for."""
    if not (turn.mentions.services or turn.mentions.complaint or facts.says_new(turn.text)):
        return False
    low = plain(turn.text)
    if turn.intent in ("find_provider", "ask_video"):
        return bool(turn.mentions.services) or bool(_WISHES_FOR_VISIT.search(low))
    if turn.intent in (
        "ask_prep",
        "ask_cost",
        "insurance",
        "ask_hours",
        "ask_location",
        "ask_parking",
        "ask_clinic",
        "request_info",
        "billing",
    ):
        return False
    return turn.confidence < FIRM and not _ASKS_TO_KNOW.search(low)


def names_a_visit(turn: Turn) -> bool:
    """Words that can only be about a new visit: what it is for, with whom, or that one is wanted."""
    said = turn.mentions
    return bool(
        said.services or said.complaint or said.practitioners or facts.says_new(turn.text) or _NEW_VISIT.search(plain(turn.text))
    )


_NEW_VISIT = re.compile(
    r"\b(?:an? |need |want |make |book |new )?(?<!my )(?:appt|appointment|cita)\b(?! (?:is|was|on|at|today|tomorrow))"
)
_WISHES_FOR_VISIT = re.compile(r"\b(?:appointment|appt|visit|see|book|schedule|come in|cita|consulta|ver a)\b")
_ASKS_TO_KNOW = re.compile(r"^\W*(?:what|how|why|which|do i|should i|can i take|is it|are there|does|que|como|por que|cual|debo)\b")
