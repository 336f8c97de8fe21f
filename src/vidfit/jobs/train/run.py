"""The fourth job: carry out a plan. Clips and a plan in, a trained model and its score out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Clip, Estimate, Floats, Indices
from vidfit.errors import VidfitError
from vidfit.evaluate import few_recordings
from vidfit.features import FeatureStore
from vidfit.hardware import hardware
from vidfit.jobs.train.deploy import Deployed, deployed, deployed_whole
from vidfit.jobs.train.folder import EVENTS, Outcome, Split, finish, write_run
from vidfit.jobs.train.options import TrainOptions
from vidfit.jobs.train.page import write_training
from vidfit.jobs.train.parts import Parts, clips_of, divided, hits_of
from vidfit.jobs.train.spoken import (
    NO_WORDS,
    reading,
    silent,
    spoken,
    telling_lines,
    vocabulary_of,
    with_words,
    worth,
)
from vidfit.jobs.train.teaching import bare_clips, check_left, check_taught, judged, labels_alone
from vidfit.jobs.train.value import ReadWords, TrainingReport
from vidfit.manifest import Manifest, noticed
from vidfit.metrics import share_interval
from vidfit.model import Model, save_model
from vidfit.networks.head import standard_tokens, standards
from vidfit.networks.vocabulary import Vocabulary
from vidfit.planning.file import read_plan
from vidfit.plans import Plan, Recipe
from vidfit.progress import Progress
from vidfit.runtime import accelerate
from vidfit.shown import counted, public
from vidfit.study.clipsets import Prepared, frame_set, token_set, tokens_of
from vidfit.study.copies import joined
from vidfit.study.folds import check_enough, put_aside
from vidfit.study.opened import open_study
from vidfit.study.openings import open_holdout
from vidfit.study.pretrained import NETWORK as PRETRAINED_NETWORK
from vidfit.study.pretrained import Pretrained, read_pretrained
from vidfit.study.subject import sight
from vidfit.training.clipset import ClipSet
from vidfit.work import Launcher

if TYPE_CHECKING:
    from torch import Tensor

PROBE = Recipe(epochs=30, learning_rate=1e-3)
"""How a head learns on cached tokens before the weights below it do (Kumar et al. 2022)."""


def run_train(
    source: str | Path,
    output: Path,
    options: TrainOptions = TrainOptions(),
    progress: Progress | None = None,
) -> TrainingReport:
    """Train the network of a plan on clips, and test it on recordings put aside.

    ``output`` gets ``model/``, ``training.html``, ``training.json``, ``training.svg``, ``run/``
    with checkpoints, and ``features/`` or ``frames/``, which later runs share. The same call
    goes on where one was interrupted.

    Parameters
    ----------
    source
        Folder or list of clips; see `vidfit.manifest.read_manifest`.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If there are too few readable clips, classes or recordings.
    BackboneError
        If the plan's backbone or network cannot be had.
    StoreError
        If a disk is full, or a checkpoint is of another plan.
    """
    options.check()
    study = open_study(source, output, options, progress, only_one_class="train")
    notes, manifest = study.notes, study.manifest
    check_enough(manifest.present(study.to_learn), noticed(manifest))
    pretrained = read_pretrained(options.pretrained) if options.pretrained else None
    bare = bare_clips(manifest, options, notes)
    plan = plan_for(manifest, output, options, study.progress)
    check_taught(plan, bool(bare.clips))
    work = Work(plan, output, study.place, study.progress, start_of(plan, pretrained))
    if options.tensorboard:
        (output / "run" / EVENTS).mkdir(parents=True, exist_ok=True)
    with study.timed("look for copies"):
        manifest = work.joined(replace(manifest, clips=(*study.labelled, *bare.clips)))
        unlabelled = [clip for clip in manifest.clips if clip.label is None]
        known = tuple(clip for clip in manifest.clips if clip.label is not None)
        manifest = put_aside(replace(manifest, clips=known), options.holdout, notes)
    with study.timed("prepare clips"):
        ready = work.prepared([*manifest.clips, *unlabelled])
        parts = divided(ready, notes)
        _check_classes(plan, ready)
        check_left(len(bare.clips), parts)
        vocabulary = vocabulary_of(plan, ready, parts, pretrained, notes)
        plan, ready = reading(plan, vocabulary), with_words(ready, vocabulary)
        start = start_of(plan, pretrained)
        work = replace(work, plan=plan, start=start, vocabulary=vocabulary)
    with study.timed("train", plan.predicted.total_seconds or None):
        outcome, made = work.trained(ready, parts)
    with study.timed("test on unseen recordings"):
        unseen = work.vectors(
            made, [*clips_of(ready, parts.choose_M), *clips_of(ready, parts.test_M)]
        )
        model = _model(made, ready, parts, unseen[: len(parts.choose_M)])
        if len(parts.test_M):
            open_holdout(clips_of(ready, parts.test_M), output, notes)
        test_MX = unseen[len(parts.choose_M) :]
        score, majority = _tested(made, ready, parts, test_MX)
        read = _read(work, made, ready, parts, test_MX)
    teaching = None
    if len(parts.bare_M):
        hits = partial(hits_of, made, ready, parts, test_MX), partial(_alone, work, ready, parts)
        with study.timed("train on labels alone"):
            teaching = judged((ready, parts), plan, outcome, hits)
    step_seconds = float(np.median([epoch.seconds / epoch.steps for epoch in outcome.history]))
    report = TrainingReport(
        study.source, ready.classes, plan,
        len(parts.learn_M), len(parts.choose_M), len(parts.test_M), score, majority,
        outcome.history, outcome.best_epoch, step_seconds, outcome.peak_bytes,
        (*manifest.rejected, *bare.rejected, *ready.failures),
        tuple(study.stages), hardware().describe(),
        (*manifest.warnings, *dict.fromkeys(notes), *telling_lines(read), *_few(ready, parts)),
        teaching, read,
    )  # fmt: skip
    card = _card(report, made.backbone)
    save_model(
        replace(model, card=card), output / "model", lambda _, to: zoo.save(made.backbone, to)
    )
    write_training(report, output)
    return report


@dataclass(frozen=True)
class Work:
    """Clips made ready and networks trained, under one output folder.

    ``start`` are weights that a network over frames starts from; ``run`` is the folder of runs;
    ``vocabulary`` are the words that a network reads beside frames.
    """

    plan: Plan
    output: Path
    place: Launcher
    progress: Progress
    start: Mapping[str, Tensor] | None = None
    run: str = "run"
    vocabulary: Vocabulary = NO_WORDS

    @property
    def _store(self) -> FeatureStore:
        return FeatureStore(self.output / "features")

    def joined(self, manifest: Manifest) -> Manifest:
        """Return the clips with recordings that hold copies joined; a backbone runs beside."""
        name = self.plan.subject.backbone
        beside = [accelerate(zoo.load(name))] if name else []
        found = joined(manifest, self._store, self.place, self.progress, beside=beside)
        return found.manifest

    def prepared(self, clips: Sequence[Clip]) -> Prepared:
        """Return the clips as the network, or the backbone's head, is first shown them."""
        if not self.plan.subject.backbone:
            return self.frames(clips)
        backbone = zoo.load(self.plan.subject.backbone)
        return token_set(clips, backbone, self._store, self.place, self.progress)

    def vectors(self, made: Deployed, clips: Sequence[Clip]) -> Floats:
        """Return what the head is given of clips, [M, X], by the code of `predict`."""
        seen = tokens_of(clips, made.backbone, self._store, self.place, self.progress)
        return made.vectors([seen[clip] for clip in clips])

    def trained(self, ready: Prepared, parts: Parts) -> tuple[Outcome, Deployed]:
        """Train the head on cached tokens, and then what the regime says."""
        split, plan = Split(parts.learn_M, parts.choose_M, parts.bare_M), self.plan
        if not plan.subject.backbone:
            outcome = self._run(self.run, plan, ready.set, split, self.start)
            frames = ready.set.arrays["frames"]
            learned = ((frames[np.array([i])][0], ready.clips[i].text or "") for i in parts.learn_M)
            return outcome, deployed_whole(plan, outcome.weights, learned, self.vocabulary)
        standard, cached = standardised(ready, parts.learn_M)
        if plan.subject.regime == "probe":
            outcome = self._run(self.run, plan, cached, split)
            return outcome, deployed(plan, outcome.weights, standard)
        start = _tensors({"mean_D": standard[0], "scale_D": standard[1]})
        if plan.subject.regime != "full":
            labels = replace(split, unlabelled_M=parts.bare_M[:0])
            head = self._run(f"{self.run}/probe", probe_first(plan), cached, labels)
            start |= {f"head.{name}": tensor for name, tensor in head.weights.items()}
        outcome = self._run(self.run, plan, self.frames(ready.clips).set, split, start)
        return outcome, deployed(plan, outcome.weights, standard)

    def frames(self, clips: Sequence[Clip]) -> Prepared:
        """Return the clips with the frames that the network is trained on."""
        seen, folder = sight(self.plan.subject), self.output / "frames"
        return frame_set(clips, seen, folder, self.place, self.progress)

    def _run(
        self,
        name: str,
        plan: Plan,
        clips: ClipSet,
        split: Split,
        start: Mapping[str, Tensor] | None = None,
    ) -> Outcome:
        folder = self.output / name
        write_run(folder, plan, clips, split, start)
        return finish(folder, plan, self.place, self.progress)


