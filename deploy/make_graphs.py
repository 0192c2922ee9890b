"""Write the graphs of the shipped models without weights, after a change of model or conversion.

It converts all three with torch, and checks that what is put together again has the same bytes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.encoder_conversion import TEMPLATE as ENCODER_TEMPLATE
from index.models.encoder_conversion import convert_with_torch as convert_encoder
from index.models.graph_template import BASE, Tensors, assemble, save_template
from index.models.tensor_files import read_tensors
from qa.answering.reading.careful_weights import careful_tensors
from qa.answering.reading.reader_conversion import (
    CAREFUL,
    SHIPPED,
    convert_careful_with_torch,
    reader_tensors,
)
from qa.answering.reading.reader_conversion import TEMPLATE as READER_TEMPLATE
from qa.answering.reading.reader_conversion import convert_with_torch as convert_reader


def main() -> None:
    """Write all templates."""
    source = find_model(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as folder:
        encoder, reader, careful = (
            Path(folder) / name for name in ("encoder", "reader", "careful")
        )
        for each in (encoder, reader, careful):
            each.mkdir()
        convert_encoder(source, encoder, "")
        convert_reader(source, reader, "", SHIPPED)
        convert_careful_with_torch(CAREFUL, careful)
        tensors = read_tensors(source / "model.safetensors", BASE)
        _write(encoder, "encoder.json", tensors, ENCODER_TEMPLATE)
        _write(reader, "reader.json", reader_tensors(source, SHIPPED), SHIPPED / READER_TEMPLATE)
        _write(careful, "reader.json", careful_tensors(CAREFUL), CAREFUL / READER_TEMPLATE)


def _write(converted: Path, card: str, tensors: Tensors, template: Path) -> None:
    """Write the template of a converted model, and check it."""
    facts = json.loads((converted / card).read_text("utf-8"))
    model = converted / "model.xml"
    save_template(model, model.with_suffix(".bin"), tensors, facts, template)
    with tempfile.TemporaryDirectory() as folder:
        assemble(template, tensors, Path(folder))
        for name in ("model.xml", "model.bin"):
            if (Path(folder) / name).read_bytes() != (converted / name).read_bytes():
                sys.exit(f"{template.name}: {name} differs from what was converted")
    sys.stdout.write(f"Wrote {template}, {template.stat().st_size:,} bytes.\n")


if __name__ == "__main__":
    main()
