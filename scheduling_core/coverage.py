"""A patient's insurance, as told to us."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency, patients, times
from scheduling_core.models import Coverage, CoverageStatus, new_id


def active(session: Session, *, patient_id: str) -> list[Coverage]:
    """The coverages in force, the latest first."""
    found = session.scalars(
        select(Coverage)
        .where(Coverage.patient_id == patient_id, Coverage.status == CoverageStatus.ACTIVE)
        .order_by(Coverage.created_at.desc(), Coverage.id)
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
    key: str | None = None,
) -> Coverage:
    """Note a coverage; those in force before it become cancelled. `payer_id` is None for a payer that the clinic file has not.

    The same key again answers the same coverage. Raises NotFoundError.
    """
    if earlier := idempotency.earlier_answer(session, key):
        return session.scalars(select(Coverage).where(Coverage.id == earlier["coverage_id"])).one()
    patients.get(session, patient_id)
    now = times.now()
    for old in active(session, patient_id=patient_id):
        old.status, old.updated_at = CoverageStatus.CANCELLED, now
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="Coverage",
            entity_id=old.id,
            patient_id=patient_id,
            detail={"status": {"old": CoverageStatus.ACTIVE, "new": CoverageStatus.CANCELLED}},
        )
    coverage = Coverage(
        id=new_id(),
        patient_id=patient_id,
        status=CoverageStatus.ACTIVE,
        payer_id=payer_id,
        payer_name=payer_name,
        subscriber_id=subscriber_id,
        relationship="self",
        created_at=now,
        updated_at=now,
    )
    session.add(coverage)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="Coverage", entity_id=coverage.id, patient_id=patient_id)
    idempotency.remember(session, key, {"coverage_id": coverage.id})
    return coverage
