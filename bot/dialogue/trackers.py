"""Where the dialogue keeps what it knows of a conversation: its last few turns, and of the turns before them what still holds.

Rasa's own store keeps every event and reads them all at each turn, so the sixtieth turn costs three times the fifth. Open forms
and slots outlive a kill; a row that nobody has touched for a month goes.
"""

import functools
import json
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

KEPT_TURNS = 3  # longer than any rule
CUT_AT_TURNS = 6
KEPT_SECONDS = 30 * 24 * 3600.0
_A_DAY = 24 * 3600.0

# Rasa looks through all classes of events for each event that it reads.
Event.resolve_by_type = staticmethod(functools.cache(Event.resolve_by_type))

_rows = sa.Table(
    "dialogue_tracker",
    sa.MetaData(),
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("saved_at", sa.Float, nullable=False, index=True),  # seconds of elapsed time
)


class RecentTurns(TrackerStore, SerializedTrackerAsText):
    """A row for each conversation, in the database at `database`, an SQLAlchemy 1.4 URL."""

    def __init__(
        self, domain: Domain, event_broker: EventBroker | None = None, host: str | None = None, *, database: str, **_: Any
    ) -> None:
        self._engine = sa.create_engine(database, future=True, pool_pre_ping=True)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _keep_without_waiting_for_the_disk)
        _rows.metadata.create_all(self._engine)
        self._forgot_at = 0.0
        super().__init__(domain, event_broker)

    async def save(self, tracker: DialogueStateTracker) -> None:
        row = {"events": self.serialise_tracker(shortened(tracker)), "saved_at": time.time()}
        own = _rows.c.conversation_id == tracker.sender_id
        with self._engine.begin() as connection:
            if not connection.execute(_rows.update().where(own).values(row)).rowcount:
                connection.execute(_rows.insert().values(conversation_id=tracker.sender_id, **row))
            self._forget_the_old(connection)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(_rows.c.events).where(_rows.c.conversation_id == sender_id)).scalar()
        return None if found is None else self.deserialise_tracker(sender_id, found)

    async def keys(self) -> Iterable[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(_rows.c.conversation_id)).scalars())

    @staticmethod
    def serialise_tracker(tracker: DialogueStateTracker) -> str:
        return json.dumps(tracker.as_dialogue().as_dict(), ensure_ascii=False)

    def _forget_the_old(self, connection: sa.engine.Connection) -> None:
        now = time.time()
        if now - self._forgot_at > _A_DAY:
            self._forgot_at = now
            connection.execute(_rows.delete().where(_rows.c.saved_at < now - KEPT_SECONDS))


def shortened(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """The tracker itself while it is short; else one in the same state with the last turns alone.

    What came before is replaced by what it left: slots and the open form. It is cut where the assistant listened and no form was
    interrupted, so that what follows reads as it did.
    """
    events = list(tracker.events)
    turns = [place for place, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(turns) <= CUT_AT_TURNS:
        return tracker
    for place in reversed(turns[:-KEPT_TURNS]):
        before = _copy(tracker, events[:place])
        if before.latest_action_name == ACTION_LISTEN_NAME and not _is_interrupted(before):
            return _copy(tracker, [*_what_is_left_of(before), *events[place:]])
    return tracker


def _copy(tracker: DialogueStateTracker, events: list[Event]) -> DialogueStateTracker:
    made = tracker.init_copy()
    made.events.extend(events)
    made.replay_events()
    return made


def _is_interrupted(tracker: DialogueStateTracker) -> bool:
    loop = tracker.active_loop
    return bool(loop and (loop.is_interrupted or loop.rejected))


def _what_is_left_of(tracker: DialogueStateTracker) -> list[Event]:
    slots = [SlotSet(name, slot.value) for name, slot in tracker.slots.items() if slot.value != slot.initial_value]
    form: list[Event] = []
    if tracker.active_loop:
        name = tracker.active_loop.name
        form = [ActionExecuted(ACTION_LISTEN_NAME), tracker.latest_message, ActionExecuted(name), ActiveLoop(name)]
    started = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    return [*started, *form, *slots, ActionExecuted(ACTION_LISTEN_NAME)]


def _keep_without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    """A killed process loses nothing this way; only a machine that loses its power may lose the last turns, never a booking."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
