"""Callbacks promised while the database was away: kept in a file until they can become tasks."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.outcomes import team
from scheduling_core import handoff
from scheduling_core.clinic_file.loading import NotLoadedError, current
from scheduling_core.db import Database

log = logging.getLogger(__name__)
_RETRY_SECONDS = 5.0


class Owed:
    """One line of JSON a call, in the data folder. A thread empties the file whenever there is something in it."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        self._file = data_dir / "owed-callbacks.jsonl"
        self._database = database
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        if self._file.exists():
            self._pay_later()

    def add(self, *, call_id: str, phone: str) -> None:
        """Keep that this caller is to be called back. The same call twice is one task."""
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"call": call_id, "phone": phone}) + "\n")
                file.flush()
        self._pay_later()

    def pay(self) -> bool:
        """Make tasks of what is owed; False where the database is still away."""
        with self._lock:
            if not self._file.exists():
                return True
            lines = self._file.read_text(encoding="utf-8").splitlines()
            try:
                with self._database.transaction() as session:
                    desk = team(current(session), "desk")
                    for line in lines:
                        debt = json.loads(line)
                        handoff.open_task(
                            session,
                            team=desk,
                            reason="call-back",
                            description="Call back: they called while the assistant was down, and were promised a call.",
                            phone=debt["phone"],
                            key=f"owed:{debt['call']}",
                        )
            except (SQLAlchemyError, NotLoadedError):
                return False
            self._file.unlink()
            return True

    def _pay_later(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._pay_until_done, name="owed", daemon=True)
            self._thread.start()

    def _pay_until_done(self) -> None:
        waiting = threading.Event()
        while not self.pay():
            waiting.wait(_RETRY_SECONDS)
