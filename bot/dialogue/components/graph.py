"""The readers as parts of Rasa's graph: sentence to vector, vector to intents and danger, then what was asked."""

import logging
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from components import asked, danger
from components.embedding import BOTH, Memory, Vector, embed_twice
from components.intents import EACH_WEIGHT, IntentModel, Ranking, fit, read_story
from components.language import language_of

logger = logging.getLogger(__name__)

# Every event keeps its ranking, and a turn's cost grows with what the tracker holds.
KEPT_IN_RANKING = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEmbedding(GraphComponent):
    """Puts the sentence's vector on the message."""

    # Set by who trains again and again, to be spared most of the computing.
    memory: Memory | None = None

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "SentenceEmbedding":
        # The models are read at start, not at the first patient's text.
        embed_twice(["hello"])
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        _add(embed_twice(_texts(messages)), messages)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        began = time.monotonic()
        examples = training_data.training_examples
        _add((self.memory.embed if self.memory else embed_twice)(_texts(examples)), examples)
        logger.info("%d sentences made into vectors in %.0f s", len(examples), time.monotonic() - began)
        return training_data


class _Reader(GraphComponent):
    """A trained model over the sentence's vector and its pieces, in files of the name `files`."""

    files: str
    kind: type[IntentModel | danger.DangerModel]

    def __init__(
        self, model_storage: ModelStorage, resource: Resource, model: IntentModel | danger.DangerModel | None = None
    ) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._trained = model

    @classmethod
    def required_components(cls) -> list[type]:
        return [SentenceEmbedding]

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> Self:
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> Self:
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, cls.kind.load(folder, cls.files))

    @property
    def _model(self) -> Any:
        """Raises ValueError before it was trained."""
        if self._trained is None:
            raise ValueError(f"{type(self).__name__} is asked to read before it was trained")
        return self._trained

    def _keep(self, model: IntentModel | danger.DangerModel) -> Resource:
        with self._model_storage.write_to(self._resource) as folder:
            model.save(folder, self.files)
        return self._resource


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentReader(_Reader):
    """Ranks the intents of a message by its vector and its spelling."""

    files = "intents"
    kind = IntentModel

    def train(self, training_data: TrainingData) -> Resource:
        began = time.monotonic()
        examples = training_data.intent_examples
        model = fit(
            _texts(examples), [example.get(INTENT) for example in examples], _vectors(examples), widths=BOTH, weight=EACH_WEIGHT
        )
        logger.info("%d intents learned in %.0f s", len(model.intents), time.monotonic() - began)
        return self._keep(model)

    def process(self, messages: list[Message]) -> list[Message]:
        model = self._model
        for message, text, whole in zip(messages, _texts(messages), model.rank(_texts(messages), _vectors(messages)), strict=True):
            _put(message, read_story(text, whole, lambda parts: model.rank(parts, embed_twice(parts))))
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class DangerReader(_Reader):
    """Makes danger to life the intent `emergency`, and nothing else."""

    files = danger.FILES
    kind = danger.DangerModel
    # Set by who trains: the folder of its own sentences, which it learns from besides those of the intents.
    sentences: Path | None = None
    memory: Memory | None = None

    def train(self, training_data: TrainingData) -> Resource:
        if self.sentences is None:
            raise ValueError("DangerReader is to be trained without sentences")
        began = time.monotonic()
        own = danger.sentences(self.sentences)
        examples = training_data.intent_examples
        others = [(example.get(TEXT) or "", example.get(INTENT) == asked.EMERGENCY) for example in examples]
        vectors = (self.memory.embed if self.memory else embed_twice)([text for text, _ in own])
        model = danger.learn(own, others, np.vstack([vectors, _vectors(examples)]))
        logger.info("danger learned from %d sentences in %.0f s", len(own) + len(others), time.monotonic() - began)
        return self._keep(model)

    def process(self, messages: list[Message]) -> list[Message]:
        for message, text, vector in zip(messages, _texts(messages), _vectors(messages), strict=True):
            words_found = bool((message.get(METADATA) or {}).get(danger.WORDS_FOUND))
            likely = danger.chance(text, vector, self._model, embed_twice)
            _put(message, danger.read(_ranking(message), likely, words_found=words_found))
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class QuestionReader(GraphComponent):
    """Reads the ranking again in the light of the question that is open in the conversation."""

    @classmethod
    def required_components(cls) -> list[type]:
        return [DangerReader]

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "QuestionReader":
        return cls()

    def process(self, messages: list[Message], tracker: DialogueStateTracker) -> list[Message]:
        question = tracker.get_slot(REQUESTED_SLOT) if REQUESTED_SLOT in tracker.slots else None
        for message in messages:
            _put(
                message,
                asked.read(_ranking(message), message.get(TEXT) or "", question, tracker.active_loop_name)[:KEPT_IN_RANKING],
            )
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class LanguageReader(GraphComponent):
    """Marks a message with its language where the words tell it: the entity fills the slot before anything is answered."""

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> "LanguageReader":
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if language := language_of(text):
                entity = {"entity": "language", "value": language, "start": 0, "end": len(text), "extractor": type(self).__name__}
                message.set(ENTITIES, [*message.get(ENTITIES, []), entity], add_to_output=True)
        return messages


def _texts(messages: list[Message]) -> list[str]:
    return [message.get(TEXT) or "" for message in messages]


def _add(vectors: Vector, messages: list[Message]) -> None:
    for message, row in zip(messages, vectors, strict=True):
        message.add_features(Features(row[np.newaxis, :], FEATURE_TYPE_SENTENCE, TEXT, SentenceEmbedding.__name__))


def _vectors(messages: list[Message]) -> Vector:
    rows = []
    for message in messages:
        _, sentence = message.get_dense_features(TEXT)
        if sentence is None:
            raise ValueError("a message without an embedding")
        rows.append(sentence.features[0])
    return np.asarray(rows, np.float32)


def _ranking(message: Message) -> Ranking:
    return [(entry["name"], entry["confidence"]) for entry in message.get(INTENT_RANKING_KEY)]


def _put(message: Message, ranking: Ranking) -> None:
    entries = [{"name": intent, "confidence": confidence} for intent, confidence in ranking]
    message.set(INTENT, entries[0], add_to_output=True)
    message.set(INTENT_RANKING_KEY, entries, add_to_output=True)
