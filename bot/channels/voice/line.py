"""What a turn of a call comes to where the dialogue has no part in it, and what is made of the dialogue's answer on a call."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy.orm import Session

from bot.channels.voice import callbacks, hearing, keypad, questions
from bot.channels.voice.keypad import Act
from bot.channels.voice.questions import CALL, Question
from bot.channels.voice.shaping import chosen, shorter
from bot.channels.voice.words import say
from bot.dialogue_client import DialogueAnswer
from bot.keywords import fit_for_dialogue
from bot.outcomes import Ask, Effect, Outcome, Reply, ReplyKind, Said, note, team
from scheduling_core import calls, confirmations, handoff, messaging, sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Communication, Conversation, Delivery, Owner
from scheduling_core.segments import clean

MOST_IN_A_ROW = 3  # turns in which nothing could be understood
_COSTLY = (
    "birth_date",
    "name",
    "member_id",
    "detail",
    "confirm",
    "callback_number",
)  # what was doubtfully heard is read back first
ANYTHING_ELSE = Question(CALL, "anything_else")  # nothing is open, and what was wished is done
_NOTHING_MORE = re.compile(
    r"\W*(?:(?:no+|nope|nah|nothing|nada|that'?s (?:all|it)|that is all|(?:just|only) that|(?:good ?)?bye|thanks?(?: you)?|"
    r"so much|gracias|please|por favor|es todo|eso es todo|solo eso|nada m[aá]s|else|for now|adi[oó]s|hasta luego)\W*)+",
    re.IGNORECASE,
)


def before_dialogue(session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome | Ask:
    """The outcome that needs no model, or what to ask the dialogue. Reads only."""
    said, question = Said(message.kind), questions.question_of(conversation)
    if said is Said.CONNECTED:
        return Outcome("connected", (_goodbye(clinic, conversation, "goodbye"),), callbacks.close_as_talked(conversation))
    if said is Said.NOT_REACHED:
        return callbacks.not_reached(clinic, conversation, message)
    if said is Said.RECORDED:
        return Outcome(
            "recorded", (_goodbye(clinic, conversation, "recorded"),), callbacks.message_left(clinic, conversation, message)
        )
    if said is Said.SILENCE:
        return _silence(session, clinic, conversation, message, question)
    if said is Said.UNCLEAR:
        return _unclear(session, clinic, conversation, message, question)
    words = message.body
    if said is Said.KEYS:
        pressed = keypad.read(message.body, question, clinic, conversation.language)
        if pressed.act is not Act.SAY:
            return _pressed(session, clinic, conversation, message, question, pressed.act)
        words = pressed.words
    if question.is_ours:
        return _answer_to_us(session, clinic, conversation, message, question, words)
    if conversation.owner is Owner.STAFF:
        return Outcome("inbox", (_goodbye(clinic, conversation, "desk_has_it"),), status=Delivery.INBOX)
    if said is Said.DOUBTFUL and question.slot in _COSTLY:
        return _read_back(clinic, conversation, question, words)
    return _to_dialogue(session, clinic, conversation, message, question, words)


def _to_dialogue(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, question: Question, words: str
) -> Outcome | Ask:
    text = fit_for_dialogue(hearing.words(words, question.slot))
    if question.slot == "birth_date" and not question.count and hearing.lacks_month(text):
        return Outcome("unclear", (_again(session, clinic, conversation, message, "again", ReplyKind.SLOW),))
    if question.slot == "visit" and (number := chosen(text, calls.last_said(session, message, (ReplyKind.REPLY.value,)))):
        text = str(number)  # they repeat what was read out to them
    return Ask(text) if text else _unclear(session, clinic, conversation, message, question)


# nothing that can be answered


def _silence(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, question: Question
) -> Outcome:
    if question.is_ours and question.slot == "callback_time":
        return Outcome("call-back", (_goodbye(clinic, conversation, "desk_has_it"),))
    count = calls.in_a_row(session, message, Said.SILENCE)
    if question.is_ours and question.slot == "anything_else":  # what they called for is done
        if count > 1:
            return Outcome("goodbye", (_goodbye(clinic, conversation, "goodbye"),))
        return Outcome("silence", (Reply(say(clinic, conversation.language, "anything_else"), ReplyKind.SYSTEM),))
    if count >= MOST_IN_A_ROW:
        return _give_up(clinic, conversation, message)
    sentence, kind = ("silence", ReplyKind.SYSTEM) if count == 1 else ("silence_slow", ReplyKind.SLOW)
    return Outcome("silence", (_again(session, clinic, conversation, message, sentence, kind),))


def _unclear(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, question: Question
) -> Outcome:
    """Asked again in other words; after the third time a person is there for it."""
    count = calls.in_a_row(session, message, Said.UNCLEAR)
    if count < MOST_IN_A_ROW:
        sentence, kind = ("again", ReplyKind.SYSTEM) if count <= 1 else ("again_keys", ReplyKind.SLOW)
        return Outcome("unclear", (_again(session, clinic, conversation, message, sentence, kind),))
    return _hand_over(clinic, conversation, message)


def _hand_over(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome:
    """To the desk while it is there, else a callback."""
    if handoff.desk_is_open(clinic):
        reply = Reply(say(clinic, conversation.language, "transfer"), ReplyKind.TRANSFER)
        return Outcome("transferred", (reply,), callbacks.leave_task(clinic, conversation, message, "not-understood"))
    return _give_up(clinic, conversation, message)


def _give_up(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Outcome:
    """Who hides the number and says nothing cannot be called back."""
    if conversation.phone == callbacks.ANONYMOUS:
        return Outcome("nothing-heard", (_goodbye(clinic, conversation, "nothing_heard"),))
    effect = callbacks.leave_task(clinic, conversation, message, "call-back")
    return Outcome("call-back", (_goodbye(clinic, conversation, "call_back"),), effect)


def _again(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, sentence: str, kind: ReplyKind
) -> Reply:
    """The sentence, and what was asked last, without what was said before it."""
    asked = shorter(calls.last_said(session, message, (ReplyKind.REPLY.value,))) or say(clinic, conversation.language, "menu")
    return Reply(say(clinic, conversation.language, sentence, question=asked), kind)


# keys that say no words


def _pressed(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, question: Question, act: Act
) -> Outcome:
    language = conversation.language
    if act is Act.LANGUAGE and (other := keypad.other_language(clinic, language)):

        def change(session: Session) -> None:
            questions.keep(session, conversation.id, Question()).language = other

        return Outcome("language", (Reply(say(clinic, other, "menu")),), change)
    if act is Act.MORE:
        turned = replace(question, page=question.page + 1)
        return Outcome("more", (Reply(say(clinic, language, "more"), ReplyKind.SYSTEM),), _open(conversation, turned))
    asked = shorter(calls.last_said(session, message, (ReplyKind.REPLY.value,))) or say(clinic, language, "menu")
    if act is Act.AGAIN:
        return Outcome("again", (Reply(asked, ReplyKind.SLOW),))
    if _is_lost(session, message):
        return _hand_over(clinic, conversation, message)
    return Outcome("no-such-key", (Reply(f"{say(clinic, language, 'no_such_key')} {asked}", ReplyKind.SYSTEM),))


def _is_lost(session: Session, message: Communication) -> bool:
    """Whether the same keys were pressed again and again, and lead nowhere."""
    return calls.same_words_in_a_row(session, message) >= MOST_IN_A_ROW


# questions of the call itself


def _read_back(clinic: ClinicFile, conversation: Conversation, question: Question, words: str) -> Outcome:
    """What was heard with doubt waits for a yes; the question that it answers stays open behind it."""
    asked = replace(question, form=CALL, slot="heard", heard=words, behind=question.slot, words=())
    body = say(clinic, conversation.language, "heard", words=words)
    return Outcome("read-back", (Reply(body, ReplyKind.SYSTEM),), _open(conversation, asked))


def _answer_to_us(
    session: Session, clinic: ClinicFile, conversation: Conversation, message: Communication, question: Question, words: str
) -> Outcome | Ask:
    yes = hearing.yes_or_no(words)
    if question.slot == "heard":
        before = replace(question, form=None, slot=question.behind, behind=None, heard="")
        if yes is None:  # said anew, or something else
            return _to_dialogue(session, clinic, conversation, message, before, words)
        if yes:
            return _to_dialogue(session, clinic, conversation, message, before, question.heard)
        asked = shorter(calls.last_said(session, message, (ReplyKind.REPLY.value,)))
        body = say(clinic, conversation.language, "say_it_again", question=asked)
        return Outcome("say-again", (Reply(body, ReplyKind.SYSTEM),), _open(conversation, before))
    if question.slot == "text_details" and yes is not None:
        body = say(clinic, conversation.language, "details_sent" if yes else "details_not_sent")
        effect = _send_details(clinic, conversation, message) if yes else _open(conversation, ANYTHING_ELSE)
        return Outcome("details", (Reply(body),), effect)
    if question.slot == "anything_else" and _NOTHING_MORE.fullmatch(words):
        return Outcome("goodbye", (_goodbye(clinic, conversation, "goodbye"),))
    if question.slot in ("callback_time", "callback_number"):
        return callbacks.answer(clinic, conversation, message, question, words, yes)
    if question.slot == "right_person" and yes is not None:
        return _after_right_person(session, clinic, conversation, yes=yes)
    if question.slot == "reminder" and yes is not None:
        text = keypad.read("1" if yes else "2", question, clinic, conversation.language).words
        return Ask(text)
    return _to_dialogue(session, clinic, conversation, message, Question(), words)


def _send_details(clinic: ClinicFile, conversation: Conversation, message: Communication) -> Effect:
    def effect(session: Session) -> None:
        questions.keep(session, conversation.id, ANYTHING_ELSE)
        for visit in calls.visits_made(session, conversation):
            confirmations.queue(session, clinic, visit, phone=conversation.phone, conversation_id=conversation.id, key=message.id)

    return effect


def _after_right_person(session: Session, clinic: ClinicFile, conversation: Conversation, *, yes: bool) -> Outcome:
    """Of a visit nothing is said before somebody says that it is theirs."""
    visit = calls.reminded_visit(session, conversation) if yes else None
    if visit is None or visit.start is None:
        return Outcome("not-there", (_goodbye(clinic, conversation, "reminder_not_there"),))
    zone = clinic.zone_of(visit.location_id) if visit.location_id in clinic.locations_by_id else clinic.zone
    day, time = sending.start_in_words(visit.start, zone, conversation.language[:2])
    body = say(clinic, conversation.language, "reminder_visit", day=day, time=time)
    return Outcome("reminded", (Reply(body),), _open(conversation, Question(CALL, "reminder")))


def _open(conversation: Conversation, question: Question) -> Effect:
    def effect(session: Session) -> None:
        questions.keep(session, conversation.id, question)

    return effect


def _goodbye(clinic: ClinicFile, conversation: Conversation, sentence: str) -> Reply:
    return Reply(say(clinic, conversation.language, sentence), ReplyKind.GOODBYE)


# the dialogue's answer


def after_dialogue(session: Session, clinic: ClinicFile, conversation: Conversation, answer: DialogueAnswer) -> Outcome:
    """The dialogue's answer as one reply. Who should talk to a person is put through in the desk's hours. Reads only."""
    language = conversation.language
    if answer.handoff:
        if handoff.desk_is_open(clinic):
            return Outcome("transferred", (Reply(say(clinic, language, "transfer"), ReplyKind.TRANSFER),))
        return callbacks.ask(clinic, conversation)
    # The dialogue's own words stay in lines here: a list is made for the ear when it is spoken.
    body = "\n".join(filter(None, map(clean, answer.texts))) or say(clinic, language, "menu")
    if answer.danger:
        return Outcome("emergency", (Reply(body, ReplyKind.EMERGENCY),), _open(conversation, Question()))
    before = questions.question_of(conversation)
    question = questions.read(answer.asked) if answer.asked is not None else before if not before.is_ours else Question()
    question = replace(question, booked=question.booked or before.booked or answer.booked)
    if _GOODBYE.search(body) and question.slot is None:
        return Outcome("goodbye", (Reply(body, ReplyKind.GOODBYE),))
    if question.booked and question.slot is None and _can_be_texted(session, conversation):
        question = Question(CALL, "text_details")
        body = f"{body} {say(clinic, language, 'ask_details')}"
    elif answer.asked == {}:
        question = ANYTHING_ELSE
        body = body if body.endswith("?") else f"{body} {say(clinic, language, 'anything_else')}"
    return Outcome("answered", (Reply(body),), _open(conversation, question))


_GOODBYE = re.compile(r"\b(?:good ?bye|bye|adi[oó]s|hasta luego)\W*$", re.IGNORECASE)


def _can_be_texted(session: Session, conversation: Conversation) -> bool:
    return conversation.phone.startswith("+") and not messaging.opted_out(session, conversation.phone)


def failed(clinic: ClinicFile, conversation: Conversation, message: Communication, reason: str) -> Outcome:
    """The dialogue is away: an honest sentence, and a task to call back."""

    def effect(session: Session) -> None:
        words = f"The assistant could not answer ({reason}) on a call. They said: {message.body}"
        note(session, conversation, message, team=team(clinic, "desk"), reason="dialogue-down", words=words, more=message.body)

    return Outcome("dialogue-down", (_goodbye(clinic, conversation, "down"),), effect)
