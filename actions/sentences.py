"""Small pieces of sentences that vary with what was found. Whole sentences stand in the dialogue's domain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import phonenumbers

from actions import when
from actions.turn import Turn
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart
from scheduling_core.models import Appointment, Mode

_WITH = {"en": "with", "es": "con"}
_AT = {"en": "at", "es": "en"}
_BY_VIDEO = {"en": "by video", "es": "por video"}
_OR = {"en": "or", "es": "o"}
_AND = {"en": "and", "es": "y"}


def start(turn: Turn, instant: dt.datetime) -> str:
    """The start of a visit as people say it, in the clinic's wall time: "Tuesday, November 24 at 9:20 AM"."""
    return when.say_start(turn.local(instant), turn.now.date(), turn.language)


def start_short(turn: Turn, instant: dt.datetime) -> str:
    """ "Tue Nov 24, 9:20 AM": for lists on a small screen."""
    local = turn.local(instant)
    time = f"{local:%I:%M %p}".lstrip("0")
    if turn.language == "es":
        return f"{_DAYS_ES[local.weekday()]} {local.day} de {_MONTHS_ES[local.month - 1]}, {time}"
    return f"{local:%a %b} {local.day}, {time}"


_DAYS_ES = ("lun", "mar", "mié", "jue", "vie", "sáb", "dom")
_MONTHS_ES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)


def practitioner(clinic: ClinicFile, practitioner_id: str) -> str:
    """The name as people say it: "Dr. Roe", "Sam Poe"."""
    found = clinic.practitioners_by_id.get(practitioner_id)
    if found is None:
        return practitioner_id
    name = found.name.split(",")[0]
    return f"{name.split()[0]} {found.family}" if name.split()[0].lower().rstrip(".") in ("dr", "dra", "doctor") else name


def where(turn: Turn, location_id: str | None, mode: Mode) -> str:
    """ "at Riverside Downtown" or "by video"."""
    if mode is Mode.VIDEO:
        return _BY_VIDEO[turn.language]
    place = turn.clinic.locations_by_id.get(location_id or "")
    return f"{_AT[turn.language]} {place.name}" if place else ""


def with_word(turn: Turn) -> str:
    return _WITH[turn.language]


def with_whom(turn: Turn, practitioner_id: str | None) -> str:
    return f"{_WITH[turn.language]} {practitioner(turn.clinic, practitioner_id)}" if practitioner_id else ""


def visit(turn: Turn, appointment: Appointment) -> str:
    """A visit on the books in one line: service, when, with whom, where."""
    service = turn.clinic.services_by_id.get(appointment.service_id)
    assert appointment.start
    parts = [
        service.name if service else appointment.service_id,
        start(turn, appointment.start),
        with_whom(turn, appointment.practitioner_id),
        where(turn, appointment.location_id, appointment.mode),
    ]
    return f"{parts[0]}, {' '.join(part for part in parts[1:] if part)}"


def numbered(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}) {line}" for number, line in enumerate(lines, 1))


def either(turn: Turn, items: Sequence[str]) -> str:
    """ "A, B or C"."""
    return _joined(items, _OR[turn.language])


def both(turn: Turn, items: Sequence[str]) -> str:
    """ "A, B and C"."""
    return _joined(items, _AND[turn.language])


def _joined(items: Sequence[str], word: str) -> str:
    return f"{', '.join(items[:-1])} {word} {items[-1]}" if len(items) > 1 else "".join(items)


def phone(number: str) -> str:
    """A phone number as people write it in its own country."""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.NATIONAL)


def first_visit(turn: Turn, service: ServicePart) -> str:
    if turn.language == "es":
        return f"Como es su primera vez aquí, empezamos con: {service.name}."
    return f"As you are new here, we start with a {service.name.lower()}."


def nobody_named(turn: Turn, name: str) -> str:
    return f"No tenemos a nadie con el nombre {name}." if turn.language == "es" else f"We have nobody named {name} here."


def bring(turn: Turn, service: ServicePart) -> str:
    """What to bring, in one sentence; empty when nothing."""
    if not service.paperwork:
        return ""
    return f"{'Por favor traiga' if turn.language == 'es' else 'Please bring'}: {', '.join(service.paperwork)}."


def closed_on(turn: Turn, day: dt.date, name: str) -> str:
    said, told = when.say_day(day, turn.now.date(), turn.language), f" ({name})" if name else ""
    return f"El {said} está cerrado{told}." if turn.language == "es" else f"We are closed on {said}{told}."


def away_on(turn: Turn, practitioner_id: str, day: dt.date) -> str:
    who, said = practitioner(turn.clinic, practitioner_id), when.say_day(day, turn.now.date(), turn.language)
    return f"{who} no está el {said}." if turn.language == "es" else f"{who} is away on {said}."
