"""Taking down a patient's insurance, read back before it is written."""

from __future__ import annotations

import re

from actions import facts, forms, identity, people, visits
from actions.facts.ordinary import ORDINARY
from actions.facts.relations import RELATIVE
from actions.turn import Turn, action
from actions.words import either, listed, straight
from scheduling_core import coverage
from scheduling_core.eligibility import good_faith

FORM = "coverage_form"
WITHOUT_NUMBER = ""
"""In the place of the member ID: the patient has none at hand."""


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
    number = turn.slot("member_id")
    if not turn.slot("insurer"):
        if turn.asked != "insurer":
            forms.understood(turn)
        turn.say("utter_request_insurer" if turn.asked != "insurer" else "utter_request_insurer_again")
        turn.ask("insurer")
    elif number is None:
        turn.say("utter_request_member_id" if turn.asked != "member_id" else "utter_request_member_id_again", insurer=_name(turn))
        turn.ask("member_id")
    else:
        response = "utter_confirm_coverage" if number != WITHOUT_NUMBER else "utter_confirm_coverage_without"
        turn.say(response, insurer=_name(turn), member_id=_spelled(turn, number), more=_more(turn))
        if number and coverage.doubts_member_id(turn.clinic, turn.slot("insurer"), number):
            turn.say("utter_member_id_unusual", insurer=_name(turn))
        turn.ask("confirm")


def _answers(turn: Turn) -> bool:
    if turn.asked == "insurer":
        return bool(turn.mentions.payers) or _has_none(turn.text) or _leaves_out(turn.text)
    if turn.asked == "member_id":
        return facts.member_id(turn.text, asked=True) is not None or _leaves_out(turn.text)
    return turn.asked == "confirm" and (turn.yes is not None or _corrected_number(turn) is not None)


def _has_enough(turn: Turn) -> bool:
    """After a booking the insurance is only offered to be told: thanks or goodbye ends it."""
    if turn.asked in ("insurer", "member_id") and turn.means("thank", "goodbye", "deny", "stop") and not _answers(turn):
        turn.say("utter_fine")
        turn.end()
        return True
    return False


def _hear_more(turn: Turn) -> bool:
    """What is told in passing: the group, whose insurance it is, that it is the second one. True when something is."""
    told = {name: value for name, value in _told(turn.text).items() if value}
    if not told:
        return False
    turn.set(coverage_more={**(turn.slot("coverage_more") or {}), **told})
    return True


def _told(text: str) -> dict[str, str | bool | None]:
    return {"group": facts.group_number(text), "relationship": facts.relationship(text), "second": facts.is_second(text)}


def _more(turn: Turn) -> str:
    """ ", group 5567, through your spouse"."""
    told, spanish = turn.slot("coverage_more") or {}, turn.language == "es"
    parts = [f"{'grupo' if spanish else 'group'} {told['group']}"] if told.get("group") else []
    if told.get("relationship"):
        parts.append(_THROUGH[told["relationship"]][spanish])
    if told.get("second"):
        parts.append("como segundo seguro" if spanish else "as your second insurance")
    return "".join(f", {part}" for part in parts)


_THROUGH = {
    "spouse": ("through your spouse", "por su cónyuge"),
    "child": ("through your parent", "por su madre o padre"),
}


def _hear(turn: Turn) -> bool:
    """Keep what was said; False when the form is over or the question was said again."""
    _hear_more(turn)
    if said := turn.mentions.payers:
        turn.set(insurer=said[0])
    elif turn.asked == "insurer" and not _hear_unlisted(turn):
        return False
    if turn.asked == "member_id":
        found = facts.member_id(turn.text, asked=True)
        turn.set(member_id=WITHOUT_NUMBER if found is None and _leaves_out(turn.text) else found)
    elif turn.asked in (None, "insurer") and (found := facts.member_id(turn.text, asked=False)):
        turn.set(member_id=found)
    return True


def _hear_unlisted(turn: Turn) -> bool:
    """The answer to the question for the insurer, where it names none of the clinic's; False when no insurer is kept."""
    if _has_none(turn.text):
        _note_none(turn)
        turn.say("utter_no_insurance")
        turn.end()
    elif payer := _payer(turn):
        turn.set(insurer=payer)
        return True
    elif _leaves_out(turn.text) or turn.slot("unclear"):
        turn.say("utter_insurance_skipped")
        turn.end()
    else:
        turn.set(unclear=1)
        turn.say("utter_request_insurer_again")
    return False


def _note_none(turn: Turn) -> None:
    """Who pays alone is due an estimate of each visit ahead. An insurance on file is never ended by a single "none"."""
    if turn.known.patient is None:
        return
    with turn.transaction() as session:
        if not coverage.active(session, patient_id=turn.known.patient.id):
            good_faith.for_visits_ahead(session, turn.clinic, patient_id=turn.known.patient.id)


_NONE = re.compile(
    r"\b"
    + either(
        r"none|no (?:health |medical )?(?:insurance|coverage)|(?:not|un)[ -]?insured|self[ -]?pay|cash",
        r"(?:i'll|i will|i|we) pay|pay(?:ing)? (?:myself|cash|out of pocket)",
        r"(?:don'?t|do not) have (?:any|one|(?:an? )?(?:health |medical )?(?:insurance|coverage))(?! (?:card|id|number|info))",
        r"ningun[oa]?|sin seguro|no t\w{2,4}o(?: (?:ningun )?s\w{3,5}o)?\W*$|pago yo|por mi cuenta",
    )
    + r"\b"
)
_NOT_AT_HAND = re.compile(
    r"\b"
    + either(
        r"no (?:member )?(?:id|card|number)|(?:don'?t|do not|haven'?t|can'?t) (?:have|got|find|know|remember|see)",
        r"not (?:with me|here|on me|handy)|(?:at|left (?:it |my card )?(?:at )?)home|lost (?:it|my card)",
        r"no (?:(?:la|lo|me) )?(?:tengo|traigo|encuentro|se|recuerdo|acuerdo)|en (?:mi )?casa|perdi",
    )
    + r"\b"
)


