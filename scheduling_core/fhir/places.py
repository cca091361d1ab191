"""What the clinic file says, as resources: Organization, Location, HealthcareService, Practitioner, PractitionerRole, Schedule."""

from __future__ import annotations

import datetime as dt

from scheduling_core.clinic_file.schema import WEEKDAYS, LocationPart, PractitionerPart, ServicePart
from scheduling_core.fhir import codes
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory


def organizations(known: Directory) -> list[Resource]:
    """The clinic, then the payers."""
    info = known.clinic.clinic
    contact = [{"system": "phone", "value": info.phone}]
    if info.main_email:
        contact.append({"system": "email", "value": info.main_email})
    clinic = {
        "resourceType": "Organization",
        "id": known.organization,
        "active": True,
        "type": [_organization_type("prov", "Healthcare Provider")],
        "name": info.name,
        "telecom": contact,
    }
    payers = [
        codes.without_nothing(
            {
                "resourceType": "Organization",
                "id": payer.id,
                "identifier": [{"system": codes.PAYER_ID, "value": payer.payer_id}],
                "active": True,
                "type": [_organization_type("pay", "Payer")],
                "name": payer.name,
                "alias": payer.aliases,
            }
        )
        for payer in known.clinic.payers
    ]
    return [clinic, *payers]


def _organization_type(code: str, display: str) -> Resource:
    return codes.coded("http://terminology.hl7.org/CodeSystem/organization-type", code, display)


def locations(known: Directory) -> list[Resource]:
    """The locations, each followed by its rooms, then those that have left the clinic file."""
    found: list[Resource] = []
    for location in known.clinic.locations:
        found.append(_location(location, known))
        found += [
            {
                "resourceType": "Location",
                "id": room.id,
                "identifier": [{"system": codes.CLINIC_FILE_ID, "value": room.id}],
                "status": "active",
                "name": room.name,
                "mode": "instance",
                "type": [{"text": room.kind}],
                "physicalType": codes.coded(codes.PHYSICAL_TYPE, "ro", "Room"),
                "partOf": codes.reference("Location", location.id, location.name),
            }
            for room in location.rooms
        ]
    return found + _left(known, "Location", status="inactive")


def _location(location: LocationPart, known: Directory) -> Resource:
    hours = []
    for weekday in range(7):
        hours += [
            {
                "daysOfWeek": [WEEKDAYS[weekday]],
                "openingTime": span.start.isoformat(),
                "closingTime": span.end.isoformat(),
            }
            for span in location.hours_on(weekday)
        ]
    return codes.without_nothing(
        {
            "resourceType": "Location",
            "id": location.id,
            "identifier": [{"system": codes.CLINIC_FILE_ID, "value": location.id}],
            "status": "active",
            "name": location.name,
            "alias": location.aliases,
            "description": " ".join(filter(None, (location.directions, location.parking))),
            "mode": "instance",
            "telecom": [{"system": "phone", "value": known.clinic.clinic.phone}],
            "address": {"text": location.address} if location.address else None,
            "physicalType": codes.coded(codes.PHYSICAL_TYPE, "si", "Site"),
            "managingOrganization": codes.reference("Organization", known.organization, known.clinic.clinic.name),
            "hoursOfOperation": hours,
        }
    )


def services(known: Directory) -> list[Resource]:
    return [_service(service, known) for service in known.clinic.services] + _left(known, "HealthcareService", active=False)


def _service(service: ServicePart, known: Directory) -> Resource:
    at = dict.fromkeys(session.at for who in known.clinic.practitioners if service.id in who.services for session in who.schedule)
    rules = [{"comment": f"Patients: {service.who}"}] if service.who != "any" else []
    if service.ages:
        upto = f" to {service.ages.oldest}" if service.ages.oldest is not None else " and older"
        rules.append({"comment": f"Ages {service.ages.youngest}{upto}"})
    if service.needs_order or service.needs_referral:
        rules.append({"comment": "Needs a ServiceRequest on file"})
    return codes.without_nothing(
        {
            "resourceType": "HealthcareService",
            "id": service.id,
            "identifier": [{"system": codes.CLINIC_FILE_ID, "value": service.id}],
            "active": True,
            "providedBy": codes.reference("Organization", known.organization, known.clinic.clinic.name),
            "type": [codes.coded(codes.SERVICE, service.id, service.name)],
            "specialty": [codes.coded(codes.SPECIALTY, service.specialty)],
            "location": [codes.reference("Location", id_, known.location(id_)) for id_ in at],
            "name": service.name,
            "comment": f"{service.minutes} minutes, {' or '.join(service.modes)}",
            "extraDetails": service.prep,
            "eligibility": rules,
            "appointmentRequired": True,
        }
    )


