"""Styles that hide text of a page, and names that do not make content a menu."""

from __future__ import annotations

import pytest

from index.formats.html import extract

KEPT = "The pump costs 480 euros and is delivered in three weeks."
HIDDEN = "floor price"


def page(body: str, head: str = "") -> bytes:
    """Return a page with a paragraph that is always seen."""
    return f"<html><head>{head}</head><body><p>{KEPT}</p>{body}</body></html>".encode()


@pytest.mark.parametrize(
    "style",
    [
        "display: none",
        "visibility:hidden",
        "opacity:0",
        "font-size:0",
        "font-size: 1px",
        "color:#fff",
        "color: white; background-color: #FFFFFF",
        "color:rgb(253, 253, 253)",
        "color:transparent",
        "color:#123456;background:#123456",
        "position:absolute;left:-9999px",
        "position:fixed; top: -1000em",
        "text-indent:-5000px",
        "height:0;overflow:hidden",
        "position:absolute;clip:rect(0 0 0 0)",
        "clip-path: inset(100%)",
        "color: rgb(255 255 255)",
        "color: rgb(255 255 255 / 100%)",
        "content-visibility: hidden",
        "filter: opacity(0)",
        "transform: scale(0)",
        "transform: translateX(-9999px)",
        "color: rgba(0,0,0,0)",
        "color: #0000",
        "color: #12345600",
        "color: rgb(0 0 0 / 0)",
        "color: black; -webkit-text-fill-color: transparent",
        "margin-left: -9999px",
        "line-height: 0; overflow: hidden",
    ],
)
def test_styles_that_hide(style: str) -> None:
    sheet = f"<style>.x, #none {{ {style} }}</style>"

    assert extract(page(f'<p style="{style}">{HIDDEN}</p>')).text == KEPT
    assert extract(page(f'<p class="x">{HIDDEN}</p>', sheet)).text == KEPT


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ('<div style="background:#003;color:#fff">{}</div>', ""),
        ('<div style="background:#003"><p style="color:#fff">{}</p></div>', ""),
        ('<p style="color:white">{}</p>', '<link rel="stylesheet" href="dark.css">'),
        ('<p class="light">{}</p>', "<style>body {background: navy} .light {color: white}</style>"),
        ('<div style="visibility:hidden"><p style="visibility:visible">{}</p></div>', ""),
        ('<div style="font-size:0"><p style="font-size:14px">{}</p></div>', ""),
        ('<div style="position:absolute;left:-5px">{}</div>', ""),
        ('<p class="tab">{}</p>', "<style>.tab {display:none}</style><script>show()</script>"),
        ('<p class="x">{}</p>', "<style>@media print {.x {display:none}}</style>"),
        ('<table bgcolor="black"><tr><td><font color="white">{}</font></td></tr></table>', ""),
        ('<p class="x">{}</p>', "<style>@media (max-width: 600px) {.x {display:none}}</style>"),
        ('<p id="a" class="x">{}</p>', "<style>#a {display:block} .x {display:none}</style>"),
        ('<p class="x">{}</p>', "<style>.x {display:block} p {display:none}</style>"),
        (
            '<p bgcolor="white"><font color="#fff" class="x">{}</font></p>',
            "<style>.x {color:#000}</style>",
        ),
        (
            '<p class="x">{}</p>',
            "<style>:root {--c:#fff} .dark {--c:#000} .x {color:var(--c)}</style>",
        ),
        (
            '<h2 class="x">{}</h2>',
            "<style>.x {background:linear-gradient(red,blue);color:transparent}</style>",
        ),
        ('<div style="margin-left:-100%">{}</div>', ""),
        ('<p style="line-height:1;overflow:hidden">{}</p>', ""),
    ],
)
def test_styles_that_do_not_hide(body: str, head: str) -> None:
    assert "Seen as well." in extract(page(body.format("Seen as well."), head)).text


@pytest.mark.parametrize(
    "sheet",
    [
        ".x {display:none} p {display:block}",
        ".x {display:none!important} #a {display:block}",
        ".x {display:block} .x {display:none}",
        "@media screen {.x {display:none}}",
        "@media only screen {@supports (display:grid) {.x {display:none}}}",
        "@layer base {.x {display:none}}",
        "body {& .x {display:none}}",
        "body {.x, .y {display:none}}",
        "body, main {p {&.x {display:none}}}",
        ":root {--c: #fff} .x {color: var(--c)}",
        ".x {color: var(--none, white)}",
    ],
)
def test_rules_of_the_cascade_that_hide(sheet: str) -> None:
    hidden = f'<p class="x" id="a">{HIDDEN}</p>'

    assert extract(page(hidden, f"<style>{sheet}</style>")).text == KEPT


