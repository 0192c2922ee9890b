"""Measure how long answers take to show that a file was created, changed, moved or deleted.

    python benchmarks/freshness.py [--mode serve|watch] [--files 200] [--rounds 20]

Real processes and real files: `serve` asks one `qa serve --watch`; `watch` asks a `qa serve` while
a separate `qa watch` follows the folder. Prints the seconds from the file operation to the first
answer that shows it (median, 95th percentile, largest), and, for moves, how many of the answers
meanwhile named no place or two.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 30.0
PROMISED = 2.0
"""Seconds within which a change must be seen."""
QA = str(Path(sys.executable).with_name("qa"))
COLOURS = (
    "amber",
    "crimson",
    "indigo",
    "olive",
    "violet",
    "turquoise",
    "maroon",
    "ivory",
    "scarlet",
    "beige",
)


def text_of(number: int, code: str) -> str:
    """Return the text of a short file that resembles no other."""
    owner = f"Locker {number} belongs to the harbour office."
    return f"{owner}\n\nThe padlock of locker {number} is painted {code}."


@contextmanager
def running(
    *arguments: str, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a `qa` process, and end it with SIGTERM."""
    with log.open("wb") as file:
        process = subprocess.Popen([QA, *arguments], env=environment, stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)


def until(found: Callable[[], Any], limit: float = LIMIT) -> Any:  # noqa: ANN401 - whatever is waited for
    """Wait until `found` returns a true value, and return that value."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"not within {limit:.0f} s")


class Client:
    """HTTP client of the server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, number: int) -> dict[str, Any]:
        """Return the answer to the question for the colour of a padlock."""
        body = json.dumps(
            {"question": f"In which colour is the padlock of locker {number} painted?"}
        ).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self._url}/ask", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=LIMIT) as reply:  # noqa: S310
            return dict(json.load(reply))

    def documents(self) -> set[str]:
        """Return the uris that are indexed."""
        with urllib.request.urlopen(f"{self._url}/documents", timeout=LIMIT) as reply:  # noqa: S310
            return {each["uri"] for each in json.load(reply)["documents"]}

    def ready(self, files: int) -> bool:
        """Return True if all files are served."""
        try:
            return len(self.documents()) == files
        except OSError:
            return False

    def cited(self, number: int) -> list[str]:
        """Return the files that an answer cites for a locker."""
        return [
            each["uri"]
            for each in self.ask(number)["citations"]
            if f"locker {number} " in each["sentence"]
        ]

    def says(self, number: int, colour: str) -> bool:
        """Return True if the answer names this colour."""
        return colour in (self.ask(number)["answer"] or "")


class Trial:
    """File operations, each followed by a wait until an answer shows it."""

    def __init__(self, folder: Path, client: Client, files: int) -> None:
        self.folder, self.client, self.files = folder, client, files
        self.neither = self.both = self.looks = 0

    def _path(self, number: int, name: str = "locker") -> Path:
        return self.folder / f"{name}-{number}.txt"

    def create(self, at: int) -> None:
        """Create a file."""
        number = self.files + at
        self._path(number).write_text(text_of(number, "amber"))
        until(lambda: self.client.says(number, "amber"))

    def change(self, at: int) -> None:
        """Write another text into a file."""
        number, colour = at, COLOURS[(at + 1) % len(COLOURS)]
        self._path(number).write_text(text_of(number, colour))
        until(lambda: self.client.says(number, colour))

    def save(self, at: int) -> None:
        """Save another text as editors do: written beside the file and renamed."""
        number, colour = at, COLOURS[(at + 2) % len(COLOURS)]
        beside = self.folder / f".locker-{number}.swp"
        beside.write_text(text_of(number, colour))
        beside.replace(self._path(number))
        until(lambda: self.client.says(number, colour))

    def move(self, at: int) -> None:
        """Rename a file."""
        number = at
        self._path(number).rename(self._path(number, "moved"))
        until(lambda: self._moved(number))

    def _moved(self, number: int) -> bool:
        cited = self.client.cited(number)
        self.looks += 1
        self.neither += not cited
        self.both += len(set(cited)) > 1
        return cited == [f"moved-{number}.txt"]

    def delete(self, at: int) -> None:
        """Delete a file."""
        number = self.files - 1 - at
        name = self._path(number).name
        self._path(number).unlink()
        until(lambda: name not in self.client.documents() and not self.client.cited(number))


def main() -> None:
    """Run the trials and print the distribution of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mode", choices=["serve", "watch"], default="serve")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        folder = base / "files"
        folder.mkdir()
        for number in range(options.files):
            (folder / f"locker-{number}.txt").write_text(
                text_of(number, COLOURS[number % len(COLOURS)])
            )
        environment = {
            **os.environ,
            "QUOTED_DATA": str(base / "data"),
            "QUOTED_MIN_CONFIDENCE": "0",
        }
        log = base / "serve.log"
        watched = ["--watch", str(folder)] if options.mode == "serve" else []
        with running("serve", "--port", "0", *watched, environment=environment, log=log):
            if options.mode == "watch":
                with running("watch", str(folder), environment=environment, log=base / "watch.log"):
                    measure(folder, log, options.files, options.rounds)
            else:
                measure(folder, log, options.files, options.rounds)


def measure(folder: Path, log: Path, files: int, rounds: int) -> None:
    """Print a line for each kind of change."""
    url = until(lambda: re.search(r"running on (http://127\.0\.0\.1:\d+)", log.read_text()), 120)[1]
    client = Client(url)
    until(lambda: client.ready(files), 300)
    trial = Trial(folder, client, files)
    for kind in (trial.create, trial.change, trial.save, trial.move, trial.delete):
        seconds = []
        for at in range(rounds):
            began = time.monotonic()
            kind(at)
            seconds.append(time.monotonic() - began)
        low, high = np.percentile(seconds, [50, 95])
        within = sum(each <= PROMISED for each in seconds)
        print(
            f"{kind.__name__:<7} n={rounds}  median {low:.2f} s  95% {high:.2f} s"
            f"  largest {max(seconds):.2f} s  within 2 s: {within}"
        )
    print(
        f"answers during moves: {trial.looks}, of them naming no place {trial.neither}, "
        f"two places {trial.both}"
    )


if __name__ == "__main__":
    main()
