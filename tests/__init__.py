"""Tests of `index` and `qa`."""
