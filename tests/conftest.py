"""Fixtures that several test files share; the real model is converted once a session, into a temporary cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from index.embedding import DEFAULT_MODEL, Encoder
from index.store import Store
from tests.fakes import FakeEncoder, RecordingReporter

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported, which happens inside the tests
settings.register_profile("quoted", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quoted")


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this session keeps converted models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> Encoder:
    """The real default model."""
    return Encoder.load(DEFAULT_MODEL, model_cache)


@pytest.fixture
def fake_encoder() -> FakeEncoder:
    """An encoder of word tokens that remembers what it was asked to embed."""
    return FakeEncoder()


@pytest.fixture
def reporter() -> RecordingReporter:
    """A reporter that remembers."""
    return RecordingReporter()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of a store."""
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    """An open, empty store in `data`."""
    with Store(data) as opened:
        yield opened


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder for the files of a test."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder
