"""Dependencies that FastAPI injects into the handlers."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Request

from qa.state.conversations import LOCAL_OWNER


def owner_of(request: Request) -> str:
    """Return the owner of the conversations that a request may see.

    A request with a key (Authorization: Bearer KEY) sees those of its key. All requests without
    one share the conversations of the local owner.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() != "bearer" or not key:
        return LOCAL_OWNER
    # The key itself is a secret and is not stored.
    return f"key:{hashlib.sha256(key.encode()).hexdigest()}"


Owner = Annotated[str, Depends(owner_of)]
"""Owner of the conversations that a request may see, as a handler's parameter."""
