"""Read sentences with a trained model: python -m parse MODEL.tar.gz < LINES > LINES

Run in bot/dialogue with its own environment. In: {"id", "text"} a line, and "alarm" true
where the table of red flags asks for a second look. Out: {"id", "intent", "confidence", "ranking"} a line, the
ranking being the best three as [intent, confidence]. It reads as the served pipeline does outside any conversation, without
server, database or Rasa itself.
"""

import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from components import danger
from components.embedding import embed_twice
from components.intents import IntentModel, Ranking, read_story

FALLBACK = "nlu_fallback"
BATCH = 64


def load(model_file: Path) -> tuple[IntentModel, danger.DangerModel, float, float]:
    """The classifiers of intents and of danger in a model file, and the fallback's two thresholds: least confidence, least lead."""
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(model_file) as packed:
        packed.extractall(scratch, filter="data")
        [intents], [dangers] = Path(scratch).rglob("intents.npz"), Path(scratch).rglob(f"{danger.FILES}.npz")
        metadata = json.loads((Path(scratch) / "metadata.json").read_text(encoding="utf-8"))
        nodes = metadata["predict_schema"]["nodes"].values()
        [fallback] = [node["config"] for node in nodes if node["uses"].endswith("FallbackClassifier")]
        models = IntentModel.load(intents.parent), danger.DangerModel.load(dangers.parent, danger.FILES)
        return *models, fallback["threshold"], fallback["ambiguity_threshold"]


Line = tuple[str, bool]
"""A text, and whether the table of red flags asks for a second look at it."""


def read(
    lines: Sequence[Line], model: IntentModel, dangers: danger.DangerModel, *, least: float, least_lead: float
) -> Iterator[Ranking]:
    """The ranking of each text, the fallback first where the model is not sure enough."""
    for start in range(0, len(lines), BATCH):
        batch = [text for text, _ in lines[start : start + BATCH]]
        vectors = embed_twice(batch)
        for (text, alarm), vector, whole in zip(lines[start : start + BATCH], vectors, model.rank(batch, vectors), strict=True):
            story = read_story(text, whole, lambda parts: model.rank(parts, embed_twice(parts)))
            ranking = danger.read(story, danger.chance(text, vector, dangers, embed_twice), words_found=alarm)
            unsure = ranking[0][1] < least or ranking[0][1] - ranking[1][1] < least_lead
            yield [(FALLBACK, least), *ranking] if unsure else ranking


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    model, dangers, least, least_lead = load(Path(sys.argv[1]))
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    texts = [(str(line["text"]), bool(line.get(danger.WORDS_FOUND))) for line in lines]
    rankings = read(texts, model, dangers, least=least, least_lead=least_lead)
    for line, ranking in zip(lines, rankings, strict=True):
        best = [(intent, round(confidence, 4)) for intent, confidence in ranking[:3]]
        print(json.dumps({"id": line["id"], "intent": best[0][0], "confidence": best[0][1], "ranking": best}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
