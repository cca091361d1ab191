"""Who may ask: bearer tokens of machines, and accounts of staff."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, times
from scheduling_core.errors import WrongStateError
from scheduling_core.models import ApiToken, Role, StaffAccount, new_id


def new_token(session: Session, *, name: str, role: Role, agent: str) -> str:
    """A fresh bearer token. This is the only time that it can be seen: its SHA-256 is what stays."""
    token = secrets.token_urlsafe(32)
    row = ApiToken(id=new_id(), name=name, role=role, digest=digest(token), created_at=times.now())
    session.add(row)
    audit.record(session, agent=agent, action="C", entity="ApiToken", entity_id=row.id, detail={"name": name, "role": role})
    return token


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_staff(session: Session, *, email: str, name: str, role: Role, agent: str) -> StaffAccount:
    """A staff account. Raises WrongStateError when the address has one already."""
    address = email.strip().lower()
    if session.scalars(select(StaffAccount).where(func.lower(StaffAccount.email) == address)).first():
        raise WrongStateError(f"{address} has an account already")
    account = StaffAccount(id=new_id(), email=address, name=name, role=role, created_at=times.now())
    session.add(account)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="StaffAccount", entity_id=account.id, detail={"role": role})
    return account
