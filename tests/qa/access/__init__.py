"""Tests of `qa.access`."""
