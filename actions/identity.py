"""Who is texting: name and birth date, asked for and handed to the core, which alone decides what they prove."""

from __future__ import annotations

import datetime as dt
import re
from enum import Enum

from sqlalchemy.orm import Session

from actions import facts, people, when
from actions.turn import Turn
from actions.words import either, plain
from scheduling_core import identity, patients
from scheduling_core.names import alike as same_person

PLACEHOLDERS = ("birth_date", "name")
OF_THIS_NUMBER = "family"
"""How somebody stands to who writes that is on file with this number and was named by the first name."""


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
    if relation != "self" and before == OF_THIS_NUMBER and turn.asked is None:
        relation = None  # "my son Theo" is the Theo whom this number belongs to as well
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
    _take_up_name(turn)
    if turn.slot("new_patient") is None and (new := facts.says_new(turn.text)) is not None:
        turn.set(new_patient=new)
    if born := _born(turn):
        turn.claims(birth_date=born.isoformat())
    elif readings := _readings(turn):
        turn.claims(birth_date=None, birth_readings=[one.isoformat() for one in readings])


def answered(turn: Turn) -> bool:
    """Whether the words answer the question about who this is."""
    if turn.asked not in PLACEHOLDERS:
        return False
    return (
        bool(_readings(turn))
        or _born(turn) is not None
        or bool(_asks_for_name(turn) and (_name(turn) or _first(turn) or _family(turn)))
    )


def answers_why(turn: Turn) -> bool:
    """Tell why the birth date is asked, when that is the answer to it; the question itself stays open."""
    why = turn.asked in PLACEHOLDERS and not answered(turn) and bool(_WHY.search(plain(turn.text)))
    if why:
        turn.say("utter_why_birth_date")
    return why


_WHY = re.compile(
    either(
        r"^\W*(?:but |and |um+ |hm+ |wait )?(?:why|what for|how come)\b",
        r"\bwhy\b.*\b(?:need|want|ask\w*|have to|should i|must i|that|this|it)\b|\bwhat\b.*\b(?:need|use|want) (?:it|that|this)\b",
        r"\b(?:secure|safe|private|privacy|confidential|hipaa|legit|scam|phishing|trust (?:you|this))\b",
        r"\bwho\b.*\b(?:sees?|reads?|has access|gets?)\b",
        r"^\W*(?:y |pero )?(?:por ?que|para que)\b",
        r"\b(?:es|esta) (?:esto )?(?:segur[oa]|privad[oa]|confidencial|confiable)\b|\b(?:privacidad|estafa|fraude)\b",
        r"\bquien(?:es)?\b.*\b(?:ven?|lee|tiene acceso)\b",
    )
)


def _take_up_name(turn: Turn) -> None:
    if family := _family(turn):
        turn.claims(given=turn.known.claim["first"], family=family)
    elif name := _name(turn):
        turn.claims(given=name.given, family=name.family)
    elif first := facts.first_name_after_relation(turn.text) or _first(turn):
        turn.claims(first=first)


def _name(turn: Turn) -> facts.PersonName | None:
    """First and last name. Bare words are one only where a name was asked for; a birth date alone never holds one."""
    if turn.asked in PLACEHOLDERS and not _asks_for_name(turn):
        return None
    if turn.asked not in PLACEHOLDERS and facts.relation(turn.text) not in (None, "self"):
        return facts.patient_name(turn.text, language=turn.language)  # "this is Ann Roe, a visit for my son" names who writes
    return facts.person_name(turn.text, asked=turn.asked in PLACEHOLDERS, language=turn.language)


def _first(turn: Turn) -> str | None:
    """The first name alone, told with the birth date where both were asked for, or by one of twins."""
    first = facts.one_name(turn.text) if turn.asked and _asks_for_name(turn) else None
    return first if first and (_born(turn) or (turn.known.claim.get("ask_name") and _is_of_this_number(turn, first))) else None


def _is_of_this_number(turn: Turn, first: str) -> bool:
    return any(same_person(given, first) for _, given in turn.known.family)


