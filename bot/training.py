"""The dialogue's trained model: kept in the data folder under the hash of what it was trained from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.processes import CannotRunError, die_with
from bot.settings import PROJECT

DIALOGUE = PROJECT / "bot" / "dialogue"
_SOURCES = ("config.yml", "data", "bot/dialogue/domain", "bot/dialogue/components", "bot/dialogue/train.py", "bot/dialogue/uv.lock")
_UNFINISHED = "unfinished-"
_HEARTBEAT_SECONDS = 10.0


def dialogue_python() -> Path:
    """The interpreter of the dialogue's own environment. Raises CannotRunError where it is not installed."""
    python = DIALOGUE / ".venv" / "bin" / "python"
    if not python.exists():
        raise CannotRunError("The dialogue is not installed; install it with: uv sync --locked --project bot/dialogue")
    return python


def dialogue_environ() -> dict[str, str]:
    """The environment variables under which Rasa runs: ours, without our Python's, and nothing sent home."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return environ | {
        "RASA_TELEMETRY_ENABLED": "false",
        "SANIC_HOST": "127.0.0.1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
    }


def model_name() -> str:
    """The SHA-256 of everything that the model is made from."""
    found = hashlib.sha256()
    for source in _SOURCES:
        for file in _files(PROJECT / source):
            content = file.read_bytes()
            found.update(f"{file.relative_to(PROJECT)} {len(content)}\n".encode())
            found.update(content)
    return found.hexdigest()


def model_file(data_dir: Path) -> Path:
    return data_dir / "models" / f"{model_name()}.tar.gz"


def ensure_model(data_dir: Path, say: Callable[[str], None]) -> Path:
    """The model of the present sources, trained now unless it is there. `say` gets lines of progress.

    Raises CannotRunError when training fails. A model is moved to its name only when it is whole.
    """
    model = model_file(data_dir)
    if model.exists():
        return model
    python = dialogue_python()
    model.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(model.parent / "training.lock", say):
        if not model.exists():
            for left_over in model.parent.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left_over)
            _train(python, model, data_dir / "logs" / "train.log", say)
    return model


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix != ".pyc" and not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file


@contextmanager
def _one_at_a_time(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    with lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command trains this model already; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _train(python: Path, model: Path, log: Path, say: Callable[[str], None]) -> None:
    say("Training the dialogue model: its sources are new. This takes a few minutes, once.")
    began = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=model.parent) as folder:
        unfinished = Path(folder) / model.name
        command = [
            *(str(python), "-m", "train", "--out", str(unfinished), "--domain", str(DIALOGUE / "domain")),
            *("--data", str(PROJECT / "data"), "--config", str(PROJECT / "config.yml"), "--memory", str(model.parent)),
        ]
        with log.open("wb") as output:
            training = subprocess.Popen(
                command,
                cwd=DIALOGUE,
                env=dialogue_environ(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with(os.getpid()) if threading.current_thread() is threading.main_thread() else None,
            )
            try:
                status = _wait(training, began, say)
            finally:
                training.kill()
                training.wait()
        if status != 0 or not unfinished.exists():
            raise CannotRunError(_why_training_failed(log))
        os.replace(unfinished, model)
    say(f"The dialogue model is trained ({time.monotonic() - began:.0f} s).")


def _wait(training: subprocess.Popen[bytes], began: float, say: Callable[[str], None]) -> int:
    while True:
        try:
            return training.wait(_HEARTBEAT_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"  training, {time.monotonic() - began:.0f} s so far")


def _why_training_failed(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in text:
        return "There is no space left on the disk to train the dialogue model"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"Training the dialogue model failed: {lines[-1] if lines else 'it said nothing'} (its log: {log})"
