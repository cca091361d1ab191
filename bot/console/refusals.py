"""What people read when the console refuses: a sentence in place for htmx, a page with a way back otherwise."""

from __future__ import annotations

import logging
import secrets

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from bot.console import carried
from bot.console.sessions import DeskSession
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
    PatientBusyError,
    SchedulingError,
    TimeTakenError,
    WrongStateError,
)

log = logging.getLogger(__name__)


def page(sentence: str, status: int) -> Response:
    """htmx puts the sentence where base.html says things; anybody else gets a page."""
    if request.headers.get("HX-Request"):
        answer = make_response(render_template("console/refused_fragment.html", sentence=sentence), status)
        answer.headers["HX-Retarget"] = "#said"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    return make_response(render_template("console/refused.html", sentence=sentence), status)


def refused(error: SchedulingError) -> Response:
    """The refusal of a rule of the clinic. 404, 409 for what changed meanwhile, 422 for what never holds."""
    if isinstance(error, NotFoundError):
        return page(_("There is nothing here, or it belongs to another clinic."), 404)
    return page(sentence(error), 422 if isinstance(error, NotBookableError) else 409)


def sentence(error: SchedulingError) -> str:
    """For staff, in their language where we know it."""
    known = {
        TimeTakenError.code: _("Somebody else has this time."),
        PatientBusyError.code: _("The patient has another visit at this time."),
        HoldExpiredError.code: _("The hold on this time has expired."),
        WrongStateError.code: _("This cannot be done in the present state of the record."),
    }.get(error.code)
    if known is None:
        return str(error)
    return f"{known} ({error.detail})" if error.detail else known


def no_such_day(error: OverflowError) -> Response:
    """A day at the end of all calendars, which has no next."""
    return page(_("That day is too far away. Please give a nearer one."), 400)


def http(error: HTTPException) -> AnyResponse:
    """A mistake in the request itself."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if status == 413:
        return page(_("This is too long: one megabyte at the most."), 413)
    if status == 404:
        return page(_("There is nothing here, or it belongs to another clinic."), 404)
    if status == 429:
        return page(_("Too many tries. Please wait a few minutes."), 429)
    return page(_("This request could not be read. Please go back and try again."), status)


def stale(_error: Exception) -> Response:
    """A form whose token is not this session's: an old page, or a page of somebody else."""
    return page(_("This page is too old to be sent. Please load it again."), 400)


def failure(error: Exception) -> Response:
    """What nobody expected; the log has the rest under the same id, without words of the request."""
    error_id = secrets.token_hex(8)
    log.error("request failed: %s %s, error %s, %s", request.method, request.endpoint, error_id, type(error).__name__)
    log.debug("error %s", error_id, exc_info=error)
    return page(_("Something went wrong here (%(id)s). Nothing was changed.", id=error_id), 500)


def sign_in_first(kept: DeskSession) -> AnyResponse:
    """The way to the sign-in page and back, with what was typed; a script that asked gets 401 and signs in over the page."""
    kept.pop("_user_id", None)
    if request.headers.get("HX-Request") or "text/html" not in request.headers.get("Accept", "text/html"):
        return Response(_("Please sign in again."), 401, content_type="text/plain; charset=utf-8")
    if request.method == "GET":
        return redirect(url_for("console.sign_in", next=request.full_path.removesuffix("?")))
    form = carried.from_form(kept)
    if form is None or kept.ended_for is None:
        return redirect(url_for("console.sign_in"))
    page = render_template(
        "console/sign_in.html",
        wrong=_("You were signed off. Sign in again; what you typed is kept."),
        email=kept.ended_for.email,
        next=url_for("console.home"),
        carried=form,
    )
    return make_response(page, 401)
