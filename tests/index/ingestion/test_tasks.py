"""Tasks for workers: how files and texts are put together, and what happens to lost ones."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from index.ingestion.tasks import (
    BATCH_BYTES,
    BATCH_FILES,
    BATCH_TEXTS,
    MOST_LOSSES,
    EmbedTask,
    FileToRead,
    ReadTask,
    Task,
    TaskQueue,
)

BASE = Path("/docs")


def _file(name: str, size: int) -> FileToRead:
    return FileToRead(BASE / name, BASE, name, name, bytes(size))


def _all(queue: TaskQueue) -> list[Task]:
    tasks = []
    while (task := queue.next()) is not None:
        tasks.append(task)
    return tasks


@given(st.lists(st.integers(0, 2 * BATCH_BYTES), max_size=2 * BATCH_FILES))
def test_each_file_is_in_one_task_and_no_task_is_too_large(sizes: list[int]) -> None:
    queue = TaskQueue()
    files = [_file(str(number), size) for number, size in enumerate(sizes)]
    for file in files:
        queue.add_file(file)
    queue.close_batch()
    tasks = _all(queue)

    assert all(isinstance(task, ReadTask) for task in tasks)
    read = [file for task in tasks if isinstance(task, ReadTask) for file in task.files]
    assert sorted(read, key=lambda file: int(file.uri)) == files
    for task in tasks:
        assert isinstance(task, ReadTask)
        assert len(task.files) == 1 or task.size <= BATCH_BYTES
        assert len(task.files) <= BATCH_FILES


def test_a_batch_waits_for_more_files_and_a_large_file_goes_alone() -> None:
    queue = TaskQueue()
    queue.add_file(_file("small", 10))
    assert queue.next() is None

    queue.add_file(_file("large", BATCH_BYTES))
    assert queue.next() == ReadTask((_file("large", BATCH_BYTES),))

    queue.close_batch()
    assert queue.next() == ReadTask((_file("small", 10),))
    assert queue.next() is None


def test_texts_are_parted_and_go_before_files() -> None:
    queue = TaskQueue()
    queue.add_file(_file("a", BATCH_BYTES))
    texts = {bytes([number // 256, number % 256]): "text" for number in range(BATCH_TEXTS + 1)}
    queue.add_texts(BASE / "b", texts)
    first, second, third = _all(queue)

    assert isinstance(first, EmbedTask)
    assert isinstance(second, EmbedTask)
    assert (len(first.texts), len(second.texts)) == (BATCH_TEXTS, 1)
    assert {**first.texts, **second.texts} == texts
    assert isinstance(third, ReadTask)


def test_lost_files_are_read_one_by_one_until_they_are_given_up() -> None:
    queue = TaskQueue()
    assert queue.retry(ReadTask((_file("a", 1), _file("b", 1)))) == []
    again = _all(queue)
    assert sorted(again, key=str) == [ReadTask((_file("a", 1),)), ReadTask((_file("b", 1),))]

    given_up = [queue.retry(ReadTask((_file("a", 1),))) for _ in range(MOST_LOSSES - 1)]

    assert given_up == [*[[]] * (MOST_LOSSES - 2), [BASE / "a"]]
    assert len(_all(queue)) == MOST_LOSSES - 2


def test_lost_texts_are_embedded_again_until_they_are_given_up() -> None:
    queue = TaskQueue()
    task = EmbedTask(BASE / "a", {b"k": "text"})
    given_up = [queue.retry(task) for _ in range(MOST_LOSSES)]

    assert given_up == [*[[]] * (MOST_LOSSES - 1), [BASE / "a"]]
    assert _all(queue) == [task] * (MOST_LOSSES - 1)
