"""The answer to the question of a plan: may your visit go to another time? In free words, by the number that we asked."""

from __future__ import annotations

import re
from typing import Literal

from actions import facts, sentences, when
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import plans, sending
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, MoveStatus, Plan, PlanKind, PlanMove

FORM = "reschedule_form"  # where another time is found

_Said = Literal["agrees", "declines", "other"]


def named(turn: Turn) -> Appointment | None:
    """The visit that our last message to this number asked to move."""
    if (asked := _asked(turn)) is None:
        return None
    with turn.database.reading() as session:
        return plans.visit(session, asked[1].appointment_id)


def answer(turn: Turn) -> bool:
    """Take the words for the answer to a plan's question; False when none is open, or they say something else.

    Yes and no count at once, for the visit that we named. Where another time is wished for, `followup` is the form that finds it;
    the time of the plan stays kept meanwhile.
    """
    with turn.database.reading() as session:
        done = plans.answered_in(session, key=_key(turn))
    if done:
        _say_what_became(turn, *done)
        return True
    if (asked := _asked(turn)) is None:
        return False
    plan, move = asked
    new = plans.time_from_json(move.new or {})
    if _WHY.search(plain(turn.text)) and not turn.means("ask_for_human"):
        _say_why(turn, plan, plans.time_from_json(move.old), new)
        return True
    said = _said(turn, new)
    if said is None:
        return False
    if said == "other":
        turn.set(visits=[move.appointment_id])
        turn.followup = FORM
        return True
    try:
        with turn.transaction() as session:
            move = plans.answer(
                session,
                turn.clinic,
                plan_id=plan.id,
                number=move.number,
                agrees=said == "agrees",
                agent=turn.agent,
                key=_key(turn),
            )
    except SchedulingError:
        return False  # the plan was given up, or the visit moved, between the question and this answer
    _say_what_became(turn, plan, move)
    return True


def words_of_wish(text: str) -> str:
    """The words without what they refuse: of "Friday is bad, next week?" the second half."""
    parts = [part for part in _BREAKS.split(text) if part.strip()]
    kept = [_NO.sub("", part.strip()) for part in parts if not _REFUSES.search(plain(part))]
    return " ".join(part for part in kept if part)


def _asked(turn: Turn) -> tuple[Plan, PlanMove] | None:
    """The open question, where it is the last thing that the clinic wrote to this number by itself."""
    with turn.database.reading() as session:
        found = plans.asked_last(session, phone=turn.known.phone)
        last = sending.last_said(session, phone=turn.known.phone, kinds=sending.STARTED_BY_US)
    if found is None or last is None or last.idempotency_key != sending.plan_key(found[0].id, found[1].number):
        return None
    return found


def _said(turn: Turn, new: FreeTime) -> _Said | None:
    said = turn.mentions
    if (
        said.services
        or said.complaint
        or facts.says_new(turn.text)
        or turn.means("ask_for_human", "cancel_appointment", "complaint")
    ):
        return None
    if turn.slot("proposed") and turn.yes is not None:
        return None  # it answers what the assistant itself has just asked
    low = plain(turn.text)
    agrees = bool(turn.yes or _NO_PROBLEM.search(low) or (_FINE.search(low) and not _asks_more(turn)))
    refuses = not _NO_PROBLEM.search(low) and (turn.yes is False or bool(_REFUSES.search(low)))
    wished = _wish(turn, words_of_wish(turn.text) if refuses else turn.text, new)
    if wished is None and refuses and (whole := _wish(turn, turn.text, new)) and (whole.except_hours or whole.except_weekdays):
        return "other"  # "no mornings"
    if wished is not None:
        fits = wished.allows(turn.local(new.start))
        if fits and not refuses and (agrees or (_names(wished) and not _asks_more(turn))):
            return "agrees"
        return "other" if not fits or refuses else None
    if refuses or turn.means("stop"):
        return "declines"
    if agrees:
        return "agrees"
    return "other" if turn.means("request_alternatives", "reschedule_appointment") else None


def _wish(turn: Turn, text: str, new: FreeTime) -> when.TimeWish | None:
    start = turn.local(new.start)
    reading = when.read(text, turn.now, hours=turn.open_hours, anchor=start, offered=(start,), language=turn.language)
    return reading.wish if reading and reading.wish and not reading.question else None


