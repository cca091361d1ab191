"""What the console's doors keep: sign-in sessions, second factors, failed tries, broken glass, and the seals of the audit trail.

Spans of life are elapsed time (`time.time()`, seconds), as leases are: they hold whatever the clinic's clock says.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Float, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from scheduling_core.models.base import Base, new_id, refers


class SigningKey(Base):
    """A secret of this clinic, made once by the database's first asker."""

    __tablename__ = "signing_key"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]


class StaffSession(Base):
    """A browser that somebody signed in with. The cookie's SHA-256 is what is kept of it."""

    __tablename__ = "staff_session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str | None] = mapped_column(String(64))  # None: a challenge is out, nobody has answered it yet
    content: Mapped[dict[str, Any]]
    browser: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    began: Mapped[float] = mapped_column(Float)
    seen: Mapped[float] = mapped_column(Float)  # when a person last did something, polls not counted

    __table_args__ = (refers("account_id", "staff_account"), Index(None, "organization_id", "account_id"))


class SignInLink(Base):
    """A link that sets a password once: for a new account, or one that was reset."""

    __tablename__ = "sign_in_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(64))
    until: Mapped[float] = mapped_column(Float)

    __table_args__ = (refers("account_id", "staff_account"),)


class RecoveryCode(Base):
    """A second factor on paper, good once: the row goes when it is used."""

    __tablename__ = "recovery_code"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)

    __table_args__ = (refers("account_id", "staff_account"),)


class Passkey(Base):
    """A WebAuthn credential; `id` is the credential's own, in base64url."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(String(1024), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]

    __table_args__ = (refers("account_id", "staff_account"), Index(None, "organization_id", "account_id"))


class SignInFailure(Base):
    """A failed try, counted by account and by address. `account` and `address` are digests: a mistyped password may stand in the
    place of an address."""

    __tablename__ = "sign_in_failure"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[float] = mapped_column(Float)

    __table_args__ = (Index(None, "organization_id", "account", "at"), Index(None, "organization_id", "address", "at"))


class BrokenGlass(Base):
    """Somebody opened a restricted record, and why. It stays open to them until `until`."""

    __tablename__ = "broken_glass"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(500))
    until: Mapped[float] = mapped_column(Float)
    created_at: Mapped[dt.datetime]

    __table_args__ = (
        refers("account_id", "staff_account"),
        refers("patient_id", "patient"),
        Index(None, "organization_id", "account_id", "patient_id"),
    )


class AuditSeal(Base):
    """A batch of audit rows that were chained by hash: how many, and the seal of the last."""

    __tablename__ = "audit_seal"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    seal: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[dt.datetime]