def _alone(work: Work, ready: Prepared, parts: Parts) -> NDArray[np.bool_]:
    """Train on labels alone for as much compute; return which test clips are answered right."""
    alone = replace(work, plan=labels_alone(work.plan), run=f"{work.run}/labels-alone")
    _, made = alone.trained(ready, replace(parts, bare_M=parts.bare_M[:0]))
    test_MX = alone.vectors(made, clips_of(ready, parts.test_M))
    return hits_of(made, ready, parts, test_MX)


def standardised(ready: Prepared, learn_M: Indices) -> tuple[tuple[Floats, Floats], ClipSet]:
    """Return means and scales of the tokens that are learned from, and all clips under them."""
    tokens_MND = np.asarray(ready.set.arrays["tokens"][np.arange(len(ready.clips))])
    learned_MX = tokens_MND[learn_M].reshape(len(learn_M), -1)
    mean_D, scale_D = standards(learned_MX, tokens_MND.shape[2])
    standard_MND = standard_tokens(tokens_MND, mean_D, scale_D)
    return (mean_D, scale_D), replace(ready.set, arrays={"tokens": standard_MND})


def probe_first(plan: Plan) -> Plan:
    """Return the plan of the head alone, on cached tokens, in one process."""
    recipe = replace(
        PROBE, dropout=plan.recipe.dropout, drop_path=plan.recipe.drop_path, seed=plan.recipe.seed
    )
    layout = replace(plan.layout, micro_batch=16, accumulation=1, processes=1, sharding="none")
    subject = replace(plan.subject, regime="probe")
    return replace(plan, subject=subject, layout=layout, recipe=recipe)


