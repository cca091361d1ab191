"""Every benchmark, one after another, then the figures into the README: python -m benchmarks.run"""

from __future__ import annotations

import subprocess
import sys

from bot.settings import PROJECT

BENCHMARKS = (
    "offers",
    "finding",
    "agreement",
    "utilisation",
    "races",
    "booking",
    "no_show",
    "overbooking",
    "waitlist",
    "filling",
    "outbox",
    "inbox",
    "week",
    "displacement",
    "storm",
    "turns",
    "memory",
    "start",
    "understanding",
    "phone_audio",
    "eligibility",
    "eligibility_answers",
)


def main() -> int:
    """The benchmarks that could not finish decide the status; a missed goal is a figure, not a failure."""
    broken = [name for name in BENCHMARKS if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=PROJECT).returncode]
    subprocess.run([sys.executable, "-m", "benchmarks.readme"], cwd=PROJECT, check=True)
    if broken:
        print(f"could not finish: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
