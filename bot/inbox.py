"""What staff see and do about handed-over conversations at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, inbox
from scheduling_core.clinic_file.loading import current
from scheduling_core.errors import NoTextsError
from scheduling_core.inbox import AtNight, Clerk
from scheduling_core.inbox_queues import Queue, State, rows

_AGENT = "staff:command-line"


def waiting(session: Session) -> Iterator[str]:
    """A line for each conversation that staff own, with the last words of the patient or of staff, and one for each open task."""
    for row in rows(session, Queue.ALL, staff_id=""):
        if row.state is State.ASSISTANT:
            continue
        audit.record(session, agent=_AGENT, action="R", entity="Conversation", entity_id=row.id, patient_id=row.patient_id)
        yield f"conversation {row.id}  {row.phone}  {row.owner_name or ''}  {row.words}"
    for task in handoff.open_tasks(session):
        audit.record(session, agent=_AGENT, action="R", entity="Task", entity_id=task.id, patient_id=task.patient_id)
        words = " ".join(task.description.split())
        yield f"task {task.id}  {task.priority}  {task.team}  {task.reason}  {task.phone or ''}  {words}"


def reply(session: Session, *, conversation_id: str, text: str, name: str) -> str:
    """Queues a person's words to the patient, and takes the conversation over if the assistant still had it."""
    clerk = Clerk(name, f"staff:{name}")
    try:
        inbox.reply(session, current(session), conversation_id=conversation_id, clerk=clerk, body=text, at_night=AtNight.SEND)
    except NoTextsError:
        return "Not sent: this number has opted out of texts. Please call."
    return "The message goes out now."


def give_back(session: Session, *, conversation_id: str, name: str) -> str:
    """Returns a conversation to the assistant, which starts afresh with the next text."""
    inbox.give_back(session, conversation_id=conversation_id, clerk=Clerk(name, f"staff:{name}"))
    return "The assistant answers again."
