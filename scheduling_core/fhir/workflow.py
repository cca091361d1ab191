"""Task, Communication and AuditEvent."""

from __future__ import annotations

import json

from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.models import AuditEvent, Channel, Communication, Delivery, Direction, Task


def to_task(task: Task, known: Directory) -> Resource:
    """A handoff. `for` is the patient where one is known, with the phone number as identifier where there is one."""
    whom: Resource = codes.reference("Patient", task.patient_id, known.patients.get(task.patient_id)) if task.patient_id else {}
    if task.phone:
        whom["identifier"] = {"system": codes.PHONE, "value": task.phone}
    team = {"system": codes.TEAM, "code": task.team, "display": task.team}
    return codes.without_nothing(
        {
            "resourceType": "Task",
            "id": task.id,
            "meta": {"lastUpdated": task.updated_at.isoformat()},
            "status": task.status.value,
            "intent": "order",
            "priority": task.priority.value,
            "code": {"coding": [{"system": codes.TASK_REASON, "code": task.reason}, team], "text": task.reason},
            "description": task.description,
            "focus": codes.reference("Appointment", task.appointment_id) if task.appointment_id else None,
            "for": whom,
            "authoredOn": task.created_at.isoformat(),
            "lastModified": task.updated_at.isoformat(),
            "performerType": [{"coding": [team], "text": task.team}],
            "owner": {"display": task.owner_name} if task.owner_name else None,
            "restriction": {"period": {"end": task.due_at.isoformat()}} if task.due_at else None,
        }
    )


_STATUS = {
    Delivery.RECEIVED: "completed",
    Delivery.ANSWERED: "completed",
    Delivery.INBOX: "completed",
    Delivery.QUEUED: "preparation",
    Delivery.SENDING: "in-progress",
    Delivery.SENT: "completed",
    Delivery.DELIVERED: "completed",
    Delivery.UNKNOWN: "unknown",
    Delivery.FAILED: "stopped",
    Delivery.WITHHELD: "not-done",
}
_MEDIUM = {
    Channel.SMS: codes.coded(codes.MEDIUM, "SMSWRIT", "SMS message"),
    Channel.VOICE: codes.coded(codes.MEDIUM, "PHONE", "telephone"),
    Channel.EMAIL: codes.coded(codes.MEDIUM, "EMAILWRIT", "email"),
}


def to_communication(message: Communication, known: Directory) -> Resource:
    """A message in or out. Who is known by the number alone appears with it as identifier."""
    patient = codes.reference("Patient", message.patient_id, known.patients.get(message.patient_id)) if message.patient_id else {}
    person = patient | {"identifier": {"system": codes.PHONE, "value": message.phone}}
    clinic = codes.reference("Organization", known.organization, known.clinic.clinic.name)
    incoming = message.direction == Direction.IN
    sent = incoming or message.status in (Delivery.SENT, Delivery.DELIVERED)
    by_staff = message.author not in ("assistant", "system", "patient")
    desk = clinic | ({"display": f"{message.author}, {known.clinic.clinic.name}"} if by_staff else {})
    return codes.without_nothing(
        {
            "resourceType": "Communication",
            "id": message.id,
            "identifier": [{"system": codes.MESSAGE_ID, "value": message.external_id}] if message.external_id else [],
            "inResponseTo": [codes.reference("Communication", message.in_reply_to)] if message.in_reply_to else [],
            "status": _STATUS[message.status],
            "statusReason": {"text": message.error or message.status.value}
            if message.status in (Delivery.FAILED, Delivery.WITHHELD, Delivery.UNKNOWN)
            else None,
            "category": [{"text": message.kind}],
            "medium": [_MEDIUM[message.channel]],
            "subject": patient,
            "about": [codes.reference("Appointment", message.appointment_id)] if message.appointment_id else [],
            "sent": message.created_at.isoformat() if sent else None,
            "received": message.created_at.isoformat() if incoming else None,
            "recipient": [clinic] if incoming else [person],
            "sender": person if incoming else desk,
            "payload": [{"contentString": message.body}] if message.body.strip() else [],
        }
    )


def to_audit_event(event: AuditEvent, known: Directory) -> Resource:
    """Who read or wrote what of whom. The detail's values appear as text."""
    entities: list[Resource] = [
        codes.without_nothing(
            {
                "what": codes.reference(event.entity, event.entity_id) if event.entity_id else None,
                "type": {"system": codes.AUDIT_ENTITY, "code": event.entity},
                "detail": [{"type": key, "valueString": _detail(value)} for key, value in event.detail.items() if value],
            }
        )
    ]
    if event.patient_id and event.entity != "Patient":
        entities.append({"what": codes.reference("Patient", event.patient_id)})
    return {
        "resourceType": "AuditEvent",
        "id": str(event.sequence),
        "type": {"system": codes.AUDIT_TYPE, "code": "rest", "display": "RESTful Operation"},
        "action": event.action,
        "recorded": event.at.isoformat(),
        "outcome": "0",
        "agent": [{"who": {"identifier": {"system": codes.AGENT, "value": event.agent}}, "requestor": True}],
        "source": {"observer": codes.reference("Organization", known.organization, known.clinic.clinic.name)},
        "entity": entities,
    }


def _detail(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
