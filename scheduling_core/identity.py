"""Who is speaking: a number on file and the right birth date, with counters that commit before anything is compared.

An edge asks in two transactions: `start_attempt` counts and commits, then `verify` compares. Whoever is cut off between the two,
or asks many times at once, has been counted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, names, patients, times
from scheduling_core.clinic_file import loading
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Conversation, IdentityAttempt, Patient, new_id

IN_A_CONVERSATION = 3
A_NUMBER_A_DAY = 5
A_PATIENT_A_DAY = 10
WITHDRAWALS_A_NUMBER_A_DAY = 2


@dataclass(frozen=True)
class Verdict:
    """What a birth date proved. `patient_id` is given with "verified" alone.

    "verified": this is who the conversation is with now. "who": several people of this number were born that day, ask the name.
    "wrong": the number is on file, nobody of it has this birth date; counted. "locked-out": too many wrong ones, a person takes
    over, nothing may be disclosed. "stranger": on file, but not with this number; a person takes over. "unknown": nobody on file.
    """

    kind: Literal["verified", "who", "wrong", "locked-out", "stranger", "unknown"]
    patient_id: str | None = None


def start_attempt(session: Session, *, conversation_id: str, phone: str, birth_date: dt.date) -> str:
    """Count an attempt before it is compared, and answer its id. The edge commits this transaction, then calls `verify`.

    `birth_date` is not kept. Nothing is refused here: `verify` answers "locked-out" without comparing when the count is too high.
    """
    attempt = IdentityAttempt(id=new_id(), conversation_id=conversation_id, phone=phone, withdrawn=False, at=times.now())
    session.add(attempt)
    session.flush()
    return attempt.id


def verify(
    session: Session,
    *,
    attempt_id: str,
    conversation_id: str,
    birth_date: dt.date,
    given: str | None = None,
    family: str | None = None,
    agent: str,
) -> Verdict:
    """Compare the birth date of a counted attempt. Raises NotFoundError when there is no such attempt or conversation."""
    attempt = _attempt(session, attempt_id)
    conversation = _conversation(session, conversation_id)
    on_number = patients.on_file(session, phone=attempt.phone)
    if conversation.locked_out or _too_many(session, attempt, before=True, of=on_number):
        session.delete(attempt)
        return _lock_out(session, conversation, attempt.phone, agent)

    named = [patient for patient in on_number if _has_name(patient, given, family)]
    right = [patient for patient in named if patient.birth_date == birth_date]
    if len(right) > 1 and given:  # twins with names much alike
        right = [patient for patient in right if names.same(patient.given, given)] or right
    if len(right) == 1:
        session.delete(attempt)
        conversation.patient_id = right[0].id
        audit.record(
            session,
            agent=agent,
            action="E",
            entity="Patient",
            entity_id=right[0].id,
            patient_id=right[0].id,
            detail={"verified": True},
        )
        return Verdict("verified", right[0].id)
    if right:
        session.delete(attempt)
        return Verdict("who")
    if named:
        return _count_wrong(session, conversation, attempt, named, agent, kind="wrong")
    if given and family:
        return _verify_by_name(session, conversation, attempt, given, family, birth_date, agent)
    session.delete(attempt)
    return Verdict("unknown")


def withdraw(session: Session, *, attempt_id: str) -> bool:
    """Take a wrong birth date off the count because it was corrected at once; False when the number did so too often today."""
    attempt = _attempt(session, attempt_id)
    withdrawn = select(func.count(IdentityAttempt.id)).where(
        IdentityAttempt.phone == attempt.phone, IdentityAttempt.at >= _midnight(session), IdentityAttempt.withdrawn
    )
    if attempt.withdrawn or (session.scalar(withdrawn) or 0) >= WITHDRAWALS_A_NUMBER_A_DAY:
        return False
    conversation = _conversation(session, attempt.conversation_id)
    if conversation.locked_out:
        return False
    attempt.withdrawn = True
    session.flush()
    conversation.wrong_birth_dates = _count(session, IdentityAttempt.conversation_id == conversation.id)
    return True


def forget(session: Session, *, conversation_id: str) -> None:
    """The next person of this conversation must prove who they are ("now for my daughter"). Wrong birth dates stay counted."""
    conversation = _conversation(session, conversation_id)
    conversation.patient_id, conversation.claim = None, {}


def _verify_by_name(
    session: Session,
    conversation: Conversation,
    attempt: IdentityAttempt,
    given: str,
    family: str,
    birth_date: dt.date,
    agent: str,
) -> Verdict:
    """Nobody of this name is on file with this number."""
    elsewhere = patients.known_by_name_and_birth_date(session, given, family, birth_date)
    if elsewhere:
        session.delete(attempt)
        handoff.open_task(
            session,
            team="desk",
            reason="unknown-number",
            description="Somebody gave the name and birth date of a patient from a number that is not on file for that patient. "
            "Nothing was disclosed. Please find out who it is, and add the number to the record if it is the patient's.",
            patient_id=elsewhere[0].id,
            phone=attempt.phone,
            conversation_id=conversation.id,
            key=f"unknown-number:{conversation.id}:{elsewhere[0].id}",
            agent=agent,
        )
        return Verdict("stranger")
    same_name = _namesakes(session, given, family)
    if same_name:  # a guess at the birth date of somebody on file, or a namesake: counted, and answered like anybody unknown
        return _count_wrong(session, conversation, attempt, same_name, agent, kind="unknown")
    session.delete(attempt)
    return Verdict("unknown")


def _namesakes(session: Session, given: str, family: str) -> list[Patient]:
    """Patients of this name, whenever they were born. The first letter spares the comparison with everybody."""
    first = family.strip()[:1]
    written = select(Patient.id, Patient.given, Patient.family).where(
        func.substr(Patient.family, 1, 1).in_({first, first.upper(), first.lower()}), Patient.active
    )
    alike = [row.id for row in session.execute(written) if names.alike(row.family, family) and names.alike(row.given, given)]
    return list(session.scalars(select(Patient).where(Patient.id.in_(alike)))) if alike else []


def _count_wrong(
    session: Session,
    conversation: Conversation,
    attempt: IdentityAttempt,
    meant: list[Patient],
    agent: str,
    *,
    kind: Literal["wrong", "unknown"],
) -> Verdict:
    """The attempt stays counted; the last one that is allowed locks out."""
    attempt.patient_id = meant[0].id if len(meant) == 1 else None
    session.flush()
    conversation.wrong_birth_dates = _count(session, IdentityAttempt.conversation_id == conversation.id)
    audit.record(
        session,
        agent=agent,
        action="E",
        entity="Patient",
        entity_id=attempt.patient_id,
        patient_id=attempt.patient_id,
        detail={"verified": False},
    )
    if _too_many(session, attempt, before=False, of=meant):
        return _lock_out(session, conversation, attempt.phone, agent)
    return Verdict(kind)


def _too_many(session: Session, attempt: IdentityAttempt, *, before: bool, of: list[Patient]) -> bool:
    """Before comparing: whether the attempts without this one have reached a limit; after it: whether they have with it."""
    more = 1 if before else 0
    today = IdentityAttempt.at >= _midnight(session)
    return (
        _count(session, IdentityAttempt.conversation_id == attempt.conversation_id) >= IN_A_CONVERSATION + more
        or _count(session, IdentityAttempt.phone == attempt.phone, today) >= A_NUMBER_A_DAY + more
        or any(_count(session, _meant(patient), today) >= A_PATIENT_A_DAY + more for patient in of)
    )


def _meant(patient: Patient) -> ColumnElement[bool]:
    """Attempts at this patient: by name, or from a number that is theirs."""
    return or_(IdentityAttempt.patient_id == patient.id, IdentityAttempt.phone.in_([row.phone for row in patient.phones]))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(IdentityAttempt.id)).where(*conditions, ~IdentityAttempt.withdrawn)) or 0


def _lock_out(session: Session, conversation: Conversation, phone: str, agent: str) -> Verdict:
    conversation.locked_out, conversation.patient_id = True, None
    on_number = patients.on_file(session, phone=phone)
    handoff.open_task(
        session,
        team="desk",
        reason="identity-lockout",
        description="Too many wrong birth dates. Nothing was disclosed. Please find out who it is and help.",
        patient_id=on_number[0].id if len(on_number) == 1 else None,
        phone=phone,
        conversation_id=conversation.id,
        key=f"identity-lockout:{conversation.id}",
        agent=agent,
    )
    return Verdict("locked-out")


def _has_name(patient: Patient, given: str | None, family: str | None) -> bool:
    """The given name decides where it was said: a family name changes more easily, and twins share it."""
    if given:
        return names.alike(patient.given, given)
    return family is None or names.alike(patient.family, family)


def _midnight(session: Session) -> dt.datetime:
    """The start of the clinic's present day."""
    zone = loading.current(session).zone
    return times.from_wall(times.to_wall(times.now(), zone).date(), dt.time(0), zone)


def _attempt(session: Session, attempt_id: str) -> IdentityAttempt:
    attempt = session.scalars(select(IdentityAttempt).where(IdentityAttempt.id == attempt_id)).one_or_none()
    if attempt is None:
        raise NotFoundError("IdentityAttempt")
    return attempt


def _conversation(session: Session, conversation_id: str) -> Conversation:
    conversation = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one_or_none()
    if conversation is None:
        raise NotFoundError(f"Conversation/{conversation_id}")
    return conversation
