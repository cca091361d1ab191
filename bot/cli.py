"""The command line. Each command imports what it needs when it runs: `frontdesk --help` must not wait for a database driver."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from bot import craft, outreach_cli, staff_cli
from bot.processes import CannotRunError
from bot.settings import PROJECT, Settings, SettingsError

if TYPE_CHECKING:
    from scheduling_core.clinic_file.schema import ClinicFile
    from scheduling_core.db import Database

OWN_CLINIC = PROJECT / "clinics" / "demo.yml"
_WEB_THREADS = 32  # a turn waits for the dialogue in one of them
Kind = TypeVar("Kind", bound=StrEnum)

app = typer.Typer(
    help="A medical scheduler by text and phone.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
database = typer.Typer(help="The database.", no_args_is_help=True)
token = typer.Typer(help="Bearer tokens for the FHIR API.", no_args_is_help=True)
handoff = typer.Typer(help="Conversations that a person has taken over.", no_args_is_help=True)
for name, group in (("db", database), ("token", token), ("handoff", handoff)):
    app.add_typer(group, name=name)
craft.add_to(app)
outreach_cli.add_to(app)
staff_cli.add_to(app)

ClinicOption = Annotated[Path, typer.Option("--clinic", help="The clinic file.")]
ClinicArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The clinic file.")]


@app.command()
def up(
    clinic: ClinicOption = OWN_CLINIC,
    data: Annotated[Path | None, typer.Option(help="The folder for the database, the model and the logs.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The web port; 0 picks a free one. [8080]")] = None,
) -> None:
    """Run the whole assistant on this machine until Ctrl-C."""
    from bot import up as whole

    whole.up(clinic=clinic, data=data, port=port, say=_say)


@app.command()
def chat(sender: Annotated[str, typer.Option("--from", help="The number that texts.")] = "+13125550142") -> None:
    """Text with the running assistant from this terminal."""
    from bot import chat as terminal

    terminal.chat(Settings.from_env(), sender=sender)


@app.command()
def check(file: ClinicArgument) -> None:
    """Explain every mistake of a clinic file by line."""
    clinic = _read_clinic(file)
    _say(f"{file}: {clinic.clinic.name}, {len(clinic.services)} services, {len(clinic.practitioners)} practitioners. No mistakes.")


@app.command()
def load(
    file: ClinicArgument,
    keep_edits: Annotated[bool, typer.Option("--keep-edits", help="Leave a clinic as it is that staff changed since.")] = False,
) -> None:
    """Bring the database in line with a clinic file; patients and visits stay."""
    from scheduling_core.clinic_file import editing, loading

    clinic = _read_clinic(file)
    settings = Settings.from_env()
    _upgrade(settings)
    with _open_database(settings) as opened, opened.transaction() as session:
        if keep_edits and editing.holds_edits_of(session, clinic):
            _say(f"The clinic was changed in the console since {file} was loaded, and stays so. To go back: frontdesk load {file}")
            return
        changes = loading.load(session, clinic, agent="load")
        for sentence in changes.sentences or ("Nothing has changed.",):
            _say(sentence)
        if changes.visits_for_staff:
            _say(f"{changes.visits_for_staff} visits need staff: see frontdesk handoff list.")


@app.command()
def web(host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1") -> None:
    """Run the web app: Twilio's webhooks, FHIR, and the pages."""
    import waitress

    from bot.app import close, create_app
    from bot.console.live import STREAMS

    settings = _settings_with_twilio()
    _log_to_standard_error()
    signal.signal(signal.SIGTERM, _end_in_order)
    made = create_app(settings)
    try:
        waitress.serve(
            made,
            host=host,
            port=settings.port,
            threads=_WEB_THREADS + STREAMS,  # open inboxes have their own, so that webhooks never wait for one of them to be closed
            connection_limit=4 * (_WEB_THREADS + STREAMS),
            asyncore_use_poll=True,  # select() knows no more than 1,024 files
            ident=None,
        )
    finally:
        close(made)


