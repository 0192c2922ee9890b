"""Counters of the server in Prometheus' form, `GET /metrics`.

No label has a value that an asker chooses, so that the number of series stays as it is.

Source: prometheus.io/docs/practices/naming and prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any, Literal, get_args

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from index.errors import IndexingError
from qa.errors import QAError
from qa.interfaces.api.question_queue import QuestionQueue
from qa.state.upload_jobs import FileStatus

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TENTHS = tuple(tenth / 10 for tenth in range(1, 11))
_STAGES = ("wait", "retrieve", "read", "decide", "total")
_DOORS = ("http", "openai", "mcp", "slack", "webhook", "teams")
_CERTAINTIES = ("sure", "likely", "none")
_TURNED_AWAY = ("busy", "gone", "failed")

log = logging.getLogger("uvicorn.error")


class Metrics:
    """Counters of one server, in a registry of their own; may be used from several threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._answers = Counter(
            "quoted_answers",
            "Answers given, by the door and by their certainty; none is a refusal.",
            ("door", "certainty"),
            registry=self._registry,
        )
        self._confidence = Histogram(
            "quoted_answer_confidence",
            "Confidence of answers and of what was refused.",
            buckets=_TENTHS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "quoted_question_stage_seconds",
            "Time of the stages of a question; wait is that for its turn.",
            ("stage",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._turned_away = Counter(
            "quoted_questions_turned_away",
            "Questions without an answer: too busy, the client has gone, or an error of ours.",
            ("why",),
            registry=self._registry,
        )
        self._slack = Counter(
            "quoted_slack_messages",
            "Messages of Slack that are finished, by their outcome.",
            ("outcome",),
            registry=self._registry,
        )
        self.index = IndexSize(self._registry)
        Gauge("quoted_info", "Version.", ("version",), registry=self._registry).labels(
            version("quoted-qa")
        ).set(1)
        self._show_zeros()

    def answered(self, door: str, answer: Mapping[str, Any]) -> None:
        """Count the JSON of an answer."""
        self._answers.labels(door, answer["certainty"]).inc()
        # What needs no reading, like a greeting or a list of documents, has no confidence.
        if answer["passages_read"]:
            self._confidence.observe(answer["confidence"])
        for stage, milliseconds in answer["timings_ms"].items():
            if stage in _STAGES:
                self._stages.labels(stage).observe(milliseconds / 1000)

    def waited(self, seconds: float) -> None:
        """Count the wait of a question for its turn (see `QueueObserver`)."""
        self._stages.labels("wait").observe(seconds)

    def turned_away(self, why: Literal["busy", "gone", "failed"]) -> None:
        """Count a question that has got no answer."""
        self._turned_away.labels(why).inc()

    def slack_finished(self, outcome: str) -> None:
        """Count a message of Slack that is finished."""
        self._slack.labels(outcome).inc()

    def watch(self, questions: QuestionQueue) -> None:
        """Show the length of the queue of questions."""
        lengths = Gauge(
            "quoted_questions",
            "Questions that wait for their turn and that are being answered.",
            ("state",),
            registry=self._registry,
        )
        lengths.labels("waiting").set_function(lambda: questions.waiting)
        lengths.labels("running").set_function(lambda: questions.running)

    def count_uploads(self, file_counts: Callable[[], Mapping[str, int]]) -> None:
        """Show the files of all upload jobs by their status, counted when somebody looks."""

        def counted() -> Mapping[str, int]:
            return dict.fromkeys(get_args(FileStatus), 0) | dict(file_counts())

        self._registry.register(
            _Counted(
                "quoted_upload_files", "Files of upload jobs by their status.", "status", counted
            )
        )

    def count_slack(self, unfinished: Callable[[], int]) -> None:
        """Show the messages of Slack that are not finished, counted when somebody looks."""
        self._registry.register(
            _Counted(
                "quoted_slack_unfinished_messages",
                "Messages of Slack that wait or are in work.",
                "state",
                lambda: {"unfinished": unfinished()},
            )
        )

    def text(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self._registry)

    def _show_zeros(self) -> None:
        """Create the series of all known labels: one that appears late has no first increase."""
        for door in _DOORS:
            for certainty in _CERTAINTIES:
                self._answers.labels(door, certainty)
        for stage in _STAGES:
            self._stages.labels(stage)
        for why in _TURNED_AWAY:
            self._turned_away.labels(why)


class IndexSize:
    """Generation and size of the index that is served."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._generation = Gauge(
            "quoted_index_generation", "Generation of the index, 0 for none.", registry=registry
        )
        self._documents = Gauge("quoted_index_documents", "Indexed documents.", registry=registry)
        self._passages = Gauge("quoted_index_passages", "Indexed passages.", registry=registry)

    def set(self, generation: int, documents: int, passages: int) -> None:
        """Note what is served now."""
        self._generation.set(generation)
        self._documents.set(documents)
        self._passages.set(passages)


class _Counted(Collector):
    """Gauge whose series are counted in a database when it is read; none while that is busy."""

    def __init__(
        self, name: str, help_text: str, label: str, count: Callable[[], Mapping[str, int]]
    ) -> None:
        self._name, self._help, self._label, self._count = name, help_text, label, count

    def describe(self) -> Iterable[Metric]:
        """Return the name alone, so that nothing is counted when it is registered."""
        return [GaugeMetricFamily(self._name, self._help, labels=(self._label,))]

    def collect(self) -> Iterable[Metric]:
        """Return the series."""
        family = GaugeMetricFamily(self._name, self._help, labels=(self._label,))
        try:
            for value, count in self._count().items():
                family.add_metric((value,), count)
        except (QAError, IndexingError) as error:
            log.warning("%s cannot be counted: %s", self._name, error)
        return [family]


def metrics_router(metrics: Metrics) -> APIRouter:
    """Return the route that Prometheus reads."""
    routes = APIRouter()

    # On a thread: the databases may have to be waited for.
    @routes.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    def scrape() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return routes
