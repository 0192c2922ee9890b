"""Write the bill of materials (CycloneDX 1.6) of the packages in the lock file beside it.

python deploy/make_sbom.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
LOCK, BILL = FOLDER / "requirements.lock", FOLDER / "sbom.cdx.json"


def components(lock: str) -> list[dict[str, Any]]:
    """Return the packages of a lock file with their hashes."""
    entries = (
        (re.match(r"([\w.-]+)==([^\s;]+)", entry), entry) for entry in re.split(r"\n(?=\w)", lock)
    )
    return [
        component(found[1], found[2], re.findall(r"--hash=sha256:(\w+)", entry))
        for found, entry in entries
        if found
    ]


def component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    """Return one package as CycloneDX writes it."""
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "bom-ref": purl,
        "name": name,
        "purl": purl,
        "type": "library",
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
    }


def main() -> None:
    """Write the bill."""
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"properties": [{"name": "cdx:reproducible", "value": "true"}]},
        "components": components(LOCK.read_text("utf-8")),
    }
    BILL.write_text(json.dumps(bill, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
