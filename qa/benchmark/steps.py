"""Steps whose cost is measured in a collection of one size after the other."""

from __future__ import annotations

import http
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.ingestion.report import Reporter
from index.models.encoder import Encoder
from index.search.index_cache import SegmentCache
from index.store.derivation import derive
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import Reader
from qa.benchmark.collection import (
    PER_DOCUMENT,
    Sentence,
    Writer,
    fill,
    random_sentences,
    sentences_of,
)
from qa.benchmark.processes import Memory, Server, run, serving
from qa.bootstrap import pipeline_over
from qa.library.documents import index_paths
from qa.settings import Settings

MOST_ENCODED = 128
"""Most passages that are encoded, and indexed from files: a tenth of the smallest collection."""
ROUNDS = 5
"""Times that a document is added; a process is started and a document deleted less often."""
FEW_ROUNDS = 3
WARM_QUESTIONS = 2
PAUSE_SECONDS = 0.2
"""Pause of an asker whom the server turned away."""
TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds of a step in a collection of `size` passages, one value a repetition.

    `cpu` holds the processor seconds of this process, empty for steps of other processes. `rate`
    is passages or questions a second, None for a step that is not counted so.
    """

    step: str
    size: int
    wall: tuple[float, ...]
    cpu: tuple[float, ...] = ()
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that a collection of `size` passages takes: on the disk, and of a server's memory."""

    size: int
    database: int
    derived: int
    memory: Memory


@dataclass
class Benchmark:
    """Measurements so far; `text` says of what the passages are made."""

    text: str
    seed: int
    steps: list[Measurement] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the collection in passages, ascending; askers at once; questions and seconds."""

    sizes: Sequence[int]
    askers: Sequence[int]
    questions: int
    seconds: float
    paths: Sequence[Path] = ()
    seed: int = 0


class _Clock:
    """Repetitions of a step, timed."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the seconds of the block."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def of(self, step: str, size: int, count: int | None = None) -> Measurement:
        """Return the measurement of a step, of `count` things each time."""
        rate = None if count is None else count * len(self.wall) / sum(self.wall)
        return Measurement(step, size, tuple(self.wall), tuple(self.cpu), rate)


