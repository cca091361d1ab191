"""The CapabilityStatement: what this API can do, made from what it does."""

from __future__ import annotations

from scheduling_core import times
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.operations import PARAMETERS
from scheduling_core.fhir.searching import COMPUTED, STORED, parameters_of
from scheduling_core.fhir.writing import CREATE

_DEFINITIONS = {
    "find": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-find",
    "hold": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-hold",
    "book": "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-book",
    "cancel": "urn:frontdesk:operation:appointment-cancel",
}


def capability_statement(base: str, clinic_name: str | None) -> Resource:
    kinds = [*STORED, *COMPUTED]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": times.now().isoformat(),
        "kind": "instance",
        "instantiates": ["https://profiles.ihe.net/ITI/Scheduling/CapabilityStatement/IHE.Scheduling.server"],
        "software": {"name": "Frontdesk"},
        "implementation": {"description": clinic_name or "No clinic file is loaded yet", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "A bearer token in the Authorization header, for everything but this page."},
                "resource": [_resource(kind) for kind in sorted(kinds)],
            }
        ],
    }


def _resource(kind: str) -> Resource:
    interactions = ["search-type"]
    if kind in STORED or COMPUTED[kind].can_be_read:
        interactions.append("read")
    if kind in CREATE:
        interactions.append("create")
    found: Resource = {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "searchParam": [{"name": "_id", "type": "token"}]
        + [{"name": name, "type": type_} for name, type_ in parameters_of(kind).items() if name != "_include"],
    }
    if kind == "Appointment":
        found["searchInclude"] = ["Appointment:actor", "Appointment:location", "Appointment:patient", "Appointment:practitioner"]
        found["operation"] = [{"name": name, "definition": _DEFINITIONS[name]} for name in PARAMETERS]
    return found
