"""The envelopes of the CAQH CORE Connectivity Rule 2.2.0, real time: SOAP 1.2 and HTTP with MIME multipart, or none.

Both carry the same few fields beside the X12 text.
"""

from __future__ import annotations

import email.parser
import email.policy
import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bot.settings import Envelope

REQUEST, RESPONSE = "X12_270_Request_005010X279A1", "X12_271_Response_005010X279A1"
VERSION = "2.2.0"
SUCCESS = "Success"
_NAMESPACE = "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd"
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"


class EnvelopeError(Exception):
    """The envelope cannot be opened. Its text quotes no data."""


@dataclass(frozen=True)
class Message:
    """A body with its content type, ready to be sent."""

    content_type: str
    body: bytes


def fields(*, payload_type: str, payload_id: str, timestamp: str, sender: str, receiver: str) -> dict[str, str]:
    """The metadata of one message, in the order of the schema. `timestamp` is UTC, as 2026-11-16T15:10:00Z."""
    return {
        "PayloadType": payload_type,
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": timestamp,
        "SenderID": sender,
        "ReceiverID": receiver,
        "CORERuleVersion": VERSION,
    }


def wrap(
    kind: Envelope, payload: str, about: Mapping[str, str], *, user: str | None = None, password: str | None = None
) -> Message:
    """An X12 text with its metadata. `user` and `password` go into a SOAP header or into form fields."""
    if kind is Envelope.PLAIN:
        return Message("application/EDI-X12", payload.encode())
    if kind is Envelope.SOAP:
        return _soap(payload, about, user, password)
    return _mime(payload, about | ({"UserName": user, "Password": password or ""} if user else {}))


def unwrap(content_type: str, body: bytes) -> tuple[str, dict[str, str]]:
    """The X12 text of a message and its metadata, none for a plain body. Raises EnvelopeError."""
    kind = content_type.split(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return _from_parts(content_type, body)
    if kind.endswith("xml"):
        return _from_soap(body)
    return body.decode("utf-8", "replace"), {}


def _soap(payload: str, about: Mapping[str, str], user: str | None, password: str | None) -> Message:
    response = about["PayloadType"] == RESPONSE
    element = f"COREEnvelopeRealTime{'Response' if response else 'Request'}"
    header = ""
    if user:
        header = (
            f'<wsse:Security xmlns:wsse="{_SECURITY}" soapenv:mustUnderstand="true"><wsse:UsernameToken>'
            f"<wsse:Username>{escape(user)}</wsse:Username>"
            f'<wsse:Password Type="{_PASSWORD_TEXT}">{escape(password or "")}</wsse:Password>'
            "</wsse:UsernameToken></wsse:Security>"
        )
    values = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in _ordered(about, payload))
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Header>{header}</soapenv:Header>'
        f'<soapenv:Body><ns1:{element} xmlns:ns1="{_NAMESPACE}">{values}</ns1:{element}></soapenv:Body></soapenv:Envelope>'
    )
    return Message('application/soap+xml; charset=UTF-8; action="RealTimeTransaction"', body.encode())


def _ordered(about: Mapping[str, str], payload: str) -> list[tuple[str, str]]:
    """Error fields stand behind the payload."""
    errors = ("ErrorCode", "ErrorMessage")
    before = [(name, value) for name, value in about.items() if name not in errors]
    return [*before, ("Payload", payload), *((name, about[name]) for name in errors if name in about)]


def _from_soap(body: bytes) -> tuple[str, dict[str, str]]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise EnvelopeError("declares entities")  # which can be made to grow without bound
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError):
        raise EnvelopeError("is no XML") from None
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
    if "Payload" not in found and "ErrorCode" not in found:
        raise EnvelopeError("has no Payload" if "Fault" not in found else "is a SOAP fault")
    return found.pop("Payload", "").strip(), found


def _mime(payload: str, about: Mapping[str, str]) -> Message:
    boundary = f"frontdesk-{uuid.uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in _ordered(about, payload)
    ]
    return Message(f"multipart/form-data; boundary={boundary}", f"{''.join(parts)}--{boundary}--\r\n".encode())


def _from_parts(content_type: str, body: bytes) -> tuple[str, dict[str, str]]:
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("ascii", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    found: dict[str, str] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = re.search(r'name="?([A-Za-z0-9]+)"?', str(part.get("Content-Disposition", "")))
        content = part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            found[name[1]] = content.decode("utf-8", "replace").strip()
    if "Payload" not in found and "ErrorCode" not in found:
        raise EnvelopeError("has no Payload")
    return found.pop("Payload", ""), found
