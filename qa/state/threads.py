"""Which conversation a thread, a direct message or a command of a chat service is."""

from __future__ import annotations

from qa.state.conversations import History
from qa.state.database import State


class Threads:
    """The threads of a state file; a thread that is forgotten with its conversation begins another."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._history = History(state)

    def conversation(self, owner: str, team: str, channel: str, thread: str) -> str:
        """The id of a thread's conversation, begun for `owner` if there is none yet."""
        found = self._state.query(
            "SELECT conversation_id FROM threads WHERE team = ? AND channel = ? AND thread = ?",
            team,
            channel,
            thread,
        )
        if found:
            return str(found[0][0])
        conversation = self._history.start(owner).id
        with self._state.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?)",
                (team, channel, thread, conversation),
            )
        return conversation
