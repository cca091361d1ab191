"""What open pages of the inbox are told, and that they take nothing from anybody else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from bot.console.live import Live, Stream, TooManyError, _Sequences
from scheduling_core import accounts, handoff, inbox, messaging
from scheduling_core.db import Database
from scheduling_core.models import StaffSession
from tests.bot.console.conftest import Desks, make_staff, sign_in
from tests.factories import make_clerk, make_conversation, make_message


@pytest.fixture
def live(loaded: Database) -> Iterator[Live]:
    made = Live(loaded, streams=2)
    made.render = lambda rows, language: " ".join(f"{row.id}:{row.state}:{row.words}" for row in rows)
    yield made
    made.close()


def until(stream: Stream, *words: str) -> str:
    """What the stream says until it has said all of these."""
    said, ends = "", time.monotonic() + 20
    while not all(word in said for word in words):
        assert time.monotonic() < ends, said
        said += next(stream).decode()
    return said


def seat(live: Live, staff_id: str = "nobody", *, since: float | None = None) -> Stream:
    """A stream of a browser that is signed in. `since`: now."""
    database = live._database
    browser = accounts.digest(sign_in(database, make_staff(database, "scheduler")))
    return live.stream(staff_id=staff_id, browser=browser, language="en", since=time.time() if since is None else since)


def open_stream(live: Live, staff_id: str = "nobody") -> Stream:
    stream = seat(live, staff_id)
    next(stream)
    return stream


def rest_of(stream: Stream) -> None:
    begun = time.monotonic()
    for _ in stream:
        assert time.monotonic() - begun < 10


def test_a_new_text_is_told_and_its_place_in_the_queues(live: Live, loaded: Database):
    stream = open_stream(live)
    with loaded.transaction() as session:
        conversation = make_conversation(session)
        make_message(session, conversation, "hello")
    assert f"{conversation.id}:assistant:hello" in until(stream, "event: rows", "event: counts")
    with loaded.transaction() as session:
        handoff.take_over(
            session, conversation_id=conversation.id, owner_name="desk", team="desk", agent=f"assistant:{conversation.id}"
        )
    assert f"{conversation.id}:unassigned" in until(stream, "event: rows", '"unassigned": 1')
    stream.close()


def test_each_reader_is_told_their_own_count(live: Live, loaded: Database):
    with loaded.transaction() as session:
        tess, omar = make_clerk(session, name="Tess"), make_clerk(session, name="Omar")
        conversation = make_conversation(session)
    streams = {clerk: open_stream(live, clerk.staff_id) for clerk in (tess, omar)}
    with loaded.transaction() as session:
        inbox.claim(session, conversation_id=conversation.id, clerk=tess)
    until(streams[tess], '"mine": 1')
    assert '"mine": 1' not in until(streams[omar], "event: rows", '"mine": 0')
    for stream in streams.values():
        stream.close()


def test_the_fate_of_a_text_of_staff_is_told(live: Live, loaded: Database):
    with loaded.transaction() as session:
        tess = make_clerk(session, name="Tess")
        conversation = make_conversation(session)
    stream = open_stream(live)
    with loaded.transaction() as session:
        message = inbox.reply(session, None, conversation_id=conversation.id, clerk=tess, body="Hi", at_night=inbox.AtNight.SEND)
    until(stream, ":Hi")
    with loaded.transaction() as session:
        messaging.mark_failed(session, communication_id=message.id, error="30006", permanent=True)
    until(stream, ":Hi")
    stream.close()


def test_who_looks_is_told(live: Live, loaded: Database):
    with loaded.transaction() as session:
        tess = make_clerk(session, name="Tess")
        conversation = make_conversation(session)
    stream = open_stream(live)
    with loaded.transaction() as session:
        inbox.look(session, conversation_id=conversation.id, staff_id=tess.staff_id, until=time.time() + 30)
    said = until(stream, "event: looking", conversation.id)
    told = json.loads(said.split("event: looking\ndata: ")[-1].split("\n")[0])
    assert told == {conversation.id: [[tess.staff_id, "Tess"]]}
    stream.close()


def test_who_comes_back_is_told_what_was_missed(live: Live, loaded: Database):
    stream = open_stream(live)
    with loaded.transaction() as session:
        make_message(session, make_conversation(session), "hello")
    before = time.time()
    until(stream, ":hello")
    again = seat(live, "other", since=before)
    assert ":hello" in until(again, "event: rows")
    stream.close()
    again.close()


def test_a_page_from_before_the_start_is_asked_to_load_its_list_again(live: Live):
    stream = seat(live, since=time.time() - 3600)
    assert "event: reload" in next(stream).decode()
    stream.close()


def test_streams_have_an_end_to_their_number_and_a_closed_one_makes_room(live: Live):
    streams = [open_stream(live), seat(live, "x")]
    with pytest.raises(TooManyError):
        seat(live, "y")
    streams[1].close()  # it was never read
    streams[1].close()
    seat(live, "y").close()
    streams[0].close()


def test_what_could_not_be_told_is_loaded_anew_and_the_next_change_is_told(live: Live, loaded: Database):
    rendered, live.render = live.render, lambda rows, language: 1 // 0
    stream = open_stream(live)
    with loaded.transaction() as session:
        conversation = make_conversation(session)
        make_message(session, conversation, "hello")
    until(stream, "event: reload")
    live.render = rendered
    with loaded.transaction() as session:
        make_message(session, conversation, "still there?")
    until(stream, ":still there?")
    stream.close()


def test_what_a_failed_look_had_read_is_loaded_anew(live: Live, loaded: Database, monkeypatch: pytest.MonkeyPatch):
    stream = open_stream(live)
    with monkeypatch.context() as broken:
        broken.setattr("bot.console.live.inbox_queues.rows_of", lambda *_: 1 // 0)
        with loaded.transaction() as session:
            make_message(session, make_conversation(session), "hello")
        until(stream, "event: reload")
    stream.close()


def test_closing_ends_streams_that_wait(live: Live):
    stream = open_stream(live)
    threading.Timer(0.3, live.close).start()
    rest_of(stream)


@pytest.mark.parametrize("end", ["signed out", "idle", "deactivated"])
def test_a_stream_ends_with_its_session_and_others_go_on(live: Live, loaded: Database, end: str):
    mine, other = open_stream(live), open_stream(live)
    with loaded.transaction() as session:
        row = session.scalars(select(StaffSession).where(StaffSession.digest == mine.browser)).one()
        if end == "signed out":
            session.delete(row)
        elif end == "idle":
            row.seen = 0.0
        else:
            accounts.get(session, row.account_id).active = False
    rest_of(mine)
    assert other.has_ended is (end == "deactivated")
    mine.close()
    other.close()


def test_one_account_has_a_share_of_the_streams(loaded: Database):
    live = Live(loaded)
    try:
        streams = [seat(live, "tess") for _ in range(8)]
        with pytest.raises(TooManyError):
            seat(live, "tess")
        seat(live, "omar").close()
        streams[0].close()
        seat(live, "tess").close()
    finally:
        live.close()


def test_a_row_that_is_seen_late_is_not_missed():
    sequences = _Sequences(10)
    assert sequences.fresh([11, 13]) == {11, 13}
    assert sequences.fresh([11, 12, 13]) == {12}  # its transaction took longer
    assert sequences.low == 10


def test_a_stream_is_for_who_is_signed_in(sqlite_desk: Desks):
    answer = sqlite_desk("scheduler").get("/console/inbox/stream?since=x")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/event-stream")
    assert b"retry:" in next(answer.iter_encoded())
    answer.close()
