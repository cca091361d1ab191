"""One list of figures, benchmarks/results.json: the last measurement of each name, missed goals too."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks import machine

RESULTS = Path(__file__).parent / "results.json"


def report(name: str, value: float, unit: str, goal: str, holds: bool, command: str) -> None:
    """Print a figure and keep it in place of an earlier one of this name."""
    print(f"{name:60} {value:>10g} {unit:8} goal {goal:14} {'holds' if holds else 'MISSED'}")
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    figure = {
        "name": name,
        "value": value,
        "unit": unit,
        "goal": goal,
        "holds": holds,
        "machine": machine.description(),
        "command": command,
    }
    places = [index for index, one in enumerate(known) if one["name"] == name]
    if places:
        known[places[0]] = figure
    else:
        known.append(figure)
    fresh = RESULTS.with_suffix(".new")
    fresh.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(fresh, RESULTS)
