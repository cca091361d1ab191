"""Small pieces of sentences that vary with what was found. Whole sentences stand in the dialogue's domain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import phonenumbers

from actions import when
from actions.turn import Turn
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ServicePart
from scheduling_core.models import Appointment, Mode

_WITH = {"en": "with", "es": "con"}
_AT = {"en": "at", "es": "en"}
_BY_VIDEO = {"en": "by video", "es": "por video"}
_OR = {"en": "or", "es": "o"}
_AND = {"en": "and", "es": "y"}
_THEN = {"en": ", then ", "es": ", luego "}


def start(turn: Turn, instant: dt.datetime) -> str:
    """The start of a visit as people say it, in the clinic's wall time: "Tuesday, November 24 at 9:20 AM"."""
    return when.say_start(turn.local(instant), turn.now.date(), turn.language)


def start_short(turn: Turn, instant: dt.datetime) -> str:
    """ "Tue Nov 24, 9:20 AM": for lists on a small screen. On a call in full, because abbreviations are not spoken."""
    if turn.by_voice:
        return start(turn, instant)
    local = turn.local(instant)
    return f"{when.say_day_short(local.date(), turn.language)}, {when.say_time(local.time(), turn.language)}"


def practitioner(turn: Turn, practitioner_id: str) -> str:
    """The name within a sentence: "Dr. Roe", "Sam Poe"; in Spanish "el Dr. Roe", "la Dra. Doe"."""
    name = _name(turn, practitioner_id)
    article = {"Dr.": "el ", "Dra.": "la "}.get(name.split()[0], "") if turn.language == "es" else ""
    return f"{article}{name}"


def _name(turn: Turn, practitioner_id: str) -> str:
    """The name in a list: "Dr. Roe", in Spanish "Dra. Doe"; whole without a title."""
    found = turn.clinic.practitioners_by_id.get(practitioner_id)
    if found is None:
        return practitioner_id
    name = found.name.split(",")[0]
    title = name.split()[0]
    if title.lower().rstrip(".") not in ("dr", "dra", "doctor"):
        return name
    if turn.language == "es":
        title = "Dra." if found.gender == "female" else "Dr."
    return f"{title} {found.family}"


def where(turn: Turn, location_id: str | None, mode: Mode) -> str:
    """ "at Maple Grove North" or "by video"."""
    if mode is Mode.VIDEO:
        return _BY_VIDEO[turn.language]
    place = turn.clinic.locations_by_id.get(location_id or "")
    return f"{_AT[turn.language]} {place.name}" if place else ""


def with_word(turn: Turn) -> str:
    return _WITH[turn.language]


def with_whom(turn: Turn, practitioner_id: str | None) -> str:
    return f"{_WITH[turn.language]} {practitioner(turn, practitioner_id)}" if practitioner_id else ""


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


def visit_short(turn: Turn, appointment: Appointment) -> str:
    """A visit on the books, for a list of several: service, when, with whom."""
    assert appointment.start
    service = turn.clinic.services_by_id.get(appointment.service_id)
    whom = _name(turn, appointment.practitioner_id) if appointment.practitioner_id else ""
    return ", ".join(filter(None, (service.name if service else "", start_short(turn, appointment.start), whom)))


def wished(turn: Turn, wish: TimeWish) -> str:
    return when.say_wish(wish, turn.now.date(), turn.language, short=not turn.by_voice)


def offer(turn: Turn, instant: dt.datetime, *, practitioner_id: str | None, location_id: str | None, mode: Mode | None) -> str:
    """One line of a list of times; what all of them share is None, and said once above the list."""
    whom = _name(turn, practitioner_id) if practitioner_id else ""
    place = _BY_VIDEO[turn.language] if mode is Mode.VIDEO else _short_name(turn, location_id) if location_id else ""
    return ", ".join(filter(None, (start_short(turn, instant), whom, place)))


def _short_name(turn: Turn, location_id: str) -> str:
    """A place without the words that all of the clinic's places begin or end with: "Downtown" of "Roe Downtown Clinic"."""
    place = turn.clinic.locations_by_id.get(location_id)
    if place is None:
        return ""
    names = [one.name.split() for one in turn.clinic.locations]
    own = place.name.split()
    before = _shared(names)
    behind = _shared([name[::-1] for name in names])
    return " ".join(own[before : len(own) - behind]) if before + behind < min(map(len, names)) else place.name


def _shared(names: list[list[str]]) -> int:
    """How many first words all of the names have in common; 0 for a single name."""
    if len(names) < 2:
        return 0
    return next((at for at, words in enumerate(zip(*names, strict=False)) if len(set(words)) > 1), min(map(len, names)))


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


def first_visit(turn: Turn) -> str:
    if turn.language == "es":
        return "Como es su primera vez aquí, empezamos con una primera cita."
    return "As you are new here, we start with a first visit."


def nobody_named(turn: Turn, name: str) -> str:
    return f"No tenemos a nadie con el nombre {name}." if turn.language == "es" else f"We have nobody named {name} here."


