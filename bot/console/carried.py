"""A form that was sent after its session had ended: its fields travel through the sign-in pages, and are shown to be sent again.

Only a form of the session that ended is carried, for its CSRF token proves it, and only the same person gets it back.
"""

from __future__ import annotations

import json
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from bot.console.sessions import DeskSession
from scheduling_core.models import StaffAccount

_NOT_CARRIED = ("csrf_token",)


def along() -> dict[str, Any]:
    """What the sign-in pages carry in their forms."""
    return {"next": way_back(), "carried": request.form.get("carried", "")}


def from_form(kept: DeskSession) -> str | None:
    """The form of this request as the pages carry it, None where there is nothing that may be carried.

    The browser's new session takes over the CSRF secret of the one that ended, so that the token in the form can be checked.
    Signing in makes a new one.
    """
    if kept.ended_for is None or not kept.ended_csrf or request.method != "POST" or not request.form:
        return None
    kept["csrf_token"] = kept.ended_csrf
    try:
        current_app.extensions["csrf"].protect()
    except CSRFError:
        kept.pop("csrf_token")
        return None
    fields = [[name, value] for name, values in request.form.lists() if name not in _NOT_CARRIED for value in values]
    return json.dumps({"who": kept.ended_for.id, "path": request.path, "fields": fields})


def go_on(account: StaffAccount) -> Response | str:
    """After signing in: the form that was carried, shown to be sent again, or the page that was asked for."""
    try:
        form = json.loads(request.form.get("carried") or "null")
    except ValueError:
        form = None
    if not isinstance(form, dict) or not _is_inside(form.get("path")):
        return redirect(way_back())
    return render_template("console/resend.html", form=form if form.get("who") == account.id else None)


def way_back() -> str:
    """Where to go after signing in: a path of the console alone, never another site."""
    path = request.values.get("next")
    return path if path and _is_inside(path) else url_for("console.home")


def _is_inside(path: object) -> bool:
    return isinstance(path, str) and path.startswith("/console/") and "\\" not in path and "//" not in path
