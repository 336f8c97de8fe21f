"""A training run as a folder: whoever executes it, and however often it is interrupted.

::

    run/
      plan.json            what is trained, and how
      set/                 the clips (vidfit.training.clipset)
      learn.npy            rows that are learned from
      choose.npy           rows that early stopping looks at; may be none
      unlabelled.npy       rows without a label, which are taught (optional)
      start.safetensors    weights to start from (optional; may be some of them only)
      checkpoint/          where it stands
      metrics.jsonl        a line an epoch
      events/              the same for TensorBoard, where this folder was made
      trained.safetensors  weights of the best epoch: it has ended

`python -m vidfit.jobs.worker run/` executes it; torchrun does so on several processes. An encoder
of one's own, ``FILE.py:NAME``, is named by whoever executes it: a folder never chooses code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidfit.backbones.notation import runs_a_file
from vidfit.contracts import Indices
from vidfit.documents import json_in, to_json
from vidfit.errors import StoreError, VidfitError
from vidfit.files import write_whole
from vidfit.hardware import forget_peak, peak_bytes, resident_bytes
from vidfit.planning.file import read_plan, write_plan
from vidfit.plans import Plan
from vidfit.progress import SILENT, Progress
from vidfit.runtime import malloc
from vidfit.study.interrupts import stopped_by_signals
from vidfit.study.subject import build_subject
from vidfit.training.clipset import ClipSet, open_set, write_array
from vidfit.work import Launcher

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vidfit.training.epoch import Epoch
    from vidfit.training.state import TrainedWeights

_UNLABELLED = -1
"""The label of a clip without one: it teaches nothing."""

EVENTS, METRICS = "events", "metrics.jsonl"


@dataclass(frozen=True)
class Split:
    """Rows that are learned from, that early stopping looks at, and that have no label."""

    learn_M: Indices
    choose_M: Indices
    unlabelled_M: Indices = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def by_name(self) -> dict[str, Indices]:
        """The rows by the names of their files."""
        return {"learn": self.learn_M, "choose": self.choose_M, "unlabelled": self.unlabelled_M}


def write_run(
    folder: Path,
    plan: Plan,
    clips: ClipSet,
    split: Split,
    start: Mapping[str, Tensor] | None = None,
) -> None:
    """Write what a run needs.

    Raises
    ------
    StoreError
        If the folder cannot be written, or holds another run.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    _refuse_another(folder, plan, clips, split)
    clips.write(folder / "set")
    for name, rows_M in split.by_name.items():
        write_array(folder / f"{name}.npy", rows_M)
    if start is not None:
        own = {name: tensor.contiguous().clone() for name, tensor in start.items()}
        write_whole(folder / "start.safetensors", save(own))
    write_plan(plan, folder / "plan.json")


def execute(
    folder: Path,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = lambda: False,
    own: Sequence[str] = (),
) -> bool:
    """Train as the folder says, alone or as one of torchrun's processes.

    Parameters
    ----------
    own
        Encoders of one's own that its plan may name; see `vidfit.planning.file.read_plan`.

    Returns
    -------
    bool
        Whether it ended; ``False`` when ``stop`` asked it to pause.
    """
    import torch

    from vidfit.networks.tuned import Tuned, checkpoint_blocks
    from vidfit.training.loop import train
    from vidfit.training.parallel import launch
    from vidfit.training.state import Run

    if (folder / "trained.safetensors").is_file():
        return True
    malloc.tune()
    malloc.share_heap()
    forget_peak()
    held_bytes = resident_bytes()
    plan = read_plan(folder / "plan.json", own)
    place = launch(plan.layout, plan.machine.device)
    torch.manual_seed(plan.recipe.seed)
    network = build_subject(plan.subject, plan.data.classes, plan.data.tokens, plan.recipe)
    clips, split = _read_inputs(folder, plan, network)
    if plan.layout.checkpointing and isinstance(network, Tuned):
        checkpoint_blocks(network.encoder)
    run = Run(
        clips,
        split.learn_M,
        split.choose_M,
        folder / "checkpoint",
        stop,
        look=_looks(folder) if place.first else _ignore,
        progress=progress,
        unlabelled_M=split.unlabelled_M,
    )
    trained = train(network, plan, run, place)
    if trained.finished and place.first:
        _write_trained(folder, trained, peak_bytes() - held_bytes)
    place.fabric.barrier()
    return trained.finished


