"""Settings, read once from the environment and from the settings file.

`Settings.load` is called at the outermost layer, and its result is passed in; no other module reads
the environment. An option goes before a variable, a variable before the file, the file before the
default.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self, TypeVar, get_args
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path

from index.errors import InvalidTag
from index.models.conversion import DEFAULT_MODEL
from index.models.openvino_graph import Precision
from index.parsing.loader import MAX_FILE_BYTES
from index.tags import tags_of
from index.text.language import ENGLISH
from qa.errors import SettingsError
from qa.settings_file import (
    FILE_VARIABLE,
    SettingsFile,
    find_settings_file,
    nearest_name,
    read_settings_file,
)

APPLICATION = "quoted-qa"
FAST_READER = "fast"
"""Name of the shipped small reader in `qa/weights`, whose README is its model card."""
FORMER_FAST_READER = "quoted-reader"
"""Name that the fast reader had while it was the only one."""
CAREFUL_READER = "careful"
"""Name of the shipped larger reader in `qa/weights/careful`, whose README is its model card."""
AUTO_READER = "auto"
"""Name of both shipped readers, of which the careful one reads the best passages again."""
DEFAULT_READER = FAST_READER
CALIBRATION = "calibration.json"
"""Name of the file with the fitted confidence, beside the index or the shipped weights."""
DEFAULT_PASSAGES = 5
"""Passages read for an answer.

The right one is among the first 5 for 90% of the held-out questions, in a pool of 18,891 paragraphs
(`python benchmarks/choose_constants.py --data DIR`).
"""
MAX_PASSAGES = 100
MAX_UPLOAD_BYTES = 1024**3
"""Largest upload in bytes, with all its files: sixteen of the largest ones."""
MAX_STORED_BYTES = 64 * 1024**3
"""Most bytes of all uploaded files."""
MAX_KEY_BYTES = 16 * 1024**3
"""Most bytes of the files that were uploaded with one key."""
MAX_WAITING_FILES = 5000
"""Most uploaded files that wait to be read: some hours of work on two cores."""
KEEP_DAYS = 90
"""Days after its last turn for which a conversation and the texts it quotes are stored."""
KEEP_TURNS = 200
TARGET_PRECISION = 0.9
"""Share of the sure answers that should be right: nine of ten.

The strict rule of `qa.evaluation.metrics.is_right` decides what is right.
"""
LIKELY_PRECISION = 0.6
"""Share of the answers shown as likely that should be right: three of five."""
Gaps = Literal["conversations", "all", "off"]
"""Questions that `qa gaps` shows: those of conversations, others that are refused, too, or none."""
SLACK_API = "https://slack.com/api/"
SLACK_RATE = 10
"""Questions a minute that one person may ask in Slack.

