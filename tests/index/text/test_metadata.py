"""Front matter in YAML and in TOML, however it is closed."""

from __future__ import annotations

import pytest

from index.text.markdown import markdown_structure


@pytest.mark.parametrize(
    "head",
    [
        '+++\ntitle = "Boiler"\ndate = 2026-05-04T10:00:00Z\ntags = ["heat", "steam"]\n+++\n',
        '+++\ntitle = "Boiler"\ndate = 2026-05-04\n[taxonomies]\ntags = ["heat", "steam"]\n+++\n',
        "---\ntitle: Boiler\ndate: 2026-05-04\ntags: [heat, steam]\n...\n",
        "---\ntitle: Boiler\ndate: 2026-05-04\ntags: [heat, steam]\n---\n",
    ],
)
def test_front_matter_gives_title_date_and_tags_and_is_no_text(head: str) -> None:
    text = f"{head}\n# Limits\n\nThe limit is 6 bar.\n\n---\n\nMore.\n"

    structure = markdown_structure(text)

    assert (structure.title, structure.date) == ("Boiler", "2026-05-04")
    assert sorted(structure.tags) == ["heat", "steam"]
    shown = [text[block.start : block.end] for block in structure.blocks]
    assert shown == ["# Limits", "The limit is 6 bar.", "More."]


def test_what_is_no_front_matter_stays_text() -> None:
    structure = markdown_structure("+++\nno toml\n+++\n\nText.")

    assert structure.title is None
    assert structure.blocks
