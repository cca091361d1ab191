"""The commands of staff accounts and of the audit trail. Each imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bot.settings import Environment, Settings

if TYPE_CHECKING:
    from scheduling_core.db import Database
    from scheduling_core.seals import Head

staff = typer.Typer(help="Staff accounts.", no_args_is_help=True)
audit = typer.Typer(help="The record of who did what.", no_args_is_help=True)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The address that the account signs in with.")]
PasswordOption = Annotated[bool, typer.Option("--password", help="Ask for a password here instead of making a link.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.add_typer(staff, name="staff")
    app.add_typer(audit, name="audit")


@staff.command("add")
def add(
    email: EmailArgument,
    name: Annotated[str, typer.Option(help="As patients and colleagues read it.")],
    role: Annotated[str, typer.Option(help="scheduler, billing, clinician, manager or auditor.")],
    password: PasswordOption = False,
) -> None:
    """Make a staff account, and print the link by which its person chooses a password."""
    from scheduling_core import accounts
    from scheduling_core.models import Role

    if role not in (one.value for one in Role):
        raise typer.BadParameter(f'"{role}" is none of {", ".join(Role)}', param_hint="--role")
    chosen = Role(role)
    if chosen is Role.INTEGRATION:
        raise typer.BadParameter("integration is a role of machines; use frontdesk token new", param_hint="--role")
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
        raise typer.BadParameter(f'"{email}" is no email address', param_hint="EMAIL")
    kept = _asked_password(email) if password else None
    settings = Settings.from_env()
    with _database(settings) as database, database.transaction() as session:
        account = accounts.add_staff(session, email=email, name=name, role=chosen, agent="command-line")
        if kept:
            accounts.set_password(session, account, kept, agent="command-line")
        link = None if kept else accounts.new_link(session, account, agent="command-line")
    typer.echo(f"{account.email} can sign in as {account.role}.")
    if link:
        _say_link(settings, link)


@staff.command("reset")
def reset(email: EmailArgument) -> None:
    """Take an account's password, second factors and sessions, and print a new link."""
    from scheduling_core import accounts
    from scheduling_core.errors import NotFoundError

    settings = Settings.from_env()
    with _database(settings) as database, database.transaction() as session:
        account = accounts.by_email(session, email)
        if account is None:
            raise NotFoundError(email)
        link = accounts.reset(session, account, agent="command-line")
    typer.echo(f"{account.email} is signed out everywhere.")
    _say_link(settings, link)


@staff.command("demo", hidden=True)
def demo() -> None:
    """Make the demo's account. Never in production."""
    from bot import demo_account as account

    settings = Settings.from_env()
    if settings.env is Environment.PRODUCTION:
        raise typer.BadParameter("the demo's account is refused in production")
    with _database(settings) as database:
        account.ensure(database)


@audit.command("verify")
def verify(
    noted: Annotated[
        str | None, typer.Option(help="A seal that was kept elsewhere, as this command and the worker's log print it: NUMBER:SEAL.")
    ] = None,
) -> None:
    """Check the chain of hashes over the audit trail."""
    from scheduling_core import seals

    head = _head(noted) if noted else None
    with _database(Settings.from_env()) as database, database.reading() as session:
        found = seals.verify(session, noted=head)
    typer.echo(f"{found.rows} rows hold, {found.unsealed} wait for their seal. The seal to keep elsewhere: {found.head}")


def _head(written: str) -> Head:
    from scheduling_core.seals import Head

    number, _, seal = written.partition(":")
    if not number.isdigit() or len(seal) != 64:
        raise typer.BadParameter(f'"{written}" is no NUMBER:SEAL', param_hint="--noted")
    return Head(int(number), seal)


def _asked_password(email: str) -> str:
    from scheduling_core import accounts

    try:
        return accounts.hashed(typer.prompt("Password", hide_input=True, confirmation_prompt=True), about=email)
    except accounts.PoorPasswordError as error:
        raise typer.BadParameter(str(error), param_hint="--password") from None


def _say_link(settings: Settings, secret: str) -> None:
    typer.echo(f"Within three days, once: {settings.public_url}/console/welcome/{secret}")


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    from scheduling_core.db import Database

    opened = Database(settings.database_url)
    try:
        yield opened
    finally:
        opened.dispose()
