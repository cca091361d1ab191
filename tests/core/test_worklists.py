"""What waits for the desk, and who does it."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from scheduling_core import (
    accounts,
    booking,
    dead_letters,
    handoff,
    messaging,
    patients,
    referrals,
    tasks,
    times,
    waitlist,
    waitlist_desk,
    worklists,
)
from scheduling_core.calendar.requests import Request
from scheduling_core.calendar.wishes import TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import NoTextsError, NotFoundError, WrongStateError
from scheduling_core.models import (
    AppointmentStatus,
    AuditEvent,
    Delivery,
    Priority,
    RequestCategory,
    Role,
    ServiceRequest,
    StaffAccount,
    Task,
    TaskStatus,
    new_id,
)
from scheduling_core.tasks import TakenTaskError
from scheduling_core.worklists import Show, Worklist
from tests.conftest import Clock
from tests.factories import make_conversation, make_free_time, make_patient


def _staff(session: Session, name: str) -> StaffAccount:
    return accounts.add_staff(session, email=f"{name}@x.example", name=name.title(), role=Role.SCHEDULER, agent="t")


def _task(session: Session, reason: str = "complaint", **more: Any) -> Task:
    return handoff.open_task(session, team=more.pop("team", "desk"), reason=reason, description="x", **more)


def _tasks(session: Session, worklist: Worklist, show: Show = Show()) -> list[str]:  # noqa: B008  # frozen
    rows, _ = worklists.tasks(session, worklist, show, agent="staff:nora")
    return [row.task.reason for row in rows]


def test_every_reason_stands_on_one_list_and_is_counted_there(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        for reason in ("complaint", "call-back", "late-cancellation", "not-delivered", "recall", "coverage-inactive", "plan"):
            _task(session, reason)
        _task(session, "good-faith-estimate", team="billing")
        _task(session, "something-new")
        assert worklists.counts(session, clinic) == {
            Worklist.CALLS: 3,
            Worklist.UNCONFIRMED: 0,
            Worklist.WAITLIST: 0,
            Worklist.DISPLACED: 1,
            Worklist.LATE: 1,
            Worklist.MESSAGES: 1,
            Worklist.RECALLS: 1,
            Worklist.REFERRALS: 0,
            Worklist.ELIGIBILITY: 1,
            Worklist.ESTIMATES: 1,
        }
        for worklist in Worklist:
            if worklist not in (Worklist.WAITLIST, Worklist.UNCONFIRMED, Worklist.REFERRALS):
                assert len(_tasks(session, worklist)) == worklists.counts(session, clinic)[worklist]
                assert all(worklists.list_of(reason) is worklist for reason in _tasks(session, worklist))


def test_all_lists_are_counted_with_one_statement(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.reading() as session:
        seen: list[str] = []
        event.listen(loaded.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        worklists.counts(session, clinic)
        assert len([one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))]) == 1


def test_the_most_urgent_stands_first_then_what_is_due_first(loaded: Database) -> None:
    with loaded.transaction() as session:
        now = times.now()
        _task(session, "b", due_at=now + dt.timedelta(days=2))
        _task(session, "c")
        _task(session, "a", due_at=now + dt.timedelta(days=1))
        _task(session, "red-flag", priority=Priority.STAT)
        assert _tasks(session, Worklist.CALLS) == ["red-flag", "a", "b", "c"]


def test_lists_are_narrowed_to_a_team_to_mine_and_to_what_nobody_has(loaded: Database) -> None:
    with loaded.transaction() as session:
        nora = _staff(session, "nora")
        mine = _task(session, "a")
        _task(session, "b", team="billing")
        tasks.take(session, task_id=mine.id, me=nora)
        assert _tasks(session, Worklist.CALLS, Show(team="billing")) == ["b"]
        assert _tasks(session, Worklist.CALLS, Show(owner_id=nora.id)) == ["a"]
        assert _tasks(session, Worklist.CALLS, Show(free=True)) == ["b"]


def test_a_list_is_read_in_pages_and_each_is_audited(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        for _ in range(worklists.PAGE + 3):
            _task(session, "a", patient_id=patient.id)
        first, more = worklists.tasks(session, Worklist.CALLS, Show(), agent="staff:nora")
        second, last = worklists.tasks(session, Worklist.CALLS, Show(page=1), agent="staff:nora")
        assert (len(first), more, len(second), last) == (worklists.PAGE, True, 3, False)
        session.flush()
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert (row.action, row.detail) == ("R", {"worklist": "calls", "patients": [patient.id]})


def test_what_belongs_to_a_conversation_that_staff_own_stands_in_the_inbox(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        talk = make_conversation(session)
        _task(session, "asked-for-person", conversation_id=talk.id)
        assert worklists.counts(session, clinic)[Worklist.CALLS] == 1
        handoff.take_over(session, conversation_id=talk.id, owner_name="Nora", agent="staff:nora")
        session.flush()
        assert worklists.counts(session, clinic)[Worklist.CALLS] == 0
        assert _tasks(session, Worklist.CALLS) == []


def test_two_clerks_never_both_take_one(loaded: Database) -> None:
    with loaded.transaction() as session:
        clerks = [_staff(session, f"clerk{number}") for number in range(6)]
        task_id = _task(session).id
    got: list[str] = []
    told: list[str] = []
    at_once = threading.Barrier(len(clerks))

    def take(me: StaffAccount) -> None:
        at_once.wait()
        try:
            with loaded.transaction() as session:
                tasks.take(session, task_id=task_id, me=me)
            got.append(me.name)
        except TakenTaskError as refused:
            told.append(refused.name)

    threads = [threading.Thread(target=take, args=(me,)) for me in clerks]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(got) == 1
    assert told == got * 5


def test_a_task_is_taken_from_a_colleague_only_by_who_saw_that_they_have_it(loaded: Database) -> None:
    with loaded.transaction() as session:
        nora, paul = _staff(session, "nora"), _staff(session, "paul")
        task = _task(session)
        tasks.take(session, task_id=task.id, me=nora)
        tasks.take(session, task_id=task.id, me=nora)
        with pytest.raises(TakenTaskError, match="Nora"):
            tasks.take(session, task_id=task.id, me=paul)
        assert tasks.take(session, task_id=task.id, me=paul, seen=nora.id).owner_name == "Paul"
        with pytest.raises(TakenTaskError):
            tasks.close(session, task_id=task.id, outcome="called", seen=nora.id, agent="staff:nora")
        with pytest.raises(TakenTaskError):
            tasks.snooze(session, task_id=task.id, until=times.now() + dt.timedelta(hours=1), seen=None, agent="staff:nora")


def test_a_task_goes_to_another_team_and_nobody_has_it_there(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        nora = _staff(session, "nora")
        task = tasks.take(session, task_id=_task(session).id, me=nora)
        moved = tasks.to_team(session, clinic, task_id=task.id, team="billing", seen=nora.id, agent="staff:nora")
        assert (moved.team, moved.owner_id, moved.status) == ("billing", None, TaskStatus.REQUESTED)
        with pytest.raises(NotFoundError):
            tasks.to_team(session, clinic, task_id=task.id, team="nobody", seen=None, agent="staff:nora")


def test_a_snoozed_task_sleeps_until_its_time(loaded: Database, clinic: ClinicFile, clock: Clock) -> None:
    with loaded.transaction() as session:
        task = _task(session)
        tasks.snooze(session, task_id=task.id, until=times.now() + dt.timedelta(hours=2), seen=None, agent="t")
        assert _tasks(session, Worklist.CALLS) == []
        assert _tasks(session, Worklist.CALLS, Show(asleep=True)) == ["complaint"]
        assert worklists.counts(session, clinic)[Worklist.CALLS] == 0
        with pytest.raises(WrongStateError):
            tasks.snooze(session, task_id=task.id, until=times.now(), seen=None, agent="t")
    clock.set("2026-11-16T11:30:00-06:00")
    with loaded.transaction() as session:
        assert _tasks(session, Worklist.CALLS) == ["complaint"]


def test_a_task_is_closed_with_what_came_of_it_once(loaded: Database) -> None:
    with loaded.transaction() as session:
        task = _task(session)
        tasks.close(session, task_id=task.id, outcome="  called,\n booked " + "x" * 1_000_000, seen=None, agent="staff:nora")
        assert (task.status, (task.outcome or "")[:16], len(task.outcome or "")) == (TaskStatus.COMPLETED, "called, booked x", 500)
        tasks.close(session, task_id=task.id, outcome="again", seen="somebody", agent="staff:nora")
        assert (task.outcome or "").startswith("called")
        with pytest.raises(WrongStateError):
            tasks.set_due(session, task_id=task.id, due_at=None, seen=None, agent="t")


def test_unconfirmed_visits_of_the_coming_days_are_listed_by_time(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        ids = []
        for start in ("2026-11-17T09:00", "2026-11-16T15:00", "2026-11-18T09:00", "2026-11-25T09:00"):
            patient = make_patient(session)
            visit = booking.book(
                session, clinic, patient_id=patient.id, time=make_free_time(clinic, start=start), agent="t", key=start
            )
            ids.append(visit.id)
        booking.confirm(session, appointment_id=ids[2], agent="t", key="confirmed")
        rows = worklists.unconfirmed(session, clinic, agent="staff:nora")
        assert [row.visit.id for row in rows] == [ids[1], ids[0]]
        assert [row.risk for row in rows] == [None, None]
        assert worklists.counts(session, clinic)[Worklist.UNCONFIRMED] == 2


def _join(session: Session, clinic: ClinicFile, patient_id: str, key: str, moving: str | None = None) -> str:
    request = Request(service_id="follow-up", patient_id=patient_id, moving=moving)
    return waitlist.join(session, clinic, request=request, wish=TimeWish(), agent="t", key=key).id


def test_who_waits_is_booked_from_the_list_once_and_the_place_ends(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        place_id = _join(session, clinic, patient.id, "k")
        [row] = worklists.waitlist(session, Show(), agent="t")[0]
        assert (row.place.id, row.offered, row.offers) == (place_id, None, 0)
        time = waitlist_desk.times_for(session, clinic, place_id=place_id)[0]
        visit = waitlist_desk.book_for(session, clinic, place_id=place_id, time=time, agent="staff:nora", key="b")
        again = waitlist_desk.book_for(session, clinic, place_id=place_id, time=time, agent="staff:nora", key="b")
        assert (visit.id, visit.status, visit.start) == (again.id, AppointmentStatus.BOOKED, time.start)
        assert worklists.waitlist(session, Show(), agent="t") == ([], False)
        assert waitlist.appointment(session, place_id).cancelled_reason == waitlist.FILLED
        with pytest.raises(WrongStateError):
            waitlist_desk.book_for(session, clinic, place_id=place_id, time=time, agent="staff:nora", key="other")


def test_who_waits_for_an_earlier_time_is_moved_to_it(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        late = make_free_time(clinic, start="2026-12-02T09:00")
        visit = booking.book(session, clinic, patient_id=patient.id, time=late, agent="t", key="v")
        place_id = _join(session, clinic, patient.id, "k", moving=visit.id)
        time = make_free_time(clinic, start="2026-11-18T09:00")
        moved = waitlist_desk.book_for(session, clinic, place_id=place_id, time=time, agent="t", key="b")
        assert (moved.id, moved.start) == (visit.id, time.start)


def test_referrals_that_are_new_or_late_wait_for_the_desk(loaded: Database, clinic: ClinicFile, clock: Clock) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        request = ServiceRequest(
            id=new_id(),
            patient_id=patient.id,
            service_id="cardiology",
            category=RequestCategory.REFERRAL_OUT,
            created_at=times.now(),
        )
        session.add(request)
        session.flush()
        one = referrals.begin(session, clinic, request, agent="t")
        assert [row.referral.id for row in worklists.referrals(session, Show(), agent="t")[0]] == [one.id]
        assert worklists.counts(session, clinic)[Worklist.REFERRALS] == 1
        one.status = referrals.ReferralStatus.SENT
        session.flush()
        assert worklists.referrals(session, Show(), agent="t") == ([], False)
        assert len(worklists.referrals(session, Show(), agent="t", everything=True)[0]) == 1


def _failed(session: Session, phone: str, patient_id: str | None) -> Task:
    message = messaging.queue(session, phone=phone, body="See you", author="system", kind="news", patient_id=patient_id)
    message.status, message.error, message.attempts = Delivery.FAILED, "30003", 4
    messaging.give_to_staff(session, message, reason="not-delivered")
    session.flush()
    return session.scalars(select(Task)).one()


def test_a_message_that_failed_goes_out_again_to_the_number_that_is_on_file_by_now(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        task = _failed(session, "+14145550142", patient.id)
        patients.update(session, patient_id=patient.id, phone="+14145550177", agent="t")
        [row] = worklists.tasks(session, Worklist.MESSAGES, Show(), agent="t")[0]
        assert row.message
        assert row.message.body == "See you"
        sent = dead_letters.send_again(session, communication_id=row.message.id, agent="staff:nora")
        assert (sent.status, sent.phone, sent.attempts, sent.error) == (Delivery.QUEUED, "+14145550177", 0, None)
        with pytest.raises(WrongStateError):
            dead_letters.send_again(session, communication_id=row.message.id, agent="staff:nora")
        [claimed] = messaging.claim_due(session, worker="w", limit=5, lease_seconds=5)
        assert claimed.id == row.message.id
        assert task.status is TaskStatus.REQUESTED


def test_nothing_goes_out_again_to_who_wants_no_texts(loaded: Database) -> None:
    with loaded.transaction() as session:
        _failed(session, "+14145550142", None)
        messaging.record_opt_out(session, "+14145550142", out=True, source="staff")
        [row] = worklists.tasks(session, Worklist.MESSAGES, Show(), agent="t")[0]
        assert row.message
        with pytest.raises(NoTextsError):
            dead_letters.send_again(session, communication_id=row.message.id, agent="staff:nora")
