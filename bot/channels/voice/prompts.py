"""What a turn of a call says and what comes then, from what the conversation came to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.channels.voice import callbacks, keypad, questions, twiml
from bot.channels.voice.expected import hints
from bot.channels.voice.questions import Question
from bot.channels.voice.shaping import for_the_ear
from bot.channels.voice.twiml import Again, HangUp, Listen, Prompt, Record, Speech, Then, Transfer
from bot.channels.voice.words import ENGLISH, SPANISH, say
from bot.conversation import Answer
from bot.outcomes import ReplyKind, Said
from bot.sentences import say as say_in_text
from scheduling_core import calls, handoff
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Call, Conversation

_SECONDS, _SLOW_SECONDS, _KEY_SECONDS = 5, 8, 6
_WITHOUT_WORDS = (Said.KEYS, Said.SILENCE, Said.UNCLEAR)  # after these the keys are told


def greeting(clinic: ClinicFile, language: str) -> Prompt:
    """Who speaks, that it is a computer, what to do in an emergency after hours, how to reach a person, and the other language."""
    if handoff.desk_is_open(clinic):
        text = say(clinic, language, "greeting")
    else:
        text = say(clinic, language, "greeting_closed", emergency=say_in_text(clinic, language, "emergency"))
    head, question = text.rsplit(". ", 1)
    speech = [for_the_ear(f"{head}.", clinic, language)]
    if other := keypad.other_language(clinic, language):
        speech.append(for_the_ear(say(clinic, other, "other_language"), clinic, other))
    speech.append(for_the_ear(question, clinic, language))
    return Prompt(tuple(speech), Listen(1, digits=1, hints=hints(clinic, Question(), language)))


def anew(clinic: ClinicFile, conversation: Conversation, *, turn: int) -> Prompt:
    """The menu, where the thread of a call was lost."""
    speech = for_the_ear(say(clinic, conversation.language, "menu"), clinic, conversation.language)
    return Prompt((speech,), Listen(turn, digits=1, hints=hints(clinic, Question(), conversation.language)))


def after(clinic: ClinicFile, conversation: Conversation, answer: Answer, *, number: int) -> Prompt:
    """The prompt that follows turn `number`. Who used the keys, or was not heard, is told which key is for what."""
    language, question = conversation.language, questions.question_of(conversation)
    text = "\n".join(reply.body for reply in answer.replies) or say(clinic, language, "menu")
    kind = answer.replies[-1].kind if answer.replies else ReplyKind.REPLY
    slow = kind is ReplyKind.SLOW
    speech = for_the_ear(text, clinic, language, slow=slow)
    then = _then(clinic, conversation, question, kind, number + 1, keyed=answer.said is Said.KEYS)
    if isinstance(then, Listen) and answer.said in _WITHOUT_WORDS and kind is not ReplyKind.EMERGENCY:
        keys = for_the_ear(keypad.instructions(question, clinic, language), clinic, language, slow=slow)
        return Prompt((speech, keys), then)
    return Prompt((speech,), then)


def _then(clinic: ClinicFile, conversation: Conversation, question: Question, kind: ReplyKind, turn: int, *, keyed: bool) -> Then:
    if kind is ReplyKind.TRANSFER:
        hidden = conversation.phone == callbacks.ANONYMOUS
        return Transfer(turn, clinic.handoff.transfer_to, conversation.call_sid or "", clinic.clinic.phone if hidden else None)
    if kind is ReplyKind.RECORD:
        return Record(turn, for_the_ear(say(clinic, conversation.language, "goodbye"), clinic, conversation.language))
    if kind is ReplyKind.GOODBYE:
        return HangUp()
    if kind is ReplyKind.EMERGENCY:
        return Listen(turn, seconds=10, interruptible=False)
    return Listen(
        turn,
        seconds=_SLOW_SECONDS if kind is ReplyKind.SLOW else _KEY_SECONDS if keyed else _SECONDS,
        digits=keypad.how_many_digits(question),
        hints=hints(clinic, question, conversation.language),
    )


def wait(clinic: ClinicFile, language: str, number: int, waited: int) -> Prompt:
    """The answer is not ready: patience is asked for, and the same turn again."""
    return Prompt((for_the_ear(say(clinic, language, "wait"), clinic, language),), Again(number, waited))


def keep(session: Session, conversation: Conversation, call: Call, answer: Answer, *, number: int) -> tuple[Prompt, str]:
    """What follows turn `number`, and its TwiML as kept for whoever asks again. A call that is over by now holds nothing back."""
    clinic = current(session)
    prompt = (
        _gave_up(session, clinic, conversation, key=f"{call.id}:{number}")
        if answer.late
        else after(clinic, conversation, answer, number=number)
    )
    if call.ended_at is not None:
        calls.end(session, call.id)
    return prompt, calls.keep_turn(session, call.id, number, twiml.document(prompt))


def _gave_up(session: Session, clinic: ClinicFile, conversation: Conversation, *, key: str) -> Prompt:
    """The answer did not come in time: the desk calls back, and looks whether something was done after all."""
    callbacks.leave_late_task(session, clinic, conversation, key=key)
    return Prompt((for_the_ear(say(clinic, conversation.language, "too_slow"), clinic, conversation.language),), HangUp())


def over() -> Prompt:
    """Nobody listens any more."""
    return Prompt((), HangUp())


def database_away(clinic: ClinicFile | None) -> Prompt:
    """Nothing can be looked at: in the clinic's languages as far as they are known, else in both."""
    languages = [one[:2] for one in clinic.clinic.languages] if clinic else ["en", "es"]
    words = {"en": ENGLISH.database_down, "es": SPANISH.database_down}
    return Prompt(tuple(Speech((words[one],), one) for one in languages if one in words), HangUp())
