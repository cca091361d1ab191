"""What goes out: rows first, claimed by workers in order, and never to who opted out."""

from __future__ import annotations

import datetime as dt
import time

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from scheduling_core import audit, handoff, idempotency, sending, times
from scheduling_core.clinic_file.loading import current
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Channel, Communication, Delivery, Direction, OptOut, new_id

# What reaches a number that opted out: the emergency sentence, and the one sentence that confirms the opt-out.
GOES_OUT_ANYWAY = ("emergency", "opt-out")


def queue(
    session: Session,
    *,
    phone: str,
    body: str,
    channel: Channel = Channel.SMS,
    author: str,
    kind: str,
    conversation_id: str | None = None,
    patient_id: str | None = None,
    appointment_id: str | None = None,
    in_reply_to: str | None = None,
    due_at: dt.datetime | None = None,
    key: str | None = None,
    agent: str | None = None,
) -> Communication:
    """A message for a worker to send, at once or when `due_at` has come; WITHHELD when the number opted out.

    The same key again answers the same message. `agent` is who acts, where `author` does not tell it.
    """
    withheld = kind not in GOES_OUT_ANYWAY and opted_out(session, phone, channel)
    message_id = new_id()
    inserted = idempotency.insert_unless_there(
        session,
        Communication,
        id=message_id,
        conversation_id=conversation_id,
        patient_id=patient_id,
        channel=channel,
        direction=Direction.OUT,
        phone=phone,
        body=body,
        author=author,
        status=Delivery.WITHHELD if withheld else Delivery.QUEUED,
        in_reply_to=in_reply_to,
        kind=kind,
        appointment_id=appointment_id,
        due_at=due_at,
        idempotency_key=key,
        created_at=times.now(),
    )
    if not inserted:
        return session.scalars(select(Communication).where(Communication.idempotency_key == key)).one()
    if patient_id is not None:
        audit.record(
            session,
            agent=agent or _agent(author, conversation_id),
            action="C",
            entity="Communication",
            entity_id=message_id,
            patient_id=patient_id,
            detail={"kind": kind},
        )
    return _get(session, message_id)


def _agent(author: str, conversation_id: str | None) -> str:
    if author == "assistant" and conversation_id is not None:
        return f"assistant:{conversation_id}"
    return "worker" if author in ("assistant", "system") else f"staff:{author}"


def opted_out(session: Session, phone: str, channel: Channel = Channel.SMS) -> bool:
    """Whether the last word of this number in the ledger is "no texts"."""
    last = session.scalars(
        select(OptOut.out).where(OptOut.phone == phone, OptOut.channel == channel).order_by(OptOut.sequence.desc()).limit(1)
    )
    return bool(last.first())


def record_opt_out(session: Session, phone: str, *, out: bool, source: str, channel: Channel = Channel.SMS) -> None:
    """Write the ledger; what still waits to go out to who opted out is withheld. `source`: keyword, words, carrier, staff."""
    session.add(OptOut(phone=phone, channel=channel, out=out, source=source, at=times.now()))
    session.flush()
    if out:
        session.execute(
            update(Communication)
            .where(
                Communication.organization_id == session.info["organization"],
                Communication.phone == phone,
                Communication.channel == channel,
                Communication.status == Delivery.QUEUED,
                Communication.kind.not_in(GOES_OUT_ANYWAY),
            )
            .values(status=Delivery.WITHHELD)
            .execution_options(synchronize_session="fetch")
        )