That is far more than a person types, and far fewer than a loop sends.
"""

NO_FILE = SettingsFile()
VARIABLES = (
    "QUOTED_DATA",
    "QUOTED_CACHE",
    "QUOTED_STORE",
    "QUOTED_STATE",
    "QUOTED_MODEL",
    "QUOTED_READER",
    "QUOTED_READER_LANGUAGES",
    "QUOTED_PRECISION",
    "QUOTED_TOP_K",
    "QUOTED_TARGET_PRECISION",
    "QUOTED_LIKELY_PRECISION",
    "QUOTED_MIN_CONFIDENCE",
    "QUOTED_ALLOWED_HOSTS",
    "QUOTED_MAX_FILE_BYTES",
    "QUOTED_MAX_UPLOAD_BYTES",
    "QUOTED_MAX_STORED_BYTES",
    "QUOTED_MAX_KEY_BYTES",
    "QUOTED_MAX_WAITING_FILES",
    "QUOTED_KEEP_DAYS",
    "QUOTED_KEEP_TURNS",
    "QUOTED_GAPS",
    "QUOTED_LOG_QUESTIONS",
    "QUOTED_DETERMINISTIC",
    "QUOTED_PUBLIC_URL",
    "QUOTED_TRACES",
    "QUOTED_WEBHOOK_TOKEN",
    "QUOTED_TEAMS_SECRETS",
    "SLACK_SIGNING_SECRET",
    "SLACK_BOT_TOKEN",
    "QUOTED_SLACK_API_URL",
    "QUOTED_SLACK_CHANNELS",
    "QUOTED_SLACK_RATE",
    "QUOTED_SLACK_TAGS",
)
"""Variables of all settings, in the order in which they are shown."""
SECRETS = frozenset(
    {
        "QUOTED_STATE",
        "QUOTED_WEBHOOK_TOKEN",
        "QUOTED_TEAMS_SECRETS",
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
    }
)
"""Variables whose values are not shown."""
_PREFIX = "QUOTED_"
_OF_TESTS = f"{_PREFIX}REQUIRE_"
"""Prefix of variables that only our tests read."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Settings of a Slack app (see `Settings`)."""

    signing_secret: str = field(default="", repr=False)
    bot_token: str = field(default="", repr=False)
    api_url: str = SLACK_API
    channels: tuple[str, ...] = ()
    rate: int = SLACK_RATE
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def tags_in(self, channel: str) -> tuple[str, ...]:
        """Return the tags within which a channel is asked, none for all documents."""
        # Ids of direct messages begin with D.
        is_direct_message = channel.startswith("D")
        return self._first_tags(channel, *(["dm"] if is_direct_message else []))

    def tags_of_webhook(self, channel: str) -> tuple[str, ...]:
        """Return the tags within which a channel of another chat service is asked."""
        return self._first_tags(channel)

    def _first_tags(self, *keys: str) -> tuple[str, ...]:
        return next((self.tags[key] for key in (*keys, "*") if key in self.tags), ())


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, each with the environment variable that sets it.

    QUOTED_DATA (data), QUOTED_CACHE (cache), QUOTED_STORE (store: the folder or address of a shared
    store, like s3://bucket/prefix; none: documents are in the data directory), QUOTED_STATE (state,
    the postgresql:// address of the database that the servers of a shared store share; none: what
    users make is in the data directory), QUOTED_MODEL (model, which embeds), QUOTED_READER (reader:
    `fast`, `careful`, `auto` for both, or any Hugging Face question-answering model or folder),
    QUOTED_READER_LANGUAGES (reader_languages, the codes of the languages that it reads,
    comma-separated; `*` for all), QUOTED_PRECISION (precision: auto, int8, bf16 or f32;
    int8 is of the fast reader, which auto runs in it on a CPU that computes in bf16),
    QUOTED_TOP_K (top_k, passages read),
    QUOTED_TARGET_PRECISION (target_precision, the share of the sure answers that should be right,
    in [0, 1]), QUOTED_LIKELY_PRECISION (likely_precision, the same for the answers shown as likely;
    1: none is), QUOTED_MIN_CONFIDENCE (min_confidence, in [0, 1]; set, it decides alone
    which answers are given), QUOTED_ALLOWED_HOSTS (allowed_hosts, comma-separated,
    beside loopback), QUOTED_MAX_FILE_BYTES (max_file_bytes), QUOTED_MAX_UPLOAD_BYTES
    (max_upload_bytes, of one request), QUOTED_MAX_STORED_BYTES (max_stored_bytes, of all uploaded
    files), QUOTED_MAX_KEY_BYTES (max_key_bytes, of those of one key), QUOTED_MAX_WAITING_FILES
    (max_waiting_files, uploaded and not yet read), QUOTED_KEEP_DAYS (keep_days, of a conversation
    after its last turn), QUOTED_KEEP_TURNS (keep_turns, of a conversation), QUOTED_PUBLIC_URL
    (public_url, where people reach the page, for links in messages), QUOTED_TRACES (traces, the
    address of an OpenTelemetry collector; none: nothing is traced), QUOTED_WEBHOOK_TOKEN
    (webhook_token, which POST /webhooks/slash asks for; none: there is no such endpoint),
    QUOTED_TEAMS_SECRETS (teams_secrets, the security tokens of outgoing webhooks of Microsoft
    Teams, in base64, comma-separated; none: there is no POST /webhooks/teams),
    QUOTED_GAPS (gaps: conversations, all, which also keeps refused questions outside of them, or
    off), QUOTED_LOG_QUESTIONS (log_questions, 0 or 1: the server's log shows what is asked).
    QUOTED_DETERMINISTIC (deterministic, 0 or 1: compute in f32, one text at a time in one thread,
    for the same bytes of an answer on every run).

    Of Slack: SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN, as everywhere (none: the endpoints answer
    404), QUOTED_SLACK_API_URL (where its Web API is), QUOTED_SLACK_CHANNELS (ids of the channels to
    answer in, comma-separated, `dm` for direct messages; none: all), QUOTED_SLACK_RATE (questions a
    person and minute), QUOTED_SLACK_TAGS (the tags within which channels are asked, those of other
    chats, too, like C0123=harbour,sea;dm=public;*=public, where `*` is every channel that is not
    named).
    """

    data: Path
    cache: Path
    model: str = DEFAULT_MODEL
    reader: str = DEFAULT_READER
    reader_languages: tuple[str, ...] = (ENGLISH,)
    precision: Precision = "auto"
    top_k: int = DEFAULT_PASSAGES
    target_precision: float = TARGET_PRECISION
    likely_precision: float = LIKELY_PRECISION
    min_confidence: float | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_file_bytes: int = MAX_FILE_BYTES
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    max_stored_bytes: int = MAX_STORED_BYTES
    max_key_bytes: int = MAX_KEY_BYTES
    max_waiting_files: int = MAX_WAITING_FILES
    keep_days: int = KEEP_DAYS
    keep_turns: int = KEEP_TURNS
    gaps: Gaps = "conversations"
    log_questions: bool = False
    deterministic: bool = False
    public_url: str = ""
    traces: str = ""
    store: str = ""
    state: str = field(default="", repr=False)
    webhook_token: str = field(default="", repr=False)
    teams_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    slack: SlackSettings = SlackSettings()

    @classmethod
    def load(cls, environment: Mapping[str, str], *, data: Path | None = None) -> Self:
        """Read the settings from the environment and from the settings file, if there is one.

        `data` overrides QUOTED_DATA. Raises SettingsError if a value cannot be used.
        """
        return cls.from_environment(environment, data=data, file=settings_file(environment))

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        *,
        data: Path | None = None,
        file: SettingsFile = NO_FILE,
    ) -> Self:
        """Read the settings from the environment and, where it says nothing, from a file.

        `data` overrides QUOTED_DATA. Raises SettingsError if a value cannot be used.
        """
        get = _Values(environment, file)
        settings = cls(
            data=data or get.path("QUOTED_DATA") or user_data_path(APPLICATION, appauthor=False),
            cache=get.path("QUOTED_CACHE") or user_cache_path(APPLICATION, appauthor=False),
            store=get.store("QUOTED_STORE"),
            state=get.state("QUOTED_STATE"),
            model=get.text("QUOTED_MODEL", DEFAULT_MODEL),
            reader=get.text("QUOTED_READER", DEFAULT_READER),
            reader_languages=get.languages("QUOTED_READER_LANGUAGES"),
            precision=get.choice("QUOTED_PRECISION", _PRECISIONS),
            top_k=get.integer("QUOTED_TOP_K", 1, MAX_PASSAGES, DEFAULT_PASSAGES),
            target_precision=get.fraction("QUOTED_TARGET_PRECISION", TARGET_PRECISION),
            likely_precision=get.fraction("QUOTED_LIKELY_PRECISION", LIKELY_PRECISION),
            min_confidence=get.fraction("QUOTED_MIN_CONFIDENCE", None),
            allowed_hosts=tuple(host.lower() for host in get.names("QUOTED_ALLOWED_HOSTS")),
            max_file_bytes=get.integer("QUOTED_MAX_FILE_BYTES", 1, 2**40, MAX_FILE_BYTES),
            max_upload_bytes=get.integer("QUOTED_MAX_UPLOAD_BYTES", 1, 2**40, MAX_UPLOAD_BYTES),
            max_stored_bytes=get.integer("QUOTED_MAX_STORED_BYTES", 1, 2**50, MAX_STORED_BYTES),
            max_key_bytes=get.integer("QUOTED_MAX_KEY_BYTES", 1, 2**50, MAX_KEY_BYTES),
            max_waiting_files=get.integer("QUOTED_MAX_WAITING_FILES", 1, 10**6, MAX_WAITING_FILES),
            keep_days=get.integer("QUOTED_KEEP_DAYS", 1, 36_500, KEEP_DAYS),
            keep_turns=get.integer("QUOTED_KEEP_TURNS", 1, 10_000, KEEP_TURNS),
            public_url=get.url("QUOTED_PUBLIC_URL").rstrip("/"),
            traces=get.url("QUOTED_TRACES"),
            webhook_token=get.text("QUOTED_WEBHOOK_TOKEN"),
            teams_secrets=get.secrets("QUOTED_TEAMS_SECRETS"),
            gaps=get.choice("QUOTED_GAPS", _GAPS),
            log_questions=get.switch("QUOTED_LOG_QUESTIONS"),
            slack=_slack_settings(get),
        )
        return settings.reproducible() if get.switch("QUOTED_DETERMINISTIC") else settings

    def reproducible(self) -> Self:
        """Return the settings with `deterministic` set, and the precision that goes with it."""
        return replace(self, precision="f32", deterministic=True)


def settings_file(environment: Mapping[str, str]) -> SettingsFile:
    """Return the settings file of the environment, an empty one if there is none.

    Raises SettingsError.
    """
    return read_settings_file(find_settings_file(environment), VARIABLES)


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the QUOTED_ variables that set nothing, each with the known name most like it."""
    known = {*VARIABLES, FILE_VARIABLE}
    names = [name for name in environment if name.startswith(_PREFIX) and name not in known]
    return {
        name: nearest_name(name, known) for name in sorted(names) if not name.startswith(_OF_TESTS)
    }


_OBJECT_STORE = re.compile(r"(?:s3|gs|az)://[^/]+")
"""Beginning of the address of a place in an object store."""
_POSTGRES = ("postgresql://", "postgres://")
_LANGUAGE = re.compile(r"[a-z]{2,3}|\*")
"""A code of ISO 639, or `*` for all languages."""
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9:@._-]*|\*")
"""A channel id of a chat service, `dm` for Slack's direct messages, `*` for what is not named."""
_CHANNEL_TAGS = "C0123=harbour,sea;dm=public;*=public"
"""Example of QUOTED_SLACK_TAGS for messages."""


_PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_GAPS: tuple[Gaps, ...] = get_args(Gaps)

Default = TypeVar("Default", float, None)
Choice = TypeVar("Choice", bound=str)


class _Values:
    """The values of the environment and of a file, checked and converted; empty ones are not set.

    Raises SettingsError, which names the variable or the place in the file, and what was expected.
    """

    def __init__(self, environment: Mapping[str, str], file: SettingsFile) -> None:
        self._environment = environment
        self._file = file

    def text(self, name: str, default: str = "") -> str:
        in_file = self._file.values.get(name)
        of_file = in_file.text.strip() if in_file else ""
        return self._environment.get(name, "").strip() or of_file or default

    def error(self, name: str, message: str) -> SettingsError:
        """Return the error about a value, with the place where it is set."""
        in_file = self._file.values.get(name)
        is_of_file = in_file is not None and not self._environment.get(name, "").strip()
        return SettingsError(f"{in_file.place if in_file and is_of_file else name}: {message}")

    def names(self, name: str) -> tuple[str, ...]:
        return tuple(each.strip() for each in self.text(name).split(",") if each.strip())

    def secrets(self, name: str) -> tuple[bytes, ...]:
        """Return the bytes of secrets in base64; messages about them name none."""
        try:
            return tuple(base64.b64decode(each, validate=True) for each in self.names(name))
        except ValueError as error:
            expected = "expected security tokens as Microsoft Teams shows them, in base64"
            raise self.error(name, expected) from error

    def languages(self, name: str) -> tuple[str, ...]:
        """Return the codes of languages, those of the shipped reader if none are set."""
        codes = tuple(code.lower() for code in self.names(name)) or (ENGLISH,)
        wrong = next((code for code in codes if not _LANGUAGE.fullmatch(code)), None)
        if wrong is not None:
            raise self.error(
                name, f"expected codes of languages, like en,de,fr, or * for all, got {wrong!r}"
            )
        return codes

    def tags(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the tags of each channel."""
        by_channel: dict[str, tuple[str, ...]] = {}
        entries = [each.strip() for each in self.text(name).split(";") if each.strip()]
        for entry in entries:
            channel, _, tags = (part.strip() for part in entry.partition("="))
            is_new_channel = channel not in by_channel and _CHANNEL.fullmatch(channel)
            if not is_new_channel or not tags:
                raise self.error(
                    name,
                    f"expected channels, each once with its tags, like {_CHANNEL_TAGS}, "
                    f"got {entry!r}",
                )
            try:
                by_channel[channel] = tags_of(tags.split(","))
            except InvalidTag as error:
                raise self.error(name, f"{error}, in {entry!r}") from error
        return by_channel

    def url(self, name: str) -> str:
        value = self.text(name)
        if value and not _is_address(value):
            raise self.error(
                name, f"expected an address like https://qa.example.org, got {value!r}"
            )
        return value

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        try:
            return Path(value).expanduser() if value else None
        except RuntimeError as error:
            raise self.error(name, f"{value!r} is no path: {error}") from error

    def store(self, name: str) -> str:
        """Return the absolute path of a folder, or the address of a place in an object store."""
        value = self.text(name)
        if not value or _OBJECT_STORE.match(value):
            return value
        if "://" in value:
            expected = "a folder, or an address like s3://bucket/prefix"
            raise self.error(name, f"expected {expected}, got {value!r}")
        path = self.path(name)
        return str(path.absolute()) if path else ""

    def state(self, name: str) -> str:
        """Return the address of a database, which may hold a password and is never shown."""
        value = self.text(name)
        if value and not value.startswith(_POSTGRES):
            raise self.error(
                name, "expected an address like postgresql://USER:PASSWORD@HOST/DATABASE"
            )
        if value and not self.text("QUOTED_STORE"):
            raise self.error(
                name, "it is for servers that share their documents: set QUOTED_STORE, too"
            )
        return value

    def choice(self, name: str, allowed: Sequence[Choice]) -> Choice:
        """Return the value, the first of the allowed ones by default."""
        value = self.text(name) or allowed[0]
        for each in allowed:
            if value == each:
                return each
        raise self.error(name, f"expected one of {', '.join(allowed)}, got {value!r}")

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        expected = f"a whole number from {low:g} to {high:g}"
        try:
            number = int(value)
        except ValueError as error:
            raise self.error(name, f"expected {expected}, got {value!r}") from error
        if not low <= number <= high:
            raise self.error(name, f"expected {expected}, got {value!r}")
        return number

    def switch(self, name: str) -> bool:
        """Return True if a value is 1, and False if it is 0 or not set."""
        return self.integer(name, 0, 1, 0) == 1

    def fraction(self, name: str, default: Default) -> float | Default:
        value = self.text(name)
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")  # lies in no range
        if not 0 <= number <= 1:
            raise self.error(name, f"expected a number from 0 to 1, got {value!r}")
        return number


def _is_address(value: str) -> bool:
    """Return True for an http(s) address without query and fragment."""
    try:
        parts = urlsplit(value)
        has_host = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
    return has_host and not parts.query and not parts.fragment


def _slack_settings(get: _Values) -> SlackSettings:
    return SlackSettings(
        signing_secret=get.text("SLACK_SIGNING_SECRET"),
        bot_token=get.text("SLACK_BOT_TOKEN"),
        api_url=f"{(get.url('QUOTED_SLACK_API_URL') or SLACK_API).rstrip('/')}/",
        channels=get.names("QUOTED_SLACK_CHANNELS"),
        rate=get.integer("QUOTED_SLACK_RATE", 1, 10_000, SLACK_RATE),
        tags=get.tags("QUOTED_SLACK_TAGS"),
    )
