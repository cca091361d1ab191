"""What one turn comes to: what is answered before any model, and what is made of the dialogue's answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import emergency
from bot.dialogue_client import DialogueAnswer
from bot.keywords import Keyword, fit_for_dialogue, keyword
from bot.sentences import say
from scheduling_core import booking, handoff, inbox, messaging, patients, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Channel, Communication, Conversation, Delivery, Direction, Owner, Priority, Task
from scheduling_core.segments import clean, pack

SILENCES_BEFORE_GOODBYE = 3
_LONGEST_DESCRIPTION = 4000
_FRAGMENT_WORDS = 6  # two texts this short may be one sentence
_NO_REQUEST = re.compile(r"^\W*(?:ok(?:ay)?|k|thanks?|thank you|ty|thx|gracias|bye|adios)?\W*$", re.IGNORECASE)


class Said(StrEnum):
    """What kind of thing came in: the `kind` of an incoming Communication."""

    TEXT = "text"
    PICTURE = "picture"
    SILENCE = "silence"  # on a call: nothing was heard
    UNCLEAR = "unclear"  # on a call: heard too badly to be believed
    NOT_REACHED = "not-reached"  # on a call: the desk did not pick up
    CONNECTED = "connected"  # on a call: the desk did, and the talk is over


class ReplyKind(StrEnum):
    """The `kind` of an outgoing Communication that answers one."""

    REPLY = "reply"
    EMERGENCY = "emergency"
    OPT_OUT = "opt-out"
    SYSTEM = "system"
    TRANSFER = "transfer"  # on a call: then the desk is dialled
    GOODBYE = "goodbye"  # on a call: then it ends


@dataclass(frozen=True)
class Reply:
    body: str
    kind: ReplyKind = ReplyKind.REPLY


@dataclass(frozen=True)
class Ask:
    """Nothing stands before the dialogue: it is asked this."""

    text: str
    picture: bool = False
    alarm: emergency.Alarm | None = None  # of words that may be harmless: the dialogue decides, and danger it is where it cannot


Effect = Callable[[Session], None]


@dataclass(frozen=True)
class Outcome:
    """How a turn ends. `effect` runs in the transaction that stores the replies. `name` is for counting."""

    name: str
    replies: tuple[Reply, ...] = ()
    effect: Effect | None = None
    status: Delivery = Delivery.ANSWERED


def before_dialogue(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome | Ask:
    """The outcome that needs no model, or what to ask the dialogue, which is never asked what staff should answer. Reads only."""
    decision = _decide(session, clinic, conversation, message)
    has_words = message.kind in (Said.TEXT, Said.PICTURE)
    if isinstance(decision, Outcome) and conversation.owner is Owner.STAFF and has_words:
        return _for_inbox(conversation, decision)
    return decision


def _for_inbox(conversation: Conversation, outcome: Outcome) -> Outcome:
    """Staff see whatever is said to them, what is answered at once (danger, the wish for no texts) too."""

    def _effect(session: Session) -> None:
        if outcome.effect:
            outcome.effect(session)
        inbox.note_patients_words(session, conversation.id)

    return replace(outcome, effect=_effect, status=Delivery.INBOX)


def _decide(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome | Ask:
    by_text = message.channel is Channel.SMS
    word = keyword(message.body) if by_text else None
    opted_out = by_text and messaging.opted_out(session, message.phone)
    alarm = _alarm(session, conversation, message)
    if word and not (alarm and word is Keyword.STOP_IN_WORDS):
        if word in (Keyword.STOP, Keyword.CANCEL, Keyword.STOP_IN_WORDS):
            return _opt_out(session, clinic, conversation, message, word, already=opted_out)
        if word is Keyword.START:
            return _opt_in(clinic, conversation, message)
    decision = _unalarmed(session, clinic, conversation, message, word, opted_out=opted_out)
    if alarm and (alarm.sure or not isinstance(decision, Ask)):
        return _emergency(clinic, conversation, message, alarm)
    return replace(decision, alarm=alarm) if isinstance(decision, Ask) else decision


def _unalarmed(
    session: Session,
    clinic: ClinicFile,
    conversation: Conversation,
    message: Communication,
    word: Keyword | None,
    *,
    opted_out: bool,
) -> Outcome | Ask:
    by_text = message.channel is Channel.SMS
    if opted_out:
        return _note_of_silent_number(conversation, message)
    if not by_text and message.kind != Said.TEXT:
        return _on_the_line(session, clinic, conversation, message)
    if conversation.owner is Owner.STAFF:
        goodbye = Reply(say(clinic, conversation.language, "voice_desk_has_it"), ReplyKind.GOODBYE)
        return Outcome("inbox", () if by_text else (goodbye,))
    if word is Keyword.HELP:
        return _say(clinic, conversation, "help", "help")
    text = fit_for_dialogue(message.body)
    if message.kind == Said.PICTURE and not text:
        return _say(clinic, conversation, "picture", "picture")
    if not text:
        return _say(clinic, conversation, "empty", "empty")
    return Ask(text, picture=message.kind == Said.PICTURE)


def after_dialogue(
    clinic: ClinicFile, conversation: Conversation, message: Communication, answer: DialogueAnswer, *, picture: bool
) -> Outcome:
    """The dialogue's answer as replies. A call that should go to a person is put through in the desk's hours."""
    if message.channel is Channel.SMS:
        texts = [*answer.texts, say(clinic, conversation.language, "picture_too")] if picture else list(answer.texts)
        return Outcome("answered", tuple(Reply(body) for body in pack(texts)))
    spoken = " ".join(filter(None, map(clean, answer.texts)))
    if answer.handoff and handoff.desk_is_open(clinic):
        return Outcome("transferred", (Reply(say(clinic, conversation.language, "voice_transfer"), ReplyKind.TRANSFER),))
    kind = ReplyKind.GOODBYE if answer.handoff else ReplyKind.REPLY
    return Outcome("answered", (Reply(spoken or say(clinic, conversation.language, "voice_again"), kind),))


def dialogue_failed(
    clinic: ClinicFile, conversation: Conversation, message: Communication, reason: str, alarm: emergency.Alarm | None = None
) -> Outcome:
    """An honest sentence, and a Task with the patient's words; after an alarm that it should have judged, what danger asks for."""
    if alarm:
        return _emergency(clinic, conversation, message, alarm)

    def _effect(session: Session) -> None:
        words = f"The assistant could not answer ({reason}). They wrote: {message.body}"
        note(session, conversation, message, team=_team(clinic, "desk"), reason="dialogue-down", words=words, more=message.body)

    kind = ReplyKind.SYSTEM if message.channel is Channel.SMS else ReplyKind.GOODBYE
    return Outcome("dialogue-down", (Reply(say(clinic, conversation.language, "down"), kind),), _effect)


