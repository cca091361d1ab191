"""A real browser before the running web app: headless Chromium over the tests' clinic on SQLite."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bot.console.sessions import COOKIE, PATH
from scheduling_core.db import Database
from tests.bot.conftest import FakeDialogue, FakeTwilio, House, running
from tests.bot.console.conftest import make_staff, sign_in

AXE = Path(__file__).parent / "axe.min.js"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
SitDown = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("No Chromium on the PATH; make test installs it on Debian and Ubuntu, as root: apt-get install chromium", False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def desk_house(sqlite_loaded: Database, dialogue: FakeDialogue, twilio: FakeTwilio, tmp_path: Path) -> Iterator[House]:
    """The web app at http://localhost:PORT, texts and all."""
    yield from running(sqlite_loaded, dialogue, twilio, tmp_path, twiml_seconds=10.0, host="localhost")


@pytest.fixture
def visitor(chromium: Browser, desk_house: House) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of its own for each call, that knows nobody; paths are relative to the house. What the page's script complains of
    fails the test."""
    contexts, complaints = [], []

    def come(**options: object) -> BrowserContext:
        context = chromium.new_context(base_url=desk_house.settings.public_url, **{"locale": "en-US"} | options)
        context.set_default_timeout(10_000)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
        contexts.append(context)
        return context

    yield come
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def at_desk(visitor: Callable[..., BrowserContext], desk_house: House) -> SitDown:
    """at_desk("scheduler"): a page of a fresh browser that is signed in as that role. `name` tells colleagues of one role apart;
    `width` is 1366 px unless given."""

    def sit_down(role: str, *, name: str | None = None, width: int = 1366, **options: object) -> Page:
        context = visitor(viewport={"width": width, "height": 768}, **options)
        cookie = sign_in(desk_house.database, make_staff(desk_house.database, role, name=name))
        context.add_cookies(
            [{"name": COOKIE, "value": cookie, "domain": "localhost", "path": PATH, "httpOnly": True, "sameSite": "Lax"}]
        )
        return context.new_page()

    return sit_down
