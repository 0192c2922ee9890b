"""Objects made from settings; the only file of `qa` that names concrete classes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from index.backend import Backend
from index.lance.snapshot import LanceSnapshot
from index.models.encoder import Encoder
from index.models.encoder_conversion import check_model
from index.store.document_tags import COUNT as TAGGED
from index.store.snapshot import Snapshot, SqliteSnapshot
from index.store.sqlite import close_on_error
from qa.answer import Answer
from qa.answering.calibration import Calibration, calibrated_at, load_calibration
from qa.answering.decision import Policy
from qa.answering.languages import languages_of
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import Pipeline
from qa.answering.reading.cascade import cascade_fingerprint
from qa.answering.reading.reader import CrossEncoderReader, Reader
from qa.answering.reading.reader_conversion import CAREFUL, SHIPPED
from qa.answering.reading.reader_model import ReaderModel
from qa.answering.retrieval.retriever import HybridRetriever, Retriever
from qa.answering.retrieval.shared_retriever import SharedRetriever
from qa.answering.retrieval.source_freshness import FileHashes, SourceFreshness
from qa.conversations.conversation import Conversations, answer_in_context
from qa.errors import NoIndex
from qa.library.documents import has_index
from qa.library.stores import backend_of
from qa.settings import AUTO_READER, CALIBRATION, CAREFUL_READER, FAST_READER, Settings
from qa.state.backup import finish_restore
from qa.state.conversations import LOCAL_OWNER, ChatThreads, ConversationStore
from qa.state.database import open_state
from qa.state.feedback import FeedbackStore
from qa.state.gap_records import GapRecords
from qa.state.message_queue import MessageQueue


def load_encoder(
    settings: Settings, on_conversion: Callable[[str], None] = lambda _: None
) -> Encoder:
    """Load the embedding model of the settings. Raises ModelError."""
    return Encoder.load(
        settings.model,
        settings.cache,
        precision=settings.precision,
        deterministic=settings.deterministic,
        on_conversion=on_conversion,
    )


def load_reader(
    settings: Settings, on_conversion: Callable[[str], None] = lambda _: None
) -> Reader:
    """Load the reader of the settings. Raises ModelError."""
    if settings.reader != AUTO_READER:
        model = _reader_model(settings, settings.reader, on_conversion)
        return CrossEncoderReader(model, model.card.fingerprint)
    fast = _reader_model(settings, FAST_READER, on_conversion)
    # Only the fast reader has been measured in int8.
    others = "auto" if settings.precision == "int8" else settings.precision
    careful = _reader_model(replace(settings, precision=others), CAREFUL_READER, on_conversion)
    fingerprint = cascade_fingerprint(fast.card.fingerprint, careful.card.fingerprint)
    return CrossEncoderReader(fast, fingerprint, careful=careful)


def _reader_model(
    settings: Settings, name: str, on_conversion: Callable[[str], None]
) -> ReaderModel:
    return ReaderModel.load(
        name,
        settings.cache,
        precision=settings.precision,
        deterministic=settings.deterministic,
        on_conversion=on_conversion,
    )


def calibration_of(settings: Settings, encoder: Encoder, reader: Reader) -> Calibration | None:
    """Return the calibration of these two models, None if there is none.

    One that `qa calibrate` wrote goes before the shipped one. Raises CalibrationError.
    """
    for folder in (settings.data, SHIPPED, CAREFUL):
        calibration = load_calibration(folder / CALIBRATION)
        if calibration and calibration.fits(reader.fingerprint, encoder.card.fingerprint):
            return calibration
    return None


# Each opener has a connection of its own: the message queue commits with synchronous=FULL, which
# would slow down the conversations.


def open_conversations(settings: Settings) -> Conversations:
    """Open the conversations of the data directory, and delete those that are too old.

    Raises StoreError.
    """
    with close_on_error(open_state(settings)) as state:
        state.expire(settings.keep_days)
    return Conversations(ConversationStore(state), FeedbackStore(state), settings.keep_turns)


def open_gap_records(settings: Settings) -> GapRecords:
    """Open the questions that were asked in vain or answered wrongly. Raises StoreError."""
    return GapRecords(open_state(settings), settings.gaps)


def note_refusal(settings: Settings, answer: Answer) -> None:
    """Keep the question of a refusal by this machine's own user, where the setting says so.

    It belongs to no conversation. Raises StoreError.
    """
    # The file is neither opened nor made for nothing.
    if answer.refusal and settings.gaps == "all":
        with closing(open_state(settings)) as state:
            GapRecords(state, settings.gaps).note(LOCAL_OWNER, answer)


def open_chat_threads(settings: Settings) -> ChatThreads:
    """Open the threads of a chat service with their conversations. Raises StoreError."""
    return ChatThreads(open_state(settings))


def open_message_queue(settings: Settings) -> MessageQueue:
    """Open the queue of a chat service's messages, and delete old ones. Raises StoreError."""
    with close_on_error(open_state(settings)) as state:
        queue = MessageQueue(state)
        queue.expire()
    return queue


