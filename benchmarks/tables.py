"""Ask 72 questions on three tables, as CSV and as Markdown files.

    python benchmarks/tables.py

- exact: share whose best candidate is the cell and nothing else.
- answered, right: how many are answered at the target precision, and how many of these answers are
  the cell.
"""

import csv
import os
import tempfile
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random

from index.ingestion.report import Reporter
from index.models.encoder import Encoder
from qa.answering.reading.reader import Reader
from qa.bootstrap import load_encoder, load_pipeline, load_reader
from qa.library.documents import index_paths
from qa.settings import Settings

Table = list[tuple[str, ...]]
Question = tuple[str, str]

PEOPLE = (
    "Anna Berg", "Luis Ortega", "Mia Chen", "Omar Haddad", "Petra Novak", "John Miles",
    "Ines Rocha", "Karl Vogt", "Sara Lind", "Tom Reed", "Eva Klein", "Raj Patel",
)  # fmt: skip
ITEMS = (
    "oil lamp", "brass bell", "oak desk", "wool rug", "steel kettle", "glass vase",
    "linen towel", "copper pan", "garden hose", "desk fan", "wall clock", "shredder",
)  # fmt: skip
CITIES = [
    "Brest",
    "Porto",
    "Turin",
    "Gdansk",
    "Bergen",
    "Ghent",
    "Lyon",
    "Malaga",
    "Split",
    "Zurich",
    "Bremen",
    "Cork",
]


def tables(chance: Random) -> tuple[dict[str, Table], list[Question]]:
    """Return three tables of 12 rows, and two questions on each row with their cells."""
    staff: Table = [("Name", "Department", "Phone", "Email", "Office")]
    stock: Table = [("Item", "Price", "Stock", "Supplier")]
    offices: Table = [("City", "Founded", "Population", "Office opens", "Manager")]
    asked: list[Question] = []
    for person in PEOPLE:
        department, phone = (
            chance.choice(["Sales", "Legal", "Finance", "Design"]),
            f"{chance.randint(100, 999)}-{chance.randint(1000, 9999)}",
        )
        staff.append(
            (
                person,
                department,
                phone,
                f"{person.split()[0].lower()}@example.org",
                str(chance.randint(1, 40)),
            )
        )
        asked += [
            (f"What is the phone number of {person}?", phone),
            (f"Which department does {person} work in?", department),
        ]
    for item in ITEMS:
        price, supplier = (
            f"{chance.randint(5, 300)}.{chance.choice(['50', '90'])}",
            chance.choice(["Acme", "Northwind", "Contoso", "Globex"]),
        )
        stock.append((item.capitalize(), price, str(chance.randint(1, 90)), supplier))
        asked += [
            (f"How much does the {item} cost?", price),
            (f"Who supplies the {item}?", supplier),
        ]
    for city in CITIES:
        day, manager = (
            f"{chance.randint(1, 28)} {chance.choice(['May', 'June', 'July'])} 2025",
            chance.choice(PEOPLE),
        )
        offices.append(
            (
                city,
                str(chance.randint(1200, 2019)),
                f"{chance.randint(100, 900)},{chance.randint(100, 999)}",
                day,
                manager,
            )
        )
        asked += [
            (f"When does the {city} office open?", day),
            (f"Who manages the office in {city}?", manager),
        ]
    return {"staff": staff, "stock": stock, "offices": offices}, asked


def as_csv(rows: Table) -> str:
    """Return the table with commas."""
    target = StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue()


def as_markdown(rows: Table) -> str:
    """Return the table with pipes, below a heading and a sentence."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(
        [
            "# Table",
            "",
            "What follows is a table.",
            "",
            lines[0],
            "|---" * len(rows[0]) + "|",
            *lines[1:],
            "",
        ]
    )


def main() -> None:
    """Index and ask in each format, and print the figures."""
    rows, asked = tables(Random(3))
    settings = Settings.load(os.environ)
    encoder, reader = load_encoder(settings), load_reader(settings)
    for name, written in (("csv", as_csv), ("md", as_markdown)):
        with tempfile.TemporaryDirectory() as folder:
            for table in rows:
                (Path(folder) / f"{table}.{name}").write_text(written(rows[table]), "utf-8")
            measured(
                name,
                replace(settings, data=Path(folder) / "data"),
                Path(folder),
                asked,
                encoder,
                reader,
            )


def measured(
    name: str,
    settings: Settings,
    folder: Path,
    asked: list[Question],
    encoder: Encoder,
    reader: Reader,
) -> None:
    """Print the figures of one format."""
    index_paths(settings, encoder, [folder], Silent())
    cautious = load_pipeline(settings, encoder, reader)
    best = load_pipeline(replace(settings, min_confidence=0.0), encoder, reader)
    exact = sum(best.ask(question).text == cell for question, cell in asked)
    answers = [(cautious.ask(question), cell) for question, cell in asked]
    answers = [(answer, cell) for answer, cell in answers if answer.spans]
    right = sum(answer.text == cell for answer, cell in answers)
    print(
        f"{name}: {exact / len(asked):.3f} exact, "
        f"{len(answers)} of {len(asked)} answered, {right} of these right",
        flush=True,
    )


class Silent(Reporter):
    """Reporter without output."""


if __name__ == "__main__":
    main()
