"""Train the dialogue model: python -m train --out FILE.tar.gz --domain DIR --data DIR --config FILE [--memory DIR]

Run in bot/dialogue with its own environment. Prints a line a step; exit status 1 with a one-line reason when nothing was trained.
Nothing is asked of the network. The same sources give the same reading; with --memory only new sentences cost much time.
"""

import argparse
import contextlib
import importlib
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


class CannotTrain(Exception):
    """What is wrong with the sources, in one line."""


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--out", type=Path, required=True, help="the model file to write, .tar.gz")
    wanted.add_argument("--domain", type=Path, required=True)
    wanted.add_argument("--data", type=Path, required=True)
    wanted.add_argument("--config", type=Path, required=True)
    wanted.add_argument("--memory", type=Path, help="a folder where vectors are kept for the next training")
    given = wanted.parse_args()
    began = time.monotonic()

    terminal = sys.stdout

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:3.0f} s] {text}", file=terminal, flush=True)

    try:
        # Rasa's progress bars and its libraries' deprecation warnings are nobody's business here.
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
            sources = {"domain": given.domain, "data": given.data, "config": given.config}
            train(given.out, **sources, memory=given.memory, scratch=Path(scratch), say=say)
    except Exception as trouble:
        print(f"train: {' '.join(str(trouble).split()) or type(trouble).__name__}", file=sys.stderr)
        return 1
    return 0


def train(
    out: Path, *, domain: Path, data: Path, config: Path, memory: Path | None, scratch: Path, say: Callable[[str], None]
) -> None:
    """Write the model to `out`, replacing it only when it is whole. Raises CannotTrain, or what Rasa finds wrong."""
    for source in (domain, data, config):
        if not source.exists():
            raise CannotTrain(f"{source} does not exist")
    os.environ.update(
        RASA_TELEMETRY_ENABLED="false",
        RASA_CACHE_DIRECTORY=str(scratch / "cache"),
        RASA_MAX_CACHE_SIZE="0",
        MPLCONFIGDIR=str(scratch),
    )
    say("starting Rasa")
    importlib.import_module("lean")  # before Rasa
    import rasa.model_training
    from components.embedding import Memory, embed_many
    from components.graph import DangerReader, SentenceEmbedding
    from rasa.shared.importers.importer import TrainingDataImporter

    SentenceEmbedding.memory = Memory(memory, "vectors", embed_many) if memory else None
    DangerReader.memory = Memory(memory, "red-flag-vectors", embed_many) if memory else None
    DangerReader.sentences = data / "red_flags"
    _show_progress(say)
    importer = TrainingDataImporter.load_from_config(str(config), str(domain), [str(data)])
    sentences = importer.get_nlu_data()
    said = [example.get("intent") for example in sentences.intent_examples if example.get("text")]
    _check_intents(in_data=set(said), in_domain=set(importer.get_domain().intents))
    say(f"read {len(said)} sentences of {len(set(said))} intents")

    complaints = io.StringIO()
    try:
        with contextlib.redirect_stdout(complaints):
            result = rasa.model_training.train(
                str(domain), str(config), [str(data)], output=str(scratch), force_training=True, fixed_model_name="model"
            )
    except SystemExit as leaving:
        raise CannotTrain(complaints.getvalue() or "Rasa gave up") from leaving
    if result.model is None:
        raise CannotTrain(complaints.getvalue() or "Rasa wrote no model")
    out.parent.mkdir(parents=True, exist_ok=True)
    whole = out.with_name(out.name + ".new")
    whole.write_bytes(Path(result.model).read_bytes())
    whole.replace(out)
    say(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)")


def _check_intents(in_data: set[str], in_domain: set[str]) -> None:
    from rasa.shared.core.constants import DEFAULT_INTENTS

    if unknown := in_data - in_domain:
        raise CannotTrain(f"sentences of intents that the domain does not name: {', '.join(sorted(unknown))}")
    if empty := in_domain - in_data - set(DEFAULT_INTENTS):
        raise CannotTrain(f"intents of the domain without a sentence: {', '.join(sorted(empty))}")


def _show_progress(say: Callable[[str], None]) -> None:
    class Progress(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    ours = logging.getLogger("components")
    ours.setLevel(logging.INFO)
    ours.addHandler(Progress())


if __name__ == "__main__":
    sys.exit(main())
