"""`frontdesk up`: every process of the assistant on this machine, from nothing to ready, and back to nothing."""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from bot import dialogue_server, training
from bot.demo_account import EMAIL as DEMO_EMAIL
from bot.demo_account import PASSWORD as DEMO_PASSWORD
from bot.processes import CannotRunError, Child, die_with, end_with_launcher, stop
from bot.settings import Environment, Settings

Say = Callable[[str], None]
_ROOM_BYTES = 200_000_000  # what a model, a small database and the logs need at the least
_READY_SECONDS = 240.0
_TRIES_TO_START = 3
_COMMAND = (sys.executable, "-P", "-m", "bot.cli")  # -P: what lies in the working folder is no module of ours
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopAskedFor(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


def up(*, clinic: Path, data: Path | None, port: int | None, say: Say) -> None:
    """Runs the assistant until it is asked to stop. Raises CannotRunError, SettingsError, SystemExit(2) for a bad clinic file."""
    settings = _settings(data, port)
    for number in _STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has SIGHUP ignored
            signal.signal(number, _stop)
    end_with_launcher()
    children: list[Child] = []
    try:
        _run(settings, "check", str(clinic))
        with _data_folder(settings.data_dir) as lock, _reserved_ports(settings.port) as (web_port, dialogue_port, actions_port):
            settings = replace(
                settings,
                port=web_port,
                public_url=_here(web_port) if settings.public_url == _here(settings.port) else settings.public_url,
                dialogue_url=f"http://127.0.0.1:{dialogue_port}",
                actions_port=actions_port,
            )
            environ = dict(os.environ) | settings.to_env()
            model = training.ensure_model(settings.data_dir, say)
            _start(children, settings, "dialogue", *dialogue_server.command(settings, model))
            _run(settings, "load", "--keep-edits", str(clinic))
            if settings.env is not Environment.PRODUCTION:
                _run(settings, "staff", "demo")
            say("The database is ready, the clinic file loaded.")
            for name in ("actions", "web", "worker"):
                _start(children, settings, name, [*_COMMAND, name], Path.cwd(), environ)
            _wait_until_ready(children, settings, say)
            _write_down(lock, settings)
            say(_summary(settings))
            while True:
                _look_after(children, say)
                time.sleep(0.5)
    except _StopAskedFor:
        say("Stopping.")
    except OSError as error:
        raise CannotRunError(_explain(error, settings.data_dir)) from error
    finally:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        stop(children)


def running_at(data_dir: Path) -> str | None:
    """The address of the assistant that runs over this data folder; None when none does."""
    try:
        with (data_dir / "up.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            except BlockingIOError:
                return json.loads(lock.read() or "{}").get("url")
    except (OSError, ValueError):
        return None


def _settings(data: Path | None, port: int | None) -> Settings:
    from dotenv import load_dotenv

    load_dotenv(Path.cwd() / ".env")
    if not any(
        os.environ.get(name) for name in ("FRONTDESK_ENV", "TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_FILE", "FRONTDESK_ENV_FILE")
    ):
        os.environ["FRONTDESK_ENV"] = Environment.DEMO
    if data is not None:
        os.environ["FRONTDESK_DATA"] = str(data.expanduser().absolute())
    if port is not None:
        os.environ["FRONTDESK_PORT"] = str(port)
    settings = Settings.from_env()
    settings.need_twilio()
    return settings


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)  # once is enough: stopping is under way
    raise _StopAskedFor


def _run(settings: Settings, *arguments: str) -> None:
    """One command of ours in a process of its own, so that what it imports does not stay in memory as long as `up` does."""
    done = subprocess.run(
        [*_COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        env=dict(os.environ) | settings.to_env(),
        preexec_fn=die_with(os.getpid()),
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)  # it has said on standard error what is wrong


def _start(children: list[Child], settings: Settings, name: str, command: list[str], folder: Path, environ: dict[str, str]) -> None:
    child = Child(name, command, folder, environ | {"MALLOC_ARENA_MAX": "2"}, settings.data_dir / "logs" / f"{name}.log")
    children.append(child)
    child.start()


@contextmanager
def _data_folder(folder: Path) -> Iterator[IO[str]]:
    """The data folder, made where missing, locked against another `up`. The lock goes with this process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < _ROOM_BYTES:
        raise CannotRunError(f"Less than {_ROOM_BYTES // 1_000_000} MB are free on the disk of {folder}")
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRunError(f"Another frontdesk up runs over {folder}; stop it, or name another folder with --data") from None
        lock.truncate(0)
        yield lock


@contextmanager
def _reserved_ports(web_port: int) -> Iterator[tuple[int, int, int]]:
    """Ports for the web app, the dialogue and the actions. They stay bound here, without listening, so that nobody is given them;
    the processes can listen there all the same, for they bind with SO_REUSEADDR."""
    sockets = []
    try:
        for port in (web_port, 0, 0):
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno == errno.EACCES:
                    raise CannotRunError(f"Port {port} is not allowed to this user; choose one above 1023 with --port") from None
                raise CannotRunError(f"Port {port} is in use; choose another with --port, or --port 0 for any free one") from None
        yield tuple(held.getsockname()[1] for held in sockets)  # type: ignore[misc]
    finally:
        for held in sockets:
            held.close()


def _wait_until_ready(children: list[Child], settings: Settings, say: Say) -> None:
    began = told = time.monotonic()
    while not _is_ready(settings.port):
        _look_after(children, say)
        for child in children:
            if child.failures >= _TRIES_TO_START:
                raise CannotRunError(f"The process {child.name} does not start: {child.last_words()} (its log: {child.log})")
        now = time.monotonic()
        if now - began > _READY_SECONDS:
            raise CannotRunError(
                f"The assistant was not ready after {_READY_SECONDS:.0f} s; the logs are in {settings.data_dir / 'logs'}"
            )
        if now - told >= 5:
            told = now
            say(f"  starting, {now - began:.0f} s so far")
        time.sleep(0.2)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _look_after(children: list[Child], say: Say) -> None:
    for child in children:
        if sentence := child.look():
            say(sentence)


def _write_down(lock: IO[str], settings: Settings) -> None:
    lock.seek(0)
    lock.truncate()
    json.dump({"pid": os.getpid(), "url": _here(settings.port)}, lock)
    lock.flush()


def _here(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _summary(settings: Settings) -> str:
    here = _here(settings.port)
    lines = ["", f"Frontdesk is ready at {here}", ""]
    if settings.env is not Environment.PRODUCTION:
        lines.append(f"  A phone to try it    {here}/phone/")
    lines.append(f"  The staff console    {here}/console/")
    if settings.env is not Environment.PRODUCTION:
        lines.append(f"  The demo's account   {DEMO_EMAIL}, password {DEMO_PASSWORD}")
    lines += [
        f"  FHIR R4              {here}/fhir/R4/metadata",
        f"  Texts from Twilio    POST {settings.public_url}/twilio/sms",
    ]
    if settings.env is not Environment.PRODUCTION:
        lines.append(f"  Twilio account SID   {settings.twilio_account_sid}")
        lines.append(f"  Twilio auth token    {settings.twilio_auth_token}")
    lines += [f"  Data and logs        {settings.data_dir}", "", "Ctrl-C stops it."]
    return "\n".join(lines)


def _explain(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no space left on the disk of {folder}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.filename or folder} cannot be written by this user"
    return f"{error.filename or folder}: {error.strerror or error}"
