"""The server of the tests leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

_STARTS_A_SERVER = """
import os, time
from tests import postgres
with postgres.running() as url:
    print(url, flush=True)
    time.sleep(600)
"""


def test_a_server_whose_tests_were_killed_goes_with_them() -> None:
    root = Path(__file__).parent.parent
    tests = subprocess.Popen([sys.executable, "-c", _STARTS_A_SERVER], stdout=subprocess.PIPE, text=True, cwd=root)
    assert tests.stdout
    tests.stdout.readline()
    left = psutil.Process(tests.pid).children(recursive=True)
    folder = next(Path(child.cmdline()[child.cmdline().index("-D") + 1]).parent for child in left if "-D" in child.cmdline())
    assert folder.exists()

    tests.kill()
    tests.wait()
    tests.stdout.close()

    _, alive = psutil.wait_procs(left, timeout=30)
    assert alive == []
    for _ in range(100):
        if not folder.exists():
            return
        time.sleep(0.05)
    raise AssertionError("the server's folder is still there")
