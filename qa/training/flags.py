"""Flags of `python -m qa.training` that name files and folders.

The settings bring their own flags (`qa.training.config`).
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_paths(flags: argparse.ArgumentParser, name: str) -> None:
    """Add the flags for what a step reads and writes."""
    flags.add_argument(
        "--base",
        type=Path,
        help="folder of all-MiniLM-L6-v2 (default: the one that comes with pip), or of "
        "all-mpnet-base-v2 for the careful reader",
    )
    if name == "traps":
        flags.add_argument(
            "--data", type=Path, required=True, help="folder that holds reader/*.json.gz"
        )
        flags.add_argument(
            "--pairs", type=int, default=300, help="so many pairs, or as many as can be made"
        )
        flags.add_argument("--seed", type=int, default=0, help="decides which")
    if name in {"prepare", "stage1", "negatives", "stage2"}:
        flags.add_argument(
            "--data",
            type=Path,
            help="folder that holds reader/*.json.gz; not needed once WORK has the corpus",
        )
        flags.add_argument(
            "--work",
            type=Path,
            required=True,
            help="folder for the corpus, checkpoints and logs; keep it out of git",
        )
    if name in {"stage1", "stage2", "export", "evaluate"}:
        needed = name in {"export", "evaluate"}
        about = "a stage's folder or an exported one" + (
            "" if needed else "; its weights are where a stage without a checkpoint begins"
        )
        flags.add_argument("--from", dest="source", type=Path, required=needed, help=about)
    if name in {"export", "base", "traps"}:
        flags.add_argument(
            "--out",
            type=Path,
            required=True,
            help="folder to write" if name != "traps" else "file to write, FILE.json.gz",
        )
    if name == "export":
        about = (
            "mix in this share of the weights of another stage's folder or exported reader; "
            "may be repeated"
        )
        flags.add_argument(
            "--average", action="append", default=[], metavar="FOLDER=SHARE", help=about
        )
        flags.add_argument(
            "--data",
            type=Path,
            help="folder that holds reader/*.json.gz, to balance the score of no answer "
            "on its held-out questions",
        )
        flags.add_argument(
            "--about",
            type=Path,
            help="a JSON file whose fields (figures, licences) go into reader.json",
        )
    if name == "evaluate":
        flags.add_argument("files", type=Path, nargs="+", help="SQuAD-format files")
        flags.add_argument(
            "--sample", type=int, default=0, help="a seeded sample of so many questions of each"
        )
        flags.add_argument(
            "--threshold",
            type=float,
            default=0.0,
            help="score under which a question is refused, without regard to no_answer",
        )
        flags.add_argument("--max-answer", type=int, default=30, help="longest answer in tokens")
    if name == "negatives":
        flags.add_argument(
            "--questions", type=int, default=30_000, help="a seeded sample of so many; 0: all"
        )
        flags.add_argument("--keep", type=int, default=8, help="negatives kept a question")
