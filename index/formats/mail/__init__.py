"""Extractors of mails (.eml), Outlook messages (.msg) and mailboxes (.mbox)."""

__all__ = ["eml", "mbox", "msg"]
"""Modules that other packages may import."""
