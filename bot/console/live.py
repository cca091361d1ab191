"""What changes in the inbox, told to every open page by server-sent events.

Each open stream holds one of the web server's threads, so streams have threads of their own beside those that answer webhooks
(`STREAMS` of them, `bot.cli` adds the two up), and who comes when all are taken is told to try again. None of these threads asks
the database: one poller a process reads what is new every `POLL_SECONDS`, renders each changed row once a language, and wakes them.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console import sessions
from scheduling_core import inbox_queues, times
from scheduling_core.db import Database
from scheduling_core.inbox import STAFF
from scheduling_core.inbox_queues import Counts, Row
from scheduling_core.models import Communication, Conversation, ConversationLine, Delivery, Direction

log = logging.getLogger(__name__)

STREAMS = 256
POLL_SECONDS = 0.4  # of the second in which a text should be on every page; each look wakes every stream
_OVERLAP_SECONDS = 5.0  # PostgreSQL gives out a sequence before its row can be seen; a row seen this much later is found still
_LOOK_SECONDS = 2.0  # between looks at who looks, and at what wakes up
_KEPT_SECONDS = 60.0  # of batches, for who comes back after a break
_BEAT_SECONDS = 15.0  # a stream that has nothing to say says so, or nobody would notice that its reader has gone
_SIGNED_IN_SECONDS = 3.0  # between looks at whether who reads is still signed in
_STREAMS_OF_ONE = 8  # open at once for one account: a few pages on a few devices
_STREAM_SECONDS = 600.0  # then the browser connects anew, and is asked anew who it is
_PENDING_SECONDS = 600.0  # how long the fate of a message is followed
_UNDECIDED = (Delivery.RECEIVED, Delivery.QUEUED, Delivery.SENDING, Delivery.SENT, Delivery.UNKNOWN)

Looking = dict[str, tuple[tuple[str, str], ...]]  # by conversation: id and name of who looks
Render = Callable[[list[Row], str], str]  # rows in a language


class TooManyError(Exception):
    """All threads for streams are taken, or this account has its share of them."""


@dataclass(frozen=True)
class _Batch:
    """What one look at the database found."""

    number: int
    at: float
    counts: Counts | None
    shown: dict[str, bytes]  # by language: the events of everybody who reads it

    def events(self, language: str, staff_id: str) -> bytes:
        """The events of this batch for one reader."""
        return b"id: %.3f\n%b%b" % (self.at, self.shown.get(language, b""), _of_counts(self.counts, staff_id))


class Live:
    """The changes of one process' database. Its poller runs from the first stream on; `render` is set before."""

    render: Render

    def __init__(self, database: Database, *, streams: int = STREAMS) -> None:
        self._database = database
        self._slots = threading.BoundedSemaphore(streams)
        self._batches: deque[_Batch] = deque()
        self._news = threading.Condition()
        self._last = 0  # the number of the latest batch
        self._begun_at = 0.0
        self._poller: threading.Thread | None = None
        self._closed = threading.Event()
        self._counts = Counts(0, 0, 0, {})
        self._looking: Looking = {}
        self._languages: set[str] = set()  # of all who have read here
        self._open: set[Stream] = set()
        self._asked_at = -_SIGNED_IN_SECONDS

    def stream(self, *, staff_id: str, browser: str, language: str, since: float) -> Stream:
        """What has changed after `since` (elapsed time), and what changes from now on, while its `browser` (the digest of
        a session) is signed in. Raises TooManyError.
        """
        if not self._slots.acquire(blocking=False):
            raise TooManyError
        try:
            self._begin(language)
            stream = Stream(self, staff_id, browser, language, since)
            with self._news:
                if sum(one.staff_id == staff_id for one in self._open) >= _STREAMS_OF_ONE:
                    raise TooManyError
                self._open.add(stream)
            return stream
        except BaseException:
            self._slots.release()
            raise

    def leave(self, stream: Stream) -> None:
        """Its place is free again, however often this is said."""
        with self._news:
            if stream not in self._open:
                return
            self._open.remove(stream)
        self._slots.release()

    def close(self) -> None:
        """Ends the poller; the streams end with it."""
        self._closed.set()
        with self._news:
            self._news.notify_all()
        if self._poller:
            self._poller.join()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def greet(self, staff_id: str, since: float) -> tuple[bytes, int]:
        """The first words of a stream, and the number of the batch that comes next."""
        with self._news:
            state = _of_counts(self._counts, staff_id) + _of_looking(self._looking)
            if since < self._begun_at or (self._batches and since < self._batches[0].at and self._batches[0].number > 1):
                return _event("reload", "now") + state, self._last + 1  # what was missed is not here any more
            missed = next((batch.number for batch in self._batches if batch.at > since - POLL_SECONDS), self._last + 1)
            return state, missed

    def wait_for(self, number: int, stream: Stream) -> list[_Batch]:
        """The batches from `number` on; none when nothing came within a beat, or the stream has ended."""
        with self._news:
            self._news.wait_for(lambda: self._last >= number or self.is_closed or stream.has_ended, _BEAT_SECONDS)
            return [batch for batch in self._batches if batch.number >= number]

    def _begin(self, language: str) -> None:
        with self._news:
            self._languages |= {language}  # another set: the poller may be going through this one
            if self._poller is None:
                reader = _Reader(self._database)
                self._begun_at = time.time()
                self._poller = threading.Thread(target=self._poll, args=(reader,), name="inbox", daemon=True)
                self._poller.start()

    def _poll(self, reader: _Reader) -> None:
        is_lost = False  # what the last look read, which is not read again
        while not self._closed.wait(POLL_SECONDS):
            try:
                if time.monotonic() - self._asked_at >= _SIGNED_IN_SECONDS:
                    self._end_signed_out()
                news = reader.look()
                if is_lost:
                    self._publish(None, None, dict.fromkeys(self._languages, _event("reload", "now")))
                    is_lost = False
                if news.is_any:
                    self._tell(news)
            except Exception as error:  # there is no other poller: whatever was wrong, the next look may go well
                log.error("the inbox could not be told: %s", type(error).__name__)
                is_lost = True
                reader.forget_state()
                self._closed.wait(1.0)

    def _end_signed_out(self) -> None:
        """Ends the streams of sessions that have ended, and of accounts that may not sign in any more."""
        self._asked_at = time.monotonic()
        with self._news:
            streams = list(self._open)
        if not streams:
            return
        with self._database.reading() as session:
            lasting = sessions.lasting(session, {one.browser for one in streams})
        with self._news:
            for one in streams:
                one.has_ended |= one.browser not in lasting
            self._news.notify_all()

    def _tell(self, news: _News) -> None:
        """Rendered before anybody is woken: two hundred threads that wait for one of them to render slow it down."""
        looking = _of_looking(news.looking)
        shown = {
            language: (_event("rows", self.render(news.rows, language)) if news.rows else b"") + looking
            for language in self._languages
        }
        self._publish(news.counts, news.looking, shown)

    def _publish(self, counts: Counts | None, looking: Looking | None, shown: dict[str, bytes]) -> None:
        now = time.time()
        with self._news:
            self._last += 1
            self._counts = counts or self._counts
            self._looking = self._looking if looking is None else looking
            self._batches.append(_Batch(self._last, now, counts, shown))
            while self._batches[0].at < now - _KEPT_SECONDS:
                self._batches.popleft()
            self._news.notify_all()


