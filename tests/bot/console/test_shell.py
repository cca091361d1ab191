"""The frame of the console: who may go where, and what they are told."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from scheduling_core.db import Database
from scheduling_core.models import AuditEvent
from tests.bot.console.conftest import Desks


def test_who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(sqlite_app: Flask):
    client = sqlite_app.test_client()
    asked = client.get("/console/")
    assert asked.status_code == 302
    assert asked.location.startswith("/console/sign-in?next=")


def test_the_first_page_greets(desk: Desks):
    page = desk("scheduler").get("/console/", follow_redirects=True)
    assert page.status_code == 200
    assert "Scheduler" in page.text


def test_a_look_at_a_page_is_recorded(sqlite_desk: Desks, sqlite_loaded: Database):
    sqlite_desk("manager").get("/console/")
    with sqlite_loaded.reading() as session:
        row = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Page")).one()
        assert (row.agent, row.action, row.entity_id) == ("staff:manager@maplegrove.example", "R", "console.home")


def test_signing_out_ends_the_session_in_the_database(sqlite_desk: Desks):
    client = sqlite_desk("scheduler")
    assert client.post("/console/sign-out").status_code == 302
    assert client.get("/console/").status_code == 302
