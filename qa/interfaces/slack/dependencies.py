"""Check for the packages that only Slack needs."""

from __future__ import annotations

from importlib.util import find_spec


def missing_extra() -> str:
    """Return how to install the extra `slack`, or "" if it is installed."""
    missing = [name for name in ("slack_bolt", "aiohttp") if find_spec(name) is None]
    if not missing:
        return ""
    return f"{' and '.join(missing)} not installed: pip install 'quoted-qa[slack]'"
