"""The FHIR R4 API under /fhir/R4: read a request, run one function of the core in one transaction, show its answer."""

from __future__ import annotations

import logging
import secrets

from flask import Blueprint, Response, request

from bot.fhir import access, answers, handling
from scheduling_core.db import Database

_log = logging.getLogger(__name__)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_fhir(database: Database, bootstrap_token: str | None) -> Blueprint:
    """The API over a database. `bootstrap_token` is a bearer token of role integration that needs no row (None: there is none)."""
    api = Blueprint("fhir", __name__, url_prefix="/fhir/R4")

    @api.get("/metadata")
    def metadata() -> Response:
        return handling.capabilities(database)

    @api.route("/", defaults={"path": ""}, methods=_METHODS)
    @api.route("/<path:path>", methods=_METHODS)
    def answer(path: str) -> Response:
        caller = access.caller(database, request.headers.get("Authorization"), bootstrap_token)
        return handling.answer(database, caller, request.method, path)

    @api.errorhandler(Exception)
    def refuse(error: Exception) -> Response:
        if refusal := answers.refusal(error):
            return refusal
        error_id = secrets.token_hex(8)
        _log.error("FHIR request failed: error %s", error_id, exc_info=error)
        return answers.unexpected(error_id)

    return api
