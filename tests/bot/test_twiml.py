"""The check of TwiML sees what Twilio's Python helper lets through."""

from __future__ import annotations

import pytest

from tests.bot import twiml

GATHER = '<Gather input="dtmf speech" speechTimeout="auto" language="es-US"><Say voice="Polly.Lupe">Hola</Say></Gather>'


def test_a_question_with_a_way_on_passes() -> None:
    assert twiml.mistakes(f"<Response>{GATHER}<Redirect>/turn</Redirect></Response>", voice=True) == []
    assert twiml.mistakes("<Response/>", voice=False) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<Response/>", "ends in nothing"),
        ("<Response><Say>Bye</Say></Response>", "ends in Say"),
        (f"<Response>{GATHER}</Response>", "ends in Gather"),
        ('<Response><Gather inputs="speech"/><Hangup/></Response>', "<Gather inputs>"),
        ('<Response><Gather input="voice"/><Hangup/></Response>', 'input="voice"'),
        ('<Response><Pause length="a while"/><Hangup/></Response>', "length"),
        ("<Response><Gather><Dial>1</Dial></Gather><Hangup/></Response>", "<Dial> in <Gather>"),
        ("<Response><Speak>Hi</Speak><Hangup/></Response>", "<Speak> in <Response>"),
    ],
)
def test_what_twilio_would_refuse_or_hang_up_on_is_named(text: str, said: str) -> None:
    assert any(said in mistake for mistake in twiml.mistakes(text, voice=True))
