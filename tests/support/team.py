"""A server for a team: documents of two tags, and keys of every role."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from fpdf import FPDF

from qa.access.key_store import KeyStore
from qa.access.principal import Role
from qa.interfaces import server
from qa.interfaces.server import create_app
from qa.library.documents import index_paths
from qa.settings import Settings
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import carded, settings_in, write_files


def pdf_of(text: str) -> bytes:
    """Return a PDF file with one line of text."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.cell(text=text)
    return bytes(pdf.output())


HARBOUR: dict[str, str | bytes] = {
    "tides-2024.txt": "The harbour of Ostrava is nine metres deep at high tide.\n",
    "fees.txt": "A berth in the harbour costs 40 crowns a night.\n",
    "lights.pdf": pdf_of("The lighthouse flashes every nine seconds."),
}
BOARD: dict[str, str | bytes] = {
    "merger-2025.txt": "The quokka merger with Zanzibar Shipping is set for May.\n",
    "tides-2025.txt": "The harbour of Ostrava is twelve metres deep, says the quokka survey.\n",
}
HARBOUR_WORDS = ("nine metres", "40 crowns", "fees.txt", "tides-2024", "lighthouse")
"""Words that only documents of the tag harbour hold."""
BOARD_WORDS = ("quokka", "zanzibar", "merger", "twelve", "tides-2025")
ROLES: dict[str, tuple[Role, tuple[str, ...]] | None] = {
    "nobody": None,
    "reader of another tag": ("reader", ("board",)),
    "reader": ("reader", ("harbour",)),
    "writer": ("writer", ("harbour",)),
    "admin": ("admin", ()),
}

MONITOR: tuple[Role, tuple[str, ...]] = ("monitor", ())


@dataclass
class Team:
    """A running application with a client of each role, by the names in `ROLES`."""

    client: TestClient
    settings: Settings
    keys: dict[str, str] = field(default_factory=dict)

    def send(self, role: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with the key of a role."""
        key = self.keys.get(role)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return self.client.request(method, path, headers=headers, **options)

    def document(self, uri: str) -> str:
        """Return the id of a document."""
        listed = self.send("admin", "GET", "/documents").json()["documents"]
        return next(each["id"] for each in listed if each["uri"] == uri)

    def upload(self, role: str, name: str, text: str, **data: Any) -> dict[str, Any]:
        """Upload a file, and return the finished job."""
        sent = self.send(role, "POST", "/documents", files={"file": (name, text)}, data=data)
        assert sent.status_code == 202, sent.text
        return self.finished(sent.json()["id"])

    def finished(self, job_id: str) -> dict[str, Any]:
        """Return a job when it is done."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            job = self.send("admin", "GET", f"/jobs/{job_id}").json()
            if job["status"] == "done":
                return dict(job)
            time.sleep(0.02)
        raise AssertionError(job)


def make_keys(settings: Settings) -> dict[str, str]:
    """Create a key of each role."""
    with closing(KeyStore(settings.data)) as store:
        return {
            name: store.create(name, rights[0], rights[1], rate=100_000)[1]
            for name, rights in [*ROLES.items(), ("monitor", MONITOR)]
            if rights
        }


@contextmanager
def serving(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, seconds: float = 60.0
) -> Iterator[TestClient]:
    """Yield a client of the whole application over fake models, once it is ready.

    Without an index it never is: after some seconds it is yielded all the same.
    """
    monkeypatch.setattr(server, "load_encoder", lambda _: carded())
    monkeypatch.setattr(server, "load_reader", lambda _: SharedWordsReader())
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as client:
        until = time.monotonic() + seconds
        while client.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.02)
        yield client


def documents_of_team(folder: Path) -> Settings:
    """Index documents of the tags harbour and board, and return the settings of their server."""
    settings = settings_in(
        folder,
        webhook_token="hook",  # noqa: S106 - a token of this test
        teams_secrets=(b"hook",),
    )
    for tag, files in (("harbour", HARBOUR), ("board", BOARD)):
        write_files(folder / "corpus" / tag, files)
        index_paths(settings, carded(), [folder / "corpus" / tag], RecordingReporter(), tags=[tag])
    return settings


@contextmanager
def team_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Yield a server over documents of the tags harbour and board."""
    settings = documents_of_team(folder)
    keys = make_keys(settings)
    with serving(settings, monkeypatch) as client:
        yield Team(client, settings, keys)
