"""The web app: Twilio's webhooks, FHIR, the phone page, and what operations look at."""

from __future__ import annotations

import logging
import secrets

import httpx
from flask import Flask, Response, jsonify, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from bot.calendar_link import create_calendar_link
from bot.channels.sms import create_sms
from bot.channels.voice import relay
from bot.channels.voice.webhooks import create_voice
from bot.console import create_console
from bot.conversation import TWIML_SECONDS, Turns
from bot.dialogue_client import DialogueClient
from bot.fhir import create_fhir
from bot.metrics import CONTENT_TYPE, Metrics
from bot.phone import create_phone
from bot.settings import Environment, Settings
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database

log = logging.getLogger(__name__)

_LARGEST_BODY = 1_000_000  # bytes
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(settings: Settings, *, twiml_seconds: float = TWIML_SECONDS) -> Flask:
    """The app over the settings' database and dialogue. `twiml_seconds`: how long a webhook waits for its answer."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST_BODY
    database = Database(settings.database_url)
    dialogue = DialogueClient(settings.dialogue_url)
    metrics = Metrics()
    turns = Turns(database, dialogue, metrics, twiml_seconds=twiml_seconds)
    app.extensions["frontdesk"] = (database, turns, dialogue)
    app.extensions["relay"] = relay.start(settings, database, turns) if settings.relay_url else None
    app.register_blueprint(create_sms(settings, database, turns, metrics))
    app.register_blueprint(create_voice(settings, database, turns, metrics))
    app.register_blueprint(create_calendar_link(database))
    app.register_blueprint(create_fhir(database, settings.bootstrap_token))
    if settings.env is not Environment.PRODUCTION:
        app.register_blueprint(create_phone(settings, database))
    create_console(app, settings, database)
    _add_operations(app, settings, database, dialogue, metrics)
    app.after_request(_add_headers)
    app.register_error_handler(Exception, _explain)
    return app


def close(app: Flask) -> None:
    """Ends the turns under way and the connections of an app."""
    database, turns, dialogue = app.extensions["frontdesk"]
    app.extensions["inbox"].close()
    if app.extensions["relay"]:
        app.extensions["relay"].shutdown()
    turns.close()
    dialogue.close()
    database.dispose()


def _add_operations(app: Flask, settings: Settings, database: Database, dialogue: DialogueClient, metrics: Metrics) -> None:
    @app.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def ready() -> tuple[Response, int]:
        checks = {
            "database": _database_answers(database),
            "dialogue": dialogue.alive(),
            "actions": _actions_answer(settings.actions_port),
        }
        return jsonify(checks), 200 if all(checks.values()) else 503

    @app.get("/metrics")
    def figures() -> Response:
        return Response(metrics.text(database), content_type=CONTENT_TYPE)


def _database_answers(database: Database) -> bool:
    """Reachable, migrated and with a clinic in it."""
    try:
        with database.reading() as session:
            session.execute(text("SELECT 1"))
            current(session)
    except (SQLAlchemyError, NotLoadedError):
        return False
    return True


def _actions_answer(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _explain(error: Exception) -> tuple[Response, int]:
    """A short answer and no more: the log has the rest, under the same id."""
    if isinstance(error, HTTPException):
        return Response(f"{error.code} {error.name}\n", content_type="text/plain; charset=utf-8"), error.code or 500
    error_id = secrets.token_hex(8)
    log.error("request failed: %s %s, error %s, %s", request.method, request.path, error_id, type(error).__name__)
    log.debug("error %s", error_id, exc_info=error)
    return Response(f"500 Internal Server Error ({error_id})\n", content_type="text/plain; charset=utf-8"), 500
