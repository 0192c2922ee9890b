"""User data in state.db: conversations, feedback, saved questions and queues; backups."""
