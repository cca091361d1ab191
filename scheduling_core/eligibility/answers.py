"""What payers answered: the check that is settled, the member in it, and waiting a moment for it."""

from __future__ import annotations

import datetime as dt
import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import CheckStatus, EligibilityCheck
from scheduling_core.x12 import Member, Rejection, Response, parse_271

SETTLED = (CheckStatus.ANSWERED, CheckStatus.REJECTED, CheckStatus.FAILED)
BOOKING_WAITS_SECONDS = 3.0
"""A booking never waits longer than this for a payer."""


def member_in(check: EligibilityCheck) -> Member | None:
    """What the payer said of the member, read from a check's answer; None where it said nothing."""
    if check.answer is None or check.status is not CheckStatus.ANSWERED:
        return None
    return member_for(parse_271(check.answer), check.id, None)


def member_for(response: Response, trace: str, birth_date: dt.date | None) -> Member | None:
    """The member of an answer who was asked about; None where it is about somebody else.

    Of several the one with our trace number; of a single one it is enough that no other birth date than the patient's is given.
    """
    members = response.members
    if len(members) > 1:
        members = tuple(one for one in members if trace.casefold() in (number.casefold() for number in one.traces))
    if len(members) != 1:
        return None
    patient = members[0].dependent or members[0].subscriber
    same = birth_date is None or patient.birth_date in (None, birth_date)
    return members[0] if same or members[0].rejections else None


def latest(session: Session, *, coverage_id: str) -> EligibilityCheck | None:
    """The last check of a coverage that is settled."""
    return session.scalars(
        select(EligibilityCheck)
        .where(EligibilityCheck.coverage_id == coverage_id, EligibilityCheck.status.in_(SETTLED))
        .order_by(EligibilityCheck.answered_at.desc(), EligibilityCheck.created_at.desc(), EligibilityCheck.id)
        .limit(1)
    ).one_or_none()


def is_old(check: EligibilityCheck, clinic: ClinicFile) -> bool:
    """Whether its answer is to be asked for again."""
    age = times.now() - (check.answered_at or check.created_at)
    return age > dt.timedelta(days=clinic.eligibility.recheck_after_days)


def rejections(check: EligibilityCheck) -> tuple[Rejection, ...]:
    """Why the payer refused, each with what to do."""
    if check.answer is None:
        return ()
    response = parse_271(check.answer)
    return response.rejections + tuple(one for member in response.members for one in member.rejections)


def wait(database: Database, check_id: str, *, seconds: float = BOOKING_WAITS_SECONDS) -> EligibilityCheck | None:
    """Look until a check is settled, no longer than `seconds`; None where it is not by then. Call it outside of a transaction."""
    until = time.monotonic() + seconds
    while True:
        with database.reading() as session:
            check = session.scalars(select(EligibilityCheck).where(EligibilityCheck.id == check_id)).one()
        if check.status in SETTLED:
            return check
        if time.monotonic() >= until or check.status is CheckStatus.CANCELLED:
            return None
        time.sleep(min(0.1, max(until - time.monotonic(), 0.01)))
