"""Verification over HTTP: only documents of the index are looked at, never a path or an address
that a request names.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from qa.interfaces.api.schemas import PROBLEMS
from qa.interfaces.service import Service
from qa.verification.quote_check import Check, in_index, quotes_of, verify


class ProofOut(BaseModel):
    """A quote of an answer, whether it is proved, and each check with what was found."""

    proved: bool
    role: str
    uri: str
    quote: str
    start: int
    end: int
    checks: list[Check]


class VerificationOut(BaseModel):
    """Whether all quotes of an answer are proved, and each proof."""

    proved: bool
    proofs: list[ProofOut]


def verification_router(service: Service) -> APIRouter:
    """The route of verification."""
    routes = APIRouter(responses=PROBLEMS)

    @routes.post(
        "/verify",
        response_model=VerificationOut,
        summary="Prove or disprove each quote of an answer against its file",
    )
    def verify_quotes(answer: dict[str, Any]) -> JSONResponse:
        quotes = quotes_of(answer)
        with service.live().use() as pipeline:
            proofs = [proof.to_dict() for proof in verify(quotes, in_index(pipeline.snapshot))]
        return JSONResponse({"proved": all(proof["proved"] for proof in proofs), "proofs": proofs})

    return routes