@app.command()
def worker() -> None:
    """Run the worker, which sends what waits to go out."""
    from bot import worker as sender

    settings = _settings_with_twilio()
    _log_to_standard_error()
    sender.run(settings)


@app.command("payer-simulator")
def payer_simulator(
    members: Annotated[Path | None, typer.Option(help="The members that it knows, as YAML.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on this machine; 0 picks a free one.")] = 8071,
) -> None:
    """Run an invented insurer, which answers eligibility inquiries."""
    from bot import payer_simulator as payer

    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        payer.serve(members or payer.MEMBERS, port, _say)
    except payer.MembersError as error:
        _fail(str(error), 2)


@app.command("demo-week")
def demo_week_command() -> None:
    """Fill an empty database with a busy week that never was, for looking at the console. Never in production."""
    from bot import demo_week
    from bot.settings import Environment
    from scheduling_core.clinic_file import editing, loading

    settings = Settings.from_env()
    if settings.env is Environment.PRODUCTION:
        _fail("The demo week is for trying the console. FRONTDESK_ENV is production here.", 2)
    _upgrade(settings)
    with _open_database(settings) as opened:
        with opened.transaction() as session:
            if editing.version(session) == 0:
                loading.load(session, _read_clinic(OWN_CLINIC), agent="load")
        try:
            demo_week.fill(opened, say=_say)
        except demo_week.NotEmptyError as error:
            _fail(str(error), 2)


@app.command()
def estimate(
    appointment: Annotated[str, typer.Argument(metavar="APPOINTMENT", help="The visit's id.")],
    language: Annotated[str, typer.Option(help="en or es.")] = "en",
) -> None:
    """Write the good faith estimate of a visit as a page, on standard output."""
    from bot import estimate_page
    from scheduling_core.clinic_file import loading
    from scheduling_core.eligibility import good_faith

    with _open_database(Settings.from_env()) as opened, opened.transaction() as session:
        found = good_faith.content(session, loading.current(session), appointment_id=appointment, agent="staff:command-line")
    _say(estimate_page.render(found, language))


@app.command()
def actions() -> None:
    """Run the action server, which the dialogue asks."""
    settings = Settings.from_env()
    os.execve(sys.executable, [sys.executable, "-P", "-m", "actions"], dict(os.environ) | settings.to_env())


@app.command()
def dialogue() -> None:
    """Run the dialogue server (Rasa), after training its model where that is missing."""
    from bot import dialogue_server, training

    settings = Settings.from_env()
    model = training.ensure_model(settings.data_dir, _say)
    command, folder, environ = dialogue_server.command(settings, model)
    os.chdir(folder)
    os.execve(command[0], command, environ)


@app.command()
def train() -> None:
    """Train the dialogue model if its sources have changed."""
    from bot import training

    _say(str(training.ensure_model(Settings.from_env().data_dir, _say)))


@app.command()
def understand(
    clinic: ClinicOption = OWN_CLINIC,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read and write one JSON object a line.")] = False,
) -> None:
    """Say what the assistant makes of the sentences on standard input, without a conversation."""
    from bot import training, understanding

    loaded = _read_clinic(clinic)
    try:
        sentences = understanding.read(sys.stdin, loaded, as_json=jsonl)
    except understanding.BadLineError as error:
        raise _BadFileError(str(error)) from None
    model = training.ensure_model(Settings.from_env().data_dir, _complain)
    understanding.understand(loaded, model, sentences, as_json=jsonl)


@database.command("upgrade")
def db_upgrade() -> None:
    """Create the tables, or bring them to this release."""
    _upgrade(Settings.from_env())


@token.command("new")
def token_new(
    name: Annotated[str, typer.Option(help="Who will use it.")],
    role: Annotated[str, typer.Option(help="integration, or a staff role.")] = "integration",
) -> None:
    """Print a new bearer token. It is shown this once."""
    from scheduling_core import accounts
    from scheduling_core.models import Role

    with _open_database(Settings.from_env()) as opened, opened.transaction() as session:
        made = accounts.new_token(session, name=name, role=_one_of(Role, role, "--role"), agent="command-line")
    _say(made)


