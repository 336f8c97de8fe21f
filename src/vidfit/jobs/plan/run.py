"""The job before training: what learns, what fits this machine or another, how long it takes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip
from vidfit.errors import BudgetError, VideoError
from vidfit.jobs.plan.options import PlanOptions
from vidfit.launch import Here
from vidfit.manifest import Manifest, noticed, read_manifest
from vidfit.manifest.subtitles import with_words
from vidfit.networks import network_of
from vidfit.networks.vocabulary import Vocabulary
from vidfit.planning.child import Question, default_folder
from vidfit.planning.choice import Setting, choose, layout_reasons, time_words
from vidfit.planning.file import write_plan
from vidfit.planning.machines import described, this_machine
from vidfit.planning.measured import look
from vidfit.planning.recipes import LEAST_EPOCHS, batch_for, recipe_for, regime_for, taught
from vidfit.planning.tried import BUDGET_SECONDS, Budget, Trials, choose_tried
from vidfit.plans import Data, Machine, Plan, PlanOption, Precision, Recipe, Regime, Subject
from vidfit.progress import SILENT, Progress
from vidfit.shown import counted
from vidfit.study.asked import check_one_class
from vidfit.study.folds import check_enough
from vidfit.study.sources import say
from vidfit.study.subject import Sight, sight
from vidfit.study.unlabelled import unlabelled_clips
from vidfit.tasks import task_of

SAMPLED_CLIPS = 4
LEARNED_SHARE = 0.8 * 0.8
"""Of clips without a split: `train` puts a fifth aside to test, and a fifth to choose the epoch."""

_HARDWARE_FIELDS = ("optimizer", "dropout", "drop_path", "clip_norm", "ema")
"""Of a recipe, what decides on memory and time of a step."""

_CODE = ("vidfit.training.loop",)


def run_plan(
    source: str | Path,
    output: Path,
    options: PlanOptions = PlanOptions(),
    progress: Progress | None = None,
) -> Plan:
    """Plan a training run; ``output`` gets ``plan.json`` and ``plan.svg``.

    Parameters
    ----------
    source
        Folder or list of clips; see `vidfit.manifest.read_manifest`.

    Raises
    ------
    ManifestError
        If the clips' list cannot be understood.
    NotEnoughDataError
        If there are too few clips or classes.
    BackboneError
        If there is no such backbone or network, or they cannot run.
    BudgetError
        If nothing fits the memory or the minutes.
    """
    options.check()
    network_of(options.network)
    manifest = with_words(read_manifest(source, groups=options.groups))
    check_one_class(task_of(manifest.kind), "plan")
    progress = progress or SILENT
    say(manifest, progress)
    return plan_clips(manifest, output, options, progress)


def plan_clips(manifest: Manifest, output: Path, options: PlanOptions, progress: Progress) -> Plan:
    """Plan as `run_plan` does, for clips that are listed already."""
    from vidfit.jobs.plan.write import write_plan_picture

    network_of(options.network)
    labelled = [clip for clip in manifest.clips if clip.label is not None]
    learn = [clip for clip in labelled if clip.split != "test"]
    check_enough(manifest.present(learn), noticed(manifest))
    progress.start(f"plan, trial runs of at most {BUDGET_SECONDS:.0f} s", 3)
    machine = _machine(options)
    progress.advance()
    bare: tuple[Clip, ...] = ()
    if options.unlabelled is not None:
        bare = unlabelled_clips(manifest, options.unlabelled, options.groups).clips
    texts = [clip.text for clip in (*learn, *bare)]
    words = Vocabulary.of(texts).size if network_of(options.network).reads else 0
    draft = _Draft(labelled, output, machine, options, Budget(), len(bare), words)
    plan = _planned(draft)
    progress.advance()
    plan = replace(plan, warnings=(*manifest.warnings, *_skipped(manifest), *plan.warnings))
    output.mkdir(parents=True, exist_ok=True)
    write_plan(plan, output / "plan.json")
    write_plan_picture(plan, output / "plan.svg")
    progress.advance()
    return plan


def _machine(options: PlanOptions) -> Machine:
    if options.gpu:
        return described(options.gpu, options.cores)
    return this_machine(options.memory_bytes, options.cores)


def _planned(first: _Draft) -> Plan:
    """Plan the regime that suits the labels; a cheaper one where that does not fit."""
    tried: list[str] = []
    for regime, why in first.regimes():
        draft = replace(first, regime=regime, why="; ".join([*tried, why]))
        try:
            return draft.plan()
        except BudgetError as error:
            if first.options.regime:
                raise
            tried.append(f"{regime} does not fit ({str(error).partition('.')[0]})")
            last = error
    raise last


@dataclass(frozen=True)
class _Draft:
    """A plan on its way; ``vocabulary`` counts text tokens that its network may read."""

    clips: Sequence[Clip]
    output: Path
    machine: Machine
    options: PlanOptions
    budget: Budget
    unlabelled: int = 0
    vocabulary: int = 0
    regime: Regime = "probe"
    why: str = ""

    @property
    def subject(self) -> Subject:
        network, backbone = self.options.network, self.options.backbone
        return Subject(network, backbone, self.regime, vocabulary=self.vocabulary)

    def regimes(self) -> list[tuple[Regime, str]]:
        """Return what suits the labels, then what is cheaper."""
        from vidfit.backbones import load
        from vidfit.contracts import TorchBackbone

        if not self.options.backbone:
            return [("full", "there is no backbone: all weights start at random")]
        tunable = isinstance(load(self.options.backbone), TorchBackbone)
        found = regime_for(_data(self.clips, 1, 0.0), self.options.regime, tunable)
        if found[0] == "probe":
            return [found]
        rest: list[tuple[Regime, str]] = [("probe", "the head alone is quick and small")]
        if found[0] != "lora" and _has_peft():
            rest.insert(0, ("lora", "low-rank additions need little memory beside the weights"))
        return [found, *rest]

    def plan(self) -> Plan:
        """Return the plan of the regime, cut to the minutes."""
        seen = sight(self.subject)
        read = _read_seconds(self.clips, seen, self.output) if seen.sees_frames else 0.0
        data = replace(_data(self.clips, seen.tokens, read), unlabelled=self.unlabelled)
        whole = self._of(data, self.options.epochs)
        limit = (self.options.minutes or 0.0) * 60
        if not limit or whole.predicted.total_seconds <= limit:
            return whole
        epochs = int(whole.recipe.epochs * limit / whole.predicted.total_seconds)
        if epochs < (1 if self.regime == "probe" else LEAST_EPOCHS):
            raise BudgetError(
                f"{self.options.minutes:g} minutes are enough for "
                f"{counted(epochs, 'pass', 'passes')} over the clips, "
                f"each of which takes {whole.predicted.total_seconds / whole.recipe.epochs:.0f} s. "
                "Give more minutes, train with the regime 'probe', or use fewer views (NAME@VIEWS)."
            )
        cut = self._of(data, epochs)
        why = f"cut from {whole.recipe.epochs} to fit {self.options.minutes:g} minutes"
        return replace(cut, reasons={**cut.reasons, "epochs": why})

    def _of(self, data: Data, epochs: int | None) -> Plan:
        batch, batch_why = batch_for(data, self.options.batch)
        recipe, reasons = recipe_for(self.regime, epochs, batch)
        recipe, of_teacher = taught(recipe, data)
        reasons |= of_teacher
        setting, options = self._chosen(data, recipe, batch)
        reasons |= {"regime": self.why, "batch": batch_why}
        if self.vocabulary:
            reasons["vocabulary"] = "words of two clips or more are read beside frames; 0 for none"
        reasons |= layout_reasons(setting, options[0])
        notes = tuple(filter(None, (*setting.known.notes, time_words(setting))))
        room = int(max(0, setting.room_bytes))
        return Plan(
            self.subject, options[0].layout, recipe, options[0].predicted, data, self.machine,
            reasons, options, room, notes,
        )  # fmt: skip

    def _chosen(
        self, data: Data, recipe: Recipe, batch: int
    ) -> tuple[Setting, tuple[PlanOption, ...]]:
        """Choose a layout; on this machine it is run where it lies near the limit."""
        folder, precision = default_folder(), _precision(self.machine)
        question = self._question(data, recipe)
        here = self.machine.device == "cpu" and not self.machine.described
        known = look(question, precision, folder, here=here)
        setting = Setting(known, recipe, data, self.machine, batch, precision)
        if here:
            return choose_tried(setting, Trials(question, folder, self.budget))
        return setting, choose(setting)

    def _question(self, data: Data, recipe: Recipe) -> Question:
        usual = Recipe()
        kept = {name: getattr(recipe, name) for name in _HARDWARE_FIELDS}
        arguments = {
            "subject": asdict(self.subject),
            "recipe": asdict(replace(usual, **kept)),
            "classes": data.classes,
            "changed": _changed(self.subject.backbone),
        }
        return Question(
            "vidfit.study.subject:trainee", arguments, replace(usual, **kept), self.machine.cores,
            _CODE,
        )  # fmt: skip


def _precision(machine: Machine) -> Precision:
    if "bf16" in machine.flops_per_second:
        return "bf16"
    return "fp16" if "fp16" in machine.flops_per_second else "fp32"


def _data(clips: Sequence[Clip], tokens: int, read_seconds: float) -> Data:
    """Return what a plan must know of the clips that are learned from."""
    split = {clip.split for clip in clips} - {None}
    learned = [clip for clip in clips if clip.split in (None, "train")]
    share = 1.0 if split else LEARNED_SHARE
    counts = Counter(clip.label for clip in learned)
    return Data(
        max(1, round(share * len(learned))),
        len({clip.label for clip in clips}),
        int(share * min(counts.values())),
        tokens,
        read_seconds,
    )


def _read_seconds(clips: Sequence[Clip], seen: Sight, output: Path) -> float:
    """Measure reading as training does it: frames, once decoded, from files.

    Clips that cannot be read are for `train` to report; a few others are sampled.
    """
    from vidfit.features.frames import write_frames
    from vidfit.training.clipset import FilesOfFrames

    sample = list(clips[:: max(1, len(clips) // SAMPLED_CLIPS)])[:SAMPLED_CLIPS]
    files = write_frames(sample, seen, output / "frames", Here(1))
    if not files.paths:
        reasons = "; ".join(failure.reason for failure in files.failures[:2])
        raise VideoError(f"none of {len(sample)} sampled clips can be read: {reasons}")
    frames = FilesOfFrames(tuple(files.paths.values()))
    started = time.perf_counter()
    for i in range(len(frames)):
        frames[np.array([i])]
    return (time.perf_counter() - started) / len(frames)


def _skipped(manifest: Manifest) -> tuple[str, ...]:
    count = len(manifest.rejected)
    return (f"{counted(count, 'clip')} of the list cannot be used.",) if count else ()


def _changed(backbone: str) -> int:
    """Return when a backbone's own file or folder was written last; 0 for one without."""
    for part in (backbone.rpartition(":")[0], backbone.partition(":")[2]):
        if part and Path(part).exists():
            return Path(part).stat().st_mtime_ns
    return 0


def _has_peft() -> bool:
    from importlib.util import find_spec

    return find_spec("peft") is not None
