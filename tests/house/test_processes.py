"""Child processes: they are started again, they are stopped, and they do not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bot.processes import Child, stop


def _child(tmp_path: Path, code: str) -> Child:
    return Child("sleeper", [sys.executable, "-c", code], tmp_path, dict(os.environ), tmp_path / "logs" / "sleeper.log")


def _until(true: Callable[[], object], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_process_that_dies_is_started_again_and_that_is_said(tmp_path: Path) -> None:
    child = _child(tmp_path, "import time; time.sleep(60)")
    child.start()
    try:
        assert child.process
        assert child.look() is None
        first = child.process.pid
        child.process.kill()
        said: list[str] = []
        assert _until(lambda: (sentence := child.look()) and said.append(sentence) is None)
        assert "sleeper was ended by SIGKILL; starting it again in 1 s" in said[0]
        assert _until(lambda: child.look() is None and child.process and child.process.pid != first)
        assert child.process.poll() is None
    finally:
        stop([child])


def test_a_process_that_cannot_run_waits_longer_each_time_and_leaves_its_reason(tmp_path: Path) -> None:
    child = _child(tmp_path, "raise SystemExit('no room here')")
    child.start()
    waits = []
    for _ in range(3):
        assert child.process
        child.process.wait()
        sentence = child.look()
        assert sentence
        waits.append(sentence.split(" in ")[1].split(" s")[0])
        child.start()
    stop([child])
    assert waits == ["1", "2", "4"]
    assert child.failures == 3
    assert child.last_words() == "no room here"


def test_stopping_ends_also_what_does_not_listen_and_what_it_has_started(tmp_path: Path) -> None:
    stubborn = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
        time.sleep(60)
    """
    child = _child(tmp_path, textwrap.dedent(stubborn))
    child.start()
    assert _until(lambda: child.last_words().isdigit())
    grandchild = int(child.last_words())
    began = time.monotonic()
    stop([child], seconds=0.5)
    assert time.monotonic() - began < 5
    assert child.process
    assert child.process.poll() == -signal.SIGKILL
    assert _until(lambda: not _runs(grandchild))


def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    parent = f"""
        import os, pathlib, sys, time
        from bot.processes import Child
        child = Child("c", [sys.executable, "-c", "import time; time.sleep(60)"], pathlib.Path("."), dict(os.environ),
                      pathlib.Path({str(tmp_path / "log")!r}))
        child.start()
        print(child.process.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        assert _runs(pid)
        process.kill()
    assert _until(lambda: not _runs(pid))


def test_what_uv_has_started_ends_when_uv_is_killed_and_what_a_shell_has_started_does_not(tmp_path: Path) -> None:
    launcher = """
        import ctypes, subprocess, sys, time
        ctypes.CDLL(None).prctl(15, sys.argv[1].encode())  # PR_SET_NAME
        code = "import time; from bot.processes import end_with_launcher; end_with_launcher(); print(1, flush=True); time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        time.sleep(60)
    """
    left = {}
    for name in ("uv", "sh"):
        command = [sys.executable, "-c", textwrap.dedent(launcher), name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            left[name] = int(process.stdout.readline())
            process.kill()
    assert _until(lambda: not _runs(left["uv"]))
    assert _runs(left["sh"])
    os.kill(left["sh"], signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
