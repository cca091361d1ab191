"""All that is known of one patient, as staff see it on one page, and who has seen it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scheduling_core import audit, coverage, merging, patient_edits, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import answers, checks, facts, meaning
from scheduling_core.eligibility.meaning import Finding
from scheduling_core.handoff import OPEN
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    AuditEvent,
    CheckReason,
    Communication,
    Coverage,
    CoverageStatus,
    EligibilityCheck,
    Outreach,
    Patient,
    PatientMerge,
    Referral,
    ServiceRequest,
    StaffAccount,
    Statement,
    Task,
)
from scheduling_core.patient_edits import Consent
from scheduling_core.x12 import Network, codes

PAST, MESSAGES, TRAIL = 20, 30, 60  # the last so many are shown
_NO_VISITS = (AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST, AppointmentStatus.ENTERED_IN_ERROR)


@dataclass(frozen=True)
class Insured:
    """A coverage in force with what its payer last said. `terms` are of `service_id`, where one is ahead, else of the plan."""

    coverage: Coverage
    check: EligibilityCheck | None  # the last that is settled
    waiting: EligibilityCheck | None  # one that is on its way
    status: facts.Status
    plan_name: str
    terms: facts.Terms
    service_id: str | None
    network: Network
    old: bool
    odd_member_id: bool
    findings: tuple[Finding, ...]
    primary_care: str
    other_payers: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """What the page shows of a patient. Lists are the latest first, visits ahead the next first."""

    patient: Patient
    consents: tuple[Consent, ...]
    ahead: tuple[Appointment, ...]
    past: tuple[Appointment, ...]
    places: tuple[Appointment, ...]
    insured: tuple[Insured, ...]
    self_pay: Coverage | None
    former: tuple[Coverage, ...]
    statements: tuple[Statement, ...]
    messages: tuple[Communication, ...]
    requests: tuple[ServiceRequest, ...]
    referrals: tuple[Referral, ...]
    outreach: tuple[Outreach, ...]
    tasks: tuple[Task, ...]
    merges: tuple[PatientMerge, ...]
    merged: tuple[Patient, ...]  # the records behind `merges`
    likely_same: tuple[Patient, ...]


def card(session: Session, clinic: ClinicFile, *, patient_id: str, agent: str) -> Card:
    """Everything, with one audit row of the reading. Raises NotFoundError."""
    patient = patients.get(session, patient_id)
    ids = merging.all_ids(session, patient_id)
    record_look(session, patient_id=patient_id, agent=agent)
    now = times.now()
    visits = select(Appointment).where(
        Appointment.patient_id.in_(ids),
        Appointment.status.not_in(_NO_VISITS),
        Appointment.start.is_not(None),
        Appointment.hold_expires_at.is_(None),  # of a hold that ended: it was never a visit
    )
    ahead = visits.where(Appointment.status.in_(LIVE), Appointment.end > now).order_by(Appointment.start)
    past = visits.where(or_(Appointment.status.not_in(LIVE), Appointment.end <= now)).order_by(Appointment.start.desc())
    coming = session.scalars(ahead).all()
    merges = merging.of_patient(session, patient_id)
    in_force = coverage.active(session, patient_id=patient_id)
    return Card(
        patient=patient,
        consents=tuple(patient_edits.consents(session, patient)),
        ahead=tuple(coming),
        past=tuple(session.scalars(past.limit(PAST))),
        places=tuple(
            session.scalars(
                select(Appointment)
                .where(Appointment.patient_id.in_(ids), Appointment.status == AppointmentStatus.WAITLIST)
                .order_by(Appointment.created_at)
            )
        ),
        insured=tuple(insured(session, clinic, one, next(iter(coming), None)) for one in in_force if not one.self_pay),
        self_pay=next((one for one in in_force if one.self_pay), None),
        former=tuple(
            session.scalars(
                select(Coverage)
                .where(Coverage.patient_id.in_(ids), Coverage.status == CoverageStatus.CANCELLED)
                .order_by(Coverage.updated_at.desc(), Coverage.id)
                .limit(PAST)
            )
        ),
        statements=tuple(
            session.scalars(
                select(Statement)
                .where(Statement.patient_id.in_(ids))
                .order_by(Statement.kind, Statement.created_at.desc(), Statement.id)
            )
        ),
        messages=tuple(messages(session, ids, limit=MESSAGES)),
        requests=tuple(
            session.scalars(
                select(ServiceRequest)
                .where(ServiceRequest.patient_id.in_(ids))
                .order_by(ServiceRequest.created_at.desc(), ServiceRequest.id)
                .limit(PAST)
            )
        ),
        referrals=tuple(
            session.scalars(
                select(Referral).where(Referral.patient_id.in_(ids)).order_by(Referral.created_at.desc(), Referral.id).limit(PAST)
            )
        ),
        outreach=tuple(
            session.scalars(
                select(Outreach).where(Outreach.patient_id.in_(ids)).order_by(Outreach.updated_at.desc(), Outreach.id).limit(PAST)
            )
        ),
        tasks=tuple(
            session.scalars(
                select(Task)
                .where(Task.patient_id.in_(ids))
                .order_by(Task.status.in_(OPEN).desc(), Task.created_at.desc(), Task.id)
                .limit(PAST)
            )
        ),
        merges=tuple(merges),
        merged=tuple(patients.get(session, one.merged_id) for one in merges),
        likely_same=tuple(merging.likely_same(session, patient, agent=agent)) if patient.active else (),
    )


def record_look(session: Session, *, patient_id: str, agent: str) -> None:
    """Whoever sees a part of the card has read it."""
    audit.record(session, agent=agent, action="R", entity="Patient", entity_id=patient_id, patient_id=patient_id)


def next_visit(session: Session, *, patient_id: str) -> Appointment | None:
    """The next live visit that has not begun. Not audited."""
    ahead = select(Appointment).where(
        Appointment.patient_id == patient_id, Appointment.status.in_(LIVE), Appointment.start > times.now()
    )
    return session.scalars(ahead.order_by(Appointment.start).limit(1)).first()


def messages(session: Session, ids: Sequence[str], *, limit: int) -> list[Communication]:
    """The last messages of these records, the latest first. Not audited."""
    found = select(Communication).where(Communication.patient_id.in_(ids)).order_by(Communication.sequence.desc())
    return list(session.scalars(found.limit(limit)))


# coverage


def insured(session: Session, clinic: ClinicFile, one: Coverage, visit: Appointment | None) -> Insured:
    """What is known of a coverage, with a look at the next visit. Not audited."""
    check = answers.latest(session, coverage_id=one.id)
    member = answers.member_in(check) if check else None
    payer = clinic.payers_by_id.get(one.payer_id or "")
    today = times.to_wall(times.now(), clinic.zone).date()
    day = times.to_wall(visit.start, clinic.zone).date() if visit and visit.start else today
    service = clinic.services_by_id.get(visit.service_id) if visit else None
    network = Network.UNKNOWN
    if visit:
        network = meaning.network_of(clinic, payer, visit.service_id, visit.practitioner_id)
    kind = service.service_type if service else codes.HEALTH_PLAN
    side = Network.OUT if network is Network.OUT else Network.IN
    findings: list[Finding] = []
    if visit and one.rank == 1:
        findings = meaning.findings(
            session,
            clinic,
            patient_id=one.patient_id,
            service_id=visit.service_id,
            practitioner_id=visit.practitioner_id,
            on=day,
        )
    doctor = facts.primary_care(member) if member else None
    return Insured(
        coverage=one,
        check=check,
        waiting=waiting_check(session, coverage_id=one.id),
        status=facts.status_on(member, today) if member else facts.Status.UNKNOWN,
        plan_name=facts.plan_name(member) if member else "",
        terms=facts.terms(member, kind, side, day) if member else facts.Terms(),
        service_id=visit.service_id if visit else None,
        network=network,
        old=check is not None and answers.is_old(check, clinic),
        odd_member_id=bool(one.subscriber_id) and coverage.doubts_member_id(clinic, one.payer_id, one.subscriber_id or ""),
        findings=tuple(findings),
        primary_care=f"{doctor.given} {doctor.name}".strip().title() if doctor else "",
        other_payers=tuple(party.name for party in facts.other_payers(member)) if member else (),
    )


def waiting_check(session: Session, *, coverage_id: str) -> EligibilityCheck | None:
    """A question to the payer that is not answered yet."""
    found = select(EligibilityCheck).where(EligibilityCheck.coverage_id == coverage_id, EligibilityCheck.status.in_(checks.WAITING))
    return session.scalars(found.order_by(EligibilityCheck.created_at.desc()).limit(1)).first()


def check_now(session: Session, clinic: ClinicFile, *, coverage_id: str, agent: str) -> EligibilityCheck | None:
    """Have the payer asked because staff want to know; the question that is on its way already, where there is one.

    None where it cannot be asked: the payer is not in the clinic file, no member id is known, or the coverage has ended. Raises
    NotFoundError.
    """
    one = coverage.get(session, coverage_id)
    if one.status is not CoverageStatus.ACTIVE or one.payer_id not in clinic.payers_by_id or not one.subscriber_id:
        return None
    if known := waiting_check(session, coverage_id=coverage_id):
        return known
    ahead = next_visit(session, patient_id=one.patient_id)
    service = clinic.services_by_id.get(ahead.service_id) if ahead else None
    return checks.request(
        session,
        coverage=one,
        reason=CheckReason.DEMAND,
        agent=agent,
        service_id=service.id if service else None,
        service_type=service.service_type if service else codes.HEALTH_PLAN,
        on=times.to_wall(ahead.start, clinic.zone).date() if ahead and ahead.start else None,
        appointment_id=ahead.id if ahead else None,
    )


# who saw it


@dataclass(frozen=True)
class Trace:
    """A row of the trail. `who` is a staff member's name, or the kind of machine."""

    at: dt.datetime
    who: str
    action: str  # C R U D E
    entity: str
    changes: tuple[tuple[str, str, str], ...]  # field, old, new
    detail: tuple[tuple[str, str], ...]


