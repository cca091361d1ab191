"""TwiML for calls, in one place: a prompt is what is said and what comes then, and here it becomes XML.

Every document ends in a <Gather> with a <Redirect> behind it, in a <Dial>, a <Redirect> or a <Hangup>.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from twilio.twiml.voice_response import Connect, Dial, Gather, Say, SsmlProsody, VoiceResponse

TURN = "/twilio/voice/turn"
WHISPER = "/twilio/voice/whisper"
RECORDING = "/twilio/voice/recording"
TRANSCRIPT = "/twilio/voice/transcript"
SPOKEN = {"en": "en-US", "es": "es-US", "pt": "pt-BR"}
_VOICES = {"en-US": "Polly.Joanna-Neural", "es-US": "Polly.Lupe-Neural", "pt-BR": "Polly.Camila-Neural"}
_SLOW = "85%"
_RING_SECONDS = 25
_LONGEST_MESSAGE = 180  # seconds
_SILENCE_ENDS_MESSAGE = 5  # seconds


class As(StrEnum):
    """How letters and digits are read out: SSML's `interpret-as`."""

    TELEPHONE = "telephone"
    DIGITS = "digits"
    CHARACTERS = "characters"
    ADDRESS = "address"


@dataclass(frozen=True)
class Spelled:
    text: str
    interpret_as: As


@dataclass(frozen=True)
class Pause:
    milliseconds: int


Piece = str | Spelled | Pause


@dataclass(frozen=True)
class Speech:
    """Words in one language ("en", "es-US", ...)."""

    pieces: tuple[Piece, ...]
    language: str
    slow: bool = False


@dataclass(frozen=True)
class Listen:
    """Then words or keys are waited for. `seconds` of silence end it; `digits` end an entry by keys, None: # does.

    `hints` are words to expect, at most 500 of 100 letters. `interruptible`: words or keys cut what is being said.
    """

    turn: int
    seconds: int = 5
    digits: int | None = None
    hints: tuple[str, ...] = ()
    interruptible: bool = True


@dataclass(frozen=True)
class Transfer:
    """Then a number is called, and told about the caller before they are put through."""

    turn: int
    number: str
    call_id: str
    caller_id: str | None = None  # None: the caller's own number is shown


@dataclass(frozen=True)
class Record:
    """Then a message may be left; `goodbye` to who leaves none."""

    turn: int
    goodbye: Speech


@dataclass(frozen=True)
class Again:
    """Then the same turn is asked for once more."""

    turn: int
    waited: int


@dataclass(frozen=True)
class HangUp:
    pass


Then = Listen | Transfer | Record | Again | HangUp


@dataclass(frozen=True)
class Prompt:
    """What is said, one language after the other, and what comes then."""

    speech: tuple[Speech, ...]
    then: Then


def document(prompt: Prompt) -> str:
    """The prompt as TwiML."""
    response = VoiceResponse()
    then = prompt.then
    if isinstance(then, Listen):
        _listen(response, prompt.speech, then)
        return str(response)
    for speech in prompt.speech:
        response.append(_say(speech))
    if isinstance(then, Transfer):
        dial = Dial(
            action=turn_url(then.turn), method="POST", timeout=_RING_SECONDS, answer_on_bridge=True, caller_id=then.caller_id
        )
        dial.number(then.number, url=f"{WHISPER}?{urlencode({'call': then.call_id})}", method="POST")
        response.append(dial)
    elif isinstance(then, Record):
        response.record(
            action=turn_url(then.turn),
            method="POST",
            max_length=_LONGEST_MESSAGE,
            timeout=_SILENCE_ENDS_MESSAGE,
            finish_on_key="#",
            play_beep=True,
            trim="trim-silence",
            recording_status_callback=RECORDING,
            recording_status_callback_method="POST",
            transcribe=True,
            transcribe_callback=TRANSCRIPT,
        )
        response.append(_say(then.goodbye))
        response.hangup()
    elif isinstance(then, Again):
        response.redirect(f"{turn_url(then.turn)}&waited={then.waited}", method="POST")
    else:
        response.hangup()
    return str(response)


def _listen(response: VoiceResponse, speech: tuple[Speech, ...], then: Listen) -> None:
    gather = Gather(
        input="dtmf speech",
        action=turn_url(then.turn),
        method="POST",
        action_on_empty_result=True,
        barge_in=then.interruptible,
        speech_timeout="auto",
        timeout=then.seconds,
        language=spoken(speech[-1].language),
        hints=", ".join(then.hints) or None,
        num_digits=then.digits,
        speech_model="phone_call",
        enhanced=True,
        profanity_filter=False,
    )
    for one in speech:
        gather.append(_say(one))
    response.append(gather)
    response.redirect(turn_url(then.turn), method="POST")


def _say(speech: Speech) -> Say:
    language = spoken(speech.language)
    said = Say(voice=_VOICES[language], language=language)
    if not speech.slow:
        _speak(said, speech.pieces)
        return said
    slowly = SsmlProsody(rate=_SLOW)
    _speak(slowly, speech.pieces)
    said.append(slowly)
    return said


def _speak(parent: Say | SsmlProsody, pieces: tuple[Piece, ...]) -> None:
    words = ""  # of two texts in a row the library would keep the second
    for piece in pieces:
        if isinstance(piece, str):
            words += piece
            continue
        if words:
            parent.append(words)
            words = ""
        if isinstance(piece, Pause):
            parent.break_(time=f"{piece.milliseconds}ms")
        else:
            parent.say_as(piece.text, interpret_as=piece.interpret_as.value)
    if words:
        parent.append(words)


def whisper(who_and_why: Speech) -> str:
    """What the desk hears before the caller does: one key takes the call, anything else leaves it, a voicemail too."""
    response = VoiceResponse()
    gather = Gather(input="dtmf", action=f"{WHISPER}/taken", method="POST", num_digits=1, timeout=8, action_on_empty_result=True)
    gather.append(_say(who_and_why))
    response.append(gather)
    response.hangup()
    return str(response)


def connect(words: Speech) -> str:
    """The end of a whisper that was taken: where this document ends, the two are put through."""
    response = VoiceResponse()
    response.append(_say(words))
    return str(response)


def relay(prompt: Prompt, *, url: str, over: str) -> str:
    """Hand the call to ConversationRelay at this websocket, which begins with the prompt; then `over` is asked what comes next."""
    assert isinstance(prompt.then, Listen), "a relayed call begins with a question"
    language = spoken(prompt.speech[-1].language)
    response = VoiceResponse()
    connect = Connect(action=over, method="POST")
    connect.conversation_relay(
        url=url,
        welcome_greeting=" ".join(part for speech in prompt.speech for part in sentences(speech)),
        language=language,
        tts_provider="Amazon",
        voice=_VOICES[language].removeprefix("Polly."),
        interruptible="any",
        dtmf_detection=True,
        hints=", ".join(prompt.then.hints) or None,
    )
    response.append(connect)
    return str(response)


def sentences(speech: Speech) -> list[str]:
    """The words alone, a sentence each, digits apart so that any voice reads them one by one."""
    words = "".join(
        " " if isinstance(piece, Pause) else " ".join(piece.text) if isinstance(piece, Spelled) else piece
        for piece in speech.pieces
    )
    return re.split(r"(?<=[.?!:])\s+", " ".join(words.split()))


def turn_url(turn: int) -> str:
    return f"{TURN}?{urlencode({'turn': turn})}"


def spoken(language: str) -> str:
    """The language as a voice is named: English where there is no voice of ours for it."""
    return SPOKEN.get(language[:2].lower(), SPOKEN["en"])
