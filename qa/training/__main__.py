"""`python -m qa.training`: see the package's docstring."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import QAError
from qa.training.config import DataSettings, TrainSettings, add_flags, from_flags
from qa.training.errors import TrainingError
from qa.training.flags import add_paths

if TYPE_CHECKING:
    from torch import nn

    from qa.training.loop import Validate
    from qa.training.model import Weights
    from qa.training.units import EpochUnits


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; errors become one line and exit code 1."""
    from qa import training

    parser = argparse.ArgumentParser(
        "python -m qa.training",
        description=training.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    for name, (step, kinds, about) in STEPS.items():
        flags = steps.add_parser(name, help=about, description=about)
        flags.set_defaults(step=step, name=name)
        add_paths(flags, name)
        for kind in kinds:
            add_flags(flags, kind)
    given = parser.parse_args(arguments)
    try:
        given.step(given)
    except QAError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def prepare_corpus(given: argparse.Namespace) -> None:
    """Tokenise into WORK."""
    from qa.training.corpus import prepare

    corpus = prepare(given.data, given.work, _base(given), from_flags(given, DataSettings))
    counts = {name: int((corpus.source == row).sum()) for row, name in enumerate(corpus.sources)}
    _say(json.dumps({"questions": counts, "passages": len(corpus.passages)}))


def train_stage(given: argparse.Namespace) -> None:
    """Stage 1 from the base or `--from`, or stage 2 from stage 1's weights or `--from`; goes on
    where WORK has a checkpoint.
    """
    from qa.training.batches import SpecialTokens
    from qa.training.corpus import load_tokenizer, prepare
    from qa.training.loop import Trainer
    from qa.training.model import new_model, put
    from qa.training.units import Negatives, stage1_units, stage2_units

    data, settings, base = (
        from_flags(given, DataSettings),
        from_flags(given, TrainSettings),
        _base(given),
    )
    corpus = prepare(given.data, given.work, base, data)
    model = new_model(base, settings)
    units: EpochUnits = stage1_units(corpus, data, settings.seed)
    start = given.source or (given.work / "stage1" if given.name == "stage2" else None)
    if start:
        put(model, _weights(start, base))
    if given.name == "stage2":
        units = stage2_units(corpus, Negatives.load(given.work / "negatives.npz"), data, settings)
    validate = _validation(given.work, base, data, settings.precision)
    special = SpecialTokens.of(load_tokenizer(base))
    trainer = Trainer(
        corpus,
        units,
        special,
        settings,
        given.work / given.name,
        validate,
        report=lambda line: _say(json.dumps(line)),
    )
    progress = trainer.train(model)
    _say(json.dumps({"finished": progress.tokens >= settings.tokens, **asdict(progress)}))


def find_negatives(given: argparse.Namespace) -> None:
    """Search WORK/negatives.npz with the product's own retriever over the training passages (needs
    openvino and faiss).
    """
    from qa.training.corpus import training_set
    from qa.training.data import sample
    from qa.training.negatives import build

    if given.data is None:
        raise TrainingError("negatives are searched in the texts: give --data DIR")
    data = from_flags(given, DataSettings)
    examples = training_set(given.data, data)
    asked = sample(examples, given.questions or len(examples), data.data_seed)
    given.work.mkdir(parents=True, exist_ok=True)
    build(asked, examples, given.keep, _say).save(given.work / "negatives.npz")


def export_reader(given: argparse.Namespace) -> None:
    """Write a trained reader as fp16 weights beside a JSON card; an exported one is checked and
    written anew.
    """
    from qa.training.checkpoint import CHECKPOINT, read
    from qa.training.corpus import recipe_of
    from qa.training.export import CARD, averaged, export, load_reader, share_of

    base = _base(given)
    about: dict[str, Any]
    if (given.source / CARD).is_file() and not (given.source / CHECKPOINT).is_file():
        before = load_reader(given.source, base)[1]
        about = {
            name: before[name]
            for name in ("training", "progress", "corpus", "averaged", "no_answer")
            if name in before
        }
    else:
        state = read(given.source)
        about = {
            "training": state["settings"],
            "progress": state["progress"],
            "corpus": recipe_of(given.source.parent),
        }
    about |= json.loads(given.about.read_text("utf-8")) if given.about else {}
    shares = [share_of(each) for each in given.average]
    about |= {"averaged": {folder.name: share for folder, share in shares}} if shares else {}
    mixed = averaged(
        _weights(given.source, base), [(_weights(folder, base), share) for folder, share in shares]
    )
    about |= {"no_answer": _offset(mixed, given.data, base)} if given.data else {}
    _say((export(mixed, base, given.out, about) / CARD).read_text("utf-8"))


def evaluate_reader(given: argparse.Namespace) -> None:
    """EM, F1, no-answer accuracy and AUROC on gold passages, for a stage's checkpoint or an
    exported reader; a line of JSON a file.
    """
    from qa.training.data import read_examples, sample

    settings = from_flags(given, TrainSettings)
    model = _reader(given.source, _base(given), settings)
    for path in given.files:
        examples = read_examples(path)
        asked = sample(examples, given.sample or len(examples), settings.seed)
        figures = _evaluated(model, asked, given, settings)
        _say(json.dumps({"file": path.name, "reader": str(given.source), **figures}))


def copy_base(given: argparse.Namespace) -> None:
    """Write an fp16 copy of the base model, for a machine without this package's dependencies."""
    from qa.training.export import write_base

    _say(str(write_base(_base(given), given.out)))


def make_traps(given: argparse.Namespace) -> None:
    """Write pairs of a held-out question and its unanswerable twin, for `qa eval answers`."""
    from qa.training.traps import trap_pairs, write_traps

    pairs = trap_pairs(given.data, given.pairs, given.seed)
    write_traps(pairs, given.out)
    _say(
        json.dumps(
            {kind: sum(pair.kind == kind for pair in pairs) for kind in ("entity", "relation")}
        )
    )


Step = Callable[[argparse.Namespace], None]
STEPS: dict[str, tuple[Step, tuple[type[Any], ...], str]] = {
    "prepare": (
        prepare_corpus,
        (DataSettings,),
        "tokenise the data sets into WORK/corpus.npz (stage1 does it too)",
    ),
    "stage1": (train_stage, (DataSettings, TrainSettings), "train on single windows"),
    "negatives": (
        find_negatives,
        (DataSettings,),
        "find hard negatives with the product's retriever, for stage 2",
    ),
    "stage2": (
        train_stage,
        (DataSettings, TrainSettings),
        "train with hard negatives under shared normalisation",
    ),
    "export": (export_reader, (), "write the reader to be shipped"),
    "evaluate": (
        evaluate_reader,
        (DataSettings, TrainSettings),
        "EM, F1, no-answer accuracy, AUROC on gold passages",
    ),
    "traps": (make_traps, (), "write pairs of a question and its trap, to evaluate on"),
    "base": (copy_base, (), "write an fp16 copy of the base model, to be carried"),
}


def _base(given: argparse.Namespace) -> Path:
    from qa.training.model import default_base

    base: Path = given.base or default_base()
    return base


def _weights(folder: Path, base: Path) -> Weights:
    """Of a stage's folder or an exported one."""
    from qa.training.checkpoint import CHECKPOINT, stage_weights
    from qa.training.export import load_reader

    if (folder / CHECKPOINT).is_file():
        return stage_weights(folder)
    return dict(load_reader(folder, base)[0].named_parameters())


def _offset(weights: Weights, data: Path, base: Path) -> float:
    """Of these weights, on a balanced sample of the held-out questions."""
    from qa.training.balance import balanced, no_answer_offset
    from qa.training.corpus import load_tokenizer
    from qa.training.data import held_out_examples
    from qa.training.model import new_model, put

    settings = TrainSettings()
    model = new_model(base, settings)
    put(model, weights)
    return no_answer_offset(
        model.eval(),
        load_tokenizer(base),
        balanced(held_out_examples(data), settings.seed),
        DataSettings(),
    )


def _reader(folder: Path, base: Path, settings: TrainSettings) -> nn.Module:
    from qa.training.model import device_of, new_model, put

    model = new_model(base, settings)
    put(model, _weights(folder, base))
    return model.to(device_of(settings.device)).eval()


def _evaluated(
    model: nn.Module, examples: list[Any], given: argparse.Namespace, settings: TrainSettings
) -> dict[str, float]:
    from qa.training.corpus import load_tokenizer
    from qa.training.evaluate import EvaluateSettings, figures, predict

    reading = EvaluateSettings(
        threshold=given.threshold, max_answer=given.max_answer, precision=settings.precision
    )
    found = predict(
        model, load_tokenizer(_base(given)), examples, from_flags(given, DataSettings), reading
    )
    return figures(examples, found, given.threshold)


def _validation(work: Path, base: Path, data: DataSettings, precision: str) -> Validate:
    """The figures of the held-out sample in WORK."""
    from qa.training.corpus import VALIDATION, load_tokenizer
    from qa.training.data import read_examples
    from qa.training.evaluate import EvaluateSettings, figures, predict

    examples, tokenizer = read_examples(work / VALIDATION), load_tokenizer(base)

    def validate(model: nn.Module) -> dict[str, float]:
        return figures(
            examples,
            predict(model, tokenizer, examples, data, EvaluateSettings(precision=precision)),
            0.0,
        )

    return validate


def _say(line: str) -> None:
    sys.stdout.write(line.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
