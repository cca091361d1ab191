"""Why a time can be had or not: each rule that allows it, keeps it for something else, or forbids it, in sentences.

The rules themselves are asked where searching and booking ask them; here they are only put into words. Sentences for patients name
no other patient and no reason of an absence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import coverage, times
from scheduling_core.calendar import hours, rules, ticks
from scheduling_core.calendar.hours import Kept, Stretch
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.rules import Asked, Refusal
from scheduling_core.clinic_file.schema import ClinicFile, PractitionerPart
from scheduling_core.models import LIVE, Appointment, AppointmentStatus

_HAVE_TIME = (*LIVE, AppointmentStatus.PROPOSED, AppointmentStatus.FULFILLED)


class Verdict(StrEnum):
    """What a rule says of a time. `keeps`: not now; the time is kept for something else until it is released."""

    ALLOWS = "allows"
    KEEPS = "keeps"
    FORBIDS = "forbids"


@dataclass(frozen=True)
class Reason:
    """What one rule says, to staff and to a patient; to a patient nothing is said ("") where it would not help.

    `practitioner_id` is None where it is the same with everybody.

    `until` (UTC) is when a kept time is released.
    """

    code: str
    verdict: Verdict
    staff: str
    patient: str
    practitioner_id: str | None = None
    until: dt.datetime | None = None


def explain(session: Session, clinic: ClinicFile, request: Request, start: dt.datetime) -> list[Reason]:
    """Every rule's word on a visit that starts at `start` (aware). Searching offers the time exactly when all of them allow it.

    Of several practitioners the first who can is told of alone; when nobody can, the reasons of all are given.
    Raises NotFoundError for a service, patient or moved appointment that does not exist.
    """
    asked = rules.ask(session, clinic, request)
    found = [_refused(clinic, asked, asked.refusal)] if asked.refusal else list(_patient_allows(clinic, asked))
    found += _network(session, clinic, asked)
    by_practitioner = [_of_practitioner(session, clinic, asked, one, start) for one in asked.practitioners]
    if can := next((reasons for reasons in by_practitioner if is_offered(reasons)), None):
        return [*found, *can]
    return [*found, *(reason for reasons in by_practitioner for reason in reasons)]


def is_offered(reasons: list[Reason]) -> bool:
    """Whether nothing is said against the time."""
    return all(reason.verdict is Verdict.ALLOWS for reason in reasons)


def _refused(clinic: ClinicFile, asked: Asked, refusal: Refusal) -> Reason:
    staff, patient = _refused_in_words(clinic, asked.service.name, refusal)
    return Reason(refusal.code, Verdict.FORBIDS, staff, patient)


def _refused_in_words(clinic: ClinicFile, service: str, refusal: Refusal) -> tuple[str, str]:
    match refusal.code:
        case "mode":
            ways = _listed(refusal.detail)
            return f"{service} is not given this way, only {ways}.", f"We offer a {service} only {ways}."
        case "no-practitioner":
            who = _names(clinic, refusal.detail)
            told = f"A {service} is with {_names(clinic, refusal.detail, 'or')}." if who else f"Nobody offers a {service} now."
            return f"None of those asked for gives {service}; given by: {who or 'nobody'}.", told
        case "location":
            where = _places(clinic, refusal.detail)
            told = f"A {service} is at {where}." if where else f"We don't offer a {service} there."
            return f"{service} is not given there, only at: {where or 'no location'}.", told
        case "age":
            return f"{service} is for ages {refusal.detail}.", f"A {service} is for ages {refusal.detail}."
        case "who-new":
            return f"{service} is for new patients; this one was seen before.", f"A {service} is for new patients."
        case "who-established":
            return f"{service} is for established patients; this one is new.", f"A {service} is for patients we have seen before."
    needed = refusal.code.removeprefix("needs-")
    return f"{service} needs an active {needed}; none is on file.", f"A {service} needs {_a(needed)} first; we have none yet."


def _patient_allows(clinic: ClinicFile, asked: Asked) -> Iterator[Reason]:
    """The rules about the patient that were asked and are kept."""
    service = asked.service
    if asked.request.patient_id is None:
        return
    if service.who != "any":
        yield _allows("who", f"The patient counts as {service.who}, as {service.name} asks.", "")
    for needed, is_needed in (("order", service.needs_order), ("referral", service.needs_referral)):
        if is_needed:
            yield _allows(
                needed, f"The {needed} that {service.name} needs is on file or was asked before.", f"We have your {needed}."
            )


def _network(session: Session, clinic: ClinicFile, asked: Asked) -> list[Reason]:
    """What the patient's insurer says of each practitioner. Being out of network forbids nothing; it is told."""
    found = []
    for cover in coverage.active(session, patient_id=asked.request.patient_id) if asked.request.patient_id else ():
        payer = clinic.payers_by_id.get(cover.payer_id or "")
        for one in asked.practitioners if payer else ():
            assert payer is not None
            within = one.id in payer.in_network
            staff = f"{one.name} is {'in' if within else 'out of'} network for {payer.name}."
            patient = staff if within else f"{staff} You can still come; your plan may pay less."
            found.append(Reason("network", Verdict.ALLOWS, staff, patient, one.id))
    return found


