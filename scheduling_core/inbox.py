"""What staff do with conversations: take, assign, answer, note, put to sleep, give back, resolve.

A conversation has one owner at a time. Who takes it names whom they saw it with, and one conditional UPDATE decides: of two clerks
who claim it at once, the second is told who was faster. `inbox_queues` says what stands where.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from scheduling_core import audit, handoff, idempotency, messaging, sending, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import (
    HeldByOtherError,
    NoTextsError,
    NotFoundError,
    QuietHoursError,
    UnfitTextError,
    WrittenSinceError,
    WrongStateError,
)
from scheduling_core.models import (
    Communication,
    Conversation,
    ConversationLine,
    ConversationView,
    Direction,
    LineKind,
    Owner,
    Priority,
    StaffAccount,
    Task,
)
from scheduling_core.segments import clean

LONGEST_TEXT = 1600  # characters; carriers take no more
LONGEST_NOTE = 10_000
FARTHEST_SNOOZE = dt.timedelta(days=90)
AWAKE_FOR = dt.timedelta(minutes=60)  # who wrote within it is not woken by an answer
STAFF = "staff"  # the kind of message that a person wrote

# Of tasks that are no urgent ones: what shows that the assistant left the patient without an answer.
UNANSWERED = ("dialogue-down",)
URGENT = (Priority.STAT, Priority.ASAP, Priority.URGENT)
_ABOUT_THE_TALK = (*UNANSWERED, "asked-for-person", "complaint", "not-understood", "identity-lockout", "opted-out-asks")


@dataclass(frozen=True)
class Clerk:
    """Who acts. `staff_id` is None at a terminal, which knows no account."""

    name: str
    agent: str
    staff_id: str | None = None

    @staticmethod
    def of(account: StaffAccount) -> Clerk:
        return Clerk(account.name, f"staff:{account.email}", account.id)


class AtNight(StrEnum):
    """What to do with an answer in the patient's quiet hours."""

    ASK = "ask"
    SEND = "send"
    WAIT = "wait"  # until they end


def get(session: Session, conversation_id: str) -> Conversation:
    """The conversation, locked for this transaction. Raises NotFoundError."""
    found = select(Conversation).where(Conversation.id == conversation_id).with_for_update()
    conversation = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if conversation is None:
        raise NotFoundError(f"Conversation/{conversation_id}")
    return conversation


def claim(session: Session, *, conversation_id: str, clerk: Clerk, seen: str | None = None) -> Conversation:
    """The conversation is this clerk's, and the assistant is silent in it.

    `seen` is the account that the clerk saw it with: None for nobody (the assistant's, or a team's), a colleague's id to take it
    from them. Claiming one's own changes nothing. Raises NotFoundError; HeldByOtherError when somebody was faster; WrongStateError
    when the conversation is closed.
    """
    return _assign(session, conversation_id, clerk, seen, {"assignee_id": clerk.staff_id, "owner_name": clerk.name})


def assign_to_person(session: Session, *, conversation_id: str, clerk: Clerk, staff_id: str, seen: str | None) -> Conversation:
    """The conversation is a colleague's. Raises as `claim`, and NotFoundError for who has no account that may sign in."""
    person = session.scalars(select(StaffAccount).where(StaffAccount.id == staff_id, StaffAccount.active)).one_or_none()
    if person is None:
        raise NotFoundError(f"StaffAccount/{staff_id}")
    return _assign(session, conversation_id, clerk, seen, {"assignee_id": person.id, "owner_name": person.name})


def assign_to_team(
    session: Session, clinic: ClinicFile, *, conversation_id: str, clerk: Clerk, team: str, seen: str | None
) -> Conversation:
    """The conversation waits for somebody of a team. Raises as `claim`, and NotFoundError for a team that the clinic has not."""
    if team not in clinic.handoff.teams:
        raise NotFoundError(f"team {team}")
    return _assign(session, conversation_id, clerk, seen, {"assignee_id": None, "owner_name": team, "team": team})


