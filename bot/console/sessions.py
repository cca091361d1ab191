"""Sessions of the console: rows in the database under the SHA-256 of an opaque cookie, so that they end when we say so.

Before anybody is known the few words of a session (a CSRF token) travel in a signed cookie: strangers cannot fill a table.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from bot.console.addresses import address
from scheduling_core import accounts
from scheduling_core.clinic_file.loading import current
from scheduling_core.db import Database
from scheduling_core.models import StaffAccount, StaffSession

COOKIE = "frontdesk_desk"
PATH = "/console"
LONGEST_SECONDS = 12 * 3600.0
_STRANGERS_SECONDS = 3600
_SEEN_EVERY_SECONDS = 20.0  # a person's doing is written down this often at the most


def idle_seconds(session: Session) -> float:
    """How long a browser may lie idle, by the clinic file."""
    return current(session).console.idle_minutes * 60.0


def lasting(session: Session, digests: Collection[str]) -> set[str]:
    """Those of these sessions that still sign an account in: neither ended nor idle, the account active."""
    now = time.time()
    found = (
        select(StaffSession.digest)
        .join(StaffAccount, StaffAccount.id == StaffSession.account_id)
        .where(
            StaffSession.digest.in_(digests),
            StaffSession.seen >= now - idle_seconds(session),
            StaffSession.began >= now - LONGEST_SECONDS,
            StaffAccount.active,
        )
    )
    return set(session.scalars(found))


class DeskSession(CallbackDict[str, Any], SessionMixin):
    """What Flask, Flask-Login and Flask-WTF keep about a browser.

    `ended_for`: the account whose session this browser's cookie named until it ended, `ended_csrf` that session's CSRF secret.
    `touch()`: a person did something.
    """

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        super().__init__(content or {}, lambda changed: setattr(changed, "modified", True))
        self.modified = False
        self.digest: str | None = None
        self.began = self.seen = time.time()
        self.ended_for: StaffAccount | None = None
        self.ended_csrf: str | None = None
        self._touched = False
        self._left: list[str] = []

    def touch(self) -> None:
        self._touched = True

    def renew(self) -> None:
        """A new cookie for what is kept: whoever knew the old one is left with nothing (session fixation)."""
        if self.digest:
            self._left.append(self.digest)
        self.digest = None
        self.began = time.time()
        self.modified = self._touched = True

    @property
    def is_known(self) -> bool:
        """Whether this belongs in the database: somebody is named, or a challenge is out that is good once."""
        return "_user_id" in self or "half" in self or "challenge" in self

    @property
    def is_to_be_seen(self) -> bool:
        return self._touched and time.time() - self.seen > _SEEN_EVERY_SECONDS

    @property
    def left(self) -> list[str]:
        return self._left


class DeskSessions(SessionInterface):
    """Flask's interface to them. Paths outside the console have none."""

    def __init__(self, database: Database, *, secure: bool) -> None:
        self._database = database
        self._secure = secure

    def open_session(self, app: Flask, asked: Request) -> DeskSession:
        if not _is_ours(asked.path):
            return DeskSession()
        if app.secret_key is None:  # made when first needed: the app may start before the tables are there
            with self._database.transaction() as session:
                app.secret_key = accounts.signing_key(session)
        cookie = asked.cookies.get(COOKIE, "")
        if cookie.startswith("."):
            return DeskSession(self._strangers(app, cookie[1:]))
        return self._kept(cookie) if cookie else DeskSession()

    def _kept(self, cookie: str) -> DeskSession:
        found = DeskSession()
        with self._database.reading() as session:
            row = session.scalars(select(StaffSession).where(StaffSession.digest == accounts.digest(cookie))).one_or_none()
            if row is None:
                return found
            now = time.time()
            if now - row.seen > idle_seconds(session) or now - row.began > LONGEST_SECONDS:
                if row.account_id:
                    found.ended_for, found.ended_csrf = accounts.get(session, row.account_id), row.content.get("csrf_token")
                return found
            found = DeskSession(dict(row.content))
            found.digest, found.began, found.seen = row.digest, row.began, row.seen
        return found

    def _strangers(self, app: Flask, signed: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = _signer(app).loads(signed, max_age=_STRANGERS_SECONDS)
        except BadSignature:
            return {}
        return content

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, DeskSession)
        if session.left:
            self._forget(session.left)
        if not session.modified:
            if session.digest and session.is_to_be_seen:
                self._keep(session, session.digest)
            return
        response.vary.add("Cookie")
        if session.is_known:
            if session.digest is None:
                cookie = secrets.token_urlsafe(32)
                self._begin(session, accounts.digest(cookie))
                self._set(response, cookie)
            else:
                self._keep(session, session.digest)
        else:
            if session.digest:
                self._forget([session.digest])
            if session:
                self._set(response, "." + str(_signer(app).dumps(dict(session))))
            else:
                response.delete_cookie(COOKIE, path=PATH, secure=self._secure, httponly=True, samesite="Lax")

    def _begin(self, content: DeskSession, digest: str) -> None:
        now = time.time()
        with self._database.transaction() as session:
            session.execute(
                delete(StaffSession).where(
                    StaffSession.organization_id == self._database.organization, StaffSession.began < now - 2 * LONGEST_SECONDS
                )
            )
            session.add(
                StaffSession(
                    digest=digest,
                    account_id=content.get("_user_id"),
                    content=dict(content),
                    browser=request.user_agent.string[:200],
                    address=address(),
                    began=now,
                    seen=now,
                )
            )

    def _keep(self, content: DeskSession, digest: str) -> None:
        """A row that was ended meanwhile stays gone."""
        values: dict[str, Any] = {"content": dict(content), "account_id": content.get("_user_id")}
        if content.is_to_be_seen:
            values["seen"] = time.time()
        with self._database.transaction() as session:
            session.execute(
                update(StaffSession)
                .where(StaffSession.organization_id == self._database.organization, StaffSession.digest == digest)
                .values(**values)
                .execution_options(synchronize_session=False)
            )

    def _forget(self, digests: list[str]) -> None:
        with self._database.transaction() as session:
            session.execute(
                delete(StaffSession)
                .where(StaffSession.organization_id == self._database.organization, StaffSession.digest.in_(digests))
                .execution_options(synchronize_session=False)
            )

    def _set(self, response: Response, cookie: str) -> None:
        response.set_cookie(COOKIE, cookie, path=PATH, secure=self._secure, httponly=True, samesite="Lax")


def _is_ours(path: str) -> bool:
    return path == PATH or path.startswith(f"{PATH}/")


def _signer(app: Flask) -> URLSafeTimedSerializer:
    assert app.secret_key is not None
    return URLSafeTimedSerializer(app.secret_key, salt="console-stranger")
