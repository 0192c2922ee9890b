"""Write the graphs of the shipped models without weights, after a change of model or conversion.

It converts both with torch, and checks that what is put together again has the same bytes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.encoder_conversion import TEMPLATE as ENCODER_TEMPLATE
from index.models.encoder_conversion import convert_with_torch as convert_encoder
from index.models.graph_template import BASE, Tensors, assemble, read_tensors, save_template
from qa.answering.reading.reader_conversion import SHIPPED, reader_tensors
from qa.answering.reading.reader_conversion import TEMPLATE as READER_TEMPLATE
from qa.answering.reading.reader_conversion import convert_with_torch as convert_reader


def main() -> None:
    """Write both templates."""
    source = find_model(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as folder:
        encoder, reader = Path(folder) / "encoder", Path(folder) / "reader"
        encoder.mkdir()
        reader.mkdir()
        convert_encoder(source, encoder, "")
        convert_reader(source, reader, "", SHIPPED)
        tensors = read_tensors(source / "model.safetensors", BASE)
        _write(encoder, "encoder.json", tensors, ENCODER_TEMPLATE)
        _write(reader, "reader.json", reader_tensors(source, SHIPPED), SHIPPED / READER_TEMPLATE)


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
