"""What patients say of their own health before a visit: allergies, medicines, illnesses, in their own words.

Words, not codes: a person of the clinical team reads them, and nothing here draws a conclusion from them.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, patients, times
from scheduling_core.models import Statement, StatementKind, new_id


def note(session: Session, *, patient_id: str, kind: StatementKind, said: str, agent: str) -> Statement:
    """Keep what a patient said; the same words of the same kind are kept once. Raises NotFoundError."""
    patients.get(session, patient_id)
    said = said[:500]
    same = (Statement.patient_id == patient_id, Statement.kind == kind, Statement.said == said)
    if earlier := session.scalars(select(Statement).where(*same)).first():
        return earlier
    statement = Statement(id=new_id(), patient_id=patient_id, kind=kind, said=said, created_at=times.now())
    session.add(statement)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="Statement", entity_id=statement.id, patient_id=patient_id)
    return statement
