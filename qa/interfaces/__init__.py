"""Interfaces to people and programs: HTTP, web page, command line and Slack.

They are thin layers: parse the input, call the library or the pipeline, format the result.
"""

__all__ = ["python"]
"""Modules that other packages may import."""
