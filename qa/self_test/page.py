"""A self-test as one HTML page that loads nothing and runs no script."""

from __future__ import annotations

from html import escape

from index.wording import counted
from qa.evaluation.html_report import document
from qa.self_test.judging import Judged
from qa.self_test.plots import STYLE, VERDICTS, confidence_plot, figures_plot, key, kinds_plot
from qa.self_test.report import MEANINGS, SelfTest

_TITLE = "Self-test of your documents"
_MOST_GOOD = 200
"""Cases that came out as they should which are listed."""
_STYLE = """
small.right, small.refused, small.withheld, small.not-found, small.wrong, small.invented {
  background: none } summary small { margin-left: .4rem; white-space: nowrap }
dl.meaning { grid-template-columns: 8rem 1fr } dl.meaning dt { color: var(--ink) }
dl.meaning dd { color: var(--dim) } li + li { margin-top: .3rem } .key li + li { margin-top: 0 }
@media (max-width: 34rem) { dl, dl.meaning { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .4rem } body { margin: 1rem auto } }
"""
_NAMES = dict(VERDICTS)


def page(test: SelfTest) -> str:
    """Return the page, whose every text of a document or a question is escaped."""
    good = [each for each in test.judged if each.is_good]
    parts = [
        f"<h1>{_TITLE}</h1>\n<p class=dim>{escape(_about(test))}</p>",
        "<h2>Figures</h2>" + figures_plot(test.figures) + _meanings(test),
        _advice(test),
        "<h2>By kind of question</h2>" + key() + kinds_plot(test.kinds),
        "<h2>Confidence of the best candidate</h2>" + confidence_plot(test.judged),
        f"<h2>{counted(len(test.worst), 'question')} to look at</h2>",
        *map(_case, test.worst),
        f"<h2>{counted(len(good), 'question')} with the right outcome</h2>",
        *map(_case, good[:_MOST_GOOD]),
    ]
    return document(_TITLE, parts, STYLE + _STYLE)


def _about(test: SelfTest) -> str:
    ours = sum(each.question.is_answerable for each in test.judged)
    others = len(test.judged) - ours
    cut = f", of {test.planned} planned" if test.planned > len(test.judged) else ""
    return (
        f"{counted(ours, 'question')} made by rule from {counted(test.documents, 'document')}, and "
        f"{others} that no document answers{cut}. Index generation {test.generation}, seed "
        f"{test.seed}: the same seed asks the same questions of the same index. Questions made by "
        "rule are stiffer than those of people; the figures compare settings and collections "
        "rather than promise a rate."
    )


def _meanings(test: SelfTest) -> str:
    rows = []
    for each in test.figures:
        interval = each.interval
        around = f" ({interval.low:.0%} to {interval.high:.0%})" if interval else ""
        value = f"{each.value:.0%}{around}"
        rows.append(f"<dt>{escape(each.name)}</dt><dd>{value} {escape(MEANINGS[each.name])}</dd>")
    note = "<p class=dim><small>The lines are 95% intervals.</small></p>"
    return f"<dl class=meaning>{''.join(rows)}</dl>{note}"


def _advice(test: SelfTest) -> str:
    if not test.advice:
        return "<h2>Advice</h2><p>Nothing stands out.</p>"
    items = "".join(f"<li>{escape(each)}</li>" for each in test.advice)
    return f"<h2>Advice</h2><ul>{items}</ul>"


def _case(judged: Judged) -> str:
    question = judged.question
    given = "answer" if judged.certainty != "none" else "best candidate"
    fields = [
        ("made from", f"{question.uri}: “{question.answer}”" if question.is_answerable else ""),
        ("changed", question.made_from),
        (given, f"“{judged.text}”" if judged.text else "none"),
        ("from", judged.where),
        ("confidence", f"{judged.confidence:.2f}, {judged.certainty}"),
        ("retrieval", "" if judged.is_retrieved else "the place was not among the passages read"),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in fields if value)
    tone = "good" if judged.is_good else "bad"
    verdict = f"<small class={tone}>{_NAMES[judged.verdict]}</small>"
    summary = f"<summary>{escape(question.question)} {verdict}</summary>"
    return f"<details>{summary}<dl>{listed}</dl></details>"
