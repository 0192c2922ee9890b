"""Signatures of Slack's requests.

Version v0: HMAC-SHA256 of time and raw body ("Verifying requests from Slack", docs.slack.dev).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from slack_sdk.signature import Clock, SignatureVerifier

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Signatures:
    """Verifier of signatures made with one signing secret.

    A signature is valid for five minutes before and after its timestamp.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns Unix time in seconds."""
        self._verifier = SignatureVerifier(secret, _Clock(clock))

    def are_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Return True if the signature fits the body and the timestamp.

        Malformed values are not valid. The comparison takes constant time.
        """
        # slack_sdk raises for some malformed values, and accepts others that int() takes ("1_7").
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:  # Slack sends UTF-8
            return False


class _Clock(Clock):
    """slack_sdk's clock, on top of a function."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()
