"""Ingestion by the nodes of a Ray cluster: the settings of the run, and those of each node."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

from index.cluster.node_reader import ReaderCard
from index.cluster.ray_connection import connected
from index.cluster.ray_workers import RayWorkers
from index.ingestion.distribution import Distribution
from index.ingestion.ingest import Distribute, Ingestion
from index.ingestion.reading_order import SourceFile
from index.models.encoder import Encoder
from index.models.openvino_graph import Precision
from qa.errors import SettingsError
from qa.settings import Settings


@contextmanager
def distribution_over(address: str, settings: Settings, encoder: Encoder) -> Iterator[Distribute]:
    """Yield what processes files on all nodes of the cluster at an address.

    Raises SettingsError without a shared store, or ClusterError.
    """
    require_shared(settings, "indexes", "--ray")
    card = ReaderCard.of(encoder.card.fingerprint)
    load = partial(load_on_node, settings.model, encoder.precision)

    def distribute(run: Ingestion, files: Sequence[SourceFile]) -> None:
        with closing(RayWorkers(load, card)) as workers:
            Distribution(run, workers).process(files)

    with connected(address):
        yield distribute


def require_shared(settings: Settings, what: str, option: str) -> None:
    """Raise SettingsError if documents are in the data directory of this machine."""
    if not settings.store:
        raise SettingsError(
            f"{option} {what} a store of several machines: set QUOTED_STORE to a shared folder or "
            "to an address like s3://bucket/prefix (docs/operations.md)"
        )


def load_on_node(model: str, precision: Precision) -> tuple[Encoder, str]:
    """Load an embedding model for one core of a node, from that node's own cache.

    Returns it with its fingerprint. Raises ModelError.
    """
    cache = Settings.load(os.environ).cache
    # A worker has one core, and so one thread.
    encoder = Encoder.load(model, cache, precision=precision, deterministic=True)
    return encoder, encoder.card.fingerprint
