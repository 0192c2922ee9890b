"""Thin layers: parse, call, translate, stop."""