class Stream:
    """One open stream as the web server reads it. Closing it frees its place, whether or not it was ever read."""

    def __init__(self, live: Live, staff_id: str, browser: str, language: str, since: float) -> None:
        self.staff_id = staff_id
        self.browser = browser
        self.has_ended = False  # its session has
        self._live = live
        self._language = language
        self._next: int | None = None
        self._since = since
        self._ends = time.monotonic() + _STREAM_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._next is None:
            state, self._next = self._live.greet(self.staff_id, self._since)
            return b"retry: 2000\n\n" + state
        batches = [] if self._is_over else self._live.wait_for(self._next, self)
        if self._is_over:
            raise StopIteration
        if not batches:
            return b": \n\n"
        self._next = batches[-1].number + 1
        return b"".join(batch.events(self._language, self.staff_id) for batch in batches)

    def close(self) -> None:
        self._live.leave(self)

    @property
    def _is_over(self) -> bool:
        return self.has_ended or self._live.is_closed or time.monotonic() > self._ends


@dataclass(frozen=True)
class _News:
    rows: list[Row]
    counts: Counts | None
    looking: Looking | None

    @property
    def is_any(self) -> bool:
        return bool(self.rows) or self.counts is not None or self.looking is not None


class _Reader:
    """Finds what changed since its last look: messages and lines of staff by their sequences, the fate of what is on its way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._messages = _Sequences(session.scalar(select(func.max(Communication.sequence))) or 0)
            self._lines = _Sequences(session.scalar(select(func.max(ConversationLine.sequence))) or 0)
            self._pending = self._undecided(session)
        self._looked_at = -_LOOK_SECONDS
        self._woken_until = times.now()
        self._looking: Looking | None = None
        self._counts: Counts | None = None

    def forget_state(self) -> None:
        """The counts and who looks are news to the next look, whatever they are."""
        self._counts = self._looking = None

    def look(self) -> _News:
        with self._database.reading() as session:
            changed = self._new_messages(session) | self._new_lines(session) | self._decided(session)
            looking = None
            if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
                self._looked_at = time.monotonic()
                changed |= self._woken(session)
                if (now := inbox_queues.who_looks(session)) != self._looking:
                    looking = self._looking = now
            counts = None
            if (changed or self._counts is None) and (fresh := inbox_queues.counts(session)) != self._counts:
                counts = self._counts = fresh
            return _News(inbox_queues.rows_of(session, changed) if changed else [], counts, looking)

    def _new_messages(self, session: Session) -> set[str]:
        found = session.execute(
            select(Communication.sequence, Communication.conversation_id, Communication.status, Communication.kind)
            .where(Communication.sequence > self._messages.low, Communication.conversation_id.is_not(None))
            .order_by(Communication.sequence)
        ).all()
        fresh = self._messages.fresh([row.sequence for row in found])
        news = [row for row in found if row.sequence in fresh]
        until = time.monotonic() + _PENDING_SECONDS
        self._pending |= {
            row.sequence: (row.status, until)
            for row in news
            if row.status is Delivery.RECEIVED or (row.kind == STAFF and row.status in _UNDECIDED)
        }
        return {str(row.conversation_id) for row in news}

    def _new_lines(self, session: Session) -> set[str]:
        found = session.execute(
            select(ConversationLine.sequence, ConversationLine.conversation_id)
            .where(ConversationLine.sequence > self._lines.low)
            .order_by(ConversationLine.sequence)
        ).all()
        fresh = self._lines.fresh([row.sequence for row in found])
        return {row.conversation_id for row in found if row.sequence in fresh}

    def _undecided(self, session: Session) -> dict[int, tuple[Delivery, float]]:
        """The texts of patients that wait for the assistant, and of staff that are on their way, as the reader begins."""
        found = session.execute(
            select(Communication.sequence, Communication.status).where(
                (Communication.status == Delivery.RECEIVED)
                | (
                    (Communication.kind == STAFF)
                    & (Communication.direction == Direction.OUT)
                    & Communication.status.in_((Delivery.QUEUED, Delivery.SENDING))
                )
            )
        )
        until = time.monotonic() + _PENDING_SECONDS
        return {sequence: (status, until) for sequence, status in found.tuples()}

    def _decided(self, session: Session) -> set[str]:
        """Conversations with a message whose state is another than before."""
        if not self._pending:
            return set()
        now = time.monotonic()
        found = session.execute(
            select(Communication.sequence, Communication.conversation_id, Communication.status).where(
                Communication.sequence.in_(list(self._pending))
            )
        ).all()
        changed = set()
        for sequence, conversation_id, status in found:
            before, until = self._pending[sequence]
            if status != before:
                changed.add(str(conversation_id))
            if status in _UNDECIDED and now < until:
                self._pending[sequence] = (status, until)
            else:
                del self._pending[sequence]
        return changed

    def _woken(self, session: Session) -> set[str]:
        """What slept until a moment that has come since the last look."""
        now = times.now()
        found = session.scalars(
            select(Conversation.id).where(
                Conversation.open, Conversation.snoozed_until > self._woken_until, Conversation.snoozed_until <= now
            )
        )
        self._woken_until = now
        return set(found)


class _Sequences:
    """Which sequences of a table were seen. `low` is the highest that was there `_OVERLAP_SECONDS` ago."""

    def __init__(self, highest: int) -> None:
        self.low = highest
        self._seen: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()

    def fresh(self, found: list[int]) -> set[int]:
        """Those of `found` (all above `low`, ascending) that were not there before."""
        news = set(found) - self._seen
        if news:
            self._seen |= news
            self._marks.append((time.monotonic(), found[-1]))
        while self._marks and self._marks[0][0] < time.monotonic() - _OVERLAP_SECONDS:
            self.low = max(self.low, self._marks.popleft()[1])
            self._seen = {sequence for sequence in self._seen if sequence > self.low}
        return news


def _of_counts(counts: Counts | None, staff_id: str) -> bytes:
    if counts is None:
        return b""
    mine = counts.mine.get(staff_id, 0)
    return _event(
        "counts", json.dumps({"mine": mine, "unassigned": counts.unassigned, "all": counts.all, "snoozed": counts.snoozed})
    )


def _of_looking(looking: Looking | None) -> bytes:
    return b"" if looking is None else _event("looking", json.dumps(looking))


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {' '.join(data.split())}\n\n".encode()
