"""How Rasa is started: its own environment, its REST channel alone, on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from bot.settings import Settings
from bot.training import DIALOGUE, dialogue_environ, dialogue_python


def command(settings: Settings, model: Path) -> tuple[list[str], Path, dict[str, str]]:
    """The command, its working folder and its environment. Writes the addresses of this run into the data folder for it."""
    address = urlsplit(settings.dialogue_url)
    folder = settings.data_dir / "dialogue"
    folder.mkdir(parents=True, exist_ok=True)
    endpoints = folder / "endpoints.yml"
    endpoints.touch(mode=0o600)
    endpoints.write_text(json.dumps(_endpoints(settings, folder), indent=2), encoding="utf-8")  # JSON is YAML
    arguments = [
        *(str(dialogue_python()), "-m", "serve", "--port", str(address.port or 5005)),
        *("--model", str(model), "--endpoints", str(endpoints), "--credentials", str(DIALOGUE / "credentials.yml")),
    ]
    return arguments, DIALOGUE, dialogue_environ() | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def _endpoints(settings: Settings, folder: Path) -> dict[str, object]:
    return {
        "action_endpoint": {"url": f"http://127.0.0.1:{settings.actions_port}/webhook"},
        "tracker_store": _tracker_store(settings.database_url, folder),
    }


def _tracker_store(database_url: str, folder: Path) -> dict[str, object]:
    """Open forms outlive a kill: in a file of their own, or in our PostgreSQL, which SQLAlchemy 1.4 reaches by psycopg2."""
    if database_url.startswith("sqlite"):
        database = f"sqlite:///{folder / 'trackers.db'}"
    else:
        database = "postgresql+psycopg2://" + database_url.split("://", 1)[1]
    return {"type": "trackers.RecentTurns", "database": database}
