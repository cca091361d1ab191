"""Eligibility checks as rows: what is to be asked, who asks it, and what was answered.

A check waits as `queued`. A worker takes it by a conditional UPDATE for a while of elapsed time, asks the payer outside of any
transaction, and keeps the answer by another conditional UPDATE: who has lost the check to somebody else keeps nothing.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import answers, facts
from scheduling_core.models import (
    LIVE,
    Appointment,
    CheckReason,
    CheckStatus,
    Coverage,
    CoverageStatus,
    EligibilityCheck,
    Patient,
    Sex,
    new_id,
)
from scheduling_core.x12 import Inquiry, Person, X12Error, codes, parse_271

WAITING = (CheckStatus.QUEUED, CheckStatus.ASKING)
ATTEMPTS = 5
"""After this many without an answer staff are told."""
_PAUSES = (5.0, 30.0, 120.0, 600.0)
_PER_STEP = 200


# what is to be asked


def request(
    session: Session,
    *,
    coverage: Coverage,
    reason: CheckReason,
    agent: str,
    service_id: str | None = None,
    service_type: str = codes.HEALTH_PLAN,
    on: dt.date | None = None,
    appointment_id: str | None = None,
    key: str | None = None,
) -> EligibilityCheck | None:
    """Have a payer asked soon; the same key again asks nothing: None. `on` is the day of service, else today in UTC."""
    check_id = new_id()
    inserted = idempotency.insert_unless_there(
        session,
        EligibilityCheck,
        id=check_id,
        patient_id=coverage.patient_id,
        coverage_id=coverage.id,
        appointment_id=appointment_id,
        service_id=service_id,
        service_type=service_type,
        reason=reason,
        status=CheckStatus.QUEUED,
        on_date=on or times.now().date(),
        requested_by=agent,
        attempts=0,
        worker_until=0.0,
        retry_at=0.0,
        idempotency_key=key,
        created_at=times.now(),
    )
    if not inserted:
        return None
    audit.record(
        session,
        agent=agent,
        action="C",
        entity="CoverageEligibilityRequest",
        entity_id=check_id,
        patient_id=coverage.patient_id,
        detail={"reason": reason, "coverage": coverage.id},
    )
    return session.scalars(select(EligibilityCheck).where(EligibilityCheck.id == check_id)).one()


def request_for_visit(
    session: Session,
    clinic: ClinicFile,
    *,
    appointment_id: str,
    agent: str,
    reason: CheckReason = CheckReason.DEMAND,
    key: str | None = None,
) -> list[EligibilityCheck]:
    """Have the payers of a visit's patient asked about its service on its day. Nothing where none can be asked."""
    visit = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one()
    if visit.patient_id is None or visit.start is None:
        return []
    service = clinic.services_by_id.get(visit.service_id)
    day = times.to_wall(visit.start, clinic.zone).date()
    found = [
        request(
            session,
            coverage=coverage,
            reason=reason,
            agent=agent,
            service_id=visit.service_id,
            service_type=service.service_type if service else codes.HEALTH_PLAN,
            on=day,
            appointment_id=visit.id,
            key=f"{key}:{coverage.id}" if key else None,
        )
        for coverage in _askable(session, clinic, visit.patient_id)
    ]
    return [check for check in found if check]


def cancel_waiting(session: Session, *, coverage_id: str) -> None:
    """Nobody asks any more about a coverage that has ended."""
    session.execute(
        update(EligibilityCheck)
        .where(
            EligibilityCheck.organization_id == session.info["organization"],
            EligibilityCheck.coverage_id == coverage_id,
            EligibilityCheck.status.in_(WAITING),
        )
        .values(status=CheckStatus.CANCELLED)
        .execution_options(synchronize_session=False)
    )


def any_due(session: Session, clinic: ClinicFile) -> bool:
    """Whether `request_due` has something to ask."""
    return any(session.execute(found.limit(1)).first() is not None for found in (_due_visits(clinic), _aged(clinic)))


