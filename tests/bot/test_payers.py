"""Asking payers over HTTP: the embedded payer, the envelopes, and the workers that claim checks."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from bot import core_envelope, payer_simulator
from bot.clearinghouse import Asker, Clearinghouse, ClearinghouseError
from bot.payer_simulator import Payer
from bot.settings import Envelope, Environment, Settings
from scheduling_core import coverage
from scheduling_core.db import Database
from scheduling_core.eligibility import answers, checks
from scheduling_core.models import CheckStatus, Coverage, EligibilityCheck, Task
from scheduling_core.x12 import parse_271, write_270
from tests.core.x12.inquiries import SELF
from tests.factories import make_patient

SENDER = checks.Sender("FRONTDESK", "CLEARINGHOUSE", False)
INQUIRY = replace(SELF, trace="trace-1", member_id="TEST0000001")


@pytest.fixture(scope="module")
def payer() -> Payer:
    return Payer()


@pytest.fixture(scope="module")
def payer_url(payer: Payer) -> str:
    return payer_simulator.serve_beside(payer)


@pytest.fixture
def settings(payer_url: str) -> Settings:
    found = Settings.from_env({"FRONTDESK_ENV": "test"})
    return replace(found, clearinghouse_url=payer_url)


@pytest.fixture
def clearinghouse(settings: Settings, payer_url: str) -> Iterator[Clearinghouse]:
    made = Clearinghouse(settings, url=payer_url, timeout=5.0)
    yield made
    made.close()


@pytest.fixture
def asker(loaded: Database, clearinghouse: Clearinghouse) -> Asker:
    return Asker(loaded, clearinghouse, SENDER, "test-worker")


def give_coverage(database: Database, member_id: str, **more: object) -> tuple[str, str]:
    """A patient with a coverage that is to be checked; ids of the coverage and of its check."""
    with database.transaction() as session:
        ruth = make_patient(session)
        given = coverage.record(
            session,
            patient_id=ruth.id,
            payer_id="greatlakes",
            payer_name="Great Lakes Mutual",
            subscriber_id=member_id,
            agent="t",
            **more,
        )
        check = session.scalars(select(EligibilityCheck).where(EligibilityCheck.coverage_id == given.id)).one()
    return given.id, check.id


def settle(asker: Asker) -> None:
    for _ in range(20):
        if not asker.step():
            return
    raise AssertionError("the checks do not settle")


def find(database: Database, check_id: str) -> EligibilityCheck:
    with database.reading() as session:
        return session.scalars(select(EligibilityCheck).where(EligibilityCheck.id == check_id)).one()


@pytest.mark.parametrize("kind", list(Envelope))
def test_an_inquiry_is_answered_in_every_envelope(settings: Settings, payer_url: str, kind: Envelope) -> None:
    told = replace(settings, clearinghouse_envelope=kind, clearinghouse_user="us", clearinghouse_password="s<e&c")
    clearinghouse = Clearinghouse(told, url=payer_url)
    member = parse_271(clearinghouse.ask(write_270(INQUIRY))).members[0]
    clearinghouse.close()
    assert (member.subscriber.name, member.traces) == ("NOVAK", ("TRACE-1",))


def test_an_envelope_that_declares_entities_is_not_opened() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'
    with pytest.raises(core_envelope.EnvelopeError):
        core_envelope.unwrap("application/soap+xml", bomb)


def test_a_coverage_that_is_given_is_checked(loaded: Database, asker: Asker) -> None:
    _, check_id = give_coverage(loaded, "TEST0000001")
    settle(asker)
    check = find(loaded, check_id)
    assert (check.status, check.in_force, check.attempts) == (CheckStatus.ANSWERED, True, 1)
    assert check.answered_at is not None


@pytest.mark.parametrize(
    ("member_id", "status", "error", "reason"),
    [
        ("TEST0000003", CheckStatus.ANSWERED, None, "coverage-inactive"),
        ("TEST0000043", CheckStatus.REJECTED, "43", "coverage-rejected"),
        ("TEST0000005", CheckStatus.REJECTED, "71", "coverage-rejected"),
        ("TEST0000072", CheckStatus.REJECTED, "72", "coverage-rejected"),
        ("TEST0000075", CheckStatus.REJECTED, "75", "coverage-rejected"),
    ],
)
def test_what_billing_has_to_settle_becomes_a_task(
    loaded: Database, asker: Asker, member_id: str, status: CheckStatus, error: str | None, reason: str
) -> None:
    _, check_id = give_coverage(loaded, member_id)
    settle(asker)
    check = find(loaded, check_id)
    assert (check.status, check.error) == (status, error)
    with loaded.reading() as session:
        (task,) = session.scalars(select(Task))
    assert (task.team, task.reason) == ("billing", reason)
    assert task.description.endswith(".")


@pytest.mark.parametrize(
    ("member_id", "error"), [("TEST0000042", "42"), ("TEST0000008", "unreadable-0"), ("TEST0000009", "unreadable-")]
)
def test_what_may_pass_is_tried_again_later(loaded: Database, asker: Asker, member_id: str, error: str) -> None:
    _, check_id = give_coverage(loaded, member_id)
    settle(asker)
    check = find(loaded, check_id)
    assert check.status is CheckStatus.QUEUED
    assert check.error is not None
    assert check.error.startswith(error)
    assert check.retry_at > time.time()


def test_after_the_last_attempt_staff_are_told(loaded: Database, asker: Asker) -> None:
    _, check_id = give_coverage(loaded, "TEST0000008")
    for _ in range(checks.ATTEMPTS):
        with loaded.transaction() as session:
            session.scalars(select(EligibilityCheck)).one().retry_at = 0.0
        settle(asker)
    assert find(loaded, check_id).status is CheckStatus.FAILED
    with loaded.reading() as session:
        assert [task.reason for task in session.scalars(select(Task))] == ["coverage-unanswered"]


def test_a_dependent_is_found_by_name_and_birth_date(loaded: Database, asker: Asker) -> None:
    fields = coverage.Subscriber("Sam", "Fields", dt.date(1985, 1, 2))
    with loaded.transaction() as session:
        for given, born in (("Noa", "2016-05-04"), ("Mia", "2018-01-01")):
            child = make_patient(session, given=given, family="Fields", birth_date=born)
            coverage.record(
                session,
                patient_id=child.id,
                payer_id="greatlakes",
                payer_name="Great Lakes Mutual",
                subscriber_id="TEST0000006",
                relationship="child",
                subscriber=fields,
                agent="t",
            )
    settle(asker)
    with loaded.reading() as session:
        found = session.scalars(select(EligibilityCheck).order_by(EligibilityCheck.created_at, EligibilityCheck.id)).all()
        assert sorted((check.status, check.error) for check in found) == [("answered", None), ("rejected", "67")]


def test_a_killed_workers_check_is_taken_over_and_its_late_answer_is_not_kept(
    loaded: Database, clearinghouse: Clearinghouse
) -> None:
    _, check_id = give_coverage(loaded, "TEST0000001")
    with loaded.transaction() as session:
        (lost,) = checks.claim(session, worker="killed", limit=5, lease_seconds=-1.0)
    settle(Asker(loaded, clearinghouse, SENDER, "other"))
    assert find(loaded, check_id).worker == "other"
    with loaded.transaction() as session:
        assert checks.keep_answer(session, lost, "late") is None
    assert find(loaded, check_id).status is CheckStatus.ANSWERED


def test_two_workers_never_claim_the_same_check(loaded: Database) -> None:
    for number in range(30):
        give_coverage(loaded, f"M{number}")
    claimed: list[str] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while True:
            with loaded.transaction() as session:
                found = checks.claim(session, worker=name, limit=4, lease_seconds=60.0)
            if not found:
                return
            with lock:
                claimed.extend(check.id for check in found)

    several = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert len(claimed) == len(set(claimed)) == 30


def test_a_check_of_a_coverage_that_has_ended_asks_nobody(loaded: Database, asker: Asker, payer: Payer) -> None:
    coverage_id, check_id = give_coverage(loaded, "TEST0000001")
    with loaded.transaction() as session:
        patient_id = session.scalars(select(Coverage.patient_id).where(Coverage.id == coverage_id)).one()
        coverage.record_self_pay(session, patient_id=patient_id, agent="t")
    settle(asker)
    assert find(loaded, check_id).status is CheckStatus.CANCELLED
    assert payer.asked[check_id.upper()] == 0


def test_a_booking_waits_no_longer_than_it_may(loaded: Database) -> None:
    _, check_id = give_coverage(loaded, "TEST0000001")
    began = time.monotonic()
    assert answers.wait(loaded, check_id, seconds=0.3) is None
    assert 0.25 < time.monotonic() - began < 1.5


class _Dripping(BaseHTTPRequestHandler):
    """A payer that sends a byte now and then, so that no single read times out."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            time.sleep(0.1)
            try:
                self.wfile.write(b"I")
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        pass


