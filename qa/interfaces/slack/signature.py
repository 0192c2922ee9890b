"""Whether a request is Slack's: version v0, HMAC-SHA256 of time and raw body ("Verifying requests
from Slack", docs.slack.dev).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from slack_sdk.signature import Clock, SignatureVerifier

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class Signatures:
    """Checks signatures made with one signing secret; those older than five minutes, or as far
    ahead, are no good.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` is Unix time in seconds."""
        self._verifier = SignatureVerifier(secret, _Clock(clock))

    def are_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Whether a signature fits; whatever is malformed does not. The comparison takes constant
        time.
        """
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:  # Slack sends UTF-8
            return False


class _Clock(Clock):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()