def _family(turn: Turn) -> str | None:
    """The last name, where it alone was asked for."""
    if turn.asked != "name" or turn.slot("asked_of_person") != "family_name" or _name(turn):
        return None
    return facts.family_name(turn.text)


def _asks_for_name(turn: Turn) -> bool:
    """Whether the question that was asked wants a name."""
    return turn.asked in PLACEHOLDERS and turn.slot("asked_of_person") != "birth_date"


def _born(turn: Turn) -> dt.date | None:
    """The birth date that the words tell: the answer to the question for it, or one that cannot be the date of a visit.

    None where it can be read in two ways: which one is meant is asked, and never tried out.
    """
    readings = _readings(turn)
    if picked := _picked(turn):
        return picked
    return readings[0] if len(readings) == 1 else None


def _readings(turn: Turn) -> tuple[dt.date, ...]:
    """How a birth date in the words can be read: the fourth of May or the fifth of April."""
    born = when.read_birth_date(turn.text, turn.now, language=turn.language)
    if born is None or _is_clock_time(turn.text, born.date):
        return ()
    if turn.asked not in PLACEHOLDERS and not _cannot_be_a_visit(turn, born.date):
        return ()
    swapped = tuple(one for one in born.readings if one.year == born.date.year)
    return swapped if len(swapped) > 1 else (born.date,)


def _picked(turn: Turn) -> dt.date | None:
    """The answer to which of two readings is meant: by its place, or by its month."""
    asked = [dt.date.fromisoformat(one) for one in turn.known.claim.get("birth_readings") or ()]
    if not asked or turn.asked not in PLACEHOLDERS:
        return None
    if number := facts.choice(turn.text, len(asked)):
        return asked[number - 1]
    said = when.read_birth_date(turn.text, turn.now, language=turn.language)
    reading = turn.when()
    month = said.date.month if said else reading.wish.first_day.month if reading and reading.wish.first_day else None
    return next((one for one in asked if one.month == month and not (said and len(said.readings) > 1)), None)


_CALLED_BIRTH_DATE = re.compile(
    r"\b"
    + either(
        r"born|dob|d\.o\.b|date of birth|birth ?date|birth ?day|b-?day",
        r"nacid[oa]|naci|nacio|nacimiento|cumpleanos|cumplo",
    )
    + r"\b"
)


def _cannot_be_a_visit(turn: Turn, born: dt.date) -> bool:
    """A date that is called a birth date, or that has a year of its own, at least a year ago."""
    low = plain(turn.text)
    if _CALLED_BIRTH_DATE.search(low):
        return True
    written = re.search(rf"(?<!\d){born.year}(?!\d)", low) and not re.search(rf"(?:\bat|\bas las|@) ?{born.year}\b", low)
    short = re.search(rf"(?<!\d)\d{{1,2}}/\d{{1,2}}/{born.year % 100:02}(?!\d)", low)
    soon = turn.now.year % 100 <= born.year % 100 <= turn.now.year % 100 + 1  # 12/8/26 is a visit's date in 2026
    long_ago = born <= turn.now.date() - dt.timedelta(days=365)
    return long_ago and bool(written or (short and not soon))


def _is_clock_time(text: str, born: dt.date) -> bool:
    """The year is the hour of a clock time: 9 of "9am", 10 of "10:30"."""
    hour = rf"(?<!\d)0?{born.year % 100}(?: ?[ap]\.?m\b| ?o'?clock|:\d\d| ?h(?:rs?|oras)?\b)"
    return bool(re.search(hour, plain(text))) and not re.search(rf"(?<!\d){born.year}(?!\d)|/{born.year % 100:02}(?!\d)", text)


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
    told = claim.get("family") or (claim.get("ask_name") and _is_of_this_number(turn, claim.get("first") or ""))
    needs_name = _needs_name(turn) and not told
    if (readings := claim.get("birth_readings")) and not claim.get("birth_date"):
        return _ask_which(turn, [dt.date.fromisoformat(one) for one in readings])
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
    claim = turn.known.claim
    return (
        not turn.known.on_file
        or turn.slot("new_patient") is True
        or bool(claim.get("ask_name"))
        or (claim.get("relation", "self") not in ("self", OF_THIS_NUMBER))
    )