def measure(
    plan: Plan,
    settings: Settings,
    encoder: Encoder,
    reader: Reader,
    say: Callable[[str], None],
) -> Benchmark:
    """Measure all steps in the data directory of `settings`, which is filled.

    Raises StoreError or ServerFailed.
    """
    real = sentences_of(plan.paths)
    pool = real or random_sentences(plan.seed)
    benchmark = Benchmark("sentences of the given files" if real else "random words", plan.seed)
    say("encode, index")
    count = max(PER_DOCUMENT, min(MOST_ENCODED, plan.sizes[0] // 10))
    benchmark.steps += _encoding(encoder, pool, settings, count, plan.seed)
    before = 0
    with Store(settings.data) as store:
        store.claim_model(settings.model, encoder.card.fingerprint)
        # A process that is killed here leaves a half-filled store: it is only for figures.
        writer = Writer(store, settings.data / "files", pool, encoder.card.dimension, plan.seed)
        for size in plan.sizes:
            say(f"{size:,} passages: fill")
            fill(store, writer, before, size)
            before = size
            with store.writing():
                store.relate_versions()
            say(f"{size:,} passages: measure")
            benchmark.steps += _compacting(settings.data, size)
            benchmark.steps += _asking(plan, settings, encoder, reader, writer, size)
            benchmark.steps += _changing(store, writer, settings.data, size)
            steps, memory = _serving(plan, settings.data, writer, size)
            benchmark.steps += steps
            benchmark.footprints.append(_footprint(settings.data, size, memory))
    return benchmark


def _encoding(
    encoder: Encoder, pool: Sequence[Sentence], settings: Settings, count: int, seed: int
) -> list[Measurement]:
    """Encode `count` passages, and index files of them in a data directory of their own."""
    folder = settings.data / "apart"
    with Store(folder / "data") as store:
        writer = Writer(store, folder / "files", pool, encoder.card.dimension, seed + 1)
        texts = [writer.passage().text for _ in range(count)]
    encoder.encode_passages(texts[:8])
    encoding, indexing = _Clock(), _Clock()
    with encoding.timed():
        encoder.encode_passages(texts)
    for number in range(count // PER_DOCUMENT):
        path = folder / "files" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(texts[number * PER_DOCUMENT :][:PER_DOCUMENT]), "utf-8")
    with indexing.timed():
        summary = index_paths(
            replace(settings, data=folder / "data"), encoder, [folder / "files"], Reporter()
        )
    chunks = sum(each.chunks for each in summary.outcomes)
    return [encoding.of("encode", 0, count), indexing.of("index", 0, chunks)]


def _compacting(data: Path, size: int) -> list[Measurement]:
    """Write the derived files anew with all that was added, and open them."""
    compacting, opening = _Clock(), _Clock()
    with compacting.timed():
        derive(data)
    for _ in range(FEW_ROUNDS):
        with opening.timed(), closing(SqliteSnapshot(data, save_derived=False)) as snapshot:
            snapshot.load()
    return [compacting.of("compact", size), opening.of("open", size)]


def _asking(
    plan: Plan, settings: Settings, encoder: Encoder, reader: Reader, writer: Writer, size: int
) -> list[Measurement]:
    """Retrieve and read in this process, and ask in a new one."""
    retrieving, asking, reading = _Clock(), _Clock(), []
    snapshot = SqliteSnapshot(settings.data, save_derived=False)
    with closing(snapshot):
        pipeline = pipeline_over(snapshot, settings, encoder, reader)
        _warm(pipeline, writer)
        for _ in range(plan.questions):
            question = writer.question()
            with retrieving.timed():
                pipeline.search(question, top_k=settings.top_k)
            with asking.timed():
                answer = pipeline.ask(question)
            reading.append(answer.timings_ms.get("read", 0.0) / 1000)
    cold = tuple(run(settings.data, "ask", writer.question()) for _ in range(FEW_ROUNDS))
    return [
        retrieving.of("retrieve", size),
        Measurement("read", size, tuple(reading)),
        asking.of("ask", size),
        Measurement("ask cold", size, cold),
    ]


def _warm(pipeline: Pipeline, writer: Writer) -> None:
    for _ in range(WARM_QUESTIONS):
        pipeline.ask(writer.question())


def _changing(store: Store, writer: Writer, data: Path, size: int) -> list[Measurement]:
    """Add and delete documents, each until a reader that stays open has the new generation."""
    adding, deleting = _Clock(), _Clock()
    segments, added = SegmentCache(), list[str]()

    def catch_up() -> None:
        with closing(SqliteSnapshot(data, save_derived=False, segments=segments)) as newer:
            newer.load()

    catch_up()
    for number in range(ROUNDS):
        with adding.timed():
            with store.writing():
                added.append(writer.put(f"added/{number}.txt"))
                store.relate_versions()
            derive(data)
            catch_up()
    for document_id in added[:FEW_ROUNDS]:
        with deleting.timed():
            with store.writing():
                store.remove([document_id])
            catch_up()
    with store.writing():
        store.remove(added[FEW_ROUNDS:])
    segments.clear()
    return [adding.of("add", size), deleting.of("delete", size)]


def _serving(plan: Plan, data: Path, writer: Writer, size: int) -> tuple[list[Measurement], Memory]:
    """Ask a server with several askers at once; return its memory after that, too."""
    steps = []
    with serving(data) as server:
        for askers in plan.askers:
            questions = [[writer.question() for _ in range(200)] for _ in range(askers)]
            waits: list[float] = []
            until = time.monotonic() + plan.seconds
            threads = [
                threading.Thread(target=_ask_until, args=(server, until, each, waits))
                for each in questions
            ]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rate = len(waits) / (time.monotonic() - began)
            steps.append(Measurement(f"served, {askers}", size, tuple(waits), rate=rate))
        return steps, Memory.of(server.process)


def _ask_until(server: Server, until: float, questions: Sequence[str], waits: list[float]) -> None:
    """Ask one question after the other, and note how long each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
    with closing(connection):
        for question in questions:
            began = time.monotonic()
            status = 0
            while status != http.HTTPStatus.OK:
                connection.request(
                    "POST",
                    "/ask",
                    json.dumps({"question": question}),
                    {"Content-Type": "application/json"},
                )
                response = connection.getresponse()
                response.read()
                status = response.status
                if status != http.HTTPStatus.OK:
                    time.sleep(PAUSE_SECONDS)
            waits.append(time.monotonic() - began)
            if time.monotonic() > until:
                return


def _footprint(data: Path, size: int, memory: Memory) -> Footprint:
    derived = sum(path.stat().st_size for path in (data / "derived").rglob("*") if path.is_file())
    return Footprint(size, (data / "index.db").stat().st_size, derived, memory)