def request_due(session: Session, clinic: ClinicFile) -> bool:
    """Ask about visits that are near and about answers that are old; whether there may be more."""
    today = times.now().date()
    found = session.execute(_due_visits(clinic).limit(_PER_STEP)).tuples().all()
    for visit, coverage in found:
        assert visit.start is not None, "a live visit has a time"
        service = clinic.services_by_id.get(visit.service_id)
        day = times.to_wall(visit.start, clinic.zone).date()
        request(
            session,
            coverage=coverage,
            reason=CheckReason.BEFORE_VISIT,
            agent="worker",
            service_id=visit.service_id,
            service_type=service.service_type if service else codes.HEALTH_PLAN,
            on=day,
            appointment_id=visit.id,
            key=f"visit:{visit.id}:{coverage.id}:{today}:{day}",
        )
    old = session.scalars(_aged(clinic).limit(_PER_STEP)).all()
    for coverage in old:
        request(session, coverage=coverage, reason=CheckReason.AGED, agent="worker", key=f"aged:{coverage.id}:{today}")
    return _PER_STEP in (len(found), len(old))


def _due_visits(clinic: ClinicFile) -> Select[tuple[Appointment, Coverage]]:
    """Visits of the coming `check_days_before` days about whose day no payer was asked in as many days."""
    now = times.now()
    today = times.to_wall(now, clinic.zone).date()
    days = clinic.eligibility.check_days_before + 1
    midnights = [times.from_wall(today + dt.timedelta(days=ahead), dt.time(), clinic.zone) for ahead in range(days + 1)]
    same_day = [  # a visit that was moved is asked about again: the plan may end between the two days
        and_(EligibilityCheck.on_date == today + dt.timedelta(days=ahead), Appointment.start >= begins, Appointment.start < ends)
        for ahead, (begins, ends) in enumerate(pairwise(midnights))
    ]
    asked = _asked_since(now - dt.timedelta(days=days)).where(EligibilityCheck.appointment_id == Appointment.id, or_(*same_day))
    return (
        select(Appointment, Coverage)
        .join(
            Coverage, and_(Coverage.organization_id == Appointment.organization_id, Coverage.patient_id == Appointment.patient_id)
        )
        .where(
            Appointment.status.in_(LIVE),
            Appointment.start > now,
            Appointment.start < midnights[-1],
            _can_be_asked(clinic),
            ~asked.exists(),
        )
        .order_by(Appointment.start, Appointment.id)
    )


def _aged(clinic: ClinicFile) -> Select[tuple[Coverage]]:
    """Coverages of patients with a visit ahead that were asked about once, but not in the last `recheck_after_days`."""
    now = times.now()
    ahead = select(Appointment.id).where(
        Appointment.organization_id == Coverage.organization_id,
        Appointment.patient_id == Coverage.patient_id,
        Appointment.status.in_(LIVE),
        Appointment.start > now,
    )
    lately = _asked_since(now - dt.timedelta(days=clinic.eligibility.recheck_after_days))
    ever = _asked_since(dt.datetime.min.replace(tzinfo=dt.UTC))
    return select(Coverage).where(_can_be_asked(clinic), ahead.exists(), ever.exists(), ~lately.exists()).order_by(Coverage.id)


def _asked_since(moment: dt.datetime) -> Select[tuple[str]]:
    return select(EligibilityCheck.id).where(
        EligibilityCheck.organization_id == Coverage.organization_id,
        EligibilityCheck.coverage_id == Coverage.id,
        EligibilityCheck.status != CheckStatus.CANCELLED,
        EligibilityCheck.created_at >= moment,
    )


def _can_be_asked(clinic: ClinicFile) -> ColumnElement[bool]:
    return and_(
        Coverage.status == CoverageStatus.ACTIVE,
        Coverage.payer_id.in_(list(clinic.payers_by_id)),
        Coverage.subscriber_id.is_not(None),
    )


