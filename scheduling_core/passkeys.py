"""Passkeys (WebAuthn): a key pair on a person's device, of which the public half is kept here.

The challenge is the caller's to keep between `ask_...` and `take_...`, in a place that forgets it when it was answered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import webauthn
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from scheduling_core import accounts, audit, times
from scheduling_core.errors import NotFoundError, SchedulingError
from scheduling_core.models import Passkey, StaffAccount


class PasskeyRefusedError(SchedulingError):
    """This passkey could not be checked."""

    code = "passkey-refused"


@dataclass(frozen=True)
class Site:
    """Where passkeys hold: the host's name alone (`clinic.example`), and the whole origin (`https://clinic.example`)."""

    host: str
    origin: str


def of(session: Session, account_id: str) -> list[Passkey]:
    return list(session.scalars(select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.created_at)))


def ask_new(session: Session, account: StaffAccount, *, site: Site) -> tuple[dict[str, Any], str]:
    """What a browser needs to make a passkey, as JSON, and the challenge in base64url."""
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Frontdesk",
        user_id=account.id.encode(),
        user_name=account.email,
        user_display_name=account.name,
        exclude_credentials=_descriptors(of(session, account.id)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return json.loads(webauthn.options_to_json(options)), bytes_to_base64url(options.challenge)


def take_new(
    session: Session, account: StaffAccount, answer: dict[str, Any], *, challenge: str, name: str, site: Site, agent: str
) -> Passkey:
    """Keep the passkey that a browser made. Raises PasskeyRefusedError."""
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefusedError from error
    key = Passkey(
        id=bytes_to_base64url(verified.credential_id),
        account_id=account.id,
        name=name.strip()[:100] or "Passkey",
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        created_at=times.now(),
    )
    session.add(key)
    session.flush()
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"added": "passkey"})
    return key


def ask(session: Session, account_id: str | None, *, site: Site) -> tuple[dict[str, Any], str]:
    """What a browser needs to show a passkey, and the challenge. Without an account, any that the device knows for this site."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        allow_credentials=_descriptors(of(session, account_id)) if account_id else None,
        user_verification=UserVerificationRequirement.PREFERRED if account_id else UserVerificationRequirement.REQUIRED,
    )
    return json.loads(webauthn.options_to_json(options)), bytes_to_base64url(options.challenge)


def take(session: Session, answer: dict[str, Any], *, account_id: str | None, challenge: str, site: Site) -> StaffAccount:
    """Whose passkey this answer is. Without an account named beforehand it stands for the password too, so the device must have
    checked the person. Raises PasskeyRefusedError, also for a counter that went back: a copy of the key."""
    key = session.scalars(select(Passkey).where(Passkey.id == str(answer.get("id", "")))).one_or_none()
    if key is None or (account_id is not None and key.account_id != account_id):
        raise PasskeyRefusedError
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=account_id is None,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefusedError from error
    account = accounts.get(session, key.account_id)
    if not account.active:
        raise PasskeyRefusedError
    session.execute(
        update(Passkey)
        .where(Passkey.organization_id == key.organization_id, Passkey.id == key.id)
        .values(sign_count=verified.new_sign_count, used_at=times.now())
    )
    return account


def drop(session: Session, account: StaffAccount, passkey_id: str, *, agent: str) -> None:
    """Raises NotFoundError."""
    key = session.scalars(select(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account.id)).one_or_none()
    if key is None:
        raise NotFoundError("Passkey")
    session.delete(key)
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"dropped": "passkey"})


def _descriptors(keys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.id)) for key in keys]
