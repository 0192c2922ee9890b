"""Whose conversations a request may see."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Request

from qa.state.conversations import LOCAL_OWNER


def owner_of(request: Request) -> str:
    """Whose conversations a request may see: those of the key that it shows (Authorization: Bearer
    KEY), or of all who show none.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return (
        f"key:{hashlib.sha256(key.strip().encode()).hexdigest()}"
        if scheme.lower() == "bearer" and key.strip()
        else LOCAL_OWNER
    )


Owner = Annotated[str, Depends(owner_of)]
