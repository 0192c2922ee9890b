"""Plots of a self-test as inline SVG, which needs neither scripts nor the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from qa.evaluation.figures import Figure
from qa.self_test.judging import Judged, Verdict
from qa.self_test.report import KindCount

VERDICTS: tuple[tuple[Verdict, str], ...] = (
    ("right", "right answer"),
    ("refused", "refused, as it should be"),
    ("withheld", "refused, though the best candidate was right"),
    ("not found", "refused, though a document answers"),
    ("wrong", "wrong answer"),
    ("invented", "answered, though no document does"),
)
"""Verdicts in the order in which they are drawn, with their names."""
STYLE = """
svg { display: block; width: 100%; height: auto; max-width: 33rem; margin: .6rem 0 }
svg text { fill: var(--ink); font: 11.5px system-ui, sans-serif }
svg .dim { fill: var(--dim) } svg .axis { stroke: var(--line); stroke-width: 1 }
svg .track { fill: var(--line) } svg .value { fill: var(--accent) }
svg .whisker { fill: none; stroke: var(--ink); stroke-width: 1.5 }
svg .halo { fill: none; stroke: var(--paper); stroke-width: 4 }
.right { fill: light-dark(#1a7f4b, #6cc596); background: light-dark(#1a7f4b, #6cc596) }
.refused { fill: light-dark(#8fb8d8, #4d7396); background: light-dark(#8fb8d8, #4d7396) }
.withheld { fill: light-dark(#e0b33c, #b08a2a); background: light-dark(#e0b33c, #b08a2a) }
.not-found { fill: light-dark(#b9b9b2, #6d7074); background: light-dark(#b9b9b2, #6d7074) }
.wrong { fill: light-dark(#c4463c, #e8756b); background: light-dark(#c4463c, #e8756b) }
.invented { fill: light-dark(#7a2a6e, #c586ba); background: light-dark(#7a2a6e, #c586ba) }
:root { --accent: light-dark(#1d4c86, #9dc4ff) }
ul.key { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; list-style: none;
  font-size: .85rem; color: var(--dim) }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem;
  border-radius: .15rem; vertical-align: -.08rem }
"""
_WIDTH, _LABEL, _ROW, _BAR = 420, 96, 22, 13
"""Pixels of a drawing, of the labels on its left, of a row and of the bar in it."""
_VALUE = 44
_BINS = 10
_HEIGHT = 110


def figures_plot(figures: Sequence[Figure]) -> str:
    """Return bars of shares with whiskers for their 95% intervals."""
    room = _WIDTH - _LABEL - _VALUE
    rows = []
    for number, figure in enumerate(figures):
        top = number * _ROW
        bar = _rect(_LABEL, top, room, "track") + _rect(_LABEL, top, room * figure.value, "value")
        label = _text(0, top, figure.name) + _text(_LABEL + room + 8, top, f"{figure.value:.0%}")
        rows.append(f"{label}{bar}{_whisker(figure, top, room)}")
    return _svg(rows, len(figures) * _ROW, "Figures of the self-test")


def _whisker(figure: Figure, top: float, room: float) -> str:
    if figure.interval is None:
        return ""
    left, right = (_LABEL + room * at for at in (figure.interval.low, figure.interval.high))
    first, middle, last = (top + 2 + _BAR * at for at in (0.25, 0.5, 0.75))
    line = f"M{left:.1f} {first}V{last}M{left:.1f} {middle}H{right:.1f}M{right:.1f} {first}V{last}"
    # The bar is as dark as the line.
    return f'<path class=halo d="{line}"/><path class=whisker d="{line}"/>'


def kinds_plot(kinds: Sequence[KindCount]) -> str:
    """Return a bar for each kind of question, divided by verdict."""
    room = _WIDTH - _LABEL - _VALUE
    most = max((kind.questions for kind in kinds), default=1)
    rows = []
    for number, kind in enumerate(kinds):
        top, left = number * _ROW, float(_LABEL)
        parts = []
        for verdict, name in VERDICTS:
            count = kind.verdicts.get(verdict, 0)
            width = room * count / most
            if count:
                title = f"<title>{kind.kind}: {count} {name}</title>"
                parts.append(_rect(left, top, width, _slug(verdict), title))
            left += width
        label = _text(0, top, kind.kind) + _text(left + 8, top, str(kind.questions), "dim")
        rows.append(label + "".join(parts))
    return _svg(rows, len(kinds) * _ROW, "Verdicts by kind of question")


def confidence_plot(judged: Iterable[Judged]) -> str:
    """Return a histogram of the confidence of the best candidates, divided by verdict."""
    bins: list[list[Judged]] = [[] for _ in range(_BINS)]
    for each in judged:
        bins[min(int(each.confidence * _BINS), _BINS - 1)].append(each)
    most = max(1, *(len(each) for each in bins))
    width = _WIDTH / _BINS
    parts = []
    for number, inside in enumerate(bins):
        top = float(_HEIGHT)
        for verdict, name in VERDICTS:
            count = sum(each.verdict == verdict for each in inside)
            height = (_HEIGHT - 16) * count / most
            top -= height
            if count:
                title = f"<title>{count} {name}</title>"
                parts.append(
                    f'<rect class={_slug(verdict)} x="{number * width + 2:.1f}" y="{top:.1f}" '
                    f'width="{width - 4:.1f}" height="{height:.1f}">{title}</rect>'
                )
        parts.append(_middle(number * width + width / 2, top - 5, str(len(inside) or "")))
    for number in range(_BINS + 1):
        at = min(max(number * width, 12), _WIDTH - 12)
        parts.append(_middle(at, _HEIGHT + 14, f"{number / _BINS:.1f}"))
    parts.append(f'<path class=axis d="M0 {_HEIGHT}H{_WIDTH}"/>')
    return _svg(parts, _HEIGHT + 20, "Confidence of the best candidates")


def key() -> str:
    """Return the key of the colours."""
    items = (f"<li><i class={_slug(verdict)}></i>{name}</li>" for verdict, name in VERDICTS)
    return f"<ul class=key>{''.join(items)}</ul>"


def _slug(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _svg(parts: Iterable[str], height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role=img aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _rect(left: float, top: float, width: float, kind: str, inside: str = "") -> str:
    return (
        f'<rect class={kind} x="{left:.1f}" y="{top + 2:.1f}" width="{max(width, 0):.1f}" '
        f'height="{_BAR}" rx="2">{inside}</rect>'
    )


def _text(left: float, top: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{left:.1f}" y="{top + 12.5:.1f}">{escape(text)}</text>'


def _middle(left: float, top: float, text: str) -> str:
    return f'<text class=dim x="{left:.1f}" y="{top:.1f}" text-anchor=middle>{escape(text)}</text>'
