"""What operations look at, and what no answer may show."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.app import close, create_app
from bot.settings import DEMO_ACCOUNT_SID, Environment
from scheduling_core import messaging
from scheduling_core.db import Database
from scheduling_core.models import Communication, Delivery
from tests.bot.conftest import PATIENT, House, make_settings


def test_alive_and_not_ready_without_the_action_server(sqlite_house: House):
    assert sqlite_house.http.get(f"{sqlite_house.url}/healthz").json() == {"status": "ok"}
    ready = sqlite_house.http.get(f"{sqlite_house.url}/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"database": True, "dialogue": True, "actions": False}


def test_figures_count_turns_and_hold_nothing_of_a_patient(sqlite_house: House):
    sqlite_house.text("a private matter")
    sqlite_house.post("/twilio/sms", {}, signature="x")
    figures = sqlite_house.http.get(f"{sqlite_house.url}/metrics")
    assert figures.headers["Content-Type"].startswith("text/plain")
    assert 'frontdesk_turns_total{channel="sms",outcome="answered"} 1.0' in figures.text
    assert "frontdesk_refused_webhooks_total 1.0" in figures.text
    assert 'frontdesk_outbox_messages{status="queued"} 0.0' in figures.text
    assert 'frontdesk_stage_seconds_count{stage="dialogue"} 1.0' in figures.text
    assert "private" not in figures.text
    assert PATIENT not in figures.text


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/phone/"])
def test_every_answer_carries_the_security_headers(sqlite_house: House, path: str):
    headers = sqlite_house.http.get(sqlite_house.url + path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_failure_shows_no_traceback(sqlite_loaded: Database, tmp_path: Path):
    app = create_app(make_settings(tmp_path, str(sqlite_loaded.engine.url)))

    @app.get("/fails")
    def fail() -> str:
        raise RuntimeError("a secret")

    answer = app.test_client().get("/fails")
    close(app)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_the_phone_page_is_not_there_in_production(sqlite_loaded: Database, tmp_path: Path):
    app = create_app(make_settings(tmp_path, str(sqlite_loaded.engine.url), env=Environment.PRODUCTION))
    client = app.test_client()
    found = [client.get("/phone/").status_code, client.get("/phone/messages?from=+14145550142").status_code]
    found.append(client.post("/phone/messages", json={"from": PATIENT, "body": "hi"}).status_code)
    close(app)
    assert found == [404, 404, 404]


@pytest.mark.parametrize(
    ("said", "code", "kept"),
    [
        ("delivered", "", Delivery.DELIVERED),
        ("undelivered", "30003", Delivery.QUEUED),  # a phone that is off: tried again later
        ("undelivered", "30004", Delivery.FAILED),
        ("queued", "", Delivery.SENT),
    ],
)
def test_a_status_callback_is_kept(house: House, said: str, code: str, kept: Delivery):
    with house.database.transaction() as session:
        messaging.queue(session, phone=PATIENT, body="hello", author="assistant", kind="reply")
    house.worker().send_due()
    sid = house.twilio.sent[0]["sid"]
    params = {"AccountSid": DEMO_ACCOUNT_SID, "MessageSid": sid, "MessageStatus": said, "ErrorCode": code, "To": PATIENT}
    assert house.post("/twilio/status", params).status_code == 204
    with house.database.reading() as session:
        assert session.scalars(select(Communication.status)).one() is kept


def test_an_unsigned_status_callback_is_refused(sqlite_house: House):
    params = {"AccountSid": DEMO_ACCOUNT_SID, "MessageSid": f"SM{uuid.uuid4().hex}", "MessageStatus": "failed"}
    assert sqlite_house.post("/twilio/status", params, signature="x").status_code == 403
