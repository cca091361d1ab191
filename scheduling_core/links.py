"""Addresses that a message may hold: the signed link to a visit's calendar file, and the room of a visit by video.

A link tells nothing of whom it is for, cannot be guessed, and ends a day after the visit.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import os
import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import idempotency, times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, Mode, SigningKey

CALENDAR = "c"  # the first part of a calendar link's path
_OPEN_AFTER = dt.timedelta(days=1)  # after the visit, so that a late opening still tells what it was
_ID_BYTES, _HOUR_BYTES, _MAC_BYTES = 16, 3, 10  # 80 bits of the HMAC, the least that RFC 2104 advises
_HOUR = 3600


def calendar_link(session: Session, visit: Appointment) -> str | None:
    """Where the visit's calendar file is had without a password; None unless FRONTDESK_PUBLIC_URL is one that a phone opens: https.

    Moved visits keep their UID, so that the file behind an older link says how the visit stands now.
    """
    address = os.environ.get("FRONTDESK_PUBLIC_URL", "").rstrip("/")
    if not address.startswith("https://") or visit.end is None or not re.fullmatch(r"[0-9a-f]{32}", visit.id):
        return None
    hours = -(-int((visit.end + _OPEN_AFTER).timestamp()) // _HOUR)
    said = bytes.fromhex(visit.id) + hours.to_bytes(_HOUR_BYTES, "big")
    token = base64.urlsafe_b64encode(said + _mac(_key(session), said)).rstrip(b"=").decode()
    return f"{address}/{CALENDAR}/{token}"


def visit_of(session: Session, token: str) -> Appointment | None:
    """The visit that a calendar link is for; None when the link was not made here or has ended."""
    key = _known_key(session)
    if key is None or not re.fullmatch(r"[A-Za-z0-9_-]{39}", token):
        return None
    try:
        whole = base64.urlsafe_b64decode(token + "=")
    except binascii.Error:
        return None
    said, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, said)):
        return None
    if times.now().timestamp() >= int.from_bytes(said[_ID_BYTES:], "big") * _HOUR:
        return None
    return session.scalars(select(Appointment).where(Appointment.id == said[:_ID_BYTES].hex())).one_or_none()


def video_link(session: Session, clinic: ClinicFile, visit: Appointment) -> str | None:
    """Where a visit by video takes place, the same for patient and practitioner however often it moves; None where none is."""
    if clinic.video is None or visit.mode is not Mode.VIDEO:
        return None
    room = hmac.digest(_key(session), b"video:" + visit.id.encode(), hashlib.sha256)
    return clinic.video.link.replace("{room}", base64.b32encode(room[:_MAC_BYTES]).decode().lower())


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"calendar:" + said, hashlib.sha256)[:_MAC_BYTES]


def _key(session: Session) -> bytes:
    """The key of this clinic's links, made by who asks first."""
    if (known := _known_key(session)) is not None:
        return known
    fresh = secrets.token_hex(32)
    idempotency.insert_unless_there(session, SigningKey, name=_NAME, key=fresh, created_at=times.now())
    made = _known_key(session)
    assert made
    return made


def _known_key(session: Session) -> bytes | None:
    found = session.scalars(select(SigningKey.key).where(SigningKey.name == _NAME)).first()
    return bytes.fromhex(found) if found else None


_NAME = "links"
