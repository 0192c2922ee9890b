"""A follow-up question -> a standalone question, by rules."""
