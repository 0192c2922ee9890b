"""Dependencies that FastAPI injects into the handlers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qa.access.principal import LOCAL, Principal
from qa.errors import NotSignedIn
from qa.interfaces.api.door import PRINCIPAL


def asker_of(request: Request) -> Principal:
    """Return the principal whom the door has let in.

    An application without a door, which is made in tests alone, is that of the local person. Raises
    NotSignedIn for nobody.
    """
    if PRINCIPAL not in request.scope and not hasattr(request.app.state, "gatekeeper"):
        return LOCAL
    principal = request.scope.get(PRINCIPAL)
    if not isinstance(principal, Principal):
        raise NotSignedIn("expected a key: Authorization: Bearer KEY, or sign in at /login")
    return principal


Asker = Annotated[Principal, Depends(asker_of)]
"""Principal that sends a request, as a handler's parameter."""
