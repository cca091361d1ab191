"""What teams have to do because a visit was booked, moved or cancelled: help at the visit, labs before it, and what it costs."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from scheduling_core import handoff, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import consequences, estimates
from scheduling_core.eligibility.costs import Estimate
from scheduling_core.eligibility.words import money
from scheduling_core.models import (
    LIVE,
    Appointment,
    Mode,
    Priority,
    RequestCategory,
    RequestStatus,
    ServiceRequest,
    Task,
    TaskStatus,
    ToldVisit,
)
from scheduling_core.visit_changes import Change, Kind, in_words, wall_start

NEED, LABS, COPAY = "need-at-visit", "labs-before-visit", "copay-changed"
_TEAMS = {"interpreter": "language-access", "sign-language": "language-access", "wheelchair": "mobility", "low-vision": "mobility"}
_AT_THE_PLACE = ("wheelchair",)  # nobody has to see to it where the patient stays at home


def tell_teams(session: Session, clinic: ClinicFile, change: Change) -> None:
    """Open the tasks that a change asks for, each once, and take back those that it makes idle."""
    _needs(session, clinic, change)
    if change.kind is Kind.CANCELLED:
        for task in _open_tasks(session, change.visit, "billing", "clinical"):
            if task.reason.startswith("coverage-") or task.reason in (LABS, COPAY):
                handoff.close_task(session, task_id=task.id, agent="worker", status=TaskStatus.CANCELLED)
        return
    _labs(session, clinic, change)
    consequences.note_visit(session, clinic, change.visit)
    if change.told is not None:
        _copay(session, clinic, change, change.told)


def _open_tasks(session: Session, visit: Appointment, *teams: str) -> list[Task]:
    found = select(Task).where(Task.appointment_id == visit.id, Task.patient_id == visit.patient_id, Task.status.in_(handoff.OPEN))
    return list(session.scalars(found.where(Task.team.in_(teams)) if teams else found))


# help at the visit


def _needs(session: Session, clinic: ClinicFile, change: Change) -> None:
    """A task for each need on the patient's record; one that was done for the old time is told of the new one."""
    visit = change.visit
    assert visit.patient_id
    prefix = f"need:{visit.id}:"
    about = select(Task).where(Task.patient_id == visit.patient_id, Task.appointment_id == visit.id, Task.reason == NEED)
    earlier = session.scalars(about.order_by(Task.created_at, Task.id)).all()
    arranged = {(task.idempotency_key or "").split(":", 3)[3] for task in earlier if task.status is TaskStatus.COMPLETED}
    for task in earlier:
        handoff.close_task(session, task_id=task.id, agent="worker", status=TaskStatus.CANCELLED)
    if change.kind is Kind.CANCELLED:
        wanted, words = sorted(arranged), "No longer needed, the visit is cancelled"
    else:
        needs = patients.get(session, visit.patient_id).needs
        wanted = [need for need in needs if not (visit.mode is Mode.VIDEO and need in _AT_THE_PLACE)]
        words = "Needed at a visit"
    was = f" It was arranged for {in_words(clinic, change.told)}." if change.told and change.kind is Kind.MOVED else ""
    for need in wanted:
        handoff.open_task(
            session,
            team=_team(clinic, need),
            reason=NEED,
            description=f"{words}: {need}. {in_words(clinic, visit)}.{was if need in arranged else ''}",
            priority=Priority.URGENT if wall_start(clinic, visit).date() == _today(clinic) else Priority.ROUTINE,
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            due_at=visit.start,
            key=f"{prefix}{visit.sequence}.{change.kind}:{need}",
        )


def _team(clinic: ClinicFile, need: str) -> str:
    wanted, teams = _TEAMS.get(need.split(":")[0], "desk"), clinic.handoff.teams
    return wanted if wanted in teams else teams[0]


# labs


def _labs(session: Session, clinic: ClinicFile, change: Change) -> None:
    """Labs that are ordered and have no time yet: somebody may want their results at this visit."""
    visit = change.visit
    lab_ids = [service.id for service in clinic.services if service.needs_order]
    if not lab_ids or visit.service_id in lab_ids:
        return
    booked = exists().where(
        Appointment.organization_id == ServiceRequest.organization_id,
        Appointment.patient_id == ServiceRequest.patient_id,
        Appointment.service_id == ServiceRequest.service_id,
        Appointment.status.in_(LIVE),
        Appointment.end > times.now(),
        Appointment.start <= visit.end,
    )
    orders = select(ServiceRequest).where(
        ServiceRequest.patient_id == visit.patient_id,
        ServiceRequest.status == RequestStatus.ACTIVE,
        ServiceRequest.category == RequestCategory.ORDER,
        ServiceRequest.service_id.in_(lab_ids),
        ~booked,
    )
    day = wall_start(clinic, visit).date()
    for order in session.scalars(orders.order_by(ServiceRequest.created_at, ServiceRequest.id)).all():
        if order.occurs_from is None or order.occurs_from <= day:
            handoff.open_task(
                session,
                team="clinical" if "clinical" in clinic.handoff.teams else clinic.handoff.teams[0],
                reason=LABS,
                description=f"{clinic.services_by_id[order.service_id].name} is ordered and has no time yet; the next visit is"
                f" {in_words(clinic, visit)}.",
                patient_id=visit.patient_id,
                appointment_id=visit.id,
                due_at=visit.start,
                key=f"labs:{visit.id}:{order.id}",
            )


# what it costs


def _copay(session: Session, clinic: ClinicFile, change: Change, told: ToldVisit) -> None:
    """A move that changes what the patient pays, or what we know of it: another practitioner's network, another plan year."""
    before, now = _estimate(session, clinic, change.visit, told), _estimate(session, clinic, change.visit, change.visit)
    if (before.low, before.high) == (now.low, now.high):
        return
    handoff.open_task(
        session,
        team="billing" if "billing" in clinic.handoff.teams else clinic.handoff.teams[0],
        reason=COPAY,
        description=f"Moved from {in_words(clinic, told)} to {in_words(clinic, change.visit)}: the patient's part was"
        f" {_amount(before)} and is {_amount(now)}. Please tell the patient.",
        patient_id=change.visit.patient_id,
        appointment_id=change.visit.id,
        due_at=change.visit.start,
        key=f"copay:{change.key}",
    )


def _estimate(session: Session, clinic: ClinicFile, visit: Appointment, as_it_is: Appointment | ToldVisit) -> Estimate:
    assert visit.patient_id
    assert as_it_is.practitioner_id
    return estimates.for_patient(
        session,
        clinic,
        patient_id=visit.patient_id,
        service_id=as_it_is.service_id,
        practitioner_id=as_it_is.practitioner_id,
        on=wall_start(clinic, as_it_is).date(),
        agent="worker",
    ).estimate


def _amount(found: Estimate) -> str:
    if found.high is None:
        return "unknown" if found.low == 0 else f"{money(found.low)} or more"
    return money(found.low) if found.exact else f"{money(found.low)} to {money(found.high)}"


def _today(clinic: ClinicFile) -> dt.date:
    return times.to_wall(times.now(), clinic.zone).date()
