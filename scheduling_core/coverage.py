"""Who pays for a patient, as told to us: insurers in their order, or the patient alone."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, idempotency, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import checks
from scheduling_core.errors import NotFoundError
from scheduling_core.models import LIVE, Appointment, CheckReason, Coverage, CoverageStatus, new_id

SELF_PAY = "Self-pay"
"""The payer's name on a coverage of who pays alone."""
RELATIONSHIPS = ("self", "spouse", "child", "other")
"""Of the patient to the subscriber."""


@dataclass(frozen=True)
class Subscriber:
    """Whose insurance it is, where it is not the patient's own."""

    given: str
    family: str
    birth_date: dt.date | None = None


def active(session: Session, *, patient_id: str) -> list[Coverage]:
    """The coverages in force: the one that pays first, then what pays the rest."""
    found = session.scalars(
        select(Coverage)
        .where(Coverage.patient_id == patient_id, Coverage.status == CoverageStatus.ACTIVE)
        .order_by(Coverage.rank, Coverage.created_at.desc(), Coverage.id)
    )
    return list(found)


def record(
    session: Session,
    *,
    patient_id: str,
    payer_id: str | None,
    payer_name: str,
    subscriber_id: str | None,
    agent: str,
    group_number: str | None = None,
    relationship: str = "self",
    subscriber: Subscriber | None = None,
    rank: int = 1,
    key: str | None = None,
) -> Coverage:
    """Note a coverage and have its payer asked; the one in force at its rank becomes cancelled, and so does self-pay.

    `payer_id` is None for a payer that the clinic file has not; `rank` 2 is a secondary coverage. The same key again answers the
    same coverage. Raises NotFoundError.
    """
    if earlier := idempotency.earlier_answer(session, key):
        return get(session, earlier["coverage_id"])
    coverage = _replace(
        session,
        Coverage(
            id=new_id(),
            patient_id=patient_id,
            payer_id=payer_id,
            payer_name=payer_name,
            subscriber_id=subscriber_id,
            group_number=group_number,
            relationship=relationship,
            rank=rank,
            self_pay=False,
            subscriber_given=subscriber.given if subscriber else None,
            subscriber_family=subscriber.family if subscriber else None,
            subscriber_birth_date=subscriber.birth_date if subscriber else None,
        ),
        agent,
    )
    if payer_id is not None and subscriber_id:
        checks.request(session, coverage=coverage, reason=CheckReason.GIVEN, agent=agent)
    idempotency.remember(session, key, {"coverage_id": coverage.id})
    return coverage


def record_self_pay(session: Session, *, patient_id: str, agent: str, key: str | None = None) -> Coverage:
    """The patient pays alone: every coverage in force ends. The same key again answers the same. Raises NotFoundError."""
    if earlier := idempotency.earlier_answer(session, key):
        return get(session, earlier["coverage_id"])
    alone = Coverage(id=new_id(), patient_id=patient_id, payer_name=SELF_PAY, relationship="self", rank=1, self_pay=True)
    coverage = _replace(session, alone, agent)
    idempotency.remember(session, key, {"coverage_id": coverage.id})
    return coverage


def change(session: Session, *, coverage_id: str, agent: str, **values: Any) -> Coverage:
    """Correct `subscriber_id`, `group_number`, `relationship` or the subscriber's columns; the audit keeps old and new.

    The payer is asked again. Raises NotFoundError.
    """
    coverage = get(session, coverage_id)
    changed = {name: {"old": _plain(getattr(coverage, name)), "new": _plain(value)} for name, value in values.items()}
    changed = {name: both for name, both in changed.items() if both["old"] != both["new"]}
    if not changed:
        return coverage
    for name, value in values.items():
        setattr(coverage, name, value)
    coverage.updated_at = times.now()
    session.flush()
    _audit(session, coverage, agent, "U", changed)
    if coverage.payer_id and coverage.subscriber_id:
        checks.request(session, coverage=coverage, reason=CheckReason.GIVEN, agent=agent)
    return coverage


def doubts_member_id(clinic: ClinicFile, payer_id: str | None, member_id: str) -> bool:
    """Whether a member number does not look like this payer's. It is then read back once more, never refused."""
    payer = clinic.payers_by_id.get(payer_id or "")
    if payer is None or payer.member_id_format is None:
        return False
    return not re.fullmatch(payer.member_id_format, re.sub(r"[\s-]", "", member_id).upper())


def _replace(session: Session, fresh: Coverage, agent: str) -> Coverage:
    """Put a coverage in force in place of those that it ends."""
    patients.get(session, fresh.patient_id)
    now = times.now()
    ended = False
    for old in active(session, patient_id=fresh.patient_id):
        if old.rank == fresh.rank or old.self_pay or fresh.self_pay:
            old.status, old.updated_at, ended = CoverageStatus.CANCELLED, now, True
            checks.cancel_waiting(session, coverage_id=old.id)
            _audit(session, old, agent, "U", {"status": {"old": CoverageStatus.ACTIVE, "new": CoverageStatus.CANCELLED}})
    fresh.status, fresh.created_at, fresh.updated_at = CoverageStatus.ACTIVE, now, now
    session.add(fresh)
    session.flush()
    _audit(session, fresh, agent, "C", {"rank": fresh.rank})
    if ended:
        _tell_billing(session, fresh, agent)
    return fresh


def _tell_billing(session: Session, fresh: Coverage, agent: str) -> None:
    """Visits ahead were booked with another insurance in mind."""
    ahead = select(func.count()).where(
        Appointment.patient_id == fresh.patient_id, Appointment.status.in_(LIVE), Appointment.start > times.now()
    )
    count = session.scalars(ahead.select_from(Appointment)).one()
    if count:
        handoff.open_task(
            session,
            team="billing",
            reason="coverage-changed",
            description=f"The patient now has {fresh.payer_name}, with {count} {'visit' if count == 1 else 'visits'} ahead."
            " Please see what changes for each.",
            patient_id=fresh.patient_id,
            key=f"coverage-changed:{fresh.id}",
            agent=agent,
        )


def _cancel(session: Session, coverage: Coverage, agent: str) -> None:
    coverage.status, coverage.updated_at = CoverageStatus.CANCELLED, times.now()
    session.flush()
    checks.cancel_waiting(session, coverage_id=coverage.id)
    _audit(session, coverage, agent, "U", {"status": {"old": CoverageStatus.ACTIVE, "new": CoverageStatus.CANCELLED}})


def _audit(session: Session, coverage: Coverage, agent: str, action: audit.Action, detail: dict[str, Any]) -> None:
    audit.record(
        session,
        agent=agent,
        action=action,
        entity="Coverage",
        entity_id=coverage.id,
        patient_id=coverage.patient_id,
        detail=detail,
    )


def end(session: Session, *, coverage_id: str, agent: str) -> Coverage:
    """A coverage holds no longer, and nothing takes its place. Ending it again changes nothing. Raises NotFoundError."""
    coverage = get(session, coverage_id)
    if coverage.status is CoverageStatus.ACTIVE:
        _cancel(session, coverage, agent)
    return coverage


def get(session: Session, coverage_id: str) -> Coverage:
    """Raises NotFoundError."""
    found = session.scalars(select(Coverage).where(Coverage.id == coverage_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"Coverage/{coverage_id}")
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
