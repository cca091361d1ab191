"""The words by which patients are found: plain names and how they sound, numbers from the front and from the back, member ids.

They are rows of `patient_key`, written anew whenever a patient, a number or a coverage is written, whoever writes it. The first
letter of a key tells its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import jellyfish
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduling_core import names
from scheduling_core.models import Coverage, Patient, PatientKey, PatientPhone

NAME, SOUND, PHONE, PHONE_END, MEMBER = "n", "s", "p", "e", "m"
_LONGEST = 100
_PER_STEP = 500
_ALIKE_IN_SPANISH = (  # as many hear it: Ximena, Jimena and Himena are one, so are Llanos and Yanos
    ("qu", "k"),
    ("ll", "y"),
    ("ch", "#"),
    ("gu", "g"),
    ("ge", "je"),
    ("gi", "ji"),
    ("ce", "se"),
    ("ci", "si"),
    ("c", "k"),
    ("z", "s"),
    ("v", "b"),
    ("w", "b"),
    ("x", ""),
    ("j", ""),
    ("h", ""),
    ("y", "i"),
)


def sounds_of(word: str) -> set[str]:
    """How a plain word may sound, to an English and to a Spanish ear. Empty for what has no sound."""
    spanish = word
    for written, heard in _ALIKE_IN_SPANISH:
        spanish = spanish.replace(written, heard)
    spanish = re.sub(r"(.)\1+", r"\1", spanish)
    return {sound for sound in (jellyfish.metaphone(word).replace(" ", ""), f"es{spanish}" if spanish else "") if sound}


def keys_of(given: str, family: str, phones: Iterable[str], member_ids: Iterable[str]) -> set[str]:
    """Every key of a patient."""
    keys: set[str] = set()
    for name in (given, family):
        words = names.words_of(name)
        keys.update(NAME + word for word in {*words, "".join(words)})  # "de la Cruz" is found as delacruz too
        keys.update(SOUND + sound for word in words for sound in sounds_of(word))
    for phone in phones:
        digits = national(phone)
        keys.update((PHONE + digits, PHONE_END + digits[::-1]))
    keys.update(MEMBER + plain_member_id(one) for one in member_ids)
    return {key[:_LONGEST] for key in keys if len(key) > 1}


def national(phone: str) -> str:
    """The digits of a number without the country's 1, as people type it."""
    digits = re.sub(r"\D", "", phone)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def plain_member_id(member_id: str) -> str:
    return re.sub(r"[^0-9a-z]", "", member_id.casefold())


def note_changes(session: Session, _: object) -> None:
    """After a flush: the keys of every patient whose row, numbers or coverages were written. Listens in `db`."""
    changed: set[str] = set()
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Patient):
            changed.add(row.id)
        elif isinstance(row, (PatientPhone, Coverage)):
            changed.add(row.patient_id)
    if changed:
        write(session.connection(), session.info["organization"], changed)


def write_all(session: Session) -> int:
    """Write the keys of every patient anew, for rows that came by another way than the session's objects; how many patients."""
    found = list(session.scalars(select(Patient.id)))
    session.flush()
    for first in range(0, len(found), _PER_STEP):
        write(session.connection(), session.info["organization"], found[first : first + _PER_STEP])
    return len(found)


def write(connection: Connection, organization: str, patient_ids: Iterable[str]) -> None:
    """Write the keys of these patients, in one order: two that write at once never wait for each other in a circle."""
    ids = sorted(patient_ids)
    own = Patient.organization_id == organization
    people = connection.execute(select(Patient.id, Patient.given, Patient.family).where(own, Patient.id.in_(ids))).all()
    phones = _by_patient(
        connection.execute(
            select(PatientPhone.patient_id, PatientPhone.phone).where(
                PatientPhone.organization_id == organization, PatientPhone.patient_id.in_(ids)
            )
        ).tuples()
    )
    members = _by_patient(
        connection.execute(
            select(Coverage.patient_id, Coverage.subscriber_id).where(
                Coverage.organization_id == organization, Coverage.patient_id.in_(ids), Coverage.subscriber_id.is_not(None)
            )
        ).tuples()
    )
    wanted = {
        (one.id, key) for one in people for key in keys_of(one.given, one.family, phones.get(one.id, ()), members.get(one.id, ()))
    }
    own_keys = (PatientKey.organization_id == organization, PatientKey.patient_id.in_(ids))
    there = {
        (row.patient_id, row.key) for row in connection.execute(select(PatientKey.patient_id, PatientKey.key).where(*own_keys))
    }
    for patient_id, key in sorted(there - wanted):
        connection.execute(delete(PatientKey).where(*own_keys, PatientKey.patient_id == patient_id, PatientKey.key == key))
    if fresh := sorted(wanted - there):
        rows = [{"organization_id": organization, "patient_id": patient_id, "key": key} for patient_id, key in fresh]
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(PatientKey).on_conflict_do_nothing(), rows)


def _by_patient(rows: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for patient_id, value in rows:
        found.setdefault(patient_id, []).append(value or "")
    return found
