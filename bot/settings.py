"""What a process is told by its environment. Read once at the edge; everything further in gets a `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
DEMO_ACCOUNT_SID = "AC" + "0" * 32
DEMO_AUTH_TOKEN = "demo-auth-token-not-for-production"
TWILIO_API_URL = "https://api.twilio.com"


class Environment(StrEnum):
    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Envelope(StrEnum):
    """What an inquiry to a clearinghouse is wrapped in: nothing, or one of the two of the CAQH CORE Connectivity Rule."""

    PLAIN = "plain"
    SOAP = "soap"
    MIME = "mime"


class SettingsError(Exception):
    """The environment asks for something that cannot be. Its text is one sentence for the person who installs."""


@dataclass(frozen=True)
class Settings:
    """One value for each variable; addresses carry no slash at the end. Only in production can Twilio's credentials be None."""

    env: Environment
    data_dir: Path
    database_url: str
    public_url: str
    port: int
    dialogue_url: str
    actions_port: int
    clock: Path | None
    bootstrap_token: str | None
    twilio_account_sid: str | None
    twilio_auth_token: str | None
    twilio_api_url: str
    clearinghouse_url: str | None
    clearinghouse_envelope: Envelope = Envelope.PLAIN
    clearinghouse_sender: str = "FRONTDESK"
    clearinghouse_receiver: str = "CLEARINGHOUSE"
    clearinghouse_user: str | None = None
    clearinghouse_password: str | None = None
    smtp_url: str | None = None
    relay_url: str | None = None
    relay_port: int = 8081

    @staticmethod
    def from_env(environ: Mapping[str, str] | None = None) -> Settings:
        """The settings in `environ`; without it, of this process, to which `.env` of the working directory is added first.

        Raises SettingsError for a value that cannot be read and for what production refuses.
        """
        if environ is None:
            _add_dotenv()
            environ = os.environ
        read = _Reader(environ)
        env = _environment(read("FRONTDESK_ENV"))
        data_dir = Path(read("FRONTDESK_DATA") or PROJECT / "var").expanduser().absolute()
        port = _port("FRONTDESK_PORT", read("FRONTDESK_PORT") or "8080")
        clock = read("FRONTDESK_CLOCK")
        settings = Settings(
            env=env,
            data_dir=data_dir,
            database_url=_database_url(read("FRONTDESK_DATABASE_URL"), data_dir),
            public_url=_address("FRONTDESK_PUBLIC_URL", read("FRONTDESK_PUBLIC_URL") or f"http://127.0.0.1:{port}"),
            port=port,
            dialogue_url=_address("FRONTDESK_DIALOGUE_URL", read("FRONTDESK_DIALOGUE_URL") or "http://127.0.0.1:5005"),
            actions_port=_port("FRONTDESK_ACTIONS_PORT", read("FRONTDESK_ACTIONS_PORT") or "5055"),
            clock=Path(clock) if clock else None,
            bootstrap_token=read("FRONTDESK_BOOTSTRAP_TOKEN"),
            twilio_account_sid=read("TWILIO_ACCOUNT_SID") or (None if env is Environment.PRODUCTION else DEMO_ACCOUNT_SID),
            twilio_auth_token=read("TWILIO_AUTH_TOKEN") or (None if env is Environment.PRODUCTION else DEMO_AUTH_TOKEN),
            twilio_api_url=_address("FRONTDESK_TWILIO_API_URL", read("FRONTDESK_TWILIO_API_URL") or TWILIO_API_URL),
            clearinghouse_url=read("FRONTDESK_CLEARINGHOUSE_URL"),
            clearinghouse_envelope=_envelope(read("FRONTDESK_CLEARINGHOUSE_ENVELOPE")),
            clearinghouse_sender=read("FRONTDESK_CLEARINGHOUSE_SENDER") or "FRONTDESK",
            clearinghouse_receiver=read("FRONTDESK_CLEARINGHOUSE_RECEIVER") or "CLEARINGHOUSE",
            clearinghouse_user=read("FRONTDESK_CLEARINGHOUSE_USER"),
            clearinghouse_password=read("FRONTDESK_CLEARINGHOUSE_PASSWORD"),
            smtp_url=_smtp(read("FRONTDESK_SMTP_URL")),
            relay_url=_relay(read("FRONTDESK_VOICE"), read("FRONTDESK_RELAY_URL")),
            relay_port=_port("FRONTDESK_RELAY_PORT", read("FRONTDESK_RELAY_PORT") or "8081"),
        )
        if env is Environment.PRODUCTION:
            _refuse_in_production(settings)
        return settings

    def to_env(self) -> dict[str, str]:
        """The variables that tell another process of this assistant where everything is; it inherits the rest."""
        told = {
            "FRONTDESK_ENV": str(self.env),
            "FRONTDESK_DATA": str(self.data_dir),
            "FRONTDESK_DATABASE_URL": self.database_url,
            "FRONTDESK_PUBLIC_URL": self.public_url,
            "FRONTDESK_PORT": str(self.port),
            "FRONTDESK_DIALOGUE_URL": self.dialogue_url,
            "FRONTDESK_ACTIONS_PORT": str(self.actions_port),
        }
        return told | {f"{name}_FILE": "" for name in told}

    def need_twilio(self) -> None:
        """Raises SettingsError when there are no Twilio credentials: without them no request can be told from a forged one."""
        if not (self.twilio_account_sid and self.twilio_auth_token):
            raise SettingsError(
                "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are needed in production; set FRONTDESK_ENV=demo to try without Twilio"
            )


