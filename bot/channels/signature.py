"""Is this request Twilio's? And is it one that Twilio sends?"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Request
from twilio.request_validator import RequestValidator

from bot.settings import Settings

_MESSAGE_SID = r"(?:SM|MM)[0-9a-fA-F]{32}"
_FORMATS = {
    "AccountSid": r"AC[0-9a-fA-F]{32}",
    "MessageSid": _MESSAGE_SID,
    "SmsMessageSid": _MESSAGE_SID,
    "SmsSid": _MESSAGE_SID,
    "CallSid": r"CA[0-9a-fA-F]{32}",
    "From": r"\+[1-9]\d{4,14}|\d{3,8}|[Aa]nonymous|",
    "To": r"\+[1-9]\d{4,14}|\d{3,8}",
    "NumMedia": r"\d{1,2}",
    "NumSegments": r"\d{1,3}",
    "SmsStatus": r"[a-z-]{2,20}",
    "MessageStatus": r"[a-z_-]{2,20}",
    "CallStatus": r"[a-z-]{2,20}",
    "ApiVersion": r"\d{4}-\d\d-\d\d",
    "Digits": r"[0-9*#A-Da-d]*|hangup",
    "Confidence": r"|\d?(?:\.\d+)?(?:[eE]-?\d+)?",
}
# The end of a free text can be cut off only into a parameter whose name sorts right behind it. These are the ones that Twilio has
# there; any other is a text cut in two.
_BEHIND = {
    "ButtonPayload", "ButtonText", "ButtonType", "ChannelInstallSid", "ChannelMetadata", "ChannelPrefix", "ChannelToAddress",
    "Forwarded", "FrequentlyForwarded", "Stability", "StirPassportToken", "StirStatus", "StirVerstat", "Timestamp",
}  # fmt: skip


def is_from_twilio(request: Request, settings: Settings) -> bool:
    """Whether the request is signed with our token for our public address, is our account's, and every parameter has Twilio's form.

    Twilio signs names and values run together, so the same signature fits other cuts: hence the exact forms, and no name twice.
    """
    if not settings.twilio_auth_token:
        return False
    form = request.form
    given = request.headers.get("X-Twilio-Signature", "")
    validator = RequestValidator(settings.twilio_auth_token)
    if not validator.validate(settings.public_url + raw_target(request), form, given):
        return False
    if any(len(values) > 1 for _, values in form.lists()):
        return False
    if form.get("AccountSid") != settings.twilio_account_sid:
        return False
    return all(_has_form(name, value) for name, value in form.items()) and not _is_cut(form.to_dict())


def raw_target(request: Request) -> str:
    """Path and query as they came over the wire: Flask's are decoded, and a genuine signature was made before that."""
    target: str = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or request.full_path.rstrip("?")
    if target.startswith("/"):
        return target
    parts = urlsplit(target)  # a proxy may send the absolute form
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _has_form(name: str, value: str) -> bool:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name):
        return False
    pattern = _FORMATS.get(name)
    return pattern is None or re.fullmatch(pattern, value) is not None


def _is_cut(form: dict[str, str]) -> bool:
    same = {form[name] for name in ("MessageSid", "SmsMessageSid", "SmsSid") if name in form}
    return len(same) > 1 or any(
        name not in _BEHIND and ("Body" < name < "From" if "Body" in form else "SpeechResult" < name < "To") for name in form
    )
