"""What a visit would cost a patient, from what is on file: prices of the clinic file, coverages, and the payers' last answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.clinic_file.schema import ClinicFile, PayerPart
from scheduling_core.eligibility import answers, facts, meaning
from scheduling_core.eligibility.costs import Estimate, Plan, Price, estimate
from scheduling_core.eligibility.meaning import Standing
from scheduling_core.x12 import Network, codes


@dataclass(frozen=True)
class PatientEstimate:
    """An estimate and what it rests on. `payer_name` None: the patient pays alone; `checked_at`: when the payer last answered."""

    estimate: Estimate
    service_id: str
    payer_name: str | None
    plan_name: str
    status: facts.Status
    network: Network
    checked_at: dt.datetime | None
    old: bool


def price_of(clinic: ClinicFile, service_id: str, payer: PayerPart | None) -> Price:
    """What the clinic file says of a service's price, in cents."""
    allowed = payer.allowed_amounts.get(service_id) if payer else None
    listed = clinic.self_pay.price_list.get(service_id)
    return Price(*(None if amount is None else int(amount * 100) for amount in (allowed, listed)))


def for_patient(
    session: Session,
    clinic: ClinicFile,
    *,
    patient_id: str,
    service_id: str,
    agent: str,
    practitioner_id: str | None = None,
    on: dt.date | None = None,
) -> PatientEstimate:
    """What this patient would pay for a service, with this practitioner or any in network, on a day (today where none is named)."""
    day = on or times.to_wall(times.now(), clinic.zone).date()
    first = meaning.standing(session, clinic, patient_id=patient_id)
    second = meaning.standing(session, clinic, patient_id=patient_id, rank=2) if first else None
    audit.record(
        session, agent=agent, action="R", entity="Coverage", entity_id=first.coverage.id if first else None, patient_id=patient_id
    )
    price = price_of(clinic, service_id, first.payer if first else None)
    primary = _plan(clinic, first, service_id, practitioner_id, day) if first else None
    secondary = _plan(clinic, second, service_id, practitioner_id, day) if second else None
    check = first.check if first else None
    return PatientEstimate(
        estimate=estimate(price, primary, secondary),
        service_id=service_id,
        payer_name=(first.payer.name if first.payer else first.coverage.payer_name) if first else None,
        plan_name=facts.plan_name(first.member) if first and first.member else "",
        status=primary.status if primary else facts.Status.UNKNOWN,
        network=primary.network if primary else Network.UNKNOWN,
        checked_at=check.answered_at if check else None,
        old=check is None or answers.is_old(check, clinic),
    )


def _plan(clinic: ClinicFile, known: Standing, service_id: str, practitioner_id: str | None, day: dt.date) -> Plan:
    network = meaning.network_of(clinic, known.payer, service_id, practitioner_id)
    if known.member is None:
        return Plan(facts.Status.UNKNOWN, network)
    service = clinic.services_by_id.get(service_id)
    kind = service.service_type if service else codes.HEALTH_PLAN
    never = facts.Terms(covered=False)
    excluded = known.payer is not None and service_id in known.payer.not_covered
    return Plan(
        status=facts.status_on(known.member, day),
        network=network,
        inside=never if excluded else facts.terms(known.member, kind, Network.IN, day),
        outside=never if excluded else facts.terms(known.member, kind, Network.OUT, day),
    )
