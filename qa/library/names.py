"""Names of files that come from elsewhere: made such that every file system takes them and none is
led astray by them.
"""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import regex

LONGEST = 200
"""Bytes of a name in UTF-8; file systems take 255, and something may have to be added."""
NAMELESS = "document"
_FORBIDDEN = regex.compile(
    r'[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff<>:"|?*]+'
)
"""What Windows forbids (Microsoft, "Naming Files, Paths, and Namespaces"), what cannot be encoded
or printed, and marks that turn the direction of text and so disguise a suffix (CVE-2021-42574).
"""
_RESERVED = regex.compile(r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])")
"""Names of devices on Windows, whatever suffix follows (the same page)."""


def decoded_name(raw: bytes) -> str:
    """The text of a name: UTF-8, which browsers send (RFC 7578, 5.1), else what old programs on
    Windows send.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def safe_name(name: str) -> str:
    """The last part of a path as a name of 1 to LONGEST bytes, its suffix kept; a safe name stays
    as it is.
    """
    last = regex.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = " ".join(_FORBIDDEN.sub("_", last).split()).rstrip(". ")
    suffix = PurePosixPath(f"{NAMELESS}{clean}").suffix  # also of ".txt"
    suffix = suffix if len(suffix.encode()) <= LONGEST // 4 else ""
    stem = clean[: len(clean) - len(suffix)].strip(". ") or NAMELESS
    if _RESERVED.fullmatch(stem.split(".")[0].rstrip()):
        stem = f"_{stem}"
    room = LONGEST - len(suffix.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + suffix
