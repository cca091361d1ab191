"""What was asked helps to read the answer: at "What is your birth date?" a bare number is the birth date.

Three readings of the same ranking, in this order:
1. doubled meanings: "yes" to an offer selects it, "that one" at a yes-or-no question is yes, "anything on Friday?" tells the time;
2. bare answers: at a question for a name or a number, what has the shape of an answer and is no strong other wish is that answer;
3. a lead: the answers that fit the question count LEAD times as much, so a digression or a new wish must be clearly stronger.
"""

import re
from collections.abc import Mapping, Sequence

from components.words import plain

Ranking = list[tuple[str, float]]

EMERGENCY = "emergency"
LEAD = 4.0
# A bare answer loses only to a reading that is as sure as this.
SURE = 0.85

_FACTS = ("inform", "dont_know", "no_preference", "wrong_correction", "deny")
_YES_OR_NO = ("affirm", "deny", "wrong_correction", "maybe")

# Question (the slot asked for): the intents that answer it.
ANSWERS: Mapping[str, Sequence[str]] = {
    "service": ("inform", "book_appointment", "dont_know", "no_preference"),
    "person": _FACTS,
    "birth_date": _FACTS,
    "name": _FACTS,
    "new_patient": ("affirm", "deny", "inform", "mention_existing", "dont_know"),
    "time": ("inform", "no_preference", "check_availability", "dont_know"),
    "choice": ("select", "request_alternatives", "no_preference", "inform", "deny", "join_waitlist"),
    "confirm": _YES_OR_NO,
    "visit": ("inform", "select", "no_preference", "dont_know"),
    "insurer": (*_FACTS, "insurance", "insurance_change"),
    "member_id": _FACTS,
    "need": ("inform", "needs", "affirm", "deny"),
    "detail": (*_FACTS, "update_details"),
    "waitlist": (*_YES_OR_NO, "join_waitlist"),
}

# Questions that a few words answer which say nothing by themselves: names, numbers, dates, addresses.
_BARE = frozenset({"person", "birth_date", "name", "insurer", "member_id", "detail"})

# What "yes", "the second one" or "anything on Friday?" is at a question of another kind.
_DOUBLED: Mapping[str, Mapping[str, str]] = {
    "time": {"check_availability": "inform", "request_alternatives": "inform", "confirm_visit": "inform"},
    "choice": {"affirm": "select", "confirm_visit": "select", "check_availability": "request_alternatives"},
    "visit": {"affirm": "select"},
    "confirm": {"select": "affirm", "confirm_visit": "affirm"},
    "waitlist": {"select": "affirm", "join_waitlist": "affirm", "confirm_visit": "affirm"},
    "new_patient": {"select": "affirm", "confirm_visit": "affirm", "wrong_correction": "deny", "wrong_number": "deny"},
}

# "Can we do Friday instead?" while a time is being found: another time for this one, not another errand.
_ANOTHER_TIME: Mapping[str, str] = {"time": "inform", "choice": "request_alternatives", "confirm": "wrong_correction"}
_FINDS_A_TIME = re.compile(r"book|resched|move")
_A_VISIT_ON_THE_BOOKS = re.compile(r"\b(?:my|our|his|her|the|mi|la) (?:\w+ )?(?:appointment|appt|visit|cita)\b")

_ORDINALS = (
    "first|second|third|fourth|last|middle|later|latest|earlier|earliest|primer[oa]?|segund[oa]|tercer[oa]?|últim[oa]|ultim[oa]"
)
_PICK = re.compile(
    rf"(?:(?:option|number|the|la de|el de|la|el|opción|opcion|número|numero|#|a las|las|at) *)*"
    rf"(?:[1-9]|one|two|three|un[oa]|dos|tres|{_ORDINALS}|\d{{1,2}}[:.]\d\d|\d{{1,2}} *(?:[ap]\.?m\.?|o'?clock))"
    r"(?: *(?:[ap]\.?m\.?|one|please|por favor|works|is (?:good|fine)))*[.!]?"
)
_ASKS = re.compile(
    r"\?|^(?:can|could|do|does|is|are|what|when|where|which|who|how|why|will|cu[aá]ndo|qu[eé]|d[oó]nde|c[oó]mo|cu[aá]nto)\b"
)
_CANCEL_IT = re.compile(
    r"(?:(?:ok|no|yes|actually|please|just|mejor|mejor ya|s[ií]|solo|nomás)[ ,]*)*"
    r"(?:cancel(?: it| that| this| them)?|canc[eé]l(?:a|e|ala|ela|elo|alo))(?:[ ,]*(?:please|instead|then|por favor))*[.!]?"
)


def read(ranking: Ranking, text: str, asked: str | None, form: str | None) -> Ranking:
    """The ranking as the question makes it: `asked` is the slot asked for, `form` the form that asks. Best first, sum 1 again.

    With nothing asked the ranking stays, but for a bare "cancel it": that cancels the visit spoken of, save while a new one is
    being booked, where it means to stop.
    """
    if ranking[0][0] == EMERGENCY:
        return ranking
    weights = dict(ranking)
    text = plain(text)
    if _CANCEL_IT.fullmatch(text) and not (form or "").startswith("book"):
        return _first("cancel_appointment", weights)
    answers = ANSWERS.get(asked or "")
    if answers is None:
        return ranking
    doubled = dict(_DOUBLED.get(asked or "", {}))
    if asked in _ANOTHER_TIME and _FINDS_A_TIME.search(form or "") and not _A_VISIT_ON_THE_BOOKS.search(text):
        doubled["reschedule_appointment"] = _ANOTHER_TIME[asked]
    for said, meant in doubled.items():
        weights[meant] = weights.get(meant, 0.0) + weights.pop(said, 0.0)
    if asked in ("choice", "visit") and _PICK.fullmatch(text):
        return _first("select", weights)
    best = max(weights, key=lambda intent: weights[intent])
    # To who does not know the name, a name is gibberish: however sure "out of scope" is, it says nothing here.
    if asked in _BARE and best not in answers and (weights[best] < SURE or best == "out_of_scope") and _could_be_a_fact(text):
        return _first("inform", weights)
    return _sorted({intent: weight * (LEAD if intent in answers else 1.0) for intent, weight in weights.items()})


def _could_be_a_fact(text: str) -> bool:
    """Short, no question, and with a number in it or nothing but a name's few words."""
    words = text.split()
    return not _ASKS.search(text) and (len(words) <= 3 or (len(words) <= 12 and any(letter.isdigit() for letter in text)))


def _first(intent: str, weights: Mapping[str, float]) -> Ranking:
    """`intent` made the best by as much as it lacks."""
    lead = max(weights.values(), default=0.0)
    return _sorted({**weights, intent: max(lead, SURE) + weights.get(intent, 0.0)})


def _sorted(weights: Mapping[str, float]) -> Ranking:
    total = sum(weights.values()) or 1.0
    return sorted(((intent, weight / total) for intent, weight in weights.items()), key=lambda entry: -entry[1])
