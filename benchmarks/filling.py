"""How many of the times freed a day ahead the waitlist fills, how soon, and how many hear that one is gone, by how many are asked.

A seeded simulation on the real core with the test clock: visits are cancelled 24 hours before they start, the worker's jobs offer
their times, and patients answer as they do: 11% say yes (6,603 of 60,660 offers, https://www.jmir.org/2024/1/e52071), 20% no, the
rest nothing, after minutes to hours. The same patient answers the same offer alike, however many are asked at once.

python -m benchmarks.filling [--times 100]
"""

from __future__ import annotations

import argparse
import datetime as dt
import heapq
import itertools
import math
import os
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import busy_clinic, pictures
from benchmarks.report import report
from scheduling_core import booking, claims, freed, messaging, migrating, patients, sending, times, waitlist
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.search import find
from scheduling_core.calendar.wishes import Hours, TimeWish
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Appointment, AppointmentStatus, FreedTime, OfferStatus, Sex, WaitlistOffer

COMMAND = "python -m benchmarks.filling"
AT_ONCE = (1, 2, 3, 5, 8, 10, 12)
YES, NO = 0.11, 0.20
ANSWER, SLOW_ANSWER = 15.0, 30.0  # minutes, the median; of a survey's answers by text it was half an hour
SPREAD = 1.5  # of the logarithm: of a hundred answers at a median of 15, five take a minute and a half or less, five three hours
WAITING = 150  # places, of whom everyone who gets a time is followed by another
PER_DAY = 8  # times freed
_MONDAY = dt.date(2027, 1, 4)
_AHEAD = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Outcome:
    """What became of the freed times of a run. Times in minutes outside the quiet hours."""

    at_once: int
    times: int
    waits: list[float]  # until each filled one was taken
    offers: int
    gone: int  # yeses that came too late
    twice: int  # times with two visits, or two offers accepted

    @property
    def filled(self) -> float:
        return 100 * len(self.waits) / self.times

    @property
    def median(self) -> float:
        return statistics.median(self.waits) if self.waits else math.inf

    @property
    def gone_per_fill(self) -> float:
        return self.gone / max(1, len(self.waits))

    @property
    def offers_per_fill(self) -> float:
        return self.offers / max(1, len(self.waits))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--times", type=int, default=100)
    chosen = options.parse_args()
    curve = [simulate(at_once, chosen.times, ANSWER) for at_once in AT_ONCE]
    best = recommended(curve)
    slow = simulate(best.at_once, chosen.times, SLOW_ANSWER)
    print(f"{'at once':>8} {'filled':>7} {'median':>7} {'offers per fill':>16} {'gone per fill':>14}")
    for one in (*curve, slow):
        print(f"{one.at_once:8} {one.filled:6.1f}% {one.median:7.1f} {one.offers_per_fill:16.1f} {one.gone_per_fill:14.2f}")
    twice = sum(one.twice for one in (*curve, slow))
    name = f"Waitlist, times freed 24 h ahead, {best.at_once} asked at once"
    report(f"{name}: filled", round(best.filled, 1), "%", "65 or more", best.filled >= 65, COMMAND)
    report(f"{name}: median until taken", round(best.median, 1), "min", "20 or less", best.median <= 20, COMMAND)
    report(f"{name}, slow answers: filled", round(slow.filled, 1), "%", "65 or more", slow.filled >= 65, COMMAND)
    report(f"{name}, slow answers: median until taken", round(slow.median, 1), "min", "20 or less", slow.median <= 20, COMMAND)
    report("Waitlist: freed times given twice", twice, "times", "0", twice == 0, COMMAND)
    draw(curve)


def recommended(curve: list[Outcome]) -> Outcome:
    """The fewest asked at once that fill two thirds within 20 minutes, else the soonest."""
    good = [one for one in curve if one.filled >= 65 and one.median <= 20]
    return good[0] if good else min(curve, key=lambda one: one.median)


def draw(curve: list[Outcome]) -> None:
    """Time and annoyance against how many are asked at once."""
    figure = Figure(figsize=(7, 3), layout="constrained")
    time, bother = figure.subplots(1, 2)
    at_once = [one.at_once for one in curve]
    time.plot(at_once, [one.median for one in curve], marker="o", markersize=3)
    time.axhline(20, color="grey", linewidth=0.6, linestyle=":")
    time.set_ylabel("median minutes until taken")
    bother.plot(at_once, [one.gone_per_fill for one in curve], marker="o", markersize=3, color="C1")
    bother.set_ylabel('"gone already" for each time filled')
    for axes in (time, bother):
        axes.set_xlabel("asked at once")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xticks(at_once)
    figure.suptitle("Times freed 24 hours ahead, offered to the waitlist", fontsize=10)
    pictures.save(figure, "filling")


