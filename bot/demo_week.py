"""A busy week that never was, for looking at the console: invented patients text and call, staff answer, visits take place.

Everything is done by the functions that do it in earnest, with the clinic's clock running through the last seven days. The carrier
alone is played: most texts arrive, a few do not. Only into a database without patients, and never in production.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.jobs import JOBS, Schedule
from scheduling_core import attendance, booking, coverage, handoff, messaging, moving, orders, patients, referrals, times, waitlist
from scheduling_core.calendar import search
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import Days, TimeWish
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import (
    LIVE,
    Appointment,
    AppointmentStatus,
    Channel,
    Communication,
    Conversation,
    Delivery,
    Direction,
    Owner,
    Patient,
    Priority,
    RequestCategory,
    Sex,
    new_id,
)

DAYS = 7
PATIENTS = 160
_STEP = dt.timedelta(minutes=30)
_AWAKE = range(6, 22)
_JOBS = tuple(job for job in JOBS if job.name in ("reminders", "offers", "recalls", "outreach", "after-visits", "referrals"))
_NO_SHOWS = 0.08
_STAFF = ("Nora Ellis", "Ben Okafor")
_GIVEN = [
    "Ada",
    "Bruno",
    "Carla",
    "Dev",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Leon",
    "Mara",
    "Nadia",
    "Omar",
    "Petra",
    "Quinn",
    "Rosa",
    "Samir",
    "Tess",
    "Lucía",
    "Mateo",
    "Camila",
    "Diego",
]
_FAMILY = [
    "Abbott",
    "Berg",
    "Castillo",
    "Dawson",
    "Eriksen",
    "Flores",
    "Grant",
    "Haddad",
    "Iverson",
    "Jimenez",
    "Kowalski",
    "Lindqvist",
    "Mendoza",
    "Nakamura",
    "Ortega",
    "Price",
    "Quintero",
    "Reyes",
]
_ASKS = ("I'd like to book a {}", "Can I get an appointment for a {}?", "need a {} this week or next", "quisiera una cita, {}")
_FOR_PEOPLE: tuple[tuple[str, str, Priority, str], ...] = (
    ("desk", "asked-for-person", Priority.ROUTINE, "Can I please talk to a real person?"),
    ("billing", "billing-question", Priority.ROUTINE, "I got a bill I don't understand, who can explain it?"),
    ("clinical", "medical-question", Priority.ROUTINE, "Should I stop my blood thinner before the visit?"),
    ("desk", "complaint", Priority.URGENT, "I waited an hour last time and nobody said a word. Not happy."),
    ("clinical", "red-flag", Priority.STAT, "my chest is tight and my arm is numb"),
    ("desk", "callback", Priority.ROUTINE, "Please call me back after 4, I am at work."),
)
_ANSWERS = (
    "Hello, this is {}. I can help with that.",
    "Thank you for waiting, this is {}. Let me look.",
    "This is {} at the desk. I'll call you.",
)


class NotEmptyError(Exception):
    """There are patients in this database already. The demo week goes into an empty one only."""


def fill(database: Database, *, seed: int = 7, say: Callable[[str], None] = lambda words: None) -> None:
    """Seven days up to now and the bookings ahead of them. Raises NotEmptyError, NotLoadedError."""
    with database.reading() as session:
        clinic = current(session)
        if session.scalars(select(Patient.id).limit(1)).first():
            raise NotEmptyError((NotEmptyError.__doc__ or "").strip())
    end = times.now()
    with _clock() as clock:
        week = _Week(database, clinic, clock, random.Random(seed))
        at = end - dt.timedelta(days=DAYS)
        clock.set(at)
        week.register()
        while at < end:
            clock.set(at)
            week.half_hour(end)
            wall = times.to_wall(at, clinic.zone)
            if wall.hour == 0 and wall.minute < 30:
                say(f"{wall:%A}")
            at += _STEP


class _Clock:
    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, instant: dt.datetime) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(instant.isoformat(), encoding="utf-8")
        beside.replace(self.file)

    def pass_by(self, seconds: float) -> None:
        self.set(times.now() + dt.timedelta(seconds=seconds))


@contextmanager
def _clock() -> Iterator[_Clock]:
    before = os.environ.get("FRONTDESK_CLOCK")
    with tempfile.TemporaryDirectory() as folder:
        clock = _Clock(Path(folder) / "clock")
        clock.set(times.now())
        os.environ["FRONTDESK_CLOCK"] = str(clock.file)
        try:
            yield clock
        finally:
            if before is None:
                del os.environ["FRONTDESK_CLOCK"]
            else:
                os.environ["FRONTDESK_CLOCK"] = before


@dataclass
class _Week:
    database: Database
    clinic: ClinicFile
    clock: _Clock
    dice: random.Random
    people: list[tuple[str, str, str]] = field(default_factory=list)  # id, phone, language
    done: int = 0

    def register(self) -> None:
        for number in range(PATIENTS):
            language = self.dice.choices(self.clinic.clinic.languages[:2], [4, 1][: len(self.clinic.clinic.languages[:2])])[0]
            phone = f"+1312555{1000 + number:04d}"
            with self.database.transaction() as session:
                who = patients.register(
                    session,
                    given=self.dice.choice(_GIVEN),
                    family=self.dice.choice(_FAMILY),
                    birth_date=dt.date(self.dice.randint(1940, 2020), self.dice.randint(1, 12), self.dice.randint(1, 28)),
                    phone=phone,
                    sex=self.dice.choice((Sex.FEMALE, Sex.MALE)),
                    language=language,
                    new=self.dice.random() < 0.15,
                    agent="demo-week",
                )
                if self.clinic.payers and self.dice.random() < 0.7:
                    payer = self.dice.choice(self.clinic.payers)
                    coverage.record(
                        session,
                        patient_id=who.id,
                        payer_id=payer.id,
                        payer_name=payer.name,
                        subscriber_id=f"MEMBER{number:06d}",
                        agent="demo-week",
                    )
                self.people.append((who.id, phone, language))

    def half_hour(self, end: dt.datetime) -> None:
        wall = times.to_wall(times.now(), self.clinic.zone)
        if wall.hour not in _AWAKE:
            return
        weight = 0.3 if wall.weekday() > 4 else 1.0
        self._visits_take_place()
        for act, often in (
            (self._book, 5.0),
            (self._cancel, 0.6),
            (self._move, 0.5),
            (self._join_the_waitlist, 0.4),
            (self._needs_a_person, 0.45),
            (self._staff_answer, 1.5),
            (self._is_referred, 0.08),
        ):
            for _ in range(int(often * weight) + (self.dice.random() < often * weight % 1)):
                try:
                    act()
                except SchedulingError:
                    continue  # the time was taken, the rule forbids it: so it goes in a week
                self.clock.pass_by(self.dice.uniform(20, 90))
        Schedule(self.database, jobs=_JOBS).run_due()
        self._carry()

    # what patients do

    def _book(self) -> None:
        who, phone, _ = self.dice.choice(self.people)
        service = self.dice.choice([one for one in self.clinic.services if one.who != "new"])
        by = self.dice.choices(("sms", "voice", "staff", "machine"), (55, 20, 20, 5))[0]
        asked = self.dice.choice(_ASKS).format(service.name.lower())
        with self.database.transaction() as session:
            agent, conversation = self._agent(session, by, who, phone)
            if conversation:
                self._exchange(session, conversation, asked, "I can help with that. One moment.")
            request = Request(service_id=service.id, patient_id=who)
            day = times.to_wall(times.now(), self.clinic.zone).date() + dt.timedelta(days=self.dice.choice((0, 1, 1, 2, 3, 5, 8)))
            found = search.offers(session, self.clinic, request, wish=TimeWish(days=(Days(first=day),)), count=3)
            if not found:
                return
            time = self.dice.choice(found)
            visit = booking.book(session, self.clinic, patient_id=who, time=time, agent=agent, key=self._key("book"))
            if conversation and visit.start:
                when = times.to_wall(visit.start, self.clinic.zone)
                self._exchange(
                    session, conversation, "the first one please", f"You are booked for {when:%A %B} {when.day} at {when:%H:%M}."
                )

    def _cancel(self) -> None:
        self._change(
            lambda session, visit, agent: moving.cancel(
                session,
                self.clinic,
                appointment_id=visit.id,
                agent=agent,
                key=self._key("cancel"),
                reason="The patient cannot come.",
            ),
            "I have to cancel my appointment",
            "It is cancelled. We hope to see you soon.",
        )

    def _move(self) -> None:
        def move(session: Session, visit: Appointment, agent: str) -> object:
            request = Request(service_id=visit.service_id, patient_id=visit.patient_id, moving=visit.id)
            found = search.offers(session, self.clinic, request, wish=TimeWish(), count=3)
            if not found:
                return None
            return moving.reschedule(
                session, self.clinic, appointment_id=visit.id, time=found[-1], agent=agent, key=self._key("move")
            )

        self._change(move, "can we move my appointment to another day?", "Done. You will get a reminder before the visit.")

    def _change(self, act: Callable[[Session, Appointment, str], object], says: str, answer: str) -> None:
        with self.database.transaction() as session:
            ahead = select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED, Appointment.start > times.now())
            visits = session.scalars(ahead.order_by(Appointment.created_at).limit(200)).all()
            if not visits:
                return
            visit = self.dice.choice(visits)
            phone = next(number for who, number, _ in self.people if who == visit.patient_id)
            agent, conversation = self._agent(
                session, self.dice.choice(("sms", "sms", "voice", "staff")), visit.patient_id or "", phone
            )
            if conversation:
                self._exchange(session, conversation, says, answer)
            act(session, visit, agent)

    def _join_the_waitlist(self) -> None:
        who, _, _ = self.dice.choice(self.people)
        service = self.dice.choice([one for one in self.clinic.services if one.who != "new"])
        with self.database.transaction() as session:
            request = Request(service_id=service.id, patient_id=who)
            waitlist.join(session, self.clinic, request=request, wish=TimeWish(), agent="assistant:waitlist", key=self._key("wait"))

    def _needs_a_person(self) -> None:
        who, phone, _ = self.dice.choice(self.people)
        team, reason, priority, words = self.dice.choices(_FOR_PEOPLE, (4, 3, 3, 1, 1, 3))[0]
        with self.database.transaction() as session:
            agent, conversation = self._agent(session, "sms", who, phone)
            if conversation is None:
                return
            self._write(session, conversation, words, Direction.IN, "patient", Delivery.INBOX)
            handoff.open_task(
                session,
                team=team if team in self.clinic.handoff.teams else self.clinic.handoff.teams[0],
                reason=reason,
                description=f'A patient needs a person. They wrote: "{words}"',
                priority=priority,
                patient_id=who,
                phone=phone,
                conversation_id=conversation.id,
                key=self._key("task"),
                agent=agent,
            )
            handoff.take_over(session, conversation_id=conversation.id, owner_name="desk", agent=agent)

    def _is_referred(self) -> None:
        if not self.clinic.referral_partners:
            return
        who, _, _ = self.dice.choice(self.people)
        partner = self.dice.choice(self.clinic.referral_partners)
        with self.database.transaction() as session:
            request = orders.add(
                session,
                patient_id=who,
                service_id=partner.specialty,
                intent="order",
                note="Asked for at the last visit.",
                category=RequestCategory.REFERRAL_OUT,
                agent="demo-week",
            )
            referrals.begin(session, self.clinic, request, agent="demo-week")

    # what the desk and the carrier do

    def _staff_answer(self) -> None:
        if not handoff.desk_is_open(self.clinic):
            return
        name = self.dice.choice(_STAFF)
        with self.database.transaction() as session:
            tasks = [task for task in handoff.open_tasks(session) if task.conversation_id]
            if not tasks:
                return
            task = tasks[0]
            conversation = session.get_one(Conversation, (self.database.organization, task.conversation_id))
            agent = f"staff:{name.split()[0].lower()}@example.org"
            handoff.take_over(session, conversation_id=conversation.id, owner_name=name, agent=agent)
            messaging.queue(
                session,
                phone=conversation.phone,
                body=self.dice.choice(_ANSWERS).format(name.split()[0]),
                author=name,
                kind="staff",
                conversation_id=conversation.id,
                patient_id=conversation.patient_id,
                in_reply_to=self._last_of(session, conversation),
            )
            handoff.close_task(session, task_id=task.id, agent=agent)
            if self.dice.random() < 0.7:
                handoff.give_back(session, conversation_id=conversation.id, agent=agent)

    def _visits_take_place(self) -> None:
        now = times.now()
        with self.database.transaction() as session:
            due = select(Appointment).where(
                Appointment.status.in_(LIVE), Appointment.start <= now, Appointment.start > now - dt.timedelta(hours=12)
            )
            for visit in session.scalars(due).all():
                if visit.status is AppointmentStatus.BOOKED and self.dice.random() < _NO_SHOWS:
                    attendance.mark_no_show(session, self.clinic, appointment_id=visit.id, agent="staff:nora@example.org")
                elif visit.status is AppointmentStatus.BOOKED:
                    attendance.check_in(session, self.clinic, appointment_id=visit.id, agent="staff:nora@example.org")
                elif visit.end and visit.end <= now:
                    attendance.finish(session, self.clinic, appointment_id=visit.id, agent="staff:ben@example.org")
                else:
                    attendance.take_to_room(session, self.clinic, appointment_id=visit.id, agent="staff:ben@example.org")

    def _carry(self) -> None:
        """The carrier takes what is due; patients confirm some of what they are reminded of."""
        with self.database.transaction() as session:
            for message in messaging.claim_due(session, worker="demo-week", limit=200, lease_seconds=60):
                fate = self.dice.random()
                if fate < 0.03:
                    messaging.mark_failed(session, communication_id=message.id, error="30006", permanent=True)
                    continue
                messaging.mark_sent(session, communication_id=message.id, external_id=f"SM{new_id()}")
                if fate < 0.9:
                    message.status = Delivery.DELIVERED
                try:
                    with session.begin_nested():
                        self._answer(session, message)
                except SchedulingError:
                    continue  # gone already, or cancelled meanwhile

    def _answer(self, session: Session, message: Communication) -> None:
        """What patients say to a reminder or to an offer of a freed time, if anything."""
        chance, key = self.dice.random(), self._key("answer")
        if message.kind == "reminder" and message.appointment_id and chance < 0.6:
            moving.confirm(session, appointment_id=message.appointment_id, agent="assistant:reminder", key=key)
        elif message.kind == "offer" and chance < 0.7 and (offer := waitlist.open_offer(session, phone=message.phone)):
            if chance < 0.3:
                waitlist.accept(session, self.clinic, place_id=offer.place_id, agent="assistant:offer", key=key)
            else:
                waitlist.pass_on(session, place_id=offer.place_id, agent="assistant:offer", key=key)

    # talk

    def _agent(self, session: Session, by: str, who: str, phone: str) -> tuple[str, Conversation | None]:
        if by == "staff":
            return f"staff:{self.dice.choice(('nora', 'ben'))}@example.org", None
        if by == "machine":
            return "token:demo", None
        now = times.now()
        channel = Channel(by)
        known = select(Conversation).where(Conversation.phone == phone, Conversation.open, Conversation.channel == Channel.SMS)
        conversation = session.scalars(known).first() if channel is Channel.SMS else None
        if conversation and conversation.owner is Owner.STAFF:
            return "staff:nora@example.org", None  # a person has this number's talk, and books for it
        if conversation is None:
            conversation = Conversation(
                id=new_id(), channel=channel, phone=phone, patient_id=who, last_turn_at=now, created_at=now, claim={}, state={}
            )
            session.add(conversation)
            session.flush()
        conversation.last_turn_at = now
        return f"assistant:{conversation.id}", conversation

    def _exchange(self, session: Session, conversation: Conversation, says: str, answer: str) -> None:
        asked = self._write(session, conversation, says, Direction.IN, "patient", Delivery.ANSWERED)
        self.clock.pass_by(self.dice.uniform(0.3, 2.5))
        self._write(session, conversation, answer, Direction.OUT, "assistant", Delivery.DELIVERED, in_reply_to=asked.id)

    def _write(
        self,
        session: Session,
        conversation: Conversation,
        body: str,
        direction: Direction,
        author: str,
        status: Delivery,
        in_reply_to: str | None = None,
    ) -> Communication:
        now = times.now()
        message = Communication(
            id=new_id(),
            conversation_id=conversation.id,
            patient_id=conversation.patient_id,
            channel=conversation.channel,
            direction=direction,
            phone=conversation.phone,
            body=body,
            author=author,
            status=status,
            in_reply_to=in_reply_to,
            external_id=f"SM{new_id()}",
            sent_at=now if direction is Direction.OUT else None,
            created_at=now,
        )
        session.add(message)
        session.flush()
        return message

    def _last_of(self, session: Session, conversation: Conversation) -> str | None:
        said = select(Communication.id).where(
            Communication.conversation_id == conversation.id, Communication.direction == Direction.IN
        )
        return session.scalars(said.order_by(Communication.sequence.desc()).limit(1)).first()

    def _key(self, what: str) -> str:
        self.done += 1
        return f"demo-week:{what}:{self.done}"
