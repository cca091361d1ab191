"""How often somebody may try to sign in. The counts are rows: they hold over all processes of the web app, and over restarts.

A try is written down and committed before anything is compared: who guesses on many connections at once is counted all the same.
"""

from __future__ import annotations

import time

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from scheduling_core.accounts import digest
from scheduling_core.errors import SchedulingError
from scheduling_core.models import SignInFailure

WINDOW_SECONDS = 15 * 60.0
TRIES_OF_ACCOUNT = 8  # in a window, wherever they come from
TRIES_OF_ADDRESS = 40  # a clinic's people share an address


class TooManyTriesError(SchedulingError):
    """There were too many tries to sign in; wait some minutes."""

    code = "too-many-tries"


def note_try(session: Session, *, email: str, address: str) -> None:
    """Write a try down. Commit before `check` is asked."""
    now = time.time()
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.organization_id == session.info["organization"], SignInFailure.at < now - 2 * WINDOW_SECONDS
        )
    )
    session.add(SignInFailure(account=_of(email), address=_of(address), at=now))


def check(session: Session, *, email: str, address: str) -> None:
    """Raises TooManyTriesError when the tries in the window, this one counted, are too many. Accounts that do not exist count too:
    the answer does not tell which do."""
    since = time.time() - WINDOW_SECONDS
    for column, value, most in (
        (SignInFailure.account, _of(email), TRIES_OF_ACCOUNT),
        (SignInFailure.address, _of(address), TRIES_OF_ADDRESS),
    ):
        tries = select(func.count()).select_from(SignInFailure).where(column == value, SignInFailure.at > since)
        if session.scalars(tries).one() > most:
            raise TooManyTriesError


def forgive(session: Session, *, email: str) -> None:
    """The person is who they say: the tries for this account count no longer, for the address neither."""
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.organization_id == session.info["organization"], SignInFailure.account == _of(email)
        )
    )


def _of(word: str) -> str:
    return digest(word.strip().lower())