def load_pipeline(
    settings: Settings,
    encoder: Encoder,
    reader: Reader,
    *,
    save_derived: bool = True,
    calibrated: bool = True,
    hashes: FileHashes | None = None,
    backend: Backend | None = None,
) -> Pipeline:
    """Open a pipeline over the store's current generation.

    With `hashes` it checks whether the source files have changed; `backend` has served the
    generation before. Raises NoIndex, ModelMismatch, StoreError or CalibrationError.
    """
    if not has_index(settings):
        raise NoIndex
    opened = (backend or backend_of(settings)).open_snapshot(
        save_derived=save_derived, keep=backend is not None
    )
    with close_on_error(opened) as snapshot:
        snapshot.load()
        check_model(snapshot.model, settings.model, encoder.card.fingerprint)
        return pipeline_over(
            snapshot, settings, encoder, reader, calibrated=calibrated, hashes=hashes
        )


def pipeline_over(
    snapshot: Snapshot,
    settings: Settings,
    encoder: Encoder,
    reader: Reader,
    *,
    calibrated: bool = True,
    hashes: FileHashes | None = None,
) -> Pipeline:
    """Return a pipeline over an open snapshot.

    `calibrated` is False for a pipeline that is about to be calibrated. Raises CalibrationError.
    """
    calibration = calibration_of(settings, encoder, reader) if calibrated else None
    policy = Policy(
        calibration,
        settings.target_precision,
        settings.likely_precision,
        settings.min_confidence,
        languages=languages_of(settings.model, settings.reader_languages),
    )
    sources = None if hashes is None else SourceFreshness(snapshot, hashes)
    return Pipeline(
        snapshot,
        _retriever(snapshot, encoder),
        reader,
        policy,
        top_k=settings.top_k,
        sources=sources,
        ask_in_context=answer_in_context,
    )


def _retriever(snapshot: Snapshot, encoder: Encoder) -> Retriever:
    """Return the retriever of a kind of store."""
    floor = encoder.card.cosine_floor
    if isinstance(snapshot, SqliteSnapshot):
        return HybridRetriever(snapshot, encoder, cosine_floor=floor)
    if isinstance(snapshot, LanceSnapshot):
        return SharedRetriever(snapshot, encoder, cosine_floor=floor)
    raise TypeError(f"no retriever for a {type(snapshot).__name__}")


def live_pipeline(settings: Settings, encoder: Encoder, reader: Reader) -> LivePipeline:
    """Return a pipeline that follows the newest generation, tags and calibration.

    It is for a process that stays up. Index files are left to the process that indexes: a long run
    changes the generation with every document.
    """
    backend = backend_of(settings)

    def newest_version() -> tuple[int | None, ...] | None:
        # Finishes a restore that another process has left half done, or waits for it.
        finish_restore(settings.data)
        generation = backend.count_of()
        tags = backend.count_of(TAGGED)
        calibration = calibrated_at(settings.data / CALIBRATION)
        return (generation, tags, calibration) if generation else None

    hashes = FileHashes()

    def load_newest() -> Pipeline:
        return load_pipeline(
            settings, encoder, reader, save_derived=False, hashes=hashes, backend=backend
        )

    return LivePipeline(load_newest, newest_version)
