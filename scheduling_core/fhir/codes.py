"""The coding systems and identifier systems of this project, and the few of HL7's that it speaks."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

SERVICE = "urn:frontdesk:service"  # ids of the clinic file's services
MODE = "urn:frontdesk:visit-mode"  # in-person, video
SPECIALTY = "urn:frontdesk:specialty"  # words of the clinic file
TASK_REASON = "urn:frontdesk:task-reason"
INTAKE = "urn:frontdesk:intake"  # what patients say of their health
TEAM = "urn:frontdesk:team"
REFUSAL = "urn:frontdesk:refusal"  # why a request was refused: a rule of the clinic, or the code of an error
AUDIT_ENTITY = "urn:frontdesk:audit-entity"
PATIENT_ID = "urn:frontdesk:patient"
CLINIC_FILE_ID = "urn:frontdesk:clinic-file-id"  # identifier of a practitioner, location, room or service
PAYER_ID = "urn:frontdesk:x12-payer-id"
SERVICE_TYPE = "urn:frontdesk:x12-service-type"  # X12 service type codes, as in EB03
ELIGIBILITY_ERROR = "urn:frontdesk:eligibility-error"  # X12 reject reasons (AAA03), and ours where there was no answer
BENEFIT_TYPE = "urn:frontdesk:benefit-type"  # out-of-pocket-maximum, which HL7's list has not
PHONE = "urn:frontdesk:phone"  # identifier of a person of whom only the number is known, E.164
MESSAGE_ID = "urn:frontdesk:message-id"  # identifier of a message at the carrier
AGENT = "urn:frontdesk:agent"  # who acted: assistant:ID, token:NAME, staff:EMAIL, worker

NEED_EXTENSION = "urn:frontdesk:extension:need"  # wheelchair, interpreter:pl, ...
HOLD_EXPIRES_EXTENSION = "urn:frontdesk:extension:hold-expires"

LANGUAGE = "urn:ietf:bcp:47"
RELATIONSHIP = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
PHYSICAL_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
MEDIUM = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
AUDIT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"


def coded(system: str, code: str, display: str | None = None) -> Resource:
    """A CodeableConcept with one coding; the display is its text too."""
    coding = {"system": system, "code": code}
    if display:
        coding["display"] = display
    return {"coding": [coding], "text": display or code}


def reference(kind: str, id_: str, display: str | None = None) -> Resource:
    found = {"reference": f"{kind}/{id_}"}
    if display:
        found["display"] = display
    return found


def without_nothing(resource: Resource) -> Resource:
    """The resource without elements that are None or empty: FHIR has no empty elements."""
    return {key: value for key, value in resource.items() if value is not None and value != [] and value != {} and value != ""}
