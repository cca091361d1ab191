"""What a sentence wants: logistic regression over its embedding and its pieces (words, word pairs, character runs)."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.embedding import plain

Ranking = list[tuple[str, float]]

# The embedding says what is meant, the pieces how it is spelled; the weights were chosen on sentences kept apart.
EMBEDDING_WEIGHT = 0.55
STRENGTH = 4.0
SELDOM = 2


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
        scores = (embeddings - self.centre) / self.spread * EMBEDDING_WEIGHT @ self.weights[:, :width].T + self.bias
        for row, text in enumerate(texts):
            columns, values = _weigh(text, self.vocabulary, self.rarity)
            scores[row] += self.weights[:, width + columns] @ values
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        return [[(self.intents[place], float(row[place])) for place in np.argsort(-row, kind="stable")] for row in scores]

    def save(self, folder: Path) -> None:
        np.savez_compressed(
            folder / "intents.npz",
            rarity=self.rarity,
            centre=self.centre,
            spread=self.spread,
            weights=self.weights.astype(np.float16),
            bias=self.bias,
        )
        (folder / "intents.json").write_text(json.dumps({"intents": self.intents, "pieces": list(self.vocabulary)}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "IntentModel":
        names = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        with np.load(folder / "intents.npz") as kept:
            arrays = {name: kept[name].astype(np.float32) for name in kept.files}
        return cls(intents=names["intents"], vocabulary={piece: place for place, piece in enumerate(names["pieces"])}, **arrays)


def fit(texts: Sequence[str], intents: Sequence[str], embeddings: npt.NDArray[np.float32]) -> IntentModel:
    """A model of the sentences; the same sentences give the same model."""
    # Only training needs these two; serving is spared their memory.
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    found_in = Counter(piece for text in texts for piece in pieces(text))
    vocabulary = {piece: place for place, piece in enumerate(sorted(piece for piece, n in found_in.items() if n >= SELDOM))}
    rarity = np.array([1 + np.log((1 + len(texts)) / (1 + found_in[piece])) for piece in vocabulary], np.float32)
    centre = embeddings.mean(axis=0)
    spread = np.full_like(centre, np.sqrt(((embeddings - centre) ** 2).sum(axis=1).mean()))

    weighed = [_weigh(text, vocabulary, rarity) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(columns) for columns, _ in weighed])
    spelled = csr_matrix(
        (np.concatenate([values for _, values in weighed]), (rows, np.concatenate([columns for columns, _ in weighed]))),
        shape=(len(texts), len(vocabulary)),
    )
    features = hstack([csr_matrix((embeddings - centre) / spread * EMBEDDING_WEIGHT), spelled], format="csr")
    found = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=300, tol=1e-3).fit(features, list(intents))
    return IntentModel(
        intents=[str(name) for name in found.classes_],
        vocabulary=vocabulary,
        rarity=rarity,
        centre=centre,
        spread=spread,
        weights=found.coef_.astype(np.float32),
        bias=found.intercept_.astype(np.float32),
    )


def _weigh(
    text: str, vocabulary: dict[str, int], rarity: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The columns of the text's known pieces and their weights, of length 1 together."""
    known = [(vocabulary[piece], count) for piece, count in pieces(text).items() if piece in vocabulary]
    columns = np.array([column for column, _ in known], np.int64)
    values = np.array([1 + np.log(count) for _, count in known], np.float32) * rarity[columns]
    length = float(np.sqrt((values**2).sum()))
    return columns, values / length if length else values
