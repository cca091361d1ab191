"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 5_000_000
_HEALTHY_SECONDS = 60.0
_LONGEST_WAIT = 30.0
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel kills the child the moment `parent` is gone, however it went. Linux alone can promise that.

    Start such a child from the main thread: the kernel watches the thread, not the process.
    """

    def _ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)  # the parent went before the kernel was asked

    return _ask_the_kernel


class CannotRunError(Exception):
    """What was asked for cannot run here and now. Its text is one sentence for the person at the terminal."""


def end_with_launcher() -> None:
    """When `uv run` started this process and is killed, this process is asked to end: nobody else would know of it any more.

    Another parent may go before us, as a shell does that started us in the background.
    """
    launcher = os.getppid()
    name = Path(f"/proc/{launcher}/comm")
    if not name.exists() or name.read_text(encoding="utf-8").strip() != "uv":
        return

    def _watch() -> None:
        while os.getppid() == launcher:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=_watch, daemon=True).start()


@dataclass
class Child:
    """One process to keep alive: what to run, where it logs, and how it has fared."""

    name: str
    command: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    start_again_at: float | None = field(default=None)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children in order
                preexec_fn=die_with(os.getpid()),
            )
        self.started = time.monotonic()
        self.start_again_at = None

    def look(self) -> str | None:
        """Starts the process again when its wait is over. A sentence when it was found ended, once; else None."""
        now = time.monotonic()
        if self.start_again_at is not None:
            if now >= self.start_again_at:
                self.start()
            return None
        status = self.process.poll() if self.process else None
        if status is None:
            return None
        self._end_group(signal.SIGKILL)
        self.failures = 1 if now - self.started > _HEALTHY_SECONDS else self.failures + 1
        wait = min(2.0 ** (self.failures - 1), _LONGEST_WAIT)
        self.start_again_at = now + wait
        return f"{self.name} {describe_end(status)}; starting it again in {wait:.0f} s (its log: {self.log})"

    def last_words(self) -> str:
        """The last line of the log, where the reason of a failed start stands; "" without one."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4000))
                lines = [line.strip() for line in log.read().decode(errors="replace").splitlines()]
        except OSError:
            return ""
        return next((line for line in reversed(lines) if line), "")

    def _end_group(self, number: signal.Signals) -> None:
        if self.process:
            try:
                os.killpg(self.process.pid, number)
            except (ProcessLookupError, PermissionError):
                return  # the group is gone


def describe_end(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def stop(children: Iterable[Child], *, seconds: float = 8.0) -> None:
    """Asks all to end, waits, and ends by force what is left, with whatever they have started."""
    alive = [child for child in children if child.process and child.process.poll() is None]
    for child in alive:
        child._end_group(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in alive:
        assert child.process
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        child._end_group(signal.SIGKILL)
        child.process.wait()
