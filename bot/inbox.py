"""What staff see and do about handed-over conversations at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, messaging
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Communication, Conversation, Delivery, Direction, Owner


def waiting(session: Session) -> Iterator[str]:
    """A line for each conversation that staff own, with what the patient wrote last, and one for each open task."""
    owned = select(Conversation).where(Conversation.open, Conversation.owner == Owner.STAFF).order_by(Conversation.last_turn_at)
    for conversation in session.scalars(owned).all():
        audit.record(
            session,
            agent="staff:command-line",
            action="R",
            entity="Conversation",
            entity_id=conversation.id,
            patient_id=conversation.patient_id,
        )
        said = _last_words(session, conversation)
        yield f"conversation {conversation.id}  {conversation.phone}  {conversation.owner_name or ''}  {said}"
    for task in handoff.open_tasks(session):
        audit.record(session, agent="staff:command-line", action="R", entity="Task", entity_id=task.id, patient_id=task.patient_id)
        words = " ".join(task.description.split())
        yield f"task {task.id}  {task.priority}  {task.team}  {task.reason}  {task.phone or ''}  {words}"


def reply(session: Session, *, conversation_id: str, text: str, name: str) -> str:
    """Queues a person's words to the patient, and takes the conversation over if the assistant still had it."""
    conversation = _conversation(session, conversation_id)
    if conversation.owner is not Owner.STAFF:
        handoff.take_over(session, conversation_id=conversation_id, owner_name=name, agent=f"staff:{name}")
    message = messaging.queue(
        session,
        phone=conversation.phone,
        body=text,
        author=name,
        kind="staff",
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
    )
    if message.status is Delivery.WITHHELD:
        return "Not sent: this number has opted out of texts. Please call."
    return "The message goes out now."


def give_back(session: Session, *, conversation_id: str, name: str) -> str:
    """Returns a conversation to the assistant, which starts afresh with the next text."""
    handoff.give_back(session, conversation_id=conversation_id, agent=f"staff:{name}")
    return "The assistant answers again."


def _conversation(session: Session, conversation_id: str) -> Conversation:
    found = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one_or_none()
    if found is None:
        raise NotFoundError(f"conversation {conversation_id}")
    return found


def _last_words(session: Session, conversation: Conversation) -> str:
    said = (
        select(Communication.body)
        .where(Communication.conversation_id == conversation.id, Communication.direction == Direction.IN)
        .order_by(Communication.sequence.desc())
        .limit(1)
    )
    return " ".join((session.scalars(said).first() or "").split())
