"""Who may go where in the console, as a page for people: `python -m tests.bot.console.roles` writes it anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Flask

from bot.app import close, create_app
from bot.console.access import EVERYBODY
from bot.console.shell import Console
from tests.bot.conftest import make_settings

PAGE = Path(__file__).parents[3] / "docs" / "console-roles.md"
ROLES = tuple(sorted(EVERYBODY))
_INTRODUCTION = """# Who may go where in the console

Each route of the staff console names its roles; what names none is refused. A *door* is there for who is not signed in. A *look*
only reads numbers, polls and streams; what a *page* shows is recorded. `tests/bot/console/test_roles.py` tries every route as
every role, as nobody, and as staff of another clinic, whose sessions and rows do not exist here.
"""
_KINDS = {"get": "page", "report": "page", "post": "change", "look": "look", "door": "door"}


def page(console: Console) -> str:
    """The table, in the order of the paths."""
    rows = [f"| route | kind | {' | '.join(ROLES)} |", f"| --- | --- |{' --- |' * len(ROLES)}"]
    for route in sorted(console.routes.values(), key=lambda one: (one.rule, one.method)):
        may = ["yes" if not route.may or role in route.may else "" for role in ROLES]
        rows.append(f"| `{route.method} {route.rule}` | {_KINDS[route.kind]} | {' | '.join(may)} |")
    return _INTRODUCTION + "\n" + "\n".join(rows) + "\n"


def console_of(app: Flask) -> Console:
    console: Console = app.extensions["frontdesk-console"]
    return console


def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(make_settings(Path(folder), f"sqlite:///{folder}/empty.sqlite"))
        PAGE.write_text(page(console_of(app)), encoding="utf-8")
        close(app)


if __name__ == "__main__":
    _write()
