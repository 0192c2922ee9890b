"""Whether what only Slack needs is installed."""

from __future__ import annotations

from importlib.util import find_spec


def missing_extra() -> str:
    """What to do about the extra `slack`; "" if it is installed."""
    missing = [name for name in ("slack_bolt", "aiohttp") if find_spec(name) is None]
    return (
        f"{' and '.join(missing)} not installed: pip install 'quoted-qa[slack]'" if missing else ""
    )
