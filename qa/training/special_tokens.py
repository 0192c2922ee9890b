"""Tokens that frame a window: those of BERT, and those of MPNet.

BERT reads [CLS] question [SEP] passage [SEP]; MPNet reads <s> question </s></s> passage </s>. The
second separator is kept as the last token of the question, so that both have one layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from qa.training.errors import TrainingError

_BERT, _MPNET = ("[CLS]", "[SEP]", "[PAD]"), ("<s>", "</s>", "<pad>")


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids of the tokens that frame a window, and those that end a question in it."""

    cls: int
    sep: int
    pad: int
    question_ending: tuple[int, ...] = ()

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialTokens:
        """Return the special tokens of a tokenizer; raise TrainingError for another kind."""
        for names in (_MPNET, _BERT):  # MPNet's vocabulary has those of BERT as well
            ids = [tokenizer.token_to_id(name) for name in names]
            if None not in ids:
                first, separator, padding = (int(each) for each in ids if each is not None)
                ending = (separator,) if names is _MPNET else ()
                return cls(first, separator, padding, ending)
        raise TrainingError(
            "the tokenizer has neither [CLS], [SEP] and [PAD] nor <s>, </s> and <pad>: "
            "training knows the windows of BERT and MPNet only"
        )
