"""What keeps an index and the answers from it up to date, put together as `qa.bootstrap` does the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from index.embedding import Encoder
from index.errors import IndexingError
from index.events import FileEvents
from index.excluding import checked_patterns
from index.loading import shown
from index.snapshot import Snapshot
from index.watching import Notices, Watcher, follow, only_watcher
from qa.bootstrap import has_index, open_store
from qa.errors import QAError
from qa.freshness import Hashes, Sources
from qa.live import LivePipeline
from qa.settings import Settings
from qa.state import State
from qa.status import FileStatus, status_of
from qa.watchlist import Difference, Rechecker, Watchlist


def watch_paths(
    settings: Settings,
    encoder: Encoder,
    paths: Sequence[Path],
    notices: Notices,
    stopping: threading.Event,
    *,
    exclude: Sequence[str] = (),
    on_change: Callable[[], None] = lambda: None,
) -> None:
    """Keep the index up to date with files and folders until `stopping` is set; `on_change` is called after each change of the index.

    Raises InvalidPattern or StoreError. While another process watches into the same data directory, this one waits.
    """
    checked_patterns(exclude)

    def changed() -> None:
        Snapshot(settings.data).close()
        on_change()

    with only_watcher(settings.data, stopping, lambda: notices.said(_SECOND_WATCHER)) as alone, open_store(settings) as store:
        if alone:
            with store.writing():
                store.claim_model(settings.model, encoder.card.fingerprint)
            watcher = Watcher(paths, store, encoder, notices, exclude=exclude, max_bytes=settings.max_file_bytes)
            notices.said(f"Watching {', '.join(shown(str(path)) for path in paths)}")
            follow(watcher, FileEvents(paths, stopping, notices.said), stopping, changed, notices.said)


_SECOND_WATCHER = "Another process watches into this index already; this one takes over when it ends. To watch several folders, name them all in one command."


@contextmanager
def opened_watchlist(settings: Settings) -> Iterator[Watchlist]:
    """The saved questions of the data directory; raises StoreError."""
    with closing(State(settings.data)) as state:
        yield Watchlist(state)


def rechecker(
    settings: Settings,
    live: Callable[[], LivePipeline],
    stopping: threading.Event,
    report: Callable[[Sequence[Difference]], None],
    on_failure: Callable[[str], None],
) -> Rechecker:
    """Asks the saved questions again when it is told to, and reports what is different; without any, `live` is not asked for."""

    def check() -> None:
        try:
            with opened_watchlist(settings) as watchlist:
                if watchlist.questions():
                    pipeline = live()
                    pipeline.refresh()
                    with pipeline.use() as current:
                        report(watchlist.check(current.ask))
                    pipeline.rest()
        except (IndexingError, QAError) as error:
            on_failure(f"The saved questions cannot be asked: {error}")

    return Rechecker(check, stopping)


def document_status(settings: Settings) -> list[FileStatus]:
    """What is indexed against what stands in the folders; raises StoreError."""
    if not has_index(settings):
        return []
    with closing(Snapshot(settings.data)) as snapshot:
        return status_of(snapshot, Sources(snapshot, Hashes()), snapshot.roots())
