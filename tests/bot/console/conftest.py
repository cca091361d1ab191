"""Staff at their desks: signed-in test clients, and a real browser."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot.app import close, create_app
from bot.console.sessions import COOKIE, PATH
from scheduling_core import accounts
from scheduling_core.db import Database
from scheduling_core.models import Role, StaffAccount, StaffSession
from tests.bot.conftest import make_settings

CSRF = "the-token-of-the-tests"
Desks = Callable[[str], FlaskClient]


def make_staff(database: Database, role: str, *, name: str | None = None) -> StaffAccount:
    """An account of this role with an authenticator app; the same for the same role and name."""
    with database.transaction() as session:
        email = f"{name or role}@maplegrove.example".lower().replace(" ", ".")
        account = accounts.by_email(session, email)
        if account is None:
            account = accounts.add_staff(session, email=email, name=name or role.title(), role=Role(role), agent="test")
            account.totp_secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        return account


def sign_in(database: Database, account: StaffAccount) -> str:
    """The cookie of a new session of this account."""
    cookie = secrets.token_urlsafe(32)
    with database.transaction() as session:
        now = time.time()
        content = {"_user_id": account.id, "_fresh": True, "csrf_token": CSRF}
        session.add(StaffSession(digest=accounts.digest(cookie), account_id=account.id, content=content, began=now, seen=now))
    return cookie


@pytest.fixture
def console_app(loaded: Database, tmp_path: Path) -> Iterator[Flask]:
    """The web app over the tests' clinic, on each database engine."""
    app = create_app(make_settings(tmp_path, loaded.url, public_url="http://localhost"))
    yield app
    close(app)


@pytest.fixture
def desk(console_app: Flask, loaded: Database) -> Desks:
    """desk("scheduler"): a test client that is signed in as that role. desk("scheduler", name="Nora"): as another person.

    What it posts carries the CSRF token, as htmx sends it.
    """
    return _desks(console_app, loaded)


@pytest.fixture
def sqlite_app(sqlite_loaded: Database, tmp_path: Path) -> Iterator[Flask]:
    """As `console_app`, on SQLite alone."""
    app = create_app(make_settings(tmp_path, sqlite_loaded.url, public_url="http://localhost"))
    yield app
    close(app)


@pytest.fixture
def sqlite_desk(sqlite_app: Flask, sqlite_loaded: Database) -> Desks:
    """As `desk`, on SQLite alone, for what the database has no part in."""
    return _desks(sqlite_app, sqlite_loaded)


def _desks(app: Flask, database: Database) -> Desks:
    from flask_wtf.csrf import generate_csrf

    def sit_down(role: str, *, name: str | None = None) -> FlaskClient:
        client = app.test_client()
        client.set_cookie(COOKIE, sign_in(database, make_staff(database, role, name=name)), path=PATH)
        client.get("/console/account/nothing")  # the app reads its key at the first request
        with app.test_request_context():
            from flask import session

            session["csrf_token"] = CSRF
            client.environ_base["HTTP_X_CSRFTOKEN"] = generate_csrf()
        return client

    return sit_down