def claim_due(session: Session, *, worker: str, limit: int, lease_seconds: float) -> list[Communication]:
    """Messages that this worker may send now, at most one a number: a later one waits until the earlier one is done with.

    The claim lasts `lease_seconds` of elapsed time; what a worker left SENDING beyond that becomes UNKNOWN: the carrier may have
    it.
    """
    organization, elapsed = session.info["organization"], time.time()
    session.execute(
        update(Communication)
        .where(
            Communication.organization_id == organization,
            Communication.status == Delivery.SENDING,
            Communication.worker_until < elapsed,
        )
        .values(status=Delivery.UNKNOWN, error="lease-expired", retry_at=elapsed)
        .execution_options(synchronize_session="fetch")
    )
    now = times.now()
    earlier = aliased(Communication)
    due = or_(Communication.due_at.is_(None), Communication.due_at <= now)
    in_the_way = (
        select(earlier.sequence)
        .where(
            earlier.organization_id == organization,
            earlier.phone == Communication.phone,
            earlier.channel == Communication.channel,
            earlier.sequence < Communication.sequence,
            or_(
                earlier.status.in_((Delivery.SENDING, Delivery.UNKNOWN)),
                and_(
                    earlier.status == Delivery.QUEUED,
                    or_(earlier.due_at.is_(None), earlier.due_at <= now),
                    earlier.external_id.is_(None),  # what did not arrive and is tried again in an hour holds up nobody meanwhile
                ),
            ),
        )
        .exists()
    )
    candidates = (
        select(Communication.sequence)
        .where(
            Communication.organization_id == organization,
            Communication.status == Delivery.QUEUED,
            due,
            Communication.retry_at <= elapsed,
            ~in_the_way,
        )
        .order_by(Communication.sequence)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()  # PostgreSQL may run a subquery again for each row that it looks at, and then claims beyond the limit
    )
    claimed = session.scalars(
        update(Communication)
        .where(Communication.sequence.in_(select(candidates.c.sequence)), Communication.status == Delivery.QUEUED)
        .values(
            status=Delivery.SENDING,
            worker=worker,
            worker_until=elapsed + lease_seconds,
            attempts=Communication.attempts + 1,
            external_id=None,
        )
        .returning(Communication)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    found = sorted(claimed, key=lambda message: message.sequence)
    return [message for message in found if _may_go_out(session, message)]


def _may_go_out(session: Session, message: Communication) -> bool:
    """The last look: the wish for no texts may have come while it was queued, or between two tries; a visit moved, night fallen."""
    now = times.now()
    if message.kind not in GOES_OUT_ANYWAY and opted_out(session, message.phone, message.channel):
        message.status = Delivery.WITHHELD
    elif message.kind in (*sending.STARTED_BY_US, sending.INVITATION, sending.PACKET) and not sending.holds_still(session, message):
        message.status, message.error = Delivery.WITHHELD, "superseded"
    elif message.kind in sending.STARTED_BY_US and (wait := sending.must_wait(session, current(session), message, at=now)):
        if sending.is_of_use_at(session, message, wait.until):
            message.status, message.due_at, message.attempts = Delivery.QUEUED, wait.until, message.attempts - 1
        else:
            message.status, message.error = Delivery.WITHHELD, wait.reason
            give_to_staff(session, message, reason=wait.reason)
    if message.status is Delivery.SENDING:
        message.sent_at = now
    return message.status is Delivery.SENDING


def give_to_staff(session: Session, message: Communication, *, reason: str) -> None:
    """A message that nobody gets unless a person sees to it: once on the desk's worklist, with what it said."""
    session.flush()
    handoff.open_task(
        session,
        team="desk",
        reason=reason,
        description=f"{_WHY_STAFF[reason]} Please call. It said: {message.body}",
        patient_id=message.patient_id,
        phone=message.phone if message.channel is not Channel.EMAIL else None,
        conversation_id=message.conversation_id,
        appointment_id=message.appointment_id,
        key=f"not-delivered:{message.id}",
    )


_WHY_STAFF = {
    "not-delivered": "Our message could not be delivered.",
    "wrong-number": "The carrier says that this number gets no texts: please ask for another.",
    "wrong-address": "Mail to this address comes back: please ask for another.",
    "over-limit": "Our message was not sent, because this number has had as many as we may send in a day or a week.",
    "quiet-hours": "Our message was not sent, because the quiet hours end too late for it.",
}


def is_still_held(session: Session, message: Communication, *, seconds: float) -> bool:
    """Whether a worker that claimed this message holds it yet and for `seconds` more, and the recipient has not opted out since."""
    row = session.execute(
        select(Communication.status, Communication.attempts, Communication.worker_until).where(Communication.id == message.id)
    ).one_or_none()
    if row is None or row.status is not Delivery.SENDING or row.attempts != message.attempts:
        return False
    if row.worker_until < time.time() + seconds:
        return False
    return message.kind in GOES_OUT_ANYWAY or not opted_out(session, message.phone, message.channel)


def mark_sent(session: Session, *, communication_id: str, external_id: str | None) -> None:
    """The carrier took it under `external_id`; what it has said of it since stands. Raises NotFoundError."""
    message = _get(session, communication_id)
    if message.external_id is None:
        message.status, message.external_id, message.error = Delivery.SENT, external_id, None


def mark_failed(session: Session, *, communication_id: str, error: str, permanent: bool, retry_in: float = 30.0) -> None:
    """The carrier refused it: for good, or to be tried again in `retry_in` seconds of elapsed time. Raises NotFoundError."""
    message = _get(session, communication_id)
    message.error = error
    if permanent:
        message.status = Delivery.FAILED
    else:
        message.status, message.retry_at = Delivery.QUEUED, time.time() + retry_in


def mark_unknown(session: Session, *, communication_id: str, error: str, ask_in: float = 0.0) -> None:
    """Nobody can say whether the carrier took it; in `ask_in` seconds it is looked for there, before it is sent again.

    Raises NotFoundError.
    """
    message = _get(session, communication_id)
    message.status, message.error, message.retry_at = Delivery.UNKNOWN, error, time.time() + ask_in


def unknown(session: Session, *, limit: int) -> list[Communication]:
    """Messages whose fate can be found out now, the oldest first."""
    found = (
        select(Communication)
        .where(Communication.status == Delivery.UNKNOWN, Communication.retry_at <= time.time())
        .order_by(Communication.sequence)
        .limit(limit)
    )
    return list(session.scalars(found))


def not_ours(session: Session, external_ids: list[str]) -> str | None:
    """The first of the carrier's ids that belongs to no message that we know of."""
    known = set(session.scalars(select(Communication.external_id).where(Communication.external_id.in_(external_ids))))
    return next((one for one in external_ids if one not in known), None)


def _get(session: Session, communication_id: str) -> Communication:
    message = session.scalars(select(Communication).where(Communication.id == communication_id)).one_or_none()
    if message is None:
        raise NotFoundError(f"Communication/{communication_id}")
    return message
