"""Danger to life, read by meaning: one more model over the same sentence vector, which learns from sentences of danger and of none.

It stands behind the table of words that is looked at before any model. What it finds becomes the intent `emergency`, which nothing
overrules; what it does not find is never `emergency`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from components.asked import EMERGENCY
from components.embedding import BOTH, Vector
from components.intents import STORY, IntentModel, Ranking, fit, sentences_of

# As likely as this is danger: the clinic's emergency sentence and an urgent task.
DANGER = 0.4
# And as this, where words of danger were found that are often said in harmless ways.
DANGER_WITH_WORDS = 0.05

# Who is unwell, but in no danger, wants to be seen.
_UNWELL = "book_appointment"
_YES, _NO = "danger", "none"
# Name of the model's files.
FILES = "danger"
# The mark on a message whose words the table takes for danger unless the model rules it out.
WORDS_FOUND = "alarm"

Sentences = list[tuple[str, bool]]
"""Each with whether it is danger."""


def sentences(folder: Path) -> Sentences:
    """Those of all files of a folder: lists `emergencies` and `ordinary`."""
    read = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.yml"))]
    return [(text, kind == "emergencies") for lists in read for kind in ("emergencies", "ordinary") for text in lists[kind]]


def learn(known: Sentences, vectors: Vector) -> IntentModel:
    """A model that tells danger from none. `vectors` has a row by both embeddings for each sentence.

    It is the mean of two, each over the columns of one embedding: they err apart, so that it errs less than one over both would.
    """
    texts, kinds = [text for text, _ in known], [_YES if danger else _NO for _, danger in known]
    parts = [fit(texts, kinds, own) for own in np.split(vectors, np.cumsum(BOTH[:-1]), axis=1)]
    of_vectors, of_pieces = zip(*(np.split(part.weights, [len(part.centre)], axis=1) for part in parts), strict=True)
    return replace(
        parts[0],
        centre=np.concatenate([part.centre for part in parts]),
        spread=np.concatenate([part.spread for part in parts]),
        weights=np.hstack([*of_vectors, sum(of_pieces)]) / len(parts),
        bias=sum(part.bias for part in parts) / len(parts),
    )


def chance(text: str, vector: Vector, model: IntentModel, embed: Callable[[Sequence[str]], Vector]) -> float:
    """How likely a text tells of danger, from 0 to 1: as likely as the sentence of a long text that most likely does."""
    rankings = model.rank([text], vector[np.newaxis, :])
    if len(text.split()) > STORY and (parts := sentences_of(text)):
        rankings += model.rank(parts, embed(parts))
    return max(dict(ranking)[_YES] for ranking in rankings)


def read(ranking: Ranking, likely: float, *, words_found: bool) -> Ranking:
    """The ranking with `emergency` first where there is danger, and else without it."""
    if likely >= (DANGER_WITH_WORDS if words_found else DANGER):
        return [(EMERGENCY, 1.0), *((intent, 0.0) for intent, _ in ranking if intent != EMERGENCY)]
    weights = dict(ranking)
    weights[_UNWELL] = weights.get(_UNWELL, 0.0) + weights.pop(EMERGENCY, 0.0)
    return sorted(weights.items(), key=lambda entry: -entry[1])