def _askable(session: Session, clinic: ClinicFile, patient_id: str) -> list[Coverage]:
    found = select(Coverage).where(Coverage.patient_id == patient_id, _can_be_asked(clinic)).order_by(Coverage.rank)
    return list(session.scalars(found))


# who asks


def any_waiting(session: Session) -> bool:
    """Whether a worker has something to ask now."""
    return session.execute(_takeable(time.time()).limit(1)).first() is not None


def claim(session: Session, *, worker: str, limit: int, lease_seconds: float) -> list[EligibilityCheck]:
    """Checks that this worker asks now, the oldest first: new ones, ones to be tried again, and those that a killed worker had.

    The claim lasts `lease_seconds` of elapsed time.
    """
    elapsed = time.time()
    chosen = (
        _takeable(elapsed)
        .where(EligibilityCheck.organization_id == session.info["organization"])
        .order_by(EligibilityCheck.retry_at, EligibilityCheck.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()  # PostgreSQL may run a subquery again for each row that it looks at, and then claims beyond the limit
    )
    claimed = session.scalars(
        update(EligibilityCheck)
        .where(EligibilityCheck.organization_id == session.info["organization"], EligibilityCheck.id.in_(select(chosen.c.id)))
        .values(
            status=CheckStatus.ASKING,
            worker=worker,
            worker_until=elapsed + lease_seconds,
            attempts=EligibilityCheck.attempts + 1,
        )
        .returning(EligibilityCheck)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    for check in claimed:
        audit.record(
            session,
            agent="worker",
            action="E",
            entity="CoverageEligibilityRequest",
            entity_id=check.id,
            patient_id=check.patient_id,
            detail={"attempt": check.attempts},
        )
    return list(claimed)


def _takeable(elapsed: float) -> Select[tuple[str]]:
    return select(EligibilityCheck.id).where(
        or_(
            and_(EligibilityCheck.status == CheckStatus.QUEUED, EligibilityCheck.retry_at <= elapsed),
            and_(EligibilityCheck.status == CheckStatus.ASKING, EligibilityCheck.worker_until < elapsed),
        )
    )


@dataclass(frozen=True)
class Sender:
    """Who asks: ISA06 and ISA08, and whether this is production."""

    sender: str
    receiver: str
    production: bool


def inquiries(
    session: Session, clinic: ClinicFile, claimed: Sequence[EligibilityCheck], sender: Sender
) -> list[tuple[EligibilityCheck, Inquiry | None]]:
    """What is asked of the payers; None where a coverage or its payer are no longer there."""
    found = (
        select(EligibilityCheck.id, Coverage, Patient.family, Patient.given, Patient.birth_date, Patient.sex)
        .join(
            Coverage,
            and_(Coverage.organization_id == EligibilityCheck.organization_id, Coverage.id == EligibilityCheck.coverage_id),
        )
        .join(Patient, and_(Patient.organization_id == EligibilityCheck.organization_id, Patient.id == EligibilityCheck.patient_id))
        .where(EligibilityCheck.id.in_([check.id for check in claimed]))
    )
    about = {
        check_id: (coverage, Person(family, given, birth_date, _SEXES.get(sex)))
        for check_id, coverage, family, given, birth_date, sex in session.execute(found).tuples()
    }
    return [(check, _inquiry(clinic, check, *about[check.id], sender)) for check in claimed]


def _inquiry(clinic: ClinicFile, check: EligibilityCheck, coverage: Coverage, themself: Person, sender: Sender) -> Inquiry | None:
    payer = clinic.payers_by_id.get(coverage.payer_id or "")
    if payer is None or coverage.status is not CoverageStatus.ACTIVE:
        return None
    whose = themself
    if coverage.relationship != "self":
        family, given = coverage.subscriber_family or themself.family, coverage.subscriber_given or ""
        whose = Person(family, given, coverage.subscriber_birth_date)
    return Inquiry(
        control_number=int(check.id[:7], 16) * 3 + check.attempts % 3 + 1,
        trace=check.id,
        asked_at=times.to_wall(times.now(), clinic.zone),
        on=check.on_date,
        sender=sender.sender,
        receiver=sender.receiver,
        payer_name=payer.name,
        payer_id=payer.payer_id,
        provider_name=clinic.clinic.name,
        provider_npi=clinic.clinic.npi,
        provider_number=clinic.clinic.phone.removeprefix("+"),
        subscriber=whose,
        member_id=coverage.subscriber_id,
        group_number=coverage.group_number,
        dependent=None if coverage.relationship == "self" else themself,
        relationship=coverage.relationship,
        service_type=check.service_type,
        production=sender.production,
    )


_SEXES: dict[Sex, Literal["F", "M"]] = {Sex.FEMALE: "F", Sex.MALE: "M"}


def keep_answer(session: Session, check: EligibilityCheck, content: str) -> CheckStatus | None:
    """Keep what a payer answered to a claimed check. None: the check is somebody else's by now, and nothing was kept."""
    try:
        response = parse_271(content)
    except X12Error as error:
        return keep_failure(session, check, f"unreadable-{error.segment}")
    birth_date = session.scalars(select(Patient.birth_date).where(Patient.id == check.patient_id)).one()
    member = answers.member_for(response, check.id, birth_date)
    refused = response.rejections + (member.rejections if member else ())
    if any(one.passes for one in refused):
        return keep_failure(session, check, refused[0].code)
    if member is None and not refused:
        return keep_failure(session, check, "other-person")
    if refused:
        values: dict[str, Any] = {"status": CheckStatus.REJECTED, "error": refused[0].code}
    else:
        assert member is not None
        status = facts.status_on(member, check.on_date)
        values = {"status": CheckStatus.ANSWERED, "error": None, "in_force": _IN_FORCE[status]}
    return _settle(session, check, {**values, "answer": content, "answered_at": times.now()})


_IN_FORCE = {facts.Status.ACTIVE: True, facts.Status.INACTIVE: False, facts.Status.UNKNOWN: None}


def keep_failure(session: Session, check: EligibilityCheck, code: str, *, permanent: bool = False) -> CheckStatus | None:
    """No answer: the check is tried again after a pause, or given up. None: the check is somebody else's by now."""
    if permanent or check.attempts >= ATTEMPTS:
        return _settle(session, check, {"status": CheckStatus.FAILED, "error": code[:64], "answered_at": times.now()})
    pause = _PAUSES[min(check.attempts, len(_PAUSES)) - 1]
    return _settle(session, check, {"status": CheckStatus.QUEUED, "error": code[:64], "retry_at": time.time() + pause})


def _settle(session: Session, check: EligibilityCheck, values: dict[str, Any]) -> CheckStatus | None:
    """The conditional UPDATE that makes sure that one claim is settled once."""
    kept = session.execute(
        update(EligibilityCheck)
        .where(
            EligibilityCheck.organization_id == session.info["organization"],
            EligibilityCheck.id == check.id,
            EligibilityCheck.status == CheckStatus.ASKING,
            EligibilityCheck.worker == check.worker,
            EligibilityCheck.attempts == check.attempts,
        )
        .values(**values)
        .returning(EligibilityCheck.id)
        .execution_options(synchronize_session=False)
    ).first()
    if kept is None:
        return None
    status: CheckStatus = values["status"]
    if status in answers.SETTLED:
        audit.record(
            session,
            agent="worker",
            action="C",
            entity="CoverageEligibilityResponse",
            entity_id=check.id,
            patient_id=check.patient_id,
            detail={"status": status, "error": values.get("error")},
        )
    return status


def cancel(session: Session, check: EligibilityCheck) -> None:
    """A claimed check that nobody needs any more."""
    _settle(session, check, {"status": CheckStatus.CANCELLED})
