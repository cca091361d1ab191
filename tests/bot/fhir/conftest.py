"""The FHIR API over a loaded clinic, and a client that checks every resource that comes out against the R4B models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.fhir import create_fhir
from scheduling_core.db import Database

TOKEN = "bootstrap-token-of-the-tests"
Resource = dict[str, Any]


def valid(resource: Resource) -> Resource:
    """The resource, when the R4B model takes it."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


class Api:
    """A caller of the API with a token of role integration."""

    def __init__(self, client: FlaskClient, database: Database) -> None:
        self.client = client
        self.database = database
        self.token = TOKEN

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
        answer = self.client.open(f"/fhir/R4/{path}", method=method, data=data, headers=sent)
        if answer.data:
            assert answer.mimetype == "application/fhir+json"
            valid(json.loads(answer.data))
        return answer

    def get(self, path: str, **headers: str) -> Resource:
        answer = self.send("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        found: Resource = json.loads(answer.data)
        return found

    def search(self, path: str) -> list[Resource]:
        return [entry["resource"] for entry in self.get(path).get("entry", [])]

    def create(self, resource: Resource, **headers: str) -> Resource:
        answer = self.send("POST", resource["resourceType"], resource, **headers)
        assert answer.status_code == 201, answer.text
        found: Resource = json.loads(answer.data)
        assert answer.headers["Location"].endswith(f"/fhir/R4/{found['resourceType']}/{found['id']}")
        return found

    def refused(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> Resource:
        """The one issue of the OperationOutcome that this is refused with."""
        answer = self.send(method, path, body, **headers)
        assert answer.status_code == status, answer.text
        found = json.loads(answer.data)
        assert found["resourceType"] == "OperationOutcome"
        issue: Resource = found["issue"][0]
        return issue

    def call(self, name: str, *parameters: Resource, **headers: str) -> list[Resource]:
        """Appointment/$name: the resources of its bundle."""
        answer = self.send("POST", f"Appointment/${name}", parameters_of(*parameters), **headers)
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in json.loads(answer.data).get("entry", [])]

    def patient(self, **changes: Any) -> Resource:
        return self.create(patient(**changes))

    def free(
        self, patient_: Resource | None = None, *, day: str = "2026-11-17", service: str = "follow-up", who: str = "ferreira"
    ) -> list[Resource]:
        asked = [said("start", day), said("end", day), said("visit-type", service), refer("practitioner", f"Practitioner/{who}")]
        if patient_:
            asked.append(refer("patient-reference", f"Patient/{patient_['id']}"))
        return self.call("find", *asked)

    def booked(self, patient_: Resource, **asked: str) -> Resource:
        proposal = self.free(patient_, **asked)[0]
        return self.call("book", carry("appointment-resource", proposal), refer("patient-reference", f"Patient/{patient_['id']}"))[
            0
        ]


def parameters_of(*parameters: Resource) -> Resource:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def said(name: str, value: str) -> Resource:
    return {"name": name, "valueString": value}


def refer(name: str, reference: str) -> Resource:
    return {"name": name, "valueReference": {"reference": reference}}


def carry(name: str, resource: Resource) -> Resource:
    return {"name": name, "resource": resource}


def patient(**changes: Any) -> Resource:
    """Ruth Novak, as an EHR would send her."""
    return {
        "resourceType": "Patient",
        "name": [{"use": "official", "family": "Novak", "given": ["Ruth"]}],
        "birthDate": "1980-04-19",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "+14145550142", "use": "mobile"}],
    } | changes


@pytest.fixture
def api(loaded: Database) -> Api:
    """The API on each engine."""
    return Api(_client(loaded), loaded)


@pytest.fixture
def quick_api(sqlite_loaded: Database) -> Api:
    """The API on SQLite alone, for what no engine can change."""
    return Api(_client(sqlite_loaded), sqlite_loaded)


def _client(database: Database) -> FlaskClient:
    app = Flask("tests")
    app.register_blueprint(create_fhir(database, TOKEN))
    return app.test_client()
