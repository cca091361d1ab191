"""What a turn can come to: what came in, what is answered, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from bot import emergency
from scheduling_core import handoff, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Communication, Conversation, Delivery, Priority, Task

LONGEST_DESCRIPTION = 4000


class Said(StrEnum):
    """What kind of thing came in: the `kind` of an incoming Communication."""

    TEXT = "text"
    PICTURE = "picture"
    KEYS = "keys"  # on a call: pressed, not said
    DOUBTFUL = "doubtful"  # on a call: heard, but not well
    SILENCE = "silence"  # on a call: nothing was heard
    UNCLEAR = "unclear"  # on a call: heard too badly to be believed
    NOT_REACHED = "not-reached"  # on a call: the desk did not pick up
    CONNECTED = "connected"  # on a call: the desk did, and the talk is over
    RECORDED = "recorded"  # on a call: a message was left


class ReplyKind(StrEnum):
    """The `kind` of an outgoing Communication that answers one."""

    REPLY = "reply"
    EMERGENCY = "emergency"
    OPT_OUT = "opt-out"
    SYSTEM = "system"
    SLOW = "slow"  # on a call: asked again, slowly
    TRANSFER = "transfer"  # on a call: then the desk is dialled
    RECORD = "record"  # on a call: then a message may be left
    GOODBYE = "goodbye"  # on a call: then it ends


@dataclass(frozen=True)
class Reply:
    body: str
    kind: ReplyKind = ReplyKind.REPLY


@dataclass(frozen=True)
class Ask:
    """Nothing stands before the dialogue: it is asked this."""

    text: str
    picture: bool = False
    alarm: emergency.Alarm | None = None  # of words that may be harmless: the dialogue decides, and danger it is where it cannot


Effect = Callable[[Session], None]


@dataclass(frozen=True)
class Outcome:
    """How a turn ends. `effect` runs in the transaction that stores the replies. `name` is for counting."""

    name: str
    replies: tuple[Reply, ...] = ()
    effect: Effect | None = None
    status: Delivery = Delivery.ANSWERED


def note(
    session: Session,
    conversation: Conversation,
    message: Communication,
    *,
    team: str,
    reason: str,
    words: str,
    more: str,
    priority: Priority = Priority.ROUTINE,
) -> Task:
    """One open Task a conversation and reason: opened with `words`, to which what they write later is added as `more`."""
    for task in handoff.open_tasks(session, conversation_id=conversation.id):
        if task.reason == reason:
            task.description = f"{task.description}\nThen: {more}"[:LONGEST_DESCRIPTION]
            task.updated_at = times.now()
            return task
    return handoff.open_task(
        session,
        team=team,
        reason=reason,
        description=words[:LONGEST_DESCRIPTION],
        priority=priority,
        patient_id=conversation.patient_id,
        phone=conversation.phone,
        conversation_id=conversation.id,
        key=f"{reason}:{message.id}",
    )


def team(clinic: ClinicFile, wanted: str) -> str:
    """The team of this name where the clinic has it, else its first."""
    return wanted if wanted in clinic.handoff.teams else clinic.handoff.teams[0]
