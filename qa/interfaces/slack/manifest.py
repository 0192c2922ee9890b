"""App manifest, from which Slack creates the app.

Source: "App manifest reference", docs.slack.dev.
"""

from __future__ import annotations

from typing import Any

from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS

SCOPES = {
    "app_mentions:read": "receive mentions",
    "channels:history": "receive follow-up questions in public channels and find its own answers",
    "chat:write": "answer",
    "commands": "offer /ask",
    "groups:history": "do the same as channels:history in private channels",
    "im:history": "receive direct messages",
}
"""Permissions of the app, each with its purpose."""
_EVENTS = ["app_mention", "message.channels", "message.groups", "message.im"]


def manifest(url: str, name: str) -> dict[str, Any]:
    """Return the manifest of an app that Slack reaches at `url`."""
    base = url.rstrip("/")
    command = {
        "command": "/ask",
        "url": f"{base}{COMMANDS}",
        "description": "Ask about the documents; only you see the answer",
        "usage_hint": "[--in TAG] question, or documents",
        # Mentions and channels come as `<@id|name>`, which `question_of` reads.
        "should_escape": True,
    }
    return {
        "display_information": {
            "name": name,
            "description": "Answers questions in your documents' own words",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"request_url": f"{base}{EVENTS}", "bot_events": _EVENTS},
            "interactivity": {"is_enabled": True, "request_url": f"{base}{INTERACTIONS}"},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
