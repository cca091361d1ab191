"""One running assistant for all journeys: starting it costs seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.processes import die_with
from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """`frontdesk up` with the clinic of the tests, on a Monday at 9:10 in Chicago. Each journey uses a number of its own."""
    with running.running(tmp_path_factory.mktemp("assistant"), CLINICS / "maple.yml") as started:
        yield started


def pytest_collection_finish(session: pytest.Session) -> None:
    """Training takes a minute of one core: it begins while other tests still run."""
    if session.config.option.collectonly or not any(item.path.is_relative_to(Path(__file__).parent) for item in session.items):
        return
    running.MODEL_CACHE.mkdir(exist_ok=True)
    training = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.cli", "train"],
        env=running.clean_environ() | {"FRONTDESK_DATA": str(running.MODEL_CACHE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with(os.getpid()),
    )
    session.config.add_cleanup(training.wait)
    session.config.add_cleanup(training.kill)
