"""Orders and referrals on file."""

from __future__ import annotations

from scheduling_core import orders
from scheduling_core.db import Database
from scheduling_core.models import RequestStatus
from tests.factories import make_patient


def test_an_order_is_on_file_for_its_patient_and_service_alone(database: Database) -> None:
    with database.transaction() as session:
        ruth, olga = make_patient(session), make_patient(session, given="Olga")
        orders.add(session, patient_id=ruth.id, service_id="blood-draw", intent="order", note=None, agent="token:ehr")
    with database.reading() as session:
        assert orders.on_file(session, patient_id=ruth.id, service_id="blood-draw")
        assert not orders.on_file(session, patient_id=ruth.id, service_id="minor-procedure")
        assert not orders.on_file(session, patient_id=olga.id, service_id="blood-draw")


def test_a_revoked_order_counts_no_longer(database: Database) -> None:
    with database.transaction() as session:
        ruth = make_patient(session)
        order = orders.add(session, patient_id=ruth.id, service_id="blood-draw", intent="order", note=None, agent="token:ehr")
        order.status = RequestStatus.REVOKED
    with database.reading() as session:
        assert not orders.on_file(session, patient_id=ruth.id, service_id="blood-draw")
