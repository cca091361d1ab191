"""Handing texts and calls to the carrier, and asking it afterwards whether it took one."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.rest.api.v2010.account.message import MessageInstance

from bot.channels.voice import twiml
from bot.channels.voice.twiml import HangUp, Prompt, Speech
from bot.settings import DEMO_ACCOUNT_SID, TWILIO_API_URL, Environment, Settings

SECONDS = 10.0  # to connect, and again for the answer
TALK = "/twilio/voice/reminder"  # asked when a call that talks is picked up
_LISTED = 50
_CLOCKS_DIFFER_BY = dt.timedelta(seconds=30)


class SendError(Exception):
    """The carrier did not take it. `permanent`: trying again is of no use. `code` is the carrier's or ours, never a text."""

    def __init__(self, code: str, *, permanent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent


class UnknownFateError(Exception):
    """The carrier may have taken it; it is to be asked before the text is sent again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Text:
    """One text to send. Numbers in E.164. `about` tells the message and the try in the address of the carrier's callbacks."""

    to: str
    from_: str
    body: str
    about: tuple[str, int] | None = None


@dataclass(frozen=True)
class Call(Text):
    """A call that says `body` in `language` and hangs up; one that `talks` asks us what to say when somebody picks up."""

    language: str = "en"
    talks: bool = False


class Sender(Protocol):
    def send(self, text: Text) -> str:
        """The carrier's id of the text. Raises SendError or UnknownFateError."""

    def find(self, text: Text, *, since: float) -> list[str]:
        """The carrier's ids of texts (or calls) like this that it took after `since` (seconds since 1970), the oldest first.

        Raises SendError when the carrier cannot be asked.
        """


class TwilioSender:
    """Twilio's REST API, or another origin with the same paths."""

    def __init__(self, settings: Settings) -> None:
        self._client = Client(
            settings.twilio_account_sid, settings.twilio_auth_token, http_client=TwilioHttpClient(timeout=SECONDS, max_retries=0)
        )
        if settings.twilio_api_url != TWILIO_API_URL:
            self._client.api.base_url = settings.twilio_api_url
        self._status_url = f"{settings.public_url}/twilio/status"
        self._talk_url = f"{settings.public_url}{TALK}"

    def send(self, text: Text) -> str:
        try:
            sent = self._create(text)
        except TwilioRestException as error:
            raise _refusal(error) from None
        except requests.ConnectTimeout:
            raise SendError("connect-timeout", permanent=False) from None
        except requests.ConnectionError as error:
            if _never_connected(error):
                raise SendError("no-connection", permanent=False) from None
            raise UnknownFateError("connection-lost") from None
        except (requests.RequestException, ValueError) as error:  # a ValueError: an answer that is no JSON
            raise UnknownFateError(type(error).__name__) from None
        if not sent.sid:
            raise UnknownFateError("no-id")
        return sent.sid

    def _create(self, text: Text) -> MessageInstance | CallInstance:
        status_url = self._status_url
        if text.about:
            status_url += "?" + urlencode({"message": text.about[0], "attempt": text.about[1]})
        if isinstance(text, Call):
            return self._call(text, status_url)
        return self._client.messages.create(to=text.to, from_=text.from_, body=text.body, status_callback=status_url)

    def _call(self, call: Call, status_url: str) -> CallInstance:
        """A machine is waited out, so that what is left on it is heard from its beginning."""
        if call.talks and call.about:
            return self._client.calls.create(
                to=call.to,
                from_=call.from_,
                url=f"{self._talk_url}?{urlencode({'message': call.about[0]})}",
                machine_detection="DetectMessageEnd",
                status_callback=status_url,
            )
        words = twiml.document(Prompt((Speech((call.body,), call.language),), HangUp()))
        return self._client.calls.create(to=call.to, from_=call.from_, twiml=words, status_callback=status_url)

    def find(self, text: Text, *, since: float) -> list[str]:
        earliest = dt.datetime.fromtimestamp(since, dt.UTC) - _CLOCKS_DIFFER_BY
        found: list[tuple[dt.datetime, str]] = []
        try:
            if isinstance(text, Call):
                for call in self._client.calls.list(to=text.to, from_=text.from_, limit=_LISTED):
                    if call.sid and call.date_created and call.date_created >= earliest:
                        found.append((call.date_created, call.sid))
            else:
                for sent in self._client.messages.list(to=text.to, from_=text.from_, date_sent_after=earliest, limit=_LISTED):
                    if sent.sid and sent.body == text.body and sent.date_created and sent.date_created >= earliest:
                        found.append((sent.date_created, sent.sid))
        except (TwilioRestException, requests.RequestException, ValueError) as error:
            raise SendError(f"cannot-ask-{type(error).__name__}", permanent=False) from None
        return [sid for _, sid in sorted(found)]


class DemoCarrier:
    """Where there is no Twilio: every text has arrived once it is sent, and is seen on the phone page."""

    def send(self, text: Text) -> str:
        return f"SM{uuid.uuid4().hex}"

    def find(self, text: Text, *, since: float) -> list[str]:
        return []


def create_sender(settings: Settings) -> Sender:
    if has_demo_carrier(settings):
        return DemoCarrier()
    return TwilioSender(settings)


def has_demo_carrier(settings: Settings) -> bool:
    """Demo and test without an account of Twilio's and without a stand-in for its API."""
    return (
        settings.env is not Environment.PRODUCTION
        and settings.twilio_account_sid == DEMO_ACCOUNT_SID
        and settings.twilio_api_url == TWILIO_API_URL
    )


def _refusal(error: TwilioRestException) -> SendError | UnknownFateError:
    code = str(error.code or error.status)
    if error.status == 429 or error.status == 503:
        return SendError(code, permanent=False)  # Twilio says so before it takes a text
    if error.status >= 500:
        return UnknownFateError(code)
    return SendError(code, permanent=error.status not in (401, 403, 404, 408))  # those are our set-up's, and will be mended


def _never_connected(error: requests.ConnectionError) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
