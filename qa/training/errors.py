"""Error class of training.

QAError
└── TrainingError    data, settings, a checkpoint or weights that cannot be used
"""

from __future__ import annotations

from qa.errors import QAError


class TrainingError(QAError):
    """Data, settings, a checkpoint or weights cannot be used."""
