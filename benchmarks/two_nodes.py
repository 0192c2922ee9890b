"""Two nodes of a Ray cluster in two network namespaces, one of which is killed during `qa index`.

    python benchmarks/two_nodes.py WORK [--files 240] [--keep-node]

The namespaces have a loopback and a pair of virtual interfaces, and nothing else. Needs root, `ip`
and the extra `ray`. In WORK the store and the data directory are made anew. Prints what happened,
and fails if a document is missing, is there twice, or differs from an ordinary run. Prints, too,
the processor time of driver, workers and Ray, and that of an ordinary run over both kinds of store;
`--keep-node` kills nothing, for these figures.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

HEAD, OTHER = ("quoted-head", "10.77.0.1"), ("quoted-other", "10.77.0.2")
PORT = 6399
QA = [sys.executable, "-c", "from qa.interfaces.cli import main; main()"]
SENTENCES = re.compile(r"[A-Z][^.\n]{20,160}\.")


def sh(*command: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def within(namespace: str, *command: str) -> list[str]:
    """Return a command that runs in a namespace."""
    return ["ip", "netns", "exec", namespace, *command]


def connect_namespaces() -> None:
    """Make both namespaces, joined by one pair of interfaces."""
    for name, _ in (HEAD, OTHER):
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
    sh("ip", "link", "add", "qveth1", "netns", HEAD[0], "type", "veth", "peer", "name", "qveth2")
    sh("ip", "link", "set", "qveth2", "netns", OTHER[0])
    for (name, address), link in ((HEAD, "qveth1"), (OTHER, "qveth2")):
        sh("ip", "-n", name, "address", "add", f"{address}/24", "dev", link)
        sh("ip", "-n", name, "link", "set", link, "up")


def end_namespaces() -> None:
    """Kill what runs in the namespaces, and delete them."""
    for name, _ in (HEAD, OTHER):
        kill_all(name)
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def kill_all(namespace: str) -> int:
    """Kill all processes of a namespace at once, as a machine without power; return how many."""
    listed = subprocess.run(
        ["ip", "netns", "pids", namespace], check=False, capture_output=True, text=True
    )
    pids = [int(pid) for pid in listed.stdout.split()]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def start_node(work: Path, node: tuple[str, str], *role: str) -> None:
    """Start Ray in a namespace, with one core for workers."""
    name, address = node
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", *role]
    options = ["--num-cpus=1", "--object-store-memory=100000000", f"--node-ip-address={address}"]
    if "--head" in role:
        options += ["--include-dashboard=false", f"--temp-dir={work / 'ray'}"]
    sh(*within(name, *ray, *options, "--disable-usage-stats"))


def write_files(folder: Path, count: int) -> None:
    """Write files of some passages each, a quarter of them HTML, which is read in a sandbox."""
    pages = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
    sentences = [found for page in pages for found in SENTENCES.findall(page.read_text("utf-8"))]
    folder.mkdir()
    for number in range(count):
        paragraphs = [
            " ".join([f"Note {number}.{part}.", *sentences[number + 7 * part :][:5]])
            for part in range(4)
        ]
        if number % 4:
            (folder / f"{number}.txt").write_text("\n\n".join(paragraphs))
        else:
            html = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
            (folder / f"{number}.html").write_text(html)


def facts(store: Path | str, data: Path) -> dict[str, tuple[str, int]]:
    """Return the sha256 of the text and the number of chunks of each document, by uri."""
    from index.backend import backend_at

    with closing(backend_at(str(store), data).open_snapshot()) as snapshot:
        infos = snapshot.documents()
        twice = [uri for uri, times in Counter(info.uri for info in infos).items() if times > 1]
        require(not twice, f"twice: {twice}")
        chunks = sum(len(snapshot.rows_of([info.id])) for info in infos)
        require(chunks == snapshot.size == sum(info.chunks for info in infos), "other chunks")
        return {info.uri: (info.sha256, info.chunks) for info in infos}


def stored(work: Path) -> int:
    """Return the number of documents that are committed."""
    from index.backend import backend_at

    backend = backend_at(str(work / "store"), work / "data")
    if not backend.count_of():
        return 0
    with closing(backend.open_snapshot()) as snapshot:
        return snapshot.document_count


def say(began: float, text: str) -> None:
    """Print a line with the seconds since the beginning."""
    print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)


def index_on_cluster(work: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Begin `qa index` on the head node."""
    command = [*QA, "index", "--ray", f"{HEAD[1]}:{PORT}", str(work / "docs")]
    return subprocess.Popen(
        within(HEAD[0], *command), env=environment, stderr=subprocess.STDOUT, text=True
    )