def test_an_answer_that_drips_in_is_given_up_in_time(settings: Settings) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Dripping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    clearinghouse = Clearinghouse(settings, url=f"http://127.0.0.1:{server.server_port}/", timeout=0.5)
    began = time.monotonic()
    with pytest.raises(ClearinghouseError) as told:
        clearinghouse.ask("ISA")
    assert told.value.code == "timeout"
    assert time.monotonic() - began < 3
    clearinghouse.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("url", "code"), [("http://127.0.0.1:9/", "connection-ConnectError")])
def test_no_connection_is_no_answer(settings: Settings, url: str, code: str) -> None:
    clearinghouse = Clearinghouse(settings, url=url, timeout=1.0)
    with pytest.raises(ClearinghouseError) as told:
        clearinghouse.ask("ISA")
    assert (told.value.code, told.value.permanent) == (code, False)
    clearinghouse.close()


def test_a_refusal_of_our_text_is_not_repeated(clearinghouse: Clearinghouse) -> None:
    with pytest.raises(ClearinghouseError) as told:
        clearinghouse.ask("this is no inquiry")
    assert told.value.permanent


def test_production_without_an_address_asks_nobody(loaded: Database) -> None:
    from bot import clearinghouse

    demo = Settings.from_env({"FRONTDESK_ENV": "test"})
    assert clearinghouse.start(replace(demo, env=Environment.PRODUCTION), loaded, "w", threading.Event()) is None


def test_without_an_address_the_embedded_payer_is_asked(sqlite_loaded: Database) -> None:
    from bot import clearinghouse

    _, check_id = give_coverage(sqlite_loaded, "TEST0000002")
    stop = threading.Event()
    thread = clearinghouse.start(Settings.from_env({"FRONTDESK_ENV": "test"}), sqlite_loaded, "w", stop)
    assert thread is not None
    check = answers.wait(sqlite_loaded, check_id, seconds=20.0)
    stop.set()
    thread.join(30)
    assert check is not None
    assert check.in_force
