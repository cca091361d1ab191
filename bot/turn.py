"""What one turn comes to: what is answered before any model, and what is made of the dialogue's answer."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import emergency
from bot.channels.voice import line
from bot.dialogue_client import DialogueAnswer
from bot.keywords import Keyword, fit_for_dialogue, keyword
from bot.outcomes import Ask, Outcome, Reply, ReplyKind, Said, note, team
from bot.sentences import say
from scheduling_core import booking, handoff, inbox, messaging, patients
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Channel, Communication, Conversation, Delivery, Direction, Owner, Priority
from scheduling_core.segments import pack

_FRAGMENT_WORDS = 6  # two texts this short may be one sentence
_NO_REQUEST = re.compile(r"^\W*(?:ok(?:ay)?|k|thanks?|thank you|ty|thx|gracias|bye|adios)?\W*$", re.IGNORECASE)


def before_dialogue(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome | Ask:
    """The outcome that needs no model, or what to ask the dialogue, which is never asked what staff should answer. Reads only."""
    decision = _decide(session, clinic, conversation, message)
    has_words = message.kind in (Said.TEXT, Said.PICTURE, Said.KEYS, Said.DOUBTFUL)
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
    if opted_out:
        return _note_of_silent_number(conversation, message)
    if message.channel is Channel.VOICE:
        return line.before_dialogue(session, clinic, conversation, message)
    if conversation.owner is Owner.STAFF:
        return Outcome("inbox")
    if word is Keyword.HELP:
        return _say(clinic, conversation, "help", "help")
    text = fit_for_dialogue(message.body)
    if message.kind == Said.PICTURE and not text:
        return _say(clinic, conversation, "picture", "picture")
    if not text:
        return _say(clinic, conversation, "empty", "empty")
    return Ask(text, picture=message.kind == Said.PICTURE)


def after_dialogue(clinic: ClinicFile, conversation: Conversation, answer: DialogueAnswer, *, picture: bool) -> Outcome:
    """The dialogue's answer to a text as replies."""
    texts = [*answer.texts, say(clinic, conversation.language, "picture_too")] if picture else list(answer.texts)
    return Outcome("answered", tuple(Reply(body) for body in pack(texts)))


def dialogue_failed(
    clinic: ClinicFile, conversation: Conversation, message: Communication, reason: str, alarm: emergency.Alarm | None = None
) -> Outcome:
    """An honest sentence, and a Task with the patient's words; after an alarm that it should have judged, what danger asks for."""
    if alarm:
        return _emergency(clinic, conversation, message, alarm)
    if message.channel is not Channel.SMS:
        return line.failed(clinic, conversation, message, reason)

    def _effect(session: Session) -> None:
        words = f"The assistant could not answer ({reason}). They wrote: {message.body}"
        note(session, conversation, message, team=team(clinic, "desk"), reason="dialogue-down", words=words, more=message.body)

    return Outcome("dialogue-down", (Reply(say(clinic, conversation.language, "down"), ReplyKind.SYSTEM),), _effect)


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
            team=team(clinic, "clinical"),
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
                team=team(clinic, "desk"),
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


def _say(clinic: ClinicFile, conversation: Conversation, outcome: str, sentence: str) -> Outcome:
    return Outcome(outcome, (Reply(say(clinic, conversation.language, sentence), ReplyKind.SYSTEM),))
