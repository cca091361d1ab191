"""Whether searching and explaining agree: a time is found exactly when no rule says anything against it.

python -m benchmarks.agreement [--cases 20000] [--seed 1]

Each case is a random request and start among random visits and holds, in the clinic of `tests.core.calendar.agreement`, which has
every rule.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import machine
from benchmarks.report import report
from tests.core.calendar import agreement

COMMAND = "python -m benchmarks.agreement"


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--cases", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    began = time.perf_counter()
    with machine.database("sqlite") as database, tempfile.NamedTemporaryFile("w", suffix=".clock") as clock:
        os.environ["FRONTDESK_CLOCK"] = clock.name
        tally = agreement.check(database, Path(clock.name).write_text, cases=chosen.cases, seed=chosen.seed)
    for disagreement in tally.disagreements:
        print(disagreement)
    said = ", ".join(f"{code} {number:,}" for code, number in sorted(tally.reasons.items()))
    print(f"{tally.cases:,} cases in {time.perf_counter() - began:.0f} s: {tally.free:,} free; refused by {said}")
    name = f"Cases in which searching and explaining disagree, of {tally.cases:,}"
    report(name, len(tally.disagreements), "cases", "0", not tally.disagreements, COMMAND)
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