def _has_none(text: str) -> bool:
    """ "I have none": the patient pays."""
    return bool(_NONE.search(straight(text)))


def _leaves_out(text: str) -> bool:
    """ "Skip", "I don't have it with me"."""
    return facts.skips(text) or bool(_NOT_AT_HAND.search(straight(text)))


_BEFORE_PAYER = re.compile(
    r"^.*\b(?:insurance|seguro)\b.*?\b(?:is|es|with|con)\b\W*(?:(?:now|ahora|called)\b\W*)*"
    r"|^(?:"
    + either(
        r"no|ok|okay|so|um+|well|oh|hi|sorry|actually|it'?s|it is|i have|we have|i'?ve got|i got|i'?m with|we'?re with|i'?m on",
        r"under|through|with|called|now|my|our|new|insurance is",
        r"es|tengo|tenemos|estoy con|con|se llama|ahora|mi|nuevo",
    )
    + r"\b\W*)+"
)
_AFTER_PAYER = re.compile(
    r"\W*\b(?:" + either("member|id|number|policy|group", "numero|miembro|poliza|grupo") + r")\b.*$"
    r"|\W*(?:\b" + either("now|please|thanks|thank you|i think", "ahora|por favor|gracias|creo") + r"\b\W*)+$"
    r"|\W*\b[a-z]*\d.*$"
)
_OF_PERSONS = listed("i he she they we you me him her them us my your his their yo ella ellos usted conmigo")
_INSURANCE = re.compile(r"\b(?:insurance|seguros?)\b")


def _payer(turn: Turn) -> str | None:
    """The name of a payer that the clinic's list has not, in the answer to the question for it."""
    if turn.is_question or turn.yes is True:
        return None
    low = straight(turn.text)  # every character keeps its place
    lead = _BEFORE_PAYER.match(low)
    begin = lead.end() if lead else 0
    tail = _AFTER_PAYER.search(low, begin)
    name = turn.text[begin : tail.start() if tail else None].strip(" .,!:")
    words = straight(name).split()
    ordinary = all(word in ORDINARY for word in words)
    of_persons = any(word in _OF_PERSONS or re.fullmatch(RELATIVE, word) for word in words)
    too_long = len(words) > (9 if _INSURANCE.search(low) else 5)
    return None if ordinary or of_persons or too_long or not re.search(r"[^\W\d]{3}", name) else name[:200]


def _after_read_back(turn: Turn) -> None:
    more = _hear_more(turn)
    corrected = None if more else _corrected_number(turn)
    if corrected:
        turn.set(member_id=corrected)
    elif more and turn.yes is not True:
        pass  # said again with what is new
    elif turn.yes is True and turn.known.patient:
        _save(turn)
        return
    elif turn.mentions.payers:
        turn.set(insurer=turn.mentions.payers[0])
    elif turn.yes is False and _INSTEAD.match(straight(turn.text)) and (payer := _payer(turn)):
        turn.set(insurer=payer)
    elif turn.yes is False:
        listed_payer = turn.slot("insurer") in turn.clinic.payers_by_id
        turn.set(member_id=None, insurer=turn.slot("insurer") if listed_payer else None)
    else:
        forms.unclear(turn, go_on)
        return
    go_on(turn)


_INSTEAD = re.compile(r"no\W+(?:sorry\W+|perdon\W+)?(?:it'?s|it is|i have|es|tengo)\b")


def _corrected_number(turn: Turn) -> str | None:
    """Another member number than the one that was read back."""
    found = facts.member_id(turn.text, asked=turn.yes is not True)
    return found if turn.asked == "confirm" and found != turn.slot("member_id") else None


def _save(turn: Turn) -> None:
    assert turn.known.patient
    payer = turn.clinic.payers_by_id.get(turn.slot("insurer"))
    number = turn.slot("member_id")
    told = turn.slot("coverage_more") or {}
    with turn.transaction() as session:
        coverage.record(
            session,
            patient_id=turn.known.patient.id,
            payer_id=payer.id if payer else None,
            payer_name=_name(turn),
            subscriber_id=number or None,
            group_number=told.get("group"),
            relationship=told.get("relationship") or "self",
            rank=2 if told.get("second") else 1,
            agent=turn.agent,
            key=f"{turn.key}:coverage",
        )
    turn.say("utter_coverage_saved" if payer else "utter_coverage_saved_unknown", insurer=_name(turn))
    if number == WITHOUT_NUMBER:
        people.ask_team(
            turn,
            team="billing",
            reason="member-id-missing",
            description=f"A patient has {_name(turn)} and no member ID at hand. Please ask for it at the visit.",
        )
        turn.say("utter_member_id_at_visit")
    turn.end()


def _name(turn: Turn) -> str:
    payer = turn.clinic.payers_by_id.get(turn.slot("insurer"))
    return payer.name if payer else str(turn.slot("insurer"))


def _spelled(turn: Turn, number: str) -> str:
    """As it stands on the card; on a call letter by letter."""
    return " ".join(number) if turn.by_voice else number


def _leave(turn: Turn) -> None:
    turn.say("utter_fine")
