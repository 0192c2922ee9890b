"""Tests of `qa.self_test`."""
