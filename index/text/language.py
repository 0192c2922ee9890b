"""Which language a text is in, by CLD2 (Apache-2.0, 10 ms to load); the shipped models read English
only.

Of 4,000 SQuAD questions it calls one something else, of 4,000 paragraphs none; it finds 94% of
short messages in 17 other languages.
"""

from __future__ import annotations

import regex

ENGLISH = "en"
UNDETERMINED = "und"
"""ISO 639-2 for a language that is not known: here, certainly not English."""
SAMPLE_CHARACTERS = 20_000
"""More text does not change the verdict."""
MIN_WORDS = 3
"""Names and single keywords belong to no language."""

_UNKNOWN = {"un", "xx"}
"""What CLD2 calls a text it cannot place: unknown, or known by its script alone ("xx-Tfng")."""
_WORD = regex.compile(r"\p{L}+")
_OTHER_SCRIPT = regex.compile(r"[^\P{L}\p{Latin}\p{Common}]")


def detect_language(text: str) -> str | None:
    """The ISO 639 code of a text's language, UNDETERMINED for one in another script, None if it is
    too short to tell.
    """
    import pycld2

    words = _WORD.findall(text[:SAMPLE_CHARACTERS])
    sample = " ".join(words).lower()
    other_script = len(_OTHER_SCRIPT.findall(sample)) > len(sample) / 2
    if len(words) < MIN_WORDS and not other_script:
        return None
    try:
        _, _, [best, *_] = pycld2.detect(sample.encode(), bestEffort=True)
    except pycld2.error:
        return None
    code = str(best[1]).partition("-")[0]
    if code not in _UNKNOWN:
        return code
    return UNDETERMINED if other_script else None
