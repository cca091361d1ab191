"""Who may import whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import PROJECT

CONTRACTS = {
    "scheduling_core": (
        "import flask",
        "import twilio",
        "import rasa_sdk",
        "import dateparser",
        "import bot.settings",
        "import actions",
    ),
    "bot": ("import actions.names", "import dateparser"),
    "actions": ("import bot.settings", "import dateparser"),
}


@pytest.mark.parametrize(("room", "line"), [(room, line) for room, lines in CONTRACTS.items() for line in lines])
def test_an_import_across_the_rooms_is_refused(room: str, line: str, tmp_path: Path) -> None:
    """The contracts of pyproject.toml, on a small copy of the rooms with one wrong import in it."""
    for package in ("scheduling_core", "bot", "actions", "actions/when"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for module in ("bot/settings.py", "actions/names.py"):
        (tmp_path / module).touch()
    (tmp_path / "actions" / "when" / "atoms.py").write_text("import dateparser\n", encoding="utf-8")
    (tmp_path / "bot" / "cli.py").write_text("import actions.names\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text((PROJECT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert _kept(tmp_path)
    (tmp_path / room / "wrong.py").write_text(f"{line}\n", encoding="utf-8")
    assert not _kept(tmp_path)


def _kept(folder: Path) -> bool:
    code = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0
