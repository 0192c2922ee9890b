"""Command line of `python -m qa.training`; see the package's docstring."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
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
    from qa.training.teacher import Teach
    from qa.training.units import EpochUnits


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step and return the exit code.

    An error of the product becomes one line on stderr and exit code 1.
    """
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
    options = parser.parse_args(arguments)
    try:
        options.step(options)
    except QAError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def prepare_corpus(options: argparse.Namespace) -> None:
    """Tokenise the data sets into WORK."""
    from qa.training.corpus import prepare

    corpus = prepare(options.data, options.work, _base(options), from_flags(options, DataSettings))
    counts = {name: int((corpus.source == row).sum()) for row, name in enumerate(corpus.sources)}
    _print_line(json.dumps({"questions": counts, "passages": len(corpus.passages)}))


def train_stage(options: argparse.Namespace) -> None:
    """Train one stage, from its checkpoint in WORK if there is one.

    A new stage 1 begins with the weights of `--from`, or else of the base model; a new stage 2 with
    those of `--from`, or else of stage 1.
    """
    from qa.training.corpus import load_tokenizer, prepare
    from qa.training.loop import Trainer
    from qa.training.model import load_weights, new_model
    from qa.training.special_tokens import SpecialTokens
    from qa.training.units import Negatives, stage1_units, stage2_units

    data = from_flags(options, DataSettings)
    settings = from_flags(options, TrainSettings)
    base = _base(options)
    corpus = prepare(options.data, options.work, base, data)
    model = new_model(base, settings)
    units: EpochUnits = stage1_units(corpus, data, settings.seed)
    start = options.source or (options.work / "stage1" if options.name == "stage2" else None)
    if start:
        load_weights(model, _weights(start, base))
    if options.name == "stage2":
        units = stage2_units(corpus, Negatives.load(options.work / "negatives.npz"), data, settings)
    validate = _validation(options.work, base, data, settings.precision)
    special = SpecialTokens.of(load_tokenizer(base))
    trainer = Trainer(
        corpus,
        units,
        special,
        settings,
        options.work / options.name,
        validate,
        _teacher(base, settings) if settings.teacher else None,
        report=lambda line: _print_line(json.dumps(line)),
    )
    progress = trainer.train(model)
    _print_line(json.dumps({"finished": progress.tokens >= settings.tokens, **asdict(progress)}))


def _teacher(base: Path, settings: TrainSettings) -> Teach:
    """Return the shipped fast reader as the teacher of the one with this base."""
    from qa.answering.reading.reader_conversion import SHIPPED
    from qa.training.corpus import load_tokenizer
    from qa.training.export import load_reader
    from qa.training.model import default_base, device_of, is_careful
    from qa.training.teacher import Teacher

    if not is_careful(base):
        raise TrainingError("--teacher is for the careful reader: --base names its base")
    model, card = load_reader(SHIPPED)
    tokenizers = load_tokenizer(default_base()), load_tokenizer(base)
    model.to(device_of(settings.device))
    return Teacher(model, *tokenizers, no_answer=card["no_answer"])


def find_negatives(options: argparse.Namespace) -> None:
    """Search the hard negatives of the training questions and write WORK/negatives.npz.

    Uses the product's own retriever over the training passages, so that openvino and faiss are
    needed. Raises TrainingError without `--data`.
    """
    from qa.training.corpus import training_set
    from qa.training.data import sample
    from qa.training.negatives import search_negatives

    if options.data is None:
        raise TrainingError(
            "negatives are searched in the data sets, but --data is missing: give --data DIR"
        )
    data = from_flags(options, DataSettings)
    examples = training_set(options.data, data)
    asked = sample(examples, options.questions or len(examples), data.data_seed)
    options.work.mkdir(parents=True, exist_ok=True)
    search_negatives(asked, examples, options.keep, _print_line).save(
        options.work / "negatives.npz"
    )


def export_reader(options: argparse.Namespace) -> None:
    """Write a trained reader as fp16 weights beside a JSON card.

    An exported reader is checked and written anew with what its card says.
    """
    from qa.training.careful_export import export_careful
    from qa.training.export import average_weights, export, parse_share
    from qa.training.model import is_careful

    base = _base(options)
    about = _provenance(options.source, base)
    if options.about:
        about |= json.loads(options.about.read_text("utf-8"))
    shares = [parse_share(each) for each in options.average]
    if shares:
        about["averaged"] = {folder.name: share for folder, share in shares}
    mixed = average_weights(
        _weights(options.source, base),
        [(_weights(folder, base), share) for folder, share in shares],
    )
    about |= {"no_answer": _no_answer_offset(mixed, options.data, base)} if options.data else {}
    write = export_careful if is_careful(base) else export
    card = write(mixed, base, options.out, about)
    _print_line(card.read_text("utf-8"))


