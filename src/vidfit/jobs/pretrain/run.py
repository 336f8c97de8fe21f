"""Learn a language model from texts, and say what it is worth beside what needs no network."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import torch

from vidfit.documents import to_json
from vidfit.files import write_whole
from vidfit.jobs.pretrain.classify import classified
from vidfit.jobs.pretrain.corpus import Corpus, open_corpus
from vidfit.jobs.pretrain.judge import judged
from vidfit.jobs.pretrain.options import PretrainOptions
from vidfit.jobs.pretrain.value import Pretraining
from vidfit.jobs.pretrain.words import report_markdown
from vidfit.language.model import LanguageModel
from vidfit.networks import Shape
from vidfit.networks.gpt import GptLanguage
from vidfit.plans import Recipe
from vidfit.progress import SILENT, Progress
from vidfit.training.checkpoint import read_checkpoint
from vidfit.training.sequences import (
    SequenceRun,
    TrainedSequences,
    seconds_a_step,
    train_sequences,
)

_WARMUP_SHARE = 0.05
_SAMPLE_TOKENS = 80
_FEWEST_STEPS = 20


def run_pretrain(
    source: str | Path,
    output: Path,
    options: PretrainOptions = PretrainOptions(),
    progress: Progress | None = None,
) -> Pretraining:
    """Learn a language model; judge it on whole documents that it has not seen.

    ``output`` gets ``model/`` (`vidfit.language.model.load_language`), ``pretraining.json``,
    ``pretraining.md``, and ``tokens/`` and ``checkpoints/``, from which the same call goes on,
    to the bit.

    Parameters
    ----------
    source
        Text files, subtitles, SQuAD's JSON, tables with a column of texts, or a folder of them;
        see `vidfit.language.texts`.

    Raises
    ------
    ManifestError
        If there are no texts.
    NotEnoughDataError
        If there are too few documents.
    StoreError
        If the output cannot be written, or holds another run.
    VidfitError
        If options have no meaning, tokenizers is not installed, or learning diverges.
    """
    options.check()
    progress = progress or SILENT
    corpus = open_corpus(source, output / "tokens", options, progress)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        shape = _shape(options, corpus)
        network = GptLanguage(shape)
        run = _run_of(network, corpus, output, options, progress)
        trained = train_sequences(network, run)
    network.load_state_dict(dict(trained.weights))
    model = LanguageModel(shape, network.eval(), corpus.tokenizer, _facts(corpus, run))
    model.save(output / "model")
    found = _found(model, corpus, run, trained, output, progress)
    if options.classify:
        tried = classified(model, options.classify, corpus.side_of, options.seed, progress)
        found = replace(found, classified=tried)
    write_whole(output / "pretraining.json", to_json(_plain(found), indent=1).encode())
    write_whole(output / "pretraining.md", report_markdown(found).encode())
    return found


def _shape(options: PretrainOptions, corpus: Corpus) -> Shape:
    vocabulary = corpus.tokenizer.vocabulary
    return Shape(
        dim=0, tokens=options.length, classes=vocabulary, width=options.width,
        layers=options.layers, heads=options.heads, dropout=options.dropout,
        vocabulary=vocabulary,
    )  # fmt: skip


def _run_of(
    network: GptLanguage, corpus: Corpus, output: Path, options: PretrainOptions, progress: Progress
) -> SequenceRun:
    """Return the run; its steps are counted once, and a checkpoint keeps them."""
    recipe = Recipe(
        learning_rate=options.learning_rate, weight_decay=options.weight_decay,
        warmup_share=_WARMUP_SHARE, dropout=options.dropout, seed=options.seed,
    )  # fmt: skip
    run = SequenceRun(
        corpus.learn_N, corpus.choose_N, recipe, options.steps or 1, options.windows,
        options.length, output / "checkpoints", dict(corpus.facts), progress=progress,
    )  # fmt: skip
    if options.steps:
        return run
    saved = read_checkpoint(output / "checkpoints")
    if saved is not None:
        return replace(run, steps=int(saved.facts["run"]["steps"]))
    steps = max(int(options.cpu_seconds / seconds_a_step(network, run)), _FEWEST_STEPS)
    progress.note(f"{steps:,} steps in about {options.cpu_seconds:,.0f} s of the processor")
    return replace(run, steps=steps)


def _found(
    model: LanguageModel,
    corpus: Corpus,
    run: SequenceRun,
    trained: TrainedSequences,
    output: Path,
    progress: Progress,
) -> Pretraining:
    coded, gains = judged(model, corpus, progress)
    learned_bytes = corpus.bytes_of["learn"]
    return Pretraining(
        model=output / "model",
        parameters=sum(p.numel() for p in model.network.parameters()),
        steps=run.steps,
        passes=run.steps * run.windows * run.length / len(corpus.learn_N),
        cpu_seconds=trained.cpu_seconds,
        coded=coded,
        gains=gains,
        looks=trained.looks,
        documents=dict(corpus.documents),
        bytes_of=dict(corpus.bytes_of),
        bytes_a_token=learned_bytes / len(corpus.learn_N),
        seen_before=corpus.seen_before,
        sample=model.sample(_SAMPLE_TOKENS, seed=0),
        failures=corpus.failures,
    )


def _facts(corpus: Corpus, run: SequenceRun) -> dict[str, object]:
    return {
        **corpus.facts, "steps": run.steps, "documents": dict(corpus.documents),
        "bytes": dict(corpus.bytes_of),
    }  # fmt: skip


def _plain(found: Pretraining) -> dict[str, object]:
    """Return what was found, by name."""
    return {**asdict(found), "model": "model", "learned": found.learned}