def _ask(turn: Turn, *, name: bool, birth_date: bool) -> Standing:
    """Ask for what is missing; by voice one thing after the other. The same question a second time is put differently."""
    claim = turn.known.claim
    first = claim.get("given") or claim.get("first")
    other = claim.get("relation", "self") != "self"
    if name and birth_date and not turn.by_voice:
        what = "name_and_birth_date"
    elif name:
        what = "family_name" if claim.get("first") and not claim.get("ask_name") else "name"
    else:
        what = "birth_date"
    again = turn.asked in PLACEHOLDERS and not turn.said_something and turn.slot("asked_of_person") == what
    turn.set(asked_of_person=what)
    if again:
        turn.say(f"utter_request_{what}_again")
    elif what == "family_name" or (other and first and what == "birth_date"):
        turn.say(f"utter_request_{what}_of" if other else f"utter_request_{what}", first=str(first).split()[0])
    else:
        turn.say(f"utter_request_{what}_of_other" if other else f"utter_request_{what}")
    turn.ask("birth_date" if birth_date and (not name or not turn.by_voice) else "name")
    return Standing.ASKED


def _ask_which(turn: Turn, readings: list[dt.date]) -> Standing:
    first, second = (when.say_date(one, turn.now.date(), turn.language) for one in readings[:2])
    turn.set(asked_of_person="birth_date")
    turn.say("utter_request_which_birth_date", one=first, other=second)
    turn.ask("birth_date")
    return Standing.ASKED


def _verify(turn: Turn) -> Standing:
    claim = turn.known.claim
    born = dt.date.fromisoformat(claim["birth_date"])
    _withdraw_slip(turn)
    with turn.transaction() as session:  # counted and committed before anything is compared
        attempt = identity.start_attempt(session, conversation_id=turn.known.id, phone=turn.known.phone, birth_date=born)
    with turn.transaction() as session:
        given, family = _name_that_counts(turn, session, born)
        verdict = identity.verify(
            session,
            attempt_id=attempt,
            conversation_id=turn.known.id,
            birth_date=born,
            given=given,
            family=family,
            agent=turn.agent,
        )
    turn.look_again()
    if verdict.kind == "verified":
        people.write_told(turn)
        return Standing.KNOWN
    if verdict.kind == "unknown":
        turn.claims(new=True)
        return Standing.NEW
    if verdict.kind == "who":
        turn.claims(ask_name=True)
        return _ask(turn, name=True, birth_date=False)
    if verdict.kind == "wrong":
        turn.claims(birth_date=None)
        turn.set(wrong_attempt=attempt, asked_of_person="birth_date")
        turn.say("utter_birth_date_wrong")
        turn.ask("birth_date")
        return Standing.ASKED
    turn.say("utter_locked_out" if verdict.kind == "locked-out" else "utter_unknown_number")
    turn.end()
    return Standing.ENDED


def _name_that_counts(turn: Turn, session: Session, born: dt.date) -> tuple[str | None, str | None]:
    """The name to compare: none where the birth date alone tells which patient of this number writes for themselves."""
    claim = turn.known.claim
    born_then = [patient for patient in patients.on_file(session, phone=turn.known.phone) if patient.birth_date == born]
    if len(born_then) == 1 and claim.get("relation", "self") == "self":
        return None, None
    if claim.get("relation") == OF_THIS_NUMBER or len(born_then) > 1:  # of twins the first name tells
        return claim.get("given") or claim.get("first"), claim.get("family")
    return claim.get("given"), claim.get("family")


def _withdraw_slip(turn: Turn) -> None:
    """A wrong birth date that is corrected at once, in words that say so, does not count."""
    attempt = turn.slot("wrong_attempt")
    turn.set(wrong_attempt=None)
    if attempt and _CORRECTS.search(plain(turn.text)):
        with turn.transaction() as session:
            identity.withdraw(session, attempt_id=attempt)


_CORRECTS = re.compile(r"\b(?:sorry|oops|i mean|i meant|no wait|typo|mistyped|my bad|correction|perdon|quise decir|me equivoque)\b")
