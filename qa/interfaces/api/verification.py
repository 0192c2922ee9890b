"""Verification of quotes over HTTP.

Only documents of the index are read, never a path or an address that a request names.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.schemas import PROBLEMS, VerificationOut
from qa.interfaces.service import Service
from qa.verification.quote_check import quotes_of, verification


def verification_router(service: Service) -> APIRouter:
    """Return the route that verifies the quotes of an answer."""
    routes = APIRouter(responses=PROBLEMS)

    @routes.post(
        "/verify",
        response_model=VerificationOut,
        summary="Prove or disprove each quote of an answer against its file",
    )
    def verify_quotes(answer: dict[str, Any], asker: Asker) -> JSONResponse:
        quotes = quotes_of(answer)
        with service.pipeline(asker) as pipeline:
            return JSONResponse(verification(quotes, pipeline.snapshot))

    return routes
