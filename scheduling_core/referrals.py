"""Referrals to other practices: each has an owner, a next step and a time for it, until the report is back.

The network is checked against the clinic file's partners; the packet tells what the clinic file allows; staff send it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, coverage, handoff, messaging, patients, sending, times
from scheduling_core.clinic_file.schema import ClinicFile, ReferralPartner
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.coverage import to_coverage, to_service_request
from scheduling_core.fhir.directory import directory
from scheduling_core.fhir.people import full_name, to_patient
from scheduling_core.models import (
    Network,
    Priority,
    Referral,
    ReferralStatus,
    RequestStatus,
    ServiceRequest,
    Task,
    TaskStatus,
    new_id,
)

NEWS = "referral-news"  # the kind of message that tells a patient how a referral stands
OVER = (ReferralStatus.CLOSED, ReferralStatus.CANCELLED)
_TEAM = "desk"
_STEPS = {
    ReferralStatus.NEW: "Send the packet",
    ReferralStatus.SENT: "Ask whether the patient has an appointment there",
    ReferralStatus.SCHEDULED: "Ask whether the patient was seen",
    ReferralStatus.SEEN: "Ask for the report",
}
_MAY_FOLLOW = {
    ReferralStatus.NEW: (ReferralStatus.SENT,),
    ReferralStatus.SENT: (ReferralStatus.SENT, ReferralStatus.SCHEDULED, ReferralStatus.SEEN),
    ReferralStatus.SCHEDULED: (ReferralStatus.SENT, ReferralStatus.SCHEDULED, ReferralStatus.SEEN),
    ReferralStatus.SEEN: (),
}


@dataclass(frozen=True)
class Packet:
    """What a partner is given: the bundle, and the same facts as (word, value) for a page."""

    bundle: Resource
    partner: str
    facts: tuple[tuple[str, str], ...]


def begin(session: Session, clinic: ClinicFile, request: ServiceRequest, *, agent: str) -> Referral:
    """Take a referral up: a partner of its field who takes the patient's insurance, else the first, else staff find one.

    Leaves the desk a task to send the packet. A request is taken up once.
    """
    known = session.scalars(select(Referral).where(Referral.request_id == request.id)).one_or_none()
    if known is not None:
        return known
    now = times.now()
    partners = [one for one in clinic.referral_partners if one.specialty == request.service_id]
    networks = {one.id: network_of(session, request.patient_id, one) for one in partners}
    partner = min(partners, key=lambda one: _ORDER[networks[one.id]], default=None)
    made = Referral(
        id=new_id(),
        request_id=request.id,
        patient_id=request.patient_id,
        specialty=request.service_id,
        partner_id=partner.id if partner else None,
        network=networks[partner.id] if partner else Network.UNKNOWN,
        status=ReferralStatus.NEW,
        owner=_TEAM,
        next_step=_STEPS[ReferralStatus.NEW],
        due_at=now + dt.timedelta(days=clinic.outreach.referral_days),
        created_at=now,
        updated_at=now,
    )
    session.add(made)
    session.flush()
    _audit(session, made, "C", agent, {"status": made.status, "partner": made.partner_id, "network": made.network})
    _open_task(session, clinic, made, agent)
    return made


_ORDER = {Network.IN: 0, Network.UNKNOWN: 1, Network.OUT: 2}


def network_of(session: Session, patient_id: str, partner: ReferralPartner) -> Network:
    """Whether a partner takes the insurance that pays first; who pays alone is welcome anywhere."""
    first = next(iter(coverage.active(session, patient_id=patient_id)), None)
    if first is not None and first.self_pay:
        return Network.IN
    if first is None or first.payer_id is None:
        return Network.UNKNOWN
    return Network.IN if first.payer_id in partner.accepts else Network.OUT


def get(session: Session, referral_id: str) -> Referral:
    """Raises NotFoundError."""
    found = session.scalars(select(Referral).where(Referral.id == referral_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFoundError(f"Referral/{referral_id}")
    return found


# steps


def choose(session: Session, clinic: ClinicFile, *, referral_id: str, partner_id: str, agent: str) -> Referral:
    """Send the patient to another partner; the packet is to be sent anew. Raises NotFoundError, WrongStateError."""
    one = get(session, referral_id)
    partner = next((partner for partner in clinic.referral_partners if partner.id == partner_id), None)
    if partner is None:
        raise NotFoundError(f"Organization/{partner_id}")
    if one.status not in (ReferralStatus.NEW, ReferralStatus.SENT):
        raise WrongStateError(f"Referral/{referral_id}")
    one.partner_id, one.network, one.appointment_at = partner.id, network_of(session, one.patient_id, partner), None
    _go_to(session, clinic, one, ReferralStatus.NEW, times.now(), agent)
    return one


def move_on(
    session: Session,
    clinic: ClinicFile,
    *,
    referral_id: str,
    to: ReferralStatus,
    agent: str,
    appointment_at: dt.datetime | None = None,
    outcome: str | None = None,
) -> Referral:
    """Note that a referral was sent, has an appointment (`appointment_at`, UTC), was seen, or is over (`outcome` says how).

    The patient is told by text that it was sent and when the appointment is. The next step is due the clinic's `referral_days`
    later, after an appointment counted from that. The same again changes nothing but the time.
    Raises NotFoundError; WrongStateError for a step that does not follow, an appointment without a time, no partner to send to.
    """
    one = get(session, referral_id)
    if one.status in OVER or to not in (*_MAY_FOLLOW[one.status], *OVER):
        raise WrongStateError(f"Referral/{referral_id}")
    if (to is ReferralStatus.SCHEDULED) != (appointment_at is not None) or (to is ReferralStatus.SENT and not one.partner_id):
        raise WrongStateError(f"Referral/{referral_id}")
    is_news = one.status is not to or appointment_at != one.appointment_at
    one.appointment_at = appointment_at or one.appointment_at
    one.outcome = outcome or one.outcome
    _go_to(session, clinic, one, to, max(appointment_at or times.now(), times.now()), agent)
    if is_news and to in (ReferralStatus.SENT, ReferralStatus.SCHEDULED):
        _tell(session, clinic, one, agent)
    if to in OVER:
        request = session.scalars(select(ServiceRequest).where(ServiceRequest.id == one.request_id)).one()
        request.status = RequestStatus.COMPLETED if to is ReferralStatus.CLOSED else RequestStatus.REVOKED
        detail = {"status": {"old": RequestStatus.ACTIVE, "new": request.status}}
        audit.record(
            session,
            agent=agent,
            action="U",
            entity="ServiceRequest",
            entity_id=request.id,
            patient_id=one.patient_id,
            detail=detail,
        )
    return one


def may_follow(one: Referral) -> tuple[ReferralStatus, ...]:
    """Where a referral may go from where it stands; nowhere once it is over."""
    if one.status in OVER:
        return ()
    return tuple(to for to in (*_MAY_FOLLOW[one.status], *OVER) if to is not ReferralStatus.SENT or one.partner_id)


def give_to(
    session: Session, clinic: ClinicFile, *, referral_id: str, owner: str, next_step: str, due_at: dt.datetime, agent: str
) -> Referral:
    """Let somebody else own a referral, with a next step of their own words: a task of theirs, in place of the one before.

    `owner` is a team of the clinic file, or a staff account's address. Raises NotFoundError, WrongStateError.
    """
    one = get(session, referral_id)
    if one.status in OVER:
        raise WrongStateError(f"Referral/{referral_id}")
    _close_tasks(session, one, agent, TaskStatus.CANCELLED)
    one.owner, one.next_step, one.due_at, one.updated_at = owner, next_step, due_at, times.now()
    session.flush()
    _audit(session, one, "U", agent, {"owner": owner, "due_at": due_at.isoformat()})
    _open_task(session, clinic, one, agent, next_step)
    return one


def _close_tasks(session: Session, one: Referral, agent: str, status: TaskStatus) -> None:
    for task_id in session.scalars(
        select(Task.id).where(Task.idempotency_key.startswith(f"referral:{one.id}:"), Task.status.in_(handoff.OPEN))
    ):
        handoff.close_task(session, task_id=task_id, agent=agent, status=status)


def _go_to(session: Session, clinic: ClinicFile, one: Referral, status: ReferralStatus, since: dt.datetime, agent: str) -> None:
    old, one.status, one.updated_at = one.status, status, times.now()
    _close_tasks(session, one, agent, TaskStatus.COMPLETED)
    if status not in OVER:
        one.next_step, one.due_at = _STEPS[status], since + dt.timedelta(days=clinic.outreach.referral_days)
    session.flush()
    _audit(session, one, "U", agent, {"status": {"old": old, "new": status}})
    if status is ReferralStatus.NEW:
        _open_task(session, clinic, one, agent)


def _tell(session: Session, clinic: ClinicFile, one: Referral, agent: str) -> None:
    """No name and no field of the other practice: others may read along. Who cannot be written to is called by staff."""
    patient = patients.get(session, one.patient_id)
    phone = sending.first_phone(patient)
    if phone is None or messaging.opted_out(session, phone):
        _open_task(session, clinic, one, agent, "Tell the patient by phone how the referral stands")
        return
    language = sending.language_of(session, clinic, patient, phone)
    name, who = sending.name_if_shared(session, patient, phone), clinic.clinic.name
    if one.status is ReferralStatus.SCHEDULED:
        assert one.appointment_at
        day, time = sending.start_in_words(one.appointment_at, clinic.zone, language)
        english = f"the other practice has a visit for {name or 'you'} on {day} at {time}."
        spanish = f"el otro consultorio tiene una cita para {name or 'usted'} el {day}, {time}."
    else:
        english = f"we have sent the referral for {name or 'you'} to the other practice. They will call you."
        spanish = f"enviamos el pase de {name or 'usted'} al otro consultorio. Ellos le llamarán."
    number = _phone(clinic, one)
    text = spanish if language == "es" else english
    call = f" Su teléfono: {number}." if language == "es" else f" Their number: {number}."
    stamp = one.appointment_at.isoformat() if one.appointment_at else one.updated_at.isoformat()
    messaging.queue(
        session,
        phone=phone,
        body=f"{who}: {text}{call if number else ''}",
        author="system",
        kind=NEWS,
        patient_id=patient.id,
        due_at=sending.quiet_until(clinic, phone=phone, at=times.now()),
        key=f"{NEWS}:{one.id}:{one.status}:{stamp}",
    )


def _phone(clinic: ClinicFile, one: Referral) -> str | None:
    partner = _partner(clinic, one)
    return partner.phone if partner else None


def _partner(clinic: ClinicFile, one: Referral) -> ReferralPartner | None:
    return next((partner for partner in clinic.referral_partners if partner.id == one.partner_id), None)


# what staff see


def overdue(session: Session) -> list[Referral]:
    """The worklist: referrals whose next step is late, the latest first."""
    late = select(Referral).where(Referral.status.not_in(OVER), Referral.due_at <= times.now())
    return list(session.scalars(late.order_by(Referral.due_at, Referral.id)))


def any_to_chase(session: Session) -> bool:
    """Whether `chase` has something to do."""
    return bool(_unchased(session))


def chase(session: Session, clinic: ClinicFile) -> int:
    """Leave the owner of each late referral a task for its next step, once for each time that was set; how many."""
    late = _unchased(session)
    for one in late:
        _open_task(session, clinic, one, "worker")
    return len(late)


def _unchased(session: Session) -> list[Referral]:
    late = overdue(session)
    known = set(session.scalars(select(Task.idempotency_key).where(Task.idempotency_key.in_([_task_key(one) for one in late]))))
    return [one for one in late if _task_key(one) not in known and not _has_open_task(session, one)]


def _has_open_task(session: Session, one: Referral) -> bool:
    found = select(Task.id).where(Task.idempotency_key.startswith(f"referral:{one.id}:"), Task.status.in_(handoff.OPEN))
    return session.scalars(found.limit(1)).first() is not None


def _task_key(one: Referral) -> str:
    return f"referral:{one.id}:{one.status}:{one.due_at.isoformat()}"


def _open_task(session: Session, clinic: ClinicFile, one: Referral, agent: str, what: str | None = None) -> None:
    partner = _partner(clinic, one)
    teams = clinic.handoff.teams
    to = f"{partner.name}, fax {partner.fax or 'none'}, phone {partner.phone or 'none'}" if partner else "no partner chosen"
    network = {
        Network.IN: "takes the patient's insurance",
        Network.OUT: "does not take the patient's insurance: ask the patient, or choose another",
        Network.UNKNOWN: "network unknown: ask about the insurance",
    }[one.network]
    handoff.open_task(
        session,
        team=one.owner if one.owner in teams else teams[0],
        reason="referral",
        description=f"{what or one.next_step} ({one.specialty}): {to}; {network}. Referral/{one.id}",
        priority=Priority.ROUTINE,
        patient_id=one.patient_id,
        due_at=one.due_at,
        key=_task_key(one) + (f":{what}" if what else ""),
        agent=agent,
    )


# the packet


def packet(session: Session, clinic: ClinicFile, *, referral_id: str, agent: str) -> Packet:
    """What the partner is given of the patient: the name, and what the clinic file's `outreach.packet` allows. It is audited.

    Raises NotFoundError.
    """
    one, allowed = get(session, referral_id), set(clinic.outreach.packet)
    patient = patients.get(session, one.patient_id)
    request = session.scalars(select(ServiceRequest).where(ServiceRequest.id == one.request_id)).one()
    known = directory(session, clinic, patients=[patient.id])
    insurances = coverage.active(session, patient_id=patient.id) if "insurance" in allowed else []
    whole = to_patient(patient)
    telecom = [point for point in whole.get("telecom", []) if point["system"] in allowed]
    kept = {
        "resourceType": "Patient",
        "id": patient.id,
        "name": whole["name"],
        "telecom": telecom,
        "birthDate": whole["birthDate"] if "birth_date" in allowed else None,
        "address": whole.get("address") if "address" in allowed else None,
        "communication": whole.get("communication") if "language" in allowed else None,
        "extension": whole.get("extension") if "needs" in allowed else None,
    }
    order = to_service_request(request, known)
    if "note" not in allowed:
        order.pop("note", None)
    partner = _partner(clinic, one)
    clinic_itself = {
        "resourceType": "Organization",
        "name": clinic.clinic.name,
        "telecom": [{"system": "phone", "value": clinic.clinic.phone}],
    }
    resources = [codes.without_nothing(kept), order, *(to_coverage(each, known) for each in insurances), clinic_itself]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": times.now().isoformat(),
        "entry": [{"resource": resource} for resource in resources],
    }
    facts = [
        ("Patient", full_name(patient)),
        ("Born", patient.birth_date.isoformat() if "birth_date" in allowed else ""),
        ("Address", patient.address or "" if "address" in allowed else ""),
        *((point["system"].title(), point["value"]) for point in telecom),
        ("Language", patient.language or "" if "language" in allowed else ""),
        ("Needs", ", ".join(patient.needs) if "needs" in allowed else ""),
        *(("Insurance", " ".join(filter(None, (each.payer_name, each.subscriber_id)))) for each in insurances),
        ("Referred for", one.specialty),
        ("Note", request.note or "" if "note" in allowed else ""),
        ("Referred by", f"{clinic.clinic.name}, {clinic.clinic.phone}"),
    ]
    note_look(session, one, agent, "packet")
    return Packet(bundle, partner.name if partner else "", tuple((word, value) for word, value in facts if value))


def note_look(session: Session, one: Referral, agent: str, purpose: str) -> None:
    """Who looked at a referral for its partner, and why."""
    _audit(session, one, "R", agent, {"for": purpose, "partner": one.partner_id})


def _audit(session: Session, one: Referral, action: audit.Action, agent: str, detail: dict[str, object]) -> None:
    audit.record(session, agent=agent, action=action, entity="Referral", entity_id=one.id, patient_id=one.patient_id, detail=detail)
