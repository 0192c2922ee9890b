"""Numbers as a workbook shows them: 0.25 under "0%" is 25%, 39.9 under "$#,##0.00" is $39.90.

Format codes: Office Open XML (ECMA-376), part 1, 18.8.30 and 18.8.31. Conditions, fractions,
exponents and codes of dates are left to whoever asks: `shown` gives None.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

import regex

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0;-$#,##0", 6: "$#,##0;-$#,##0", 7: "$#,##0.00;-$#,##0.00", 8: "$#,##0.00;-$#,##0.00",
    9: "0%", 10: "0.00%", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    41: "#,##0;(#,##0)", 42: "$#,##0;($#,##0)", 43: "#,##0.00;(#,##0.00)", 44: "$#,##0.00;($#,##0.00)",
}  # fmt: skip
"""By number; the others are dates, exponents and fractions."""
LARGEST = 1e15
"""Numbers below have all their digits."""
MOST_DECIMALS = 15

_TOKEN = regex.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<currency>[^\]\-]*)(?:-[^\]]*)?\]|(?P<color>\[[A-Za-z]+\d*\])|_(?P<width>.)|\*(?P<filler>.)'
    r"|(?P<number>[0#?][0#?,]*(?:\.[0#?]*)?,*|\.[0#?]+)|(?P<percent>%)|(?P<plain>[$€£¥+\-()\s:'<>=!&~{}^]|\p{Sc})|(?P<end>;)"
)


def shown(value: float, code: str) -> str | None:
    """A number under a format code; None where the code says more than digits, separators, percent
    and literal text.
    """
    sections = _sections(code)
    if not sections or abs(value) >= LARGEST:
        return None
    negative = value < 0 and len(sections) > 1
    is_zero = value == 0 and len(sections) > 2
    try:
        return _written(-value if negative else value, sections[2 if is_zero else int(negative)])
    except InvalidOperation:  # more digits than a number has
        return None


Token = tuple[str, str]


@lru_cache(1024)
def _sections(code: str) -> tuple[tuple[Token, ...], ...]:
    """The (kind, text) of each section, without what only takes space or colours; none if the code
    cannot be followed.
    """
    sections: list[list[Token]] = [[]]
    at = 0
    while at < len(code) and len(sections) < 4:
        match = _TOKEN.match(code, at)
        if match is None:
            return ()
        at = match.end()
        kind = str(match.lastgroup)
        if kind == "end":
            sections.append([])
        elif kind in {"number", "percent"}:
            sections[-1].append((kind, match[0]))
        elif kind in {"quoted", "escaped", "currency", "plain"}:
            sections[-1].append(("literal", match[kind]))
        elif kind == "width":
            sections[-1].append(("literal", " "))
    numbers = [sum(kind == "number" for kind, _ in section) for section in sections[:3]]
    return tuple(map(tuple, sections[:3])) if numbers[0] == 1 and max(numbers) == 1 else ()


def _written(value: float, section: tuple[Token, ...]) -> str:
    percents = sum(kind == "percent" for kind, _ in section)
    exact = Decimal(repr(value)).scaleb(2 * percents)
    texts = [_digits(exact, text) if kind == "number" else text for kind, text in section]
    sign = (
        "-"
        if value < 0 and any(character in "123456789" for text in texts for character in text)
        else ""
    )
    return sign + " ".join("".join(texts).split())


def _digits(value: Decimal, pattern: str) -> str:
    """The digits of a number without its sign under a pattern like "#,##0.0#"; commas at its end
    divide by a thousand each.
    """
    bare = pattern.rstrip(",")
    whole, _, fraction = bare.partition(".")
    places = min(len(fraction), MOST_DECIMALS)
    rounded = (
        abs(value)
        .scaleb(3 * (len(bare) - len(pattern)))
        .quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    )
    before, _, after = f"{rounded:f}".partition(".")
    before = before.lstrip("0").rjust(whole.count("0"), "0")
    after = after[: fraction.rfind("0") + 1] + after[fraction.rfind("0") + 1 :].rstrip("0")
    if "," in whole.strip(","):
        before = regex.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", before)
    return before + ("." + after if after else "")
