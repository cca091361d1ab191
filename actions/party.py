"""For whom visits are: who has proved who they are, or is new, one person after the other where several come together.

Those who were settled before the present one are kept in the core with the conversation and in no slot: each proved it here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from actions.turn import Turn
from scheduling_core import identity as proofs
from scheduling_core import patients

_KEY = "party"


@dataclass(frozen=True)
class Member:
    """A person whom a visit is for. Without `patient_id` they are new and will be registered when the visit is booked."""

    patient_id: str | None
    given: str
    family: str
    birth_date: str  # ISO 8601

    @property
    def first(self) -> str:
        return self.given.split()[0]

    @property
    def born(self) -> dt.date:
        return dt.date.fromisoformat(self.birth_date)

    @property
    def is_new(self) -> bool:
        return self.patient_id is None


def current(turn: Turn) -> Member | None:
    """The person that the conversation is about now, once that is settled."""
    if (known := turn.known.patient) is not None:
        return Member(known.id, known.given, known.family, known.birth_date.isoformat())
    claim = turn.known.claim
    return Member(None, claim["given"], claim["family"], claim["birth_date"]) if turn.is_new else None


def settled(turn: Turn) -> list[Member]:
    """Those of several people who have been settled so far."""
    with turn.database.reading() as session:
        return [Member(**raw) for raw in turn.conversation(session).state.get(_KEY, ())]


def settle(turn: Turn) -> None:
    """Keep the present person; the next one must prove anew who they are."""
    member = current(turn)
    assert member
    fresh = [*settled(turn), member]
    _keep(turn, [asdict(one) for one in fresh])
    with turn.transaction() as session:
        proofs.forget(session, conversation_id=turn.known.id)
    turn.look_again()


def become(turn: Turn, member: Member) -> None:
    """Go on with one of the settled people alone."""
    with turn.transaction() as session:
        conversation = turn.conversation(session)
        conversation.patient_id = member.patient_id
        facts = {"given": member.given, "family": member.family, "birth_date": member.birth_date}
        conversation.claim = facts | ({"new": True} if member.is_new else {}) | {"relation": "family"}
    forget(turn)
    turn.look_again()


def forget(turn: Turn) -> None:
    """Nobody is settled any more besides the present person."""
    _keep(turn, [])


def register(turn: Turn, session: Session, member: Member, *, key: str) -> Member:
    """The member with a record: a new person is put on file with this number, at the booking and not before."""
    if not member.is_new:
        return member
    made = patients.register(
        session,
        given=member.given,
        family=member.family,
        birth_date=member.born,
        phone=turn.known.phone if turn.known.phone.startswith("+") else None,
        language=turn.language,
        new=True,
        agent=turn.agent,
        key=key,
    )
    return replace(member, patient_id=made.id)


def _keep(turn: Turn, members: list[dict[str, Any]]) -> None:
    with turn.transaction() as session:
        conversation = turn.conversation(session)
        if members or conversation.state.get(_KEY):
            conversation.state = {**conversation.state, _KEY: members}
