"""Tests of qa.answering.reading."""