def simulate(at_once: int, freed_times: int, median_minutes: float, waiting: int = WAITING) -> Outcome:
    """Free so many times one after the other and let the waitlist have them."""
    memory = Path("/dev/shm")  # what is measured is the clinic's time: the disk may be spared
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        os.environ["FRONTDESK_CLOCK"] = str(Path(folder) / "clock")
        url = f"sqlite:///{folder}/frontdesk.sqlite"
        try:
            _set_clock(times.from_wall(_MONDAY, dt.time(6), _clinic(at_once).zone))
            migrating.upgrade(url)
            database = Database(url)
            run = _Run(database, _clinic(at_once), freed_times, median_minutes, waiting)
            run.play()
            outcome = run.outcome()
            database.dispose()
        finally:
            del os.environ["FRONTDESK_CLOCK"]
    return outcome


def _clinic(at_once: int) -> ClinicFile:
    plain = busy_clinic.clinic(4).model_dump(by_alias=True)
    offering = {"offer_minutes": 20, "offer_at_once": at_once, "min_notice_hours": 2}
    return ClinicFile.model_validate(plain | {"waitlist": offering})


def _set_clock(instant: dt.datetime) -> None:
    Path(os.environ["FRONTDESK_CLOCK"]).write_text(instant.isoformat(), encoding="utf-8")


