"""Evaluated questions as one HTML file, errors first, and the risk-coverage curve as a picture.

The file loads nothing from any server, runs no script, and escapes every text of a document or a
question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path

from qa.errors import EvaluationError
from qa.evaluation.cases import VERDICTS, Case, Quote, TypeCount, Verdict, by_type
from qa.evaluation.figures import Figure
from qa.evaluation.question_types import TYPES
from qa.evaluation.selective_metrics import Bools, Floats, aurc, risk_coverage

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1d1d1f, #e6e6e6);
  --dim: light-dark(#5f6368, #a0a4a8);
  --paper: light-dark(#fdfdfb, #17181a); --card: light-dark(#fff, #202225);
  --line: light-dark(#deded8, #383b3f);
  --good: light-dark(#1a7f4b, #6cc596); --bad: light-dark(#b3261e, #f2918b);
  --mark: light-dark(#fff0a8, #5c5010) }
body { margin: 2rem auto; padding: 0 1rem; max-width: 52rem; background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .9rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line) }
td.n, th.n { text-align: right } small, .dim { color: var(--dim) }
details { background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } dl { display: grid; grid-template-columns: 7rem 1fr; gap: .2rem .8rem;
  margin: .6rem 0 }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere } mark { background: var(--mark);
  color: inherit }
.good { color: var(--good) } .bad { color: var(--bad) } label { margin-right: 1rem;
  white-space: nowrap }
"""
"""Style of every report."""


@dataclass(frozen=True, slots=True)
class Page:
    """Content of a report.

    `about` says how it was made, `score_name` names the score of a case, `risks` are rows of
    (coverage, risk).
    """

    title: str
    about: str
    figures: Sequence[Figure]
    cases: Sequence[Case]
    score_name: str
    risks: Sequence[tuple[float, float]] = ()


def write_html(page: Page, path: Path) -> None:
    """Write the report; raise OSError if that fails."""
    path.write_text(html(page), "utf-8")


def html(page: Page) -> str:
    """Return the report as one document."""
    title = escape(page.title)
    hidden = "\n".join(
        f"#show-{_slug(verdict)}:not(:checked) ~ section .{_slug(verdict)} {{ display: none }}"
        for verdict in VERDICTS
    )
    parts = [
        f"<h1>{title}</h1>\n<p class=dim>{escape(page.about)}</p>",
        _table(
            "Figures",
            ("figure", "value", "95% interval"),
            [_figure_row(figure) for figure in page.figures],
        ),
        _table(
            "By type of question", _TYPE_HEAD, [_type_row(each) for each in by_type(page.cases)]
        ),
        _table(
            "Risk by coverage",
            ("coverage", "wrong of those"),
            [(f"{at:.0%}", f"{risk:.3f}") for at, risk in page.risks],
        ),
        f"<h2>Questions</h2>\n{_filters(page.cases)}",
        *_sections(page.cases, page.score_name),
    ]
    return document(page.title, parts, hidden)


def document(title: str, parts: Iterable[str], style: str = "") -> str:
    """Return parts of a body as a document that loads nothing and runs no script."""
    return (
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
        '<meta name=viewport content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}\n</style>\n"
        + "\n".join(part for part in parts if part)
        + "\n</html>\n"
    )


def write_curve(confidence: Floats, right: Floats | Bools, path: Path, title: str) -> None:
    """Draw the risk-coverage curve as a PNG.

    Both arrays are (n,). Raises EvaluationError without matplotlib.
    """
    if find_spec("matplotlib") is None:
        raise EvaluationError(
            "the curve is drawn by matplotlib, which is not installed: "
            "pip install 'quoted-qa[eval]'"
        )
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Drawing

    curve = risk_coverage(confidence, right)
    drawing = Drawing(figsize=(6, 4), dpi=150, layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot()
    axes.plot(
        curve.coverage, curve.risk, color="#1a5fb4", label=f"AURC {aurc(confidence, right):.3f}"
    )
    axes.set(
        xlim=(0, 1),
        ylim=(0, None),
        xlabel="coverage: share answered",
        ylabel="risk: share of those that is wrong",
        title=title,
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    drawing.savefig(path, format="png", metadata={"Software": None})


_TYPE_HEAD = (
    "type",
    "questions",
    "as it should be",
    "answerable",
    "best span right",
    "best span F1",
)


def _figure_row(figure: Figure) -> tuple[str, str, str]:
    value, _, around = figure.text.partition("  ")
    return figure.name, value, around.strip("()")


def _type_row(each: TypeCount) -> tuple[str, ...]:
    right, f1 = (f"{value:.3f}" if value is not None else "–" for value in (each.right, each.f1))
    return each.type, str(each.questions), f"{each.accuracy:.3f}", str(each.answerable), right, f1


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [_cells("th", head), *(_cells("td", row) for row in rows)]
    return f"<h2>{escape(title)}</h2>\n<table>\n" + "\n".join(lines) + "\n</table>"


def _cells(tag: str, cells: Sequence[str]) -> str:
    first, *others = map(escape, cells)
    return f"<tr><{tag}>{first}</{tag}>" + "".join(
        f"<{tag} class=n>{cell}</{tag}>" for cell in others
    )


def _filters(cases: Sequence[Case]) -> str:
    """Return a checkbox for each verdict; style sheets alone hide the cases of an unticked one."""
    counts = Counter(case.verdict for case in cases)
    boxes = []
    for verdict in VERDICTS:
        if counts[verdict]:
            name = f"show-{_slug(verdict)}"
            boxes.append(
                f"<input type=checkbox checked id={name}> "
                f"<label for={name}>{verdict} ({counts[verdict]})</label>"
            )
    return "\n".join(boxes)


def _sections(cases: Sequence[Case], score_name: str) -> Iterable[str]:
    """Yield errors, then the rest, each by type of question."""
    for good, title in ((False, "as it should not be"), (True, "as it should be")):
        for kind in TYPES:
            group = [case for case in cases if case.good is good and case.type == kind]
            group.sort(key=lambda case: (VERDICTS.index(case.verdict), -case.score))
            if group:
                shown = "\n".join(_case(case, score_name) for case in group)
                yield f"<section>\n<h2>{kind}: {len(group)} {title}</h2>\n{shown}\n</section>"


def _case(case: Case, score_name: str) -> str:
    fields = [
        ("expected", escape(" | ".join(case.expected)) or "no answer"),
        ("note", escape(case.note)),
        ("best span", escape(case.quote.text) if case.quote else "none"),
        ("sentence", _marked(case.quote) if case.quote else ""),
        ("document", escape(case.quote.document) if case.quote else ""),
        (score_name, f"{case.score:.3f}"),
        ("id", escape(case.id)),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in fields if value)
    verdict = f"<small class={'good' if case.good else 'bad'}>{case.verdict}</small>"
    summary = f"<summary>{escape(case.question)} {verdict}</summary>"
    return f"<details class={_slug(case.verdict)}>{summary}<dl>{listed}</dl></details>"


def _marked(quote: Quote) -> str:
    before, after = quote.sentence[: quote.start], quote.sentence[quote.end :]
    return f"{escape(before)}<mark>{escape(quote.text)}</mark>{escape(after)}"


def _slug(verdict: Verdict) -> str:
    return verdict.replace(" ", "-")