@handoff.command("list")
def handoff_list() -> None:
    """The conversations that wait for a person, and the open tasks."""
    from bot import inbox

    with _open_database(Settings.from_env()) as opened, opened.transaction() as session:
        for line in inbox.waiting(session):
            _say(line)


@handoff.command("reply")
def handoff_reply(conversation: str, text: str, name: Annotated[str, typer.Option(help="Who writes.")] = "the desk") -> None:
    """Text the patient as a person; the assistant stays silent until the conversation is returned."""
    from bot import inbox

    with _open_database(Settings.from_env()) as opened, opened.transaction() as session:
        _say(inbox.reply(session, conversation_id=conversation, text=text, name=name))


@handoff.command("return")
def handoff_return(conversation: str, name: Annotated[str, typer.Option(help="Who returns it.")] = "the desk") -> None:
    """Give a conversation back to the assistant."""
    from bot import inbox

    with _open_database(Settings.from_env()) as opened, opened.transaction() as session:
        _say(inbox.give_back(session, conversation_id=conversation, name=name))


def main() -> NoReturn:
    """The console script. Status 0; 2 for wrong use or a bad file; 1 otherwise. A mistake is a line on standard error."""
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except (SettingsError, _BadFileError) as error:
        _fail(str(error), 2)
    except CannotRunError as error:
        _fail(str(error), 1)
    except typer.TyperException as error:
        _fail(_message(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has gone; nothing is left to say
        sys.exit(1)
    except Exception as error:
        if sentence := _sentence(error):
            _fail(sentence, 1)
        raise
    sys.exit(status or 0)


class _BadFileError(Exception):
    """What was given to read has mistakes, one a line."""


def _read_clinic(file: Path) -> ClinicFile:
    from scheduling_core.clinic_file import reading

    try:
        return reading.read(file)
    except reading.ClinicFileError as error:
        raise _BadFileError("\n".join(str(mistake) for mistake in error.mistakes)) from None


def _one_of(kind: type[Kind], value: str, option: str) -> Kind:
    try:
        return kind(value)
    except ValueError:
        raise typer.BadParameter(f'"{value}" is none of {", ".join(kind)}', param_hint=option) from None


def _settings_with_twilio() -> Settings:
    settings = Settings.from_env()
    settings.need_twilio()
    return settings


@contextmanager
def _open_database(settings: Settings) -> Iterator[Database]:
    from scheduling_core.db import Database

    opened = Database(settings.database_url)
    try:
        yield opened
    finally:
        opened.dispose()


def _upgrade(settings: Settings) -> None:
    from scheduling_core import migrating

    if settings.database_url.startswith("sqlite"):
        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    migrating.upgrade(settings.database_url)


def _log_to_standard_error() -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _end_in_order(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _sentence(error: Exception) -> str | None:
    """What a failure of the core or the database means at a terminal; None for one that nobody expected."""
    from sqlalchemy.exc import DBAPIError, OperationalError

    from scheduling_core.errors import SchedulingError

    if isinstance(error, SchedulingError):
        return str(error)
    if isinstance(error, DBAPIError):
        reason = str(error.orig).strip().splitlines()[0]
        if "no such table" in reason or ("relation" in reason and "does not exist" in reason):
            return "The database has no tables yet; make them with: frontdesk db upgrade"
        if isinstance(error, OperationalError):
            return f"The database does not answer: {reason}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return None


def _message(error: typer.TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(message.split()) if "\n\n" not in message else message  # help stays as it is laid out


def _fail(text: str, status: int) -> NoReturn:
    _complain(text)
    sys.exit(status)


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - whoever read has gone; what runs goes on


if __name__ == "__main__":
    main()
