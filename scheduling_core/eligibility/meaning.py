"""What a patient's insurance means for a visit that is about to be booked: obstacles, and what the clinic does about each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile, PayerPart
from scheduling_core.eligibility import answers, facts
from scheduling_core.models import (
    CheckStatus,
    Coverage,
    CoverageStatus,
    EligibilityCheck,
    RequestStatus,
    ServiceRequest,
)
from scheduling_core.x12 import Member, Network, codes


class Obstacle(StrEnum):
    """The rules of `eligibility.rules` in the clinic file, by their names."""

    INACTIVE = "inactive"
    NOT_FOUND = "not_found"
    UNANSWERED = "unanswered"
    OUT_OF_NETWORK = "out_of_network"
    NETWORK_UNKNOWN = "network_unknown"
    NOT_COVERED = "not_covered"
    REFERRAL = "referral"
    AUTHORIZATION = "authorization"


class Decision(StrEnum):
    """What the clinic does: tell the patient and go on, ask whether to go on, or leave it to a person."""

    TELL = "tell"
    ASK = "ask"
    STOP = "stop"


@dataclass(frozen=True)
class Finding:
    """One obstacle, and the ways around it: practitioners in network who give the service, and the price of paying alone."""

    obstacle: Obstacle
    decision: Decision
    payer_name: str
    service_id: str
    practitioner_id: str | None
    in_network: tuple[str, ...] = ()
    self_pay_cents: int | None = None
    primary_care: str = ""


@dataclass(frozen=True)
class Standing:
    """Who pays first for a patient, and the last that the payer said. `member` is None where there is no answer to go by."""

    coverage: Coverage
    payer: PayerPart | None
    check: EligibilityCheck | None
    member: Member | None


def standing(session: Session, clinic: ClinicFile, *, patient_id: str, rank: int = 1) -> Standing | None:
    """The coverage in force at a rank; None where there is none, or the patient pays alone."""
    coverage = session.scalars(
        select(Coverage)
        .where(
            Coverage.patient_id == patient_id,
            Coverage.status == CoverageStatus.ACTIVE,
            Coverage.rank == rank,
            Coverage.self_pay.is_(False),
        )
        .order_by(Coverage.created_at.desc(), Coverage.id)
        .limit(1)
    ).one_or_none()
    if coverage is None:
        return None
    check = answers.latest(session, coverage_id=coverage.id)
    member = answers.member_in(check) if check else None
    return Standing(coverage, clinic.payers_by_id.get(coverage.payer_id or ""), check, member)


def network_of(clinic: ClinicFile, payer: PayerPart | None, service_id: str, practitioner_id: str | None) -> Network:
    """Whether a practitioner is in a payer's network, by the clinic file; without one, whether anybody who gives the service is."""
    if payer is None or not payer.in_network:
        return Network.UNKNOWN
    if practitioner_id is not None:
        return Network.IN if practitioner_id in payer.in_network else Network.OUT
    return Network.IN if givers_in_network(clinic, payer, service_id) else Network.OUT


def givers_in_network(clinic: ClinicFile, payer: PayerPart, service_id: str) -> tuple[str, ...]:
    """Who gives a service and is in the payer's network, in the order of the clinic file."""
    return tuple(who.id for who in clinic.practitioners if service_id in who.services and who.id in payer.in_network)


def findings(
    session: Session,
    clinic: ClinicFile,
    *,
    patient_id: str,
    service_id: str,
    practitioner_id: str | None = None,
    on: dt.date | None = None,
) -> list[Finding]:
    """What stands in the way of this visit, the gravest first. Nothing where no insurance is on file."""
    known = standing(session, clinic, patient_id=patient_id)
    if known is None:
        return []
    day = on or times.to_wall(times.now(), clinic.zone).date()
    found = [*_of_plan(known, day)]
    if Obstacle.INACTIVE not in found:
        found += _of_service(session, clinic, known, service_id, practitioner_id, day)
    price = clinic.self_pay.price_list.get(service_id) if clinic.self_pay.allowed else None
    doctor = facts.primary_care(known.member) if known.member else None
    return [
        Finding(
            obstacle=one,
            decision=Decision(getattr(clinic.eligibility.rules, one)),
            payer_name=known.payer.name if known.payer else known.coverage.payer_name,
            service_id=service_id,
            practitioner_id=practitioner_id,
            in_network=givers_in_network(clinic, known.payer, service_id) if known.payer else (),
            self_pay_cents=int(price * 100) if price is not None else None,
            primary_care=f"{doctor.given} {doctor.name}".strip().title() if doctor else "",
        )
        for one in found
    ]


def decision(found: list[Finding]) -> Decision | None:
    """The strictest of what the clinic does about all of it; None where nothing stands in the way."""
    for strictest in (Decision.STOP, Decision.ASK, Decision.TELL):
        if any(one.decision is strictest for one in found):
            return strictest
    return None


def _of_plan(known: Standing, day: dt.date) -> list[Obstacle]:
    check = known.check
    if check is None or check.status is CheckStatus.FAILED:
        return [Obstacle.UNANSWERED] if known.payer and known.coverage.subscriber_id else []
    if check.status is CheckStatus.REJECTED or known.member is None:
        return [Obstacle.NOT_FOUND]
    return [Obstacle.INACTIVE] if facts.status_on(known.member, day) is facts.Status.INACTIVE else []


def _of_service(
    session: Session, clinic: ClinicFile, known: Standing, service_id: str, practitioner_id: str | None, day: dt.date
) -> list[Obstacle]:
    found: list[Obstacle] = []
    service = clinic.services_by_id.get(service_id)
    network = network_of(clinic, known.payer, service_id, practitioner_id)
    kind = service.service_type if service else codes.HEALTH_PLAN
    terms = facts.Terms()
    if known.member:
        terms = facts.terms(known.member, kind, Network.OUT if network is Network.OUT else Network.IN, day)
    listed = known.payer
    if terms.covered is False or (listed and service_id in listed.not_covered):
        found.append(Obstacle.NOT_COVERED)
    if network is Network.OUT:
        found.append(Obstacle.OUT_OF_NETWORK)
    elif network is Network.UNKNOWN:
        found.append(Obstacle.NETWORK_UNKNOWN)
    if listed and service_id in listed.needs_referral and not _has_referral(session, known.coverage.patient_id, service_id):
        found.append(Obstacle.REFERRAL)
    if terms.authorization or (listed and service_id in listed.needs_authorization):
        found.append(Obstacle.AUTHORIZATION)
    return found


def _has_referral(session: Session, patient_id: str, service_id: str) -> bool:
    found = select(ServiceRequest.id).where(
        ServiceRequest.patient_id == patient_id,
        ServiceRequest.service_id == service_id,
        ServiceRequest.status == RequestStatus.ACTIVE,
    )
    return session.execute(found.limit(1)).first() is not None