def plan_for(manifest: Manifest, output: Path, options: TrainOptions, progress: Progress) -> Plan:
    """Return the plan that was given, or make one."""
    if options.plan is not None:
        return read_plan(options.plan, options.own)
    from vidfit.jobs.plan.run import plan_clips

    planning = replace(options.planning, groups=options.groups)
    if options.unlabelled is not None:
        planning = replace(planning, unlabelled=options.unlabelled)
    if options.pretrained:
        planning = replace(planning, backbone="", network=PRETRAINED_NETWORK)
    return plan_clips(manifest, output, planning, progress)


def start_of(plan: Plan, pretrained: Pretrained | None) -> dict[str, Tensor] | None:
    """Return the weights that the network of a plan starts from, where there are any.

    Words are left out where the plan reads none.

    Raises
    ------
    VidfitError
        If they are of another network, or of another size.
    """
    if pretrained is None:
        return None
    from vidfit.networks.masked import LEARNED

    subject, facts = plan.subject, pretrained.facts
    size = subject.width, subject.layers, subject.heads
    found = facts.width, facts.layers, facts.heads
    if subject.network != PRETRAINED_NETWORK or size != found:
        raise VidfitError(
            f"the plan trains {subject.network!r} of width, layers and heads {size}, and the "
            f"weights are of {PRETRAINED_NETWORK!r} of {found}; give both one size, in the plan's "
            "subject or by options of `vidfit pretrain`"
        )
    known = LEARNED if subject.vocabulary and pretrained.vocabulary.size else ("trunk.",)
    return {name: t for name, t in pretrained.weights.items() if name.startswith(known)}


