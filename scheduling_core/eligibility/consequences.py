"""What staff learn from an answered check: tasks for billing, each once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import coverage, handoff, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import answers, checks, facts, meaning
from scheduling_core.eligibility.meaning import Obstacle
from scheduling_core.models import LIVE, Appointment, CheckReason, CheckStatus, Coverage, EligibilityCheck
from scheduling_core.x12.codes import what_to_do

_VISITS_LOOKED_AT = 5
_BY_VISIT = {
    Obstacle.NOT_COVERED: "{payer} does not cover {service} on {day}. Please tell the patient what it costs, or find another way.",
    Obstacle.REFERRAL: "{payer} wants a referral for {service} on {day}, and none is on file. Please ask the referring office.",
    Obstacle.AUTHORIZATION: "{payer} wants to authorize {service} on {day} beforehand. Please ask for it.",
}


def after_booking(session: Session, clinic: ClinicFile, *, appointment_id: str, agent: str) -> list[EligibilityCheck]:
    """What a fresh booking asks for, in its transaction: the payers asked about it, and billing told what it needs.

    `answers.wait` looks for an answer afterwards, outside of the transaction.
    """
    visit = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one()
    note_visit(session, clinic, visit)
    return checks.request_for_visit(
        session, clinic, appointment_id=appointment_id, agent=agent, reason=CheckReason.GIVEN, key=f"booked:{appointment_id}"
    )


def before_estimate(session: Session, clinic: ClinicFile, *, patient_id: str, service_id: str, agent: str, key: str) -> str | None:
    """Have the payer asked about a service where nothing fresh is known: the id of the check to wait for (`answers.wait`)."""
    known = meaning.standing(session, clinic, patient_id=patient_id)
    if known is None or known.payer is None or not known.coverage.subscriber_id:
        return None
    if known.check and known.check.status is not CheckStatus.FAILED and not answers.is_old(known.check, clinic):
        return None
    service = clinic.services_by_id[service_id]
    check = checks.request(
        session,
        coverage=known.coverage,
        reason=CheckReason.DEMAND,
        agent=agent,
        service_id=service_id,
        service_type=service.service_type,
        key=key,
    )
    return check.id if check else None


def tell_billing(session: Session, clinic: ClinicFile, check_id: str) -> None:
    """Open the tasks that a settled check asks for: a refusal, no answer, a plan not in force, and what visits ahead need."""
    found = (
        select(EligibilityCheck, Coverage.payer_name)
        .join(EligibilityCheck.coverage)
        .where(EligibilityCheck.id == check_id)
        .execution_options(populate_existing=True)
    )
    check, payer = session.execute(found).tuples().one()
    if check.status is CheckStatus.REJECTED:
        words = " ".join(dict.fromkeys(one.do for one in answers.rejections(check))) or what_to_do(check.error or "")
        _task(session, check, "coverage-rejected", f"{payer} refused our inquiry (reason {check.error}). {words}")
    elif check.status is CheckStatus.FAILED:
        words = f"{payer} gave no answer that can be used ({check.error}). Please verify the coverage by phone or portal."
        _task(session, check, "coverage-unanswered", words)
    elif check.in_force is False:
        words = f"{payer} says that the plan is not in force on {check.on_date}. Please ask the patient for another insurance."
        _task(session, check, "coverage-inactive", words)
    else:
        _of_other_payers(session, check, payer)
        _of_visits(session, clinic, check)


def _task(session: Session, check: EligibilityCheck, reason: str, words: str) -> None:
    """One task a coverage and reason until the coverage changes: the tenth refusal says no more than the first."""
    handoff.open_task(
        session,
        team="billing",
        reason=reason,
        description=words,
        patient_id=check.patient_id,
        appointment_id=check.appointment_id,
        key=f"{reason}:{check.coverage_id}:{check.error or check.on_date}",
    )


def _of_other_payers(session: Session, check: EligibilityCheck, payer: str) -> None:
    """Another insurer that the payer knows of and we do not: who pays first is for a person to find out."""
    member = answers.member_in(check)
    names = [party.name for party in facts.other_payers(member)] if member else []
    if names and len(coverage.active(session, patient_id=check.patient_id)) == 1:
        words = f"{payer} knows of another insurer: {', '.join(names)}. Please ask the patient which of them pays first."
        _task(session, check, "coverage-other-payer", words)


def _of_visits(session: Session, clinic: ClinicFile, check: EligibilityCheck) -> None:
    visits = select(Appointment).where(
        Appointment.patient_id == check.patient_id, Appointment.status.in_(LIVE), Appointment.start > times.now()
    )
    if check.appointment_id:
        visits = visits.where(Appointment.id == check.appointment_id)
    for visit in session.scalars(visits.order_by(Appointment.start).limit(_VISITS_LOOKED_AT)).all():
        note_visit(session, clinic, visit)


def note_visit(session: Session, clinic: ClinicFile, visit: Appointment) -> None:
    """Open a task for each thing that billing has to settle before this visit, each once."""
    assert visit.start is not None, "a live visit has a time"
    if visit.patient_id is None:
        return
    day = times.to_wall(visit.start, clinic.zone).date()
    found = meaning.findings(
        session,
        clinic,
        patient_id=visit.patient_id,
        service_id=visit.service_id,
        practitioner_id=visit.practitioner_id,
        on=day,
    )
    for one in found:
        if words := _BY_VISIT.get(one.obstacle):
            service = clinic.services_by_id.get(visit.service_id)
            handoff.open_task(
                session,
                team="billing",
                reason=f"coverage-{one.obstacle.replace('_', '-')}",
                description=words.format(payer=one.payer_name, service=service.name if service else visit.service_id, day=day),
                patient_id=visit.patient_id,
                appointment_id=visit.id,
                key=f"coverage-{one.obstacle}:{visit.id}",
            )
