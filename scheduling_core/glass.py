"""Records that are restricted (a colleague's, a public person's): staff may open them, and say why. It is told to a manager."""

from __future__ import annotations

import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, times
from scheduling_core.errors import SchedulingError
from scheduling_core.models import BrokenGlass, Patient, Priority, StaffAccount, new_id

OPEN_SECONDS = 3600.0
SHORTEST_REASON = 10  # characters
_LONGEST_REASON = 500
TEAM = "manager"


class RestrictedError(SchedulingError):
    """This record is restricted: give a reason to open it."""

    code = "restricted"

    def __init__(self, patient_id: str) -> None:
        super().__init__()
        self.patient_id = patient_id


class ReasonNeededError(SchedulingError):
    """A reason of ten characters at the least is needed."""

    code = "reason-needed"


def check(session: Session, account: StaffAccount, patient: Patient) -> None:
    """Raises RestrictedError when the record is restricted and this person has not broken its glass in the last hour."""
    if patient.restricted and patient.id not in opened(session, account.id):
        raise RestrictedError(patient.id)


def break_it(session: Session, account: StaffAccount, patient: Patient, *, reason: str) -> None:
    """Open a restricted record to this person for an hour. Leaves an audit row with the reason, and a task for a manager.

    Raises ReasonNeededError.
    """
    said = " ".join(reason.split())[:_LONGEST_REASON]
    if len(said) < SHORTEST_REASON:
        raise ReasonNeededError
    agent = f"staff:{account.email}"
    broken = BrokenGlass(
        id=new_id(),
        account_id=account.id,
        patient_id=patient.id,
        reason=said,
        until=time.time() + OPEN_SECONDS,
        created_at=times.now(),
    )
    session.add(broken)
    session.flush()
    audit.record(
        session,
        agent=agent,
        action="E",
        entity="BrokenGlass",
        entity_id=broken.id,
        patient_id=patient.id,
        detail={"reason": said},
    )
    handoff.open_task(
        session,
        team=TEAM,
        reason="broken-glass",
        description=f"{account.name} opened a restricted record. The reason given: {said}",
        priority=Priority.URGENT,
        patient_id=patient.id,
        key=f"broken-glass:{broken.id}",
        agent=agent,
    )


def restrict(session: Session, patient: Patient, *, restricted: bool, agent: str) -> None:
    """Put a record behind glass, or take it out."""
    old, patient.restricted = patient.restricted, restricted
    if old != restricted:
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Patient",
            entity_id=patient.id,
            patient_id=patient.id,
            detail={"restricted": {"old": old, "new": restricted}},
        )


def opened(session: Session, account_id: str) -> set[str]:
    """The patients whose glass this account has broken in the last hour."""
    found = select(BrokenGlass.patient_id).where(BrokenGlass.account_id == account_id, BrokenGlass.until > time.time())
    return set(session.scalars(found))
