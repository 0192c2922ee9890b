"""An answer and all that it depends on -> an audit bundle (`qa.verification.bundle`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qa.answer import Answer
from qa.answering.pipeline import Pipeline
from qa.settings import Settings
from qa.verification.bundle import Bundle, source_bytes

PROGRAMS = ("quoted-qa", "openvino", "tokenizers", "faiss-cpu", "rank-bm25", "numpy")
"""Whose versions an answer may depend on."""


def bundle_of(
    answer: Answer,
    pipeline: Pipeline,
    settings: Settings,
    *,
    tags: Sequence[str] | None = None,
    with_sources: bool = True,
) -> tuple[Bundle, list[str]]:
    """The bundle of an answer that the pipeline has just given from documents with these tags, and
    the names of files that are no longer what was indexed, whose bytes it lacks.
    """
    passages: list[dict[str, Any]] = [
        asdict(each) | {"read": each.rank <= answer.passages_read}
        for each in pipeline.search(answer.question, top_k=max(answer.passages_found, 1), tags=tags)
    ]
    plain = answer.to_dict()
    shown = [*passages, *plain["citations"], *(plain["refusal"] or {"nearest": []})["nearest"]]
    named = {
        each["document_id"]: (
            each["sha256"],
            each["uri"],
            pipeline.snapshot.file(each["document_id"]).path,
        )
        for each in shown
    }
    sources, missing = source_bytes(named.values()) if with_sources else ({}, [])
    return Bundle(plain, _context(pipeline, settings, tags), passages, sources), missing


def _context(pipeline: Pipeline, settings: Settings, tags: Sequence[str] | None) -> dict[str, Any]:
    """No path of this machine is told: of a model that is a folder, its name alone."""
    snapshot, policy = pipeline.snapshot, pipeline.policy
    names = {"model": settings.model, "reader": settings.reader}
    return {
        "settings": {
            **{
                name: Path(value).name if Path(value).is_absolute() else value
                for name, value in names.items()
            },
            "precision": settings.precision,
            "target_precision": policy.target_precision,
            "min_confidence": policy.min_confidence,
            "threshold": policy.threshold,
            "tags": None if tags is None else list(tags),
        },
        "index": {
            "store": snapshot.store_id,
            "generation": snapshot.generation,
            "documents": snapshot.document_count,
            "passages": snapshot.size,
        },
        "models": {
            "encoder_sha256": snapshot.model.get("model_sha256"),
            "reader_sha256": pipeline.reader_fingerprint,
        },
        "versions": {name: version(name) for name in PROGRAMS},
    }
