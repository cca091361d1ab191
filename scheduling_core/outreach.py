"""Writing to a patient until there is a visit, an answer, or nothing left to try: what recalls, follow-ups and referrals share.

A reason to write is a row of `outreach`. Its messages go out at `next_at`, with pauses; a visit of its service on the books closes
it, whoever booked it and how. After the last try a person calls: a Task.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true, update
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, idempotency, messaging, outreach_texts, patients, sending, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    ClinicVersion,
    Communication,
    Delivery,
    Outreach,
    OutreachKind,
    OutreachStatus,
    RequestStatus,
    ServiceRequest,
    Task,
    TaskStatus,
    new_id,
)


class Answer(StrEnum):
    """What a patient who does not want to book now may say."""

    NOT_NOW = "not-now"
    ELSEWHERE = "elsewhere"
    STOP = "stop"


WAITS = (OutreachStatus.OPEN, OutreachStatus.DECLINED)  # a message may still go out
UNDECIDED = (*WAITS, OutreachStatus.FOR_STAFF)  # a booking or an answer still counts
_STANDS = (*LIVE, AppointmentStatus.FULFILLED)
_GONE = (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW, AppointmentStatus.ENTERED_IN_ERROR)
_BY_ORDER = (OutreachKind.FOLLOW_UP, OutreachKind.REFERRAL_IN)  # a clinician waits for it: to be told when it does not come about
_NEAR = dt.timedelta(days=30)  # a visit that was on the books already is the one meant when it lies this close to the day


def begin(
    session: Session,
    *,
    kind: OutreachKind,
    patient_id: str,
    service_id: str,
    due_on: dt.date,
    next_at: dt.datetime,
    key: str,
    request_id: str | None = None,
    agent: str,
) -> bool:
    """Keep a reason to write to a patient; False when it is known already by its key."""
    now, one = times.now(), new_id()
    made = idempotency.insert_unless_there(
        session,
        Outreach,
        id=one,
        kind=kind,
        status=OutreachStatus.OPEN,
        patient_id=patient_id,
        service_id=service_id,
        request_id=request_id,
        due_on=due_on,
        tries=0,
        next_at=next_at,
        key=key,
        created_at=now,
        updated_at=now,
    )
    if made:
        audit.record(
            session, agent=agent, action="C", entity="Outreach", entity_id=one, patient_id=patient_id, detail={"kind": kind}
        )
    return made


def get(session: Session, outreach_id: str) -> Outreach:
    """Raises NotFoundError."""
    found = session.scalars(select(Outreach).where(Outreach.id == outreach_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"Outreach/{outreach_id}")
    return found


# writing


def any_due(session: Session, clinic: ClinicFile) -> bool:
    """Whether `send_due` has something to do: a look at an index."""
    return bool(session.scalar(select(exists().where(*_due(session, clinic, times.now())))))


def send_due(session: Session, clinic: ClinicFile, *, limit: int = 20) -> int:
    """Queue the messages that are due, at the clinic's rate; how many reasons were looked at, 0 when nothing is due.

    Each try goes out once, however many workers run. In quiet hours it waits for their end. Who cannot be written to, or has not
    answered after the last try, is left to staff.
    """
    now = times.now()
    # The rate counts what others sent, so one worker after the other counts.
    session.execute(select(ClinicVersion.number).order_by(ClinicVersion.number).limit(1).with_for_update(key_share=True))
    recalls = _recalls_left(session, clinic, now)
    due = select(Outreach).where(*_due(session, clinic, now)).order_by(Outreach.next_at, Outreach.due_on, Outreach.id).limit(limit)
    found = list(session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)))
    for one in found:
        is_recall = one.kind is OutreachKind.RECALL
        if (not is_recall or recalls > 0) and _write(session, clinic, one, now) and is_recall:
            recalls -= 1
    session.flush()
    return len(found)


def _due(session: Session, clinic: ClinicFile, now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Outreach.organization_id == session.info["organization"],
        Outreach.next_at <= now,
        Outreach.status.in_(WAITS),
        true() if _recalls_left(session, clinic, now) > 0 else Outreach.kind != OutreachKind.RECALL,
    )


def _recalls_left(session: Session, clinic: ClinicFile, now: dt.datetime) -> int:
    """How many recalls may go out now by the clinic's rate."""
    rules = clinic.outreach
    midnight = times.from_wall(times.to_wall(now, clinic.zone).date(), dt.time(), clinic.zone)

    def sent_since(instant: dt.datetime) -> int:
        sent = select(func.count()).where(Outreach.kind == OutreachKind.RECALL, Outreach.sent_at > instant)
        return session.scalars(sent.select_from(Outreach)).one()

    return min(rules.per_hour - sent_since(now - dt.timedelta(hours=1)), rules.per_day - sent_since(midnight))


