"""Calls: who is on the line, what each turn answered, what a caller left, and what ends with the call."""

from __future__ import annotations

from itertools import takewhile

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, idempotency, times
from scheduling_core.models import (
    LIVE,
    AnsweredBy,
    Appointment,
    AuditEvent,
    Call,
    CallTurn,
    Communication,
    Conversation,
    Direction,
    Recording,
    Task,
    new_id,
)


def begin(session: Session, conversation: Conversation, *, direction: Direction, communication_id: str | None = None) -> Call:
    """The row of the conversation's call; the same one however often it is asked for."""
    if call := find(session, conversation.call_sid or ""):
        return call
    idempotency.insert_unless_there(
        session,
        Call,
        id=conversation.call_sid,
        conversation_id=conversation.id,
        direction=direction,
        phone=conversation.phone,
        communication_id=communication_id,
        begun_at=times.now(),
    )
    return session.scalars(select(Call).where(Call.id == conversation.call_sid)).one()


def find(session: Session, call_id: str) -> Call | None:
    return session.scalars(select(Call).where(Call.id == call_id)).one_or_none()


def answered(session: Session, call_id: str, by: AnsweredBy) -> None:
    """Keep who picked up a call of ours."""
    if call := find(session, call_id):
        call.answered_by = by


def end(session: Session, call_id: str) -> bool:
    """The call is over, whoever hung up: what was held for it is free again, what was booked stays. False for a call not known.

    It may be told any number of times, and while a turn is still being answered: then that turn's end calls it once more.
    """
    call = session.scalars(select(Call).where(Call.id == call_id).with_for_update()).one_or_none()
    if call is None:
        return False
    call.ended_at = call.ended_at or times.now()
    booking.release(session, held_for=call.conversation_id, agent=f"assistant:{call.conversation_id}")
    return True


def kept_turn(session: Session, call_id: str, number: int) -> str | None:
    """What this turn answered; None when it was not answered yet."""
    return session.scalars(select(CallTurn.twiml).where(CallTurn.call_id == call_id, CallTurn.number == number)).one_or_none()


def keep_turn(session: Session, call_id: str, number: int, twiml: str) -> str:
    """What this turn answers from now on: `twiml`, unless somebody was faster, then theirs."""
    idempotency.insert_unless_there(session, CallTurn, call_id=call_id, number=number, twiml=twiml)
    return session.scalars(select(CallTurn.twiml).where(CallTurn.call_id == call_id, CallTurn.number == number)).one()


def last_turn(session: Session, call_id: str) -> int:
    """The number of the last turn that was answered; 0 where only the greeting was."""
    return session.scalars(select(func.max(CallTurn.number)).where(CallTurn.call_id == call_id)).one() or 0


def in_a_row(session: Session, message: Communication, kind: str) -> int:
    """How many turns in a row were of this kind, up to and with this one."""
    kinds = session.scalars(
        select(Communication.kind)
        .where(
            Communication.conversation_id == message.conversation_id,
            Communication.direction == Direction.IN,
            Communication.sequence <= message.sequence,
        )
        .order_by(Communication.sequence.desc())
        .limit(10)
    )
    return sum(1 for _ in takewhile(lambda one: one == kind, kinds))


def same_words_in_a_row(session: Session, message: Communication) -> int:
    """How many turns in a row brought exactly these words or keys, up to and with this one."""
    bodies = session.scalars(
        select(Communication.body)
        .where(
            Communication.conversation_id == message.conversation_id,
            Communication.direction == Direction.IN,
            Communication.sequence <= message.sequence,
        )
        .order_by(Communication.sequence.desc())
        .limit(10)
    )
    return sum(1 for _ in takewhile(lambda body: body == message.body, bodies))


def last_said(session: Session, message: Communication, kinds: tuple[str, ...]) -> str:
    """The last words of one of these kinds that the caller heard before this turn; empty when there were none."""
    last = session.scalars(
        select(Communication.body)
        .where(
            Communication.conversation_id == message.conversation_id,
            Communication.direction == Direction.OUT,
            Communication.kind.in_(kinds),
            Communication.sequence < message.sequence,
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    ).first()
    return last or ""


def visits_made(session: Session, conversation: Conversation) -> list[Appointment]:
    """The visits to come that were booked or moved in this conversation for who has proved who they are, by start."""
    if conversation.patient_id is None:
        return []
    changed = (
        select(AuditEvent.entity_id)
        .where(
            AuditEvent.patient_id == conversation.patient_id,
            AuditEvent.agent == f"assistant:{conversation.id}",
            AuditEvent.entity == "Appointment",
            AuditEvent.action.in_(("C", "U")),
        )
        .distinct()
    )
    found = select(Appointment).where(
        Appointment.id.in_(changed),
        Appointment.patient_id == conversation.patient_id,
        Appointment.status.in_(LIVE),
        Appointment.start > times.now(),
    )
    return list(session.scalars(found.order_by(Appointment.start, Appointment.id)))


def record(
    session: Session,
    conversation: Conversation,
    *,
    external_id: str,
    url: str | None = None,
    seconds: int | None = None,
    transcript: str | None = None,
) -> Recording:
    """Keep what the carrier tells of a recording, in any order: where it lies, how long it is, what it understood of it."""
    idempotency.insert_unless_there(
        session,
        Recording,
        id=new_id(),
        external_id=external_id,
        call_id=conversation.call_sid,
        conversation_id=conversation.id,
        url=url or "",
        created_at=times.now(),
    )
    recording = session.scalars(select(Recording).where(Recording.external_id == external_id).with_for_update()).one()
    recording.url = url or recording.url
    recording.seconds = seconds if seconds is not None else recording.seconds
    recording.transcript = transcript or recording.transcript
    audit.record(
        session,
        agent=f"assistant:{conversation.id}",
        action="U",
        entity="Recording",
        entity_id=recording.id,
        patient_id=conversation.patient_id,
    )
    return recording


def recordings(session: Session, conversation_id: str) -> list[Recording]:
    """What was left in this conversation, the oldest first."""
    found = select(Recording).where(Recording.conversation_id == conversation_id)
    return list(session.scalars(found.order_by(Recording.created_at, Recording.id)))


def task_of(session: Session, conversation_id: str, reasons: tuple[str, ...]) -> Task | None:
    """The newest task of this conversation that was left for one of these reasons, whatever became of it."""
    found = select(Task).where(Task.conversation_id == conversation_id, Task.reason.in_(reasons))
    return session.scalars(found.order_by(Task.created_at.desc(), Task.id).limit(1)).first()


def reminded_visit(session: Session, conversation: Conversation) -> Appointment | None:
    """The visit that a call of ours is about, if it is still to come."""
    call = find(session, conversation.call_sid or "")
    if call is None or call.communication_id is None:
        return None
    found = (
        select(Appointment)
        .join(
            Communication,
            (Communication.organization_id == Appointment.organization_id) & (Communication.appointment_id == Appointment.id),
        )
        .where(Communication.id == call.communication_id, Appointment.status.in_(LIVE), Appointment.start > times.now())
    )
    return session.scalars(found).one_or_none()
