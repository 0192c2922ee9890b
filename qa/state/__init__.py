"""What users make, kept in state.db: conversations, feedback, saved questions, queues, backups."""
