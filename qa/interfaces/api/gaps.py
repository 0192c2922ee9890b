"""Gaps over HTTP: what people asked in vain, for those who look after the documents."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from qa.access.gatekeeper import Gatekeeper
from qa.access.principal import Principal
from qa.gaps.report import GROUPS, MOST_GROUPS, SECONDS, AskedAgain, GapReport, gap_report
from qa.gaps.tables import csv_text
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.api.schemas import PROBLEMS
from qa.interfaces.service import Service
from qa.state.gap_records import GapRecord

Groups = Annotated[int, Query(ge=1, le=MOST_GROUPS, description="Groups to show")]
Days = Annotated[int | None, Query(ge=1, le=36_500, description="Only the last days")]


def gap_router(service: Service, gatekeeper: Gatekeeper, questions: QuestionQueue) -> APIRouter:
    """Return the routes of the gaps; asking again takes its turn in the queue."""
    routes, asked_again = APIRouter(responses=PROBLEMS), AskedAgain()
    report = partial(_report, service, gatekeeper, asked_again)

    @routes.get(
        "/gaps.json", response_model=GapReport, summary="What people asked in vain, in groups"
    )
    async def as_json(asker: Asker, groups: Groups = GROUPS, days: Days = None) -> JSONResponse:
        work = partial(report, asker, groups, days)
        return JSONResponse((await questions.run(work)).to_dict())

    @routes.get("/gaps.csv", response_class=Response, summary="What people asked in vain, as CSV")
    async def as_csv(asker: Asker, groups: Groups = MOST_GROUPS, days: Days = None) -> Response:
        work = partial(report, asker, groups, days)
        headers = {"Content-Disposition": 'attachment; filename="quoted-gaps.csv"'}
        content = csv_text(await questions.run(work))
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    return routes


def _report(
    service: Service,
    gatekeeper: Gatekeeper,
    asked_again: AskedAgain,
    asker: Principal,
    groups: int,
    days: int | None,
    seconds: float,
) -> GapReport:
    """Return the gaps that somebody may see, asked of the documents that he may read."""
    owners = gatekeeper.owners_within(asker)
    records = service.gap_records().newest(days=days, owners=owners)
    if owners is not None:
        records = [_without_texts(record) for record in records]
    with service.pipeline(asker) as pipeline:
        return gap_report(
            records, pipeline, most=groups, seconds=min(seconds, SECONDS), asked_again=asked_again
        )


def _without_texts(record: GapRecord) -> GapRecord:
    """Return a record without texts of documents, which may not be open to somebody limited."""
    return replace(record, answer=None, place=None, document_id=None)
