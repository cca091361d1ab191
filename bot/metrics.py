"""Counts and seconds for operations. No label ever holds a patient's data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from scheduling_core.db import Database
from scheduling_core.models import Communication, Delivery, Direction

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._turns = Counter(
            "frontdesk_turns", "Turns taken, by channel and outcome", ["channel", "outcome"], registry=self._registry
        )
        self._seconds = Histogram(
            "frontdesk_stage_seconds", "Seconds spent, by stage", ["stage"], buckets=_SECONDS, registry=self._registry
        )
        self._refused = Counter("frontdesk_refused_webhooks", "Webhooks without a good signature", registry=self._registry)
        self._outbox = Gauge(
            "frontdesk_outbox_messages", "Outgoing messages on their way, by status", ["status"], registry=self._registry
        )

    def count_turn(self, channel: str, outcome: str) -> None:
        self._turns.labels(channel, outcome).inc()

    def count_refused(self) -> None:
        self._refused.inc()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(name).observe(time.perf_counter() - begun)

    def text(self, database: Database) -> bytes:
        """All figures in Prometheus' text form, with the depth of the outbox as it is now."""
        on_their_way = (Delivery.QUEUED, Delivery.SENDING, Delivery.UNKNOWN)
        with database.reading() as session:
            counted = (
                select(Communication.status, func.count())
                .where(Communication.direction == Direction.OUT, Communication.status.in_(on_their_way))
                .group_by(Communication.status)
            )
            depth = dict(session.execute(counted).tuples().all())
        for status in on_their_way:
            self._outbox.labels(status.value).set(depth.get(status, 0))
        return generate_latest(self._registry)
