"""State of one machine that goes on in a shared one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from index.errors import StoreError
from qa.access.key_store import open_key_store
from qa.errors import SettingsError
from qa.library.state_migration import migrate_state
from qa.settings import Settings
from qa.state.conversations import ConversationStore, Version
from qa.state.database import open_state
from qa.state.feedback import FeedbackStore
from qa.state.gap_records import GapRecords
from qa.state.saved_questions import SavedQuestions
from tests.support.postgres import PostgresServer
from tests.support.serving import settings_in

RESULT = {"answers": [{"text": "6:40"}], "answer": "6:40", "generation": 1, "refusal": None}


def ask(settings: Settings, question: str) -> int:
    """Ask in a new conversation, and call the answer right; return the id of the turn."""
    version = Version("a", "ab", "T", "a.txt", "At 6:40.")
    with closing(open_state(settings)) as state:
        history = ConversationStore(state)
        turn = history.append(history.start("me").id, question, question, RESULT, [version], 9)
        FeedbackStore(state).record_verdict(turn, "right")
        return turn.id


@pytest.mark.slow
def test_all_but_jobs_is_copied_once(tmp_path: Path, postgres: PostgresServer) -> None:
    files = settings_in(tmp_path)
    last = ask(files, "When?")
    with closing(open_state(files)) as state:
        SavedQuestions(state).add("Where?")
    with closing(open_key_store(files)) as keys:
        key, text = keys.create("anna", "reader", ["sea"], is_person=False)
    shared = replace(files, store=str(tmp_path / "store"), state=postgres.location)

    rows = migrate_state(shared)

    assert (rows["turns"], rows["keys"], rows["quoted"]) == (1, 1, 1)
    with closing(open_key_store(shared)) as keys:
        assert keys.key_of(text) == key
    with closing(open_state(shared)) as state:
        [known] = FeedbackStore(state).questions("me")
        assert (known["question"], known["answers"]) == ("When?", ["6:40"])
        assert [each.question for each in SavedQuestions(state).questions()] == ["Where?"]
        assert ConversationStore(state).version("me", "a", "ab") is not None
        assert GapRecords(state, "all").newest() == []
    assert ask(shared, "And then?") > last
    with pytest.raises(StoreError, match="holds keys already"):
        migrate_state(shared)

    elsewhere = replace(shared, data=tmp_path / "elsewhere")
    assert migrate_state(elsewhere, back=True)["turns"] == 2
    own = replace(elsewhere, state="")
    with closing(open_key_store(own)) as keys:
        assert keys.key_of(text) == key
    with closing(open_state(own)) as state:
        assert [each["question"] for each in FeedbackStore(state).questions("me")] == [
            "When?",
            "And then?",
        ]
    assert ask(own, "And now?") > last + 1
    with pytest.raises(StoreError, match="holds keys already"):
        migrate_state(elsewhere, back=True)


def test_without_a_shared_state_there_is_nowhere_to_copy_to(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set QUOTED_STATE"):
        migrate_state(settings_in(tmp_path))