def _provenance(source: Path, base: Path) -> dict[str, Any]:
    """Return what reader.json says of the training, from a checkpoint or an exported reader."""
    from qa.answering.reading.careful_weights import CARD as CAREFUL_CARD
    from qa.training.checkpoint import CHECKPOINT, read_checkpoint
    from qa.training.corpus import recipe_of
    from qa.training.export import CARD

    # A stage's folder may hold a card as well; its checkpoint is then the newer of the two.
    has_card = any((source / name).is_file() for name in (CARD, CAREFUL_CARD))
    if has_card and not (source / CHECKPOINT).is_file():
        card = _exported(source, base)[1]
        names = ("training", "progress", "corpus", "averaged", "no_answer")
        return {name: card[name] for name in names if name in card}
    state = read_checkpoint(source)
    return {
        "training": state["settings"],
        "progress": state["progress"],
        "corpus": recipe_of(source.parent),
    }


def evaluate_reader(options: argparse.Namespace) -> None:
    """Print EM, F1, no-answer accuracy and AUROC on gold passages, one line of JSON per file.

    The reader is a stage's folder or an exported one.
    """
    from qa.training.data import read_examples, sample

    settings = from_flags(options, TrainSettings)
    model = _load_model(options.source, _base(options), settings)
    for path in options.files:
        examples = read_examples(path)
        asked = sample(examples, options.sample or len(examples), settings.seed)
        figures = _evaluate(model, asked, options, settings)
        _print_line(json.dumps({"file": path.name, "reader": str(options.source), **figures}))


def copy_base(options: argparse.Namespace) -> None:
    """Write an fp16 copy of the base model, for a machine without this package's dependencies."""
    from qa.training.export import write_base
    from qa.training.model import is_careful

    base = _base(options)
    if is_careful(base):
        # Its export names the hash of the very file, which a copy in fp16 would not have.
        raise TrainingError(f"the base of the careful reader is carried as it is: copy {base}")
    _print_line(str(write_base(base, options.out)))


def make_traps(options: argparse.Namespace) -> None:
    """Write pairs of a held-out question and its unanswerable twin, for `qa eval answers`."""
    from qa.training.traps import trap_pairs, write_traps

    pairs = trap_pairs(options.data, options.pairs, options.seed)
    write_traps(pairs, options.out)
    _print_line(
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


def _base(options: argparse.Namespace) -> Path:
    from qa.training.model import default_base

    base: Path = options.base or default_base()
    return base


def _weights(folder: Path, base: Path) -> Weights:
    """Read the weights of a stage's folder or of an exported one."""
    from qa.training.checkpoint import CHECKPOINT, stage_weights

    if (folder / CHECKPOINT).is_file():
        return stage_weights(folder)
    return _exported(folder, base)[0]


def _exported(folder: Path, base: Path) -> tuple[Weights, dict[str, Any]]:
    """Return the weights and the card of an exported reader."""
    from qa.training.careful_export import load_adapters
    from qa.training.export import load_reader
    from qa.training.model import is_careful

    if is_careful(base):
        return load_adapters(folder, base)
    model, card = load_reader(folder, base)
    return dict(model.named_parameters()), card


def _no_answer_offset(weights: Weights, data: Path, base: Path) -> float:
    """Return the no-answer offset of these weights on a balanced sample of held-out questions."""
    from qa.training.balance import balanced_sample, no_answer_offset
    from qa.training.corpus import load_tokenizer
    from qa.training.data import held_out_examples

    settings = TrainSettings()
    return no_answer_offset(
        _model_of(weights, base, settings),
        load_tokenizer(base),
        balanced_sample(held_out_examples(data), settings.seed),
        DataSettings(),
    )


def _load_model(folder: Path, base: Path, settings: TrainSettings) -> nn.Module:
    from qa.training.model import device_of

    return _model_of(_weights(folder, base), base, settings).to(device_of(settings.device))


def _model_of(weights: Weights, base: Path, settings: TrainSettings) -> nn.Module:
    """Return the model with some weights in evaluation mode, its adapters of their sizes."""
    from qa.training.adapters import sizes_of
    from qa.training.model import load_weights, new_model

    model = new_model(base, replace(settings, **sizes_of(weights)))
    load_weights(model, weights)
    return model.eval()


def _evaluate(
    model: nn.Module, examples: list[Any], options: argparse.Namespace, settings: TrainSettings
) -> dict[str, float]:
    from qa.training.corpus import load_tokenizer
    from qa.training.evaluate import EvaluateSettings, figures, predict

    reading = EvaluateSettings(
        threshold=options.threshold, max_answer=options.max_answer, precision=settings.precision
    )
    found = predict(
        model, load_tokenizer(_base(options)), examples, from_flags(options, DataSettings), reading
    )
    return figures(examples, found, options.threshold)


def _validation(work: Path, base: Path, data: DataSettings, precision: str) -> Validate:
    """Return a function from a model to its figures on the held-out sample in WORK."""
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


def _print_line(line: str) -> None:
    sys.stdout.write(line.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
