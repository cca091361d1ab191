"""Who asks, and what this role may do."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from scheduling_core import tokens
from scheduling_core.db import Database
from scheduling_core.fhir.searching import STORED
from scheduling_core.models import Role


class UnauthenticatedError(Exception):
    """A bearer token is needed."""


class ForbiddenError(Exception):
    """The role of this token may not do this."""


@dataclass(frozen=True)
class Caller:
    """`agent` is what the audit says; `name` what the token was called when it was made."""

    name: str
    role: Role

    @property
    def agent(self) -> str:
        return f"token:{self.name}"


_WRITERS = frozenset({Role.INTEGRATION, Role.SCHEDULER, Role.MANAGER})
_ALSO = {"Coverage": {Role.BILLING}, "ServiceRequest": {Role.CLINICIAN}}
_AUDITORS = frozenset({Role.INTEGRATION, Role.AUDITOR})


def caller(database: Database, authorization: str | None, bootstrap_token: str | None) -> Caller:
    """Raises UnauthenticatedError for a missing or unknown token."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("Send the header Authorization: Bearer TOKEN")
    if bootstrap_token and hmac.compare_digest(token.encode(), bootstrap_token.encode()):
        return Caller("bootstrap", Role.INTEGRATION)
    with database.reading() as session:
        found = tokens.check(session, token)
    if not found:
        raise UnauthenticatedError("This token is not known here")
    return Caller(*found)


def check_read(who: Caller, kind: str) -> None:
    """Everybody with a token may read, the audit trail apart. Raises ForbiddenError."""
    if kind == "AuditEvent" and who.role not in _AUDITORS:
        raise ForbiddenError(f"A token of role {who.role} may not read the audit trail")


def check_write(who: Caller, kind: str) -> None:
    """Raises ForbiddenError."""
    if who.role not in _WRITERS and who.role not in _ALSO.get(kind, ()):
        raise ForbiddenError(f"A token of role {who.role} may not write {kind}")


def is_patients(kind: str) -> bool:
    """Whether reading this leaves an audit row."""
    return kind in STORED
