"""Load test: each question is to be answered once, though the server is killed.

Many people ask at the same time; events are repeated and come in both kinds.

python -m tests.support.slack_load --events 500     (a minute or more; only loopback is used)
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.support.serving import SEEDS, Command, Server
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import BOT, TEAM, Sender, event, mention, stamp

QUESTIONS = (
    "How much will Amazon invest in Anthropic?",
    "How much will Amazon invest in OpenAI?",
    "Did Amazon's stock rise?",
    "What is the colour of the moon?",
)
RESENT = 0.3
SENDERS = 8
SETTLE_SECONDS = 16.0
"""Longer than a dead worker's lease, so that a second answer would have come by then."""


@dataclass(frozen=True)
class Figures:
    """Figures of a run; `_ms` are milliseconds, `_s` and `seconds` are seconds."""

    questions: int
    sent: int
    kills: int
    answered_once: int
    answered_twice: int
    answered_more: int
    unanswered: int
    other_statuses: int
    ack_median_ms: float
    ack_p95_ms: float
    ack_max_ms: float
    answer_median_s: float
    faults: int
    seconds: float


def exercise(
    command: Command, double: SlackDouble, questions: int, kills: int, *, pace: float = 0.0
) -> Figures:
    """Ask questions while the server is killed; return the figures.

    A sender pauses at most `pace` seconds before an event.
    """
    began, rng = time.monotonic(), random.Random(5)
    asked = [
        (f"C{number % 40}", stamp(), QUESTIONS[number % len(QUESTIONS)], f"U{number % 50}")
        for number in range(questions)
    ]
    deliveries = _deliveries(asked, rng)
    servers = [Server(command).ready()]
    sender = Sender(lambda: servers[-1].url)
    sent_at: dict[str, float] = {}
    stopped = threading.Event()

    def deliver(body: dict[str, Any]) -> int:
        time.sleep(rng.random() * pace)
        sent_at.setdefault(f"{TEAM}:{body['event']['channel']}:{body['event']['ts']}", time.time())
        return sender.send(body)

    def killing() -> None:
        for number in range(kills):
            while (
                len(double.answers()) < questions * (number + 1) // (kills + 1)
                and not stopped.is_set()
            ):
                time.sleep(0.01)
            os.kill(servers[-1].process.pid, signal.SIGKILL)
            servers[-1].process.wait()
            servers.append(Server(command))

    killer = threading.Thread(target=killing)
    killer.start()
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            sent = sum(pool.map(deliver, deliveries))
        _wait(lambda: len(double.answers()) >= questions, 60 + questions)
        time.sleep(SETTLE_SECONDS)
    finally:
        stopped.set()
        killer.join()
        servers[-1].stop()
    return _figures(
        asked, double, sender, sent_at, sent=sent, kills=kills, seconds=time.monotonic() - began
    )


def _deliveries(
    asked: Sequence[tuple[str, str, str, str]], rng: random.Random
) -> list[dict[str, Any]]:
    """Return the events of all questions, somewhat out of order.

    Each question is a mention, every other one also a message, and 30% of the events come twice.
    """
    bodies = []
    for number, (channel, ts, question, user) in enumerate(asked):
        bodies.append((float(number), mention(question, channel=channel, ts=ts, user=user)))
        if number % 2:
            kind = {"channel_type": "channel", "client_msg_id": f"m{number}"}
            bodies.append(
                (
                    number + 1.0,
                    event(
                        "message", f"<@{BOT}> {question}", channel=channel, ts=ts, user=user, **kind
                    ),
                )
            )
    again = [(at + rng.random() * 40, body) for at, body in bodies if rng.random() < RESENT]
    return [body for _, body in sorted(bodies + again, key=lambda each: each[0])]


def _figures(
    asked: Sequence[tuple[str, str, str, str]],
    double: SlackDouble,
    sender: Sender,
    sent_at: dict[str, float],
    **more: Any,
) -> Figures:
    answers = double.answers()
    counts = [len(answers.get(f"{TEAM}:{channel}:{ts}", [])) for channel, ts, _, _ in asked]
    took = [posted[0]["at"] - sent_at[key] for key, posted in answers.items()]
    acks = sorted(1000 * each for each in sender.acks)
    return Figures(
        questions=len(asked),
        answered_once=counts.count(1),
        answered_twice=counts.count(2),
        answered_more=sum(count > 2 for count in counts),
        unanswered=counts.count(0),
        other_statuses=sum(status != 200 for status in sender.statuses),
        ack_median_ms=round(median(acks), 1),
        ack_p95_ms=round(quantiles(acks, n=20)[-1], 1),
        ack_max_ms=round(acks[-1], 1),
        answer_median_s=round(median(took), 1),
        faults=len(double.faults),
        **more,
    )


def _wait(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def main() -> None:
    """Run the load test and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500, help="questions to ask")
    parser.add_argument("--kills", type=int, default=2, help="times to kill the server")
    parser.add_argument(
        "--cache", type=Path, help="converted models (else made in a temporary folder)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, SlackDouble() as double:
        settings = double.environment | {"QUOTED_SLACK_RATE": "10000"}
        command = Command(Path(folder) / "data", options.cache or Path(folder) / "cache", settings)
        command("index", str(SEEDS))
        figures = exercise(command, double, options.events, options.kills)
        sys.stdout.write(json.dumps(asdict(figures), indent=2) + "\n")


if __name__ == "__main__":
    main()