def _names(wished: when.TimeWish) -> bool:
    """Whether a day or an hour is named outright: "9:20 then" is an answer, "in the morning" is not yet one."""
    return bool(wished.at or (wished.first_day and wished.first_day == wished.last_day))


def _asks_more(turn: Turn) -> bool:
    return turn.is_question or facts.wavers(turn.text)


def _say_what_became(turn: Turn, plan: Plan, move: PlanMove) -> None:
    old, new = plans.time_from_json(move.old), plans.time_from_json(move.new or {})
    if move.status is MoveStatus.MOVED:
        turn.say(
            "utter_plan_moved",
            when=sentences.start(turn, new.start),
            whom=sentences.with_whom(turn, new.practitioner_id),
            where=sentences.where(turn, new.location_id, new.mode),
        )
    elif move.status is MoveStatus.AGREED:
        turn.say("utter_plan_agreed", when=sentences.start(turn, new.start), old=sentences.start(turn, old.start))
    elif plan.kind is PlanKind.URGENT:
        turn.say("utter_plan_kept", old=sentences.start(turn, old.start))
    else:
        turn.say("utter_plan_declined" if move.status is MoveStatus.DECLINED else "utter_plan_time_gone")
        turn.set(visits=[move.appointment_id])
        turn.followup = FORM


def _say_why(turn: Turn, plan: Plan, old: FreeTime, new: FreeTime) -> None:
    when_ = sentences.start(turn, new.start)
    if plan.kind is PlanKind.URGENT:
        turn.say("utter_plan_why_urgent", when=when_)
    else:
        place = turn.clinic.locations_by_id.get(old.location_id)
        out = sentences.practitioner(turn, old.practitioner_id) if plan.need["practitioners"] or not place else place.name
        turn.say("utter_plan_why_out", who=out, when=when_)


def _key(turn: Turn) -> str:
    return f"{turn.key}:plan"


_BREAKS = re.compile(r"[,;!?¿¡\n]+|[.](?!\d)|\b(?:but|pero)\b", re.IGNORECASE)
_NO = re.compile(r"(?i)^(?:oh |ay )?(?:no+|nope|sorry|lo siento|perd[oó]n)\b\W*")
_REFUSES = re.compile(
    r"\b"
    + either(
        r"is (?:bad|no good|not good|out|impossible)|(?:doesn'?t|does not|won'?t) (?:work|suit|do)|not possible|out of town",
        r"(?:can'?t|cannot|can not|won'?t be able|not able|unable)\b|(?:i'?m|i am|we'?re|we are) (?:away|out|busy|working)",
        r"(?:rather|prefer to) (?:keep|stay|not)|keep (?:my|the) (?:time|visit|appointment|day)",
        r"no (?:puedo|podre|podria|podemos|me (?:sirve|viene|queda|va|conviene))|me queda mal|imposible|estoy (?:ocupad[oa]|fuera)",
        r"prefiero (?:quedarme|dejarla|no)|trabajo ese dia",
    )
)
_FINE = re.compile(
    r"\b"
    + either(
        r"(?:that|this|it|which|the new|\d)(?: \w+){0,2} (?:works|suits|(?:will|would) (?:do|work))",
        r"(?:that|this|it|which|the new|\d)(?: \w+){0,2} is (?:fine|good|great|ok|okay|perfect|better)",
        r"i can (?:do|make) (?:that|it|this)|see you (?:then|there)|i'?ll be there|works|happy to|sounds good|go ahead|fine|suits",
        r"(?:me|nos) (?:sirve|viene|queda|va) bien|puedo ese dia|ahi (?:estare|estaremos)|nos vemos",
    )
    + r"\b"
)
_NO_PROBLEM = re.compile(
    r"\b"
    + either(
        r"no (?:problem|worries)|(?:yes|yeah|yep|ok|okay|sure|please)\W(?:\w+\W){0,2}(?:move|change|switch) (?:it|my visit)",
        r"(?:no hay|sin|ningun) problema|(?:si|claro|ok|vale)\W(?:\w+\W){0,2}(?:cambiela|muevala|cambieme|cambie)",
    )
    + r"\b"
)
_WHY = re.compile(r"^\W*(?:but |and |y |pero )?(?:why|how come|what happened|what for|por ?que|que paso|como asi|a que se debe)\b")
