"""Fast reader as the teacher of the careful one (Hinton et al. 2015, "Distilling the Knowledge").

Both read the same tokens: MPNet's vocabulary is BERT's with other ids and five more entries. The
fast reader has seen fifty times as many questions, and above all knows when there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from tokenizers import Tokenizer
from torch import nn

from qa.training.batches import Batch
from qa.training.loss import UNREADABLE, Logits
from qa.training.special_tokens import SpecialTokens

Teach = Callable[[Batch], Logits]
"""Function from a batch to start and end logits, float (w, l) each, at its positions."""


class Teacher:
    """A BERT reader that reads the batches of an MPNet one."""

    def __init__(
        self, model: nn.Module, own: Tokenizer, learner: Tokenizer, *, no_answer: float = 0.0
    ) -> None:
        """Let a model with the tokenizer `own` read what `learner` has tokenised.

        `no_answer` is added to the score of no answer (`qa.training.balance`).
        """
        self._model, self._no_answer = model, no_answer
        words = own.get_vocab()
        special, theirs = SpecialTokens.of(own), SpecialTokens.of(learner)
        ids = torch.full((learner.get_vocab_size(),), words["[UNK]"], dtype=torch.int64)
        for token, row in learner.get_vocab().items():
            ids[row] = words.get(token, words["[UNK]"])
        ids[[theirs.cls, theirs.sep, theirs.pad]] = torch.tensor(
            [special.cls, special.sep, special.pad]
        )
        self._ids = ids

    @torch.no_grad()
    def __call__(self, batch: Batch) -> Logits:
        """Return the logits, `UNREADABLE` where no span may start or end."""
        # All positions but the separator that ends the question, which BERT's windows lack.
        begins = batch.types.argmax(1, keepdim=True)
        places = torch.arange(batch.ids.shape[1] - 1, device=batch.ids.device)
        kept = places + (places >= begins - 1).long()
        output = self._model(
            input_ids=self._ids.to(kept.device)[batch.ids.gather(1, kept)],
            attention_mask=batch.mask.gather(1, kept),
            token_type_ids=batch.types.gather(1, kept),
        )
        output.start_logits[:, 0] += self._no_answer
        start, end = (
            torch.full_like(batch.ids, UNREADABLE, dtype=torch.float32).scatter(
                1, kept, each.float()
            )
            for each in (output.start_logits, output.end_logits)
        )
        return (
            start.masked_fill(~batch.readable, UNREADABLE),
            end.masked_fill(~batch.readable, UNREADABLE),
        )
