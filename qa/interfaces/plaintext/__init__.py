"""Answers and their differences as plain text, for terminals and chats."""
