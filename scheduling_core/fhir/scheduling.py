"""Appointment and Slot."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from scheduling_core import times
from scheduling_core.calendar.search import FreeTime
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.fhir import codes, reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, Mode

_MODE_NAMES = {Mode.IN_PERSON: "In-person visit", Mode.VIDEO: "Video visit"}


def to_appointment(visit: Appointment, known: Directory) -> Resource:
    """A visit, a hold or a place on the waitlist. Times carry the offset of the visit's location."""
    zone = known.zone(visit.location_id)
    others = "needs-action" if visit.status in (AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST) else "accepted"
    participants: list[Resource] = []
    if visit.patient_id:
        actor = codes.reference("Patient", visit.patient_id, known.patients.get(visit.patient_id))
        participants.append({"actor": actor, "required": "required", "status": visit.confirmation.value})
    participants += _participants(known, visit.practitioner_id, visit.location_id, visit.room_id, others)
    if not participants:
        participants.append({"type": [{"text": "patient"}], "status": "needs-action"})
    start, end = (visit.start, visit.end) if visit.start else _wished(visit, known)
    held = visit.status == AppointmentStatus.PROPOSED and visit.hold_expires_at
    return codes.without_nothing(
        {
            "resourceType": "Appointment",
            "id": visit.id,
            "meta": {"lastUpdated": visit.updated_at.isoformat()},
            "extension": [{"url": codes.HOLD_EXPIRES_EXTENSION, "valueInstant": visit.hold_expires_at.isoformat()}]
            if held and visit.hold_expires_at
            else [],
            "status": visit.status.value,
            "cancelationReason": {"text": visit.cancelled_reason} if visit.cancelled_reason else None,
            "serviceType": [codes.coded(codes.SERVICE, visit.service_id, known.service(visit.service_id))],
            "appointmentType": codes.coded(codes.MODE, visit.mode.value, _MODE_NAMES[visit.mode]),
            "start": start.astimezone(zone).isoformat() if start else None,
            "end": end.astimezone(zone).isoformat() if end else None,
            "minutesDuration": int((end - start).total_seconds() // 60) if start and end else None,
            "created": visit.created_at.isoformat(),
            "comment": visit.comment,
            "participant": participants,
        }
    )


def _wished(visit: Appointment, known: Directory) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The earliest time that a place on the waitlist asks for, and the end of a visit that began then."""
    service = known.clinic.services_by_id.get(visit.service_id)
    if visit.status != AppointmentStatus.WAITLIST or not service:
        return None, None
    wish = TimeWish.from_json(visit.wish)
    start = visit.created_at
    if wish.first_day:
        hour = min([*(span.start for span in wish.hours), *wish.at], default=dt.time(0))
        start = max(start, times.from_wall(wish.first_day, hour, known.zone(visit.location_id)))
    return start, start + dt.timedelta(minutes=service.minutes)


def to_proposals(times: Iterable[FreeTime], known: Directory) -> list[Resource]:
    """Each free time as a proposed Appointment, which $hold and $book take as it is. It has no id: nothing is stored."""
    shared: dict[tuple[str | None, ...], Resource] = {}
    found = []
    for time in times:
        key = (time.service_id, time.practitioner_id, time.location_id, time.room_id, time.mode)
        if key not in shared:
            shared[key] = {
                "resourceType": "Appointment",
                "status": "proposed",
                "serviceType": [codes.coded(codes.SERVICE, time.service_id, known.service(time.service_id))],
                "appointmentType": codes.coded(codes.MODE, time.mode.value, _MODE_NAMES[time.mode]),
                "participant": _participants(known, time.practitioner_id, time.location_id, time.room_id, "needs-action"),
            }
        zone = known.zone(time.location_id)
        found.append(
            shared[key]
            | {
                "start": time.start.astimezone(zone).isoformat(),
                "end": time.end.astimezone(zone).isoformat(),
                "minutesDuration": int((time.end - time.start).total_seconds() // 60),
            }
        )
    return found


def _participants(
    known: Directory, practitioner: str | None, location: str | None, room: str | None, status: str
) -> list[Resource]:
    actors = []
    if practitioner:
        actors.append(codes.reference("Practitioner", practitioner, known.practitioner(practitioner)))
    if location:
        actors.append(codes.reference("Location", location, known.location(location)))
    if room:
        actors.append(codes.reference("Location", room, known.room(location, room)))
    return [{"actor": actor, "required": "required", "status": status} for actor in actors]


@dataclass(frozen=True)
class Proposal:
    """What an Appointment resource says of a visit: enough to find the free time that it means.

    `id` is set where it is an appointment of ours, `cancelled` where the sender wants it gone.
    """

    id: str | None
    service_id: str | None
    practitioner_id: str | None
    location_id: str | None
    mode: Mode | None
    start: dt.datetime | None
    patient_id: str | None
    comment: str | None
    cancelled: bool


def read_appointment(resource: Resource, known: Directory, *, where: str = "Appointment") -> Proposal:
    """Raises MalformedError. An unknown id of the clinic file is left to the core to refuse."""
    reading.of_type(resource, "Appointment", where)
    start = reading.text(resource, "start", where)
    actors = _actors(resource, where)
    locations = [id_ for id_ in actors.get("Location", []) if id_ not in known.rooms()]
    return Proposal(
        id=reading.text(resource, "id", where),
        service_id=service_in(reading.objects(resource, "serviceType", where), known, f"{where}.serviceType"),
        practitioner_id=next(iter(actors.get("Practitioner", [])), None),
        location_id=next(iter(locations), None),
        mode=_mode(resource, where),
        start=reading.period(start, f"{where}.start", known.clinic.zone)[0] if start else None,
        patient_id=next(iter(actors.get("Patient", [])), None),
        comment=reading.text(resource, "comment", where, longest=2000),
        cancelled=resource.get("status") == "cancelled",
    )


def service_in(concepts: list[Resource], known: Directory, where: str) -> str | None:
    """The clinic file's id of the service that these concepts code or name; None where they say nothing.

    Raises MalformedError when they say something that the clinic does not offer.
    """
    said = reading.codes_in(concepts, where)
    by_name = {service.name.casefold(): service.id for service in known.clinic.services}
    for word in said:
        if word in known.clinic.services_by_id:
            return word
        if word.casefold() in by_name:
            return by_name[word.casefold()]
    if said:
        offered = ", ".join(known.clinic.services_by_id)
        raise MalformedError(where, f'"{said[0]}" is no service of this clinic; there are {offered}')
    return None


def _actors(resource: Resource, where: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, participant in enumerate(reading.objects(resource, "participant", where)):
        path = f"{where}.participant[{place}]"
        value = reading.text(reading.child(participant, "actor", path), "reference", f"{path}.actor")
        parts = (value or "").split("/_history/")[0].split("/")
        if len(parts) > 1 and parts[-1]:
            found.setdefault(parts[-2], []).append(parts[-1])
    return found


def _mode(resource: Resource, where: str) -> Mode | None:
    for said in reading.codes_in([reading.child(resource, "appointmentType", where)], f"{where}.appointmentType"):
        if said in list(Mode):
            return Mode(said)
        if "video" in said.lower():
            return Mode.VIDEO
    return None


def to_free_slot(time: FreeTime, known: Directory) -> Resource:
    """A free time as a Slot. Its id is made of what it is: nothing is stored."""
    zone = known.zone(time.location_id)
    made_of = f"{time.service_id} {time.practitioner_id} {time.location_id} {time.mode} {time.start.isoformat()}"
    return {
        "resourceType": "Slot",
        "id": hashlib.sha256(made_of.encode()).hexdigest()[:32],
        "serviceType": [codes.coded(codes.SERVICE, time.service_id, known.service(time.service_id))],
        "appointmentType": codes.coded(codes.MODE, time.mode.value, _MODE_NAMES[time.mode]),
        "schedule": codes.reference("Schedule", time.practitioner_id, known.practitioner(time.practitioner_id)),
        "status": "free",
        "start": time.start.astimezone(zone).isoformat(),
        "end": time.end.astimezone(zone).isoformat(),
    }


def to_busy_slot(visit: Appointment, known: Directory) -> Resource:
    """The time of a visit or hold as a Slot, without whose it is."""
    zone = known.zone(visit.location_id)
    assert visit.start
    assert visit.end
    assert visit.practitioner_id
    return {
        "resourceType": "Slot",
        "id": hashlib.sha256(visit.id.encode()).hexdigest()[:32],
        "schedule": codes.reference("Schedule", visit.practitioner_id, known.practitioner(visit.practitioner_id)),
        "status": "busy" if visit.status in LIVE else "busy-tentative",
        "overbooked": visit.lane > 0,
        "start": visit.start.astimezone(zone).isoformat(),
        "end": visit.end.astimezone(zone).isoformat(),
    }
