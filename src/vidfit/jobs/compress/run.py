"""The fifth job: a model and clips in; a smaller or faster model out, and what it loses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    Clip,
    Estimate,
    Failure,
    Frames,
    TorchBackbone,
    clip_key,
)
from vidfit.errors import ModelError, NotEnoughDataError
from vidfit.evaluate import few_recordings
from vidfit.features.frames import write_frames
from vidfit.fusion import METHODS
from vidfit.hardware import hardware
from vidfit.jobs.compress.artefacts import Bench, Made
from vidfit.jobs.compress.certificate import certificate, of_other_recordings, unlabelled_windows
from vidfit.jobs.compress.losses import Judge, Judgement, Refitted, Unchanged, answers_of, judgement
from vidfit.jobs.compress.options import CompressOptions
from vidfit.jobs.compress.page import write_compression
from vidfit.jobs.compress.techniques import TECHNIQUES, Workshop
from vidfit.jobs.compress.value import Certificate, Compression
from vidfit.jobs.compress.verdicts import artefact, chosen_of, is_gain, rated, verdict_words
from vidfit.labels import ONE
from vidfit.launch import Here
from vidfit.manifest import (
    Manifest,
    grouped_folds,
    losses,
    noticed,
    refusal,
)
from vidfit.model import Model, member_directory, save_model
from vidfit.progress import Progress
from vidfit.runtime import accelerate
from vidfit.study import heads
from vidfit.study.folds import able_classes, put_aside
from vidfit.study.opened import Study, open_study
from vidfit.study.opened_model import check_answers_one, open_model
from vidfit.study.openings import open_holdout
from vidfit.study.stages import one_blas_thread
from vidfit.study.table import Table, Tally, build_table

TRAINED_HOLDOUT = 0.2
"""Share of the recordings that `train` tests on: the same are put aside here."""

CALIBRATION_FOLDS = 4
"""Folds of recordings, of which one sets ranges and teaches networks, and is never judged."""

MOST_VIEWS = 256
"""Calibration views of a network; a few hundred settle ranges."""


NOTHING = Estimate(0.0, 0.0, 0.0)
"""What the original loses against itself."""


@dataclass(frozen=True)
class _Subject:
    """A model with its members as they were saved."""

    model: Model
    directory: Path
    members: tuple[Backbone, ...]

    @property
    def networks(self) -> dict[int, TorchBackbone]:
        """Members that can be compressed, by their index."""
        return {i: b for i, b in enumerate(self.members) if isinstance(b, TorchBackbone)}

    @property
    def trained(self) -> bool:
        """Whether a network has learned from clips itself."""
        families = {member.spec.family for member in self.members}
        return self.model.head == heads.NETWORK or "network" in families


def run_compress(
    directory: Path,
    source: str | Path,
    output: Path,
    options: CompressOptions = CompressOptions(),
    progress: Progress | None = None,
) -> Compression:
    """Make a model smaller or faster, and keep what is proven to lose no more than is allowed.

    ``output`` gets ``model/`` if an artefact is good enough, ``compression.html``,
    ``compression.json`` and ``compression.svg``, ``artefacts/``, ``frames/`` and ``features/``.
    The same call goes on where one was interrupted.

    Parameters
    ----------
    directory
        A model that `fit`, `fuse` or `train` wrote.
    source
        Folder or list of labelled clips, those that it was fitted on; see
        `vidfit.manifest.read_manifest`.

    Raises
    ------
    ModelError
        If the model is damaged, has no network, or knows other classes.
    ManifestError, NotEnoughDataError
        If the clips' list cannot be understood, or holds too few clips.
    StoreError
        If a disk is full.
    """
    options.check()
    subject = _subject(directory, options.own)
    study = open_study(source, output, options, progress, only_one_class="compress")
    notes = study.notes
    with study.timed("look for copies"):
        manifest = _held_apart(subject, study)
    clips = list(manifest.clips)
    _check_clips(subject, clips)
    calibration = _calibration(clips, subject.trained)
    with study.timed("decode calibration clips"):
        views = {
            i: _views(network.spec, calibration, output, study)
            for i, network in subject.networks.items()
        }
    with study.timed("compress and measure"):
        bench = _bench(subject, views, output, options.distil_steps, study.progress)
        original = bench.original()
        made = _made(bench, original, subject, options, study.progress)
    judged = [one for one in made if is_gain(one, original, options.target)]
    window_seconds = subject.model.window_seconds
    bare, refused = unlabelled_windows(study.manifest, options.unlabelled, window_seconds)
    with study.timed("decode and extract"):
        everyone = {b.spec.name: b for one in (original, *judged) for b in one.members}
        look = partial(
            build_table,
            backbones=[accelerate(backbone) for backbone in everyone.values()],
            store=study.store,
            place=study.place,
            progress=study.progress,
            steps=heads.in_steps(subject.model.head),
        )
        table, tally = look(clips)
        others, unread = _of_others(look, clips, bare)
    judged = [one for one in judged if all(b.spec.name in table.vectors for b in one.members)]
    with study.timed("judge on unseen recordings"), one_blas_thread():
        judge = _judge(subject, table, calibration)
        itself, *found = _judgements(judge, [original, *judged], table, study.progress)
        certificates = _certificates(judge, subject.model, judged, others)
    counted = _counted(judge, table, calibration)
    if subject.trained:
        open_holdout([clip for clip in table.clips if clip.split == "test"], output, notes)
    judgements = {one.name: of for one, of in zip(judged, found, strict=True)}
    verdicts = rated(made, original, judgements, options)
    verdicts = [replace(one, certificate=certificates.get(one.name)) for one in verdicts]
    chosen, artefacts = chosen_of(verdicts, options.target)
    compression = Compression(
        str(directory), str(source), options.target, options.max_loss / 100,
        chosen, verdict_words(chosen, artefacts, options),
        tuple(network.spec.name for network in subject.networks.values()),
        replace(artefact(original, itself, 0.0), loss=NOTHING), artefacts,
        *counted, judge.protocol,
        (*manifest.rejected, *tally.clips, *tally.backbones, *refused, *unread),
        tuple(study.stages),
        hardware().describe(),
        (*manifest.warnings, *dict.fromkeys(notes), *few_recordings(counted[1])),
    )  # fmt: skip
    if chosen:
        kept = next(one for one in judged if one.name == chosen)
        _save(judge.model(kept.members), kept, subject, compression, output / "model")
    write_compression(compression, output)
    return compression


def _subject(directory: Path, own: Sequence[str]) -> _Subject:
    opened = open_model(directory, own)
    check_answers_one(opened.model, "compress")
    model, members = opened.model, opened.members
    subject = _Subject(model, directory, members)
    if not subject.networks:
        raise ModelError(
            f"{directory} answers by {', '.join(model.members)}, which has no torch network: "
            "there is nothing to compress. Give a model with a network that was not compressed "
            "before, such as one of `vidfit fit CLIPS --network-only`."
        )
    if len(members) > 1 and "method" not in model.card:
        raise ModelError(
            f"{directory} does not say how its {len(members)} members were combined: an older "
            "vidfit wrote it. Fit it again."
        )
    method = str(model.card.get("method", ""))
    if method and method not in METHODS and model.head != heads.NETWORK:
        raise ModelError(
            f"{directory} was fitted by the fusion {method!r}, which vidfit no longer has, so "
            "that it cannot be fitted to compressed networks. Fit it again."
        )
    return subject


def _held_apart(subject: _Subject, study: Study) -> Manifest:
    """Return the labelled clips with copies joined, and what a trained network is judged on.

    A head that is fitted anew is judged on the classes that can be tested.
    """
    clips, manifest = study.labelled, study.manifest
    able_classes(manifest.present(clips), [], noticed(manifest))  # refuses before any work
    beside = [accelerate(member) for member in subject.members]
    manifest = study.joined(clips, beside=beside).manifest
    if subject.trained:
        return put_aside(manifest, TRAINED_HOLDOUT, study.notes)
    able = study.able(manifest.clips, manifest)
    return replace(manifest, clips=tuple(ONE.of_classes(manifest.clips, able)))


def _check_clips(subject: _Subject, clips: Sequence[Clip]) -> None:
    classes = tuple(sorted({str(clip.label) for clip in clips}))
    if classes != subject.model.classes:
        raise ModelError(
            f"{subject.directory} knows the classes {', '.join(subject.model.classes)}, and the "
            f"clips are of {', '.join(classes)}; give the clips that it was fitted on"
        )


def _calibration(clips: Sequence[Clip], trained: bool) -> tuple[Clip, ...]:
    """Return clips whose recordings are never judged: a share, or what is learned from."""
    if trained:
        return tuple(clip for clip in clips if clip.split != "test")
    labels = [str(clip.label) for clip in clips]
    groups = [clip.recording for clip in clips]
    fold_M = grouped_folds(labels, groups, folds=CALIBRATION_FOLDS, seed=1)
    return tuple(clip for clip, fold in zip(clips, fold_M, strict=True) if fold == 0)


def _views(spec: BackboneSpec, clips: Sequence[Clip], output: Path, study: Study) -> Frames:
    """Return views [B, T, H, W, C] of a network, spread over the calibration clips."""
    most = max(1, MOST_VIEWS // spec.sampling.num_clips)
    some = list(clips[:: -(-len(clips) // most)])
    place = Here(study.place.workers)
    files = write_frames(some, spec, output / "frames", place, study.progress)
    if not files.paths:
        known = losses(files.failures, len(some))
        raise NotEnoughDataError(refusal(known, "No clip is left to calibrate with"))
    return np.concatenate([np.load(path, allow_pickle=False) for path in files.paths.values()])


def _bench(
    subject: _Subject,
    views: Mapping[int, Frames],
    output: Path,
    distil_steps: int,
    progress: Progress,
) -> Bench:
    folder = output / "artefacts"
    folder.mkdir(parents=True, exist_ok=True)
    workshops = {
        i: Workshop(network, views[i], folder, distil_steps, progress)
        for i, network in subject.networks.items()
    }
    running = tuple(accelerate(member) for member in subject.members)
    folders = [member_directory(subject.directory, i) for i in range(len(subject.members))]
    return Bench(subject.members, running, tuple(folders), workshops, folder)


def _made(
    bench: Bench,
    original: Made,
    subject: _Subject,
    options: CompressOptions,
    progress: Progress,
) -> list[Made]:
    """Make what was asked for, or all that suits the networks."""
    kinds = {network.spec.architecture for network in subject.networks.values()}
    names = options.techniques or tuple(
        name
        for name, technique in TECHNIQUES.items()
        if kinds & set(technique.suits)
        and (options.distil_steps or "distil" not in technique.steps)
    )
    progress.start("compress and measure", len(names))
    made = []
    for name in names:
        made.append(bench.make(name, original))
        progress.advance()
    return made


def _judge(subject: _Subject, table: Table, calibration: Sequence[Clip]) -> Judge:
    if subject.trained:
        tested_M = np.array([clip.split == "test" for clip in table.clips])
        return Unchanged(table, subject.model, tested_M)
    seen = {clip.recording for clip in calibration}
    calibrated_M = np.array([group in seen for group in table.groups])
    card = subject.model.card
    return Refitted(table, str(card.get("method", "")), calibrated_M, card.get("even") is True)


def _judgements(
    judge: Judge, made: Sequence[Made], table: Table, progress: Progress
) -> list[Judgement]:
    """Return the judgement of each, the first being the original."""
    progress.start("judge on unseen recordings", len(made))
    found, original_RMK = [], None
    for one in made:
        answers_RMK = judge.answers([member.spec.name for member in one.members])
        original_RMK = answers_RMK if original_RMK is None else original_RMK
        found.append(judgement(answers_RMK, original_RMK, table))
        progress.advance()
    return found


def _of_others(
    look: Callable[[Sequence[Clip]], tuple[Table, Tally]],
    clips: Sequence[Clip],
    bare: Sequence[Clip],
) -> tuple[Table | None, list[Failure]]:
    """Return windows without a label of other recordings, and those that cannot be read."""
    if not bare:
        return None, []
    # With the labelled ones, whose recordings and copies are left out; their features are known.
    everyone, tally = look([*clips, *bare])
    keys = {clip_key(clip) for clip in bare}
    return of_other_recordings(everyone), [f for f in tally.clips if f.name in keys]


def _certificates(
    judge: Judge, original: Model, judged: Sequence[Made], others: Table | None
) -> dict[str, Certificate | None]:
    """Compare what would be handed out with the original, by artefact."""
    if others is None or not others.clips:
        return {}
    original_MK = answers_of(original, original.members, others)
    found = {}
    for one in judged:
        model = judge.model(one.members)
        answers_MK = answers_of(model, model.members, others)
        found[one.name] = certificate(answers_MK, original_MK, others.groups)
    return found


def _counted(judge: Judge, table: Table, calibration: Sequence[Clip]) -> tuple[int, int, int]:
    """Return clips that were judged, their recordings, and clips that calibrated."""
    groups = [group for group, judged in zip(table.groups, judge.judged, strict=True) if judged]
    return len(groups), len(set(groups)), len(calibration)


def _save(
    model: Model, kept: Made, subject: _Subject, compression: Compression, directory: Path
) -> None:
    one = next(a for a in compression.artefacts if a.name == compression.chosen)
    facts = asdict(one)
    measured = (
        "details", "accuracy", "loss", "probability_loss", "similarity", "footprint", "certificate"
    )  # fmt: skip
    card = {
        **subject.model.card,
        "declines": None,  # of this model nobody has measured it
        "members": [asdict(member.spec) for member in kept.members],
        "compression": {
            "technique": one.name,
            "from": str(subject.directory),
            **{name: facts[name] for name in measured},
            "protocol": compression.protocol,
        },
    }
    members = {member.spec.name: member for member in kept.members}
    ordered = [members[name] for name in model.members]
    save_model(replace(model, card=card), directory, lambda i, folder: zoo.save(ordered[i], folder))
