"""Choice of the likeness from which questions are one gap (`qa.gaps.grouping.ALIKE`).

python benchmarks/question_wordings.py

It groups 40 everyday questions in two wordings each and prints, for several thresholds, the share
of pairs that came together and the questions a pair that came to another question's group.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from qa.bootstrap import load_encoder
from qa.gaps.grouping import ALIKE, alike_groups
from qa.settings import Settings

WORDINGS = Path(__file__).with_suffix(".jsonl")
THRESHOLDS = (0.45, 0.5, ALIKE, 0.6, 0.65, 0.7)


def main() -> None:
    """Print a line for each threshold."""
    pairs = [json.loads(line) for line in WORDINGS.read_text("utf-8").splitlines()]
    encoder = load_encoder(Settings.load(os.environ))
    vectors = encoder.encode_queries([wording for pair in pairs for wording in pair])
    for least in THRESHOLDS:
        groups = alike_groups(vectors, cosine_floor=encoder.card.cosine_floor, least=least)
        group_of = {row: number for number, group in enumerate(groups) for row in group}
        together = sum(group_of[2 * at] == group_of[2 * at + 1] for at in range(len(pairs)))
        strangers = sum(len({row // 2 for row in group}) - 1 for group in groups)
        print(
            f"{least:.2f}  together {together / len(pairs):.2f}  mixed {strangers / len(pairs):.2f}"
        )


if __name__ == "__main__":
    main()
