"""Forwarded mails and quotes in the text of a mail, and plain digests."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Block
from index.formats.mail.threads import WITHOUT_NAME, MailText, plain_lines, read_thread
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox_worker import extract

GMAIL = """\
Please see below.

---------- Forwarded message ---------
From: Ann Lee <ann@example.org>
Date: Mon, 2 Mar 2026 at 10:00
Subject: Contract
To: <bob@example.org>, <cyd@example.org>,
 <dan@example.org>


The contract ends on 30 June 2028.
"""
OUTLOOK = """\
I agree.

From: Ann Lee <ann@example.org>
Sent: Monday, March 2, 2026 10:00 AM
To: Bob <bob@example.org>
Subject: Contract

The contract ends on 30 June 2028.

-----Original Message-----
From: Cyd
Sent: Sunday, March 1, 2026 9:00 AM
To: Ann Lee
Subject: Which contract?

Which one do you mean?
"""
APPLE = """\
Look at this.

> Begin forwarded message:
>
> From: Ann Lee <ann@example.org>
> Subject: Contract
> Date: 2 March 2026 at 10:00:00 CET
>
> The contract ends on 30 June 2028.

Bob
"""
MUTT = """\
----- Forwarded message from Ann Lee <ann@example.org> -----

Date: Mon, 2 Mar 2026 10:00:00 +0100
From: Ann Lee <ann@example.org>
Subject: Contract
Message-ID: <1@example.org>

The contract ends on 30 June 2028.

----- End forwarded message -----

Bob
"""
GERMAN = """\
________________________________
Von: Ann Lee <ann@example.org>
Gesendet: Montag, 2. März 2026 10:00
An: Bob
Betreff: Contract

The contract ends on 30 June 2028.
"""


def read(body: str, subtype: str = "plain") -> ExtractedText:
    """Return the text of a mail with a body."""
    message = EmailMessage()
    message["From"], message["Subject"] = "bob@example.org", "FW: Contract"
    message.set_content(body, subtype=subtype)
    return extract("eml", message.as_bytes())


def block_with(extracted: ExtractedText, words: str) -> Block:
    """Return the only block that has some words."""
    [block] = [each for each in extracted.blocks if words in extracted.text[each.start : each.end]]
    return block


CLASSIC = """\
Yes.
 -----Original Message-----
From: \tAnn Lee <ann@example.org>
Sent:\tMonday, March 2, 2026 10:00 AM
Subject:\tContract
Dear Bob:
The contract ends on 30 June 2028.
"""


@pytest.mark.parametrize("body", [GMAIL, OUTLOOK, APPLE, MUTT, GERMAN, CLASSIC])
def test_a_forwarded_mail_is_a_document_of_its_own(body: str) -> None:
    extracted = read(body)

    part = extracted.parts[0]
    assert (part.part, part.title, part.date) == ("1", "Contract", "2026-03-02")
    assert "Ann Lee <ann@example.org>" in part.text
    assert "30 June 2028" in part.text
    assert "30 June 2028" not in extracted.text
    assert str(part.places.at(0)) == "mail 1 (Contract)"
    at = extracted.text.index("Pasted: Contract")
    assert not any(block.start <= at < block.end for block in extracted.blocks)


def test_what_is_before_and_after_a_forwarded_mail_is_of_the_sender() -> None:
    assert read(APPLE).text.endswith("Look at this.\n\nPasted: Contract\n\nBob")
    assert read(MUTT).text.endswith("Pasted: Contract\n\nBob")
    assert "Message-ID" not in read(MUTT).parts[0].text
    assert "<dan@example.org>" in read(GMAIL).parts[0].text


def test_each_mail_of_a_history_is_a_document() -> None:
    extracted = read(OUTLOOK)

    assert [(part.part, part.title, part.date) for part in extracted.parts] == [
        ("1", "Contract", "2026-03-02"),
        ("2", "Which contract?", "2026-03-01"),
    ]
    assert extracted.parts[1].text.endswith("Which one do you mean?")


def test_forwarded_pages() -> None:
    extracted = read(
        "<div>Please see below.</div><div>From: here on it is his text.</div>"
        "<div class=gmail_quote><div>---------- Forwarded message ---------<br>From: <b>Ann Lee</b>"
        " &lt;ann@example.org&gt;<br>Date: Mon, Mar 2, 2026 at 10:00 AM<br>Subject: Contract<br>"
        "To: Bob<br></div><br><p>The contract ends on 30 June 2028.</p>"
        "<ul><li>First.</li><li>Second.</li></ul></div>"
        "<hr><p><b>From:</b> Cyd<br><b>Sent:</b> Sunday, March 1, 2026 9:00 AM<br><b>To:</b> Ann"
        "<br><b>Subject:</b> Which?</p><p>Which one?</p>",
        "html",
    )

    assert "From: here on it is his text." in extracted.text
    first, second = extracted.parts
    assert (first.title, first.date) == ("Contract", "2026-03-02")
    assert block_with(first, "Second.").kind == "list"
    assert block_with(first, "30 June").headings == ("Contract",)
    assert (second.title, second.text.splitlines()[-1]) == ("Which?", "Which one?")


PLAIN_ANSWER = """\
On Mon, Mar 2, 2026 at 10:00 AM Ann Lee <ann@example.org>
wrote:

> Cyd wrote:
>> When does it end?
>
> On 30 June.

I agree.

> And the pump?

