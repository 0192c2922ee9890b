"""Settings -> ready objects; the only file of `qa` that names concrete classes."""

from __future__ import annotations

from collections.abc import Callable

from index.models.encoder import Encoder
from index.models.encoder_conversion import check_model
from index.store.document_tags import COUNT as TAGGED
from index.store.schema import current_generation
from index.store.snapshot import Snapshot
from index.store.sqlite import close_on_error
from qa.answering.calibration import Calibration, calibrated_at, load_calibration
from qa.answering.decision import Policy
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import Pipeline
from qa.answering.reader import CrossEncoderReader, Reader
from qa.answering.reader_conversion import SHIPPED
from qa.answering.reader_model import ReaderModel
from qa.answering.retriever import HybridRetriever
from qa.answering.source_freshness import FileHashes, SourceFreshness
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex
from qa.library.documents import has_index
from qa.settings import CALIBRATION, Settings
from qa.state.backup import finish_restore
from qa.state.conversations import ChatThreads, ConversationStore
from qa.state.database import State
from qa.state.feedback import FeedbackStore
from qa.state.message_queue import MessageQueue


def load_encoder(
    settings: Settings, on_conversion: Callable[[str], None] = lambda _: None
) -> Encoder:
    """The embedding model of the settings; raises ModelError."""
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
    """The reader of the settings; raises ModelError."""
    model = ReaderModel.load(
        settings.reader,
        settings.cache,
        precision=settings.precision,
        deterministic=settings.deterministic,
        on_conversion=on_conversion,
    )
    return CrossEncoderReader(model, model.card.fingerprint)


def calibration_of(settings: Settings, encoder: Encoder, reader: Reader) -> Calibration | None:
    """The calibration of these two models: the one that `qa calibrate` wrote, else the shipped one,
    else none. Raises CalibrationError.
    """
    for folder in (settings.data, SHIPPED):
        found = load_calibration(folder / CALIBRATION)
        if found and found.fits(reader.fingerprint, encoder.card.fingerprint):
            return found
    return None


def open_conversations(settings: Settings) -> Conversations:
    """The conversations of the data directory, those that are too old deleted; raises StoreError."""
    with close_on_error(State(settings.data)) as state:
        state.expire(settings.keep_days)
    return Conversations(ConversationStore(state), FeedbackStore(state), settings.keep_turns)


def open_chat_threads(settings: Settings) -> ChatThreads:
    """Which conversation each thread of a chat service is; raises StoreError."""
    return ChatThreads(State(settings.data))


def open_message_queue(settings: Settings) -> MessageQueue:
    """The claims on messages of a chat service, those of long ago deleted; raises StoreError."""
    with close_on_error(State(settings.data)) as state:
        claims = MessageQueue(state)
        claims.expire()
    return claims


def load_pipeline(
    settings: Settings,
    encoder: Encoder,
    reader: Reader,
    *,
    save_derived: bool = True,
    calibrated: bool = True,
    hashes: FileHashes | None = None,
) -> Pipeline:
    """A pipeline over the store's current generation, which with `hashes` looks at files; raises
    NoIndex, StoreError or CalibrationError.
    """
    if not has_index(settings):
        raise NoIndex
    with close_on_error(Snapshot(settings.data, save_derived=save_derived)) as snapshot:
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
    """A pipeline over a snapshot that is open already; raises CalibrationError. One that is to be
    calibrated needs no calibration.
    """
    calibration = calibration_of(settings, encoder, reader) if calibrated else None
    policy = Policy(calibration, settings.target_precision, settings.min_confidence)
    sources = None if hashes is None else SourceFreshness(snapshot, hashes)
    return Pipeline(
        snapshot,
        HybridRetriever(snapshot, encoder),
        reader,
        policy,
        top_k=settings.top_k,
        sources=sources,
    )


def live_pipeline(settings: Settings, encoder: Encoder, reader: Reader) -> LivePipeline:
    """The pipeline of the newest generation, tags and calibration, for a process that stays up.

    Derived files are left to the process that indexes: a long run changes the generation with every
    document. A restore that another process has left half done is finished first, or waited for.
    """

    def newest() -> tuple[int | None, ...] | None:
        finish_restore(settings.data)
        generation = current_generation(settings.data)
        others = (
            current_generation(settings.data, TAGGED),
            calibrated_at(settings.data / CALIBRATION),
        )
        return (generation, *others) if generation else None

    hashes = FileHashes()
    return LivePipeline(
        lambda: load_pipeline(settings, encoder, reader, save_derived=False, hashes=hashes), newest
    )
