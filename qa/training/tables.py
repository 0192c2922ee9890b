"""Synthetic questions about rows of tables, which the other data sets lack.

A table gets a subject in its first column and attributes in the others, its rows are rendered as
the product renders them ("Item: oak desk; Price: $120.00"), and a question asks for an attribute
of one subject ("How much is the oak desk") or for the subject with an attribute. Unanswerable
questions ask of rows that lack the subject or the attribute.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.rendering import render_row
from qa.training.data import CharSpan, Example

SOURCE = "tables"
"""Data set that these questions form."""
UNANSWERABLE, REVERSED = 0.35, 0.25
"""Shares of the questions that no row answers, and that ask for the subject of a row."""
MOST_ROWS, MOST_ATTRIBUTES = 9, 5
_ONE_ROW, _AS_LINES = 0.35, 0.2
"""Shares of the passages that hold one row, as chunks of small tables do, and that list a record
line by line ("Price: $120.00") instead of in a row."""

Value = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Kind of column: its headers, a maker of values and questions about a subject "{}".

    `reverse` asks for the subject of a value, with the subject's header and the value.
    """

    headers: tuple[str, ...]
    value: Value
    questions: tuple[str, ...]
    reverse: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Kind of first column: its headers, a maker of subjects, the article that questions use."""

    headers: tuple[str, ...]
    value: Value
    article: str = "the "


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Ann Bilal Carla Dmitri Elena Farid Grace Hugo Ines Jonas Keiko Liam Mara Noor Oskar Priya "
    "Quentin Rosa Samuel Tara Umar Vera Wei Ximena Yusuf Zoe Amir Bea Chidi Dora Emil Fiona"
)
_LAST = _words(
    "Abbott Becker Castro Dunn Eriksen Fischer Garcia Huang Ivanov Jensen Kowalski Lopez Meyer "
    "Nakamura Okafor Patel Quinn Rossi Schmidt Tanaka Ueda Vargas Weber Xu Young Zhang Hall Costa"
)
_ADJECTIVES = _words(
    "oak steel blue portable spare industrial folding large small wireless outdoor electric "
    "digital standard heavy light premium basic front rear upper manual solar digital compact"
)
_THINGS = _words(
    "desk lamp chair pump valve printer router camera heater drill ladder filter sensor cable "
    "battery monitor kettle bracket compressor scanner trolley cabinet fan switch gauge tent"
)
_PLACES = _words(
    "Lisbon Oslo Denver Turin Nairobi Osaka Leeds Porto Ghent Tampa Lyon Quito Perth Malmo Cork "
    "Boston Izmir Graz Bergen Austin Kyoto Lima Sofia Riga"
)
_TEAMS = (
    *_words("Finance Legal Sales Marketing Engineering Support Purchasing Logistics Research"),
    *("Human Resources", "Quality Assurance", "Customer Care", "Field Service"),
)
_STATES = (
    *_words("open closed approved pending cancelled delivered delayed active retired shipped"),
    *("in progress", "on hold", "out of stock", "under review"),
)
_MONTHS = _words(
    "January February March April May June July August September October November December"
)


def _person(rng: random.Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _thing(rng: random.Random) -> str:
    return f"{rng.choice(_ADJECTIVES)} {rng.choice(_THINGS)}"


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTUVWX", k=rng.randint(1, 3)))
    return rng.choice((f"{letters}-{rng.randint(10, 9999)}", f"{letters}{rng.randint(10, 999)}"))


def _price(rng: random.Random) -> str:
    amount = rng.choice((rng.uniform(2, 90), rng.uniform(90, 9000)))
    number = rng.choice((f"{amount:,.2f}", f"{round(amount):,}"))
    return rng.choice((f"${number}", f"€{number}", f"{number} EUR", f"£{number}", number))


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2015, 2029)
    name = _MONTHS[month - 1]
    return rng.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{day:02}/{month:02}/{year}",
            f"{day} {name[:3]}",
        )
    )


def _phone(rng: random.Random) -> str:
    return rng.choice(
        (
            f"+{rng.randint(1, 98)} {rng.randint(10, 99)} {rng.randint(1000000, 9999999)}",
            f"({rng.randint(200, 989)}) 555-{rng.randint(1000, 9999)}",
            f"555-{rng.randint(1000, 9999)}",
            f"ext. {rng.randint(100, 999)}",
        )
    )


def _mail(rng: random.Random) -> str:
    name = f"{rng.choice(_FIRST)}.{rng.choice(_LAST)}".lower()
    return f"{name}@{rng.choice(_THINGS)}works.example"


def _measure(units: str) -> Value:
    def value(rng: random.Random) -> str:
        number = rng.choice((str(rng.randint(1, 900)), f"{rng.uniform(0.1, 90):.1f}"))
        return f"{number} {rng.choice(units.split('|'))}"

    return value


def _hours(rng: random.Random) -> str:
    return f"{rng.randint(6, 11)}:{rng.choice(('00', '30'))}-{rng.randint(14, 21)}:00"


def _room(rng: random.Random) -> str:
    return rng.choice((f"{rng.choice('ABCDEF')}{rng.randint(100, 499)}", f"Room {_number(rng)}"))


def _number(rng: random.Random) -> str:
    return str(rng.randint(2, 480))


SUBJECTS = (
    Subject(("Item", "Product", "Article", "Equipment", "Part"), _thing),
    Subject(("Name", "Employee", "Contact", "Person", "Member"), _person, ""),
    Subject(("City", "Office", "Site", "Branch", "Location"), lambda rng: rng.choice(_PLACES), ""),
    Subject(("Code", "Part number", "Ticket", "Order", "ID", "Model"), _code, ""),
    Subject(("Department", "Team", "Unit"), lambda rng: rng.choice(_TEAMS), ""),
)

ATTRIBUTES = (
    Attribute(
        ("Price", "Unit price", "Cost", "Amount", "Fee", "Net price"),
        _price,
        ("How much is {}", "What does {} cost", "What is the {header} of {}", "{header} {}"),
    ),
    Attribute(
        ("Owner", "Responsible", "Manager", "Supervisor", "Contact person", "Assigned to"),
        _person,
        ("Who is the {header} of {}", "Who is responsible for {}", "{header} for {}"),
        "Which {subject} has {} as its {header}",
    ),
    Attribute(
        ("Due date", "Deadline", "Start date", "Expires", "Delivery date", "Next inspection"),
        _date,
        ("When is the {header} of {}", "What is the {header} for {}", "{} {header}"),
        "Which {subject} has the {header} {}",
    ),
    Attribute(
        ("Phone", "Phone number", "Extension", "Mobile", "Tel."),
        _phone,
        ("What is the {header} of {}", "How can I call {}", "{} {header}"),
    ),
    Attribute(
        ("E-mail", "Email", "Mail address"),
        _mail,
        ("What is the {header} of {}", "What is the {header} for {}"),
        "Whose {header} is {}",
    ),
    Attribute(
        ("Quantity", "In stock", "Seats", "Units", "Headcount", "Stock"),
        _number,
        ("How many {header} for {}", "What is the {header} of {}", "How many of {} are there"),
    ),
    Attribute(
        ("Status", "State", "Condition"),
        lambda rng: rng.choice(_STATES),
        ("What is the {header} of {}", "What state is {} in"),
        "Which {subject} is {}",
    ),
    Attribute(
        ("Room", "Storage place", "Desk", "Shelf"),
        _room,
        ("Where is {}", "Which {header} is {} in", "What is the {header} of {}"),
        "Which {subject} is in {}",
    ),
    Attribute(
        ("Weight", "Gross weight", "Max. load"),
        _measure("kg|g|lb|t"),
        ("How heavy is {}", "What is the {header} of {}"),
    ),
    *(
        Attribute(
            headers,
            _measure(units),
            ("What is the {header} of {}", "What {header} does {} have"),
            "Which {subject} has a {header} of {}",
        )
        for headers, units in (
            (("Pressure", "Max. pressure"), "bar|psi|kPa"),
            (("Temperature", "Operating temperature"), "°C|°F"),
            (("Voltage", "Torque", "Power"), "V|Nm|kW"),
            (("Length", "Width", "Height"), "mm|m|cm|in"),
        )
    ),
    Attribute(
        ("Opening hours", "Hours", "Shift"),
        _hours,
        ("When is {} open", "What are the {header} of {}"),
    ),
    Attribute(
        ("Version", "Revision", "Release"),
        lambda rng: f"{rng.randint(0, 9)}.{rng.randint(0, 20)}",
        ("What {header} is {}", "Which {header} does {} have"),
    ),
    Attribute(
        ("Discount", "Share", "VAT", "Growth"),
        lambda rng: f"{rng.choice((rng.randint(1, 60), round(rng.uniform(0.1, 30), 1)))}%",
        ("What is the {header} of {}", "How high is the {header} for {}"),
    ),
    Attribute(
        ("Serial number", "Code", "Article number", "License plate"),
        _code,
        ("What is the {header} of {}", "Which {header} does {} have"),
        "Which {subject} has the {header} {}",
    ),
)


@dataclass(frozen=True, slots=True)
class _Table:
    """Headers, rows of cells of the same width, and the kinds of the columns."""

    subject: Subject
    attributes: tuple[Attribute, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table_questions(count: int, seed: int) -> list[Example]:
    """Return `count` synthetic examples about rows of tables, the same for the same seed."""
    rng = random.Random(f"{SOURCE} {seed}")
    return [_example(number, _table(rng), rng) for number in range(count)]


def _table(rng: random.Random) -> _Table:
    subject = rng.choice(SUBJECTS)
    attributes = tuple(rng.sample(ATTRIBUTES, rng.randint(1, MOST_ATTRIBUTES)))
    headers = (
        rng.choice(subject.headers),
        *(rng.choice(kind.headers) for kind in attributes),
    )
    # Drawn with one more than the passage shows: the subject that the rows lack.
    names = list(dict.fromkeys(subject.value(rng) for _ in range(3 * MOST_ROWS)))
    rows = tuple(
        (name, *(kind.value(rng) for kind in attributes)) for name in names[: MOST_ROWS + 1]
    )
    return _Table(subject, attributes, headers, rows)


def _example(number: int, table: _Table, rng: random.Random) -> Example:
    """Return a question about some rows of a table, which do or do not answer it."""
    size = 1 if rng.random() < _ONE_ROW else rng.randint(2, len(table.rows) - 1)
    shown, hidden = table.rows[:size], table.rows[size:]
    as_lines = size == 1 and rng.random() < _AS_LINES
    passage, places = _rendered(table.headers, shown, as_lines=as_lines)
    column = rng.randrange(1, len(table.headers))
    row = rng.randrange(size)
    kind = table.attributes[column - 1]
    drawn = rng.random()
    spans: tuple[CharSpan, ...] = ()
    if drawn < UNANSWERABLE:
        question = _unanswerable(table, column, row, hidden, rng)
    elif kind.reverse and drawn < UNANSWERABLE + REVERSED:
        question = _asked(table, kind.reverse, column, shown[row][column])
        # Every row with that value answers the question.
        spans = tuple(
            places[at][0] for at, cells in enumerate(shown) if cells[column] == shown[row][column]
        )
    else:
        question = _asked(table, rng.choice(kind.questions), column, _named(table, shown[row][0]))
        spans = (places[row][column],)
    return Example(f"{SOURCE}/{number}", SOURCE, "", question, passage, spans)


def _unanswerable(
    table: _Table, column: int, row: int, hidden: Sequence[Sequence[str]], rng: random.Random
) -> str:
    """Return a question for a subject or an attribute that the shown rows lack."""
    if rng.random() < 0.5:
        name = rng.choice(hidden)[0]
        return _asked(table, rng.choice(table.attributes[column - 1].questions), column, name)
    others = [kind for kind in ATTRIBUTES if kind not in table.attributes]
    kind = rng.choice(others)
    header = rng.choice(kind.headers)
    asked = rng.choice(kind.questions)
    return asked.format(_named(table, table.rows[row][0]), header=header.lower())


def _asked(table: _Table, question: str, column: int, value: str) -> str:
    return question.format(
        value, header=table.headers[column].lower(), subject=table.headers[0].lower()
    )


def _named(table: _Table, name: str) -> str:
    return f"{table.subject.article}{name}"


def _rendered(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, as_lines: bool
) -> tuple[str, list[list[CharSpan]]]:
    """Return rows as the reader is shown them, and the span of every cell."""
    text, places = "", []
    for cells in rows:
        source = f"| {' | '.join(cells)} |"
        rendering = render_row(source, headers)
        start = len(text) + 1 if text else 0
        spans = [
            (start + offset, start + offset + length) for offset, _, length in rendering.pieces
        ]
        places.append(spans)
        line = rendering.text.replace("; ", "\n ") if as_lines else rendering.text
        text = f"{text}\n{line}" if text else line
    return text, places