def _assign(session: Session, conversation_id: str, clerk: Clerk, seen: str | None, whose: dict[str, str | None]) -> Conversation:
    of_bot = Conversation.owner == Owner.BOT
    changed = session.execute(
        update(Conversation)
        .where(
            Conversation.organization_id == session.info["organization"],
            Conversation.id == conversation_id,
            Conversation.open,
            Conversation.assignee_id.is_(None) if seen is None else Conversation.assignee_id == seen,
        )
        .values(
            owner=Owner.STAFF,
            handed_over_by=case((of_bot, clerk.agent), else_=Conversation.handed_over_by),
            waiting_since=case((of_bot, times.now()), else_=Conversation.waiting_since),
            snoozed_until=None,
            **whose,
        )
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    won = changed.first() is not None
    conversation = get(session, conversation_id)
    if won:
        mine = conversation.assignee_id is not None and conversation.assignee_id == clerk.staff_id
        kind = LineKind.TAKEN_OVER if mine else LineKind.ASSIGNED
        handoff.audit_owner(session, conversation, clerk.agent)
        handoff.add_line(session, conversation_id, kind, author=clerk.name, body=whose["owner_name"] or "")
    elif not conversation.open:
        raise WrongStateError(f"Conversation/{conversation_id}")
    elif conversation.assignee_id != whose["assignee_id"]:
        raise HeldByOtherError(conversation.owner_name or "")
    return conversation


def note_patients_words(session: Session, conversation_id: str) -> None:
    """The patient wrote in a conversation that staff own: somebody waits for an answer, and it sleeps no longer."""
    conversation = get(session, conversation_id)
    conversation.waiting_since = conversation.waiting_since or times.now()
    if conversation.snoozed_until is not None:
        conversation.snoozed_until = None
        handoff.add_line(session, conversation_id, LineKind.WOKEN, author="patient")


def quiet_until(session: Session, clinic: ClinicFile, conversation: Conversation) -> dt.datetime | None:
    """When an answer would disturb nobody any more, in UTC; None when it does not now: it is day, or they wrote just before."""
    now = times.now()
    until = sending.quiet_until(clinic, phone=conversation.phone, at=now)
    if until is None:
        return None
    wrote = select(func.max(Communication.created_at)).where(
        Communication.conversation_id == conversation.id, Communication.direction == Direction.IN
    )
    last = session.scalar(wrote)
    return None if last is not None and now - last <= AWAKE_FOR else until


def takes_texts(session: Session, conversation: Conversation) -> bool:
    """Whether a text can go to the number at all: it is known, and has not opted out."""
    return conversation.phone.startswith("+") and not messaging.opted_out(session, conversation.phone)


def reply(
    session: Session,
    clinic: ClinicFile,
    *,
    conversation_id: str,
    clerk: Clerk,
    body: str,
    key: str | None = None,
    at_night: AtNight = AtNight.ASK,
) -> Communication:
    """A person's words to the patient, by text; to a caller too. A conversation that nobody has becomes the clerk's first.

    The same `key` sends once. Raises NotFoundError; HeldByOtherError; WrongStateError when it is closed; NoTextsError;
    QuietHoursError with AtNight.ASK when it is night there and they did not just write; UnfitTextError.
    """
    text = clean(body)
    if not text or len(text) > LONGEST_TEXT:
        raise UnfitTextError(f"1 to {LONGEST_TEXT} characters")
    conversation = get(session, conversation_id)
    if key is not None and (sent := _sent(session, key)):
        return sent
    if not takes_texts(session, conversation):
        raise NoTextsError
    _refuse_if_held_by_other(conversation, clerk)
    until = None if at_night is AtNight.SEND else quiet_until(session, clinic, conversation)
    if until is not None and at_night is AtNight.ASK:
        raise QuietHoursError(until)
    if conversation.assignee_id is None and clerk.staff_id is not None:
        conversation = claim(session, conversation_id=conversation_id, clerk=clerk)
    elif conversation.owner is not Owner.STAFF:
        conversation = handoff.take_over(session, conversation_id=conversation_id, owner_name=clerk.name, agent=clerk.agent)
    elif not conversation.open:
        raise WrongStateError(f"Conversation/{conversation_id}")
    conversation.waiting_since = conversation.snoozed_until = None
    return messaging.queue(
        session,
        phone=conversation.phone,
        body=text,
        author=clerk.name,
        kind=STAFF,
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        due_at=until,
        key=key,
        agent=clerk.agent,
    )


def _sent(session: Session, key: str) -> Communication | None:
    return session.scalars(select(Communication).where(Communication.idempotency_key == key)).one_or_none()


def add_note(session: Session, *, conversation_id: str, clerk: Clerk, body: str) -> ConversationLine:
    """Words for colleagues; the patient never sees them. Raises NotFoundError; UnfitTextError."""
    text = body.replace("\x00", "").strip()
    if not text or len(text) > LONGEST_NOTE:
        raise UnfitTextError(f"1 to {LONGEST_NOTE} characters")
    conversation = get(session, conversation_id)
    line = handoff.add_line(session, conversation_id, LineKind.NOTE, author=clerk.name, body=text)
    audit.record(
        session,
        agent=clerk.agent,
        action="C",
        entity="ConversationLine",
        entity_id=conversation_id,
        patient_id=conversation.patient_id,
    )
    return line


def snooze(session: Session, *, conversation_id: str, clerk: Clerk, until: dt.datetime) -> Conversation:
    """It leaves the queues until then, or until the patient writes. Raises NotFoundError; HeldByOtherError; WrongStateError."""
    conversation = _owned(session, conversation_id, clerk)
    now = times.now()
    if not now < until <= now + FARTHEST_SNOOZE:
        raise WrongStateError(f"until {until.isoformat()}")
    conversation.snoozed_until = until
    handoff.add_line(session, conversation_id, LineKind.SNOOZED, author=clerk.name, body=until.isoformat())
    handoff.audit_owner(session, conversation, clerk.agent)
    return conversation


def wake(session: Session, *, conversation_id: str, clerk: Clerk) -> Conversation:
    """It sleeps no longer. Raises as `snooze`."""
    conversation = _owned(session, conversation_id, clerk)
    if conversation.snoozed_until is not None:
        conversation.snoozed_until = None
        handoff.add_line(session, conversation_id, LineKind.WOKEN, author=clerk.name)
        handoff.audit_owner(session, conversation, clerk.agent)
    return conversation


def give_back(session: Session, *, conversation_id: str, clerk: Clerk, seen: int | None = None) -> Conversation | None:
    """The assistant answers again, in a fresh episode (`handoff.give_back`), which is returned; None after a call.

    `seen` is the sequence of the last message on the clerk's page. Raises NotFoundError; HeldByOtherError; WrongStateError;
    WrittenSinceError.
    """
    conversation = _owned(session, conversation_id, clerk)
    _refuse_if_written_since(session, conversation, seen)
    _finish_tasks(session, conversation, clerk)
    return handoff.give_back(session, conversation_id=conversation_id, agent=clerk.agent)


def resolve(session: Session, *, conversation_id: str, clerk: Clerk, seen: int | None = None) -> None:
    """Nothing is left to do: the tasks that brought it here are done, and what staff own is closed; the next text begins afresh.

    What the assistant still has goes on. Tasks of other teams that are neither urgent nor about the talk stay. Raises as
    `give_back`.
    """
    conversation = get(session, conversation_id)
    _refuse_if_held_by_other(conversation, clerk)
    _refuse_if_written_since(session, conversation, seen)
    done = _finish_tasks(session, conversation, clerk)
    if conversation.owner is Owner.STAFF and conversation.open:
        handoff.settle(session, conversation, LineKind.RESOLVED, agent=clerk.agent)
    elif not done:
        raise WrongStateError(f"Conversation/{conversation_id}")


def finish_task(session: Session, *, conversation_id: str, task_id: str, clerk: Clerk) -> Task:
    """One task of a conversation is done. Raises NotFoundError."""
    task = handoff.get_task(session, task_id)
    if task.conversation_id != conversation_id:
        raise NotFoundError(f"Task/{task_id}")
    return handoff.close_task(session, task_id=task_id, agent=clerk.agent)


def mark_read(session: Session, *, conversation_id: str, staff_id: str, sequence: int) -> None:
    """This staff member has seen everything up to that message."""
    _keep_view(session, conversation_id, staff_id, ConversationView.read_sequence < sequence, read_sequence=sequence)


def look(session: Session, *, conversation_id: str, staff_id: str, until: float) -> None:
    """This staff member has the conversation before them until then (elapsed time), and no other."""
    session.execute(
        update(ConversationView)
        .where(
            ConversationView.organization_id == session.info["organization"],
            ConversationView.staff_id == staff_id,
            ConversationView.conversation_id != conversation_id,
            ConversationView.looking_until > 0,
        )
        .values(looking_until=0.0)
        .execution_options(synchronize_session=False)
    )
    _keep_view(session, conversation_id, staff_id, ConversationView.looking_until < until, looking_until=until)


def _keep_view(session: Session, conversation_id: str, staff_id: str, is_news: ColumnElement[bool], **values: float) -> None:
    ids = {"conversation_id": conversation_id, "staff_id": staff_id}
    if idempotency.insert_unless_there(session, ConversationView, **ids, **({"read_sequence": 0, "looking_until": 0.0} | values)):
        return
    session.execute(
        update(ConversationView)
        .where(
            ConversationView.organization_id == session.info["organization"],
            ConversationView.conversation_id == conversation_id,
            ConversationView.staff_id == staff_id,
            is_news,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _owned(session: Session, conversation_id: str, clerk: Clerk) -> Conversation:
    """What staff own, and nobody else than this clerk."""
    conversation = get(session, conversation_id)
    if not conversation.open or conversation.owner is not Owner.STAFF:
        raise WrongStateError(f"Conversation/{conversation_id}")
    _refuse_if_held_by_other(conversation, clerk)
    return conversation


def _refuse_if_held_by_other(conversation: Conversation, clerk: Clerk) -> None:
    if conversation.assignee_id not in (None, clerk.staff_id):
        raise HeldByOtherError(conversation.owner_name or "")


def _refuse_if_written_since(session: Session, conversation: Conversation, seen: int | None) -> None:
    """What a clerk closes without having read it would get no answer from anybody."""
    if seen is None:
        return
    newer = select(Communication.sequence).where(
        Communication.conversation_id == conversation.id, Communication.direction == Direction.IN, Communication.sequence > seen
    )
    if session.scalars(newer.limit(1)).first() is not None:
        raise WrittenSinceError(f"Conversation/{conversation.id}")


def _finish_tasks(session: Session, conversation: Conversation, clerk: Clerk) -> int:
    """How many there were of those that this conversation was here for."""
    here_for = [
        task
        for task in handoff.open_tasks(session, conversation_id=conversation.id)
        if task.priority in URGENT or task.reason in _ABOUT_THE_TALK or task.team == conversation.team
    ]
    for task in here_for:
        handoff.close_task(session, task_id=task.id, agent=clerk.agent)
    return len(here_for)
