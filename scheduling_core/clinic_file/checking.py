"""What the parts of a clinic file say together: ids that must exist, people in two places, times that nobody can book."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import holidays

from scheduling_core import times
from scheduling_core.clinic_file.mistakes import Finding, Key, did_you_mean
from scheduling_core.clinic_file.schema import WEEKDAYS, ClinicFile, PractitionerPart, ServicePart, Session, Span, weekdays

_Minutes = tuple[int, int]  # a stretch of a day, in minutes since midnight, end excluded


@dataclass(frozen=True)
class Known:
    """The ids that the file gives, those of parts that are broken otherwise included."""

    locations: frozenset[str]
    services: frozenset[str]
    practitioners: frozenset[str]
    payers: frozenset[str]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Known:
        def ids(section: str) -> frozenset[str]:
            parts = content.get(section)
            return (
                frozenset(str(part["id"]) for part in parts if isinstance(part, dict) and "id" in part)
                if isinstance(parts, list)
                else frozenset()
            )

        return cls(ids("locations"), ids("services"), ids("practitioners"), ids("payers"))


def check(clinic: ClinicFile, known: Known | None = None) -> Iterator[Finding]:
    """Every mistake between parts that are right in themselves."""
    known = known or Known.of(clinic.model_dump(mode="json", by_alias=True))
    yield from _twice(clinic)
    yield from _references(clinic, known)
    yield from _opening_hours(clinic)
    for number, practitioner in enumerate(clinic.practitioners):
        place: Key = ("practitioners", number)
        yield from _sessions(clinic, practitioner, place)
        yield from _blocks(clinic, practitioner, place)
        for at, absence in enumerate(practitioner.absences):
            if absence.to < absence.from_:
                yield Finding(
                    (*place, "absences", at, "to"),
                    f"the absence ends on {absence.to}, before it starts on {absence.from_}",
                    "put the later day here",
                )
    for number, service in enumerate(clinic.services):
        yield from _service(clinic, service, ("services", number))
    yield from _holiday_calendar(clinic)


def _twice(clinic: ClinicFile) -> Iterator[Finding]:
    def among(kind: str, found: Iterable[tuple[str, Key]]) -> Iterator[Finding]:
        first: dict[str, Key] = {}
        for word, key in found:
            if word in first:
                yield Finding(key, f'the {kind} "{word}" occurs twice', "give each its own", see=first[word])
            first.setdefault(word, key)

    yield from among("location", ((part.id, ("locations", n, "id")) for n, part in enumerate(clinic.locations)))
    yield from among("service", ((part.id, ("services", n, "id")) for n, part in enumerate(clinic.services)))
    yield from among("practitioner", ((part.id, ("practitioners", n, "id")) for n, part in enumerate(clinic.practitioners)))
    yield from among("payer", ((part.id, ("payers", n, "id")) for n, part in enumerate(clinic.payers)))
    yield from among("partner", ((part.id, ("referral_partners", n, "id")) for n, part in enumerate(clinic.referral_partners)))
    rooms = (
        (room.id, ("locations", n, "rooms", m, "id"))
        for n, part in enumerate(clinic.locations)
        for m, room in enumerate(part.rooms)
    )
    yield from among("room", rooms)
    yield from among("address", ((part.email.lower(), ("staff", n, "email")) for n, part in enumerate(clinic.staff)))


def _references(clinic: ClinicFile, known: Known) -> Iterator[Finding]:
    def missing(kind: str, word: str, ids: frozenset[str], key: Key) -> Iterator[Finding]:
        if word not in ids:
            yield Finding(key, f'there is no {kind} "{word}"', did_you_mean(word, sorted(ids)))

    for n, closure in enumerate(clinic.closures):
        for m, location_id in enumerate(closure.locations or ()):
            yield from missing("location", location_id, known.locations, ("closures", n, "locations", m))
    for n, practitioner in enumerate(clinic.practitioners):
        place: Key = ("practitioners", n)
        for m, service_id in enumerate(practitioner.services):
            yield from missing("service", service_id, known.services, (*place, "services", m))
        for m, session in enumerate(practitioner.schedule):
            yield from missing("location", session.at, known.locations, (*place, "schedule", m, "at"))
        for m, block in enumerate(practitioner.blocks):
            if block.at is not None:
                yield from missing("location", block.at, known.locations, (*place, "blocks", m, "at"))
            for k, service_id in enumerate(block.keep_for if block.keep_for != "urgent" else ()):
                key = (*place, "blocks", m, "keep_for", k)
                yield from missing("service", service_id, known.services, key)
                if service_id in known.services and service_id not in practitioner.services:
                    yield Finding(
                        key,
                        f'the time is kept for "{service_id}", which {practitioner.name} does not give',
                        did_you_mean(service_id, practitioner.services),
                        relies_on=((*place, "services"),),
                    )
    for team in clinic.staff_mail.teams:
        yield from missing("team", team, frozenset(clinic.handoff.teams), ("staff_mail", "teams", team))
    for n, payer in enumerate(clinic.payers):
        for m, practitioner_id in enumerate(payer.in_network):
            yield from missing("practitioner", practitioner_id, known.practitioners, ("payers", n, "in_network", m))
        for service_id in payer.allowed_amounts:
            yield from missing("service", service_id, known.services, ("payers", n, "allowed_amounts", service_id))
        for name in ("needs_referral", "needs_authorization", "not_covered"):
            for m, service_id in enumerate(getattr(payer, name)):
                yield from missing("service", service_id, known.services, ("payers", n, name, m))
    for service_id in clinic.self_pay.price_list:
        yield from missing("service", service_id, known.services, ("self_pay", "price_list", service_id))
    for n, partner in enumerate(clinic.referral_partners):
        for m, payer_id in enumerate(partner.accepts):
            yield from missing("payer", payer_id, known.payers, ("referral_partners", n, "accepts", m))


def _opening_hours(clinic: ClinicFile) -> Iterator[Finding]:
    everywhere: list[tuple[Key, Mapping[str, Span]]] = [
        (("locations", n, "hours"), location.hours) for n, location in enumerate(clinic.locations)
    ]
    for place, hours in [*everywhere, (("handoff", "hours"), clinic.handoff.hours)]:
        said: list[tuple[str, Span]] = []
        for days, span in hours.items():
            yield from _backwards(span, (*place, days))
            for others, other in said:
                both = weekdays(days) & weekdays(others)
                if both and _overlap(_minutes(span), _minutes(other)):
                    yield Finding(
                        (*place, days),
                        f'{_say_days(both)} is said twice, here and under "{others}"',
                        "keep each weekday under one key",
                        see=(*place, others),
                    )
            said.append((days, span))


def _sessions(clinic: ClinicFile, practitioner: PractitionerPart, place: Key) -> Iterator[Finding]:
    for n, session in enumerate(practitioner.schedule):
        key: Key = (*place, "schedule", n)
        yield from _backwards(session.time, (*key, "time"))
        yield from _off_grid(clinic, session.time, (*key, "time"))
        location = clinic.locations_by_id.get(session.at)
        if location and session.time.start < session.time.end:
            closed = {
                day
                for day in session.days
                if not any(_overlap(_minutes(session.time), _minutes(s)) for s in location.hours_on(day))
            }
            if closed:
                yield Finding(
                    key,
                    f"{location.name} is not open on {_say_days(closed)} {session.time}",
                    "change the session, or the hours of the location",
                    relies_on=(("locations",), (*key, "time"), (*key, "days")),
                )
        for m, other in enumerate(practitioner.schedule[:n]):
            if days := _days_at_once(clinic, session, other):
                yield Finding(
                    key,
                    f"{practitioner.name} has two sessions at once on {_say_days(days)}: {session.time} at {session.at} "
                    f"and {other.time} at {other.at}",
                    "nobody can be at two places" if session.at != other.at else "join the two or change one",
                    relies_on=((*key, "at"), (*key, "time"), (*key, "days")),
                    see=(*place, "schedule", m),
                )


def _days_at_once(clinic: ClinicFile, one: Session, other: Session) -> frozenset[int]:
    """The weekdays (of the first) on which two sessions overlap; locations in different zones are compared by the instant."""
    zones = [clinic.zone_of(session.at) if session.at in clinic.locations_by_id else clinic.zone for session in (one, other)]
    if zones[0] == zones[1]:
        return one.days & other.days if _overlap(_minutes(one.time), _minutes(other.time)) else frozenset()
    monday = dt.date(2026, 1, 5)
    found = set()
    for day in one.days:
        for other_day in other.days:
            spans = [
                [times.from_wall(monday + dt.timedelta(days=7 + on), time, zone) for time in (session.time.start, session.time.end)]
                for session, on, zone in ((one, day, zones[0]), (other, other_day, zones[1]))
            ]
            if spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]:
                found.add(day)
    return frozenset(found)


def _blocks(clinic: ClinicFile, practitioner: PractitionerPart, place: Key) -> Iterator[Finding]:
    for n, block in enumerate(practitioner.blocks):
        key: Key = (*place, "blocks", n)
        yield from _backwards(block.time, (*key, "time"))
        yield from _off_grid(clinic, block.time, (*key, "time"))
        outside: dict[str, set[int]] = {}
        for day in block.days:
            here = [s for s in practitioner.schedule if day in s.days and block.at in (None, s.at)]
            if not _covered(_minutes(block.time), [_minutes(session.time) for session in here]):
                hours = ", ".join(str(session.time) for session in sorted(here, key=lambda session: session.time.start))
                outside.setdefault(hours, set()).add(day)
        for hours, days in outside.items():
            where = f" at {block.at}" if block.at else ""
            yield Finding(
                (*key, "time") if hours else (*key, "days"),
                f"the block {block.time} lies outside the schedule on {_say_days(days)}",
                f"{practitioner.name} works {hours}{where} then" if hours else f"{practitioner.name} does not work{where} then",
                relies_on=((*place, "schedule"),),
            )


def _service(clinic: ClinicFile, service: ServicePart, place: Key) -> Iterator[Finding]:
    grid = clinic.clinic.grid_minutes
    for name in ("minutes", "buffer_before_minutes", "buffer_after_minutes"):
        length: int = getattr(service, name)
        if length % grid:
            below, above = length // grid * grid, (length // grid + 1) * grid
            right = f"write {below} or {above}" if below or name != "minutes" else f"write {above}"
            yield Finding(
                (*place, name),
                f"{length} is no multiple of the grid of {grid} minutes",
                right,
                relies_on=(("clinic", "grid_minutes"),),
            )
    givers = [practitioner for practitioner in clinic.practitioners if service.id in practitioner.services]
    everybody: tuple[Key, ...] = (("practitioners",),)
    if not givers:
        yield Finding(
            (*place, "id"),
            f'nobody gives the service "{service.id}"',
            "add it to the services of a practitioner",
            relies_on=everybody,
        )
        return
    sessions = [_minutes(session.time) for giver in givers for session in giver.schedule]
    longest = max((end - start for start, end in sessions), default=0)
    needed = service.buffer_before_minutes + service.minutes + service.buffer_after_minutes
    if 0 < longest < needed:
        buffers = " with its buffers" if needed > service.minutes else ""
        yield Finding(
            (*place, "minutes"),
            f"{needed} minutes{buffers} are longer than any session of those who give it",
            f"the longest has {longest} minutes",
            relies_on=everybody,
        )
    if service.room is not None:
        places = {session.at for giver in givers for session in giver.schedule}
        kinds = {room.kind for location in clinic.locations if location.id in places for room in location.rooms}
        if service.room not in kinds:
            all_kinds = sorted({room.kind for location in clinic.locations for room in location.rooms})
            elsewhere = service.room in all_kinds
            yield Finding(
                (*place, "room"),
                f'no location where it is given has a room of the kind "{service.room}"',
                "only other locations have one"
                if elsewhere
                else did_you_mean(service.room, all_kinds) or "add it to the rooms there",
                relies_on=(("locations",), *everybody),
            )


def _holiday_calendar(clinic: ClinicFile) -> Iterator[Finding]:
    if clinic.holiday_calendar is None:
        return
    country, _, subdivision = clinic.holiday_calendar.partition("-")
    with contextlib.suppress(NotImplementedError):
        holidays.country_holidays(country, subdiv=subdivision or None)
        return
    supported = holidays.list_supported_countries(include_aliases=True)  # slow: it loads every calendar
    if country not in supported:
        yield Finding(
            ("holiday_calendar",),
            f'there is no holiday calendar of "{country}"',
            'write the code of a country and of a subdivision, for example "US-IL"',
        )
    else:
        yield Finding(
            ("holiday_calendar",),
            f'the holiday calendar of {country} knows no "{subdivision}"',
            did_you_mean(subdivision, supported[country]) or f'write "{country}" for the whole country',
        )


def _backwards(span: Span, key: Key) -> Iterator[Finding]:
    if span.end <= span.start:
        yield Finding(key, f"{span} ends before it starts", f'did you mean "{_afternoon(span)}"?' if _afternoon(span) else "")


def _afternoon(span: Span) -> Span | None:
    """09:00-05:00 is often meant as 09:00-17:00."""
    if span.end.hour < 12 and (later := span.end.replace(hour=span.end.hour + 12)) > span.start:
        return Span(start=span.start, end=later)
    return None


def _off_grid(clinic: ClinicFile, span: Span, key: Key) -> Iterator[Finding]:
    grid = clinic.clinic.grid_minutes
    if off := [time for time in (span.start, span.end) if (time.hour * 60 + time.minute) % grid]:
        yield Finding(
            key,
            f"{' and '.join(f'{time:%H:%M}' for time in off)} {'is' if len(off) == 1 else 'are'} off the grid of {grid} minutes",
            f"start and end at a multiple of {grid} minutes",
            relies_on=(("clinic", "grid_minutes"),),
        )


def _minutes(span: Span) -> _Minutes:
    return span.start.hour * 60 + span.start.minute, span.end.hour * 60 + span.end.minute


def _overlap(one: _Minutes, other: _Minutes) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _covered(span: _Minutes, by: list[_Minutes]) -> bool:
    reached = span[0]
    for start, end in sorted(by):
        if start <= reached < end:
            reached = end
    return reached >= span[1]


def _say_days(days: Iterable[int]) -> str:
    return ", ".join(WEEKDAYS[day] for day in sorted(days))
