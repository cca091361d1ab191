"""A week in the life of a clinic in a few minutes: what goes out by itself, what patients answer, and what becomes of it.

Everything is the real core and the worker's own jobs, with the test clock; the patients are invented, and so is what they answer.
The outbox is printed as a timeline.

python -m benchmarks.week [CLINIC.yml] [--keep]    --keep writes the week of clinics/demo.yml into docs/week.md
"""

from __future__ import annotations

import argparse
import datetime as dt
import heapq
import itertools
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.report import report
from bot.channels.mail import Mail, Mailer
from bot.channels.sender import DemoCarrier
from bot.conversation import Turns
from bot.jobs import JOBS
from bot.settings import PROJECT
from bot.worker import Worker
from scheduling_core import booking, coverage, migrating, outreach, patients, recalls, referrals, sending, times, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.search import find, offers
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.clinic_file import loading, reading
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.fhir.writing import create_service_request
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    Communication,
    Direction,
    Outreach,
    OutreachStatus,
    ParticipationStatus,
    Referral,
    ReferralStatus,
    Sex,
    Task,
    WaitlistOffer,
    new_id,
)

COMMAND = "python -m benchmarks.week"
MONDAY = dt.date(2026, 11, 16)
VISITS, WAITING, OVERDUE = 24, 6, 10
_STEP, _HALF_AN_HOUR = dt.timedelta(minutes=5), dt.timedelta(minutes=30)
_OFTEN = 1.0  # seconds; the jobs that a worker looks at less often are run every half hour here
_STAFF = "staff:front-desk"
_GIVEN = ("Ada", "Ben", "Carla", "Dan", "Elena", "Felix", "Gloria", "Hugo", "Ines", "Jon", "Kim", "Luis", "Maya", "Nina", "Omar")
_REFERRAL = [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("clinic", nargs="?", type=Path, default=PROJECT / "clinics" / "demo.yml")
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args()
    begun = time.monotonic()
    week = play(reading.read(chosen.clinic))
    print(week)
    took = time.monotonic() - begun
    report("A week in the life of a clinic", round(took), "s", "300 or less", took <= 300, COMMAND)
    if chosen.keep:
        (PROJECT / "docs" / "week.md").write_text(week + "\n", encoding="utf-8")


def play(clinic: ClinicFile, days: int = 7, step: dt.timedelta = _STEP) -> str:
    """Play the week of a clinic, the worker looking at the clock at each step; what happened, as a page."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FRONTDESK_CLOCK"] = str(Path(folder) / "clock")
        database = None
        try:
            _set_clock(times.from_wall(MONDAY, dt.time(6), clinic.zone))
            url = f"sqlite:///{folder}/frontdesk.sqlite"
            migrating.upgrade(url)
            database = Database(url)
            week = _Week(database, clinic)
            week.prepare()
            week.play(days, step)
            return week.page()
        finally:
            if database:
                database.dispose()
            del os.environ["FRONTDESK_CLOCK"]


def _set_clock(instant: dt.datetime) -> None:
    Path(os.environ["FRONTDESK_CLOCK"]).write_text(instant.isoformat(), encoding="utf-8")


class _Post(Mailer):
    """Mail that arrives."""

    def __init__(self) -> None:
        pass

    def send(self, mail: Mail) -> str:
        return mail.id


@dataclass
class _Week:
    """The clinic, its people, what is still to happen, and what people did."""

    database: Database
    clinic: ClinicFile
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    coming: list[tuple[dt.datetime, int, Callable[[], None]]] = field(default_factory=list)
    done: list[tuple[dt.datetime, str]] = field(default_factory=list)  # what people did, and when
    names: dict[str, str] = field(default_factory=dict)  # of patients, by id
    numbers: dict[str, str] = field(default_factory=dict)  # of patients, by phone
    given_up: Appointment | None = None
    seen: int = 0  # the last message that was answered or not
    offered: int = 0
    order: itertools.count[int] = field(default_factory=itertools.count)

    # who is there

    def prepare(self) -> None:
        """Patients with visits, patients who wait for a full day, patients whose yearly visit was long ago."""
        with self.database.transaction() as session:
            loading.load(session, self.clinic, agent="week")
        for number in range(VISITS):
            self._book(1 + number % 7)
        self._fill_a_day()
        for service in [one for one in self.clinic.services if one.recall][:2]:
            for _ in range(OVERDUE // 2):
                self._had_long_ago(service)

    def _service(self) -> ServicePart:
        """The longest plain service: no order, no referral, for those who were here before."""
        return max(
            (one for one in self._plain_services() if one.urgency == "routine"),
            key=lambda one: one.minutes,
            default=self.clinic.services[0],
        )

    def _plain_services(self) -> list[ServicePart]:
        given = {service for one in self.clinic.practitioners for service in one.services}
        return [
            one
            for one in self.clinic.services
            if one.id in given and one.who != "new" and not one.needs_order and not one.needs_referral and not one.ages
        ] or self.clinic.services[:1]

    def _patient(self, session: Session, *, years: int = 45, sex: Sex = Sex.FEMALE) -> str:
        number = len(self.names)
        name = f"{_GIVEN[number % len(_GIVEN)]} {chr(ord('A') + number // len(_GIVEN))}."
        phone = f"{self.clinic.clinic.phone[:5]}555{1000 + number:04}"
        languages = self.clinic.clinic.languages
        person = patients.register(
            session,
            given=name.split()[0],
            family=f"Sample{number}",
            birth_date=dt.date(MONDAY.year - years, 1, 15),
            phone=phone,
            sex=sex,
            new=False,
            agent="week",
        )
        person.language = languages[1] if len(languages) > 1 and number % 5 == 4 else languages[0]
        self.names[person.id] = self.numbers[phone] = name
        return person.id

    def _book(self, days_ahead: int) -> None:
        service = self.dice.choice(self._plain_services())
        day = MONDAY + dt.timedelta(days=days_ahead)
        with self.database.transaction() as session:
            person = self._patient(session)
            wish = TimeWish(days=(Days(day, day + dt.timedelta(days=3)),))
            found = offers(session, self.clinic, Request(service.id, patient_id=person), wish=wish, count=3)
            if found:
                booking.book(
                    session, self.clinic, patient_id=person, time=self.dice.choice(found), agent="week", key=f"book {person}"
                )

    def _fill_a_day(self) -> None:
        """Wednesday of somebody is full, some wait for it, and on Tuesday at ten one of the visits is given up."""
        service, wednesday = self._service(), MONDAY + dt.timedelta(days=2)
        start = times.from_wall(wednesday, dt.time(), self.clinic.zone)
        whom = self._who_works(service, start)
        if whom is None:
            return
        taken = []
        while True:
            with self.database.transaction() as session:
                request = Request(service.id, practitioners=(whom,))
                free = find(session, self.clinic, request, start=start, end=start + dt.timedelta(days=1), limit=1)
                if not free:
                    break
                person = self._patient(session)
                taken.append(
                    booking.book(session, self.clinic, patient_id=person, time=free[0], agent="week", key=f"full {person}")
                )
        for _ in range(WAITING):
            with self.database.transaction() as session:
                request = Request(service.id, practitioners=(whom,), patient_id=self._patient(session))
                wish = TimeWish(days=(Days(wednesday, wednesday),))
                waitlist.join(session, self.clinic, request=request, wish=wish, agent="week", key=f"wait {request.patient_id}")
        later = [one for one in taken if one.start and one.start >= start + dt.timedelta(hours=12)] or taken
        self.given_up = later[0]
        self._at(times.from_wall(MONDAY + dt.timedelta(days=1), dt.time(10), self.clinic.zone), self._give_up)

    def _who_works(self, service: ServicePart, start: dt.datetime) -> str | None:
        with self.database.reading() as session:
            end = start + dt.timedelta(days=1)
            free = find(session, self.clinic, Request(service.id), start=start, end=end)
        room = Counter(one.practitioner_id for one in free)
        return min(room, key=lambda one: (room[one], one)) if room else None

    def _had_long_ago(self, service: ServicePart) -> None:
        rule = service.recall
        assert rule
        start = times.now() - dt.timedelta(days=31 * (rule.every_months + 1) + self.dice.randrange(60))
        youngest, oldest = (rule.ages.youngest, rule.ages.oldest or 80) if rule.ages else (30, 60)
        with self.database.transaction() as session:
            sex = Sex.MALE if rule.sex == "male" else Sex.FEMALE
            person = self._patient(session, years=(youngest + oldest) // 2, sex=sex)
            session.add(
                Appointment(
                    id=new_id(),
                    status=AppointmentStatus.FULFILLED,
                    service_id=service.id,
                    patient_id=person,
                    start=start,
                    end=start + dt.timedelta(minutes=service.minutes),
                    created_at=start,
                    updated_at=start,
                )
            )

    # the week

    def play(self, days: int, step: dt.timedelta) -> None:
        self._refer()
        worker = Worker(self.database, DemoCarrier(), cast("Turns", None), _Post())  # nobody texts by the web here
        try:
            for instant in self._instants(days, step):
                while self.coming and self.coming[0][0] <= instant:
                    at, _, act = heapq.heappop(self.coming)
                    _set_clock(at)
                    act()
                    self._work(worker)
                _set_clock(instant)
                self._work(worker, all_jobs=instant.minute % 30 == 0)
        finally:
            worker.close()

    def _instants(self, days: int, step: dt.timedelta) -> Iterator[dt.datetime]:
        at = times.from_wall(MONDAY, dt.time(6, 30), self.clinic.zone)
        end = times.from_wall(MONDAY + dt.timedelta(days=days), dt.time(), self.clinic.zone)
        while at < end:
            yield at
            at += step if 6 <= times.to_wall(at, self.clinic.zone).hour < 21 else max(step, _HALF_AN_HOUR)

    def _work(self, worker: Worker, *, all_jobs: bool = False) -> None:
        """What the worker does at this moment."""
        for job in [one for one in JOBS if all_jobs or one.every_seconds <= _OFTEN]:
            with self.database.reading() as session:
                is_due = job.is_due(session, self.clinic)
            while is_due:
                with self.database.transaction() as session:
                    is_due = job.step(session, self.clinic)
        while worker.send_due():
            pass
        self._let_them_read()

    def _at(self, instant: dt.datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self.coming, (instant, next(self.order), act))

    def _in(self, minutes: float, act: Callable[[], None]) -> None:
        self._at(times.now() + dt.timedelta(minutes=minutes), act)

    def _note(self, what: str) -> None:
        self.done.append((times.now(), what))

    # what people do

    def _let_them_read(self) -> None:
        with self.database.reading() as session:
            new = select(Communication).where(
                Communication.sequence > self.seen,
                Communication.direction == Direction.OUT,
                Communication.status.in_(sending.GONE_OUT),
            )
            for message in session.scalars(new.order_by(Communication.sequence)):
                self.seen = message.sequence
                self._read(message)

    def _read(self, message: Communication) -> None:
        """A patient answers in some minutes, or does not."""
        luck, minutes = self.dice.random(), 3 + self.dice.expovariate(1 / 25)
        if message.kind == sending.REMINDER and message.appointment_id and luck < 0.6:
            visit_id = message.appointment_id
            self._in(minutes, lambda: self._confirm(visit_id))
        elif message.kind == sending.OFFER and message.appointment_id:
            self.offered += 1
            place_id, name = message.appointment_id, self.numbers[message.phone]
            if self.offered == 1:
                self._in(4, lambda: self._pass(place_id, name))
            elif self.offered in (3, 4):
                self._in(6 + 2 * self.offered, lambda: self._accept(place_id, name))
        elif message.kind in sending.OUTREACH and message.patient_id:
            key, person = message.idempotency_key, message.patient_id
            if luck < 0.4:
                self._in(minutes, lambda: self._book_recalled(key, person))
            elif luck < 0.6:
                self._in(minutes, lambda: self._not_now(key, person))

    def _give_up(self) -> None:
        assert self.given_up
        assert self.given_up.patient_id
        with self.database.transaction() as session:
            booking.cancel(session, self.clinic, appointment_id=self.given_up.id, agent="week", key="give up")
        self._note(f"{self.names[self.given_up.patient_id]} gives up {self._when(self.given_up.start)}.")

    def _confirm(self, visit_id: str) -> None:
        with self.database.transaction() as session:
            visit = waitlist.appointment(session, visit_id)
            if visit.status in LIVE and visit.patient_id and visit.confirmation is not ParticipationStatus.ACCEPTED:
                booking.confirm(session, appointment_id=visit_id, agent="week", key=f"confirm {visit_id} {visit.sequence}")
                self._note(f"{self.names[visit.patient_id]} confirms {self._when(visit.start)}.")

    def _pass(self, place_id: str, name: str) -> None:
        with self.database.transaction() as session:
            waitlist.pass_on(session, place_id=place_id, agent="week", key=f"pass {place_id}")
        self._note(f"{name} passes, and keeps the place on the waitlist.")

    def _accept(self, place_id: str, name: str) -> None:
        try:
            with self.database.transaction() as session:
                visit = waitlist.accept(session, self.clinic, place_id=place_id, agent="week", key=f"accept {place_id}")
            self._note(f"{name} takes {self._when(visit.start)}.")
        except SchedulingError:
            self._note(f"{name} says yes too, and hears that it is gone already.")

    def _book_recalled(self, key: str | None, person: str) -> None:
        with self.database.transaction() as session:
            one = outreach.get(session, sending.outreach_of(key)[0])
            request = Request(one.service_id, patient_id=person)
            free = offers(session, self.clinic, request, wish=TimeWish(days=(Days(MONDAY + dt.timedelta(days=8), None),)))
            if free and one.status is OutreachStatus.OPEN:
                visit = booking.book(session, self.clinic, patient_id=person, time=free[0], agent="week", key=f"recalled {one.id}")
                self._note(f"{self.names[person]} books {self._when(visit.start)}.")

    def _not_now(self, key: str | None, person: str) -> None:
        with self.database.transaction() as session:
            outreach.answer(
                session,
                self.clinic,
                outreach_id=sending.outreach_of(key)[0],
                said=outreach.Answer.NOT_NOW,
                agent="week",
                key=f"not now {key}",
            )
        self._note(f"{self.names[person]} says: not now.")

    def _refer(self) -> None:
        """A referral to the first partner: on Wednesday it is made, then sent, and there is an appointment on Friday."""
        if not self.clinic.referral_partners:
            return
        partner = self.clinic.referral_partners[0]
        with self.database.transaction() as session:
            person = self._patient(session, years=60)
            payer = next((one for one in self.clinic.payers if one.id in partner.accepts), None)
            if payer:
                coverage.record(
                    session, patient_id=person, payer_id=payer.id, payer_name=payer.name, subscriber_id="SAMPLE1", agent="week"
                )

        def begin() -> None:
            resource = {
                "resourceType": "ServiceRequest",
                "category": _REFERRAL,
                "subject": {"reference": f"Patient/{person}"},
                "code": {"coding": [{"code": partner.specialty}]},
            }
            with self.database.transaction() as session:
                create_service_request(session, self.clinic, resource, _STAFF, "refer")
                one = self._referral(session)
                if one.partner_id is None:
                    referrals.choose(session, self.clinic, referral_id=one.id, partner_id=partner.id, agent=_STAFF)
            self._note(f"A clinician refers {self.names[person]} to {partner.name}.")

        def go(to: ReferralStatus, appointment_at: dt.datetime | None = None) -> None:
            with self.database.transaction() as session:
                one = referrals.move_on(
                    session,
                    self.clinic,
                    referral_id=self._referral(session).id,
                    to=to,
                    appointment_at=appointment_at,
                    agent=_STAFF,
                )
                self._note(f"The desk notes the referral as {to}; next: {one.next_step}")

        wednesday, there = (
            MONDAY + dt.timedelta(days=2),
            times.from_wall(MONDAY + dt.timedelta(days=15), dt.time(10), self.clinic.zone),
        )
        self._at(times.from_wall(wednesday, dt.time(11), self.clinic.zone), begin)
        self._at(times.from_wall(wednesday, dt.time(11, 40), self.clinic.zone), lambda: go(ReferralStatus.SENT))
        friday = wednesday + dt.timedelta(days=2)
        self._at(times.from_wall(friday, dt.time(9, 30), self.clinic.zone), lambda: go(ReferralStatus.SCHEDULED, there))

    def _referral(self, session: Session) -> Referral:
        return session.scalars(select(Referral)).one()

    # the page

    def _when(self, instant: dt.datetime | None) -> str:
        return f"{times.to_wall(instant, self.clinic.zone):%A, %B %-d, %-I:%M %p}" if instant else "a time"

    def page(self) -> str:
        with self.database.reading() as session:
            sent = list(
                session.scalars(
                    select(Communication)
                    .where(Communication.direction == Direction.OUT)
                    .order_by(Communication.sent_at, Communication.sequence)
                )
            )
            parts = [self._head(), *self._timeline(sent), "", "## What became of it", "", *self._tables(session, sent)]
        return "\n".join(parts)

    def _head(self) -> str:
        return (
            f"# A week at {self.clinic.clinic.name}\n\n"
            "Written by `python -m benchmarks.week --keep`: the real core and the worker's own jobs, with the test clock.\n"
            "Patients are invented, and so is what they do, which stands in italics; everything else went out by itself.\n"
        )

    def _timeline(self, sent: list[Communication]) -> Iterator[str]:
        lines = [(at, 0, f"*{what}*") for at, what in self.done]
        for message in sent:
            whom = self.numbers.get(message.phone, "staff")
            if message.sent_at and message.status in sending.GONE_OUT:
                body = " ".join(message.body.split())
                lines.append((message.sent_at, 1, f"{message.channel} to {whom} ({message.kind}): {body}"))
            else:
                lines.append((message.created_at, 1, f"{message.status}: {message.kind} to {whom} ({message.error})"))
        today = None
        for at, _, line in sorted(lines, key=lambda one: one[:2]):
            wall = times.to_wall(at, self.clinic.zone)
            if wall.date() != today:
                today = wall.date()
                yield f"\n## {wall:%A, %B %-d}\n"
            yield f"- {wall:%H:%M} {line}"

    def _tables(self, session: Session, sent: list[Communication]) -> Iterator[str]:
        out = [one for one in sent if one.status in sending.GONE_OUT and one.sent_at]
        yield "| messages | sent | withheld or failed |"
        yield "| --- | --- | --- |"
        gone, not_gone = Counter(one.kind for one in out), Counter(one.kind for one in sent if one not in out)
        for kind in sorted(gone | not_gone):
            yield f"| {kind} | {gone[kind]} | {not_gone[kind]} |"
        ours = [one for one in out if one.kind in sending.STARTED_BY_US and one.phone in self.numbers]
        at_night = sum(sending.quiet_until(self.clinic, phone=one.phone, at=one.sent_at) is not None for one in ours if one.sent_at)
        counted = [one for one in ours if one.kind not in (sending.OFFER, sending.PLAN)]
        a_day = Counter((one.phone, times.to_wall(one.sent_at, self.clinic.zone).date()) for one in counted if one.sent_at)
        week = Counter(one.phone for one in counted)
        yield ""
        most = f"{max(a_day.values(), default=0)} a day and {max(week.values(), default=0)} in the week"
        yield f"In quiet hours: {at_night}. To one number at most {most}, offers of freed times aside."
        yield ""
        yield "| recalls of | due | written to | booked | not now |"
        yield "| --- | --- | --- | --- | --- |"
        until = times.now() + dt.timedelta(seconds=1)
        for line in recalls.report(session, since=until - dt.timedelta(days=30), until=until):
            booked, declined = line.count(OutreachStatus.BOOKED, OutreachStatus.DONE), line.count(OutreachStatus.DECLINED)
            yield f"| {line.service_id} | {line.due} | {line.asked} | {booked} | {declined} |"
        yield ""
        offered = Counter(session.scalars(select(WaitlistOffer.status)))
        became = ", ".join(f"{count} {status}" for status, count in sorted(offered.items()))
        yield f"Waitlist: {sum(offered.values())} offers: {became}."
        for one in session.scalars(select(Referral)):
            yield f"Referral: {one.status}, partner {one.partner_id}; next: {one.next_step}"
        teams = Counter(session.scalars(select(Task.team)))
        yield f"Tasks for people: {', '.join(f'{count} for {team}' for team, count in sorted(teams.items())) or 'none'}."
        open_still = session.scalars(select(Outreach.id).where(Outreach.status == OutreachStatus.OPEN)).all()
        yield f"Recalls that wait for an answer or their turn: {len(open_still)}."


if __name__ == "__main__":
    main()
