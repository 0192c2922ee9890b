"""The environment is read once, checked, and everything has a default."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from index.models.conversion import DEFAULT_MODEL
from qa.errors import SettingsError
from qa.settings import DEFAULT_PASSAGES, DEFAULT_READER, TARGET_PRECISION, Settings, SlackSettings


def test_defaults_need_no_environment() -> None:
    settings = Settings.from_environment({})

    assert (
        settings.top_k,
        settings.precision,
        settings.min_confidence,
        settings.allowed_hosts,
    ) == (
        DEFAULT_PASSAGES,
        "auto",
        None,
        (),
    )
    assert (settings.model, settings.reader, settings.target_precision) == (
        DEFAULT_MODEL,
        DEFAULT_READER,
        TARGET_PRECISION,
    )
    assert settings.data.is_absolute()
    assert settings.data != settings.cache


def test_every_setting_can_be_set() -> None:
    environment = {
        "QUOTED_DATA": "/d",
        "QUOTED_CACHE": "~/c",
        "QUOTED_STORE": "s3://team/quoted",
        "QUOTED_STATE": "postgresql://quoted:x@db/quoted",
        "QUOTED_MODEL": "some/model",
        "QUOTED_READER": "some/reader",
        "QUOTED_READER_LANGUAGES": "en, DE",
        "QUOTED_PRECISION": "f32",
        "QUOTED_TOP_K": "7",
        "QUOTED_TARGET_PRECISION": "0.75",
        "QUOTED_LIKELY_PRECISION": "0.5",
        "QUOTED_MIN_CONFIDENCE": "0.25",
        "QUOTED_ALLOWED_HOSTS": " Example.org, ,intra ",
        "QUOTED_MAX_FILE_BYTES": "1000",
        "QUOTED_MAX_UPLOAD_BYTES": "3000",
        "QUOTED_MAX_STORED_BYTES": "5000",
        "QUOTED_MAX_KEY_BYTES": "4000",
        "QUOTED_MAX_WAITING_FILES": "9",
        "QUOTED_KEEP_DAYS": "7",
        "QUOTED_KEEP_TURNS": "20",
        "QUOTED_GAPS": "all",
        "QUOTED_LOG_QUESTIONS": "1",
        "QUOTED_DETERMINISTIC": "1",
        "QUOTED_PUBLIC_URL": "https://qa.example.org/",
        "QUOTED_TRACES": "http://127.0.0.1:4318",
        "QUOTED_WEBHOOK_TOKEN": "t",
        "QUOTED_TEAMS_SECRETS": "eA==,eQ==",
        "SLACK_SIGNING_SECRET": "s",
        "SLACK_BOT_TOKEN": "xoxb",
        "QUOTED_SLACK_API_URL": "http://127.0.0.1:9/api",
        "QUOTED_SLACK_CHANNELS": "C1, dm",
        "QUOTED_SLACK_RATE": "3",
        "QUOTED_SLACK_TAGS": "C1=Harbour, two  words ; dm=board; *=public=all",
    }
    tags = {"C1": ("harbour", "two words"), "dm": ("board",), "*": ("public=all",)}

    expected = Settings(
        data=Path("/d"),
        cache=Path("~/c").expanduser(),
        model="some/model",
        store="s3://team/quoted",
        state="postgresql://quoted:x@db/quoted",
        reader="some/reader",
        reader_languages=("en", "de"),
        precision="f32",
        top_k=7,
        target_precision=0.75,
        likely_precision=0.5,
        min_confidence=0.25,
        allowed_hosts=("example.org", "intra"),
        max_file_bytes=1000,
        max_upload_bytes=3000,
        max_stored_bytes=5000,
        max_key_bytes=4000,
        max_waiting_files=9,
        keep_days=7,
        keep_turns=20,
        gaps="all",
        log_questions=True,
        deterministic=True,
        public_url="https://qa.example.org",
        traces="http://127.0.0.1:4318",
        webhook_token="t",  # noqa: S106
        teams_secrets=(b"x", b"y"),
        slack=SlackSettings("s", "xoxb", "http://127.0.0.1:9/api/", ("C1", "dm"), 3, tags),
    )
    assert Settings.from_environment(environment) == expected
    assert {name.removeprefix("QUOTED_").lower() for name in environment} == names()


def names() -> set[str]:
    """All settings, those of Slack as slack_NAME."""
    return {each.name for each in fields(Settings)} - {"slack"} | {
        f"slack_{each.name}" for each in fields(SlackSettings)
    }


def test_every_setting_is_documented_with_its_variable() -> None:
    for name in names() - {"slack_signing_secret", "slack_bot_token"}:
        assert f"QUOTED_{name.upper()}" in (Settings.__doc__ or "")


def test_secrets_are_not_shown() -> None:
    environment = {
        "SLACK_SIGNING_SECRET": "hush",
        "SLACK_BOT_TOKEN": "hush",
        "QUOTED_WEBHOOK_TOKEN": "hush",
    }

    assert "hush" not in repr(Settings.from_environment(environment))


def test_a_channel_has_the_tags_of_its_id_of_direct_messages_or_of_all() -> None:
    slack = Settings.from_environment({"QUOTED_SLACK_TAGS": "C1=one;dm=two;D7=three;*=four"}).slack
    some = Settings.from_environment({"QUOTED_SLACK_TAGS": "C1=one"}).slack

    assert [slack.tags_in(each) for each in ("C1", "D1", "D7", "C2", "DM")] == [
        ("one",),
        ("two",),
        ("three",),
        ("four",),
        ("two",),
    ]
    assert (some.tags_in("C1"), some.tags_in("C2"), some.tags_in("D1")) == (("one",), (), ())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (
            "C1=a;C1=b",
            "expected channels, each once with its tags, like C0123=harbour,sea;.*, got 'C1=b'",
        ),
        ("C1=a,", "expected a tag of 1 to 64 .*, got '', in 'C1=a,'"),
        (f"C1={'x' * 65}", "expected a tag of 1 to 64"),
    ],
)
def test_the_tags_of_channels_are_checked_at_the_start(value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=f"QUOTED_SLACK_TAGS: {why}"):
        Settings.from_environment({"QUOTED_SLACK_TAGS": value})


def test_an_option_beats_the_environment() -> None:
    assert Settings.from_environment({"QUOTED_DATA": "/d"}, data=Path("/e")).data == Path("/e")


def test_zero_is_a_threshold_and_an_empty_value_is_none() -> None:
    assert Settings.from_environment({"QUOTED_MIN_CONFIDENCE": "0"}).min_confidence == 0
    assert Settings.from_environment({"QUOTED_TARGET_PRECISION": "0"}).target_precision == 0
    assert Settings.from_environment(
        {"QUOTED_MIN_CONFIDENCE": " ", "QUOTED_TOP_K": ""}
    ) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUOTED_TOP_K", "0"),
        ("QUOTED_TOP_K", "101"),
        ("QUOTED_TOP_K", "2.5"),
        ("QUOTED_TARGET_PRECISION", "1.01"),
        ("QUOTED_TARGET_PRECISION", "90%"),
        ("QUOTED_MIN_CONFIDENCE", "1.01"),
        ("QUOTED_MIN_CONFIDENCE", "nan"),
        ("QUOTED_MIN_CONFIDENCE", "high"),
        ("QUOTED_PRECISION", "int4"),
        ("QUOTED_MAX_FILE_BYTES", "-1"),
        ("QUOTED_PUBLIC_URL", "qa.example.org"),
        ("QUOTED_PUBLIC_URL", "https://"),
        ("QUOTED_PUBLIC_URL", "https://["),
        ("QUOTED_SLACK_API_URL", "file:///etc"),
        ("QUOTED_SLACK_RATE", "0"),
        ("QUOTED_SLACK_TAGS", "harbour"),
        ("QUOTED_SLACK_TAGS", "#general=harbour"),
        ("QUOTED_SLACK_TAGS", "C1="),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_was_expected(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected .*, got '{re.escape(value)}'"):
        Settings.from_environment({name: value})


def test_languages_are_codes() -> None:
    assert Settings.from_environment({"QUOTED_READER_LANGUAGES": "*"}).reader_languages == ("*",)
    with pytest.raises(SettingsError, match=r"like en,de,fr, or \* for all, got 'german'"):
        Settings.from_environment({"QUOTED_READER_LANGUAGES": "en,German"})


def test_the_address_of_a_database_is_checked_and_never_shown() -> None:
    store = {"QUOTED_STORE": "/shared"}
    for environment, message in (
        (
            store | {"QUOTED_STATE": "mysql://me:hidden@db"},
            "expected an address like postgresql://",
        ),
        ({"QUOTED_STATE": "postgresql://me:hidden@db/quoted"}, "set QUOTED_STORE, too"),
    ):
        with pytest.raises(SettingsError, match=f"QUOTED_STATE: .*{message}") as refused:
            Settings.from_environment(environment)
        assert "hidden" not in str(refused.value)
    settings = Settings.from_environment(store | {"QUOTED_STATE": "postgres://me:hidden@db/q"})
    assert "hidden" not in repr(settings)
