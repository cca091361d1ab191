"""Resources and refusals as HTTP answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from bot.fhir.access import ForbiddenError, UnauthenticatedError
from scheduling_core.clinic_file.loading import NotLoadedError
from scheduling_core.errors import (
    HoldExpiredError,
    NotBookableError,
    NotFoundError,
    PatientBusyError,
    SchedulingError,
    TimeTakenError,
    WrongStateError,
)
from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.reading import MalformedError


class UnsupportedError(Exception):
    """There is nothing at this address, or not with this method: `status` says which."""

    def __init__(self, status: int, sentence: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.allowed = allowed


def shown(resource: Resource, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    # what a patient's record says must not stay in any cache
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, mimetype="application/fhir+json")


def outcome(severity: str, code: str, diagnostics: str, detail: str | None = None) -> Resource:
    """An OperationOutcome with one issue. `detail` is the rule or error in our own coding system."""
    issue: Resource = {"severity": severity, "code": code, "diagnostics": diagnostics}
    if detail:
        issue["details"] = codes.coded(codes.REFUSAL, detail)
    return {"resourceType": "OperationOutcome", "issue": [issue]}


_STATUS: list[tuple[type[SchedulingError], int, str]] = [
    (MalformedError, 400, "invalid"),
    (NotFoundError, 404, "not-found"),
    (TimeTakenError, 409, "conflict"),
    (PatientBusyError, 409, "conflict"),
    (HoldExpiredError, 409, "expired"),
    (WrongStateError, 409, "conflict"),
    (NotBookableError, 422, "business-rule"),
    (NotLoadedError, 503, "transient"),
    (SchedulingError, 422, "business-rule"),
]


def refusal(error: Exception) -> Response | None:
    """The answer to a request that was understood and refused; None for an error of ours."""
    if isinstance(error, SchedulingError):
        status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
        detail = error.rule if isinstance(error, NotBookableError) else error.code
        resource = outcome("error", code, sentence(error), detail)
        if isinstance(error, MalformedError):
            resource["issue"][0]["expression"] = [error.where]
        return shown(resource, status)
    if isinstance(error, UnauthenticatedError):
        return shown(outcome("error", "login", str(error)), 401, {"WWW-Authenticate": 'Bearer realm="fhir"'})
    if isinstance(error, ForbiddenError):
        return shown(outcome("error", "forbidden", str(error)), 403)
    if isinstance(error, UnsupportedError):
        headers = {"Allow": ", ".join(error.allowed)} if error.allowed else {}
        code = {404: "not-found", 413: "too-long"}.get(error.status, "not-supported")
        return shown(outcome("error", code, str(error)), error.status, headers)
    if isinstance(error, HTTPException) and error.code and 400 <= error.code < 500:
        return shown(outcome("error", "invalid", error.description or error.name), error.code)
    return None


def unexpected(error_id: str) -> Response:
    """The answer when something broke: only an id that is in the log."""
    return shown(outcome("fatal", "exception", f"Something went wrong here; error {error_id} in the log"), 500)


_RULES = {
    "who-new": "This service is for new patients only",
    "who-established": "This service is for established patients only",
    "age": "The patient's age does not fit this service",
    "needs-order": "This service needs an order on file",
    "needs-referral": "This service needs a referral on file",
    "no-practitioner": "No such practitioner gives this service",
    "mode": "This service is not given in this mode",
    "location": "This service is not given at this location",
    "closed": "The clinic is closed then",
    "holiday": "The clinic is closed on this holiday",
    "absent": "The practitioner is absent then",
    "not-working": "The practitioner does not work there then",
    "blocked": "This time is kept for another use",
    "taken": "Somebody else has this time",
    "notice": "This time is too soon to be booked",
    "horizon": "This time is too far ahead to be booked",
    "daily-maximum": "The practitioner has as many visits that day as are allowed",
    "patient-busy": "The patient has another visit at this time",
    "room": "No fitting room is free then",
    "past": "This time is over",
    "off-grid": "Visits do not start at this minute",
}


def rule(code: str, detail: str = "") -> str:
    """A rule of the clinic as a sentence."""
    return f"{_RULES.get(code, f'A rule of the clinic forbids this visit: {code}')}{f' ({detail})' if detail else ''}"


def sentence(error: SchedulingError) -> str:
    if isinstance(error, NotBookableError):
        return rule(error.rule, error.detail)
    return str(error)


def bundle(entries: list[Resource], total: int, links: list[tuple[str, str]]) -> Resource:
    """A searchset. `links` are relations and addresses."""
    found: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": total,
        "link": [{"relation": relation, "url": url} for relation, url in links],
    }
    if entries:
        found["entry"] = entries
    return found


def entry(resource: Resource, base: str, mode: str = "match") -> Resource:
    found: Resource = {"resource": resource, "search": {"mode": mode}}
    if "id" in resource:
        found = {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}"} | found
    return found
