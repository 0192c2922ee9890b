"""Sentence segmentation libraries that ``sentences.py`` compares.

Each is a function from a text to the spans of its sentences. A loader imports its library only when
called, so that a missing one does not hinder the others.
"""

import copy
from collections.abc import Callable, Iterable

Span = tuple[int, int]
Segmenter = Callable[[str], Iterable[Span]]

LONG_ABBREVIATION = 5


def load_nupunkt() -> Segmenter:
    """Load nupunkt: Punkt with its own trained model, pure Python."""
    import nupunkt

    return nupunkt.sentence_spans


def load_nupunkt_short() -> Segmenter:
    """Load nupunkt without the long words that its model lists as abbreviations.

    Such words are "poland" and "victories". The product uses this segmenter.
    """
    import nupunkt

    # ``load`` always returns the same object, which plain nupunkt uses too.
    tokenizer = copy.deepcopy(nupunkt.load("default"))
    for word in list(tokenizer.abbreviations):
        if word.isalpha() and len(word) >= LONG_ABBREVIATION:
            tokenizer.remove_abbreviation(word)
    return tokenizer.spans


def load_sentencex() -> Segmenter:
    """Load sentencex: Wikimedia's rules, in Rust."""
    import sentencex

    def spans(text: str) -> list[Span]:
        boundaries = sentencex.get_sentence_boundaries("en", text)
        return [(found["start_index"], found["end_index"]) for found in boundaries]

    return spans


def load_spacy() -> Segmenter:
    """Load spaCy's rule-based ``sentencizer`` on the blank English pipeline."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [
        (sentence.start_char, sentence.end_char) for sentence in pipeline(text).sents
    ]


def load_pysbd() -> Segmenter:
    """Load pysbd: the golden rules of pragmatic_segmenter."""
    import pysbd

    segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [(found.start, found.end) for found in segmenter.segment(text)]


def load_syntok() -> Segmenter:
    """Load syntok: a tokenizer and rules; a sentence is a list of tokens with offsets."""
    from syntok import segmenter

    def spans(text: str) -> list[Span]:
        sentences = [
            sentence for block in segmenter.analyze(text) for sentence in block if sentence
        ]
        return [(words[0].offset, words[-1].offset + len(words[-1].value)) for words in sentences]

    return spans


def load_blingfire() -> Segmenter:
    """Load blingfire: finite-state machines, in C++."""
    import blingfire

    return lambda text: blingfire.text_to_sentences_and_offsets(text)[1]


LIBRARIES: dict[str, tuple[str, Callable[[], Segmenter]]] = {
    "nupunkt": ("nupunkt", load_nupunkt),
    "nupunkt, long abbreviations removed": ("nupunkt", load_nupunkt_short),
    "sentencex": ("sentencex", load_sentencex),
    "spacy sentencizer": ("spacy", load_spacy),
    "pysbd": ("pysbd", load_pysbd),
    "syntok": ("syntok", load_syntok),
    "blingfire": ("blingfire", load_blingfire),
}
"""Distribution to install and loader of each segmenter, by the name in the table."""