def test_disguised_text_is_in_the_remark_and_usual_menus_are_not() -> None:
    assert extract(page('<div style="display:none">Menu</div>')).remark == ""
    assert extract(page('<p style="color:#fff">a</p><p style="font-size:0">b</p>')).remark == (
        "has what a reader cannot see, which is left out: "
        "2 texts in the colour of the page or in unreadable size"
    )


@pytest.mark.parametrize(
    "sheet",
    [
        "* * * * * * * {color:white}",
        "p:hover::before {color:white}",
        "p {",
        "}}} @x",
        ":not( {a:b}",
        "a {color:" + "(" * 20_000 + "}",
        "{" * 20_000,
        "a" + "[" * 5_000 + "]" * 5_000 + " {color:white}",
    ],
)
def test_any_style_sheet_is_read_or_passed_over(sheet: str) -> None:
    assert KEPT in extract(page("", f"<style>{sheet}</style>")).text or "*" in sheet


@pytest.mark.parametrize(
    "names",
    [
        'id="related-party-transactions"',
        'class="share-capital"',
        'class="social-security"',
        'class="menu-price"',
        'class="banner-advertising-costs"',
        'class="footer-height-table"',
        'class="navigation-not-searchable"',
        'class="newsletterCirculation"',
        'id="cookie-recipes"',
    ],
)
def test_a_word_in_a_name_makes_no_menu(names: str) -> None:
    text = "In 2026 the company paid 4.2 million euros to Nordwind."

    assert text in extract(page(f"<div {names}><p>{text}</p></div>" + f"<p>{KEPT}</p>" * 3)).text


@pytest.mark.parametrize(
    "names",
    [
        'class="nav"',
        'class="main-nav"',
        'id="siteFooter"',
        'class="cookie-banner"',
        'class="share-buttons"',
        'class="related-posts"',
        'class="breadcrumbs"',
        'class="sidebar widget-area"',
        'class="newsletter-box"',
    ],
)
def test_names_of_the_frame_of_a_page(names: str) -> None:
    links = "".join(f'<a href="/{at}">Link {at}</a> ' for at in range(3))

    assert "Link" not in extract(page(f"<div {names}>{links}</div>" + f"<p>{KEPT}</p>" * 5)).text


def test_a_menu_of_a_restaurant_is_content() -> None:
    menu = "<section id='menu'><h2>Lunch</h2><p>Soup of the day with bread costs 7.50 euros.</p>"

    assert "7.50" in extract(page(menu + "</section>" + f"<p>{KEPT}</p>" * 3)).text


def test_names_of_rows_are_no_names_of_columns() -> None:
    table = (
        "<table><tr><th>Year</th><th>Quarter</th><th>Month</th><th>Cost</th></tr>"
        "<tr><th rowspan='3'>2025</th><th rowspan='3'>Q1</th></tr>"
        "<tr><td>January</td><td>$134</td></tr><tr><td>March</td><td>$160</td></tr></table>"
    )

    assert extract(page(table)).text.split("\n")[-2:] == [
        "Year: 2025; Quarter: Q1; Month: January; Cost: $134",
        "Year: 2025; Quarter: Q1; Month: March; Cost: $160",
    ]


@pytest.mark.parametrize(
    "columns",
    [
        "<col><col style='visibility:collapse'><col>",
        "<colgroup><col></colgroup><colgroup style='visibility:collapse'><col></colgroup>",
        "<colgroup span=1></colgroup><colgroup class=off></colgroup>",
    ],
)
def test_columns_that_collapse_are_not_read(columns: str) -> None:
    table = (
        f"<table>{columns}<tr><th>Item<th>Floor<th>Price</tr>"
        "<tr><td rowspan=2>Lamp<td>31<td>39</tr><tr><td>32<td>40</tr><tr><td>Desk<td>33"
        "<td><table><tr><td>a<td>b</tr></table></tr></table>"
    )

    text = extract(page(table, "<style>.off { visibility: collapse }</style>")).text

    assert not any(word in text for word in ("Floor", "31", "32", "33"))
    assert all(word in text for word in ("Lamp", "39", "40", "Desk", "a", "b"))
