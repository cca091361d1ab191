"""The account that everybody knows, for trying the console. Production refuses it. What is heavy is imported where it is needed:
`frontdesk up` names the account as long as it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.settings import Environment, Settings

if TYPE_CHECKING:
    from scheduling_core.db import Database
    from scheduling_core.models import StaffAccount

EMAIL = "demo@frontdesk.example"
PASSWORD = "demo-only-not-for-patients"


def ensure(database: Database) -> None:
    """Make the account where it is missing, and set its password anew."""
    from scheduling_core import accounts
    from scheduling_core.models import Role

    with database.reading() as session:
        account = accounts.by_email(session, EMAIL)
    if account and accounts.password_holds(account.password, PASSWORD):
        return
    kept = accounts.hashed(PASSWORD)
    with database.transaction() as session:
        found = accounts.by_email(session, EMAIL) or accounts.add_staff(
            session, email=EMAIL, name="Demo Manager", role=Role.MANAGER, agent="command-line"
        )
        accounts.set_password(session, found, kept, agent="command-line")


def is_refused(account: StaffAccount, settings: Settings) -> bool:
    """Whether this is the demo's account where real patients are."""
    return settings.env is Environment.PRODUCTION and is_demo(account)


def is_demo(account: StaffAccount) -> bool:
    """It needs no second factor, which nobody could share."""
    return account.email == EMAIL
