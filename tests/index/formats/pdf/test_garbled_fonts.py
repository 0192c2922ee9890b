"""PDF: text of fonts that do not say which letters they draw is reported, not read."""

from __future__ import annotations

import pytest

from index.formats.pdf.extract import extract
from index.formats.pdf.garbled_fonts import garbled_fonts
from index.formats.pdf.glyphs import Segment
from tests.support.writers import raw_pdf, shown


def segments(text: str, *, unmapped: bool) -> list[Segment]:
    """Return the lines of a text as segments in one font."""
    return [
        Segment(line, 0, 0, 1, 1, 10, bold=False, font="F", unmapped=unmapped)
        for line in text.split("\n")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "7KLV LV D WHVW RI WKH SULQWHU",
        "RUPV)\x03RWOHVV'WXDO[RQWH&LJDWXUHV/",
        "¢һӍΉʽী¢Ǌඥഀဍ ͳ¢һӍΉʽী¢ರ͟ȥ",
    ],
)
def test_nonsense_in_a_font_without_a_table_is_garbled(text: str) -> None:
    assert garbled_fonts(segments(text, unmapped=True)) == {"F"}


def test_symbols_at_random_are_garbled_even_with_a_table() -> None:
    text = "?>9@AJ.D<F@-<>2.@A:0>#3$4,56# ?>9@AJ.0A:</C./8-2#3$4%56# ?>9@AJ.><J/F80-#3$4$56#"

    assert garbled_fonts(segments(text, unmapped=False)) == {"F"}


@pytest.mark.parametrize(
    "text",
    [
        "Wydruk pochodzi z systemu wersja 21.2\nSprzedawca Nabywca 148,83 PLN",
        "Wir prüfen Strümpfe und Schächte.",
        "10 2 10 1 10 0 parser [sec/page]",
        "20 40 60 80 100",
        "© © ● © © © ● ©",
        "Книга лежит на столе",
        "블록체인\n엣지컴퓨팅 \ue357\ue342\n웨어러블 컨트롤",
    ],
)
def test_words_and_numbers_are_not_garbled(text: str) -> None:
    assert garbled_fonts(segments(text, unmapped=True)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "for (i = 0; i < 100; ++i) { total += price[i]; } // sum of all prices, see above",
        "49.88 24.28 -16.55% 4,755,785.11 5,699,227.63 -4,648,986.52 -15,563,758.44 70.13%",
        "https://example.com/docs/page?chapter=seven&lang=en http://10.0.0.1:8080/query?name=port",
    ],
)
def test_programs_numbers_and_addresses_are_not_garbled(text: str) -> None:
    assert garbled_fonts(segments(text, unmapped=False)) == set()


def test_the_page_is_named_and_the_rest_is_read() -> None:
    table = dict(zip("abcdefghij", "?>9@#3$4,5", strict=True))
    garbage = "abcdefghij" * 3
    found = extract(
        raw_pdf(
            shown("Cranes of the port", 72, 700)
            + "".join(shown(garbage, 72, 600 - 20 * at, font="F2") for at in range(3)),
            characters=table,
        )
    )

    assert found.text == "Cranes of the port"
    assert found.remark.startswith(
        "has text in fonts that do not say which letters they draw on page 1: install tesseract"
    )


ARABIC = "تعتبر البرمجة من الأدوات القوية التي يمكن أن تعزز الإنتاجية وتساعد في إيجاد حلول فعالة"
PERSIAN_NAMES = "شمشه و شمشال توليد شده به روش ريخته گری پيوسته مورد مصرف در فولادهای سازه"
STRETCHED = "بنـــــاء مصـــــر تحقيـــــق الاستقـــــرار"


def in_fonts(**texts: str) -> list[Segment]:
    """Return texts as segments in fonts of these names."""
    return [
        Segment(text, 0, 0, 1, 1, 10, bold=False, font=font.replace("_", "+", 1).replace("_", "-"))
        for font, text in texts.items()
    ]


@pytest.mark.parametrize("text", [ARABIC, PERSIAN_NAMES, f"{STRETCHED} " * 5, f"{ARABIC} " * 20])
def test_words_of_arabic_script_are_not_garbled(text: str) -> None:
    assert garbled_fonts(segments(text, unmapped=False)) == set()


def test_letters_three_times_in_a_row_show_a_wrong_table_and_its_typeface() -> None:
    wrong = (
        "لصوووة فوا مجوخحت الصوووحة واللعاوووويل العموول ياوووى تح يوق معودوودت نموووو قويوووة " * 2
    )

    found = garbled_fonts(
        in_fonts(ABCDEF_Taj_Regular=wrong, GHIJKL_Taj_Bold="صوو تضع", Arial_Bold="Price list")
    )

    assert found == {"ABCDEF+Taj-Regular", "GHIJKL+Taj-Bold"}


def test_text_without_any_word_of_grammar_shows_a_wrong_table() -> None:
    no_words = " ".join(
        f"מש{letter}ב{other}ר" for letter in "אבגדהוזחטיכ" for other in "אבגדהוזחטיכל"
    )

    assert garbled_fonts(segments(no_words, unmapped=False)) == {"F"}
    assert garbled_fonts(segments(f"{no_words} של הבית", unmapped=False)) == set()