def _write(session: Session, clinic: ClinicFile, one: Outreach, now: dt.datetime) -> bool:
    """The next message of a reason, or the task after the last; whether a message was queued."""
    patient = patients.get(session, one.patient_id)
    if not patient.active or one.service_id not in clinic.services_by_id or not _is_wanted_still(session, clinic, one):
        _change(session, one, OutreachStatus.OVER, "worker")
        return False
    if (visit := _visit_for(session, one)) is not None:
        _close_with(session, one, visit, "worker")
        return False
    phone = sending.first_phone(patient)
    if phone is None or messaging.opted_out(session, phone):
        _leave_to_staff(session, clinic, one, "has no number on file" if phone is None else "wants no texts")
        return False
    if one.tries >= clinic.outreach.tries:
        _leave_to_staff(session, clinic, one, f"has not answered {one.tries} texts")
        return False
    if quiet_until := sending.quiet_until(clinic, phone=phone, at=now):
        one.next_at = quiet_until
        return False
    one.tries, one.status, one.sent_at, one.updated_at = one.tries + 1, OutreachStatus.OPEN, now, now
    one.next_at = now + dt.timedelta(days=clinic.outreach.pause_days)
    messaging.queue(
        session,
        phone=phone,
        body=outreach_texts.ask(session, clinic, one, patient, phone),
        author="system",
        kind=one.kind.value,
        patient_id=patient.id,
        key=sending.outreach_key(one.id, one.tries),
    )
    return True


def _is_wanted_still(session: Session, clinic: ClinicFile, one: Outreach) -> bool:
    if one.kind is OutreachKind.RECALL:
        return clinic.services_by_id[one.service_id].recall is not None
    request = session.scalars(select(ServiceRequest).where(ServiceRequest.id == one.request_id)).one_or_none()
    return request is not None and request.status is RequestStatus.ACTIVE


def _leave_to_staff(session: Session, clinic: ClinicFile, one: Outreach, why: str) -> None:
    """A call is to be made. A visit that is booked later closes the task."""
    _change(session, one, OutreachStatus.FOR_STAFF, "worker")
    service = clinic.services_by_id[one.service_id].name
    handoff.open_task(
        session,
        team="desk",
        reason=one.kind.value,
        description=f"{_WHAT[one.kind]} {service} by {one.due_on:%B} {one.due_on.day}, {one.due_on.year}: the patient {why}. Call.",
        patient_id=one.patient_id,
        key=_task_key(one),
    )


_WHAT = {
    OutreachKind.RECALL: "Due again for",
    OutreachKind.FOLLOW_UP: "A practitioner ordered",
    OutreachKind.REFERRAL_IN: "Another practice referred the patient for",
}


def _task_key(one: Outreach) -> str:
    return f"outreach:{one.id}:{one.tries}:task"


# what becomes of it


def any_to_settle(session: Session) -> bool:
    """Whether `settle` has something to do."""
    return bool(_to_close(session, limit=1) or _past_or_gone(session, limit=1))


def settle(session: Session, clinic: ClinicFile, *, limit: int = 50) -> int:
    """Close what has its visit, mark what took place, and take up again what was cancelled or missed; how many changed."""
    changed = _to_close(session, limit=limit)
    for one, visit in changed:
        _close_with(session, one, visit, "worker")
    ended = _past_or_gone(session, limit=limit)
    for one, visit in ended:
        if visit.status in _GONE:
            one.appointment_id = None
            _change(session, one, OutreachStatus.OPEN, "worker", times.now() + dt.timedelta(days=clinic.outreach.pause_days))
        else:
            _change(session, one, OutreachStatus.DONE, "worker")
            _complete_order(session, one)
    session.flush()
    return len(changed) + len(ended)


