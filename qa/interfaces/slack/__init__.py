"""Slack: signed requests are claimed and acknowledged at once, and answered in their thread by a
worker.

The way of a request: `routes` checks its signature and its form, `app` (Slack's Bolt) finds what it
means and claims it, `worker` takes up what is claimed, `tasks` does it, with `answers` for what was
asked, `delivery` for what goes to Slack and `blocks` and `listing` for how it looks. `webhook`
answers Slack-style webhooks of other services and needs nothing of this. Only `routes`, `app`,
`delivery` and `check` need the extra `slack`.
"""

PREFIX = "/slack/"
"""Every path below it is served only to requests that Slack has signed."""
EVENTS = f"{PREFIX}events"
COMMANDS = f"{PREFIX}commands"
INTERACTIONS = f"{PREFIX}interactions"
