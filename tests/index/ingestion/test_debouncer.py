"""Debouncing: a file is ready when its stamp has not changed for some time."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from index.filesystem.file_stamp import FileStamp
from index.ingestion.debouncer import Debouncer

PATH = Path("a.txt")
LOOKS = st.none() | st.integers(0, 3).map(lambda size: FileStamp(size, 0, 0, 1))


@given(
    st.lists(st.tuples(st.floats(0, 2), st.none() | LOOKS.map(lambda look: [look])), max_size=12)
)
def test_paths_unchanged_for_long_enough_are_ready(
    looks: list[tuple[float, list[FileStamp | None] | None]],
) -> None:
    settling, now, since, last = Debouncer(1.0), 0.0, 0.0, [FileStamp(-1, 0, 0, 0)]
    for pause, look in looks:
        now += pause
        if look is None or look != last:
            since = now
        last = look or [FileStamp(-1, 0, 0, 0)]

        settled = settling.ready({} if look is None else {PATH: look[0]}, now)

        assert settled == ({PATH} if look and now - since >= 1.0 else set())
        wait = settling.wait(now)
        assert (wait is None) is (look is None or bool(settled))
        assert wait is None or 0 < wait <= 1.0