def _of_practitioner(
    session: Session, clinic: ClinicFile, asked: Asked, practitioner: PractitionerPart, start: dt.datetime
) -> list[Reason]:
    now = times.now()
    against = rules.obstacles(session, clinic, asked, practitioner, start, now)
    stretch = rules.stretch_for(clinic, asked, practitioner, start)
    words = _Words(session, clinic, asked, practitioner, start, stretch, now)
    found = [words.against(code) for code in rules.CODES if code in against]
    return [*found, *words.in_favour(against)]


class _Words:
    """The sentences about one practitioner and one start."""

    def __init__(
        self,
        session: Session,
        clinic: ClinicFile,
        asked: Asked,
        practitioner: PractitionerPart,
        start: dt.datetime,
        stretch: Stretch | None,
        now: dt.datetime,
    ) -> None:
        self.session, self.clinic, self.asked, self.practitioner = session, clinic, asked, practitioner
        self.start, self.stretch, self.now = start, stretch, now
        self.place_ids = [stretch.location_id] if stretch else list(dict.fromkeys(one.at for one in practitioner.schedule))
        self.zone = clinic.zone_of(self.place_ids[0]) if self.place_ids else clinic.zone
        self.day = times.to_wall(start, self.zone).date()
        self.first, self.end = rules.busy_ticks(asked.service, start)

    def against(self, code: str) -> Reason:
        say: dict[str, Callable[[], tuple[str, str]]] = {
            "past": lambda: ("This is in the past.", "That time has passed."),
            "notice": self._notice,
            "horizon": self._horizon,
            "off-grid": lambda: (
                f"Visits start every {self.clinic.clinic.grid_minutes} minutes; this is between.",
                f"Visits start every {self.clinic.clinic.grid_minutes} minutes.",
            ),
            "closed": self._closed,
            "holiday": self._holiday,
            "absent": self._absent,
            "not-working": self._not_working,
            "age": lambda: (
                f"{self.asked.service.name} is for ages {self.asked.service.ages}; the patient is not on {_day(self.day)}.",
                f"A {self.asked.service.name} is for ages {self.asked.service.ages}.",
            ),
            "room": lambda: (
                f"Every room of the kind {self.asked.needs_room} is in use, buffers included.",
                "The room for this visit is in use then.",
            ),
            "patient-busy": lambda: (f"The patient has another visit then: {self._own_visit()}.", "You have another visit then."),
            "daily-maximum": lambda: (
                f"{self.practitioner.name} has the {self.practitioner.max_visits_per_day} visits that a day may have.",
                f"{self.practitioner.name} is full that day.",
            ),
        }
        if code == "blocked":
            return self._blocked()
        if code == "taken":
            return self._taken()
        staff, patient = say[code]()
        return Reason(code, Verdict.FORBIDS, staff, patient, self.practitioner.id)

    def in_favour(self, against: set[str]) -> Iterator[Reason]:
        """The rules of the day that were asked and have nothing against it."""
        service, who = self.asked.service, self.practitioner
        if not against & {"past", "notice", "horizon"}:
            until = rules.last_day(self.clinic, self.zone, self.now)
            yield self._allows("notice", f"Neither too soon nor beyond {_day(until)}, the last day that is open for booking.", "")
        if self.stretch is None:
            return
        place = self.clinic.locations_by_id[self.stretch.location_id].name
        works = f"{self._clock(self.stretch.first)} to {self._clock(self.stretch.end)}"
        yield self._allows("works", f"{who.name} works at {place} from {works}.", f"{who.name} is at {place} then.")
        for kept in self._touched():
            if not kept.keeps_out(service, self.now):
                yield self._allows("block", self._why_block_allows(kept), "")
        if "taken" not in against:
            buffers = " with its buffers" if service.buffer_before_minutes or service.buffer_after_minutes else ""
            whole = f"{self._clock(self.first)} to {self._clock(self.end)}"
            yield self._allows("free", f"{who.name} is free from {whole}, the visit{buffers}.", "That time is free.")
        if self.asked.needs_room and "room" not in against:
            yield self._allows("room", f"A room of the kind {self.asked.needs_room} is free.", "")
        if who.max_visits_per_day is not None and "daily-maximum" not in against:
            yield self._allows("daily-maximum", f"The day has fewer than its {who.max_visits_per_day} visits.", "")
        if self.asked.request.patient_id and "patient-busy" not in against:
            yield self._allows("patient", "The patient has no other visit then.", "")

    def _allows(self, code: str, staff: str, patient: str) -> Reason:
        return _allows(code, staff, patient, self.practitioner.id)

    def _notice(self) -> tuple[str, str]:
        earliest = rules.earliest(self.clinic, self.asked.service, self.now)
        minutes = self.clinic.clinic.booking_notice_minutes
        first = _moment(earliest, self.zone)
        return (
            f"{self.asked.service.name} is booked {minutes} minutes ahead at least: not before {first}.",
            f"That is too soon to book; the earliest is {first}.",
        )

    def _horizon(self) -> tuple[str, str]:
        last = rules.last_day(self.clinic, self.zone, self.now)
        days = self.clinic.clinic.booking_horizon_days
        return f"Booking is open {days} days ahead, until {_day(last)}.", f"We book until {_day(last)} for now."

    def _closed(self) -> tuple[str, str]:
        for closure in self.clinic.closures:
            if closure.date == self.day and (closure.locations is None or set(closure.locations) & set(self.place_ids)):
                where = _places(self.clinic, ",".join(closure.locations or ())) or "The clinic"
                sentence = f"{where} is closed on {_day(self.day)}: {closure.name}."
                return sentence, sentence
        spans = [
            f"{place.name} {_span_of(span.start, span.end)}"
            for place in (self.clinic.locations_by_id[one] for one in self.place_ids)
            for span in place.hours_on(self.day.weekday())
        ]
        opening = f"open on that day: {', '.join(spans)}" if spans else "not open on that day"
        return f"The location is closed for a part of this visit or all of it; {opening}.", "We are closed then."

    def _holiday(self) -> tuple[str, str]:
        country, _, subdivision = (self.clinic.holiday_calendar or "").partition("-")
        name = holidays.country_holidays(country, subdiv=subdivision or None, years=self.day.year).get(self.day)
        sentence = f"{_day(self.day)} is a public holiday{f' ({name})' if name else ''}; the clinic is closed."
        return sentence, sentence

    def _absent(self) -> tuple[str, str]:
        days = {times.to_wall(self.start, self.clinic.zone_of(place_id)).date() for place_id in self.place_ids}
        away = [one for one in self.practitioner.absences if any(one.from_ <= day <= one.to for day in days)]
        last = max(one.to for one in away)
        reason = next((f" ({one.reason})" for one in away if one.reason), "")
        name = self.practitioner.name
        return f"{name} is away until {_day(last)}{reason}.", f"{name} is away until {_day(last)}."

    def _not_working(self) -> tuple[str, str]:
        name, weekday = self.practitioner.name, self.day.weekday()
        sessions = [one for one in self.practitioner.schedule if weekday in one.days]
        if not sessions:
            return f"{name} does not work on {self.day:%A}s.", f"{name} does not work on {self.day:%A}s."
        work = ", ".join(f"{_span_of(s.time.start, s.time.end)} at {self.clinic.locations_by_id[s.at].name}" for s in sessions)
        length = (self.end - self.first) * ticks.MINUTES
        return (
            f"{name} works on {self.day:%A}s {work}; {length} minutes, buffers included, do not fit from here.",
            f"On {self.day:%A}s {name} is here {work}.",
        )

    def _touched(self) -> list[Kept]:
        """The blocks on the patient's own time."""
        visit = hours.lengths(self.asked.service)[1]
        tick = ticks.tick_of(self.start)
        return [one for one in (self.stretch.kept if self.stretch else ()) if one.first < tick + visit and tick < one.end]

    def _blocked(self) -> Reason:
        kept = max((one for one in self._touched() if one.keeps_out(self.asked.service, self.now)), key=lambda one: one.released_at)
        use = self._use(kept)
        return Reason(
            "blocked",
            Verdict.KEEPS,
            f"{self._clock(kept.first)} to {self._clock(kept.end)} is kept for {use} until {_moment(kept.released_at, self.zone)}.",
            f"That time is kept for {use}; what is left opens {_moment(kept.released_at, self.zone)}.",
            self.practitioner.id,
            kept.released_at,
        )

    def _why_block_allows(self, kept: Kept) -> str:
        block = f"The block for {self._use(kept)} from {self._clock(kept.first)} to {self._clock(kept.end)}"
        if self.now >= kept.released_at:
            return f"{block} was released {_moment(kept.released_at, self.zone)}."
        return f"{block} is for visits like this."

    def _use(self, kept: Kept) -> str:
        if kept.block.keep_for == "urgent":
            return "urgent visits"
        services = self.clinic.services_by_id
        return " or ".join(services[one].name if one in services else one for one in kept.block.keep_for)

    def _taken(self) -> Reason:
        """Who has the time: a visit forbids it, holds alone keep it until the last of them ends."""
        rows = self.session.execute(
            select(
                Appointment.status,
                Appointment.service_id,
                Appointment.start,
                Appointment.end,
                Appointment.hold_expires_at,
                Appointment.lane,
            )
            .where(
                Appointment.practitioner_id == self.practitioner.id,
                Appointment.end_tick > self.first,
                Appointment.first_tick < self.end,
                Appointment.status.in_(_HAVE_TIME),
                Appointment.id != (self.asked.request.moving or ""),
            )
            .order_by(Appointment.first_tick, Appointment.lane)
        ).all()
        rows = [row for row in rows if row.status is not AppointmentStatus.PROPOSED or row.hold_expires_at > self.now]
        visits = [row for row in rows if row.status is not AppointmentStatus.PROPOSED]
        if not visits:
            until = max(row.hold_expires_at for row in rows)
            return Reason(
                "taken",
                Verdict.KEEPS,
                f"It is on offer to somebody else until {_moment(until, self.zone)}.",
                "Somebody else is deciding about that time.",
                self.practitioner.id,
                until,
            )
        row = visits[0]
        visit = hours.lengths(self.asked.service)[1]
        tick = ticks.tick_of(self.start)
        by_buffer = ticks.tick_of(row.start) >= tick + visit or ticks.tick_from(row.end) <= tick
        service = self.clinic.services_by_id.get(row.service_id)
        whole = f"{self._clock(ticks.tick_of(row.start))} to {self._clock(ticks.tick_from(row.end))}"
        staff = f"{self.practitioner.name} has a visit from {whole} ({service.name if service else row.service_id})"
        staff += "; the buffers of the two visits overlap." if by_buffer else "."
        if over := sum(one.lane > 0 for one in visits):
            staff += f" The time is overbooked, by {over} visit{'s' if over > 1 else ''}."
        return Reason("taken", Verdict.FORBIDS, staff, "That time is taken.", self.practitioner.id)

    def _own_visit(self) -> str:
        row = self.session.execute(
            select(Appointment.service_id, Appointment.start)
            .where(
                Appointment.patient_id == self.asked.request.patient_id,
                Appointment.status.in_(_HAVE_TIME),
                Appointment.status != AppointmentStatus.PROPOSED,
                Appointment.id != (self.asked.request.moving or ""),
                Appointment.end > self.start,
                Appointment.start < self.start + dt.timedelta(minutes=self.asked.service.minutes),
            )
            .limit(1)
        ).one()
        service = self.clinic.services_by_id.get(row.service_id)
        return f"{service.name if service else row.service_id} at {self._clock(ticks.tick_of(row.start))}"

    def _clock(self, tick: int) -> str:
        return f"{times.to_wall(ticks.instant_of(tick), self.zone):%-I:%M %p}"


def _allows(code: str, staff: str, patient: str, practitioner_id: str | None = None) -> Reason:
    return Reason(code, Verdict.ALLOWS, staff, patient, practitioner_id)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _names(clinic: ClinicFile, ids: str, word: str = "and") -> str:
    return _listed(",".join(clinic.practitioners_by_id[one].name.replace(",", "") for one in ids.split(",") if one), word)


def _places(clinic: ClinicFile, ids: str) -> str:
    return _listed(",".join(clinic.locations_by_id[one].name for one in ids.split(",") if one))


def _listed(items: str, word: str = "and") -> str:
    *most, last = items.split(",")
    return f"{', '.join(most)} {word} {last}" if most else last


def _span_of(start: dt.time, end: dt.time) -> str:
    return f"{start:%-I:%M %p} to {end:%-I:%M %p}"


def _day(day: dt.date) -> str:
    return f"{day:%A, %B} {day.day}"


def _moment(instant: dt.datetime, zone: ZoneInfo) -> str:
    wall = times.to_wall(instant, zone)
    return f"{_day(wall.date())} at {wall:%-I:%M %p}"
