"""From an address and a method to one function of the core, and from what it answers to a resource."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlencode

from flask import Response, request

from bot.fhir import access, answers
from bot.fhir.access import Caller
from bot.fhir.answers import UnsupportedError
from bot.fhir.capabilities import capability_statement
from scheduling_core.clinic_file import loading
from scheduling_core.db import Database
from scheduling_core.fhir import operations, parameters, query, reading, searching
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.parameters import Parameters
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.searching import COMPUTED, STORED
from scheduling_core.fhir.writing import CREATE

_LONGEST_KEY = 100
_LONGEST_BODY = 1_000_000


def capabilities(database: Database) -> Response:
    try:
        with database.reading() as session:
            name = loading.current(session).clinic.name
    except loading.NotLoadedError:
        name = None
    return answers.shown(capability_statement(_base(), name))


def answer(database: Database, caller: Caller, method: str, path: str) -> Response:
    """Raises SchedulingError, ForbiddenError and UnsupportedError, which the blueprint turns into an OperationOutcome."""
    if request.content_length and request.content_length > _LONGEST_BODY:
        raise UnsupportedError(413, f"A request must not be longer than {_LONGEST_BODY} bytes")
    parts = path.strip("/").split("/")
    kind = parts[0]
    if not reading.is_storable(path):
        raise UnsupportedError(404, "There is nothing at this address")
    if kind not in STORED and kind not in COMPUTED:
        raise UnsupportedError(404, f"There is no {kind or 'resource'} here; GET metadata tells what there is")
    match (method, parts[1:]):
        case ("GET", []):
            return _search(database, caller, kind, request.args.items(multi=True))
        case ("POST", ["_search"]):
            pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
            return _search(database, caller, kind, pairs)
        case ("POST", []) if kind in CREATE:
            return _create(database, caller, kind)
        case ("GET" | "POST", [name]) if name.startswith("$"):
            return _operation(database, caller, kind, name[1:], method)
        case ("GET", [id_]):
            return _read(database, caller, kind, id_)
        case (_, []):
            raise UnsupportedError(405, f"{kind} does not take {method}", ("GET", "POST") if kind in CREATE else ("GET",))
        case (_, [name]):
            allowed = ("POST",) if name == "_search" or name.startswith("$") else ("GET",)
            raise UnsupportedError(405, f"{kind}/{name} does not take {method}", allowed)
    raise UnsupportedError(404, f"There is nothing at {path[:200]}")


def _search(database: Database, caller: Caller, kind: str, pairs: Iterable[tuple[str, str]]) -> Response:
    access.check_read(caller, kind)
    lenient = "handling=lenient" in request.headers.get("Prefer", "")
    asked = query.read_query(pairs, searching.parameters_of(kind), lenient=lenient)
    with database.transaction() if access.is_patients(kind) else database.reading() as session:
        found = searching.search(session, loading.current(session), kind, asked, agent=caller.agent)
    base = _base()
    links = [("self", _link(base, kind, asked, asked.offset))]
    if asked.count and asked.offset + asked.count < found.total:
        links.append(("next", _link(base, kind, asked, asked.offset + asked.count)))
    if asked.count and asked.offset:
        links.append(("previous", _link(base, kind, asked, max(0, asked.offset - asked.count))))
    entries = [answers.entry(resource, base) for resource in found.matches]
    entries += [answers.entry(resource, base, "include") for resource in found.included]
    return answers.shown(answers.bundle(entries, found.total, links))


def _link(base: str, kind: str, asked: query.Query, offset: int) -> str:
    pairs = [*asked.given, ("_count", str(asked.count))] + ([("_offset", str(offset))] if offset else [])
    return f"{base}/{kind}?{urlencode(pairs)}"


def _read(database: Database, caller: Caller, kind: str, id_: str) -> Response:
    access.check_read(caller, kind)
    with database.transaction() if access.is_patients(kind) else database.reading() as session:
        resource = searching.read(session, loading.current(session), kind, id_, agent=caller.agent)
    return answers.shown(resource)


def _create(database: Database, caller: Caller, kind: str) -> Response:
    access.check_write(caller, kind)
    body, key = _body(), _key(caller, kind)
    with database.transaction() as session:
        resource = CREATE[kind](session, loading.current(session), body, caller.agent, key)
    location = {"Location": f"{_base()}/{kind}/{resource['id']}"}
    wanted = request.headers.get("Prefer", "")
    if "return=minimal" in wanted:
        return Response(status=201, headers=location)
    if "return=OperationOutcome" in wanted:
        return answers.shown(answers.outcome("information", "informational", f"{kind}/{resource['id']} was created"), 201, location)
    return answers.shown(resource, 201, location)


def _operation(database: Database, caller: Caller, kind: str, name: str, method: str) -> Response:
    if kind != "Appointment" or name not in operations.PARAMETERS:
        raise UnsupportedError(404, f"{kind} has no operation ${name}")
    if method == "GET" and name != "find":
        raise UnsupportedError(405, f"${name} changes something and takes POST only", ("POST",))
    known = operations.PARAMETERS[name]
    if method == "GET":
        asked = parameters.from_query(request.args.items(multi=True), known)
    else:
        asked = parameters.read_parameters(_body(), known)
        for count in request.args.getlist("_count")[:1]:
            asked.words.setdefault("_count", []).append(count)
    if name == "find":
        return _find(database, caller, asked)
    access.check_write(caller, "Appointment")
    key = _key(caller, name)
    with database.transaction() as session:
        made = operations.change(session, loading.current(session), name, asked, agent=caller.agent, key=key)
    base = _base()
    return answers.shown(answers.bundle([answers.entry(made, base)], 1, [("self", f"{base}/Appointment/${name}")]))


def _find(database: Database, caller: Caller, asked: Parameters) -> Response:
    names_patient = "patient-reference" in asked.words or "patient-resource" in asked.resources
    with database.transaction() if names_patient else database.reading() as session:
        found = operations.find(session, loading.current(session), asked, agent=caller.agent)
    base = _base()
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found.appointments]
    for code, detail in found.refusals:
        problem = answers.outcome("warning", "business-rule", answers.rule(code, detail), code)
        entries.append({"resource": problem, "search": {"mode": "outcome"}})
    return answers.shown(answers.bundle(entries, len(found.appointments), [("self", f"{base}/Appointment/$find")]))


def _base() -> str:
    return f"{request.host_url}fhir/R4"


def _body() -> Resource:
    raw = request.get_data()
    if not raw.strip():
        raise MalformedError("body", "is empty; send a FHIR resource as JSON")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "body"
        raise MalformedError("body", f"is no JSON ({where})") from None
    if not isinstance(found, dict):
        raise MalformedError("body", "must be one FHIR resource as a JSON object")
    return found


def _key(caller: Caller, what: str) -> str | None:
    """The header Idempotency-Key, in the name of the caller and of what is done; None without one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > _LONGEST_KEY:
        raise MalformedError("Idempotency-Key", f"must not be longer than {_LONGEST_KEY} characters")
    return f"fhir:{caller.name[:60]}:{what}:{key}" if key else None
