"""The reader that is shipped: its files belong together."""

from __future__ import annotations

import hashlib
import json

from index.models.encoder import Encoder
from qa.answering.calibration import load_calibration
from qa.answering.reading.careful_weights import careful_fingerprint
from qa.answering.reading.cascade import cascade_fingerprint
from qa.answering.reading.reader import Reader
from qa.answering.reading.reader_conversion import CAREFUL, SHIPPED
from qa.settings import CALIBRATION, TARGET_PRECISION

CARD = json.loads((SHIPPED / "reader.json").read_text("utf-8"))
MODEL_CARD = (SHIPPED / "README.md").read_text("utf-8")


def test_the_weights_are_those_of_the_card_and_light_enough_to_ship() -> None:
    weights = (SHIPPED / "reader.safetensors").read_bytes()

    assert hashlib.sha256(weights).hexdigest() == CARD["sha256"]
    assert len(weights) == CARD["bytes"] <= 25_000_000


def test_the_calibration_is_of_the_default_models(encoder: Encoder, reader: Reader) -> None:
    calibration = load_calibration(SHIPPED / CALIBRATION)

    assert calibration is not None
    assert calibration.fits(reader.fingerprint, encoder.card.fingerprint)
    assert 0 < calibration.threshold(TARGET_PRECISION) < 1


def test_the_calibration_of_both_readers_is_of_the_shipped_pair(
    encoder: Encoder, reader: Reader
) -> None:
    calibration = load_calibration(CAREFUL / CALIBRATION)
    pair = cascade_fingerprint(reader.fingerprint, careful_fingerprint(CAREFUL))

    assert calibration is not None
    assert calibration.fits(pair, encoder.card.fingerprint)
    assert 0 < calibration.threshold(TARGET_PRECISION) < 1


def test_nothing_but_training_sets_went_in() -> None:
    trained_on = set(CARD["corpus"]["data"])

    assert trained_on
    assert all(
        name.endswith(("-train", "-train-partial", "shifts-reddit", "shifts-amazon"))
        for name in trained_on
    )


def test_the_model_card_names_the_files_and_the_licences() -> None:
    for said in (
        *(path.name for path in SHIPPED.iterdir() if path.name != "README.md"),
        "CC BY-SA 4.0",
        "Apache-2.0",
        "CC BY 4.0",
    ):
        assert said in MODEL_CARD