def trail(session: Session, *, patient_id: str, agent: str, limit: int = TRAIL, changes_only: bool = False) -> list[Trace]:
    """Who read or wrote what of a patient, the latest first. Reading it is a read itself. Raises NotFoundError."""
    patients.get(session, patient_id)
    rows = select(AuditEvent).where(AuditEvent.patient_id.in_(merging.all_ids(session, patient_id)))
    if changes_only:
        rows = rows.where(AuditEvent.action != "R")
    found = session.scalars(rows.order_by(AuditEvent.sequence.desc()).limit(limit)).all()
    staff = dict(session.execute(select(StaffAccount.email, StaffAccount.name)).tuples().all())
    audit.record(session, agent=agent, action="R", entity="AuditEvent", patient_id=patient_id, detail={"rows": len(found)})
    return [_trace(row, staff) for row in found]


def _trace(row: AuditEvent, staff: dict[str, str]) -> Trace:
    kind, _, name = row.agent.partition(":")
    who = staff.get(name, name) if kind == "staff" else kind
    both = {key: value for key, value in row.detail.items() if isinstance(value, dict) and "new" in value}
    changes = tuple((key, _plain(value.get("old")), _plain(value["new"])) for key, value in both.items())
    rest = tuple((key, _plain(value)) for key, value in row.detail.items() if key not in both)
    return Trace(row.at, who, row.action, row.entity, changes, rest)


def _plain(value: object) -> str:
    if value is None or value == "" or value == []:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
