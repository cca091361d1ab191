"""What goes out: rows first, claimed by workers in order, and never to who opted out."""

from __future__ import annotations

import datetime as dt
import time

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from scheduling_core import audit, idempotency, sending, times
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
) -> Communication:
    """A message for a worker to send, at once or when `due_at` has come; WITHHELD when the number opted out.

    The same key again answers the same message.
    """
    withheld = channel is Channel.SMS and kind not in GOES_OUT_ANYWAY and opted_out(session, phone)
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
            agent=_agent(author, conversation_id),
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


def last_said(session: Session, *, phone: str) -> Communication | None:
    """Our last message to a number that went out or is on its way."""
    found = (
        select(Communication)
        .where(
            Communication.phone == phone,
            Communication.direction == Direction.OUT,
            Communication.status.in_((Delivery.SENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.UNKNOWN)),
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    )
    return session.scalars(found).one_or_none()


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
        .values(status=Delivery.UNKNOWN, error="lease-expired")
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
                earlier.status == Delivery.SENDING,
                and_(earlier.status == Delivery.QUEUED, or_(earlier.due_at.is_(None), earlier.due_at <= now)),
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
    )
    claimed = session.scalars(
        update(Communication)
        .where(Communication.sequence.in_(candidates.scalar_subquery()), Communication.status == Delivery.QUEUED)
        .values(status=Delivery.SENDING, worker=worker, worker_until=elapsed + lease_seconds, attempts=Communication.attempts + 1)
        .returning(Communication)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    found = sorted(claimed, key=lambda message: message.sequence)
    return [message for message in found if _may_go_out(session, message)]


def _may_go_out(session: Session, message: Communication) -> bool:
    """The last look: the wish for no texts may have come while it was queued, or between two tries; a visit moved, night fallen."""
    if message.channel is Channel.SMS and message.kind not in GOES_OUT_ANYWAY and opted_out(session, message.phone):
        message.status = Delivery.WITHHELD
    elif message.kind in sending.STARTED_BY_US:
        if not sending.holds_still(session, message):
            message.status, message.error = Delivery.WITHHELD, "superseded"
        elif quiet_until := sending.quiet_until(current(session), phone=message.phone, at=times.now()):
            message.status, message.due_at, message.attempts = Delivery.QUEUED, quiet_until, message.attempts - 1
    return message.status is Delivery.SENDING


def mark_sent(session: Session, *, communication_id: str, external_id: str | None) -> None:
    """The carrier took it under `external_id`. Raises NotFoundError."""
    message = _get(session, communication_id)
    message.status, message.external_id, message.error = Delivery.SENT, external_id, None


def mark_failed(session: Session, *, communication_id: str, error: str, permanent: bool, retry_in: float = 30.0) -> None:
    """The carrier refused it: for good, or to be tried again in `retry_in` seconds of elapsed time. Raises NotFoundError."""
    message = _get(session, communication_id)
    message.error = error
    if permanent:
        message.status = Delivery.FAILED
    else:
        message.status, message.retry_at = Delivery.QUEUED, time.time() + retry_in


def mark_unknown(session: Session, *, communication_id: str, error: str) -> None:
    """Nobody can say whether the carrier took it; it is looked for there before it is sent again. Raises NotFoundError."""
    message = _get(session, communication_id)
    message.status, message.error = Delivery.UNKNOWN, error


def unknown(session: Session, *, limit: int) -> list[Communication]:
    """Messages whose fate is to be found out, the oldest first."""
    found = select(Communication).where(Communication.status == Delivery.UNKNOWN).order_by(Communication.sequence).limit(limit)
    return list(session.scalars(found))


def record_delivery(session: Session, *, external_id: str, status: Delivery, error: str | None = None) -> bool:
    """What the carrier says later of a message that it took; False when we know of no such message.

    A callback that comes late changes nothing that is final.
    """
    message = session.scalars(
        select(Communication).where(Communication.external_id == external_id, Communication.direction == Direction.OUT)
    ).one_or_none()
    if message is None:
        return False
    if message.status not in (Delivery.DELIVERED, Delivery.FAILED):
        message.status, message.error = status, error
    return True


def _get(session: Session, communication_id: str) -> Communication:
    message = session.scalars(select(Communication).where(Communication.id == communication_id)).one_or_none()
    if message is None:
        raise NotFoundError(f"Communication/{communication_id}")
    return message