Not yet.
"""
PAGE_ANSWER = """\
<p>On Mon, Mar 2, 2026 at 10:00 AM Ann Lee &lt;ann@example.org&gt; wrote:</p>
<blockquote type=cite><p>Cyd wrote:</p><blockquote>When does it end?</blockquote>
On 30 June.</blockquote><p>I agree.</p>
<blockquote><p>And the pump?</p></blockquote><p>Not yet.</p>
"""


@pytest.mark.parametrize(("body", "subtype"), [(PLAIN_ANSWER, "plain"), (PAGE_ANSWER, "html")])
def test_quotes_stand_under_the_line_that_says_whose_they_are(body: str, subtype: str) -> None:
    extracted = read(body, subtype)

    ann = "On Mon, Mar 2, 2026 at 10:00 AM Ann Lee <ann@example.org> wrote"
    title = "FW: Contract"
    headings = {
        words: block_with(extracted, words).headings
        for words in ("When does", "30 June", "I agree", "the pump", "Not yet")
    }
    assert headings == {
        "When does": (title, ann, "Cyd wrote"),
        "30 June": (title, ann),
        "I agree": (title,),
        "the pump": (title, ann),
        "Not yet": (title,),
    }
    assert extracted.text.count(ann) == 1
    assert extracted.parts == ()


def test_quoted_lines_without_a_name() -> None:
    extracted = read("> When does it end?\n\nOn 30 June.\n")

    assert block_with(extracted, "When does").headings == ("FW: Contract", WITHOUT_NAME)
    assert block_with(extracted, "30 June").headings == ("FW: Contract",)
    assert WITHOUT_NAME not in extracted.text


def test_quotes_without_marks_are_known_by_their_date() -> None:
    extracted = read("I agree.\n\nOn 2 March 2026, Ann wrote:\n\nIt ends on 30 June.\n")

    assert block_with(extracted, "30 June").headings[-1] == "On 2 March 2026, Ann wrote"
    assert block_with(extracted, "agree").headings == ("FW: Contract",)


@pytest.mark.parametrize(
    "body",
    [
        "From: Berlin\nTo: Paris\nDate: 3 May 2026\n\nHotel booked.\n",
        "As the manual says:\nFrom: is the sender.\n\nSubject: is the topic.\n",
        "The committee wrote:\n\nNothing is decided.\n",
        "First.\n\n------------------------------\n\nSecond.\n",
        "He wrote that it ends on 30 June: then we stop.\n",
    ],
)
def test_what_only_looks_like_a_forwarded_mail_stays(body: str) -> None:
    extracted = read(body)

    assert extracted.parts == ()
    assert not any(block.kind == "heading" for block in extracted.blocks)
    written = [line for line in body.splitlines() if line]
    assert all(line in extracted.text for line in written if not line.startswith("---"))


def test_mails_of_a_plain_digest_are_documents() -> None:
    rule, line = "-" * 70, "-" * 30
    extracted = read(
        "Send Pumps mailing list submissions to\n\tpumps@example.org\n\nToday's Topics:\n\n"
        f"   1. Old pump (Ann Lee)\n   2. New pump (Bob)\n\n\n{rule}\n\nMessage: 1\n"
        "Date: Mon, 2 Mar 2026 10:00:00 +0100\nFrom: Ann Lee <ann@example.org>\n"
        "Subject: [Pumps] Old pump\nTo: pumps@example.org\nContent-Type: text/plain;\n"
        f'\tcharset="us-ascii"\n\nThe old pump leaks.\n\n{line}\n\nnot a new mail\n\n{line}\n\n'
        "Message: 2\nDate: Tue, 3 Mar 2026 10:00:00 +0100\nFrom: Bob <bob@example.org>\n"
        f"Subject: New pump\n\nIt costs 480 euros.\n\n{line}\n\nSubject: Digest Footer\n\n"
        "Pumps mailing list\n\nEnd of Pumps Digest\n*******\n"
    )

    assert [(part.title, part.date) for part in extracted.parts] == [
        ("[Pumps] Old pump", "2026-03-02"),
        ("New pump", "2026-03-03"),
    ]
    assert extracted.parts[0].text.endswith("The old pump leaks.")
    assert "charset" not in extracted.parts[0].text
    assert extracted.parts[1].text.endswith("It costs 480 euros.")
    assert "Today's Topics" in extracted.text
    assert "End of Pumps Digest" in extracted.text


END = "----- End forwarded message -----"
LINE = st.sampled_from(
    ["", "Text.", "-----Original Message-----", "From: Ann", "Sent: 2 March 2026", "Subject: Pump",
     "On 2 March 2026, Ann wrote:", "wrote:", "-" * 30, "-" * 70, "____________", END,
     "Begin forwarded message:"]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), LINE), max_size=30))
def test_no_line_of_text_is_lost_or_doubled(lines: list[tuple[int, str]]) -> None:
    body = "\n".join(f"{'> ' * depth}{text}" for depth, text in lines)

    thread = read_thread(plain_lines(body), has_marks=True)

    def kept(mail: MailText) -> int:
        inner = [each for each in mail.content if isinstance(each, MailText)]
        passages = [each for each in mail.content if not isinstance(each, MailText)]
        own = sum(line.text == "Text." for passage in passages for line in passage.lines)
        in_heads = sum(value.count("Text.") for value in mail.headers.values())
        return own + in_heads + sum(map(kept, inner))

    assert kept(thread) == sum(text == "Text." for _, text in lines)
