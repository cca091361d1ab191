"""What a visit would cost: the price for who pays alone, and for who has proved who they are what their plan says."""

from __future__ import annotations

import re

from actions import insurance, services
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import times
from scheduling_core.eligibility import answers, consequences, estimates, meaning, words

FORM = "cost_form"
"""Finds out who this is, and for which visit."""


def is_about_plan(turn: Turn) -> bool:
    """Whether the words ask what the patient's own plan makes of it, where only the price could be told to anybody."""
    low = plain(turn.text)
    return bool(_OF_PLAN.search(low)) or bool(_COST.search(low) and (turn.mentions.payers or _WITH_INSURANCE.search(low)))


_OF_PLAN = re.compile(
    r"\b"
    + either(
        r"co-?pays?(?:ment)?|deductible|co-?insurance|out[- ]of[- ]pocket (?:max\w*|limit)|covered",
        r"my (?:plan|coverage|benefits?)\b(?! (?:is|changed))",
        r"(?:will|would|does|do) (?:i|we|my insurance|it|they) (?:owe|pay|cover)\b",
        r"what(?:'?ll| will| would| do)? i (?:owe|pay)",
        r"copagos?|deducible|coseguro|de mi bolsillo|cubiert[oa]|cubre|mi plan",
    )
    + r"\b"
)
_COST = re.compile(r"\b" + either(r"costs?|price|how much|charge|pay|owe|expensive", r"cuesta|cuanto|precio|pagar|pago") + r"\b")
_WITH_INSURANCE = re.compile(r"(?<!without )(?<!no )(?<!sin )\b(?:insurance|seguro)\b")
_ALONE = re.compile(
    r"\b"
    + either(
        r"(?:without|w/o|w out|no|don'?t have|not have|not using) (?:any |an |my |health )*insurance",
        r"uninsured|self[- ]?pay|cash|myself|out[- ]of[- ]pocket(?! (?:max|limit))",
        r"sin seguro|no tengo seguro|de contado|por mi cuenta",
    )
    + r"\b"
)


def answer(turn: Turn) -> None:
    """What is asked about a price, told at once as far as it may be."""
    service = services.asked_about(turn)
    alone = bool(_ALONE.search(plain(turn.text)))
    if turn.known.patient and service and not alone:
        tell(turn, service.id)
        return
    if is_about_plan(turn) and not alone:
        turn.say("utter_copay_unknown")
        return
    if service is None:
        turn.say("utter_request_price_of_what")
        return
    price = turn.clinic.self_pay.price_list.get(service.id) if turn.clinic.self_pay.allowed else None
    if price is None:
        turn.say("utter_price_unknown", service=service.name)
    else:
        turn.say("utter_self_pay_price", service=service.name, price=f"{price:.2f}")


def leads_to_plan(turn: Turn) -> bool:
    """Outside of any task: a question about the own plan begins the form that finds out who this is."""
    return turn.known.on_file and is_about_plan(turn) and not _ALONE.search(plain(turn.text))


def tell(turn: Turn, service_id: str) -> None:
    """The obstacle that comes first, else the estimate; then the way to a time."""
    assert turn.known.patient
    who = turn.known.patient.id
    given = turn.mentions.practitioners or turn.slot("practitioners") or ()
    practitioner = given[0] if len(given) == 1 else None
    day = times.to_wall(times.now(), turn.clinic.zone).date()
    with turn.transaction() as session:
        waiting = consequences.before_estimate(
            session, turn.clinic, patient_id=who, service_id=service_id, agent=turn.agent, key=f"{turn.key}:cost"
        )
    if waiting:
        answers.wait(turn.database, waiting)  # what comes later is told when it is asked again
    with turn.transaction() as session:
        found = meaning.findings(session, turn.clinic, patient_id=who, service_id=service_id, practitioner_id=practitioner, on=day)
        estimate = estimates.for_patient(
            session,
            turn.clinic,
            patient_id=who,
            service_id=service_id,
            agent=turn.agent,
            practitioner_id=practitioner,
            on=day,
        )
    grave = [one for one in found if one.obstacle in _BEFORE_COST]
    turn.say_text(words.about(grave[0], turn.clinic, turn.language) if grave else words.cost(estimate, turn.clinic, turn.language))
    if estimate.payer_name is None:
        turn.say("utter_cost_without_plan")
        turn.set(proposed="coverage_form")
    elif turn.asked is None or turn.tracker.active_loop.get("name") == FORM:
        turn.say("utter_cost_book")
        turn.set(proposed="booking_form", also=service_id)
    stops = next((one for one in found if one.decision is meaning.Decision.STOP), None)
    if stops:
        insurance.ask_billing(turn, stops, "A patient asks what a visit costs, and the plan stands in the way")


_BEFORE_COST = frozenset(
    {
        meaning.Obstacle.INACTIVE,
        meaning.Obstacle.NOT_FOUND,
        meaning.Obstacle.UNANSWERED,
        meaning.Obstacle.NOT_COVERED,
    }
)
