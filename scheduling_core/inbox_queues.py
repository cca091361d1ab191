"""What stands in which queue of the inbox, in which order, and what one conversation shows."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from scheduling_core import glass, times
from scheduling_core.handoff import BY_URGENCY, EPISODE_ENDS_AFTER, OPEN
from scheduling_core.inbox import UNANSWERED, URGENT
from scheduling_core.models import (
    Channel,
    Communication,
    Conversation,
    ConversationView,
    Direction,
    Owner,
    Patient,
    PatientPhone,
    Priority,
    StaffAccount,
    Task,
)

LONGEST_LIST = 200
_SNIPPET = 140  # characters of the last message in a row


class Queue(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"  # needs a person, and nobody has it
    ALL = "all"  # everything that goes on, the assistant's too
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class State(StrEnum):
    """Where one conversation stands, whoever looks."""

    ASSISTANT = "assistant"
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    OVER = "over"  # nobody wrote for hours, and the number has a fresh episode


@dataclass(frozen=True)
class Row:
    """A conversation in a queue. `who` is the patient's name: `verified` where they proved it here, else of who is on file.

    `restricted`: the patient's record is behind glass for who reads this; `who` is their initials and `words` are left out.
    """

    id: str
    channel: Channel
    phone: str
    language: str
    state: State
    who: str | None
    verified: bool
    patient_id: str | None
    restricted: bool
    assignee_id: str | None
    owner_name: str | None
    team: str | None
    urgency: int | None  # 0 is life in danger (Priority.STAT); None: no urgent task
    reason: str | None  # of the most urgent task
    waiting_since: dt.datetime | None
    snoozed_until: dt.datetime | None
    words: str  # the patient's last ones, or those of staff where they have answered since
    words_by: str  # Communication.author of them; "" where nothing was said
    last_at: dt.datetime
    last_sequence: int
    last_in_sequence: int  # of the patient's last message; 0 for none

    @property
    def is_red_flag(self) -> bool:
        return self.urgency == BY_URGENCY[Priority.STAT]

    @property
    def order(self) -> tuple[int, float, float]:
        """What sorts rows: urgent ones, then who waits longest, then the latest word."""
        waits = self.waiting_since.timestamp() if self.waiting_since else float("inf")
        return (9 if self.urgency is None else self.urgency, waits, -self.last_at.timestamp())


@dataclass(frozen=True)
class Counts:
    """How many conversations each queue has; `mine` by account."""

    unassigned: int
    all: int
    snoozed: int
    mine: dict[str, int]


def rows(session: Session, queue: Queue, *, staff_id: str, team: str | None = None) -> list[Row]:
    """The queue as this staff member sees it, in its order, at most LONGEST_LIST of it."""
    task = _urgent_tasks(session)
    found = _joined(task).where(_stands_in(queue, task, staff_id)).limit(LONGEST_LIST)
    if team is not None:
        found = found.where(Conversation.team == team)
    waits = func.coalesce(Conversation.waiting_since, task.c.since)
    if queue is Queue.RESOLVED:
        found = found.order_by(Conversation.settled_at.desc())
    elif queue is Queue.SNOOZED:
        found = found.order_by(Conversation.snoozed_until)
    else:
        found = found.order_by(func.coalesce(task.c.urgency, 9), waits.is_(None), waits, Conversation.last_turn_at.desc())
    return _as_rows(session, session.execute(found).all(), opened=glass.opened(session, staff_id))


def rows_of(session: Session, conversation_ids: Collection[str], *, staff_id: str | None = None) -> list[Row]:
    """These conversations, wherever they stand, in no order; as this staff member sees them, or as all may."""
    found = _joined(_urgent_tasks(session)).where(Conversation.id.in_(conversation_ids))
    return _as_rows(session, session.execute(found).all(), opened=glass.opened(session, staff_id) if staff_id else set())


def counts(session: Session) -> Counts:
    """For everybody at once: what a change means for the menu of each open page."""
    task = _urgent_tasks(session)

    def of(queue: Queue) -> int:
        joined = select(func.count()).select_from(Conversation).outerjoin(task, task.c.conversation_id == Conversation.id)
        return session.scalar(joined.where(_stands_in(queue, task, ""))) or 0

    mine = (
        select(Conversation.assignee_id, func.count())
        .where(_awake_with_staff(), Conversation.assignee_id.is_not(None))
        .group_by(Conversation.assignee_id)
    )
    each = {str(staff_id): count for staff_id, count in session.execute(mine)}
    return Counts(unassigned=of(Queue.UNASSIGNED), all=of(Queue.ALL), snoozed=of(Queue.SNOOZED), mine=each)


def count_waiting(session: Session, staff_id: str) -> int:
    """What waits for this staff member: their own, and what nobody has."""
    found = counts(session)
    return found.unassigned + found.mine.get(staff_id, 0)


def read_marks(session: Session, *, staff_id: str, conversation_ids: Collection[str]) -> dict[str, int]:
    """How far this staff member has read each; none for what they have never opened."""
    found = select(ConversationView.conversation_id, ConversationView.read_sequence).where(
        ConversationView.staff_id == staff_id, ConversationView.conversation_id.in_(conversation_ids)
    )
    return dict(session.execute(found).tuples().all())


def who_looks(session: Session) -> dict[str, tuple[tuple[str, str], ...]]:
    """By conversation: id and name of each staff member who has it before them now."""
    found = (
        select(ConversationView.conversation_id, StaffAccount.id, StaffAccount.name)
        .join(StaffAccount, StaffAccount.id == ConversationView.staff_id)
        .where(ConversationView.looking_until > time.time())
        .order_by(StaffAccount.name)
    )
    looking: dict[str, tuple[tuple[str, str], ...]] = {}
    for conversation_id, staff_id, name in session.execute(found):
        looking[conversation_id] = (*looking.get(conversation_id, ()), (staff_id, name))
    return looking


def _urgent_tasks(session: Session) -> Any:
    """By conversation: the most urgent open task that makes it a matter for people."""
    urgency = case(BY_URGENCY, value=Task.priority)
    return (
        select(Task.conversation_id, func.min(urgency).label("urgency"), func.min(Task.created_at).label("since"))
        .where(
            Task.organization_id == session.info["organization"],
            Task.status.in_(OPEN),
            Task.conversation_id.is_not(None),
            or_(Task.priority.in_(URGENT), Task.reason.in_(UNANSWERED)),
        )
        .group_by(Task.conversation_id)
        .subquery()
    )


def _joined(task: Any) -> Select[Any]:
    return select(Conversation, task.c.urgency, task.c.since).outerjoin(task, task.c.conversation_id == Conversation.id)


def _stands_in(queue: Queue, task: Any, staff_id: str) -> ColumnElement[bool]:
    awake = and_(Conversation.open, or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= times.now()))
    needs_person = or_(Conversation.owner == Owner.STAFF, task.c.conversation_id.is_not(None))
    recent = Conversation.last_turn_at > times.now() - EPISODE_ENDS_AFTER
    return {
        Queue.MINE: and_(_awake_with_staff(), Conversation.assignee_id == staff_id),
        Queue.UNASSIGNED: and_(awake, needs_person, Conversation.assignee_id.is_(None)),
        Queue.ALL: and_(awake, or_(needs_person, recent)),
        Queue.SNOOZED: and_(Conversation.open, Conversation.owner == Owner.STAFF, Conversation.snoozed_until > times.now()),
        Queue.RESOLVED: and_(Conversation.open.is_(False), Conversation.settled_at.is_not(None)),
    }[queue]


def _awake_with_staff() -> ColumnElement[bool]:
    awake = or_(Conversation.snoozed_until.is_(None), Conversation.snoozed_until <= times.now())
    return and_(Conversation.open, Conversation.owner == Owner.STAFF, awake)


def _as_rows(session: Session, found: Sequence[Any], *, opened: Collection[str]) -> list[Row]:
    conversations: list[Conversation] = [conversation for conversation, _, _ in found]
    ids = [conversation.id for conversation in conversations]
    last = _last_messages(session, ids)
    verified = _patients(session, {one.patient_id for one in conversations if one.patient_id})
    on_file = _patients_on_file(session, {one.phone for one in conversations if not one.patient_id})
    reasons = _reasons(session, [one.id for one, urgency, _ in found if urgency is not None or one.owner is Owner.STAFF])
    made = []
    for conversation, urgency, since in found:
        said = last.get(conversation.id, _Said())
        known = verified.get(conversation.patient_id) if conversation.patient_id else on_file.get(conversation.phone)
        restricted = known is not None and known.restricted and known.id not in opened
        made.append(
            Row(
                id=conversation.id,
                channel=conversation.channel,
                phone=conversation.phone,
                language=conversation.language,
                state=_state(conversation, urgent=urgency is not None),
                who=known.name(initials=restricted) if known else None,
                verified=conversation.patient_id is not None,
                patient_id=known.id if known else None,
                restricted=restricted,
                assignee_id=conversation.assignee_id,
                owner_name=conversation.owner_name,
                team=conversation.team,
                urgency=urgency if urgency is not None and urgency < BY_URGENCY[Priority.ROUTINE] else None,
                reason=reasons.get(conversation.id),
                waiting_since=conversation.waiting_since or since,
                snoozed_until=conversation.snoozed_until,
                words=" ".join(said.words.body.split())[:_SNIPPET] if said.words and not restricted else "",
                words_by=said.words.author if said.words else "",
                last_at=said.last.created_at if said.last else conversation.created_at,
                last_sequence=said.last.sequence if said.last else 0,
                last_in_sequence=said.last_in,
            )
        )
    return made


def _state(conversation: Conversation, *, urgent: bool) -> State:
    if not conversation.open:
        return State.RESOLVED if conversation.settled_at else State.OVER
    if conversation.snoozed_until is not None and conversation.snoozed_until > times.now():
        return State.SNOOZED
    if conversation.assignee_id is not None:
        return State.ASSIGNED
    return State.UNASSIGNED if urgent or conversation.owner is Owner.STAFF else State.ASSISTANT


@dataclass(frozen=True)
class _Said:
    last: Communication | None = None
    words: Communication | None = None
    last_in: int = 0


def _last_messages(session: Session, ids: Collection[str]) -> dict[str, _Said]:
    """By conversation: its last message, the one that its row shows, and the sequence of the patient's last one."""
    by_people = case((and_(Communication.author != "assistant", Communication.body != ""), Communication.sequence))
    from_patient = case((Communication.direction == Direction.IN, Communication.sequence))
    ends = session.execute(
        select(
            Communication.conversation_id,
            func.max(Communication.sequence),
            func.max(by_people),
            func.max(from_patient),
        )
        .where(Communication.conversation_id.in_(ids))
        .group_by(Communication.conversation_id)
    ).all()
    wanted = {sequence for _, last, shown, _ in ends for sequence in (last, shown) if sequence}
    found = {one.sequence: one for one in session.scalars(select(Communication).where(Communication.sequence.in_(wanted)))}
    return {str(id_): _Said(found[last], found.get(shown) or found[last], last_in or 0) for id_, last, shown, last_in in ends}


