"""Tests of the shared store; they need the extra `lance`."""
