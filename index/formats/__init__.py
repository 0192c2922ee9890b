"""Formats that are no plain text: each module makes an `Extracted` of a file's bytes, in a process
of its own (`index.parsing.sandbox`).
"""
