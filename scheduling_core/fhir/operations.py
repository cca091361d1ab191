"""Appointment/$find, $hold, $book and $cancel, with the parameters of the IHE ITI Scheduling profile (ITI-115 to ITI-117)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import audit, booking, idempotency, names, patients, times
from scheduling_core.calendar import rules
from scheduling_core.calendar import search as calendar
from scheduling_core.calendar.search import FreeTime, Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import consequences
from scheduling_core.errors import NotBookableError, NotFoundError, PatientBusyError, TimeTakenError, WrongStateError
from scheduling_core.fhir import reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory, directory
from scheduling_core.fhir.parameters import Parameters
from scheduling_core.fhir.people import read_patient
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.scheduling import Proposal, read_appointment, service_in, to_appointment, to_proposals
from scheduling_core.fhir.writing import register
from scheduling_core.models import LIVE, Appointment, AppointmentStatus, Mode, Patient, new_id

PARAMETERS = {
    "find": (
        "start",
        "end",
        "visit-type",
        "specialty",
        "practitioner",
        "organization",
        "location-reference",
        "location",
        "patient-reference",
        "patient-resource",
        "mode",
        "_count",
    ),
    "hold": ("appointment-reference", "appointment-resource", "patient-reference", "patient-resource"),
    "book": ("appointment-reference", "appointment-resource", "patient-reference", "patient-resource", "comment"),
    "cancel": ("appointment-reference", "appointment-resource", "reason"),
}


@dataclass(frozen=True)
class Potential:
    """What $find found; where that is nothing, `refusals` are the rules that no time can mend, each with its detail."""

    appointments: list[Resource]
    refusals: list[tuple[str, str]]


def find(session: Session, clinic: ClinicFile, asked: Parameters, *, agent: str) -> Potential:
    """Every start on the grid that can be booked in the window, as proposed Appointments by time.

    Raises MalformedError, NotFoundError.
    """
    known = directory(session, clinic)
    start, end = _window(asked, clinic)
    limit = _count(asked)
    patient = _patient(session, clinic, asked)
    if patient:
        audit.record(session, agent=agent, action="R", entity="Appointment", patient_id=patient.id, detail={"operation": "find"})
    found: list[FreeTime] = []
    refusals: list[tuple[str, str]] = []
    for request in _requests(asked, known, patient):
        if refusal := rules.who_may(session, clinic, request):
            refusals.append((refusal.code, refusal.detail))
        else:
            found += calendar.find(session, clinic, request, start=start, end=end, limit=limit)
    found.sort(key=lambda time: (time.start, time.practitioner_id, time.location_id, time.mode))
    found = found[:limit]
    return Potential(to_proposals(found, known), [] if found else refusals)


def _window(asked: Parameters, clinic: ClinicFile) -> tuple[dt.datetime, dt.datetime]:
    """From now where no start is given, over all days that can be booked where no end is given; a date as `end` is included."""
    now = times.now()
    last = now + dt.timedelta(days=clinic.clinic.booking_horizon_days + 1)
    said_start, said_end = asked.first("start"), asked.first("end")
    start = reading.period(said_start, "start", clinic.zone)[0] if said_start else now
    end = reading.period(said_end, "end", clinic.zone)[1] if said_end else last
    if end < start:
        raise MalformedError("end", "must not be before start")
    return max(start, now - dt.timedelta(days=1)), min(end, last)


def _count(asked: Parameters) -> int | None:
    """The most appointments that are wanted; None for all."""
    count = asked.first("_count")
    if count is None:
        return None
    if not (count.isascii() and count.isdigit() and 0 < len(count) < 10):
        raise MalformedError("_count", "must be a whole number")
    return int(count)


def _requests(asked: Parameters, known: Directory, patient: Patient | None) -> list[Request]:
    """What is asked of the calendar: one request a service, place and mode. Without visit-type every service (of the specialty)."""
    clinic = known.clinic
    practitioners = _among(asked, "practitioner", "Practitioner", clinic.practitioners_by_id)
    places: list[str | None] = [*_among(asked, "location-reference", "Location", clinic.locations_by_id)]
    places += _among(asked, "location", "Location", clinic.locations_by_id)
    if (organizations := asked.ids("organization", "Organization")) and known.organization not in organizations:
        return []
    said = asked.words.get("visit-type", [])
    services = [clinic.services_by_id[service_in([{"text": word}], known, "visit-type") or ""] for word in said] or clinic.services
    if specialties := asked.words.get("specialty"):
        services = [service for service in services if service.specialty in specialties]
    if not said and practitioners:
        services = [one for one in services if any(one.id in clinic.practitioners_by_id[who].services for who in practitioners)]
    mode = _mode(asked)
    return [
        Request(
            service_id=service.id,
            practitioners=tuple(practitioners),
            location_id=place,
            mode=way,
            patient_id=patient.id if patient else None,
        )
        for service in {service.id: service for service in services}.values()
        for place in dict.fromkeys(places or [None])
        for way in ([mode] if mode else [Mode(name) for name in service.modes])
    ]


def _among(asked: Parameters, name: str, kind: str, known: Mapping[str, object]) -> list[str]:
    ids = asked.ids(name, kind)
    for id_ in ids:
        if id_ not in known:
            raise MalformedError(name, f'"{id_}" is no {kind} of this clinic; there are {", ".join(known)}')
    return ids


def _mode(asked: Parameters) -> Mode | None:
    word = asked.first("mode")
    if word is None:
        return None
    if word not in list(Mode):
        raise MalformedError("mode", f"must be {' or '.join(Mode)}")
    return Mode(word)


def _patient(session: Session, clinic: ClinicFile, asked: Parameters) -> Patient | None:
    """The patient on file that is meant; None where none is named, or one who is not on file yet."""
    if ids := asked.ids("patient-reference", "Patient"):
        return patients.get(session, ids[0])
    resource = asked.resource("patient-resource")
    if resource is None:
        return None
    if id_ := reading.text(resource, "id", "Patient"):
        return patients.get(session, id_)
    values = read_patient(resource, region=reading.region_of(clinic.clinic.phone))
    for number in values.phones:
        for patient in patients.on_file(session, phone=number):
            if patient.birth_date == values.birth_date and names.alike(patient.given, values.given):
                return patient
    return None


def change(session: Session, clinic: ClinicFile, name: str, asked: Parameters, *, agent: str, key: str | None) -> Resource:
    """$hold, $book or $cancel: the appointment as it is then. The same key again answers the same appointment and changes nothing.

    Raises what `hold`, `book` and `cancel` raise.
    """
    if earlier := idempotency.earlier_answer(session, key):
        id_ = str(earlier["appointment_id"])
    else:
        id_ = _CHANGES[name](session, clinic, asked, agent, key or new_id()).id
        idempotency.remember(session, key, {"appointment_id": id_})
    made = _appointment(session, id_)
    return to_appointment(made, directory(session, clinic, patients=[made.patient_id]))


def hold(session: Session, clinic: ClinicFile, asked: Parameters, agent: str, key: str) -> Appointment:
    """Keep a time for `hold_minutes`. Raises MalformedError, NotFoundError, TimeTakenError, NotBookableError."""
    known = directory(session, clinic)
    patient = _patient(session, clinic, asked)
    proposal = _proposal(asked, known)
    if proposal.id:
        held = _appointment(session, proposal.id)
        if held.status != AppointmentStatus.PROPOSED:
            raise WrongStateError(f"Appointment/{held.id} is {held.status}")
        return held
    if not patient and proposal.patient_id:
        patient = patients.get(session, proposal.patient_id)
    patient_id = patient.id if patient else None
    time = _free_time(session, clinic, proposal, patient_id)
    return booking.hold(session, clinic, time=time, held_for=agent[:64], patient_id=patient_id, agent=agent, key=f"{key}:visit")


def book(session: Session, clinic: ClinicFile, asked: Parameters, agent: str, key: str) -> Appointment:
    """Book a hold or a proposal, move a visit that is on the books (an `appointment-resource` with its id and another time), or
    cancel one (with its id and status cancelled). A patient who is not on file is registered as new.

    Raises MalformedError, NotFoundError, TimeTakenError, PatientBusyError, HoldExpiredError, NotBookableError, WrongStateError.
    """
    known = directory(session, clinic)
    proposal = _proposal(asked, known)
    if not proposal.id:
        patient_id = _whose(session, clinic, asked, proposal, None, agent, key)
        time = _free_time(session, clinic, proposal, patient_id)
        comment = _comment(asked, proposal)
        made = booking.book(session, clinic, patient_id=patient_id, agent=agent, key=f"{key}:visit", time=time, comment=comment)
        consequences.after_booking(session, clinic, appointment_id=made.id, agent=agent)
        return made
    there = _appointment(session, proposal.id)
    if proposal.cancelled:
        return booking.cancel(session, clinic, appointment_id=there.id, agent=agent, key=f"{key}:visit", reason=proposal.comment)
    if there.status in LIVE and proposal.start and proposal.start != there.start:
        time = _free_time(session, clinic, proposal, there.patient_id, moving=there.id)
        return booking.reschedule(session, clinic, appointment_id=there.id, agent=agent, key=f"{key}:visit", time=time)
    patient_id = _whose(session, clinic, asked, proposal, there.patient_id, agent, key)
    comment = _comment(asked, proposal)
    made = booking.book(session, clinic, patient_id=patient_id, agent=agent, key=f"{key}:visit", hold_id=there.id, comment=comment)
    consequences.after_booking(session, clinic, appointment_id=made.id, agent=agent)
    return made


def _comment(asked: Parameters, proposal: Proposal) -> str | None:
    return asked.first("comment") or proposal.comment


def _whose(
    session: Session, clinic: ClinicFile, asked: Parameters, proposal: Proposal, held_by: str | None, agent: str, key: str
) -> str:
    patient = _patient(session, clinic, asked)
    if patient:
        return patient.id
    if resource := asked.resource("patient-resource"):
        values = read_patient(resource, region=reading.region_of(clinic.clinic.phone))
        return register(session, values, new=True, agent=agent, key=f"{key}:patient").id
    if proposal.patient_id or held_by:
        return patients.get(session, str(proposal.patient_id or held_by)).id
    raise MalformedError("patient-reference", "is needed, or patient-resource")


def cancel(session: Session, clinic: ClinicFile, asked: Parameters, agent: str, key: str) -> Appointment:
    """Cancel a visit, or give back a hold or a place on the waitlist. Raises MalformedError, NotFoundError, WrongStateError."""
    proposal = _proposal(asked, directory(session, clinic))
    if not proposal.id:
        raise MalformedError("appointment-reference", "is needed, as in Appointment/ID")
    reason = (asked.first("reason") or "")[:200] or None
    return booking.cancel(session, clinic, appointment_id=proposal.id, agent=agent, key=f"{key}:visit", reason=reason)


_CHANGES: dict[str, Callable[[Session, ClinicFile, Parameters, str, str], Appointment]] = {
    "hold": hold,
    "book": book,
    "cancel": cancel,
}


def _proposal(asked: Parameters, known: Directory) -> Proposal:
    resource = asked.resource("appointment-resource")
    if resource is not None:
        return read_appointment(resource, known)
    ids = asked.ids("appointment-reference", "Appointment")
    if not ids:
        raise MalformedError("appointment-reference", "is needed, or appointment-resource")
    return Proposal(ids[0], None, None, None, None, None, None, None, cancelled=False)


def _appointment(session: Session, id_: str) -> Appointment:
    found = session.scalars(select(Appointment).where(Appointment.id == id_)).one_or_none()
    if found is None:
        raise NotFoundError(f"Appointment/{id_}")
    return found


def _free_time(
    session: Session, clinic: ClinicFile, proposal: Proposal, patient_id: str | None, *, moving: str | None = None
) -> FreeTime:
    """The free time that a proposal means. Raises what says best why there is none."""
    there = _appointment(session, moving) if moving else None
    service = proposal.service_id or (there.service_id if there else None)
    if not service:
        raise MalformedError("Appointment.serviceType", "is needed, coded with the id of a service of this clinic")
    if not proposal.start:
        raise MalformedError("Appointment.start", "is needed")
    practitioner = proposal.practitioner_id or (there.practitioner_id if there else None)
    request = Request(
        service_id=service,
        practitioners=(practitioner,) if practitioner else (),
        location_id=proposal.location_id,
        mode=proposal.mode or (there.mode if there else None),
        patient_id=patient_id,
        moving=moving,
    )
    if practitioner and practitioner not in clinic.practitioners_by_id:
        raise NotBookableError("no-practitioner", practitioner)
    if proposal.location_id and proposal.location_id not in clinic.locations_by_id:
        raise NotBookableError("location", proposal.location_id)
    if refusal := rules.who_may(session, clinic, request):
        raise NotBookableError(refusal.code, refusal.detail)
    free = calendar.find(session, clinic, request, start=proposal.start, end=proposal.start + dt.timedelta(minutes=1))
    if free:
        return free[0]
    why = rules.explain_time(session, clinic, request, proposal.start)
    about = f"{service} {proposal.start.isoformat()}"
    if lasting := [code for code in why if code not in ("taken", "room", "patient-busy")]:
        raise NotBookableError(lasting[0], about)
    if "patient-busy" in why and "taken" not in why:
        raise PatientBusyError(about)
    raise TimeTakenError(about)
