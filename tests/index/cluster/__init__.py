"""Tests of `index.cluster`."""
