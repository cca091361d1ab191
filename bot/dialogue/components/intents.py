"""What a sentence wants: logistic regression over its embedding and its pieces (words, word pairs, character runs)."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.words import plain

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Ranking = list[tuple[str, float]]

# The embedding says what is meant, the pieces how it is spelled; the weights were chosen on sentences kept apart.
EMBEDDING_WEIGHT = 1.2
# Of each of two embeddings.
EACH_WEIGHT = 0.65
STRENGTH = 80.0
# A piece found in fewer sentences is left out.
SELDOM = 2
# 1 would make a sentence of a small intent weigh as much more as its intent is smaller, 0 makes all sentences alike.
BALANCE = 0.2
OUT_OF_SCOPE = "out_of_scope"
# Out of scope counts as likely as this of what it looks: to refuse what is ours costs more than to ask about what is not.
REFUSAL = 0.6


def pieces(text: str) -> Counter[str]:
    """Words, word pairs and runs of three and four characters inside words, each with how often it occurs."""
    words = "".join(letter if letter.isalnum() or letter in "'?" else " " for letter in plain(text).replace("?", " ? ")).split()
    counts = Counter(f"w {word}" for word in words)
    counts.update(f"p {first} {second}" for first, second in zip(["^", *words], [*words, "$"], strict=True))
    for word in words:
        edged = f" {word} "
        counts.update(edged[start : start + size] for size in (3, 4) for start in range(len(edged) - size + 1))
    return counts


@dataclass(frozen=True)
class IntentModel:
    """A trained classifier. `weights` has a row for each intent; its columns are the embedding's, then the pieces'."""

    intents: list[str]
    vocabulary: dict[str, int]
    rarity: npt.NDArray[np.float32]
    centre: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def rank(self, texts: Sequence[str], embeddings: npt.NDArray[np.float32]) -> list[Ranking]:
        """All intents with their probabilities, best first, for each text."""
        width = embeddings.shape[1]
        scores = (embeddings - self.centre) / self.spread @ self.weights[:, :width].T + self.bias
        for row, text in enumerate(texts):
            columns, values = _weigh(text, self.vocabulary, self.rarity)
            scores[row] += self.weights[:, width + columns] @ values
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        return [[(self.intents[place], float(row[place])) for place in np.argsort(-row, kind="stable")] for row in scores]

    def save(self, folder: Path, name: str = "intents") -> None:
        np.savez_compressed(
            folder / f"{name}.npz",
            rarity=self.rarity,
            centre=self.centre,
            spread=self.spread,
            weights=self.weights.astype(np.float16),
            bias=self.bias,
        )
        names = json.dumps({"intents": self.intents, "pieces": list(self.vocabulary)})
        (folder / f"{name}.json").write_text(names, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, name: str = "intents") -> "IntentModel":
        names = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{name}.npz") as kept:
            arrays = {name: kept[name].astype(np.float32) for name in kept.files}
        return cls(intents=names["intents"], vocabulary={piece: place for place, piece in enumerate(names["pieces"])}, **arrays)


def fit(
    texts: Sequence[str],
    intents: Sequence[str],
    embeddings: npt.NDArray[np.float32],
    *,
    widths: Sequence[int] = (),
    weight: float = EMBEDDING_WEIGHT,
) -> IntentModel:
    """A model of the sentences; the same sentences give the same model.

    `widths` says how many columns are by each of several embeddings, each of which has the `weight`; not given, all are by one.
    """
    found_in = Counter(piece for text in texts for piece in pieces(text))
    vocabulary = {piece: place for place, piece in enumerate(sorted(piece for piece, n in found_in.items() if n >= SELDOM))}
    rarity = np.array([1 + np.log((1 + len(texts)) / (1 + found_in[piece])) for piece in vocabulary], np.float32)
    centre = embeddings.mean(axis=0)
    # Each embedding counts alike, however far apart its vectors lie.
    each = np.split(embeddings - centre, np.cumsum(widths[:-1], dtype=int), axis=1)
    spread = np.concatenate([np.full(one.shape[1], np.sqrt((one**2).sum(axis=1).mean()) / weight, np.float32) for one in each])

    names = sorted(set(intents))
    wanted = np.zeros((len(texts), len(names)), np.float32)
    wanted[np.arange(len(texts)), [names.index(intent) for intent in intents]] = 1
    weights, bias = _regress(
        (embeddings - centre) / spread,
        _spelled(texts, vocabulary, rarity),
        wanted / wanted.sum(axis=0) ** BALANCE,
    )
    if OUT_OF_SCOPE in names:
        bias[names.index(OUT_OF_SCOPE)] += np.log(REFUSAL)
    return IntentModel(names, vocabulary, rarity, centre, spread, weights, bias)


def _regress(
    dense: npt.NDArray[np.float32], sparse: "csr_matrix", wanted: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Multinomial logistic regression by L-BFGS: weights (intents, features) and bias. A row of `wanted` has its sentence's weight
    at the sentence's intent. Several times faster than a general one, because the dense and the sparse features stay apart."""
    from scipy.optimize import minimize

    wanted = wanted * (len(wanted) / wanted.sum())
    importance = wanted.sum(axis=1, keepdims=True)
    width, pieces_known, intents = dense.shape[1], sparse.shape[1], wanted.shape[1]
    turned = sparse.T.tocsr()

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        table = flat.astype(np.float32).reshape(-1, intents)
        scores = dense @ table[:width] + sparse @ table[width:-1] + table[-1]
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        sums = chances.sum(axis=1, keepdims=True)
        missed = float((importance * np.log(sums)).sum() - (wanted * scores).sum())
        errors = chances / sums * importance - wanted
        slope = np.concatenate([dense.T @ errors, turned @ errors, errors.sum(axis=0, keepdims=True)])
        slope[:-1] += table[:-1] / STRENGTH
        return missed + float((table[:-1] ** 2).sum()) / (2 * STRENGTH), slope.ravel().astype(np.float64)

    start = np.zeros((width + pieces_known + 1) * intents)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-5})
    table = found.x.astype(np.float32).reshape(-1, intents)
    return table[:-1].T.copy(), table[-1].copy()