def practitioners(known: Directory) -> list[Resource]:
    return [_practitioner(who) for who in known.clinic.practitioners] + [
        resource | {"name": [{"text": resource["name"]}]} for resource in _left(known, "Practitioner", active=False)
    ]


def _practitioner(who: PractitionerPart) -> Resource:
    plain = who.name.split(",")[0]
    return codes.without_nothing(
        {
            "resourceType": "Practitioner",
            "id": who.id,
            "identifier": [{"system": codes.CLINIC_FILE_ID, "value": who.id}],
            "active": True,
            "name": [codes.without_nothing({"text": who.name, "family": who.family, "given": plain.split()[:-1]})],
            "gender": who.gender,
            "communication": [codes.coded(codes.LANGUAGE, language) for language in who.languages],
        }
    )


def roles(known: Directory) -> list[Resource]:
    """One a practitioner, with the same id: what this person does here, where and when."""
    found = []
    for who in known.clinic.practitioners:
        at = dict.fromkeys(session.at for session in who.schedule)
        found.append(
            codes.without_nothing(
                {
                    "resourceType": "PractitionerRole",
                    "id": who.id,
                    "active": True,
                    "practitioner": codes.reference("Practitioner", who.id, who.name),
                    "organization": codes.reference("Organization", known.organization, known.clinic.clinic.name),
                    "specialty": [codes.coded(codes.SPECIALTY, specialty) for specialty in who.specialties],
                    "location": [codes.reference("Location", id_, known.location(id_)) for id_ in at],
                    "healthcareService": [codes.reference("HealthcareService", id_, known.service(id_)) for id_ in who.services],
                    "availableTime": [
                        {
                            "daysOfWeek": [WEEKDAYS[day] for day in sorted(session.days)],
                            "availableStartTime": session.time.start.isoformat(),
                            "availableEndTime": session.time.end.isoformat(),
                        }
                        for session in who.schedule
                    ],
                    "notAvailable": [
                        {
                            "description": absence.reason or "absent",
                            "during": {"start": absence.from_.isoformat(), "end": absence.to.isoformat()},
                        }
                        for absence in who.absences
                    ],
                }
            )
        )
    return found


def schedules(known: Directory, now: dt.datetime) -> list[Resource]:
    """One a practitioner, with the same id, over the days that can be booked."""
    last = now + dt.timedelta(days=known.clinic.clinic.booking_horizon_days)
    found = []
    for who in known.clinic.practitioners:
        at = dict.fromkeys(session.at for session in who.schedule)
        found.append(
            {
                "resourceType": "Schedule",
                "id": who.id,
                "active": True,
                "serviceType": [codes.coded(codes.SERVICE, id_, known.service(id_)) for id_ in who.services],
                "specialty": [codes.coded(codes.SPECIALTY, specialty) for specialty in who.specialties],
                "actor": [
                    codes.reference("Practitioner", who.id, who.name),
                    *(codes.reference("Location", id_, known.location(id_)) for id_ in at),
                ],
                "planningHorizon": {"start": now.isoformat(), "end": last.isoformat()},
            }
        )
    return [codes.without_nothing(resource) for resource in found]


def _left(known: Directory, kind: str, **state: bool | str) -> list[Resource]:
    return [
        {"resourceType": kind, "id": id_, "identifier": [{"system": codes.CLINIC_FILE_ID, "value": id_}], "name": name, **state}
        for id_, name in known.left.get(kind, {}).items()
    ]
