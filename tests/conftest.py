"""Fixtures that several test files share.

The real models are converted once a session, into a temporary cache that the worker processes of
pytest-xdist share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from index.models.conversion import DEFAULT_MODEL
from index.models.encoder import Encoder
from index.store.store import Store
from qa.answering.reading.reader import Reader
from qa.bootstrap import load_reader
from qa.library.documents import index_paths
from qa.settings import Settings
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.object_store import running_object_store
from tests.support.postgres import PostgresServer, missing, running_server
from tests.support.serving import SEEDS, Command, Server
from tests.support.tiny import save_bert, save_roberta

# Read when huggingface_hub is imported, which happens inside the tests.
os.environ["HF_HUB_OFFLINE"] = "1"
settings.register_profile(
    "quoted", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quoted")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes run the tests: two, none besides pytest's own for a single file."""
    return 0 if len(config.args) == 1 and ".py" in config.args[0] else 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that both workers end at about the same time.

    pytest-xdist hands out whole files in this order.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this session's converted models, the same one in every worker.

    Only the default model and the shipped reader belong here: tests copy the folder, and count
    what is in it. Other models are converted into `other_models`.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "models"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def other_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the converted models that tests make."""
    return tmp_path_factory.mktemp("other-models")


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> Encoder:
    """Load the real default model; only one worker converts and compiles it."""
    with FileLock(model_cache.with_name("encoder.lock")):
        return Encoder.load(DEFAULT_MODEL, model_cache)


@pytest.fixture(scope="session")
def reader(model_cache: Path) -> Reader:
    """Load the real shipped reader; only one worker converts and compiles it."""
    with FileLock(model_cache.with_name("reader.lock")):
        return load_reader(Settings(model_cache / "data", model_cache))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small BERT with random weights."""
    return save_bert(tmp_path_factory.mktemp("tiny") / "bert")


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small RoBERTa with random weights."""
    return save_roberta(tmp_path_factory.mktemp("tiny") / "roberta")


@pytest.fixture
def fake_encoder() -> FakeEncoder:
    """Return an encoder of word tokens that records the embedded texts."""
    return FakeEncoder()


@pytest.fixture
def reporter() -> RecordingReporter:
    """Return a reporter that records its calls."""
    return RecordingReporter()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data directory of a store."""
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    """Open an empty store in `data`."""
    with Store(data) as opened:
        yield opened


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Create a folder for the files of a test."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def converted(encoder: Encoder, reader: Reader, model_cache: Path) -> Path:
    """Return the model cache with the default model and the shipped reader converted.

    For commands in processes of their own.
    """
    del encoder, reader
    return model_cache


@pytest.fixture
def command(tmp_path: Path, converted: Path) -> Command:
    """Return the `qa` command with an empty data directory."""
    return Command(tmp_path / "data", converted)


@pytest.fixture(scope="session")
def seeds_command(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, converted: Path
) -> Command:
    """Return the `qa` command with the seed documents indexed; for reading only.

    It answers at any confidence, so that weights may change.
    """
    data = tmp_path_factory.mktemp("seeds") / "data"
    index_paths(Settings(data, converted), encoder, [SEEDS], RecordingReporter())
    return Command(data, converted, {"QUOTED_MIN_CONFIDENCE": "0"})


@pytest.fixture(scope="session")
def seeds_server(seeds_command: Command) -> Iterator[Server]:
    """Run `qa serve` over the seed documents; for reading only."""
    with Server(seeds_command) as server:
        yield server.ready()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server of PostgreSQL for the tests of this process that need one.

    Without PostgreSQL they are skipped, or fail if QUOTED_REQUIRE_POSTGRES is set.
    """
    if missing():
        if os.environ.get("QUOTED_REQUIRE_POSTGRES"):
            pytest.fail(missing())
        pytest.skip(missing())
    with running_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> PostgresServer:
    """Return the server, with nothing in it."""
    postgres_server.clear()
    return postgres_server


@pytest.fixture(params=["file", pytest.param("shared", marks=pytest.mark.slow)])
def location(request: pytest.FixtureRequest) -> str:
    """Return where the state is: "" for a file, or the address of an empty database."""
    if request.param == "file":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.location


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run an object store, and return the address of an empty place in it."""
    pytest.importorskip("moto")
    pytest.importorskip("flask_cors")
    with running_object_store() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        # A place of its own: clients are kept by their places.
        yield f"s3://quoted/{variables['AWS_ENDPOINT'].rpartition(':')[2]}"


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.slow)])
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the place of a shared store: a folder, or one in an object store."""
    pytest.importorskip("lancedb")
    if request.param == "folder":
        return str(tmp_path / "store")
    return str(request.getfixturevalue("bucket"))
