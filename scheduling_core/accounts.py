"""Who may ask: bearer tokens of machines, and accounts of staff with their passwords."""

from __future__ import annotations

import hashlib
import secrets
import time

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from scheduling_core import audit, idempotency, times
from scheduling_core.clinic_file.schema import LONGEST_STAFF_EMAIL
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import (
    ApiToken,
    Base,
    Passkey,
    RecoveryCode,
    Role,
    SigningKey,
    SignInLink,
    StaffAccount,
    StaffSession,
    new_id,
)

SHORTEST_PASSWORD = 12  # characters; NIST SP 800-63B asks for 8 with a second factor, 15 without
_LONGEST_PASSWORD = 200
_LINK_SECONDS = 72 * 3600.0
_passwords = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)  # argon2id; 32 MiB, for web threads work at once
_NOBODYS = _passwords.hash(secrets.token_hex(16))  # a password for who has none takes as long to refuse as another


class PoorPasswordError(SchedulingError):
    """The password is too short, too long, or easy to guess."""

    code = "poor-password"


class LongAddressError(SchedulingError):
    """The e-mail address of staff is too long."""

    code = "long-address"


class LinkOverError(SchedulingError):
    """This link was used already, or its time is over."""

    code = "link-over"


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


def signing_key(session: Session, name: str = "console") -> str:
    """The clinic's secret of this name, 64 hex digits, made by the first who asks: every process signs with the same one."""
    found = session.scalars(select(SigningKey.key).where(SigningKey.name == name)).one_or_none()
    if found is None:
        idempotency.insert_unless_there(session, SigningKey, name=name, key=secrets.token_hex(32), created_at=times.now())
        found = session.scalars(select(SigningKey.key).where(SigningKey.name == name)).one()
    return found


def add_staff(session: Session, *, email: str, name: str, role: Role, agent: str) -> StaffAccount:
    """A staff account. Raises WrongStateError when the address has one already, LongAddressError."""
    address = email.strip().lower()
    if len(address) > LONGEST_STAFF_EMAIL:
        raise LongAddressError(f"up to {LONGEST_STAFF_EMAIL} characters")
    if session.scalars(select(StaffAccount).where(func.lower(StaffAccount.email) == address)).first():
        raise WrongStateError(f"{address} has an account already")
    account = StaffAccount(id=new_id(), email=address, name=name, role=role, created_at=times.now())
    session.add(account)
    session.flush()
    audit.record(session, agent=agent, action="C", entity="StaffAccount", entity_id=account.id, detail={"role": role})
    return account


def get(session: Session, account_id: str) -> StaffAccount:
    """Raises NotFoundError."""
    account = session.scalars(select(StaffAccount).where(StaffAccount.id == account_id)).one_or_none()
    if account is None:
        raise NotFoundError(f"StaffAccount/{account_id}")
    return account


def by_email(session: Session, email: str) -> StaffAccount | None:
    """The account that may sign in with this address."""
    found = select(StaffAccount).where(func.lower(StaffAccount.email) == email.strip().lower(), StaffAccount.active)
    return session.scalars(found).first()


def everybody(session: Session) -> list[StaffAccount]:
    """Who may sign in first, by name."""
    return list(session.scalars(select(StaffAccount).order_by(StaffAccount.active.desc(), StaffAccount.name)))


def password_holds(kept: str | None, password: str) -> bool:
    """Whether this is the password of the account that keeps `kept`. Takes about as long where there is none. No session needed:
    it costs tens of milliseconds, which no transaction should wait for."""
    try:
        return _passwords.verify(kept or _NOBODYS, password[:_LONGEST_PASSWORD]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def hashed(password: str, *, about: str = "") -> str:
    """What is kept of a password. `about`: words that it may not consist of, as the address. Raises PoorPasswordError."""
    plain = password.strip().lower()
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise PoorPasswordError(f"{SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters")
    if len(set(plain)) < 5 or plain in about.lower() or any(word in plain and len(plain) < 20 for word in _WORN):
        raise PoorPasswordError("a few words that have nothing to do with each other are good")
    return _passwords.hash(password)


_WORN = ("password", "passwort", "contrase", "12345678", "qwerty", "letmein", "welcome", "frontdesk")


def set_password(session: Session, account: StaffAccount, kept: str, *, agent: str) -> None:
    """Keep a new password's hash (of `hashed`), end the links that were out, and every session of the account."""
    account.password = kept
    session.execute(delete(SignInLink).where(SignInLink.account_id == account.id, _own(session, SignInLink)))
    end_sessions(session, account.id)
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"set": "password"})


def new_link(session: Session, account: StaffAccount, *, agent: str) -> str:
    """The secret of a link by which the account's person chooses a password, good once and for three days."""
    secret = secrets.token_urlsafe(24)
    session.execute(delete(SignInLink).where(SignInLink.account_id == account.id, _own(session, SignInLink)))
    session.add(SignInLink(digest=digest(secret), account_id=account.id, until=time.time() + _LINK_SECONDS))
    audit.record(session, agent=agent, action="E", entity="StaffAccount", entity_id=account.id, detail={"made": "sign-in link"})
    return secret


def of_link(session: Session, secret: str) -> StaffAccount:
    """Whose link this is. Raises LinkOverError."""
    found = session.scalars(
        select(StaffAccount)
        .join(
            SignInLink,
            (SignInLink.account_id == StaffAccount.id) & (SignInLink.organization_id == StaffAccount.organization_id),
        )
        .where(SignInLink.digest == digest(secret), SignInLink.until > time.time(), StaffAccount.active)
    ).one_or_none()
    if found is None:
        raise LinkOverError
    return found


def change(session: Session, account: StaffAccount, *, role: Role | None = None, active: bool | None = None, agent: str) -> None:
    """Another role, or in or out. Either ends the account's sessions. Raises WrongStateError for the last manager."""
    leaves = account.role is Role.MANAGER and account.active and (active is False or role not in (None, Role.MANAGER))
    if leaves and not _managers(session) - {account.id}:
        raise WrongStateError("the clinic needs one manager at the least")
    old = {"role": account.role, "active": account.active}
    account.role, account.active = role or account.role, account.active if active is None else active
    new = {"role": account.role, "active": account.active}
    if new != old:
        end_sessions(session, account.id)
        audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"old": old, "new": new})


def _managers(session: Session) -> set[str]:
    """The ids of who manages now. Their rows are locked: two managers who shut each other out at once must not both succeed."""
    found = select(StaffAccount.id).where(StaffAccount.active, StaffAccount.role == Role.MANAGER)
    return set(session.scalars(found.order_by(StaffAccount.id).with_for_update()))


def reset(session: Session, account: StaffAccount, *, agent: str) -> str:
    """Take password, authenticator app, passkeys and sessions from an account; answers a new link's secret."""
    account.password = account.totp_secret = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id, _own(session, RecoveryCode)))
    session.execute(delete(Passkey).where(Passkey.account_id == account.id, _own(session, Passkey)))
    end_sessions(session, account.id)
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"reset": True})
    return new_link(session, account, agent=agent)


def end_sessions(session: Session, account_id: str, *, but: str | None = None) -> None:
    """Sign the account out everywhere, save in the browser whose cookie has the digest `but`."""
    ended = delete(StaffSession).where(StaffSession.account_id == account_id, _own(session, StaffSession))
    session.execute(ended if but is None else ended.where(StaffSession.digest != but))


def _own(session: Session, kind: type[Base]) -> ColumnElement[bool]:
    """Deletes name their organization themselves: the session scopes what it reads."""
    own: ColumnElement[bool] = kind.organization_id == session.info["organization"]
    return own
