"""Listeners of what happens to watched files and saved questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.ingestion.report import Notices

if TYPE_CHECKING:
    # Imported by a command that answers `--help` at once.
    from qa.state.saved_questions import Difference


class Listener(Notices):
    """Receiver of events about files and saved questions.

    A method that is not overridden does nothing.
    """

    def on_differences(self, differences: Sequence[Difference]) -> None:
        """Handle saved questions whose answers have changed."""
