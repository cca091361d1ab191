"""Texts that staff send again and again, once for each language that the clinic speaks."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency
from scheduling_core.errors import NotFoundError, UnfitTextError
from scheduling_core.inbox import LONGEST_TEXT
from scheduling_core.models import CannedReply, new_id
from scheduling_core.segments import clean

LONGEST_NAME = 80


def of_language(session: Session, language: str) -> list[CannedReply]:
    """What can be said in this language, by name."""
    return list(session.scalars(select(CannedReply).where(CannedReply.language == language).order_by(CannedReply.name)))


def everything(session: Session) -> list[CannedReply]:
    """By name and language."""
    return list(session.scalars(select(CannedReply).order_by(CannedReply.name, CannedReply.language)))


def save(session: Session, *, name: str, language: str, body: str, agent: str) -> CannedReply:
    """The reply of this name in this language says this from now on. Raises UnfitTextError."""
    called, text = " ".join(name.split()), clean(body)
    if not called or len(called) > LONGEST_NAME or not text or len(text) > LONGEST_TEXT:
        raise UnfitTextError(f"a name of 1 to {LONGEST_NAME}, a text of 1 to {LONGEST_TEXT} characters")
    is_new = idempotency.insert_unless_there(session, CannedReply, id=new_id(), name=called, language=language, body=text)
    same = select(CannedReply).where(CannedReply.name == called, CannedReply.language == language)
    reply = session.scalars(same.with_for_update().execution_options(populate_existing=True)).one()
    detail = {} if is_new else {"body": {"old": reply.body, "new": text}}
    reply.body = text
    audit.record(session, agent=agent, action="C" if is_new else "U", entity="CannedReply", entity_id=reply.id, detail=detail)
    return reply


def remove(session: Session, *, reply_id: str, agent: str) -> None:
    """Raises NotFoundError."""
    reply = session.scalars(select(CannedReply).where(CannedReply.id == reply_id)).one_or_none()
    if reply is None:
        raise NotFoundError(f"CannedReply/{reply_id}")
    session.delete(reply)
    audit.record(session, agent=agent, action="D", entity="CannedReply", entity_id=reply_id)
