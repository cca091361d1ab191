"""Callbacks promised while the database was away: kept in a file until they can become tasks."""

from __future__ import annotations

import fcntl
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Response
from sqlalchemy.exc import SQLAlchemyError

from bot.outcomes import team
from scheduling_core import calls, handoff
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database

log = logging.getLogger(__name__)
_RETRY_SECONDS = 5.0

View = Callable[[], Response]
Survives = Callable[[View], View]  # what makes of a route one that owes a callback where the database is away


@dataclass(frozen=True)
class _Debt:
    call_id: str
    phone: str


class Owed:
    """One line of JSON a call, in the data folder. A thread empties the file whenever there is something in it.

    Several processes may share the file: each locks it to write to it, and none while it waits for the database.
    """

    def __init__(self, data_dir: Path, database: Database) -> None:
        self._file = data_dir / "owed-callbacks.jsonl"
        self._database = database
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        if self._file.exists():
            self._pay_later()

    def add(self, *, call_id: str, phone: str) -> None:
        """Keep that this caller is to be called back. The same call twice is one task."""
        with self._locked(), self._file.open("ab") as file:
            line = json.dumps({"call": call_id, "phone": phone})
            file.write(f"\n{line}\n".encode())  # a line before it that was torn stays apart from it
        self._pay_later()

    def pay(self) -> bool:
        """Make tasks of what is owed; False where the database is still away, or more was added meanwhile."""
        with self._locked():
            paid = self._read()
        if not paid:
            return True
        try:
            with self._database.transaction() as session:
                desk = team(current(session), "desk")
                for debt in _debts(paid):
                    call = calls.find(session, debt.call_id)
                    handoff.open_task(
                        session,
                        team=desk,
                        reason="call-back",
                        description="Call back: they called while the assistant was down, and were promised a call.",
                        phone=call.phone if call else debt.phone,
                        conversation_id=call.conversation_id if call else None,
                        key=f"owed:{debt.call_id}",
                    )
        except (SQLAlchemyError, NotLoadedError):
            return False
        with self._locked():
            if self._read() != paid:
                return False  # paying the same again makes no second task
            self._file.unlink(missing_ok=True)
        return True

    def _read(self) -> bytes:
        return self._file.read_bytes() if self._file.exists() else b""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the file, among all threads and processes."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _pay_later(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._pay_until_done, name="owed", daemon=True)
                self._thread.start()

    def _pay_until_done(self) -> None:
        waiting = threading.Event()
        while True:
            self.pay()
            with self._starting:
                if not self._file.exists():
                    self._thread = None  # what is added from now on starts another
                    return
            waiting.wait(_RETRY_SECONDS)


def _debts(lines: bytes) -> Iterator[_Debt]:
    """What the lines tell. One that is torn is told of in the log by its number, for there may be a patient's number in it."""
    for number, line in enumerate(lines.splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            debt = _Debt(told["call"], told["phone"])
            if not (isinstance(debt.call_id, str) and isinstance(debt.phone, str)):
                raise TypeError(type(told))
        except (ValueError, KeyError, TypeError):
            log.error("line %d of the owed callbacks cannot be read", number)
            continue
        yield debt
