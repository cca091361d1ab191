"""One running assistant for all journeys: starting it costs seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import CLINICS
from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """`frontdesk up` with the clinic of the tests, on a Monday at 9:10 in Chicago. Each journey uses a number of its own."""
    with running.running(tmp_path_factory.mktemp("assistant"), CLINICS / "maple.yml") as started:
        yield started
