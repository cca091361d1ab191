"""What was asked helps to read the answer: at "What is your birth date?" a bare number is the birth date.

Three readings of the same ranking, in this order:
1. bare answers: at a question whose answer may be one word, what has the shape of an answer and no strong other wish is that answer;
2. doubled meanings: "yes" to an offer selects it, "the second" at a yes-or-no question is no yes;
3. a lead: the answers that fit the question count LEAD times as much, so a digression or a new wish must be clearly stronger.
"""

import re
from collections.abc import Mapping, Sequence

from components.embedding import plain

Ranking = list[tuple[str, float]]

LEAD = 4.0
# A bare answer loses only to a reading that is as sure as this.
SURE = 0.85

_FACTS = ("inform", "dont_know", "no_preference", "wrong_correction")
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
    "insurer": (*_FACTS, "insurance", "insurance_change", "deny"),
    "member_id": _FACTS,
    "need": ("inform", "needs", "affirm", "deny"),
    "detail": (*_FACTS, "update_details"),
    "waitlist": (*_YES_OR_NO, "join_waitlist"),
}

# Questions that a few words answer which say nothing by themselves: names, numbers, dates, addresses.
_BARE = frozenset({"person", "birth_date", "name", "insurer", "member_id", "detail"})

# What "yes" or "the second one" is at a question of the other kind.
_DOUBLED: Mapping[str, Mapping[str, str]] = {
    "choice": {"affirm": "select", "confirm_visit": "select"},
    "visit": {"affirm": "select"},
    "confirm": {"select": "affirm", "confirm_visit": "affirm", "thank": "affirm", "goodbye": "deny"},
    "waitlist": {"select": "affirm", "join_waitlist": "affirm", "confirm_visit": "affirm"},
    "new_patient": {"select": "affirm", "confirm_visit": "affirm"},
}

_ORDINALS = "first|second|third|fourth|last|middle|later|latest|earlier|earliest|primer[oa]?|segund[oa]|tercer[oa]?|últim[oa]|ultim[oa]"
_PICK = re.compile(
    rf"(?:(?:option|number|the|la|el|opción|opcion|número|numero|#|a las|las|at) *)*"
    rf"(?:[1-9]|one|two|three|un[oa]|dos|tres|{_ORDINALS}|\d{{1,2}}[:.]\d\d|\d{{1,2}} *(?:[ap]\.?m\.?|o'?clock))"
    r"(?: *(?:[ap]\.?m\.?|one|please|por favor|works|is (?:good|fine)))*[.!]?"
)
_ASKS = re.compile(r"\?|^(?:can|could|do|does|is|are|what|when|where|which|who|how|why|will|cu[aá]ndo|qu[eé]|d[oó]nde|c[oó]mo|cu[aá]nto)\b")
_CANCEL_IT = re.compile(r"(?:(?:ok|no|yes|actually|please|just|mejor|mejor ya|s[ií]|solo|nomás)[ ,]*)*"
                        r"(?:cancel(?: it| that| this| them)?|canc[eé]l(?:a|e|ala|ela|elo|alo))(?:[ ,]*(?:please|instead|then|por favor))*[.!]?")


def read(ranking: Ranking, text: str, asked: str | None, form: str | None) -> Ranking:
    """The ranking as the question makes it: `asked` is the slot asked for, `form` the form that asks. Best first, sum 1 again.

    With nothing asked the ranking stays, but for a bare "cancel it": that cancels the visit spoken of, save while a new one is
    being booked, where it means to stop.
    """
    weights = dict(ranking)
    text = plain(text)
    if _CANCEL_IT.fullmatch(text) and not (form or "").startswith("book"):
        return _first("cancel_appointment", weights)
    answers = ANSWERS.get(asked or "")
    if answers is None:
        return ranking
    for said, meant in _DOUBLED.get(asked or "", {}).items():
        if said in weights:
            weights[meant] = weights.get(meant, 0.0) + weights[said]
            weights[said] = 0.0
    if asked in ("choice", "visit") and _PICK.fullmatch(text):
        return _first("select", weights)
    best = max(weights, key=lambda intent: weights[intent])
    if asked in _BARE and best not in answers and weights[best] < SURE and _could_be_a_fact(text):
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
