"""Conversations and feedback over HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from qa.access.principal import Principal
from qa.conversations.conversation import QuotedVersion, current_sha256
from qa.errors import UnknownDocumentId
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.schemas import (
    PROBLEMS,
    ConversationOut,
    ConversationsOut,
    FeedbackIn,
    VersionOut,
)
from qa.interfaces.service import Service
from qa.state.conversations import StoredTurn
from qa.state.feedback import Judgement


def conversation_router(service: Service) -> APIRouter:
    """Return the routes of conversations, quoted versions and feedback."""
    routes = APIRouter(responses=PROBLEMS)

    @routes.post(
        "/conversations",
        response_model=ConversationOut,
        status_code=201,
        summary="Begin a conversation",
    )
    def start(asker: Asker) -> dict[str, Any]:
        return asdict(service.conversations().history.start(asker.owner)) | {"turns": []}

    @routes.get(
        "/conversations",
        response_model=ConversationsOut,
        summary="List the conversations, the last used first",
    )
    def listed(asker: Asker) -> dict[str, Any]:
        conversations = service.conversations().history.conversations(asker.owner)
        return {"conversations": [asdict(each) for each in conversations]}

    @routes.get(
        "/conversations/{conversation_id}",
        response_model=ConversationOut,
        summary="One conversation with its turns",
    )
    def shown(conversation_id: str, asker: Asker) -> JSONResponse:
        # Looked up with its owner first: nobody may see the turns of another one's conversation.
        info = service.conversations().history.conversation(asker.owner, conversation_id)
        return JSONResponse(asdict(info) | {"turns": _turns(service, asker, conversation_id)})

    @routes.delete(
        "/conversations/{conversation_id}", status_code=204, summary="Delete a conversation"
    )
    def delete(conversation_id: str, asker: Asker) -> Response:
        service.conversations().history.delete(asker.owner, conversation_id)
        return Response(status_code=204)

    @routes.get(
        "/documents/{document_id}/versions/{prefix}",
        response_model=VersionOut,
        summary="A document's text as it is or once was quoted",
    )
    def version(
        document_id: str,
        prefix: Annotated[str, Path(pattern="^[0-9a-f]{8,64}$")],
        asker: Asker,
    ) -> dict[str, Any]:
        with service.snapshot(asker) as snapshot:
            stored = service.conversations().version(asker.owner, document_id, prefix, snapshot)
            current = current_sha256(snapshot, document_id)
        if stored is None:
            raise UnknownDocumentId(
                f"no text of {document_id!r} is kept whose sha256 begins with {prefix}: "
                "see GET /documents"
            )
        return asdict(stored) | {"current_sha256": current}

    @routes.post(
        "/feedback",
        response_model=Judgement,
        status_code=201,
        summary="Say whether an answer is right, or where the right one is",
    )
    def judge(body: FeedbackIn, asker: Asker) -> Judgement:
        with service.snapshot(asker) as snapshot:
            return service.conversations().judge(
                asker.owner, body.turn_id, body.verdict, body.place, snapshot
            )

    @routes.get(
        "/feedback",
        summary="The feedback as JSON lines of id, question and answers, for `qa eval`",
        response_class=Response,
    )
    def judgements(asker: Asker) -> Response:
        with service.snapshot(asker) as snapshot:
            judged = service.conversations().judged_questions(asker.owner, snapshot)
        lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in judged]
        return Response("".join(lines), media_type="application/jsonl")

    return routes


def _turns(service: Service, asker: Principal, conversation_id: str) -> list[dict[str, Any]]:
    """Return the turns of a conversation with the documents that they quote."""
    conversations = service.conversations()
    with service.snapshot(asker) as snapshot:
        quoted = conversations.quoted(conversation_id, snapshot)
        turns = conversations.turns(conversation_id, snapshot)
    return [_turn_to_dict(turn, quoted.get(turn.id, [])) for turn in turns]


def _turn_to_dict(turn: StoredTurn, quoted: Sequence[QuotedVersion]) -> dict[str, Any]:
    """Return the JSON of `TurnOut`, in which the stored result is named `answer`."""
    fields = asdict(turn)
    del fields["result"], fields["generation"]
    return fields | {"answer": turn.result, "quoted": [asdict(each) for each in quoted]}
