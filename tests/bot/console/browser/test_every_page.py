"""What holds for every page of the console: nothing in the way of anybody's senses or hands, and light enough to come at once."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.bot.console.browser.conftest import AXE, SitDown


def hindrances(page: Page) -> list[str]:
    """The serious and critical findings of axe-core on a page, a line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
    return [
        f"{violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def test_the_first_page(at_desk: SitDown):
    page = at_desk("scheduler")
    page.goto("/console/")
    assert hindrances(page) == []
