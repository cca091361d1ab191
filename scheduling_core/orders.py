"""Orders and referrals on file: what `needs_order` and `needs_referral` ask for."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, patients, times
from scheduling_core.models import RequestCategory, RequestStatus, ServiceRequest, new_id


def on_file(session: Session, *, patient_id: str, service_id: str) -> bool:
    """Whether an active order or referral of this patient asks for this service."""
    found = session.scalars(
        select(ServiceRequest.id)
        .where(
            ServiceRequest.patient_id == patient_id,
            ServiceRequest.service_id == service_id,
            ServiceRequest.status == RequestStatus.ACTIVE,
            ServiceRequest.category != RequestCategory.REFERRAL_OUT,
        )
        .limit(1)
    )
    return found.first() is not None


def add(
    session: Session,
    *,
    patient_id: str,
    service_id: str,
    intent: str,
    note: str | None,
    agent: str,
    category: RequestCategory = RequestCategory.ORDER,
    occurs_from: dt.date | None = None,
    occurs_until: dt.date | None = None,
) -> ServiceRequest:
    """Put an order or a referral on file. `intent` is FHIR's (order, plan, ...). Raises NotFoundError."""
    patients.get(session, patient_id)
    request = ServiceRequest(
        id=new_id(),
        patient_id=patient_id,
        service_id=service_id,
        status=RequestStatus.ACTIVE,
        intent=intent,
        note=note,
        category=category,
        occurs_from=occurs_from,
        occurs_until=occurs_until,
        created_at=times.now(),
    )
    session.add(request)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="ServiceRequest", entity_id=request.id, patient_id=patient_id)
    return request
