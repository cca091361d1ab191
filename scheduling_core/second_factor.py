"""What proves a person besides the password: an authenticator app (TOTP, RFC 6238), and codes on paper.

Codes are of the real time, whatever the clinic's clock says: so are the phones that show them.
"""

from __future__ import annotations

import hmac
import time

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from scheduling_core import audit
from scheduling_core.accounts import digest
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Passkey, RecoveryCode, StaffAccount

_STEP_SECONDS = 30
_STEPS_ALLOWED = (0, -1, 1)  # phones run up to half a minute ahead or behind
_CODES = 10


def has_one(session: Session, account: StaffAccount) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return account.totp_secret is not None or passkeys_of(session, account) > 0


def passkeys_of(session: Session, account: StaffAccount) -> int:
    return session.scalars(select(func.count()).select_from(Passkey).where(Passkey.account_id == account.id)).one()


def is_needed(clinic: ClinicFile, account: StaffAccount) -> bool:
    """Whether the clinic asks this account's role for one."""
    return account.role.value in clinic.console.second_factor


def new_secret() -> str:
    """A secret for an authenticator app, in base32. Nothing is kept until a code of it was shown: see `keep_secret`."""
    return pyotp.random_base32()


def uri(secret: str, *, email: str, clinic: str) -> str:
    """What the picture for the app says."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"Frontdesk {clinic}")


def keep_secret(session: Session, account: StaffAccount, secret: str, code: str, *, agent: str) -> bool:
    """Keep an app's secret when the code is one of it now; False otherwise."""
    step = _step_of(secret, code)
    if step is None:
        return False
    account.totp_secret, account.totp_step = secret, step
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"set": "authenticator app"})
    return True


def drop_secret(session: Session, account: StaffAccount, *, agent: str) -> None:
    account.totp_secret = None
    audit.record(
        session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"dropped": "authenticator app"}
    )


def take(session: Session, account: StaffAccount, code: str) -> bool:
    """Whether this code, of the app or from paper, is the account's and was never taken before. Of two at once, one is taken."""
    plain = "".join(code.split()).replace("-", "").upper()
    if len(plain) == 6 and account.totp_secret:
        step = _step_of(account.totp_secret, plain)
        return step is not None and _advance(session, account, step)
    gone = session.execute(
        delete(RecoveryCode)
        .where(
            RecoveryCode.organization_id == account.organization_id,
            RecoveryCode.account_id == account.id,
            RecoveryCode.digest == digest(plain),
        )
        .returning(RecoveryCode.digest)
    )
    return gone.first() is not None


def new_codes(session: Session, account: StaffAccount, *, agent: str) -> list[str]:
    """Ten codes for paper, 80 bits each; earlier ones are void. This is the only time that they can be seen."""
    session.execute(
        delete(RecoveryCode).where(RecoveryCode.organization_id == account.organization_id, RecoveryCode.account_id == account.id)
    )
    plain = [pyotp.random_base32(32)[:16] for _ in range(_CODES)]
    session.add_all(RecoveryCode(account_id=account.id, digest=digest(code)) for code in plain)
    audit.record(session, agent=agent, action="U", entity="StaffAccount", entity_id=account.id, detail={"set": "recovery codes"})
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in plain]


def codes_left(session: Session, account: StaffAccount) -> int:
    return session.scalars(select(func.count()).select_from(RecoveryCode).where(RecoveryCode.account_id == account.id)).one()


def _step_of(secret: str, code: str) -> int | None:
    """Which step of 30 s this code belongs to, around now."""
    plain = "".join(code.split())
    now = int(time.time()) // _STEP_SECONDS
    app = pyotp.TOTP(secret)
    return next(
        (now + off for off in _STEPS_ALLOWED if hmac.compare_digest(app.generate_otp(now + off).encode(), plain.encode())), None
    )


def _advance(session: Session, account: StaffAccount, step: int) -> bool:
    taken = session.execute(
        update(StaffAccount)
        .where(
            StaffAccount.organization_id == account.organization_id, StaffAccount.id == account.id, StaffAccount.totp_step < step
        )
        .values(totp_step=step)
        .returning(StaffAccount.id)
        .execution_options(synchronize_session=False)
    )
    return taken.first() is not None
