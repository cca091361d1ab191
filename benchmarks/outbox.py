"""The outbox under load: how many texts a second one worker sends, and what becomes of them when workers are killed.

python -m benchmarks.outbox [--messages 10000] [--engine postgresql]

Workers are killed with SIGKILL at eight points of their code, each worker once at each, while the stand-in for the carrier
answers slowly, wrongly and not at all, the clock moves on and some patients opt out. Then every text must have been accepted
exactly once or have a reason why not, none before its time, in quiet hours or after an opt-out, each number's in their order.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, insert, select

from benchmarks import busy_clinic, machine
from benchmarks.carrier import REFUSED, Carrier, Taken
from benchmarks.report import report
from bot import worker as working
from bot.channels import sender
from bot.conversation import Turns
from bot.settings import Settings
from scheduling_core import messaging, sending
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Channel, Communication, Delivery, Direction, Task, new_id

COMMAND = "python -m benchmarks.outbox"
POINTS = (
    "claimed, not committed",
    "claimed",
    "before the carrier is asked",
    "after the carrier answered",
    "noted as sent, not committed",
    "noted as sent",
    "before the carrier is asked about a lost text",
    "found at the carrier, not committed",
)
MORNING, NOON = "2026-11-16T10:00:00-06:00", "2026-11-16T13:00:00-06:00"
_HAWAII, _HERE = "+18085", "+14145"  # where it is 6 in the morning, and 10
_IN_FLIGHT = 1.0  # seconds that a text may have been on its way when an opt-out was written


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=10_000)
    options.add_argument("--engine", choices=machine.ENGINES, action="append")
    chosen = options.parse_args()
    logging.disable(logging.ERROR)  # the workers tell each mishap of the stand-in
    for engine in chosen.engine or machine.ENGINES:
        _measure_throughput(engine)
        for workers in (2, 4):
            _measure_kills(engine, workers, chosen.messages)


def _measure_throughput(engine: str, messages: int = 600) -> None:
    with _house(engine, misbehaves=False) as (database, carrier, _):
        _fill(database, [_row(f"{_HERE}{number % 200:06}", f"text {number}") for number in range(messages)])
        stop = threading.Event()
        worker = _worker(database.url, carrier.url)
        loop = threading.Thread(target=worker.work_until, args=(stop,))
        begun = time.monotonic()
        loop.start()
        while len(carrier.taken()) < messages:
            time.sleep(0.1)
        a_second = messages / (time.monotonic() - begun)
        stop.set()
        loop.join()
        out_of_order = _out_of_order(carrier.taken())
    report(f"texts a second of one worker ({engine})", round(a_second, 1), "/s", ">= 40", a_second >= 40, COMMAND)
    report(f"texts out of their number's order ({engine})", out_of_order, "", "0", out_of_order == 0, COMMAND)


def _measure_kills(engine: str, workers: int, messages: int) -> None:
    with _house(engine, misbehaves=True) as (database, carrier, clock):
        rows = _rows(messages)
        _fill(database, rows)
        begun = time.monotonic()
        killed, opted_out = _run_workers(database, carrier, clock, workers, rows)
        seconds = time.monotonic() - begun
        mishaps = _mishaps(database, carrier.taken(), rows, opted_out)
    print(f"{engine}, {workers} workers, {messages} texts: {sum(killed.values())} kills in {seconds:.0f} s; {dict(mishaps)}")
    name = f"{messages} texts, {workers} workers ({engine})"
    everywhere = all(killed[point] >= workers for point in POINTS)
    report(f"kills: {name}", sum(killed.values()), "", f"{8 * workers}", everywhere, COMMAND)
    for wrong in (
        "lost",
        "sent twice",
        "without a reason",
        "before their time",
        "in quiet hours",
        "after an opt-out",
        "out of order",
    ):
        report(f"{wrong}: {name}", mishaps[wrong], "", "0", mishaps[wrong] == 0, COMMAND)


@contextmanager
def _house(engine: str, *, misbehaves: bool) -> Any:
    """A database with a clinic, the stand-in and the clock."""
    with tempfile.TemporaryDirectory() as folder, machine.database(engine) as database:
        clock = Path(folder) / "clock"
        _set(clock, MORNING)
        os.environ["FRONTDESK_CLOCK"] = str(clock)
        carrier = Carrier(clock, misbehaves=misbehaves)
        try:
            with database.transaction() as session:
                loading.load(session, _clinic(), agent="benchmark")
            yield database, carrier, clock
        finally:
            carrier.stop()
            del os.environ["FRONTDESK_CLOCK"]


def _clinic() -> ClinicFile:
    return busy_clinic.clinic(1)


def _set(clock: Path, instant: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(instant, encoding="utf-8")
    fresh.replace(clock)


def _rows(messages: int) -> list[dict[str, Any]]:
    """Half are what the clinic starts, one a number, of which some are due later and some go to a zone where it is night.

    Half are replies, three a number, some to numbers that the carrier refuses.
    """
    chance = random.Random(7)
    later = dt.datetime.fromisoformat(NOON) - dt.timedelta(hours=1)
    rows = []
    for number in range(messages // 2):
        phone = f"{_HAWAII if chance.random() < 0.1 else _HERE}{number:06}"
        rows.append(_row(phone, f"text {number}", kind=sending.AFTER_VISIT, due_at=later if chance.random() < 0.2 else None))
    for number in range(messages // 2, messages):
        of = number // 3
        rows.append(_row(f"{('+1414550', '+1414551')[of % 2]}{of:04}" if of % 50 < 2 else f"+14146{of:06}", f"text {number}"))
    return rows


def _row(phone: str, body: str, *, kind: str = "reply", due_at: dt.datetime | None = None) -> dict[str, Any]:
    return {
        "organization_id": "clinic",
        "id": new_id(),
        "channel": Channel.SMS,
        "direction": Direction.OUT,
        "phone": phone,
        "body": body,
        "author": "system",
        "status": Delivery.QUEUED,
        "kind": kind,
        "due_at": due_at,
        "created_at": dt.datetime.fromisoformat(MORNING),
    }


def _fill(database: Database, rows: list[dict[str, Any]]) -> None:
    with database.transaction() as session:
        session.execute(insert(Communication), rows)


def _run_workers(
    database: Database, carrier: Carrier, clock: Path, workers: int, rows: list[dict[str, Any]]
) -> tuple[Counter[str], dict[str, float]]:
    """Start workers anew as they are killed until nothing waits. How often each point killed one, and who opted out when."""
    chance = random.Random(3)
    to_die_at = [list(POINTS) for _ in range(workers)]
    running: dict[int, tuple[int, str | None]] = {}  # by process id: the place, and where it is to die
    killed: Counter[str] = Counter()
    opted_out: dict[str, float] = {}
    leaving = chance.sample(sorted({row["phone"] for row in rows}), k=len(rows) // 50)
    left, is_noon, ending = len(rows), False, False
    while True:
        if left == 0 and is_noon:
            ending = True
            for pid in running:
                os.kill(pid, signal.SIGTERM)
        for place in range(workers):
            if not ending and place not in (one for one, _ in running.values()):
                point = to_die_at[place][0] if to_die_at[place] else None
                database.dispose()
                running[_fork(database.url, carrier.url, point, chance.randrange(1, 12))] = place, point
        time.sleep(0.2)
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                place, point = running.pop(pid)
                if point and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                    killed[point] += 1
                    to_die_at[place].remove(point)
        if ending:
            if not running:
                return killed, opted_out
            continue
        if leaving:
            phone = leaving.pop()
            with database.transaction() as session:
                messaging.record_opt_out(session, phone, out=True, source="words")
            opted_out[phone] = time.time()
        with database.reading() as session:
            left = session.scalar(
                select(func.count()).where(Communication.status.in_((Delivery.QUEUED, Delivery.SENDING, Delivery.UNKNOWN)))
            )
        if not is_noon and left < len(rows) // 2:
            _set(clock, NOON)
            is_noon = True


def _fork(database_url: str, carrier_url: str, point: str | None, after: int) -> int:
    """A worker in a process of its own, which kills itself the `after`-th time that it comes to the point."""
    pid = os.fork()
    if pid:
        return pid
    try:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        if point:
            _die_at(point, after)
        worker = _worker(database_url, carrier_url)
        worker.work_until(stop)
        worker.close()
    finally:
        os._exit(0)


def _worker(database_url: str, carrier_url: str) -> working.Worker:
    """As in production, but in a hurry: shorter leases, and less patience with the carrier."""
    sender.SECONDS = 3.0
    working._LONGEST_SEND = 6.0
    working.LEASE_SECONDS = 15.0
    working.CARRIER_SHOWS_AFTER = 3.0
    settings = replace(Settings.from_env({"FRONTDESK_ENV": "test"}), twilio_api_url=carrier_url)
    # nothing comes in here that turns would be taken for
    return working.Worker(Database(database_url), sender.TwilioSender(settings), cast("Turns", None))


def _die_at(point: str, after: int) -> None:
    left = [after]

    def count() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(holder: Any, name: str, *, before: bool) -> None:
        kept: Callable[..., Any] = getattr(holder, name)

        def wrapped(*args: Any, **more: Any) -> Any:
            if before:
                count()
            answer = kept(*args, **more)
            if not before:
                count()
            return answer

        setattr(holder, name, wrapped)

    match point:
        case "claimed, not committed":
            around(messaging, "claim_due", before=False)
        case "claimed":
            around(working.Worker, "_send", before=True)
        case "before the carrier is asked":
            around(sender.TwilioSender, "send", before=True)
        case "after the carrier answered":
            around(sender.TwilioSender, "send", before=False)
        case "noted as sent, not committed":
            around(messaging, "mark_sent", before=False)
        case "noted as sent":
            around(working.Worker, "_send", before=False)
        case "before the carrier is asked about a lost text":
            left[0] = 1
            around(sender.TwilioSender, "find", before=True)
        case "found at the carrier, not committed":
            left[0] = 1
            around(messaging, "not_ours", before=False)


def _mishaps(database: Database, taken: list[Taken], rows: list[dict[str, Any]], opted_out: dict[str, float]) -> Counter[str]:
    with database.reading() as session:
        status = {row.body: row.status for row in session.execute(select(Communication.body, Communication.status))}
        reasons = set(session.scalars(select(Task.idempotency_key)))
    times_taken = Counter(one.body for one in taken)
    found: Counter[str] = Counter()
    for row in rows:
        count = times_taken[row["body"]]
        found["sent twice"] += count > 1
        match status[row["body"]]:
            case Delivery.SENT:
                found["accepted"] += 1
                found["lost"] += count == 0
            case Delivery.WITHHELD:
                found["withheld"] += 1
                found["without a reason"] += count > 0 or not (row["phone"] in opted_out or row["phone"].startswith("+1414551"))
            case Delivery.FAILED:
                found["failed"] += 1
                told = f"not-delivered:{row['id']}" in reasons or row["phone"].startswith("+1414551")
                found["without a reason"] += count > 0 or not told
            case _:
                found["lost"] += 1
    due = {row["body"]: row["due_at"] for row in rows}
    for one in taken:
        clock = dt.datetime.fromisoformat(one.clock)
        found["before their time"] += bool(due[one.body] and clock < due[one.body])
        found["in quiet hours"] += one.clock == MORNING and one.to.startswith(_HAWAII)
        found["after an opt-out"] += one.asked_at > opted_out.get(one.to, float("inf")) + _IN_FLIGHT
        found["to who is refused"] += any(one.to.startswith(start) for start in REFUSED)
    found["out of order"] = _out_of_order(taken)
    return found


def _out_of_order(taken: list[Taken]) -> int:
    by_number: dict[str, list[int]] = defaultdict(list)
    for one in taken:
        by_number[one.to].append(int(one.body.split()[1]))
    return sum(numbers != sorted(numbers) for numbers in by_number.values())


if __name__ == "__main__":
    main()
