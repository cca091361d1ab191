"""What the figures were measured on, and the databases to measure with."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from scheduling_core import migrating
from scheduling_core.db import Database
from tests import postgres

ENGINES = ("sqlite", "postgresql")


def description() -> str:
    """Processor, cores, memory, system and Python."""
    model = next((line.split(":", 1)[1].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine())
    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{model}, {os.cpu_count()} cores, {memory} GB, {platform.system()}, Python {platform.python_version()}"


@contextlib.contextmanager
def database(engine: str) -> Iterator[Database]:
    """A fresh, migrated database on disk that loses nothing it committed: an SQLite file, or a PostgreSQL of its own."""
    if engine == "postgresql":
        with postgres.running(durable=True) as url:
            yield from _migrated(url)
        return
    folder = tempfile.mkdtemp(prefix="frontdesk-benchmark-")
    try:
        yield from _migrated(f"sqlite:///{folder}/frontdesk.sqlite")
    finally:
        shutil.rmtree(folder)


def _migrated(url: str) -> Iterator[Database]:
    migrating.upgrade(url)
    made = Database(url)
    yield made
    made.dispose()


def _cpu_lines() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
