"""The frame of the console: who may go where, what is recorded, and what people are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from sqlalchemy import select

from bot.app import close, create_app
from bot.console.access import EVERYBODY
from bot.console.shell import Console, Desk
from scheduling_core import audit
from scheduling_core.db import Database
from scheduling_core.errors import NotBookableError, NotFoundError, TimeTakenError
from scheduling_core.models import AuditEvent
from tests.bot.conftest import make_settings
from tests.bot.console.conftest import Desks, _desks


@pytest.fixture
def trying(sqlite_loaded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Flask, Desks]]:
    """An app with routes that do what tests ask of them."""
    monkeypatch.setattr("bot.console.add_reports", _add_routes)  # the last topic that is added
    app = create_app(make_settings(tmp_path, sqlite_loaded.url, public_url="http://localhost"))
    yield app, _desks(app, sqlite_loaded)
    close(app)


def _add_routes(console: Console) -> None:
    refusals = {
        "taken": TimeTakenError("a1"),
        "none": NotFoundError("a1"),
        "never": NotBookableError("no-room"),
        "fault": KeyError("x"),
    }

    @console.post("/try/<kind>", may=EVERYBODY)
    def try_it(desk: Desk, kind: str) -> str:
        audit.record(desk.session, agent=desk.agent, action="U", entity="Trial", entity_id=kind)
        if kind in refusals:
            raise refusals[kind]
        return "done"

    @console.blueprint.get("/open-by-mistake")
    def open_by_mistake() -> str:
        return "everything"


def test_who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(sqlite_app: Flask):
    asked = sqlite_app.test_client().get("/console/account?x=1")
    assert (asked.status_code, asked.location) == (302, "/console/sign-in?next=/console/account?x%3D1")


def test_a_look_at_a_page_is_recorded_and_a_poll_is_not(desk: Desks, loaded: Database):
    client = desk("manager")
    client.get("/console/account")
    client.get("/console/menu-counts")
    with loaded.reading() as session:
        row = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Page", AuditEvent.action == "R")).one()
        assert (row.agent, row.entity_id) == ("staff:manager@maplegrove.example", "console.account")


def test_a_role_that_may_not_is_told_so_and_the_try_is_recorded(desk: Desks, loaded: Database):
    refused = desk("billing").get("/console/staff")
    assert refused.status_code == 403
    assert "Your role does not include this." in refused.text
    with loaded.reading() as session:
        row = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Page", AuditEvent.action == "E")).one()
        assert (row.entity_id, row.detail) == ("console.staff", {"refused": "billing"})


def test_a_route_that_named_no_role_is_refused_to_everybody(trying: tuple[Flask, Desks]):
    _app, desks = trying
    answer = desks("manager").get("/console/open-by-mistake")
    assert answer.status_code == 403
    assert "everything" not in answer.text


@pytest.mark.parametrize(("kind", "status"), [("taken", 409), ("none", 404), ("never", 422), ("fault", 500), ("fine", 200)])
def test_a_refusal_is_a_sentence_and_leaves_nothing_behind(
    trying: tuple[Flask, Desks], sqlite_loaded: Database, kind: str, status: int
):
    _app, desks = trying
    client = desks("scheduler")
    page = client.post(f"/console/try/{kind}")
    part = client.post(f"/console/try/{kind}", headers={"HX-Request": "true"})
    assert page.status_code == part.status_code == status
    if status != 200:
        assert "<html" in page.text
        assert "<html" not in part.text
        assert (part.headers["HX-Retarget"], part.headers["HX-Reswap"]) == ("#said", "innerHTML")
        assert "Traceback" not in page.text
    with sqlite_loaded.reading() as session:
        kept = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Trial")).all()
        assert len(kept) == (2 if status == 200 else 0)


def test_a_note_that_is_too_long_is_refused_in_words(trying: tuple[Flask, Desks]):
    _app, desks = trying
    answer = desks("scheduler").post("/console/try/fine", data={"note": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "too long" in answer.text


def test_signing_out_ends_the_session_in_the_database(desk: Desks):
    client = desk("scheduler")
    assert client.post("/console/sign-out").status_code == 302
    assert client.get("/console/account").status_code == 302


def test_pages_keep_to_themselves(sqlite_desk: Desks):
    page = sqlite_desk("scheduler").get("/console/account")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in page.headers["Permissions-Policy"]
    for forbidden in (" style=", "<style", " onclick=", "javascript:"):
        assert forbidden not in page.text


def test_a_name_is_never_read_as_markup(sqlite_app: Flask, sqlite_loaded: Database, sqlite_desk: Desks):
    page: Response = sqlite_desk("manager", name="<script>alert(1)</script>").get("/console/account")  # type: ignore[assignment]
    assert "<script>alert" not in page.text