def note(
    session: Session,
    conversation: Conversation,
    message: Communication,
    *,
    team: str,
    reason: str,
    words: str,
    more: str,
    priority: Priority = Priority.ROUTINE,
) -> Task:
    """One open Task a conversation and reason: opened with `words`, to which what they write later is added as `more`."""
    for task in handoff.open_tasks(session, conversation_id=conversation.id):
        if task.reason == reason:
            task.description = f"{task.description}\nThen: {more}"[:_LONGEST_DESCRIPTION]
            task.updated_at = times.now()
            return task
    return handoff.open_task(
        session,
        team=team,
        reason=reason,
        description=words[:_LONGEST_DESCRIPTION],
        priority=priority,
        patient_id=conversation.patient_id,
        phone=conversation.phone,
        conversation_id=conversation.id,
        key=f"{reason}:{message.id}",
    )


def _alarm(session: Session, conversation: Conversation, message: Communication) -> emergency.Alarm | None:
    """A red flag in this text, or in the two last short ones read as one sentence."""
    alarm = emergency.find(message.body)
    if alarm or len(message.body.split()) > _FRAGMENT_WORDS:
        return alarm
    earlier = session.execute(
        select(Communication.body, Communication.created_at)
        .where(
            Communication.conversation_id == conversation.id,
            Communication.direction == Direction.IN,
            Communication.sequence < message.sequence,
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    ).one_or_none()
    if earlier is None or not 0 < len(earlier.body.split()) <= _FRAGMENT_WORDS or emergency.find(earlier.body):
        return None
    joined = emergency.find(f"{earlier.body} {message.body}")
    return replace(joined, sure=True) if joined else None  # the dialogue sees one text at a time


def _emergency(clinic: ClinicFile, conversation: Conversation, message: Communication, alarm: emergency.Alarm) -> Outcome:
    def _effect(session: Session) -> None:
        note(
            session,
            conversation,
            message,
            team=_team(clinic, "clinical"),
            reason="red-flag",
            words=f"Possible emergency ({alarm.flag}). They were told to call 911. Their words: {message.body}",
            more=message.body,
            priority=Priority.STAT,
        )
        booking.release(session, held_for=conversation.id, agent=f"assistant:{conversation.id}")

    sentence = say(clinic, alarm.language, "emergency")
    if alarm.flag == "suicide" and "988" not in sentence:
        sentence = f"{sentence} {say(clinic, alarm.language, 'crisis_line')}"
    return Outcome("emergency", (Reply(sentence, ReplyKind.EMERGENCY),), _effect)


def _opt_out(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, word: Keyword, *, already: bool
) -> Outcome:
    visits = []
    if word is Keyword.CANCEL:
        on_file = patients.on_file(session, phone=message.phone)
        visits = [visit for patient in on_file for visit in booking.upcoming(session, patient_id=patient.id)]

    def _effect(session: Session) -> None:
        if not already:
            source = "words" if word is Keyword.STOP_IN_WORDS else "keyword"
            messaging.record_opt_out(session, message.phone, out=True, source=source)
        if visits:
            handoff.open_task(
                session,
                team=_team(clinic, "desk"),
                reason="cancel-keyword",
                description="Texted the one word CANCEL, which stops all texts. Ask by phone whether a visit should be cancelled.",
                patient_id=visits[0].patient_id if len({visit.patient_id for visit in visits}) == 1 else None,
                phone=message.phone,
                conversation_id=conversation.id,
                appointment_id=visits[0].id if len(visits) == 1 else None,
                key=f"cancel-keyword:{message.id}",
            )

    if already:
        return Outcome("opted-out", effect=_effect)
    sentence = say(clinic, conversation.language, "opted_out_cancel" if visits else "opted_out")
    return Outcome("opted-out", (Reply(sentence, ReplyKind.OPT_OUT),), _effect)


def _opt_in(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome:
    def _effect(session: Session) -> None:
        if messaging.opted_out(session, message.phone):
            messaging.record_opt_out(session, message.phone, out=False, source="keyword")

    return Outcome("opted-in", (Reply(say(clinic, conversation.language, "opted_in"), ReplyKind.SYSTEM),), _effect)


def _note_of_silent_number(conversation: Conversation, message: Communication) -> Outcome:
    def _effect(session: Session) -> None:
        words = f"Wants no texts from us, so call. They wrote: {message.body}"
        note(session, conversation, message, team="desk", reason="opted-out-asks", words=words, more=message.body)

    asks = message.kind == Said.PICTURE or not _NO_REQUEST.match(message.body)
    return Outcome("withheld", effect=_effect if asks else None)


def _on_the_line(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome:
    """A call where there are no words to pass on."""
    language = conversation.language
    if message.kind == Said.CONNECTED:
        return Outcome("connected", (Reply(say(clinic, language, "voice_goodbye"), ReplyKind.GOODBYE),))
    if message.kind == Said.UNCLEAR:
        return Outcome("unclear", (Reply(say(clinic, language, "voice_again"), ReplyKind.SYSTEM),))
    silences = _silences_before(session, conversation, message) + 1
    if message.kind == Said.NOT_REACHED or silences >= SILENCES_BEFORE_GOODBYE:
        sentence = "voice_not_reached" if message.kind == Said.NOT_REACHED else "voice_goodbye_callback"

        def _effect(session: Session) -> None:
            words = "Call back: the call could not be completed."
            note(session, conversation, message, team=_team(clinic, "desk"), reason="call-back", words=words, more=words)

        return Outcome("call-back", (Reply(say(clinic, language, sentence), ReplyKind.GOODBYE),), _effect)
    question = _last_question(session, conversation)
    sentence = "voice_silence" if silences == 1 else "voice_silence_slow"
    return Outcome("silence", (Reply(say(clinic, language, sentence, question=question).strip(), ReplyKind.SYSTEM),))


def _silences_before(session: Session, conversation: Conversation, message: Communication) -> int:
    kinds = session.scalars(
        select(Communication.kind)
        .where(
            Communication.conversation_id == conversation.id,
            Communication.direction == Direction.IN,
            Communication.sequence < message.sequence,
        )
        .order_by(Communication.sequence.desc())
        .limit(SILENCES_BEFORE_GOODBYE)
    )
    count = 0
    for kind in kinds:
        if kind != Said.SILENCE:
            break
        count += 1
    return count


def _last_question(session: Session, conversation: Conversation) -> str:
    last = session.scalars(
        select(Communication.body)
        .where(
            Communication.conversation_id == conversation.id,
            Communication.direction == Direction.OUT,
            Communication.kind == ReplyKind.REPLY,
        )
        .order_by(Communication.sequence.desc())
        .limit(1)
    ).first()
    return last or ""


def _say(clinic: ClinicFile, conversation: Conversation, outcome: str, sentence: str) -> Outcome:
    return Outcome(outcome, (Reply(say(clinic, conversation.language, sentence), ReplyKind.SYSTEM),))


def _team(clinic: ClinicFile, wanted: str) -> str:
    return wanted if wanted in clinic.handoff.teams else clinic.handoff.teams[0]
