"""Who is texting: name and birth date, asked for and handed to the core, which alone decides what they prove."""

from __future__ import annotations

import datetime as dt
import re
from enum import Enum

from actions import facts, people, when
from actions.turn import Turn
from actions.words import plain
from scheduling_core import identity
from scheduling_core.names import alike as same_person

PLACEHOLDERS = ("birth_date", "name")


class Standing(Enum):
    """Where the question of who this is stands after a turn."""

    KNOWN = "known"  # proved: the core names the patient
    NEW = "new"  # name and birth date told, nobody on file has them
    ASKED = "asked"  # a question has been said
    ENDED = "ended"  # it cannot be told here; a sentence has been said and a person will help


def take_up(turn: Turn) -> None:
    """Keep what this turn says about who the visit is for. Another person must prove anew who they are."""
    relation = facts.relation(turn.text)
    before = turn.known.claim.get("relation", "self")
    settled = turn.known.patient is not None or turn.is_new
    if relation and relation != before:
        if settled or turn.known.claim:
            with turn.transaction() as session:
                identity.forget(session, conversation_id=turn.known.id)
            turn.look_again()
        turn.claims(relation=relation)
    elif relation and not settled and "relation" not in turn.known.claim:
        turn.claims(relation=relation)
    if turn.known.patient and not _is_somebody_else(turn):
        return
    if turn.is_new:
        return
    name = facts.person_name(turn.text, asked=turn.asked == "name" or (turn.asked == "birth_date" and bool(_digits(turn.text))))
    if name:
        turn.claims(given=name.given, family=name.family)
    elif first := facts.first_name_after_relation(turn.text):
        turn.claims(first=first)
    if turn.slot("new_patient") is None and (new := facts.says_new(turn.text)) is not None:
        turn.set(new_patient=new)
    born = when.read_birth_date(turn.text, turn.now, language=turn.language)
    if born and (turn.asked in PLACEHOLDERS or _looks_like_birth_date(turn, born.date)):
        turn.claims(birth_date=born.date.isoformat())


def _is_somebody_else(turn: Turn) -> bool:
    """A visit is asked for by the name of another person than the one who has proved who they are: that one must prove it anew."""
    told, known = facts.person_name(turn.text, asked=False), turn.known.patient
    other = turn.asked is None and told is not None and known is not None and not same_person(told.given, known.given)
    if other:
        with turn.transaction() as session:
            identity.forget(session, conversation_id=turn.known.id)
        turn.look_again()
    return other


def standing(turn: Turn) -> Standing:
    """Settle who this is with what is known by now, or ask for what is missing."""
    if turn.known.patient:
        return Standing.KNOWN
    if turn.is_new:
        return Standing.NEW
    claim = turn.known.claim
    needs_name = _needs_name(turn) and not claim.get("family")
    if not claim.get("birth_date") or needs_name:
        return _ask(turn, name=needs_name, birth_date=not claim.get("birth_date"))
    return _verify(turn)


def first_name(turn: Turn) -> str:
    """What to call the patient."""
    if turn.known.patient:
        return turn.known.patient.given.split()[0]
    return str(turn.known.claim.get("given") or turn.known.claim.get("first") or "").split(" ")[0]


def birth_date(turn: Turn) -> dt.date | None:
    if turn.known.patient:
        return turn.known.patient.birth_date
    told = turn.known.claim.get("birth_date")
    return dt.date.fromisoformat(told) if told else None


def _needs_name(turn: Turn) -> bool:
    """A number on file and a birth date tell who it is; a new number, a new patient or somebody else's visit need the name, too."""
    return (
        not turn.known.on_file
        or turn.slot("new_patient") is True
        or bool(turn.known.claim.get("ask_name"))
        or turn.known.claim.get("relation", "self") != "self"
    )


def _ask(turn: Turn, *, name: bool, birth_date: bool) -> Standing:
    again = turn.asked in PLACEHOLDERS and not turn.said_something
    first = turn.known.claim.get("given") or turn.known.claim.get("first")
    other = turn.known.claim.get("relation", "self") != "self"
    if name and birth_date and not turn.by_voice:
        what = "name_and_birth_date"
    else:
        what = "name" if name else "birth_date"
    if again and turn.asked == ("name" if what == "name" else "birth_date"):
        turn.say(f"utter_request_{what}_again")
    elif other and first and what == "birth_date":
        turn.say("utter_request_birth_date_of", first=str(first).split()[0])
    else:
        turn.say(f"utter_request_{what}_of_other" if other else f"utter_request_{what}")
    turn.ask("birth_date" if birth_date and (not name or not turn.by_voice) else "name")
    return Standing.ASKED


def _verify(turn: Turn) -> Standing:
    claim = turn.known.claim
    born = dt.date.fromisoformat(claim["birth_date"])
    _withdraw_slip(turn)
    with turn.transaction() as session:  # counted and committed before anything is compared
        attempt = identity.start_attempt(session, conversation_id=turn.known.id, phone=turn.known.phone, birth_date=born)
    with turn.transaction() as session:
        verdict = identity.verify(
            session,
            attempt_id=attempt,
            conversation_id=turn.known.id,
            birth_date=born,
            given=claim.get("given"),
            family=claim.get("family"),
            agent=turn.agent,
        )
    turn.look_again()
    if verdict.kind == "verified":
        people.write_needs(turn)
        return Standing.KNOWN
    if verdict.kind == "unknown":
        turn.claims(new=True)
        return Standing.NEW
    if verdict.kind == "who":
        turn.claims(ask_name=True)
        return _ask(turn, name=True, birth_date=False)
    if verdict.kind == "wrong":
        turn.claims(birth_date=None)
        turn.set(wrong_attempt=attempt)
        turn.say("utter_birth_date_wrong")
        turn.ask("birth_date")
        return Standing.ASKED
    turn.say("utter_locked_out" if verdict.kind == "locked-out" else "utter_unknown_number")
    turn.end()
    return Standing.ENDED


def _withdraw_slip(turn: Turn) -> None:
    """A wrong birth date that is corrected at once, in words that say so, does not count."""
    attempt = turn.slot("wrong_attempt")
    turn.set(wrong_attempt=None)
    if attempt and _CORRECTS.search(plain(turn.text)):
        with turn.transaction() as session:
            identity.withdraw(session, attempt_id=attempt)


_CORRECTS = re.compile(r"\b(?:sorry|oops|i mean|i meant|no wait|typo|mistyped|my bad|correction|perdon|quise decir|me equivoque)\b")


def _looks_like_birth_date(turn: Turn, born: dt.date) -> bool:
    """A date of long ago, or one that is called a birth date, needs no question before it."""
    return born < turn.now.date() - dt.timedelta(days=60)


def _digits(text: str) -> bool:
    return any(character.isdigit() for character in text)
