"""Tiny models: question-answering ones with random weights, and a graph of one step."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.openvino_graph import silence_telemetry
from qa.answering.reading.reader_conversion import CAREFUL

TEXT = (
    "The tide at Porto turns at six. "
    "Fishermen leave with the ebb, and the café opens at 07:30 for €2.50. "
)
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.5,  # so that logits differ by more than a test forgives
}


def save_bert(folder: Path, **changes: Any) -> Path:
    """Save a BERT with the default model's tokenizer, which has token types, and pads with 0."""
    import torch
    from transformers import BertConfig, BertForQuestionAnswering

    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (find_model(DEFAULT_MODEL) / name).is_file():
            shutil.copy(find_model(DEFAULT_MODEL) / name, folder)
    torch.manual_seed(0)
    BertForQuestionAnswering(BertConfig(**{**SMALL, **changes})).save_pretrained(folder)
    return folder


def save_mpnet_base(folder: Path) -> Path:
    """Save an encoder of the careful reader's kind: MPNet's tokenizer, two layers of width 64."""
    import torch
    from transformers import MPNetConfig, MPNetModel

    folder.mkdir(parents=True)
    shutil.copy(CAREFUL / "tokenizer.json", folder)
    torch.manual_seed(0)
    sizes = SMALL | {"hidden_size": 64, "num_hidden_layers": 2, "initializer_range": 0.1}
    config = MPNetConfig(**sizes, vocab_size=30_527, layer_norm_eps=1e-5)
    MPNetModel(config).save_pretrained(folder)
    return folder


def save_roberta(folder: Path) -> Path:
    """Save a RoBERTa with a byte-level tokenizer, which has no token types and pads with 1.

    That tokenizer counts a space as part of the word behind it.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForQuestionAnswering

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [TEXT] * 9,
        trainers.BpeTrainer(special_tokens=specials, vocab_size=400, initial_alphabet=alphabet),
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=False
    )
    named = dict(
        zip(
            ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"),
            specials,
            strict=True,
        )
    )
    wrapped: Any = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=512, **named
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    vocabulary = tokenizer.get_vocab_size()
    config = RobertaConfig(
        **SMALL,
        vocab_size=vocabulary,
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=1,
    )
    RobertaForQuestionAnswering(config).save_pretrained(folder)
    return folder


def save_doubling(path: Path) -> Path:
    """Write a graph that doubles its input."""
    silence_telemetry()
    import openvino
    from openvino import opset13

    given = opset13.parameter([-1, -1], np.int64, name="ids")
    doubled = opset13.convert(given * np.int64(2), "f32")
    openvino.save_model(openvino.Model([doubled], [given]), path, compress_to_fp16=False)
    return path
