"""Slack bot and Slack-style webhook.

The way of a request: `plugin` checks its signature and validates its form, `app` (Slack's Bolt)
passes it to `events`, which puts a task (`tasks`) into the message queue; only then is the request
acknowledged. The `worker` leases queued messages and `handlers` carry them out: `answers` works
out what to post, `blocks` and `document_list` lay it out, `delivery` sends it to Slack.

`webhook` and `teams` answer the webhooks of other services (`chat_reply`) and need none of this.
Only `plugin`, `app`, `delivery`, `handlers`, `worker`, `signature` and `check` need the extra
`slack`.
"""

__all__ = ["check", "dependencies", "manifest", "plugin", "teams", "webhook"]
"""Modules that other packages may import."""

PREFIX = "/slack/"
"""Prefix of the paths that are served only to requests signed by Slack."""
EVENTS = f"{PREFIX}events"
COMMANDS = f"{PREFIX}commands"
INTERACTIONS = f"{PREFIX}interactions"
