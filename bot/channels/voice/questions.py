"""What is open on a call: the question that the next words or keys answer. Kept with the conversation between its turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core.models import Conversation

CALL = "call"  # the form of questions that the call itself asks, not the dialogue
_KEY = "question"


@dataclass(frozen=True)
class Question:
    """`form` and `slot` as the dialogue calls them, None where it asked nothing; of `count` choices, `words` names them.

    `heard` is what waits for a yes, of a read-back, and `behind` the slot that it answers. `page` counts the pages of a long list
    from 0. `booked`: a visit was booked or moved in this call, and no text about it was offered yet.
    """

    form: str | None = None
    slot: str | None = None
    count: int = 0
    words: tuple[str, ...] = ()
    heard: str = ""
    behind: str | None = None
    page: int = 0
    booked: bool = False

    @property
    def is_ours(self) -> bool:
        return self.form == CALL


def question_of(conversation: Conversation) -> Question:
    return read(conversation.state.get(_KEY))


def read(told: Mapping[str, Any] | None) -> Question:
    """From what was kept, or from what the dialogue tells of itself."""
    if not told:
        return Question()
    return Question(**{**told, "words": tuple(told.get("words") or ())})


def keep(session: Session, conversation_id: str, question: Question) -> Conversation:
    """Open this question from now on; the conversation."""
    conversation = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one()
    conversation.state = {**conversation.state, _KEY: asdict(question)}
    return conversation
