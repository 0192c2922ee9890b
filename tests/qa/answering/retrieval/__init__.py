"""Tests of qa.answering.retrieval."""