def _check_classes(plan: Plan, ready: Prepared) -> None:
    if plan.data.classes != len(ready.classes):
        raise VidfitError(
            f"the plan is for {plan.data.classes} classes, and the clips are of "
            f"{len(ready.classes)} ({', '.join(ready.classes[:5])}); plan anew with `vidfit plan`"
        )


def _model(made: Deployed, ready: Prepared, parts: Parts, choose_MX: Floats) -> Model:
    seconds_M = ready.seconds_M[parts.learn_M]
    lengths = float(np.median(seconds_M)) or 1.0, float(seconds_M.max())
    return made.model(ready.classes, (choose_MX, ready.set.labels_M[parts.choose_M]), lengths)


def _tested(
    made: Deployed, ready: Prepared, parts: Parts, test_MX: Floats
) -> tuple[Estimate | None, Estimate | None]:
    """Return accuracy and majority baseline on the test clips; ``None`` without any."""
    if not len(parts.test_M):
        return None, None
    labels_M = ready.set.labels_M
    groups = [ready.groups[i] for i in parts.test_M]
    majority = np.bincount(labels_M[parts.learn_M]).argmax()
    hit_M = hits_of(made, ready, parts, test_MX)
    return share_interval(hit_M, groups), share_interval(labels_M[parts.test_M] == majority, groups)


def _read(
    work: Work, made: Deployed, ready: Prepared, parts: Parts, test_MX: Floats
) -> ReadWords | None:
    """Return what is read, and what the test clips are answered without their words."""
    found = spoken(ready, parts, work.vocabulary)
    if found is None or not found.tested:
        return found
    silent_MX = work.vectors(made, silent(clips_of(ready, parts.test_M)))
    hits = [hits_of(made, ready, parts, vectors_MX) for vectors_MX in (test_MX, silent_MX)]
    return worth(found, hits, [ready.groups[i] for i in parts.test_M])


def _few(ready: Prepared, parts: Parts) -> tuple[str, ...]:
    """Return the warning that the test's recordings ask for, if there is a test."""
    recordings = len({ready.groups[i] for i in parts.test_M})
    return few_recordings(recordings) if recordings else ()


def _tensors(arrays: Mapping[str, Floats]) -> dict[str, Tensor]:
    import torch

    return {name: torch.from_numpy(np.float32(array)) for name, array in arrays.items()}


def _card(report: TrainingReport, backbone: Backbone) -> dict[str, object]:
    """Return what whoever receives the model should know: data, score, parts, limits."""
    return {
        "task": "classification",
        "data": public(report.data),
        "clips": report.learned,
        "protocol": f"trained on {counted(report.learned, 'clip')}, epoch chosen by "
        f"{report.chosen_by}, "
        f"tested on {report.tested} of other recordings",
        "accuracy": None if report.score is None else asdict(report.score),
        "majority": None if report.majority is None else asdict(report.majority),
        "members": [asdict(backbone.spec)],
        "plan": {"subject": asdict(report.plan.subject), "recipe": asdict(report.plan.recipe)},
        "limits": "Scores hold for clips like the training clips; intervals are over recordings.",
    }
