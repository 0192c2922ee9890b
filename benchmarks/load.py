"""Measure a server for a team under load, and under requests that are never finished.

    python benchmarks/load.py [--askers 200] [--seconds 60] [--half-sent 300] [--port 8519]

Many people ask at once, each again as soon as they have an answer or may come again (Retry-After),
while health checks come ten times a second from a process of their own. Then half-sent requests
hold connections (slow-loris), and others are served meanwhile. Prints the figures and ends with 1
if one of them is not reached.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import httpx
from team_server import TeamServer, team_server

DEADLINE = 60.0
"""Seconds within which the server answers or refuses a question."""
HEALTHY_SECONDS = 1.0
"""Seconds within which 99 of 100 health checks must be answered."""
MOST_GROWTH = 1.2
"""Largest growth of memory between the first third and the end."""
QUESTION = "How much will Amazon invest in Anthropic?"
HEAD_SECONDS = 15.0
"""Seconds after which the server closes a connection whose head is not complete."""


@dataclass
class Figures:
    """Measurements: statuses and seconds of questions, seconds of health checks, memory."""

    statuses: Counter[int] = field(default_factory=Counter)
    asking: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def health_p99(self) -> float:
        """Seconds within which 99 of 100 health checks were answered."""
        return percentile(self.health, 0.99)

    @property
    def growth(self) -> float:
        """Memory at the end by the largest of the first third."""
        first = self.memory[: max(1, len(self.memory) // 3)]
        return self.memory[-1] / max(first)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def check_health(url: str, results: Connection) -> None:
    """Check the server's health ten times a second until something is sent; send the seconds."""
    address = urlsplit(url)
    seconds = []
    while not results.poll(0.1):
        began = time.monotonic()
        connection = HTTPConnection(address.hostname or "", address.port, timeout=DEADLINE)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        seconds.append(time.monotonic() - began if status == 200 else DEADLINE)
    results.send(seconds)


async def ask_until(client: httpx.AsyncClient, until: float, number: int, figures: Figures) -> None:
    """Ask again and again, as somebody who heeds Retry-After."""
    while time.monotonic() < until:
        began = time.monotonic()
        # Each question is another one, so that no answer comes from a cache.
        body = {"question": f"{QUESTION} {number} {began}"}
        response = await client.post("/ask", json=body)
        figures.asking.append(time.monotonic() - began)
        figures.statuses[response.status_code] += 1
        await asyncio.sleep(float(response.headers.get("retry-after", "0")))


async def watch_memory(server: TeamServer, until: float, figures: Figures) -> None:
    """Note the memory of the server once a second."""
    while time.monotonic() < until:
        figures.memory.append(server.resident_mb)
        await asyncio.sleep(1.0)


async def measure_load(server: TeamServer, askers: int, seconds: float) -> Figures:
    """Let many ask for a while."""
    figures = Figures()
    ours, theirs = multiprocessing.Pipe()
    checker = multiprocessing.Process(target=check_health, args=(server.url, theirs))
    checker.start()
    until = time.monotonic() + seconds
    async with client_of(server, askers) as client:
        asking = [ask_until(client, until, number, figures) for number in range(askers)]
        await asyncio.gather(watch_memory(server, until, figures), *asking)
    figures.memory.append(server.resident_mb)
    ours.send("stop")
    figures.health = ours.recv()
    checker.join()
    return figures


def client_of(server: TeamServer, connections: int) -> httpx.AsyncClient:
    """Return a client with a reader's key."""
    return httpx.AsyncClient(
        base_url=server.url,
        timeout=2 * DEADLINE,
        limits=httpx.Limits(max_connections=connections + 1),
        headers={"authorization": f"Bearer {server.keys['reader']}"},
    )


async def measure_half_sent(server: TeamServer, count: int) -> tuple[float, float, int, float]:
    """Hold connections with half a request each.

    Returns the longest health check and the seconds of a question meanwhile, the number of
    connections that the server closed, and the seconds until the last was.
    """
    address = urlsplit(server.url)
    began = time.monotonic()
    held = [await asyncio.open_connection(address.hostname, address.port) for _ in range(count)]
    for _, writer in held:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    async with client_of(server, 1) as client:
        health = [await timed(client, "GET", "/healthz") for _ in range(50)]
        asked = await timed(client, "POST", "/ask", json={"question": QUESTION})
    reading = (asyncio.wait_for(reader.read(), 3 * HEAD_SECONDS) for reader, _ in held)
    ends = await asyncio.gather(*reading, return_exceptions=True)
    closed = sum(not isinstance(end, TimeoutError) for end in ends)
    return max(health), asked, closed, time.monotonic() - began


async def timed(client: httpx.AsyncClient, method: str, path: str, **options: object) -> float:
    """Return the seconds of a request that must succeed."""
    began = time.monotonic()
    response = await client.request(method, path, **options)  # type: ignore[arg-type]
    response.raise_for_status()
    return time.monotonic() - began


def main() -> None:
    """Measure, print the figures, and end with 1 if one is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--askers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--half-sent", type=int, default=300)
    parser.add_argument("--port", type=int, default=8519)
    options = parser.parse_args()
    with team_server(options.port) as server:
        figures = asyncio.run(measure_load(server, options.askers, options.seconds))
        before = len(server.log.read_bytes().splitlines())
        half = asyncio.run(measure_half_sent(server, options.half_sent))
        logged = len(server.log.read_bytes().splitlines()) - before
    health, asked, closed, ended = half
    print(f"{options.askers} askers, {options.seconds:.0f} s: statuses {dict(figures.statuses)}")
    print(
        f"healthz: {len(figures.health)} checks, median {percentile(figures.health, 0.5):.3f} s, "
        f"p99 {figures.health_p99:.3f} s, longest {max(figures.health):.3f} s"
    )
    print(f"longest question: {max(figures.asking):.1f} s")
    print(
        f"memory: {figures.memory[0]:.0f} MB at first, {figures.memory[-1]:.0f} MB at the end "
        f"({figures.growth:.2f} times the most of the first third)"
    )
    print(
        f"{options.half_sent} half-sent requests: healthz at most {health:.3f} s, a question "
        f"{asked:.2f} s; {closed} closed within {ended:.1f} s; {logged} lines in the log"
    )
    reached = {
        "only 200 and 503": set(figures.statuses) <= {200, 503},
        "healthz p99": figures.health_p99 < HEALTHY_SECONDS,
        "deadline": max(figures.asking) < DEADLINE,
        "memory": figures.growth < MOST_GROWTH,
        "half-sent requests": closed == options.half_sent and health < HEALTHY_SECONDS,
        "a quiet log": logged < options.half_sent // 2,
    }
    missed = [name for name, is_reached in reached.items() if not is_reached]
    print(f"not reached: {', '.join(missed)}" if missed else "all reached")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