def _same_visit() -> ColumnElement[bool]:
    return and_(
        Appointment.organization_id == Outreach.organization_id,
        Appointment.patient_id == Outreach.patient_id,
        Appointment.service_id == Outreach.service_id,
        Appointment.status.in_(_STANDS),
        Appointment.end > Outreach.created_at,
    )


def _to_close(session: Session, *, limit: int) -> list[tuple[Outreach, Appointment]]:
    """Undecided reasons with a visit for them on the books, one each."""
    pairs = select(Outreach, Appointment).join(Appointment, _same_visit()).where(Outreach.status.in_(UNDECIDED))
    found = session.execute(pairs.order_by(Outreach.id, Appointment.start).with_for_update(of=Outreach, skip_locked=True)).tuples()
    fitting = {one.id: (one, visit) for one, visit in found if _is_for(one, visit)}
    return list(fitting.values())[:limit]


def _visit_for(session: Session, one: Outreach) -> Appointment | None:
    found = session.scalars(
        select(Appointment).join(Outreach, _same_visit()).where(Outreach.id == one.id).order_by(Appointment.start)
    )
    return next((visit for visit in found if _is_for(one, visit)), None)


def _is_for(one: Outreach, visit: Appointment) -> bool:
    """Booked since, or on the books already for about that day."""
    assert visit.start
    return visit.created_at >= one.created_at or abs(visit.start.date() - one.due_on) <= _NEAR


def _past_or_gone(session: Session, *, limit: int) -> list[tuple[Outreach, Appointment]]:
    """Reasons whose visit is over, was cancelled or missed."""
    same = and_(Appointment.organization_id == Outreach.organization_id, Appointment.id == Outreach.appointment_id)
    over = or_(Appointment.status.in_((*_GONE, AppointmentStatus.FULFILLED)), Appointment.end <= times.now())
    pairs = select(Outreach, Appointment).join(Appointment, same).where(Outreach.status == OutreachStatus.BOOKED, over)
    found = session.execute(pairs.order_by(Outreach.id).limit(limit).with_for_update(of=Outreach, skip_locked=True))
    return list(found.tuples())


def _close_with(session: Session, one: Outreach, visit: Appointment, agent: str) -> None:
    one.appointment_id = visit.id
    for task_id in session.scalars(select(Task.id).where(Task.idempotency_key == _task_key(one), Task.status.in_(handoff.OPEN))):
        handoff.close_task(session, task_id=task_id, agent=agent, status=TaskStatus.CANCELLED)
    _change(session, one, OutreachStatus.BOOKED, agent)


def _complete_order(session: Session, one: Outreach) -> None:
    done = update(ServiceRequest).where(
        ServiceRequest.organization_id == session.info["organization"],
        ServiceRequest.id == one.request_id,
        ServiceRequest.status == RequestStatus.ACTIVE,
    )
    changed = session.scalars(done.values(status=RequestStatus.COMPLETED).returning(ServiceRequest.id)).all()
    for request_id in changed:
        detail = {"status": {"old": RequestStatus.ACTIVE, "new": RequestStatus.COMPLETED}}
        audit.record(
            session,
            agent="worker",
            action="U",
            entity="ServiceRequest",
            entity_id=request_id,
            patient_id=one.patient_id,
            detail=detail,
        )


# what patients answer


def asked_last(session: Session, *, phone: str) -> Outreach | None:
    """The reason that our last message to this number was about, while an answer to it still counts."""
    last = sending.last_said(session, phone=phone, kinds=sending.STARTED_BY_US)
    if last is None or last.kind not in sending.OUTREACH:
        return None
    outreach_id, _ = sending.outreach_of(last.idempotency_key)
    one = session.scalars(select(Outreach).where(Outreach.id == outreach_id)).one_or_none()
    return one if one is not None and one.status in UNDECIDED else None