class ProcessorTime:
    """Processor seconds of all processes in the namespaces, by role, looked at twice a second."""

    def __init__(self) -> None:
        self._seconds: dict[int, tuple[str, float]] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def by_role(self) -> dict[str, float]:
        """Return the seconds of the driver, of the workers with their parsers, and of Ray."""
        self._is_over.set()
        self._thread.join()
        totals = Counter[str]()
        for role, seconds in self._seconds.values():
            totals[role] += seconds  # type: ignore[assignment]
        return dict(totals)

    def _look(self) -> None:
        while not self._is_over.wait(0.5):
            for name, _ in (HEAD, OTHER):
                for pid in sh("ip", "netns", "pids", name).split():
                    with suppress(OSError):
                        self._note(int(pid))

    def _note(self, pid: int) -> None:
        command = Path(f"/proc/{pid}/cmdline").read_text("utf-8")
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        is_worker = "_Worker" in command or "sandbox_worker" in command
        role = "workers" if is_worker else "driver" if "qa.interfaces" in command else "Ray"
        # A process that waits to be a worker has the name of one later.
        self._seconds[pid] = role, seconds


def ordinary(work: Path, environment: dict[str, str], name: str, store: str) -> float:
    """Run an ordinary `qa index` into a store; return its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = {**environment, "QUOTED_STORE": store, "QUOTED_DATA": str(work / name)}
    subprocess.run([*QA, "index", str(work / "docs")], check=True, env=own, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wait_for_documents(driver: subprocess.Popen[str], work: Path, more_than: int) -> int:
    """Return the number of documents once there are more than so many, or the driver has ended."""
    while driver.poll() is None and stored(work) <= more_than:
        time.sleep(0.2)
    return stored(work)


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - as assert has it
    """End with a message unless something holds."""
    if not holds:
        sys.exit(message)


def main() -> None:
    """Index on two nodes, kill one, start it again, and compare with an ordinary run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--files", type=int, default=240)
    parser.add_argument("--keep-node", action="store_true", help="Kill none; only measure.")
    options = parser.parse_args()
    work: Path = options.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_files(work / "docs", options.files)
    environment = {
        **os.environ,
        "QUOTED_DATA": str(work / "data"),
        "QUOTED_STORE": str(work / "store"),
    }
    began = time.monotonic()
    try:
        connect_namespaces()
        start_node(work, HEAD, "--head", f"--port={PORT}")
        start_node(work, OTHER, f"--address={HEAD[1]}:{PORT}")
        say(began, "two nodes are up")
        if not options.keep_node:
            driver = index_on_cluster(work, environment)
            kept = wait_for_documents(driver, work, 0)
            driver.kill()
            driver.wait()
            say(began, f"the driver is killed; {kept} of {options.files} documents are stored")
        meter = ProcessorTime()
        driver = index_on_cluster(work, environment)
        try:
            if not options.keep_node:
                count = wait_for_documents(driver, work, kept)
                require(count < options.files, "too late to kill a node: use more files")
                killed = kill_all(OTHER[0])
                say(began, f"{count} are stored; {OTHER[0]} is killed with {killed} processes")
            code = driver.wait()
        finally:
            driver.kill()
        say(began, f"qa index has ended with {code}")
        require(code == 0, "qa index has failed")
        for role, seconds in meter.by_role().items():
            say(began, f"processor time of {role}: {seconds:.1f} s")
    finally:
        end_namespaces()
    found = facts(work / "store", work / "data")
    for name, store in (("plain", ""), ("shared", str(work / "shared-store"))):
        seconds = ordinary(work, environment, name, store)
        say(began, f"processor time of an ordinary run, {name} store: {seconds:.1f} s")
    require(found == facts("", work / "plain"), "the store differs from an ordinary run")
    say(began, f"{len(found)} documents, each once, as an ordinary run has them")


if __name__ == "__main__":
    main()
