"""Finding a patient as staff type: names in any order, a birth date, a phone number or its end, a member id."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein
from sqlalchemy import ColumnElement, and_, func, select, union
from sqlalchemy.orm import Session, joinedload

from scheduling_core import audit, birth_dates, names, patient_keys, times
from scheduling_core.models import Patient, PatientKey
from scheduling_core.patient_keys import MEMBER, NAME, PHONE, PHONE_END, SOUND

LONGEST = 200  # characters that are looked at
SHORTEST = 2  # of a word: one letter begins too many names
_MOST_WORDS = 6
_LAST = "\U0010ffff"
_LOOKED_AT = 200  # of those that sound alike
_FARTHEST = 0.5  # of what is typed may differ from a name that sounds alike: Saez is not meant by Zuse


@dataclass(frozen=True)
class Query:
    """What was typed. `words` are plain name words, `numbers` digits of a phone or parts of a member id."""

    words: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    birth_dates: frozenset[dt.date] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.numbers or self.birth_dates)


@dataclass(frozen=True)
class Found:
    """Patients, the best first; `more` when there are others."""

    patients: tuple[Patient, ...]
    more: bool


def read(text: str) -> Query:
    """What somebody means who types this."""
    dates, rest = birth_dates.find(" ".join(text[:LONGEST].split()), today=times.now().date())
    rest, numbers = _phone_numbers(rest)
    words: list[str] = []
    for piece in rest.split():
        if any(letter.isdigit() for letter in piece):
            numbers.append(patient_keys.plain_member_id(piece))
        else:
            words += names.words_of(piece)
    words = [word for word in words if len(word) >= SHORTEST]
    numbers = [number for number in numbers if len(number) >= SHORTEST]
    return Query(tuple(words[:_MOST_WORDS]), tuple(numbers[:_MOST_WORDS]), frozenset(dates))


_PHONE = re.compile(r"(?<!\w)\+?\(?\d[\d().\-\s]{2,}\d")


def _phone_numbers(text: str) -> tuple[str, list[str]]:
    """The text without the phone numbers in it, and these in digits: "(414) 555-01" is one number."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(patient_keys.national(match.group()))
        return " "

    return _PHONE.sub(take, text), found


def find(session: Session, text: str, *, agent: str, limit: int = 20, inactive: bool = False) -> Found:
    """Who may be meant. What was typed must all fit; where few names begin so, those that sound alike come behind them.

    Each patient who is shown is a read, one audit row for all of them.
    """
    query = read(text)
    if query.is_empty:
        return Found((), more=False)
    found = _fitting(session, query, limit + 1, inactive=inactive, alike=False)
    if len(found) <= limit and query.words:
        known = {patient.id for patient in found}
        alike = _fitting(session, query, _LOOKED_AT, inactive=inactive, alike=True)
        others = ((_distance(one, query.words), one) for one in alike if one.id not in known)
        found += [one for distance, one in sorted(others, key=lambda pair: pair[0]) if distance <= _FARTHEST * len(query.words)]
    if not found and query.numbers:  # "GLM 44-871" is one member id, not a name and a number
        whole = patient_keys.plain_member_id(text[:LONGEST])
        found = _fitting(session, Query(numbers=(whole,)), limit + 1, inactive=inactive, alike=False)
    shown = tuple(found[:limit])
    if shown:
        audit.record(
            session, agent=agent, action="R", entity="Patient", detail={"search": [one.id for one in shown], "by": _kinds(query)}
        )
    return Found(shown, more=len(found) > limit)


def _kinds(query: Query) -> list[str]:
    """What kind of thing was typed; the words themselves are not kept."""
    return [name for name in ("words", "numbers", "birth_dates") if getattr(query, name)]


def _fitting(session: Session, query: Query, limit: int, *, inactive: bool, alike: bool) -> list[Patient]:
    own = session.info["organization"]
    wanted: list[ColumnElement[bool]] = [_has_key(own, *_of_word(word, alike)) for word in query.words]
    wanted += [_has_key(own, *_of_number(number)) for number in query.numbers]
    if query.birth_dates:
        wanted.append(Patient.birth_date.in_(sorted(query.birth_dates)))
    if not inactive:
        wanted.append(Patient.active.is_(True))
    found = select(Patient).where(Patient.organization_id == own, *wanted).options(joinedload(Patient.phones))
    by_name = found.order_by(func.lower(Patient.family), func.lower(Patient.given), Patient.id).limit(limit)
    return list(session.scalars(by_name).unique())


def _has_key(organization: str, *keys: ColumnElement[bool]) -> ColumnElement[bool]:
    """Lists of ids, each read from the index of keys: an EXISTS would be asked for one patient after the other."""
    ids = [select(PatientKey.patient_id).where(PatientKey.organization_id == organization, key) for key in keys]
    return Patient.id.in_(union(*ids) if len(ids) > 1 else ids[0])


def _of_word(word: str, alike: bool) -> list[ColumnElement[bool]]:
    if not alike:
        return [_begins(NAME + word)]
    others = {NAME + name for name in names.nicknames(word)}
    if len(word) > SHORTEST:
        others |= {SOUND + sound for sound in patient_keys.sounds_of(word)}
    return [_begins(NAME + word), PatientKey.key.in_(sorted(others))]


def _of_number(number: str) -> list[ColumnElement[bool]]:
    ways = [_begins(MEMBER + number)]
    if number.isdigit():
        ways += [_begins(PHONE + number), _begins(PHONE_END + number[::-1])]
    return ways


def _begins(key: str) -> ColumnElement[bool]:
    return and_(PatientKey.key >= key, PatientKey.key < key + _LAST)


def _distance(patient: Patient, words: Sequence[str]) -> float:
    """How far the typed words are from the patient's names, each 0 to 1: 0 where it begins one or stands for one."""
    own = [*names.words_of(patient.given), *names.words_of(patient.family)]
    return sum(min((_of_words(word, name) for name in own), default=1.0) for word in words)


def _of_words(word: str, name: str) -> float:
    if name.startswith(word) or name in names.nicknames(word):
        return 0.0
    return DamerauLevenshtein.normalized_distance(word, name)
