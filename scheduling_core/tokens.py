"""Bearer tokens: made in `accounts`, checked here."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core.accounts import digest, new_token
from scheduling_core.models import ApiToken, Role

__all__ = ["check", "new_token"]


def check(session: Session, token: str) -> tuple[str, Role] | None:
    """The name and role that a token stands for; None for a token that nobody was given."""
    found = session.execute(select(ApiToken.name, ApiToken.role).where(ApiToken.digest == digest(token))).first()
    return (found[0], found[1]) if found else None
