"""Danger to life, read by meaning, from sentences of danger and of none.

It stands behind the table of words that is looked at before any model. What it finds becomes the intent `emergency`, which nothing
overrules; what it does not find is never `emergency`.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from components.asked import EMERGENCY
from components.embedding import BOTH, Vector
from components.intents import EMBEDDING_WEIGHT, IntentModel, Ranking, fit, sentences_of

# As likely as this is danger: the clinic's emergency sentence and an urgent task.
DANGER = 0.5
# And as this, where words of danger were found that are often said in harmless ways.
DANGER_WITH_WORDS = 0.1

# How many directions of the sentence vectors tell sentences apart, and how fast likeness falls off with distance.
_AXES, _SHARPNESS = 256, 0.7
# How freely likeness learns, and what its margin is in log odds: chosen on sentences kept apart.
_FREEDOM, _ODDS = 3.0, 2.5
# So many sentences of the intents that are no danger are enough to compare with: most are far from any.
_HARMLESS = 2500

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
    """Those of all files of a folder: lists `emergencies` and `ordinary`, and what is `made` of frames and `words`."""
    read = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.yml"))]
    written = [
        (text, kind == "emergencies") for lists in read for kind in ("emergencies", "ordinary") for text in lists.get(kind, ())
    ]
    return written + [
        (text, group["danger"]) for lists in read for group in lists.get("made", ()) for text in _made(group, lists["words"])
    ]


def _made(group: dict[str, Any], words: dict[str, list[str]]) -> Iterator[str]:
    """As many different sentences as the group counts, the same ones each time."""
    chance = random.Random(0)

    def chosen(place: re.Match[str]) -> str:
        return chance.choice(place[1].split("|") if "|" in place[1] else words[place[1]])

    made: dict[str, None] = {}
    while len(made) < group["count"]:
        made[re.sub(r"\{([^{}]+)\}", chosen, chance.choice(group["say"]))] = None
    return iter(made)


@dataclass(frozen=True)
class DangerModel:
    """Two readings of a sentence, which err apart. `said` goes by single words and by where the sentence's vectors point; the other
    by likeness to known sentences, the `examples`, each of which pulls towards danger or away from it. `axes` are the directions in
    which likeness is looked at.
    """

    said: IntentModel
    axes: npt.NDArray[np.float32]
    examples: npt.NDArray[np.float32]
    pulls: npt.NDArray[np.float32]
    lean: npt.NDArray[np.float32]

    def chances(self, texts: Sequence[str], vectors: Vector) -> npt.NDArray[np.float64]:
        """How likely each text tells of danger, from 0 to 1."""
        said = np.clip([dict(ranking)[_YES] for ranking in self.said.rank(texts, vectors)], 1e-6, 1 - 1e-6)
        placed = _place(vectors, self.said, self.axes)
        apart = (placed**2).sum(axis=1)[:, np.newaxis] + self._squares - 2 * placed @ self.examples.T
        alike = np.exp(-_SHARPNESS * np.maximum(apart, 0)) @ self.pulls + self.lean
        return 1 / (1 + np.exp(-(np.log(said / (1 - said)) + _ODDS * alike) / 2))

    @cached_property
    def _squares(self) -> npt.NDArray[np.float32]:
        squares: npt.NDArray[np.float32] = (self.examples**2).sum(axis=1)
        return squares

    def save(self, folder: Path, name: str) -> None:
        self.said.save(folder, name)
        halves = {part: getattr(self, part).astype(np.float16) for part in ("axes", "examples")}
        np.savez_compressed(folder / f"{name}-alike.npz", **halves, pulls=self.pulls, lean=self.lean)

    @classmethod
    def load(cls, folder: Path, name: str) -> "DangerModel":
        with np.load(folder / f"{name}-alike.npz") as kept:
            return cls(IntentModel.load(folder, name), **{part: kept[part].astype(np.float32) for part in kept.files})


def learn(own: Sentences, others: Sentences, vectors: Vector) -> DangerModel:
    """A model that tells danger from none, from its own sentences and those of the intents. `vectors` has a row by both embeddings
    for each, in this order.
    """
    from sklearn.svm import SVC

    known = own + others
    said = _learn_said(known, vectors)
    danger = np.array([kind for _, kind in known])
    harmless = len(own) + np.flatnonzero(~danger[len(own) :])
    some = harmless[:: max(1, len(harmless) // _HARMLESS)]
    compared = np.union1d(np.arange(len(own)), np.union1d(np.flatnonzero(danger), some))
    scaled = (vectors - said.centre) / said.spread / EMBEDDING_WEIGHT
    axes = np.linalg.eigh(scaled.T @ scaled)[1][:, : -_AXES - 1 : -1].astype(np.float32) / EMBEDDING_WEIGHT
    placed = _place(vectors[compared], said, axes)
    alike = SVC(C=_FREEDOM, gamma=_SHARPNESS).fit(placed, danger[compared])
    return DangerModel(
        said,
        axes,
        placed[alike.support_],
        alike.dual_coef_[0].astype(np.float32),
        alike.intercept_.astype(np.float32),
    )


def _place(vectors: Vector, said: IntentModel, axes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    placed: npt.NDArray[np.float32] = (vectors - said.centre) / said.spread @ axes
    return placed


def _learn_said(known: Sentences, vectors: Vector) -> IntentModel:
    """The mean of two regressions, each over the columns of one embedding: it errs less than one over both."""
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


def chance(text: str, vector: Vector, model: DangerModel, embed: Callable[[Sequence[str]], Vector]) -> float:
    """How likely a text tells of danger, from 0 to 1: as a whole, or in that of its sentences which most likely does.

    An errand around it hides danger: "Can I come in today? My throat is closing." Of many sentences one looks like danger by chance
    more often than one alone does: the odds of each are divided by their number (Bonferroni).
    """
    whole = float(model.chances([text], vector[np.newaxis, :])[0])
    if len(parts := sentences_of(text)) < 2:
        return whole
    likeliest = float(model.chances(parts, embed(parts)).max())
    return max(whole, likeliest / (likeliest + len(parts) * (1 - likeliest)))


def read(ranking: Ranking, likely: float, *, words_found: bool) -> Ranking:
    """The ranking with `emergency` first where there is danger, and else without it."""
    if likely >= (DANGER_WITH_WORDS if words_found else DANGER):
        return [(EMERGENCY, 1.0), *((intent, 0.0) for intent, _ in ranking if intent != EMERGENCY)]
    weights = dict(ranking)
    weights[_UNWELL] = weights.get(_UNWELL, 0.0) + weights.pop(EMERGENCY, 0.0)
    return sorted(weights.items(), key=lambda entry: -entry[1])
