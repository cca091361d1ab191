"""Writes the figures of benchmarks/results.json into README.md, between its two marks: python -m benchmarks.readme"""

from __future__ import annotations

import json
import re

from benchmarks.report import RESULTS
from bot.settings import PROJECT

README = PROJECT / "README.md"
_MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main() -> None:
    figures = json.loads(RESULTS.read_text(encoding="utf-8"))
    machines = sorted({figure["machine"] for figure in figures})
    rows = [
        f"| {one['name']} | {one['value']:g} {one['unit']} | {one['goal']} {one['unit']} | {'yes' if one['holds'] else '**no**'} |"
        for one in figures
    ]
    lines = [
        "| what | measured | goal | holds |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Measured on: {'; '.join(machines)}.",
        "",
    ]
    text = README.read_text(encoding="utf-8")
    README.write_text(_MARKED.sub(lambda found: found[1] + "\n".join(lines) + found[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
