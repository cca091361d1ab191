"""One turn of the dialogue as an action sees it: what was said, what is known, and what is answered.

An action is a plain function of a Turn, registered by name. It reads slots, calls the core in transactions of its own, and leaves
slots and sentences behind. One call does all of a turn's work, because each call from the dialogue carries the whole conversation.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import facts, names, when
from actions.words import either, plain, tokens
from scheduling_core import patients, times
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Channel, Conversation, Patient

Events = list[dict[str, Any]]
SURE = 0.6  # a reading of the intent that is acted on without another sign for it


@dataclass(frozen=True)
class Known:
    """What the core knows of this conversation when the turn begins."""

    id: str
    channel: Channel
    phone: str
    patient: Patient | None  # who has proved who they are
    family: tuple[tuple[str, str], ...]  # who on file has this number: id and given name
    claim: dict[str, Any]
    language: str

    @property
    def on_file(self) -> bool:
        """Somebody on file has this number."""
        return bool(self.family)


_QUESTION = re.compile(
    rf"(?:{either('hi|hello|hey|ok|and|but|so|before that|also', 'hola|y|pero')}\W+(?:\w+\W+)?)*"
    + either(
        r"can|could|may|do|does|is|are|what|what'?s|when|whens|where|wheres|which|who|whom|how|why|will|should|am i",
        r"cuando|que|donde|como|cuanto|cual|puedo|hay|quien",
    )
    + r"\b"
)


@dataclass
class Turn:
    tracker: Tracker
    dispatcher: CollectingDispatcher
    database: Database
    clinic: ClinicFile
    known: Known
    slots: dict[str, Any]
    changed: dict[str, Any] = field(default_factory=dict)
    followup: str | None = None

    # what was said

    @property
    def text(self) -> str:
        return str(self.tracker.latest_message.get("text") or "").strip()

    @property
    def intent(self) -> str:
        return str(self.tracker.latest_message.get("intent", {}).get("name") or "")

    @property
    def confidence(self) -> float:
        return float(self.tracker.latest_message.get("intent", {}).get("confidence") or 0.0)

    def best_of(self, intents: Collection[str]) -> tuple[str, float]:
        """The likeliest of these among the first readings of the sentence, and how likely it is; ("", 0.0) for none of them."""
        ranking = self.tracker.latest_message.get("intent_ranking") or [self.tracker.latest_message.get("intent") or {}]
        found = [(str(entry["name"]), float(entry["confidence"])) for entry in ranking if entry.get("name") in intents]
        return max(found, key=lambda pair: pair[1], default=("", 0.0))

    @property
    def is_question(self) -> bool:
        """The words have the shape of a question."""
        return "?" in self.text or bool(_QUESTION.match(plain(self.text)))

    def means(self, *intents: str) -> bool:
        """The sentence is surely one of these."""
        return self.intent in intents and self.confidence >= SURE

    @cached_property
    def key(self) -> str:
        """Names this turn for good: a retry of the same text has the same."""
        metadata = self.tracker.latest_message.get("metadata") or {}
        return str(metadata.get("turn") or self.tracker.latest_message.get("message_id") or len(self.tracker.events))

    @cached_property
    def mentions(self) -> names.Mentions:
        return names.mentioned(self.clinic, self.text)

    @cached_property
    def yes(self) -> bool | None:
        """Yes, no, or neither: by the words, then by the reading of the intent. On a call 1 is yes and 2 is no."""
        if (said := facts.yes_or_no(self.text)) is not None:
            return said
        if self.text.isdigit():
            return {"1": True, "2": False}.get(self.text) if self.by_voice else None
        if facts.wavers(self.text) or self.is_question:
            return None
        if self.means("affirm", "confirm_visit"):
            return True
        return False if self.means("deny") else None

    def when(self, *, anchor: dt.datetime | None = None, offered: tuple[dt.datetime, ...] = ()) -> when.Reading | None:
        """The words about time, read with the visit and the offers that they may refer to (clinic's wall time, naive)."""
        return when.read(self.text, self.now, hours=self.open_hours, anchor=anchor, offered=offered, language=self.language)

    # who and when

    @property
    def now(self) -> dt.datetime:
        """The clinic's wall time, naive."""
        return self.local(times.now())

    def local(self, instant: dt.datetime) -> dt.datetime:
        return times.to_wall(instant, self.clinic.zone).replace(tzinfo=None)

    @cached_property
    def open_hours(self) -> tuple[dt.time, dt.time]:
        spans = [span for place in self.clinic.locations for span in place.hours.values()]
        return min(span.start for span in spans), max(span.end for span in spans)

    @property
    def language(self) -> str:
        return str(self.slot("language") or self.known.language)

    @property
    def agent(self) -> str:
        return f"assistant:{self.known.id}"

    @property
    def names_relative(self) -> str | None:
        """The given name of another person of this number, when the words name that one."""
        said = {token.plain for token in tokens(self.text)}
        here = {plain(given.split()[0]): (patient_id, given) for patient_id, given in self.known.family}
        named = [who for name, who in here.items() if name in said or f"{name}'s" in said]
        me = self.known.patient.id if self.known.patient else None
        return named[0][1] if len(named) == 1 and me is not None and named[0][0] != me else None

    @property
    def by_voice(self) -> bool:
        return self.known.channel is Channel.VOICE

    @property
    def is_new(self) -> bool:
        """The person has told name and birth date, and nobody on file has them."""
        return self.known.patient is None and bool(self.known.claim.get("new"))

    def transaction(self) -> AbstractContextManager[Session]:
        return self.database.transaction()

    def look_again(self) -> None:
        """Read anew what the core knows, after a write that changed who this is."""
        with self.database.reading() as session:
            self.known = known(session, self.known.id)

    def conversation(self, session: Session) -> Conversation:
        return session.scalars(select(Conversation).where(Conversation.id == self.known.id)).one()

    def claims(self, **facts_told: Any) -> None:
        """Keep in the core what the person says of themselves before anything is proved."""
        fresh = {**self.known.claim, **facts_told}
        if fresh != self.known.claim:
            with self.transaction() as session:
                self.conversation(session).claim = fresh
            self.look_again()

    # what is answered

    def slot(self, name: str) -> Any:
        return self.slots.get(name)

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            if self.slots.get(name) != value:
                self.slots[name] = self.changed[name] = value

    @property
    def asked(self) -> str | None:
        """What the form asked last; None when the form begins with this turn."""
        return self.slot("requested_slot") if self.tracker.active_loop.get("name") else None

    def ask(self, step: str) -> None:
        self.slots["requested_slot"] = self.changed["requested_slot"] = step

    def end(self, *, then: str | None = None) -> None:
        """Leave the form; the form's last action then starts the form named by `then`."""
        self.slots["requested_slot"] = self.changed["requested_slot"] = None
        self.set(next_form=then)

    def say(self, response: str, **values: Any) -> None:
        """Say a sentence of the domain. Its variables are filled by the dialogue server, which also chooses the language."""
        self.dispatcher.utter_message(response=response, **values)

    def say_text(self, text: str, **custom: Any) -> None:
        """Say the clinic's own words, as they stand in the clinic file."""
        self.dispatcher.utter_message(text=text, json_message=custom or None)

    @property
    def said_something(self) -> bool:
        return bool(self.dispatcher.messages)

    def events(self) -> Events:
        # A form that validates and sets no slot counts as refused, and rules for other intents would speak up.
        found: Events = [SlotSet("turn", self.key), *(SlotSet(name, value) for name, value in self.changed.items())]
        if self.followup:
            found.append(FollowupAction(self.followup))
        return found


def known(session: Session, conversation_id: str) -> Known:
    """Raises NotFoundError for a conversation that the web did not open."""
    conversation = session.scalars(select(Conversation).where(Conversation.id == conversation_id)).one_or_none()
    if conversation is None:
        raise NotFoundError(f"Conversation/{conversation_id}")
    return Known(
        id=conversation.id,
        channel=conversation.channel,
        phone=conversation.phone,
        patient=patients.get(session, conversation.patient_id) if conversation.patient_id else None,
        family=tuple((patient.id, patient.given) for patient in patients.on_file(session, phone=conversation.phone)),
        claim=dict(conversation.claim),
        language=conversation.language,
    )


def begin(tracker: Tracker, dispatcher: CollectingDispatcher, database: Database) -> Turn:
    """The turn as it stands before the action runs; keeps the language of the words for the conversation."""
    with database.reading() as session:
        clinic, told = loading.current(session), known(session, tracker.sender_id)
    turn = Turn(tracker, dispatcher, database, clinic, told, dict(tracker.current_slot_values()))
    if turn.language != told.language:
        with turn.transaction() as session:
            turn.conversation(session).language = turn.language
        turn.look_again()
    return turn


Action = Callable[[Turn], None]
ACTIONS: dict[str, Action] = {}


def action(name: str) -> Callable[[Action], Action]:
    """Register a function under the name that rules and forms call it by."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register
