"""What all processes of the assistant keep in memory together, after conversations: proportional set size.

python -m benchmarks.memory
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import report
from tests.conftest import CLINICS
from tests.journeys import assistant as running

COMMAND = "python -m benchmarks.memory"
_CONVERSATIONS = 20
_TEXTS = (
    "Hi",
    "What are your hours?",
    "I need an appointment next week",
    "Rosa Benchmark, 05/12/1984",
    "Tuesday morning",
    "Thanks",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running.running(Path(folder), CLINICS / "maple.yml") as assistant:
        for _ in range(_CONVERSATIONS):
            phone = assistant.new_phone()
            for text in _TEXTS:
                assistant.text(phone, text)
        sizes = {" ".join(process.cmdline()[-2:]): process.memory_full_info().pss for process in assistant.processes()}
    for command, size in sizes.items():
        print(f"  {size / 1e6:6.0f} MB  ...{command[-60:]}")
    whole = sum(sizes.values()) / 1e9
    report("Memory of all processes together", round(whole, 2), "GB", "1.5 or less", whole <= 1.5, COMMAND)


if __name__ == "__main__":
    main()
