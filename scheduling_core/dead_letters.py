"""Messages that nobody got, and sending them once more when staff say so."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, messaging, patients, sending
from scheduling_core.errors import NoTextsError, NotFoundError, WrongStateError
from scheduling_core.models import Channel, Communication, Delivery, Task

_KEY = "not-delivered:"
_GONE = (Delivery.FAILED, Delivery.WITHHELD)


def behind(session: Session, tasks: list[Task]) -> dict[str, Communication]:
    """The messages that these tasks are about, by task."""
    keys = {task.id: task.idempotency_key or "" for task in tasks}
    ids = {task_id: key.removeprefix(_KEY) for task_id, key in keys.items() if key.startswith(_KEY)}
    found = session.scalars(select(Communication).where(Communication.id.in_(ids.values())))
    by_id = {message.id: message for message in found}
    return {task_id: by_id[message_id] for task_id, message_id in ids.items() if message_id in by_id}


def send_again(session: Session, *, communication_id: str, agent: str) -> Communication:
    """Put a message that failed into the outbox once more, to the number or address that is first on file by now.

    What it says is looked at again before it goes out: a reminder of a visit that was moved since stays here. Raises NotFoundError,
    WrongStateError (it is on its way, or was delivered), NoTextsError (the recipient wants none).
    """
    message = session.scalars(select(Communication).where(Communication.id == communication_id)).one_or_none()
    if message is None:
        raise NotFoundError(f"Communication/{communication_id}")
    address = _address_now(session, message)
    if messaging.opted_out(session, address, message.channel):
        raise NoTextsError
    done = session.execute(
        update(Communication)
        .where(
            Communication.organization_id == session.info["organization"],
            Communication.id == communication_id,
            Communication.status.in_(_GONE),
        )
        .values(
            status=Delivery.QUEUED,
            phone=address,
            attempts=0,
            retry_at=0.0,
            due_at=None,
            external_id=None,
            error=None,
        )
        .returning(Communication.id)
        .execution_options(synchronize_session=False)
    ).first()
    if done is None:
        raise WrongStateError(f"Communication/{communication_id}")
    detail = {"again": {"error": message.error, "status": message.status}, "other_number": address != message.phone}
    session.refresh(message)
    audit.record(
        session,
        agent=agent,
        action="U",
        entity="Communication",
        entity_id=message.id,
        patient_id=message.patient_id,
        detail=detail,
    )
    return message


def _address_now(session: Session, message: Communication) -> str:
    if message.patient_id is None:
        return message.phone
    patient = patients.get(session, message.patient_id)
    first = patient.email if message.channel is Channel.EMAIL else sending.first_phone(patient)
    return first or message.phone
