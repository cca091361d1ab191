"""What staff do with conversations, and where they then stand."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from sqlalchemy import select

from scheduling_core import accounts, canned_replies, glass, handoff, inbox, inbox_queues, messaging, times, transcript
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import (
    HeldByOtherError,
    NoTextsError,
    NotFoundError,
    QuietHoursError,
    UnfitTextError,
    WrittenSinceError,
    WrongStateError,
)
from scheduling_core.inbox import AtNight, Clerk
from scheduling_core.inbox_queues import Queue, State
from scheduling_core.models import (
    AuditEvent,
    Channel,
    Communication,
    Conversation,
    Delivery,
    Direction,
    LineKind,
    Owner,
    Priority,
    StaffAccount,
    TaskStatus,
    new_id,
)
from scheduling_core.transcript import Speaker
from tests.conftest import Clock
from tests.factories import make_clerk, make_conversation, make_message, make_patient


def hand_over(session, conversation: Conversation) -> None:
    handoff.take_over(
        session, conversation_id=conversation.id, owner_name="desk", team="desk", agent=f"assistant:{conversation.id}"
    )


def ids(session, queue: Queue, clerk: Clerk | None = None) -> list[str]:
    return [row.id for row in inbox_queues.rows(session, queue, staff_id=clerk.staff_id if clerk else "")]


# taking


def test_a_claimed_conversation_is_the_clerks_and_the_assistant_is_silent_in_it(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
    with loaded.reading() as session:
        (row,) = inbox_queues.rows(session, Queue.MINE, staff_id=nora.staff_id)
        assert (row.state, row.owner_name, row.assignee_id) == (State.ASSIGNED, "Nora Ellis", nora.staff_id)
        assert session.scalars(select(Conversation.owner)).one() is Owner.STAFF
        assert ids(session, Queue.UNASSIGNED) == []
        (line,) = transcript.lines(session, conversation.id)
        assert (line.speaker, line.done, line.author) == (Speaker.SYSTEM, LineKind.TAKEN_OVER, "Nora Ellis")
        changed = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Conversation")).one()
        assert (changed.agent, changed.detail["assignee"]) == (nora.agent, nora.staff_id)


def test_of_two_clerks_the_second_is_told_who_has_it(loaded: Database):
    with loaded.transaction() as session:
        nora, omar = make_clerk(session), make_clerk(session, name="Omar Diaz")
        conversation = make_conversation(session)
        hand_over(session, conversation)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
    with loaded.transaction() as session:
        with pytest.raises(HeldByOtherError) as refusal:
            inbox.claim(session, conversation_id=conversation.id, clerk=omar)
        assert refusal.value.name == "Nora Ellis"
        with pytest.raises(HeldByOtherError):
            inbox.reply(session, None, conversation_id=conversation.id, clerk=omar, body="Hi", at_night=AtNight.SEND)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)  # a second click
        assert len(transcript.lines(session, conversation.id)) == 2


def test_many_clerks_who_claim_at_once_are_one_owner(loaded: Database):
    with loaded.transaction() as session:
        clerks = [make_clerk(session, name=f"Clerk {number}") for number in range(8)]
        conversation = make_conversation(session)
        hand_over(session, conversation)
    won: list[Clerk] = []
    lost: list[str] = []
    ready = threading.Barrier(len(clerks))

    def race(clerk: Clerk) -> None:
        ready.wait()
        try:
            with loaded.transaction() as session:
                inbox.claim(session, conversation_id=conversation.id, clerk=clerk)
            won.append(clerk)
        except HeldByOtherError as refusal:
            lost.append(refusal.name)

    threads = [threading.Thread(target=race, args=(clerk,)) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert lost == [won[0].name] * 7


def test_a_colleagues_conversation_is_taken_by_who_saw_that_it_is_theirs(loaded: Database):
    with loaded.transaction() as session:
        nora, omar = make_clerk(session), make_clerk(session, name="Omar Diaz")
        conversation = make_conversation(session)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
        inbox.claim(session, conversation_id=conversation.id, clerk=omar, seen=nora.staff_id)
        assert ids(session, Queue.MINE, omar) == [conversation.id]
        with pytest.raises(HeldByOtherError):
            inbox.claim(session, conversation_id=conversation.id, clerk=nora, seen=None)


def test_what_is_assigned_to_a_team_waits_for_somebody_of_it(loaded: Database, clinic: ClinicFile):
    with loaded.transaction() as session:
        nora, omar = make_clerk(session), make_clerk(session, name="Omar Diaz")
        conversation = make_conversation(session)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
        inbox.assign_to_team(
            session, clinic, conversation_id=conversation.id, clerk=nora, team=clinic.handoff.teams[-1], seen=nora.staff_id
        )
        assert ids(session, Queue.UNASSIGNED) == [conversation.id]
        found = inbox_queues.rows(session, Queue.UNASSIGNED, staff_id="", team=clinic.handoff.teams[-1])
        assert [row.owner_name for row in found] == [clinic.handoff.teams[-1]]
        assert inbox_queues.rows(session, Queue.UNASSIGNED, staff_id="", team="nobody") == []
        with pytest.raises(NotFoundError):
            inbox.assign_to_team(session, clinic, conversation_id=conversation.id, clerk=nora, team="nobody", seen=None)
        inbox.assign_to_person(session, conversation_id=conversation.id, clerk=nora, staff_id=omar.staff_id, seen=None)
        assert ids(session, Queue.MINE, omar) == [conversation.id]


def test_nothing_is_assigned_to_who_has_left(loaded: Database):
    with loaded.transaction() as session:
        nora, gone = make_clerk(session), make_clerk(session, name="Gone")
        session.get_one(StaffAccount, (session.info["organization"], gone.staff_id)).active = False
        conversation = make_conversation(session)
        with pytest.raises(NotFoundError):
            inbox.assign_to_person(session, conversation_id=conversation.id, clerk=nora, staff_id=gone.staff_id, seen=None)


def test_another_clinics_conversation_is_not_there(loaded: Database):
    with loaded.transaction() as session:
        conversation = make_conversation(session)
    other = Database(loaded.engine.url.render_as_string(hide_password=False), organization="elsewhere")
    with other.transaction() as session:
        nora = make_clerk(session)
        for act in (inbox.claim, inbox.give_back, inbox.resolve):
            with pytest.raises(NotFoundError):
                act(session, conversation_id=conversation.id, clerk=nora)
        assert inbox_queues.rows_of(session, [conversation.id]) == []
        assert ids(session, Queue.ALL) == []
    other.dispose()


# queues


def test_danger_comes_first_then_who_waits_longest(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        first, second, urgent, calm = [make_conversation(session, phone=f"+1414555200{n}") for n in range(4)]
        hand_over(session, first)
    clock.set("2026-11-16T09:20:00-06:00")
    with loaded.transaction() as session:
        hand_over(session, second)
        handoff.open_task(
            session,
            team="clinical",
            reason="red-flag",
            description="...",
            priority=Priority.STAT,
            conversation_id=urgent.id,
        )
        handoff.open_task(session, team="desk", reason="call-back", description="...", conversation_id=calm.id)
    with loaded.reading() as session:
        assert ids(session, Queue.UNASSIGNED) == [urgent.id, first.id, second.id]
        assert ids(session, Queue.ALL) == [urgent.id, first.id, second.id, calm.id]
        shown = {row.id: row for row in inbox_queues.rows(session, Queue.ALL, staff_id="")}
        assert shown[urgent.id].is_red_flag
        assert shown[urgent.id].reason == "red-flag"
        assert shown[calm.id].state is State.ASSISTANT
        assert sorted(shown.values(), key=lambda row: row.order) == list(shown.values())
        assert inbox_queues.counts(session) == inbox_queues.Counts(unassigned=3, all=4, snoozed=0, mine={})


def test_a_text_that_the_assistant_could_not_answer_is_a_matter_for_people(loaded: Database):
    with loaded.transaction() as session:
        conversation = make_conversation(session)
        handoff.open_task(session, team="desk", reason="dialogue-down", description="...", conversation_id=conversation.id)
        (row,) = inbox_queues.rows(session, Queue.UNASSIGNED, staff_id="")
        assert (row.urgency, row.reason, row.is_red_flag) == (None, "dialogue-down", False)


def test_talk_that_is_long_over_is_not_shown(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        make_conversation(session)
        kept = make_conversation(session, phone="+14145552001")
        hand_over(session, kept)
    clock.set("2026-11-17T09:10:00-06:00")
    with loaded.reading() as session:
        assert ids(session, Queue.ALL) == [kept.id]


def test_a_row_names_who_proved_it_and_says_so_of_who_is_on_file(loaded: Database):
    with loaded.transaction() as session:
        ruth = make_patient(session, phone="+14145552001")
        for given in ("Ann", "Ben"):
            make_patient(session, given=given, phone="+14145552003")
        on_file = make_conversation(session, phone="+14145552001")
        proved = make_conversation(session, phone="+14145552002")
        shared = make_conversation(session, phone="+14145552003")
        proved.patient_id = ruth.id
    with loaded.reading() as session:
        shown = {row.id: (row.who, row.verified) for row in inbox_queues.rows(session, Queue.ALL, staff_id="")}
        assert shown == {on_file.id: ("Ruth Novak", False), proved.id: ("Ruth Novak", True), shared.id: (None, False)}


def test_a_restricted_record_shows_initials_and_no_words_until_its_glass_is_broken(loaded: Database):
    with loaded.transaction() as session:
        ruth = make_patient(session, phone="+14145552001")
        ruth.restricted = True
        on_file, proved = make_conversation(session, phone="+14145552001"), make_conversation(session, phone="+14145552002")
        proved.patient_id = ruth.id
        for conversation in (on_file, proved):
            make_message(session, conversation, "It is about the biopsy")
        nora = accounts.get(session, make_clerk(session).staff_id)
        glass.break_it(session, nora, ruth, reason="She called about her visit")
    with loaded.reading() as session:
        for row in (*inbox_queues.rows(session, Queue.ALL, staff_id="another"), *inbox_queues.rows_of(session, [proved.id])):
            assert (row.who, row.words, row.restricted) == ("R. N.", "", True)
        for row in inbox_queues.rows(session, Queue.ALL, staff_id=nora.id):
            assert (row.who, row.words, row.restricted) == ("Ruth Novak", "It is about the biopsy", False)


def test_a_snoozed_conversation_comes_back_in_time_or_when_the_patient_writes(loaded: Database, clock: Clock):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        one, other = make_conversation(session), make_conversation(session, phone="+14145552002")
        for conversation in (one, other):
            inbox.claim(session, conversation_id=conversation.id, clerk=nora)
            inbox.snooze(session, conversation_id=conversation.id, clerk=nora, until=times.now() + dt.timedelta(hours=1))
        assert ids(session, Queue.MINE, nora) == []
        assert set(ids(session, Queue.SNOOZED)) == {one.id, other.id}
        inbox.note_patients_words(session, other.id)
        assert ids(session, Queue.MINE, nora) == [other.id]
        with pytest.raises(WrongStateError):
            inbox.snooze(session, conversation_id=one.id, clerk=nora, until=times.now())
    clock.set("2026-11-16T10:11:00-06:00")
    with loaded.reading() as session:
        assert set(ids(session, Queue.MINE, nora)) == {one.id, other.id}
        assert inbox_queues.count_waiting(session, nora.staff_id) == 2


def test_a_clerk_wakes_what_sleeps(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
        inbox.snooze(session, conversation_id=conversation.id, clerk=nora, until=times.now() + dt.timedelta(days=1))
        inbox.wake(session, conversation_id=conversation.id, clerk=nora)
        assert ids(session, Queue.MINE, nora) == [conversation.id]


# answering


def test_an_answer_waits_to_be_sent_and_nobody_waits_any_more(loaded: Database, clinic: ClinicFile):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        hand_over(session, conversation)
        sent = inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="I’ll look …", key="k1")
        again = inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="I’ll look …", key="k1")
        assert sent.id == again.id
        assert (sent.status, sent.body, sent.author, sent.kind) == (Delivery.QUEUED, "I'll look ...", "Nora Ellis", "staff")
        (row,) = inbox_queues.rows(session, Queue.MINE, staff_id=nora.staff_id)
        assert (row.waiting_since, row.words_by, row.state) == (None, "Nora Ellis", State.ASSIGNED)


def test_a_caller_is_answered_by_text(loaded: Database, clinic: ClinicFile):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        call, hidden = (
            make_conversation(session, channel=Channel.VOICE),
            make_conversation(session, channel=Channel.VOICE, phone="anonymous"),
        )
        sent = inbox.reply(session, clinic, conversation_id=call.id, clerk=nora, body="We called back.")
        assert (sent.channel, sent.phone) == (Channel.SMS, call.phone)
        with pytest.raises(NoTextsError):
            inbox.reply(session, clinic, conversation_id=hidden.id, clerk=nora, body="We called back.")


def test_nothing_is_written_to_who_wants_no_texts(loaded: Database, clinic: ClinicFile):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        messaging.record_opt_out(session, conversation.phone, out=True, source="keyword")
        with pytest.raises(NoTextsError):
            inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="Hello")
        assert session.scalars(select(Communication)).all() == []


def test_at_night_a_clerk_decides_whether_an_answer_waits_for_the_morning(loaded: Database, clinic: ClinicFile, clock: Clock):
    clock.set("2026-11-16T23:30:00-06:00")
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        hand_over(session, conversation)
        with pytest.raises(QuietHoursError) as night:
            inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="Hello")
        waits = inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="Hello", at_night=AtNight.WAIT)
        goes = inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="Hi", at_night=AtNight.SEND)
        assert (waits.due_at, goes.due_at) == (night.value.until, None)
        make_message(session, conversation, "are you there?")
        awake = inbox.reply(session, clinic, conversation_id=conversation.id, clerk=nora, body="Yes")
        assert awake.due_at is None


@pytest.mark.parametrize("body", ["", " \n ", "x" * 1601])
def test_a_text_has_words_and_an_end(loaded: Database, clinic: ClinicFile, body: str):
    with loaded.transaction() as session, pytest.raises(UnfitTextError):
        inbox.reply(session, clinic, conversation_id=make_conversation(session).id, clerk=make_clerk(session), body=body)


def test_notes_stand_where_they_were_written_and_are_never_sent(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        make_message(session, conversation, "hello")
        inbox.add_note(session, conversation_id=conversation.id, clerk=nora, body="<b>Prefers mornings</b>")
        make_message(session, conversation, "are you there?")
        shown = [(line.speaker, line.body) for line in transcript.lines(session, conversation.id)]
        assert shown == [
            (Speaker.PATIENT, "hello"),
            (Speaker.NOTE, "<b>Prefers mornings</b>"),
            (Speaker.PATIENT, "are you there?"),
        ]
        assert messaging.claim_due(session, worker="w", limit=9, lease_seconds=9) == []
        with pytest.raises(UnfitTextError):
            inbox.add_note(session, conversation_id=conversation.id, clerk=nora, body="x" * 1_000_000)


# ending


def test_what_is_given_back_starts_afresh_and_its_urgent_tasks_are_done(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        hand_over(session, conversation)
        urgent, other = [
            handoff.open_task(
                session, team=team, reason=reason, description="...", priority=priority, conversation_id=conversation.id
            )
            for team, reason, priority in (
                ("desk", "asked-for-person", Priority.ROUTINE),
                ("billing", "billing-question", Priority.ROUTINE),
            )
        ]
        fresh = inbox.give_back(session, conversation_id=conversation.id, clerk=nora)
        assert fresh is not None
        assert (urgent.status, other.status) == (TaskStatus.COMPLETED, TaskStatus.REQUESTED)
        assert ids(session, Queue.RESOLVED) == [conversation.id]
        assert ids(session, Queue.ALL) == [fresh.id]
        done = [line.done for line in transcript.lines(session, conversation.id)]
        assert done == [LineKind.TAKEN_OVER, LineKind.TASK_DONE, LineKind.GIVEN_BACK]
        assert [episode.id for episode in transcript.episodes(session, conversation)] == [fresh.id]


def test_nothing_is_closed_that_its_clerk_has_not_read(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        seen = make_message(session, conversation, "hello").sequence
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
        later = make_message(session, conversation, "one more thing").sequence
        for act in (inbox.give_back, inbox.resolve):
            with pytest.raises(WrittenSinceError):
                act(session, conversation_id=conversation.id, clerk=nora, seen=seen)
        inbox.resolve(session, conversation_id=conversation.id, clerk=nora, seen=later)
        assert ids(session, Queue.RESOLVED) == [conversation.id]
        with pytest.raises(WrongStateError):
            inbox.resolve(session, conversation_id=conversation.id, clerk=nora)
        with pytest.raises(WrongStateError):
            inbox.claim(session, conversation_id=conversation.id, clerk=nora)


def test_resolving_what_the_assistant_has_finishes_its_task_and_lets_the_talk_go_on(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        task = handoff.open_task(
            session, team="clinical", reason="red-flag", description="...", priority=Priority.STAT, conversation_id=conversation.id
        )
        inbox.resolve(session, conversation_id=conversation.id, clerk=nora)
        assert task.status is TaskStatus.COMPLETED
        (row,) = inbox_queues.rows(session, Queue.ALL, staff_id="")
        assert row.state is State.ASSISTANT


def test_a_text_that_waits_for_its_turn_is_answered_in_the_fresh_episode(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        inbox.claim(session, conversation_id=conversation.id, clerk=nora)
        message = make_message(session, conversation, "hello", status=Delivery.RECEIVED)
        fresh = inbox.give_back(session, conversation_id=conversation.id, clerk=nora)
        session.expire(message)
        assert message.conversation_id == fresh.id


def test_a_task_of_another_conversation_is_not_finished_from_here(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        conversation = make_conversation(session)
        task = handoff.open_task(session, team="desk", reason="call-back", description="...")
        with pytest.raises(NotFoundError):
            inbox.finish_task(session, conversation_id=conversation.id, task_id=task.id, clerk=nora)


# who reads


def test_a_read_mark_only_goes_forward_and_is_ones_own(loaded: Database):
    with loaded.transaction() as session:
        nora, omar = make_clerk(session), make_clerk(session, name="Omar Diaz")
        conversation = make_conversation(session)
        for sequence in (3, 7, 5):
            inbox.mark_read(session, conversation_id=conversation.id, staff_id=nora.staff_id, sequence=sequence)
        assert inbox_queues.read_marks(session, staff_id=nora.staff_id, conversation_ids=[conversation.id]) == {conversation.id: 7}
        assert inbox_queues.read_marks(session, staff_id=omar.staff_id, conversation_ids=[conversation.id]) == {}


def test_colleagues_are_seen_where_they_look_and_nowhere_else(loaded: Database):
    with loaded.transaction() as session:
        nora, omar = make_clerk(session), make_clerk(session, name="Omar Diaz")
        one, other = make_conversation(session), make_conversation(session, phone="+14145552002")
        soon = time.time() + 30
        inbox.look(session, conversation_id=one.id, staff_id=nora.staff_id, until=soon)
        inbox.look(session, conversation_id=one.id, staff_id=omar.staff_id, until=soon)
        inbox.look(session, conversation_id=other.id, staff_id=nora.staff_id, until=soon)
        assert inbox_queues.who_looks(session) == {
            one.id: ((omar.staff_id, "Omar Diaz"),),
            other.id: ((nora.staff_id, "Nora Ellis"),),
        }
        inbox.look(session, conversation_id=one.id, staff_id=omar.staff_id, until=time.time() - 1)
        assert one.id in inbox_queues.who_looks(session)  # a late beat takes nothing back


def test_a_look_at_a_conversation_is_recorded(loaded: Database):
    with loaded.transaction() as session:
        nora = make_clerk(session)
        ruth = make_patient(session)
        conversation = make_conversation(session)
        conversation.patient_id = ruth.id
        transcript.read(session, conversation.id, agent=nora.agent)
        read = session.scalars(select(AuditEvent).where(AuditEvent.action == "R")).one()
        assert (read.agent, read.entity_id, read.patient_id) == (nora.agent, conversation.id, ruth.id)


# replies that are used again


def test_a_canned_reply_is_kept_once_a_language_and_its_change_is_recorded(loaded: Database):
    with loaded.transaction() as session:
        canned_replies.save(session, name="Directions", language="en", body="We are at 410 N Maple St.", agent="staff:nora")
        canned_replies.save(session, name="Directions", language="es", body="Estamos en 410 N Maple St.", agent="staff:nora")
        changed = canned_replies.save(session, name=" Directions ", language="en", body="410 N Maple St.", agent="staff:nora")
        assert [reply.body for reply in canned_replies.of_language(session, "en")] == ["410 N Maple St."]
        assert len(canned_replies.everything(session)) == 2
        canned_replies.remove(session, reply_id=changed.id, agent="staff:nora")
        assert canned_replies.of_language(session, "en") == []
        kinds = [row.action for row in session.scalars(select(AuditEvent).where(AuditEvent.entity == "CannedReply"))]
        assert kinds == ["C", "C", "U", "D"]
        with pytest.raises(NotFoundError):
            canned_replies.remove(session, reply_id=changed.id, agent="staff:nora")
        with pytest.raises(UnfitTextError):
            canned_replies.save(session, name="", language="en", body="x", agent="staff:nora")


def test_an_incoming_text_is_a_line_of_the_patient_and_what_went_unsaid_is_marked(loaded: Database):
    with loaded.transaction() as session:
        conversation = make_conversation(session)
        make_message(session, conversation, "hi")
        make_message(session, conversation, "You said: hi", author="assistant", status=Delivery.WITHHELD, direction=Direction.OUT)
        shown = [(line.speaker, line.status) for line in transcript.lines(session, conversation.id)]
        assert shown == [(Speaker.PATIENT, Delivery.ANSWERED), (Speaker.ASSISTANT, Delivery.WITHHELD)]
        assert transcript.last_sequence(session, conversation.id) > 0
        assert transcript.holds(session, conversation.id) == []
        with pytest.raises(NotFoundError):
            transcript.read(session, new_id(), agent="staff:nora")
