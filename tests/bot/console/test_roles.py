"""Every route as every role, as nobody, and as staff of another clinic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from bot.console.sessions import COOKIE, PATH
from scheduling_core import accounts, handoff
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Appointment, AppointmentStatus, Role
from tests.bot.console import roles
from tests.bot.console.conftest import Desks, make_staff, sign_in
from tests.factories import make_conversation, make_patient

_SECRET = "Elsewhereson"  # a family name of the other clinic


@pytest.fixture
def elsewhere(sqlite_loaded: Database, clinic: ClinicFile) -> Iterator[Database]:
    """Another clinic in the same database."""
    other = Database(sqlite_loaded.url, organization="elsewhere")
    with other.transaction() as session:
        loading.load(session, clinic, agent="load")
    yield other
    other.dispose()


def test_every_route_names_its_roles_and_stands_in_the_table(sqlite_app: Flask):
    console = roles.console_of(sqlite_app)
    assert {rule.endpoint for rule in _rules(sqlite_app)} == set(console.routes)
    assert roles.PAGE.read_text(encoding="utf-8") == roles.page(console), "python -m tests.bot.console.roles writes the table anew"


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_is_let_in_where_the_table_says_so_and_refused_elsewhere(sqlite_app: Flask, sqlite_desk: Desks, role: str):
    wrong = []
    for rule in _rules(sqlite_app):
        route = roles.console_of(sqlite_app).routes[rule.endpoint]
        if route.kind == "door":
            continue
        client = sqlite_desk(role)  # afresh: some routes sign out
        status = _status(client, rule, route.method)
        refused = status in (401, 403)
        if status >= 500 or refused is (role in route.may):
            wrong.append((rule.endpoint, status))
    assert wrong == []


def test_who_is_not_signed_in_comes_no_further_than_the_doors(sqlite_app: Flask):
    client = sqlite_app.test_client()
    for rule in _rules(sqlite_app):
        route = roles.console_of(sqlite_app).routes[rule.endpoint]
        if route.kind != "door":
            answer = client.open(_path(rule), method=route.method)
            assert answer.status_code in (302, 401), rule.endpoint
            assert answer.status_code == 401 or answer.location.startswith("/console/sign-in"), rule.endpoint
            answer.close()


def test_staff_of_another_clinic_are_nobody_here(sqlite_app: Flask, elsewhere: Database):
    client = sqlite_app.test_client()
    cookie = sign_in(elsewhere, make_staff(elsewhere, "manager"))
    for rule in _rules(sqlite_app):
        route = roles.console_of(sqlite_app).routes[rule.endpoint]
        if route.kind != "door":
            client.set_cookie(COOKIE, cookie, path=PATH)
            answer = client.open(_path(rule), method=route.method)
            assert answer.status_code in (302, 401), rule.endpoint
            answer.close()


def test_a_link_to_another_clinics_patient_shows_nothing(sqlite_app: Flask, sqlite_desk: Desks, elsewhere: Database):
    theirs = _theirs(elsewhere)
    client = sqlite_desk("manager")
    for rule in _rules(sqlite_app):
        route = roles.console_of(sqlite_app).routes[rule.endpoint]
        ids = [name for name in sorted(rule.arguments) if name in theirs]
        if route.kind in ("door", "look") or not ids:
            continue
        answer = client.open(_path(rule, theirs), method=route.method)
        assert _SECRET not in answer.text, rule.endpoint
        assert 400 <= answer.status_code < 500, (rule.endpoint, answer.status_code)


def _theirs(elsewhere: Database) -> dict[str, str]:
    """Ids of rows of the other clinic, under the names that routes give such ids."""
    with elsewhere.transaction() as session:
        patient = make_patient(session, family=_SECRET)
        conversation = make_conversation(session)
        conversation.patient_id = patient.id
        task = handoff.open_task(session, team="desk", reason="callback", description=_SECRET, patient_id=patient.id)
        now = patient.created_at
        visit = Appointment(
            id="their-visit",
            status=AppointmentStatus.BOOKED,
            patient_id=patient.id,
            service_id="follow-up",
            practitioner_id="ferreira",
            location_id="north",
            start=now,
            end=now + dt.timedelta(minutes=30),
            created_at=now,
            updated_at=now,
        )
        session.add(visit)
        session.flush()
        account = accounts.add_staff(session, email="x@elsewhere.example", name=_SECRET, role=Role.BILLING, agent="test")
        return {
            "patient_id": patient.id,
            "conversation_id": conversation.id,
            "task_id": task.id,
            "appointment_id": visit.id,
            "visit_id": visit.id,
            "account_id": account.id,
        }


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]


def _path(rule: Rule, known: dict[str, str] | None = None) -> str:
    values: dict[str, Any] = {name: (known or {}).get(name, _example(rule, name)) for name in rule.arguments}
    built = rule.build(values)
    assert built is not None
    return built[1]


def _example(rule: Rule, name: str) -> Any:
    return 1 if type(rule._converters[name]).__name__ == "IntegerConverter" else "nothing"


def _status(client: FlaskClient, rule: Rule, method: str) -> int:
    answer = client.open(_path(rule), method=method)
    answer.close()
    return answer.status_code