@dataclass(frozen=True)
class _Known:
    id: str
    given: str
    family: str
    restricted: bool

    def name(self, *, initials: bool) -> str:
        return f"{self.given[:1]}. {self.family[:1]}." if initials else f"{self.given} {self.family}"


def _patients(session: Session, patient_ids: Collection[str]) -> dict[str, _Known]:
    found = select(Patient.id, Patient.given, Patient.family, Patient.restricted).where(Patient.id.in_(patient_ids))
    return {row.id: _Known(*row) for row in session.execute(found)}


def _patients_on_file(session: Session, phones: Collection[str]) -> dict[str, _Known]:
    """By number: the one patient who has it; nothing where several share it."""
    found = session.execute(
        select(PatientPhone.phone, Patient.id, Patient.given, Patient.family, Patient.restricted)
        .join(Patient, Patient.id == PatientPhone.patient_id)
        .where(PatientPhone.phone.in_(phones), Patient.active)
    )
    holders: dict[str, list[_Known]] = {}
    for phone, *row in found:
        holders.setdefault(phone, []).append(_Known(*row))
    return {phone: holding[0] for phone, holding in holders.items() if len(holding) == 1}


def _reasons(session: Session, ids: Collection[str]) -> dict[str, str]:
    tasks = session.execute(
        select(Task.conversation_id, Task.reason)
        .where(Task.conversation_id.in_(ids), Task.status.in_(OPEN))
        .order_by(case(BY_URGENCY, value=Task.priority).desc(), Task.created_at.desc())
    )
    return {str(conversation_id): reason for conversation_id, reason in tasks}