def _read_inputs(folder: Path, plan: Plan, network: nn.Module) -> tuple[ClipSet, Split]:
    """Read the clips, whose rows and labels must fit the plan, and the weights to start from."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    clips = open_set(folder / "set")
    try:
        rows = _read_rows(folder)
        if (folder / "start.safetensors").is_file():
            network.load_state_dict(load_file(folder / "start.safetensors"), strict=False)
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise StoreError(f"{folder} holds no run that can be executed: {error}") from error
    for found_M in rows:
        _check_whole(found_M, (0, len(clips.labels_M)), f"{folder} has rows")
    _check_whole(clips.labels_M, (_UNLABELLED, plan.data.classes), f"{folder} has labels")
    return clips, Split(*rows)


def _read_rows(folder: Path) -> list[Indices]:
    """Read rows that are learned from, that choose, and that have no label."""
    rows = [np.load(folder / f"{n}.npy", allow_pickle=False) for n in ("learn", "choose")]
    bare = folder / "unlabelled.npy"
    none = np.zeros(0, np.int64)
    return [*rows, np.load(bare, allow_pickle=False) if bare.is_file() else none]


def _refuse_another(folder: Path, plan: Plan, clips: ClipSet, split: Split) -> None:
    """Refuse to go on with a run of other clips, or to hand out one of another plan."""
    from vidfit.training.checkpoint import read_checkpoint
    from vidfit.training.loop import learns

    ended = (folder / "trained.safetensors").is_file()
    if not ended and read_checkpoint(folder / "checkpoint") is None:
        return
    try:
        found = [*_read_rows(folder), open_set(folder / "set").labels_M]
        same = learns(read_plan(folder / "plan.json", _own(plan))) == learns(plan) or not ended
    except (OSError, ValueError, VidfitError):
        return  # what is damaged is told where it is read
    wanted = [*split.by_name.values(), clips.labels_M]
    if not (same and all(map(np.array_equal, found, wanted))):
        raise StoreError(
            f"{folder} holds a run of another plan, of other clips, or of another split of them; "
            "train into another folder, or remove it to start anew"
        )


def _check_whole(found_M: Indices, limits: tuple[int, int], what: str) -> None:
    least, most = limits
    fits = found_M.dtype.kind == "i" and found_M.ndim == 1
    if not fits or ((found_M < least) | (found_M >= most)).any():
        raise StoreError(f"{what} that are no whole numbers of {least} to {most - 1}; train anew")


def finish(folder: Path, plan: Plan, place: Launcher, progress: Progress) -> Outcome:
    """Execute the run until it has ended: alone in this process, or in several at a place.

    Parameters
    ----------
    plan
        That the run was written with: its encoder was named by the user.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; the same call goes on from there.
    VidfitError
        If a process died and restarts did not help.
    """
    if plan.layout.processes > 1:
        _on_several(folder, plan, place, progress)
    else:
        with stopped_by_signals() as stop:
            if not execute(folder, progress, stop, _own(plan)):
                raise KeyboardInterrupt
    return read_outcome(folder)


@dataclass(frozen=True)
class Outcome:
    """What a run came to: weights of the best epoch, and what each epoch did."""

    weights: Mapping[str, Tensor]
    history: tuple[Epoch, ...]
    best_epoch: int
    peak_bytes: int


def read_outcome(folder: Path) -> Outcome:
    """Read what a run that has ended wrote.

    Raises
    ------
    StoreError
        If it has not ended, or files are damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from vidfit.training.epoch import epoch_of

    try:
        document = json_in((folder / "history.json").read_text(encoding="utf-8"))
        history = tuple(epoch_of(epoch) for epoch in document["history"])
        weights = load_file(folder / "trained.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise StoreError(
            f"{folder} holds no run that has ended ({error}); train again: it goes on from its "
            "last checkpoint"
        ) from error
    return Outcome(weights, history, document["best_epoch"], document["peak_bytes"])


def _on_several(folder: Path, plan: Plan, place: Launcher, progress: Progress) -> None:
    """Run the processes, and tell of the epochs that they write down."""
    metrics, told = folder / METRICS, 0
    progress.start("train", plan.recipe.epochs)

    def look() -> bool:
        nonlocal told
        done = len(metrics.read_text(encoding="utf-8").splitlines()) if metrics.is_file() else 0
        if done > told:
            progress.advance(done - told)
            told = done
        return stop()

    with stopped_by_signals() as stop:
        arguments = [str(folder.resolve()), *_own(plan)]
        place.processes("vidfit.jobs.worker", arguments, plan.layout.processes, look)
        if stop():
            raise KeyboardInterrupt


def _own(plan: Plan) -> list[str]:
    """Return the encoder of a plan in memory where it is one's own."""
    return [plan.subject.backbone] if runs_a_file(plan.subject.backbone) else []


def _write_trained(folder: Path, trained: TrainedWeights, rise_bytes: int) -> None:
    from safetensors.torch import save

    document = {
        "best_epoch": trained.best_epoch,
        "history": [asdict(epoch) for epoch in trained.history],
        "peak_bytes": rise_bytes,
    }
    write_whole(folder / "history.json", to_json(document, indent=1).encode())
    own = {name: tensor.contiguous().clone() for name, tensor in trained.weights.items()}
    write_whole(folder / "trained.safetensors", save(own))


def _looks(folder: Path) -> Callable[[Epoch], None]:
    """Return what writes down each epoch."""
    from vidfit.training.logs import event_files, lines_of_json

    looks = [lines_of_json(folder / METRICS)]
    if (folder / EVENTS).is_dir():
        looks.append(event_files(folder / EVENTS))

    def look(epoch: Epoch) -> None:
        for one in looks:
            one(epoch)

    return look


def _ignore(epoch: Epoch) -> None:
    """Leave it to the first process."""
