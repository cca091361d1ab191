"""What patients say of their health."""

from __future__ import annotations

from sqlalchemy import func, select

from scheduling_core import intake
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, Statement, StatementKind
from tests.factories import make_patient


def test_words_about_health_are_kept_once_and_audited(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        for _ in range(2):
            intake.note(
                session,
                patient_id=ruth.id,
                kind=StatementKind.ALLERGIES,
                said="I'm allergic to penicillin",
                agent="assistant:c1",
            )
    with database.reading() as session:
        assert [(one.kind, one.said) for one in session.scalars(select(Statement))] == [("allergies", "I'm allergic to penicillin")]
        audited = select(func.count()).select_from(AuditEvent).where(AuditEvent.entity == "Statement")
        assert session.scalar(audited) == 1
