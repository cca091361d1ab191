"""A person, on a call: who could not be put through is called back, at a time of their choice, or leaves a message."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from bot import emergency
from bot.channels.voice import questions
from bot.channels.voice.questions import CALL, Question
from bot.channels.voice.words import say
from bot.outcomes import LONGEST_DESCRIPTION, Effect, Outcome, Reply, ReplyKind, note, team
from bot.sentences import say as say_in_text
from bot.sentences import spoken_number
from scheduling_core import calls, handoff, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Communication, Conversation, Priority, Recording, Task

ANONYMOUS = "anonymous"
_ASKED_FOR_PERSON = ("asked-for-person", "complaint", "not-understood", "call-back")
_TALKED_OVER = ("asked-for-person", "not-understood", "call-back")
_MESSAGE = re.compile(r"\b(?:message|voice ?mail|mensaje|recado|grabar)\b", re.IGNORECASE)
_WORDS = {
    "call-back": "Call back: the call could not be completed.",
    "not-understood": "A caller could not be understood, and was put through.",
    "voicemail": "A caller left a voice message.",
}


def leave_task(clinic: ClinicFile, conversation: Conversation, message: Communication, reason: str) -> Effect:
    """A task for the desk with this reason, at most one of it in a call."""

    def effect(session: Session) -> None:
        words = _WORDS[reason]
        note(session, conversation, message, team=team(clinic, "desk"), reason=reason, words=words, more=words)

    return effect


def leave_late_task(session: Session, clinic: ClinicFile, conversation: Conversation, *, key: str) -> None:
    """An answer did not come in time: what was wanted may have been done, or not."""
    handoff.open_task(
        session,
        team=team(clinic, "desk"),
        reason="call-back",
        description="Call back: an answer took too long. See in the conversation whether it was done after all.",
        patient_id=conversation.patient_id,
        phone=conversation.phone,
        conversation_id=conversation.id,
        key=f"too-slow:{key}",
    )


def not_reached(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome:
    """Nobody at the desk took the call: the task that was left becomes one to call back; a message for who wants to leave one."""

    def effect(session: Session) -> None:
        _add(session, clinic, conversation, message, "Call back: nobody took the call at the desk.")

    return Outcome("call-back", (Reply(say(clinic, conversation.language, "not_reached"), ReplyKind.RECORD),), effect)


def ask(clinic: ClinicFile, conversation: Conversation) -> Outcome:
    """The desk is closed: what to do in an emergency comes first, then when to call back, or a message."""
    language = conversation.language
    closed = say(clinic, language, "desk_closed", emergency=say_in_text(clinic, language, "emergency"))
    slot = "callback_number" if conversation.phone == ANONYMOUS else "callback_time"

    def effect(session: Session) -> None:
        questions.keep(session, conversation.id, Question(CALL, slot))

    return Outcome("call-back", (Reply(f"{closed} {say(clinic, language, f'ask_{_SENTENCE[slot]}')}"),), effect)


_SENTENCE = {"callback_time": "callback", "callback_number": "callback_number"}


def answer(
    clinic: ClinicFile,
    conversation: Conversation,
    message: Communication,
    question: Question,
    words: str,
    yes: bool | None,
) -> Outcome:
    """When to call back, or which number."""
    language = conversation.language
    if question.slot == "callback_time" and _MESSAGE.search(words):
        return Outcome("record", (Reply(say(clinic, language, "leave_message"), ReplyKind.RECORD),))
    if question.slot == "callback_number":
        return _number(clinic, conversation, message, words)
    if yes is False:
        return Outcome("call-back", (Reply(say(clinic, language, "desk_has_it"), ReplyKind.GOODBYE),))
    body = say(clinic, language, "callback_noted", when=words.strip(" ."))

    def effect(session: Session) -> None:
        questions.keep(session, conversation.id, Question())
        _add(session, clinic, conversation, message, f"Call back: {words}")

    return Outcome("call-back", (Reply(body, ReplyKind.GOODBYE),), effect)


def _number(clinic: ClinicFile, conversation: Conversation, message: Communication, words: str) -> Outcome:
    digits = re.sub(r"\D", "", words)
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != 10:
        return Outcome("unclear", (Reply(say(clinic, conversation.language, "ask_callback_number"), ReplyKind.SLOW),))
    phone = f"+1{digits}"

    def effect(session: Session) -> None:
        questions.keep(session, conversation.id, Question())
        _add(session, clinic, conversation, message, f"Call back at {phone}")
        if task := calls.task_of(session, conversation.id, _ASKED_FOR_PERSON):
            task.phone = phone

    body = say(clinic, conversation.language, "number_noted", number=spoken_number(phone))
    return Outcome("call-back", (Reply(body, ReplyKind.GOODBYE),), effect)


def _add(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, words: str) -> None:
    """To the task that was left for the desk; without one to a new one."""
    task = calls.task_of(session, conversation.id, _ASKED_FOR_PERSON)
    if task is None:
        note(session, conversation, message, team=team(clinic, "desk"), reason="call-back", words=words, more=words)
        return
    task.description = f"{task.description}\n{words}"[:LONGEST_DESCRIPTION]
    task.updated_at = times.now()


def close_as_talked(conversation: Conversation) -> Effect:
    """The desk took the call, so that nothing is left to do of it."""

    def effect(session: Session) -> None:
        for task in handoff.open_tasks(session, conversation_id=conversation.id):
            if task.reason in _TALKED_OVER:
                handoff.close_task(session, task_id=task.id, agent=f"assistant:{conversation.id}")

    return effect


# recordings


def message_left(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Effect:
    """The row of the recording is there from the turn that brought it; here comes its task."""

    def effect(session: Session) -> None:
        recording = calls.record(session, conversation, external_id=message.body)
        tell_desk(session, clinic, conversation, recording)

    return effect


def tell_desk(session: Session, clinic: ClinicFile, conversation: Conversation, recording: Recording) -> None:
    """One task a recording, which tells what is known of it by now. What may be danger to life makes it urgent.

    Where the desk was done with that task before the dangerous words were known, they are an urgent task of their own.
    """
    length = f" ({recording.seconds} seconds)" if recording.seconds is not None else ""
    transcript = recording.transcript or ""
    heard = f' They said, as far as it was understood: "{transcript}"' if transcript else ""
    words = f"{_WORDS['voicemail']}{length}{heard}"[:LONGEST_DESCRIPTION]
    alarm = emergency.find(transcript)

    def task_called(key: str) -> Task:
        return handoff.open_task(
            session,
            team=team(clinic, "clinical" if alarm else "desk"),
            reason="voicemail",
            description=words,
            priority=Priority.STAT if alarm else Priority.ROUTINE,
            patient_id=conversation.patient_id,
            phone=conversation.phone,
            conversation_id=conversation.id,
            key=key,
        )

    task = task_called(f"voicemail:{recording.external_id}")
    if alarm and task.status not in handoff.OPEN and transcript not in task.description:
        task = task_called(f"voicemail-alarm:{recording.external_id}")
    recording.task_id = task.id
    if task.description != words:
        task.description, task.updated_at = words, times.now()
        if alarm:
            task.priority, task.team = Priority.STAT, team(clinic, "clinical")