class _Reader:
    """Values by name, or from the file that NAME_FILE names. An empty value is none."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str) -> str | None:
        value, file = self._environ.get(name), self._environ.get(f"{name}_FILE")
        if value and file:
            raise SettingsError(f"{name} and {name}_FILE are both set; keep one of them")
        if not file:
            return value or None
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingsError(f"{name}_FILE names {file}, which cannot be read: {reason}") from None


def _add_dotenv() -> None:
    from dotenv import load_dotenv

    load_dotenv(Path.cwd() / ".env")  # what is set already stays
    for name in ("FRONTDESK_CLOCK", "FRONTDESK_PUBLIC_URL"):  # the core looks at these variables alone, by no other way
        if value := _Reader(os.environ)(name):
            os.environ.pop(f"{name}_FILE", None)
            os.environ[name] = value


def _environment(value: str | None) -> Environment:
    try:
        return Environment(value or Environment.PRODUCTION)
    except ValueError:
        raise SettingsError(f'FRONTDESK_ENV is "{value}"; it can be production, demo or test') from None


def _envelope(value: str | None) -> Envelope:
    try:
        return Envelope(value or Envelope.PLAIN)
    except ValueError:
        raise SettingsError(f'FRONTDESK_CLEARINGHOUSE_ENVELOPE is "{value}"; it can be plain, soap or mime') from None


def _port(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise SettingsError(f'{name} is "{value}"; it must be a port from 0 to 65535')
    return int(value)


def _address(name: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SettingsError(f'{name} is "{value}"; it must be an address that starts with http:// or https://')
    return value.rstrip("/")


def _relay(voice: str | None, url: str | None) -> str | None:
    """The address of the websocket of calls, where they are relayed; None: Twilio asks turn by turn."""
    if voice in (None, "gather"):
        return None
    if voice != "relay":
        raise SettingsError(f"FRONTDESK_VOICE is {voice}; it can be gather or relay")
    if not (url and url.startswith(("wss://", "ws://127.0.0.1"))):
        raise SettingsError("FRONTDESK_VOICE=relay needs FRONTDESK_RELAY_URL, the wss:// address by which Twilio reaches the relay")
    return url


def _smtp(value: str | None) -> str | None:
    if value and (urlsplit(value).scheme not in ("smtp", "smtps") or not urlsplit(value).hostname):
        raise SettingsError("FRONTDESK_SMTP_URL must start with smtp:// or smtps:// and name a host")  # it may hold a password
    return value


def _database_url(value: str | None, data_dir: Path) -> str:
    if not value:
        return f"sqlite:///{data_dir / 'frontdesk.db'}"
    for plain in ("postgres://", "postgresql://"):
        if value.startswith(plain):
            return "postgresql+psycopg://" + value.removeprefix(plain)
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise SettingsError("FRONTDESK_DATABASE_URL must start with postgresql+psycopg:// or sqlite:///")
    return value


def _refuse_in_production(settings: Settings) -> None:
    if settings.clock:
        raise SettingsError("FRONTDESK_CLOCK stops the clock and is refused in production")
    if settings.bootstrap_token:
        raise SettingsError("FRONTDESK_BOOTSTRAP_TOKEN is refused in production; make a token with frontdesk token new")
    if settings.twilio_auth_token == DEMO_AUTH_TOKEN:
        raise SettingsError("TWILIO_AUTH_TOKEN is the demo's, which everybody knows, and is refused in production")