@dataclass
class _Run:
    """One clinic, and what is still to happen in it."""

    database: Database
    clinic: ClinicFile
    freed_times: int
    median_minutes: float
    waiting: int
    events: list[tuple[dt.datetime, int, Callable[[], None]]] = field(default_factory=list)
    gone: int = 0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _names: dict[str, str] = field(default_factory=dict)  # of the places: the same in every run

    def play(self) -> None:
        with self.database.transaction() as session:
            loading.load(session, self.clinic, agent=COMMAND)
        for number in range(self.waiting):  # one after the other: the line goes by who waits longest
            _set_clock(times.from_wall(_MONDAY, dt.time(6), self.clinic.zone) - dt.timedelta(minutes=self.waiting - number))
            self._join()
        for number, start in enumerate(self._starts()):
            self._at(start - _AHEAD, lambda number=number, start=start: self._free(number, start))
        while self.events:
            instant, _, act = heapq.heappop(self.events)
            if instant > times.now():
                _set_clock(instant)
            act()
            self._work()

    def outcome(self) -> Outcome:
        quiet, zone = self.clinic.reminders.quiet_hours, self.clinic.zone
        with self.database.reading() as session:
            accepted = session.execute(
                select(FreedTime.id, FreedTime.freed_at, WaitlistOffer.updated_at)
                .join(WaitlistOffer, WaitlistOffer.freed_id == FreedTime.id)
                .where(WaitlistOffer.status == OfferStatus.ACCEPTED)
            ).all()
            starts = session.execute(
                select(Appointment.practitioner_id, Appointment.start).where(Appointment.status == AppointmentStatus.BOOKED)
            ).all()
            offers = session.scalar(select(func.count()).select_from(WaitlistOffer)) or 0
        taken_twice = [count for count in Counter(row.id for row in accepted).values() if count > 1]
        double = [count for count in Counter((who, start) for who, start in starts).values() if count > 1]
        waits = []
        for row in accepted:
            minutes = round((row.updated_at - row.freed_at).total_seconds() / 60)
            walls = (times.to_wall(row.freed_at + dt.timedelta(minutes=one), zone).time() for one in range(minutes))
            waits.append(float(sum(quiet.end <= wall < quiet.start for wall in walls)))
        return Outcome(
            self.clinic.waitlist.offer_at_once, self.freed_times, sorted(waits), offers, self.gone, len(taken_twice) + len(double)
        )

    def _starts(self) -> list[dt.datetime]:
        """The visits that will be cancelled, Tuesday to Friday; no two of a practitioner at one time."""
        dice = random.Random(5)
        found: list[dt.datetime] = []
        for day in itertools.count(1):
            if len(found) >= self.freed_times:
                return found[: self.freed_times]
            date = _MONDAY + dt.timedelta(days=day)
            if date.weekday() in (1, 2, 3, 4):
                hours = dice.sample([(hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 20, 40)], PER_DAY)
                found += sorted(times.from_wall(date, dt.time(*one), self.clinic.zone) for one in hours)
        raise AssertionError("days have no end")

    def _at(self, instant: dt.datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self.events, (instant, next(self._numbers), act))

    def _join(self) -> None:
        """One more waits, for any time, for a part of the day or for somebody."""
        number = len(self._names)
        dice = random.Random(f"place {number}")
        wish = TimeWish(hours=(dice.choice((Hours(dt.time(8), dt.time(12)), Hours(dt.time(12)))),) if dice.random() < 0.3 else ())
        whom = (dice.choice(self.clinic.practitioners).id,) if dice.random() < 0.2 else ()
        with self.database.transaction() as session:
            person = self._register(session, number)
            request = Request(busy_clinic.SERVICE, practitioners=whom, patient_id=person)
            place = waitlist.join(session, self.clinic, request=request, wish=wish, agent=COMMAND, key=f"join {number}")
            self._names[place.id] = str(number)

    def _register(self, session: Session, number: int) -> str:
        person = patients.register(
            session,
            given="Pat",
            family=f"Ient{number}",
            birth_date=dt.date(1980, 1, 1),
            phone=f"+1312{number:07}",
            sex=Sex.UNKNOWN,
            new=False,
            agent=COMMAND,
        )
        return person.id

    def _free(self, number: int, start: dt.datetime) -> None:
        """Somebody has a visit in 24 hours, and cancels it."""
        dice = random.Random(f"freed {number}")
        whom = dice.choice(self.clinic.practitioners).id
        with self.database.transaction() as session:
            person = self._register(session, 1_000_000 + number)
            request = Request(busy_clinic.SERVICE, practitioners=(whom,), patient_id=person)
            [time] = find(session, self.clinic, request, start=start, end=start + dt.timedelta(minutes=5))
            visit = booking.book(session, self.clinic, patient_id=person, time=time, agent=COMMAND, key=f"book {number}")
        with self.database.transaction() as session:
            booking.cancel(session, self.clinic, appointment_id=visit.id, agent=COMMAND, key=f"cancel {number}")

    def _work(self) -> None:
        """What a worker does at this instant, and when there is something for it to do again."""
        while True:
            with self.database.transaction() as session:
                claims.end_some_expired(session, agent=COMMAND)
                if not freed.any_to_offer(session) or not freed.offer_freed(session, self.clinic):
                    break
        with self.database.transaction() as session:
            for message in messaging.claim_due(session, worker="worker", limit=100, lease_seconds=60):
                messaging.mark_sent(session, communication_id=message.id, external_id=message.id)
                if message.kind == sending.OFFER:
                    self._read(session, sending.offer_of(message.idempotency_key))
            again = session.scalar(select(func.min(FreedTime.next_look_at)))
        if again is not None and not any(instant == again for instant, _, _ in self.events):
            self._at(again, lambda: None)

    def _read(self, session: Session, offer_id: str) -> None:
        """A patient reads an offer, and will answer it or not."""
        found = select(WaitlistOffer.place_id, WaitlistOffer.phone, FreedTime.start, FreedTime.practitioner_id)
        joined = found.join(FreedTime, WaitlistOffer.freed_id == FreedTime.id).where(WaitlistOffer.id == offer_id)
        place_id, phone, start, whom = session.execute(joined).one()
        dice = random.Random(f"{self._names[place_id]} {start} {whom}")
        answer, delay = dice.random(), math.exp(dice.gauss(math.log(self.median_minutes), SPREAD))
        at = times.now() + dt.timedelta(minutes=delay)
        if answer < YES:
            self._at(at, lambda: self._say_yes(offer_id, place_id, phone))
        elif answer < YES + NO:
            self._at(at, lambda: self._say_no(offer_id, place_id))

    def _say_yes(self, offer_id: str, place_id: str, phone: str) -> None:
        with self.database.reading() as session:
            offer = waitlist.answerable_offer(session, phone=phone)
        if offer is None or offer.id != offer_id:
            self.gone += 1
            return
        try:
            with self.database.transaction() as session:
                waitlist.accept(session, self.clinic, place_id=place_id, agent=COMMAND, key=f"yes {offer_id}")
        except SchedulingError:
            self.gone += 1
        else:
            self._join()

    def _say_no(self, offer_id: str, place_id: str) -> None:
        with self.database.transaction() as session:
            waitlist.pass_on(session, place_id=place_id, agent=COMMAND, key=f"no {offer_id}")


if __name__ == "__main__":
    main()
