"""The inbox: queues, one conversation, what a clerk does with it, and what is refused."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from scheduling_core import canned_replies, handoff, inbox, messaging
from scheduling_core.db import Database
from scheduling_core.inbox import Clerk
from scheduling_core.models import (
    AuditEvent,
    Channel,
    Communication,
    Conversation,
    ConversationLine,
    Direction,
    LineKind,
    Owner,
    Priority,
    new_id,
)
from tests.bot.console.conftest import Desks, make_staff
from tests.conftest import Clock
from tests.factories import make_conversation, make_message, make_patient

HTMX = {"HX-Request": "true"}


def escalated(database: Database, *, phone: str = "+14145550142", body: str = "I want a person") -> str:
    """A conversation that the assistant has handed to the desk."""
    with database.transaction() as session:
        conversation = make_conversation(session, phone=phone)
        make_message(session, conversation, body)
        handoff.take_over(
            session, conversation_id=conversation.id, owner_name="desk", team="desk", agent=f"assistant:{conversation.id}"
        )
        return conversation.id


def kept(database: Database, conversation_id: str) -> Conversation:
    with database.reading() as session:
        return session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one()


def do(client: FlaskClient, conversation_id: str, what: str, **form: str):
    return client.post(f"/console/inbox/{conversation_id}/{what}", data=form, headers=HTMX)


def test_what_waits_for_a_person_is_in_the_first_queue(desk: Desks, loaded: Database):
    first = escalated(loaded)
    page = desk("scheduler").get("/console/inbox")
    assert page.status_code == 200
    assert f'id="row-{first}"' in page.text
    assert "I want a person" in page.text
    assert "(414) 555-0142" in page.text


@pytest.mark.parametrize("queue", ["mine", "all", "snoozed", "resolved"])
def test_an_empty_queue_says_what_will_appear(sqlite_desk: Desks, queue: str):
    page = sqlite_desk("scheduler").get(f"/console/inbox?queue={queue}")
    assert page.status_code == 200
    assert 'class="empty"' in page.text
    assert sqlite_desk("scheduler").get("/console/inbox?queue=none").status_code == 404


def test_an_escalated_text_is_claimed_answered_and_given_back(desk: Desks, loaded: Database):
    conversation = escalated(loaded)
    tess = desk("scheduler", name="Tess")
    page = tess.get(f"/console/inbox/{conversation}")
    assert "I want a person" in page.text
    assert do(tess, conversation, "claim").status_code == 200
    replied = do(tess, conversation, "reply", body="This is Tess. How can I help?", key="1")
    assert replied.headers["HX-Trigger"] == "inbox:written"
    assert "This is Tess" in replied.text
    with loaded.reading() as session:
        out = session.scalars(select(Communication).where(Communication.direction == Direction.OUT)).one()
        assert (out.author, out.kind) == ("Tess", "staff")
    assert do(tess, conversation, "give-back", seen="999").status_code == 200
    assert (kept(loaded, conversation).open, kept(loaded, conversation).owner) == (False, Owner.BOT)


def test_who_claims_second_is_told_who_has_it(desk: Desks, loaded: Database):
    conversation = escalated(loaded)
    tess, omar = desk("scheduler", name="Tess"), desk("scheduler", name="Omar")
    assert do(tess, conversation, "claim").status_code == 200
    lost = do(omar, conversation, "claim")
    assert lost.status_code == 409
    assert "Tess has this conversation" in lost.text
    assert kept(loaded, conversation).owner_name == "Tess"


def test_a_double_click_sends_once(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    for _ in range(2):
        do(tess, conversation, "reply", body="Hello", key="same")
    with sqlite_loaded.reading() as session:
        assert len(session.scalars(select(Communication).where(Communication.direction == Direction.OUT)).all()) == 1


def test_at_night_the_clerk_is_asked_and_nothing_typed_is_lost(sqlite_desk: Desks, sqlite_loaded: Database, clock: Clock):
    conversation = escalated(sqlite_loaded)
    clock.set("2026-11-16T23:30:00-06:00")
    tess = sqlite_desk("scheduler", name="Tess")
    asked = do(tess, conversation, "reply", body="Hello", key="1")
    assert (asked.status_code, asked.headers["HX-Retarget"]) == (409, "#talk-guard")
    assert 'value="wait"' in asked.text
    assert do(tess, conversation, "reply", body="Hello", key="1", at_night="wait").status_code == 200
    with sqlite_loaded.reading() as session:
        out = session.scalars(select(Communication).where(Communication.direction == Direction.OUT)).one()
        assert out.due_at is not None


def test_no_text_goes_to_who_wants_none(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    with sqlite_loaded.transaction() as session:
        messaging.record_opt_out(session, "+14145550142", out=True, source="keyword")
    tess = sqlite_desk("scheduler", name="Tess")
    assert "Please call" in tess.get(f"/console/inbox/{conversation}").text
    assert do(tess, conversation, "reply", body="Hello", key="1").status_code == 409


def test_nothing_is_closed_that_was_not_read(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    do(tess, conversation, "claim")
    refused = do(tess, conversation, "resolve", seen="0")
    assert refused.status_code == 409
    assert "written meanwhile" in refused.text
    assert kept(sqlite_loaded, conversation).open


def test_assigning_snoozing_waking_and_resolving(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess, omar = sqlite_desk("scheduler", name="Tess"), make_staff(sqlite_loaded, "billing", name="Omar")
    assert do(tess, conversation, "assign", to="team:billing").status_code == 200
    assert kept(sqlite_loaded, conversation).owner_name == "billing"
    assert do(tess, conversation, "claim").status_code == 200
    assert do(tess, conversation, "snooze", until_own="2026-11-17T08:00").status_code == 200
    assert kept(sqlite_loaded, conversation).snoozed_until.isoformat() == "2026-11-17T14:00:00+00:00"
    assert f"row-{conversation}" in tess.get("/console/inbox?queue=snoozed").text
    assert do(tess, conversation, "wake").status_code == 200
    mine = kept(sqlite_loaded, conversation).assignee_id
    assert do(tess, conversation, "assign", to=f"person:{omar.id}", assignee=mine).status_code == 200
    assert do(tess, conversation, "resolve", seen="999").status_code == 409  # Omar has it
    assert do(sqlite_desk("billing", name="Omar"), conversation, "resolve", seen="999").status_code == 200
    assert f"row-{conversation}" in tess.get("/console/inbox?queue=resolved").text


def test_markup_in_texts_names_and_notes_is_shown_as_it_was_written(sqlite_desk: Desks, sqlite_loaded: Database):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    with sqlite_loaded.transaction() as session:
        make_patient(session, given="<b>Ruth</b>", phone="+14145550142")
    conversation = escalated(sqlite_loaded, body=evil)
    tess = sqlite_desk("scheduler", name="Tess")
    do(tess, conversation, "note", body=evil)
    page = tess.get(f"/console/inbox/{conversation}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>Ruth" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 3  # row, transcript, note


def test_a_note_too_long_for_anybody_to_read_is_refused(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    assert do(tess, conversation, "note", body="x" * 900_000).status_code == 422
    assert do(tess, conversation, "note", body="x" * 1_100_000).status_code == 413
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(ConversationLine).where(ConversationLine.kind == LineKind.NOTE)).all() == []


def test_another_clinics_conversation_is_not_found(sqlite_desk: Desks, sqlite_loaded: Database):
    other = Database(sqlite_loaded.url, organization="elsewhere")
    with other.transaction() as session:
        conversation = make_conversation(session).id
    other.dispose()
    tess = sqlite_desk("scheduler", name="Tess")
    for path in ("", "/fresh", "/looking"):
        assert tess.get(f"/console/inbox/{conversation}{path}").status_code == 404
    for what in ("claim", "give-back", "resolve", "note", "reply", "wake"):
        assert do(tess, conversation, what, body="x", key="1").status_code == 404, what


def test_an_auditor_reads_and_does_nothing(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    auditor = sqlite_desk("auditor")
    page = auditor.get(f"/console/inbox/{conversation}")
    assert "I want a person" in page.text
    assert "reply-body" not in page.text
    assert do(auditor, conversation, "claim").status_code == 403


def test_a_restricted_patients_conversation_is_behind_the_glass_before_they_prove_who_they_are(
    sqlite_desk: Desks, sqlite_loaded: Database
):
    conversation = escalated(sqlite_loaded, body="It is about the biopsy")
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patient.restricted = True
    tess = sqlite_desk("scheduler", name="Tess")
    page = tess.get("/console/inbox").text
    assert "R. N." in page
    assert "Restricted record" in page
    for path in ("", "/fresh"):
        closed = tess.get(f"/console/inbox/{conversation}{path}")
        assert closed.status_code == 403
        page += closed.text
    assert "Novak" not in page
    assert "biopsy" not in page
    tess.post(f"/console/glass/{patient.id}", data={"reason": "She wrote to the desk"})
    assert "biopsy" in tess.get(f"/console/inbox/{conversation}").text
    assert "Ruth Novak" in tess.get("/console/inbox").text


def test_who_reads_what_is_recorded(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    tess.get("/console/inbox")
    tess.get(f"/console/inbox/{conversation}")
    with sqlite_loaded.reading() as session:
        read = session.scalars(select(AuditEvent).where(AuditEvent.action == "R", AuditEvent.entity == "Conversation")).all()
        assert [(row.entity_id, row.detail.get("ids")) for row in read] == [
            (None, [conversation]),
            (conversation, None),
            (None, [conversation]),
        ]


def test_segments_are_counted_as_the_carrier_counts_them(sqlite_desk: Desks):
    tess = sqlite_desk("scheduler", name="Tess")
    for body, words in (
        ("Hello", "1 segment · 5 characters"),
        ("x" * 161, "2 segments"),
        ("Mañana", "1 segment"),
        ("", 'role="status">'),
    ):
        assert words in tess.post("/console/inbox/segments", data={"body": body}).text
    assert "Too long" in tess.post("/console/inbox/segments", data={"body": "x" * 1601}).text


def test_a_red_flag_is_first_and_its_task_is_finished_here(sqlite_desk: Desks, sqlite_loaded: Database):
    calm = escalated(sqlite_loaded)
    with sqlite_loaded.transaction() as session:
        urgent = make_conversation(session, phone="+14145550143").id
        task = handoff.open_task(
            session,
            team="clinical",
            reason="red-flag",
            description="Possible emergency",
            priority=Priority.STAT,
            conversation_id=urgent,
        ).id
    tess = sqlite_desk("scheduler", name="Tess")
    page = tess.get("/console/inbox").text
    assert page.index(f"row-{urgent}") < page.index(f"row-{calm}")
    assert "Possible emergency" in tess.get(f"/console/inbox/{urgent}").text
    assert do(tess, urgent, f"tasks/{task}/done").status_code == 200
    assert f"row-{urgent}" not in tess.get("/console/inbox").text


def test_canned_replies_are_offered_in_the_patients_language(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    for language, body in (("en", "We are at 410 N Maple St."), ("es", "Estamos en 410 N Maple St.")):
        saved = tess.post("/console/inbox/replies", data={"name": "Where", "language": language, "body": body})
        assert saved.status_code == 303
    page = tess.get(f"/console/inbox/{conversation}").text
    assert "We are at 410" in page
    assert "Estamos" not in page
    with sqlite_loaded.reading() as session:
        first = canned_replies.of_language(session, "en")[0].id
    tess.post(f"/console/inbox/replies/{first}/remove")
    assert "We are at 410" not in tess.get("/console/inbox/replies").text
    assert tess.post("/console/inbox/replies", data={"name": "x", "language": "fr", "body": "x"}).status_code == 400


def test_colleagues_who_look_are_kept_by_a_beat_that_is_no_sign_of_life(sqlite_desk: Desks, sqlite_loaded: Database):
    conversation = escalated(sqlite_loaded)
    tess = sqlite_desk("scheduler", name="Tess")
    assert tess.get(f"/console/inbox/{conversation}/looking?seen=7").status_code == 204
    from scheduling_core import inbox_queues

    with sqlite_loaded.reading() as session:
        assert [name for _, name in inbox_queues.who_looks(session)[conversation]] == ["Tess"]


@pytest.mark.parametrize("seen", ["9" * 19, "9" * 5000])
def test_a_message_of_no_such_number_is_none_that_was_read(desk: Desks, loaded: Database, seen: str):
    conversation = escalated(loaded)
    tess = desk("scheduler", name="Tess")
    assert tess.get(f"/console/inbox/{conversation}/looking?seen={seen}").status_code == 204
    assert do(tess, conversation, "claim").status_code == 200
    assert do(tess, conversation, "resolve", seen=seen).status_code == 409


def test_the_name_in_a_conversation_leads_to_the_patient(sqlite_desk: Desks, sqlite_loaded: Database):
    known, unknown = escalated(sqlite_loaded), escalated(sqlite_loaded, phone="+14145550143")
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142").id
    tess = sqlite_desk("scheduler", name="Tess")
    assert f'<a href="/console/patients/{patient}">Ruth Novak</a>' in tess.get(f"/console/inbox/{known}").text
    assert '<a href="/console/patients/' not in tess.get(f"/console/inbox/{unknown}").text


def test_a_call_is_shown_as_a_call(sqlite_desk: Desks, sqlite_loaded: Database):
    with sqlite_loaded.transaction() as session:
        call = make_conversation(session, channel=Channel.VOICE, phone="anonymous")
        make_message(session, call, "I need to come in")
        inbox.claim(session, conversation_id=call.id, clerk=Clerk.of(make_clerk_account(session)))
        call_id = call.id
    page = sqlite_desk("scheduler").get(f"/console/inbox/{call_id}").text
    assert "Phone call" in page
    assert "Number withheld" in page
    assert "Please call" in page


def make_clerk_account(session):
    from scheduling_core import accounts
    from scheduling_core.models import Role

    return accounts.add_staff(session, email="c@maplegrove.example", name="Cleo", role=Role.SCHEDULER, agent="test")


def test_nothing_is_known_of_a_conversation_that_is_not_there(sqlite_desk: Desks):
    assert sqlite_desk("scheduler").get(f"/console/inbox/{new_id()}").status_code == 404