def bring(turn: Turn, service: ServicePart) -> str:
    """What to bring, in one sentence; empty when nothing."""
    if not service.paperwork:
        return ""
    return f"{'Por favor traiga' if turn.language == 'es' else 'Please bring'}: {', '.join(service.paperwork)}."


def closed_on(turn: Turn, day: dt.date, name: str) -> str:
    said, told = _day(turn, day), f" ({name})" if name else ""
    return f"El {said} está cerrado{told}." if turn.language == "es" else f"We are closed on {said}{told}."


def away_on(turn: Turn, practitioner_id: str, day: dt.date) -> str:
    who, said = practitioner(turn, practitioner_id), _day(turn, day)
    return f"{who[0].upper()}{who[1:]} no está el {said}." if turn.language == "es" else f"{who} is away on {said}."


def chain(turn: Turn, visits: Sequence[tuple[str, str, dt.datetime, str]], location_id: str, mode: Mode) -> str:
    """Visits that follow each other in one sentence: of each the service, the first name, the start and the practitioner.

    What all of them share is said once: "For Ann, Tuesday, November 17 at Maple Grove North: Annual physical at 9:00 AM with
    Dr. Roe, then Vaccination at 9:40 AM with Sam Poe".
    """
    one_service, one_person, one_practitioner = (len({visit[place] for visit in visits}) == 1 for place in (0, 1, 3))
    service, first, begin, who = visits[0]
    head = [
        service if one_service else "",
        for_person(turn, first) if one_person else "",
        with_whom(turn, who) if one_practitioner else "",
    ]
    day = when.say_day(turn.local(begin).date(), turn.now.date(), turn.language)
    pieces = [
        " ".join(
            part
            for part in (
                "" if one_service else kind,
                "" if one_person else name if one_service else for_person(turn, name),
                at_time(turn, instant),
                "" if one_practitioner else with_whom(turn, practitioner_id),
            )
            if part
        )
        for kind, name, instant, practitioner_id in visits
    ]
    said = ", ".join(filter(None, (" ".join(filter(None, head)), f"{day} {where(turn, location_id, mode)}")))
    return f"{said[0].upper()}{said[1:]}: {_THEN[turn.language].join(pieces)}"


def chain_short(turn: Turn, begin: dt.datetime, visits: Sequence[tuple[str, dt.datetime]]) -> str:
    """ "Tue Nov 17: Mia 9:00 AM, Leo 9:30 AM": for lists; of each visit what it is called and its start."""
    return f"{_day(turn, turn.local(begin).date())}: " + ", ".join(
        f"{label} {when.say_time(turn.local(instant).time(), turn.language)}" for label, instant in visits
    )


def at_time(turn: Turn, instant: dt.datetime) -> str:
    """ "at 9:20 AM", "a las 9:20 AM"."""
    clock = turn.local(instant).time()
    at = ("a la" if clock.hour % 12 == 1 else "a las") if turn.language == "es" else "at"
    return f"{at} {when.say_time(clock, turn.language)}"


def for_person(turn: Turn, first: str) -> str:
    return f"para {first}" if turn.language == "es" else f"for {first}"


def nth(turn: Turn, number: int) -> str:
    """ "the first one", of several people; `number` counts from 0."""
    if turn.language == "es":
        return f"la {('primera', 'segunda', 'tercera', 'cuarta')[number]} persona"
    return f"the {('first', 'second', 'third', 'fourth')[number]} one"


def you(turn: Turn) -> str:
    return "usted" if turn.language == "es" else "you"


def all_of(turn: Turn, count: int) -> str:
    """ "both", "all 3"."""
    if turn.language == "es":
        return f"las {'dos' if count == 2 else count}"
    return "both" if count == 2 else f"all {count}"


def who_has(turn: Turn, practitioners: Sequence[str]) -> str:
    """ "Dr. Roe has", "Dr. Roe and Sam Poe have"; "I have" where it is about nobody in particular."""
    named = both(turn, [_name(turn, one) for one in practitioners])
    if turn.language == "es":
        return f"{named} no {'tiene' if len(practitioners) == 1 else 'tienen'}" if named else "No hay"
    return f"{named} {'has' if len(practitioners) == 1 else 'have'}" if named else "I have"


def before(turn: Turn, day: dt.date) -> str:
    """ "before Tue Dec 8", "antes del mar 8 dic"."""
    return f"antes del {_day(turn, day)}" if turn.language == "es" else f"before {_day(turn, day)}"


def _day(turn: Turn, day: dt.date) -> str:
    return when.say_day(day, turn.now.date(), turn.language) if turn.by_voice else when.say_day_short(day, turn.language)


def not_then(turn: Turn, practitioner_id: str) -> str:
    who = practitioner(turn, practitioner_id)
    return f"{who} no tiene nada entonces, pero otros sí." if turn.language == "es" else f"{who} has nothing then, but others do."