def answer(session: Session, clinic: ClinicFile, *, outreach_id: str, said: Answer, agent: str, key: str) -> Outreach:
    """Keep a patient's answer other than a booking. The same key again does nothing.

    "Not now" asks again after the clinic's days while tries are left. Who wants no more recalls gets none, of any service. A
    clinician whose order a patient declines, or had done elsewhere, is told by a task. Raises NotFoundError.
    """
    if idempotency.earlier_answer(session, key):
        return get(session, outreach_id)
    one = session.scalars(select(Outreach).where(Outreach.id == outreach_id).with_for_update()).one_or_none()
    if one is None:
        raise NotFoundError(f"Outreach/{outreach_id}")
    if one.status in UNDECIDED:
        if said is Answer.NOT_NOW:
            again = times.now() + dt.timedelta(days=clinic.outreach.not_now_days)
            _change(session, one, OutreachStatus.DECLINED, agent, again if one.tries < clinic.outreach.tries else None)
        elif said is Answer.ELSEWHERE:
            _change(session, one, OutreachStatus.ELSEWHERE, agent)
        else:
            _stop(session, one, agent)
        _withhold(session, one)
        if one.kind in _BY_ORDER:
            _tell_clinicians(session, clinic, one, said, agent)
    idempotency.remember(session, key, {"outreach_id": outreach_id, "said": said.value})
    return one


def answered_in(session: Session, *, key: str) -> Answer | None:
    """What the answer under this key said; None when there was none."""
    found = idempotency.answer(session, key)
    return Answer(found["said"]) if found else None


def _stop(session: Session, one: Outreach, agent: str) -> None:
    stopped: Sequence[Outreach] = [one]
    if one.kind is OutreachKind.RECALL:
        all_recalls = select(Outreach).where(
            Outreach.patient_id == one.patient_id, Outreach.kind == OutreachKind.RECALL, Outreach.status.in_(UNDECIDED)
        )
        stopped = session.scalars(all_recalls.order_by(Outreach.id).with_for_update()).all()
    for each in stopped:
        _change(session, each, OutreachStatus.STOPPED, agent)


def _withhold(session: Session, one: Outreach) -> None:
    """A message that waits to go out says nothing of use any more."""
    by_key = select(Communication).where(Communication.idempotency_key == sending.outreach_key(one.id, one.tries))
    message = session.scalars(by_key).one_or_none()
    if message is not None and message.status is Delivery.QUEUED:
        message.status, message.error = Delivery.WITHHELD, "superseded"


def _tell_clinicians(session: Session, clinic: ClinicFile, one: Outreach, said: Answer, agent: str) -> None:
    what = {
        Answer.NOT_NOW: "does not want it now",
        Answer.ELSEWHERE: "had it elsewhere; ask for the report",
        Answer.STOP: "wants no more texts about it",
    }[said]
    service = clinic.services_by_id.get(one.service_id)
    handoff.open_task(
        session,
        team="clinical",
        reason=f"{one.kind}-declined",
        description=f"{_WHAT[one.kind]} {service.name if service else one.service_id}: the patient {what}.",
        patient_id=one.patient_id,
        key=f"outreach:{one.id}:{said}:task",
        agent=agent,
    )


def _change(session: Session, one: Outreach, status: OutreachStatus, agent: str, next_at: dt.datetime | None = None) -> None:
    old, one.status, one.next_at, one.updated_at = one.status, status, next_at, times.now()
    session.flush()
    audit.record(
        session,
        agent=agent,
        action="U",
        entity="Outreach",
        entity_id=one.id,
        patient_id=one.patient_id,
        detail={"status": {"old": old, "new": status}},
    )


# what staff see


def waiting_for_staff(session: Session, *, kind: OutreachKind | None = None) -> list[Outreach]:
    """The worklist: who is to be called, the longest due first."""
    found = select(Outreach).where(Outreach.status == OutreachStatus.FOR_STAFF)
    if kind is not None:
        found = found.where(Outreach.kind == kind)
    return list(session.scalars(found.order_by(Outreach.due_on, Outreach.id)))
