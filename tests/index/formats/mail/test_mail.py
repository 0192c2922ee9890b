"""Charsets and versions of bodies, and mails inside mails."""

from __future__ import annotations

from email.message import EmailMessage, MIMEPart

import pytest

from index.document import Place
from index.formats.mail import eml
from index.formats.mail.eml import MAX_DEPTH
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox_worker import extract
from tests.support.writers import pdf

HEAD = b"From: ann@example.org\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n"


def mail(subject: str, text: str) -> EmailMessage:
    """Return a mail with a plain text."""
    message = EmailMessage()
    message["From"], message["Subject"] = "ann@example.org", subject
    message.set_content(text)
    return message


def place_of(extracted: ExtractedText, words: str) -> Place:
    """Return the place of the first character of some words in the document that has them."""
    [document] = [each for each in (extracted, *extracted.parts) if words in each.text]
    return document.places.at(document.text.index(words))


@pytest.mark.parametrize("charset", ["iso-8859-1", "us-ascii", "ISO_8859-1", "latin1"])
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_declared_latin_1_is_windows_1252(charset: str, subtype: str) -> None:
    body = b"It costs =80480 =96 that=92s =93all=94=85"
    headers = (
        f'Content-Type: text/{subtype}; charset="{charset}"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )

    text = extract("eml", HEAD + headers.encode() + body).text

    assert text.endswith("It costs €480 – that’s “all”…")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_mails_saved_in_another_encoding(encoding: str) -> None:
    source = HEAD.decode() + "Content-Type: text/plain\r\n\r\nThe pump costs €480.\r\n"

    extracted = extract("eml", source.encode(encoding))

    assert extracted.title == "Offer"
    assert extracted.text.endswith("The pump costs €480.")


@pytest.mark.parametrize(
    ("plain", "is_page"),
    [
        ("", True),
        (" \n", True),
        ("Your mail program shows no HTML.", True),
        ("The contract for the pump ends on 30 June 2028, as we agreed by telephone.", False),
    ],
)
def test_a_stub_is_not_the_text_of_a_mail(plain: str, is_page: bool) -> None:  # noqa: FBT001
    message = mail("Offer", plain)
    message.add_alternative(
        "<p>The contract for the pump ends on 30 June 2028, as we agreed by telephone, "
        "and the page says more than the stub does in all of its lines.</p>",
        subtype="html",
    )

    text = extract("eml", message.as_bytes()).text

    assert text.count("30 June 2028") == 1
    assert ("than the stub" in text) == is_page
    assert "shows no HTML" not in text


def test_mails_in_mails_are_documents_with_their_place() -> None:
    deepest = mail("Deepest", "The valve is red.")
    deepest.add_attachment(
        pdf([["First page."], ["The seal is blue."]]),
        maintype="application", subtype="pdf", filename="plan.pdf",
    )  # fmt: skip
    inner = mail("Contract", "The contract ends on 30 June 2028.")
    inner.add_attachment(deepest)
    outer = mail("FW", "See below.")
    outer.add_attachment(inner)
    outer.add_attachment(
        mail("As a file", "The hose is green.").as_bytes(),
        maintype="application", subtype="octet-stream", filename="hose.EML",
    )  # fmt: skip

    extracted = extract("eml", outer.as_bytes())

    assert extracted.remark == ""
    assert place_of(extracted, "See below") == Place()
    assert place_of(extracted, "30 June") == Place(mail="1 (Contract)")
    assert place_of(extracted, "valve") == Place(mail="1 (Contract) > 1 (Deepest)")
    assert place_of(extracted, "seal") == Place(page=2, mail="1 (Contract) > 1 (Deepest)")
    assert place_of(extracted, "hose") == Place(mail="2 (As a file)")
    assert str(place_of(extracted, "seal")) == "mail 1 (Contract) > 1 (Deepest), page 2"
    assert [(part.part, part.title) for part in extracted.parts] == [
        ("1", "Contract"), ("1.1", "Deepest"), ("2", "As a file"),
    ]  # fmt: skip
    assert all(not part.parts for part in extracted.parts)
    # The outer mail names what is attached, in no passage.
    at = extracted.text.index("Attached: Contract")
    assert not any(block.start <= at < block.end for block in extracted.blocks)
    block = next(each for each in extracted.parts[1].blocks if each.kind == "paragraph")
    assert block.headings == ("Deepest",)


def test_each_mail_has_its_own_date() -> None:
    inner, outer = mail("Contract", "It ends soon."), mail("FW", "See below.")
    inner["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    outer["Date"] = "Wed, 04 Mar 2026 10:00:00 +0100"
    outer.add_attachment(inner)

    extracted = extract("eml", outer.as_bytes())

    assert (extracted.date, extracted.parts[0].date) == ("2026-03-04", "2026-03-02")


def test_a_broken_mail_inside_costs_neither_the_outer_one_nor_the_next() -> None:
    outer = mail("FW", "See below.")
    for name, content in (("broken.eml", b"\x00\x01 no head\r\n"), ("empty.eml", b"")):
        outer.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    outer.add_attachment(mail("Contract", "It ends on 30 June 2028."))

    extracted = extract("eml", outer.as_bytes())

    assert "See below" in extracted.text
    assert [part.title for part in extracted.parts] == ["Contract"]
    assert "broken.eml expected a mail" in extracted.remark
    assert "empty.eml expected a mail" in extracted.remark


def test_a_parser_that_fails_at_a_mail_inside_costs_only_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outer = mail("FW", "See below.")
    outer.add_attachment(mail("Hostile", "Text."))
    original = eml.body_of

    def failing(message: EmailMessage) -> MIMEPart | None:
        if message["Subject"] == "Hostile":
            raise IndexError("out of range")
        return original(message)

    monkeypatch.setattr(eml, "body_of", failing)

    extracted = extract("eml", outer.as_bytes())

    assert extracted.parts == ()
    assert "Hostile cannot be read (IndexError: out of range)" in extracted.remark


def test_the_mails_of_an_attached_mailbox_are_documents() -> None:
    box = b"From ann@example.org Fri Nov 20 10:44:57 2026\n" + mail("One", "Old.").as_bytes()
    outer = mail("FW", "See below.")
    outer.add_attachment(box, maintype="application", subtype="mbox", filename="all.mbox")

    extracted = extract("eml", outer.as_bytes())

    assert [(part.part, part.title) for part in extracted.parts] == [("1.1", "One")]
    assert place_of(extracted, "Old.") == Place(mail="1 (all.mbox) > 1 (One)")
    assert "Mail 1: One" in extracted.text


def test_mails_of_a_digest_are_read() -> None:
    digest = (
        HEAD + b'Content-Type: multipart/digest; boundary="b"\r\n\r\n--b\r\n\r\n'
        b"Subject: One\r\n\r\nFirst.\r\n--b\r\n\r\nSubject: Two\r\n\r\nSecond.\r\n--b--\r\n"
    )

    extracted = extract("eml", digest)

    assert place_of(extracted, "First.") == Place(mail="1 (One)")
    assert place_of(extracted, "Second.") == Place(mail="2 (Two)")


def test_very_many_mails_inside_each_other_are_named_and_cost_no_text() -> None:
    message = mail("Deepest", "Not reached.")
    for number in range(MAX_DEPTH + 3):
        outer = mail(f"Number {number}", f"Text {number}.")
        outer.add_attachment(message)
        message = outer

    extracted = extract("eml", message.as_bytes())

    texts = [each.text for each in (extracted, *extracted.parts)]
    assert f"Text {MAX_DEPTH + 2}." in texts[0]
    assert len(texts) == MAX_DEPTH + 1
    assert not any("Not reached" in text for text in texts)
    assert f"Number 1 is a mail inside more than {MAX_DEPTH} others" in extracted.parts[-1].remark


def test_text_that_a_page_hides_is_not_in_a_mail() -> None:
    message = mail("Offer", "")
    message.add_alternative(
        "<p>The pump costs 480 euros.</p><p style='color:#fff'>Floor price 310.</p>"
        "<div style='display:none'>Preview 300.</div>",
        subtype="html",
    )

    extracted = extract("eml", message.as_bytes())

    assert "480" in extracted.text
    assert "310" not in extracted.text
    assert "300" not in extracted.text
    assert "a reader cannot see" in extracted.remark


def test_mailboxes() -> None:
    box = b"".join(
        b"From ann@example.org Fri Nov 20 10:44:57 2026\n" + each.as_bytes() + b"\n"
        for each in (mail("One", "The pump is old.\n>From here on."), mail("Two", "It is new."))
    )

    extracted = extract("mbox", box)

    assert place_of(extracted, "old") == Place(mail="1 (One)")
    assert place_of(extracted, "new") == Place(mail="2 (Two)")
    assert extracted.remark == ""
    assert extracted.text == "Mail 1: One\n\nMail 2: Two"
    assert extracted.blocks == ()


def test_a_broken_mail_of_a_mailbox_is_named() -> None:
    line = b"From ann@example.org Fri Nov 20 10:44:57 2026\n"
    box = line + mail("One", "Old.").as_bytes() + b"\n" + line + b"\n\n" + line + b"X: y\n\nNew.\n"

    extracted = extract("mbox", box)

    assert [part.part for part in extracted.parts] == ["1", "3"]
    assert "has mails that are not read: mail 2 expected a mail" in extracted.remark
