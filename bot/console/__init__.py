"""The staff console: server-rendered pages over the same core that the dialogue uses."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, g, request, session
from flask_babel import Babel, get_locale
from flask_login import LoginManager, UserMixin
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from bot.console import refusals
from bot.console.access import MANAGERS, role_word
from bot.console.account import add_account
from bot.console.clinic import add_clinic
from bot.console.doors import add_doors
from bot.console.formats import add_formats
from bot.console.glass import add_glass, to_glass
from bot.console.inbox import add_inbox
from bot.console.languages import LANGUAGES
from bot.console.patients import add_patients
from bot.console.replies import add_replies
from bot.console.reports import add_reports
from bot.console.schedule import add_schedule
from bot.console.sessions import DeskSessions
from bot.console.shell import Console, desk_session
from bot.console.staff import add_staff
from bot.console.worklists import add_worklists
from bot.settings import Environment, Settings
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.glass import RestrictedError

_TRANSLATIONS = Path(__file__).parent.parent / "translations"


def create_console(app: Flask, settings: Settings, database: Database) -> Console:
    """Adds the console to the app, at /console/."""
    secure = settings.env is Environment.PRODUCTION or settings.public_url.startswith("https://")
    app.session_interface = DeskSessions(database, secure=secure)
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    Babel(app, locale_selector=_language, default_translation_directories=str(_TRANSLATIONS))
    csrf = CSRFProtect(app)
    signed_in = LoginManager(app)
    signed_in.session_protection = None  # addresses of phones change; the cookie is HttpOnly and ends soon
    signed_in.user_loader(_SignedIn)
    add_formats(app)

    console = Console(database, settings)
    add_doors(console)  # then in the order of the menu
    add_inbox(console)
    add_replies(console)
    add_account(console)
    add_staff(console)
    add_glass(console)
    add_schedule(console)
    add_patients(console)
    add_worklists(console)
    add_clinic(console)
    add_reports(console)
    _guard(console, csrf)
    app.register_blueprint(console.blueprint)
    app.extensions["frontdesk-console"] = console
    return console


class _SignedIn(UserMixin):
    """Who this browser's session names. Whether the account still holds is asked in the request's own transaction."""

    def __init__(self, account_id: str) -> None:
        self.id = account_id


def _language() -> str:
    if desk := g.get("desk"):
        return str(desk.me.language)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def _guard(console: Console, csrf: CSRFProtect) -> None:
    blueprint = console.blueprint

    @blueprint.before_request
    def refuse_by_default() -> AnyResponse | None:
        route = console.routes.get(request.endpoint or "")
        if route is None:
            return refusals.page("", 403)
        if route.kind != "door" and "_user_id" not in session:
            return refusals.sign_in_first(desk_session())
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            csrf.protect()
        return None

    @blueprint.context_processor
    def words() -> dict[str, object]:
        desk = g.get("desk")
        menu = console.menu_of(desk.me.role) if desk else []
        return {
            "desk": desk,
            "menu": menu,
            "has_counts": any(item.count for item in menu),
            "is_manager": desk is not None and desk.me.role in MANAGERS,
            "role_word": role_word,
            "get_locale": get_locale,
        }

    @blueprint.after_request
    def keep_to_ourselves(response: Response) -> Response:
        response.headers["Referrer-Policy"] = "same-origin"  # with no-referrer browsers send forms with the origin "null"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if console.settings.public_url.startswith("https://"):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    blueprint.register_error_handler(RestrictedError, to_glass)
    blueprint.register_error_handler(SchedulingError, refusals.refused)
    blueprint.register_error_handler(CSRFError, refusals.stale)
    blueprint.register_error_handler(HTTPException, refusals.http)
    blueprint.register_error_handler(OverflowError, refusals.no_such_day)
    blueprint.register_error_handler(Exception, refusals.failure)