def _spelled(texts: Sequence[str], vocabulary: dict[str, int], rarity: npt.NDArray[np.float32]) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    weighed = [_weigh(text, vocabulary, rarity) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(columns) for columns, _ in weighed])
    values = np.concatenate([values for _, values in weighed])
    return csr_matrix((values, (rows, np.concatenate([columns for columns, _ in weighed]))), shape=(len(texts), len(vocabulary)))


def _weigh(
    text: str, vocabulary: dict[str, int], rarity: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The columns of the text's known pieces and their weights, of length 1 together."""
    known = [(vocabulary[piece], count) for piece, count in pieces(text).items() if piece in vocabulary]
    columns = np.array([column for column, _ in known], np.int64)
    values = np.array([1 + np.log(count) for _, count in known], np.float32) * rarity[columns]
    length = float(np.sqrt((values**2).sum()))
    return columns, values / length if length else values


# A text longer than this many words tells a story, and what is wanted stands in one of its sentences.
STORY = 40
# Read of a story: how it begins, and above all how it ends.
_FIRST, _LAST = 3, 7
# A sentence of a story counts when it is this sure to want something.
_SURE_ENOUGH = 0.35
# What a sentence says without wanting anything.
_WANTS_NOTHING = frozenset(
    [
        *(
            "affirm",
            "bot_challenge",
            "confirm_visit",
            "deny",
            "dont_know",
            "goodbye",
            "greet",
            "inform",
            "maybe",
            "mention_existing",
        ),
        *("no_preference", "out_of_scope", "repeat", "select", "stop", "thank", "wrong_correction", "wrong_number"),
    ]
)


def read_story(text: str, whole: Ranking, rank: Callable[[list[str]], list[Ranking]]) -> Ranking:
    """The ranking of the sentence of a long text that most surely wants something, of two the later; else of the `whole`."""
    parts = sentences_of(text) if len(text.split()) > STORY else []
    rankings = rank(parts) if parts else []
    sure = [(ranking[0][1], place) for place, ranking in enumerate(rankings) if ranking[0][0] not in _WANTS_NOTHING]
    best, place = max(sure, default=(0.0, 0))
    return rankings[place] if best >= _SURE_ENOUGH else whole


def sentences_of(text: str) -> list[str]:
    """Those of three words or more; of a long story the first and the last."""
    found = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", text) if len(part.split()) > 2]
    return found if len(found) <= _FIRST + _LAST else [*found[:_FIRST], *found[-_LAST:]]
