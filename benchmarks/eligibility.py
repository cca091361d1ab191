"""Checks of insurance: how many a minute while workers are killed, and what the reader of answers does with noise.

python -m benchmarks.eligibility [--fuzz 1000000] [--checks 10000]
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import gc
import multiprocessing
import random
import threading
import time
from collections import Counter
from multiprocessing.process import BaseProcess

from sqlalchemy import func, insert, select

from benchmarks import busy_clinic, machine
from benchmarks.report import report
from bot import payer_simulator
from bot.clearinghouse import Asker, Clearinghouse
from bot.payer_simulator import Payer
from bot.settings import Settings
from scheduling_core import times
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile, PayerPart
from scheduling_core.db import Database
from scheduling_core.eligibility import checks
from scheduling_core.models import AuditEvent, CheckReason, CheckStatus, Coverage, CoverageStatus, EligibilityCheck, Patient, Sex
from scheduling_core.x12 import Inquiry, Person, X12Error, parse_271, write_270

COMMAND = "python -m benchmarks.eligibility"
WORKERS = 4
SENDER = checks.Sender("FRONTDESK", "CLEARINGHOUSE", False)
KILLS = 6  # one at each tenth of the work
LEASE = 30.0


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--fuzz", type=int, default=1_000_000)
    asked.add_argument("--checks", type=int, default=10_000)
    arguments = asked.parse_args()
    if arguments.fuzz:
        fuzz(arguments.fuzz)
    if arguments.checks:
        for engine in machine.ENGINES:
            with machine.database(engine) as database:
                work_off(engine, database, arguments.checks)


# noise


def fuzz(count: int) -> None:
    """Answers of the payer with mutations, read one after another. Times are of the processor: others use this machine too."""
    chance = random.Random(271)
    *texts, longest = _answers()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    gc.freeze()  # a sweep over all that is loaded here takes 100 ms itself
    for number in range(count):
        text = longest if number % 1000 == 0 else chance.choice(texts)
        noisy: str | bytes = _mutated(chance, text, texts)
        if number % 2:
            noisy = noisy.encode("utf-8", "surrogatepass")
        began = time.process_time()
        try:
            parse_271(noisy)
            outcomes["read"] += 1
        except X12Error:
            outcomes["refused"] += 1
        except Exception as error:  # what must never come
            outcomes[f"crash {type(error).__name__}"] += 1
        slowest = max(slowest, time.process_time() - began)
    crashes = count - outcomes["read"] - outcomes["refused"]
    print(f"{count} noisy answers: {dict(outcomes)}")
    report(f"Crashes over {count:,} noisy 271 answers", crashes, "", "0", crashes == 0, COMMAND)
    report("Slowest noisy 271 answer", round(slowest * 1000, 1), "ms", "100 or less", slowest <= 0.1, COMMAND)


def _answers() -> list[str]:
    """What the payer says to each of its members, and one answer as long as may be."""
    payer = Payer(pause=lambda seconds: None)
    asked = Inquiry(
        control_number=1,
        trace="fuzz",
        asked_at=dt.datetime(2026, 11, 16, 15, tzinfo=dt.UTC),
        on=dt.date(2026, 11, 20),
        sender="FRONTDESK",
        receiver="CLEARINGHOUSE",
        payer_name="Payer",
        payer_id="1",
        provider_name="Clinic",
        provider_npi="1234567893",
        provider_number="1",
        subscriber=Person("Novak", "Ruth", dt.date(1980, 4, 19), "F"),
        member_id="TEST0000001",
        dependent=None,
    )
    texts = []
    for number in (*range(1, 11), 42, 43, 71, 72, 75):
        for kind in ("30", "98", "62"):
            texts.append(payer.answer(write_270(dataclasses.replace(asked, member_id=f"TEST{number:07d}", service_type=kind))))
    head, lines = texts[0].split("EB*", 1)
    texts.append(head + ("EB*" + lines.split("~")[0] + "~") * 1500 + lines)
    return texts


_ODD = ("-1", "1E999", "9" * 40, "NaN", ".", "٣", "*" * 200, "~" * 50, "HL*9*9*23*0~")


def _mutated(chance: random.Random, text: str, texts: list[str]) -> str:
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) or 1)
        match chance.randrange(10):
            case 0:
                text = text[:at] + chr(chance.choice((0, 9, 10, 42, 94, 58, 126, 233, 0x661, 0xFEFF, 0x1F600))) + text[at + 1 :]
            case 1:
                text = text[:at] + text[at + chance.randrange(1, 40) :]
            case 2:
                text = text[:at]
            case 3:
                pieces = text.split("~")
                chance.shuffle(pieces)
                text = "~".join(pieces)
            case 4:
                pieces = text.split("~")
                pieces.insert(chance.randrange(len(pieces)), chance.choice(chance.choice(texts).split("~")))
                text = "~".join(pieces)
            case 5:
                text = text.replace(chance.choice("*~^:"), chance.choice("*~^:|\n A1"), chance.choice((1, -1)))
            case 6:
                text = text[:at] + chance.choice(_ODD) + text[at:]
            case 7:
                text = chance.choice(texts)[:at] + text[at:]
            case 8:
                text = text[:at] + "".join(chr(chance.randrange(32, 127)) for _ in range(chance.randrange(60))) + text[at:]
            case _:
                text = text.replace("EB*", chance.choice(("EB**", "HL*", "EB*C*IND*30***29*abc~EB*", "MSG*", "ST*271*")), 1)
    return text


# workers


def work_off(engine: str, database: Database, count: int) -> None:
    """Checks asked by four workers, one of which is killed every few seconds and replaced."""
    _fill(database, count)
    payer = Payer()
    url = payer_simulator.serve_beside(payer)
    spawn = multiprocessing.get_context("spawn")

    def start(number: int) -> BaseProcess:
        process = spawn.Process(target=_worker, args=(database.url, url, number), daemon=True)
        process.start()
        return process

    began = time.perf_counter()
    workers = [start(number) for number in range(WORKERS)]
    killed = 0
    while left := _open(database):
        time.sleep(0.25)
        if killed < KILLS and left < count - (killed + 1) * count // 10:
            victim = workers[killed % WORKERS]
            victim.kill()
            victim.join()
            workers[killed % WORKERS] = start(WORKERS + killed)
            killed += 1
        if time.perf_counter() - began > 600:
            break
    took = time.perf_counter() - began
    for process in workers:
        process.terminate()
    with database.reading() as session:
        states = Counter(session.scalars(select(EligibilityCheck.status)))
        taken_over = session.scalar(select(func.count()).where(EligibilityCheck.attempts > 1)) or 0
    lost = count - states[CheckStatus.ANSWERED]
    again = sum(times_asked - 1 for times_asked in payer.asked.values())
    kept_twice = _answered_twice(database)
    told = f"{killed} workers killed, {taken_over} checks taken over, {again} questions asked again"
    print(f"{engine}: {took:.1f} s, {told}, {dict(states)}")
    report(f"{count:,} eligibility checks by {WORKERS} workers, {engine}", round(took, 1), "s", "120 or less", took <= 120, COMMAND)
    report(f"Checks lost while workers were killed, {engine}", lost, "", "0", lost == 0, COMMAND)
    report(f"Checks done twice while workers were killed, {engine}", kept_twice, "", "0", kept_twice == 0, COMMAND)


def _worker(url: str, payer_url: str, number: int) -> None:
    settings = Settings.from_env({"FRONTDESK_ENV": "test"})
    database = Database(url)
    asker = Asker(database, Clearinghouse(settings, url=payer_url), SENDER, f"worker-{number}", lease_seconds=LEASE)
    asker.work_until(threading.Event())


def _open(database: Database) -> int:
    with database.reading() as session:
        waiting = select(func.count()).select_from(EligibilityCheck).where(EligibilityCheck.status.in_(checks.WAITING))
        return session.scalar(waiting) or 0


def _answered_twice(database: Database) -> int:
    """Checks with more than one audit row that says that they were answered."""
    with database.reading() as session:
        answered = (
            select(AuditEvent.entity_id)
            .where(AuditEvent.entity == "CoverageEligibilityResponse", AuditEvent.action == "C")
            .group_by(AuditEvent.entity_id)
            .having(func.count() > 1)
        )
        return len(session.scalars(answered).all())


def _fill(database: Database, count: int) -> None:
    clinic = busy_clinic.clinic()
    payer = PayerPart(id="payer", name="The Payer", payer_id="70001")
    with database.transaction() as session:
        loading.load(session, ClinicFile.model_validate(clinic.model_dump(by_alias=True) | {"payers": [payer]}), agent="benchmark")
    now = times.now()
    organization = database.organization
    people, covers, asked = [], [], []
    for number in range(count):
        common = {"organization_id": organization, "created_at": now}
        people.append(
            common
            | {
                "id": f"p{number}",
                "given": "Ruth",
                "family": f"Novak {number}",
                "birth_date": dt.date(1980, 4, 19),
                "sex": Sex.FEMALE,
                "needs": [],
                "new": False,
                "active": True,
                "updated_at": now,
            }
        )
        covers.append(
            common
            | {
                "id": f"c{number}",
                "patient_id": f"p{number}",
                "status": CoverageStatus.ACTIVE,
                "payer_id": "payer",
                "payer_name": "The Payer",
                "subscriber_id": f"MEMBER{number:07d}",
                "relationship": "self",
                "rank": 1,
                "self_pay": False,
                "updated_at": now,
            }
        )
        asked.append(
            common
            | {
                "id": f"{number:032x}",
                "patient_id": f"p{number}",
                "coverage_id": f"c{number}",
                "service_type": "30",
                "reason": CheckReason.GIVEN,
                "status": CheckStatus.QUEUED,
                "on_date": now.date(),
                "requested_by": "benchmark",
                "attempts": 0,
                "worker_until": 0.0,
                "retry_at": 0.0,
            }
        )
    with database.transaction() as session:
        for table, rows in ((Patient, people), (Coverage, covers), (EligibilityCheck, asked)):
            session.execute(insert(table), rows)


if __name__ == "__main__":
    main()
