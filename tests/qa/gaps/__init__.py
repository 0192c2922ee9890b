"""Tests of `qa.gaps`."""
