"""Documents that are versions of one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.document import Document
from index.parsing.loader import load
from index.text.versions import (
    Versions,
    find_versions,
    overlap,
    traits_from_json,
    version_traits,
)

WORDS = " ".join(f"word{number} of the rules number {number}." for number in range(120))


def versions_of(folder: Path, files: dict[str, str]) -> Versions:
    """Return the versions among files, with their names for ids."""
    traits = {}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        document = load(path, folder)
        assert isinstance(document, Document)
        traits[name] = traits_from_json(version_traits(document).to_json())
    return find_versions(traits)


def order(found: Versions) -> list[tuple[str, int]]:
    return [(each.document_id, each.position) for each in found.documents]


@pytest.mark.parametrize(
    ("older", "newer", "reason"),
    [
        ("policy_v2.md", "policy_v3.md", "“policy_v3.md” is version 3"),
        ("guide_rev_A.md", "guide_rev_B.md", "“guide_rev_B.md” is version 2"),
        ("notes 3.9.md", "notes 3.10.md", "“notes 3.10.md” is version 3.10"),
        ("policy_old.md", "policy.md", "it is marked “old”"),
        ("policy_superseded.md", "policy.md", "it is marked “superseded”"),
        ("price_list_2025.md", "price_list_2026.md", "“price_list_2026.md” is of 2026"),
        ("handbook_2024-03-01.md", "handbook_2026-01-15.md", "is of 2026-01-15"),
        ("plan draft.md", "plan final.md", "“plan final.md” is newer by its name"),
    ],
)
def test_versions_by_their_names(tmp_path: Path, older: str, newer: str, reason: str) -> None:
    found = versions_of(tmp_path, {newer: "Five days.", older: "Four days."})

    assert order(found) == [(older, 0), (newer, 1)]
    assert {each.relation for each in found.documents} == {"version"}
    assert reason in found.documents[0].reason
    assert found.documents[1].reason == ""


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("minutes_2026-09-08.md", "minutes_2026-10-13.md"),
        ("quality_report_2026_Q2.md", "quality_report_2026_Q3.md"),
        ("rota_september_2026.md", "rota_october_2026.md"),
        ("quotas_2026-10.md", "quotas_2026-11.md"),
    ],
)
def test_a_series_supersedes_nothing(tmp_path: Path, older: str, newer: str) -> None:
    found = versions_of(tmp_path, {older: "Scrap was 3%.", newer: "Scrap was 2%."})

    assert order(found) == [(older, 0), (newer, 1)]
    assert {each.relation for each in found.documents} == {"series"}


def test_a_document_that_supersedes_another_says_so(tmp_path: Path) -> None:
    files = {
        "a.md": "# Travel rules\n\nVersion 2, 1 May 2026. Supersedes version 1 of 2024.",
        "b.md": "# Travel rules\n\nVersion 1, issued on 3 May 2024.",
        "c.md": "# Parking rules\n\nVersion 1, issued on 3 May 2024.",
    }

    found = versions_of(tmp_path, files)

    assert order(found) == [("b.md", 0), ("a.md", 1)]
    assert found.documents[0].reason == "“a.md” supersedes it"


def test_what_a_document_supersedes_is_older_whatever_their_dates(tmp_path: Path) -> None:
    files = {
        "rules_v1.md": "# Rules\n\nVersion 1, issued on 3 May 2024.",
        "rules_v2.md": "# Rules\n\nVersion 2, issued on 5 June 2026.",
        "rules_v3.md": "# Rules\n\nIssued on 1 May 2026. Supersedes version 2.",
        "rules_other.md": "# Rules\n\nIssued on 1 May 2025. Supersedes version 1.",
    }

    found = dict(order(versions_of(tmp_path, files)))

    assert found["rules_v1.md"] < found["rules_other.md"]
    assert found["rules_v2.md"] < found["rules_v3.md"]


def test_a_document_that_is_superseded_says_so(tmp_path: Path) -> None:
    files = {
        "rules_v1.md": "# Rules\n\nSuperseded by version 2 of the rules.",
        "rules_v2.md": "# Rules\n\nVersion 2.",
    }

    found = versions_of(tmp_path, files)

    assert order(found) == [("rules_v1.md", 0), ("rules_v2.md", 1)]


def test_a_superseded_document_is_older_whatever_its_date(tmp_path: Path) -> None:
    files = {
        "policy_old.md": "Issued on 5 May 2026. Four days.",
        "policy.md": "Issued on 5 May 2024. Five days.",
    }

    assert order(versions_of(tmp_path, files)) == [("policy_old.md", 0), ("policy.md", 1)]


def test_a_section_may_be_superseded_alone(tmp_path: Path) -> None:
    files = {
        "CN-0147_seal.txt": "CHANGE NOTICE CN-0147\n\nDate\n14 April 2026\n\n1 Seals\nEPDM.",
        "CN-0152_seal.txt": "CHANGE NOTICE CN-0152\n\nDate\n21 August 2026\nSupersedes\n"
        "Section 1 of CN-0147 of 14 April 2026\n\n1 Seal\nFKM.",
    }

    found = versions_of(tmp_path, files)

    assert found.documents == ()
    [section] = found.sections
    assert (section.document_id, section.section) == ("CN-0147_seal.txt", "1")
    assert section.newer_id == "CN-0152_seal.txt"


def test_versions_by_title_and_text(tmp_path: Path) -> None:
    same = f"# Rules of the house\n\nIssued on {{day}} 2025.\n\n{WORDS}"
    files = {
        "one/rules-peter.md": same.format(day="3 May"),
        "two/house.md": same.format(day="4 June"),
        "two/other.md": "# Rules of the house\n\nIssued on 4 July 2025.\n\nNo dogs.",
    }

    found = versions_of(tmp_path, files)

    assert order(found) == [("one/rules-peter.md", 0), ("two/house.md", 1)]


@pytest.mark.parametrize(
    "files",
    [
        # Two things, one age, no mark: what they contradict each other in is a conflict.
        {"a.md": "# Visits\n\nFrom two to five.", "b.md": "# Visits\n\nFrom three to five."},
        # Numbers that count things are no versions.
        {"invoice 1001.md": f"# Invoice\n\n{WORDS}", "invoice 1002.md": f"# Invoice\n\n{WORDS} 2"},
        {"chapter1.md": "One.", "chapter2.md": "Two."},
        {"README.md": "# Read me\n\nOne.", "sub/README.md": "# Read me\n\nTwo."},
        {
            "pump.md": "# Pump\n\nThe new seal replaces the old bearing.",
            "seal.md": "# Seal\n\nBlue.",
        },
    ],
)
def test_what_are_no_versions(tmp_path: Path, files: dict[str, str]) -> None:
    assert versions_of(tmp_path, files) == Versions()


def test_a_superseded_document_without_a_newer_one_is_known(tmp_path: Path) -> None:
    [alone] = versions_of(tmp_path, {"rules.md": "# Rules\n\nStatus: withdrawn\n"}).documents

    assert (alone.is_invalid, alone.reason) == (True, "it is marked “withdrawn”")


def test_overlap_is_that_of_the_shingles() -> None:
    assert overlap((1, 2, 3), (1, 2, 3)) == 1
    assert overlap((1, 2), (3, 4)) == 0
    assert overlap((), ()) == 0
    assert overlap((1, 2, 3), (2, 3, 4)) == 0.5
