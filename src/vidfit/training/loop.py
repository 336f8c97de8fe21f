"""The loop: from a network, clips and a plan to trained weights.

It reads from top to bottom: `train` runs epochs, `_epoch` steps, `_step` micro-batches. What is
learned depends on plan and clips alone: each micro-batch seeds its own random numbers, so that
a run that was interrupted, or goes on elsewhere, continues as if nothing had been.

Shape letters: B clips of a micro-batch, M clips, K classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric.wrappers import _FabricOptimizer
from torch import Tensor, nn

from vidfit.contracts import Floats, Indices
from vidfit.documents import number_of
from vidfit.errors import StoreError, VidfitError
from vidfit.networks.clips import Clips
from vidfit.networks.step import make_optimizer
from vidfit.plans import Plan
from vidfit.schedule import rate_factor, rate_for_batch, scheduled_factor
from vidfit.training.batches import Loaded, answers, loaded
from vidfit.training.checkpoint import (
    Saved,
    gathered,
    read_checkpoint,
    scatter,
    whole_weights,
    write_checkpoint,
)
from vidfit.training.epoch import Epoch, epoch_of
from vidfit.training.order import Micro, bare_micros, deal, endless, epoch_steps
from vidfit.training.parallel import Place, spread
from vidfit.training.state import Average, Run, State, TrainedWeights
from vidfit.training.teacher import check_teacher, strong, sure_targets, weak

SAVE_SECONDS = 60.0
"""A checkpoint is written at least so often, and at the end of each epoch."""


def train(network: nn.Module, plan: Plan, run: Run, place: Place) -> TrainedWeights:
    """Train a network as a plan says; go on from the last checkpoint when there is one.

    Raises
    ------
    StoreError
        If a checkpoint is of another plan, is damaged or cannot be written.
    VidfitError
        If the loss is no longer a number.
    """
    torch.use_deterministic_algorithms(plan.recipe.deterministic)
    trainer = _Trainer(network, plan, run, place)
    trainer.resume()
    if place.first:
        run.progress.start("train", plan.recipe.epochs * len(run.learn_M))
        run.progress.advance(trainer.seen)
    while trainer.state.epoch < plan.recipe.epochs and not trainer.is_late:
        if not trainer.epoch():
            return trainer.result(finished=False)
    return trainer.result(finished=True)


class _Trainer:
    """The parts of a run that change."""

    def __init__(self, network: nn.Module, plan: Plan, run: Run, place: Place) -> None:
        self.plan, self.run, self.place, self.network = plan, run, place, network
        self.recipe, self.state = plan.recipe, State()
        self.module = spread(place, network)
        self.optimizer = make_optimizer(network, plan.recipe)
        self.wrapped = cast(_FabricOptimizer, place.fabric.setup_optimizers(self.optimizer))
        self.average = Average(network, plan.recipe.ema) if plan.recipe.ema else None
        self.best: Mapping[str, Tensor] = {}
        self.saved_at = time.monotonic()
        check_teacher(plan.recipe, len(run.unlabelled_M))

    @property
    def seen(self) -> int:
        """Clips that were learned from, over all epochs."""
        return self.state.epoch * len(self.run.learn_M) + self.state.offset

    @property
    def progress(self) -> float:
        """Share of the run that is over."""
        return self.seen / (self.recipe.epochs * len(self.run.learn_M))

    @property
    def is_late(self) -> bool:
        """Whether the best epoch lies so far back that it is time to stop."""
        patience, state = self.recipe.patience, self.state
        return bool(patience) and state.epoch - 1 - state.best_epoch >= patience

    def epoch(self) -> bool:
        """Run what is left of an epoch; whether it came to its end."""
        started, state = time.monotonic(), self.state
        if not state.offset:
            state.factor = scheduled_factor(self.progress, self.recipe.batch_schedule)
            state.loss_sum = state.taught = 0.0
        batch = max(1, round(self.plan.layout.batch_clips * state.factor))
        self.module.train()
        for micros in self._steps(batch):
            self._step(micros)
            if self._pause():
                return False
        learned_seconds = time.monotonic() - started
        self.module.eval()
        log_loss, accuracy = self._validate()
        done = Epoch(
            state.epoch, state.loss_sum / len(self.run.learn_M),
            -(-len(self.run.learn_M) // batch), batch, self._rate(), log_loss, accuracy,
            learned_seconds, self._taught_share(),
        )  # fmt: skip
        state.history.append(done)
        state.epoch, state.offset = state.epoch + 1, 0
        self._check_finite(done)
        self._keep(log_loss)
        # First told, then saved: a kill in between tells of an epoch twice, and never not at all.
        self.run.look(done)
        self._save()
        return True

    def _steps(self, batch_clips: int) -> Iterator[Iterator[Loaded]]:
        """Yield the steps that are left of the epoch, each as micro-batches that are read then."""
        state, seed = self.state, self.recipe.seed
        steps = epoch_steps(self.run.learn_M, state.epoch, batch_clips, seed)
        place = (self.place.rank, self.place.world, self.plan.layout.micro_batch)
        first, micros = state.offset // batch_clips, []
        for number, rows_S in enumerate(steps[first:], first):
            own = deal(rows_S, number, (self.recipe.mixup, (seed, state.epoch, number)), place)
            shown = state.epoch * len(self.run.learn_M) + number * batch_clips
            micros += [*self._bare(shown, len(rows_S), number, len(own)), *own]
        for _, step in groupby(loaded(self.run.clips, micros, self.plan), lambda m: m[0].step):
            yield step

    def _bare(self, shown: int, clips: int, step: int, before: int) -> list[Micro]:
        """Return a step's micro-batches without labels, after so many clips with labels."""
        ratio = self.recipe.unlabelled_ratio
        if not ratio:
            return []
        rows_S = endless(self.run.unlabelled_M, shown * ratio, clips * ratio, self.recipe.seed)
        place = (self.place.rank, self.place.world, self.plan.layout.micro_batch)
        return bare_micros(rows_S, step, place, before)

    def _step(self, micros: Iterable[Loaded]) -> None:
        """Add up the gradients of micro-batches, one held at a time, and take a step."""
        state, fabric = self.state, self.place.fabric
        self._set_rate()
        loss, taught = torch.zeros(2, device=self.place.device)
        for micro, clips, target_BK in micros:
            # Random numbers of this micro-batch, wherever and whenever it is computed.
            torch.manual_seed(_seed(self.recipe.seed, state.step, micro.number, self.place.rank))
            if micro.bare:
                clips, target_BK = self._taught(clips, micro)
                taught += target_BK.sum()
            with fabric.no_backward_sync(self.module, enabled=not micro.last):  # type: ignore[arg-type]
                part = self._loss(micro, clips, target_BK)
                fabric.backward(part)
            loss += part.detach()
            del clips, part  # before the next are read
        if self.recipe.clip_norm:
            fabric.clip_gradients(self.module, self.wrapped, max_norm=self.recipe.clip_norm)
        self.wrapped.step()
        self.wrapped.zero_grad()
        state.step += 1
        if self.average:
            self.average.update(self.network, state.step)
        self._account(loss, taught, micro.step_clips)

    def _taught(self, clips: Clips, micro: Micro) -> tuple[Clips, Tensor]:
        """Return clips without a label as they are learned, with the targets of the average."""
        assert self.average is not None  # noqa: S101  (`check_teacher`)
        self.module.eval()
        with torch.no_grad(), self.average.used_by(self.network):
            logits_BK = self.module(*weak(clips).to(self.place.device).tensors)
        self.module.train()
        target_BK = sure_targets(torch.softmax(logits_BK.float(), 1).cpu(), self.recipe.threshold)
        return strong(clips), target_BK * torch.from_numpy(micro.counts_B).float()[:, None]

    def _taught_share(self) -> float:
        shown = self.recipe.unlabelled_ratio * len(self.run.learn_M)
        return self.state.taught / shown if shown else math.nan

    def _loss(self, micro: Micro, clips: Clips, target_BK: Tensor) -> Tensor:
        """Return what a micro-batch adds to the mean loss of the step's clips."""
        device = self.place.device
        outputs = self.module(*clips.to(device).tensors)
        # Wrappers average gradients over processes; the sum is wanted.
        step_clips = micro.step_clips / self.place.world
        return self.run.objective(outputs, target_BK.to(device), step_clips)

    def _account(self, loss: Tensor, taught: Tensor, clips: int) -> None:
        state, world = self.state, self.place.world
        state.loss_sum += float(self.place.summed(loss).cpu()) / world * clips
        if self.recipe.unlabelled_ratio:
            state.taught += float(self.place.summed(taught).cpu())
        state.offset += clips
        if self.place.first:
            self.run.progress.advance(clips)

    def _pause(self) -> bool:
        """Write a checkpoint when it is time; whether the run is to end here."""
        late = time.monotonic() - self.saved_at > SAVE_SECONDS
        asked = torch.tensor([float(late and self.place.first), float(self.run.stop())])
        save, stop = (value > 0 for value in self.place.summed(asked).tolist())
        if (save or stop) and self.state.offset < len(self.run.learn_M):
            self._save()
        return stop and self.state.offset < len(self.run.learn_M)

    def _rate(self) -> float:
        """Return the learning rate of the head now."""
        batch = rate_for_batch(self.state.factor, self.recipe.optimizer)
        return self.recipe.learning_rate * batch * self._cosine()

    def _cosine(self) -> float:
        # In the middle of the step, so that the first does something.
        step = self.plan.layout.batch_clips * self.state.factor / 2
        whole = self.recipe.epochs * len(self.run.learn_M)
        return rate_factor(min((self.seen + step) / whole, 1.0), self.recipe.warmup_share)

    def _set_rate(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate() * group["scale"]

    def _validate(self) -> tuple[float, float]:
        """Return log-loss and accuracy on the validation clips, of the weights to be kept."""
        rows = self.run.choose_M
        if not len(rows):
            return math.nan, math.nan
        log_p_MK = self._answers(rows)
        labels = self.run.clips.labels_M[rows]
        log_loss = -float(log_p_MK[np.arange(len(rows)), labels].mean())
        return log_loss, float((log_p_MK.argmax(axis=1) == labels).mean())

    def _answers(self, rows_M: Indices) -> Floats:
        if self.average is None:
            return answers(self.module, self.run.clips, rows_M, self.plan, self.place)
        with self.average.used_by(self.network):
            return answers(self.module, self.run.clips, rows_M, self.plan, self.place)

    def _check_finite(self, epoch: Epoch) -> None:
        """Refuse to go on from weights that are no numbers; the checkpoint before stays."""
        lost = epoch.log_loss if len(self.run.choose_M) else epoch.loss
        if not (math.isfinite(epoch.loss) and math.isfinite(lost)):
            raise VidfitError(
                f"training diverged in epoch {epoch.number + 1}: its loss is {epoch.loss:.3g}, on "
                f"validation clips {epoch.log_loss:.3g}; lower learning_rate, set clip_norm (such "
                "as 1), or look for infinite numbers in the clips"
            )

    def _keep(self, log_loss: float) -> None:
        """Keep the weights when they are the best so far, or when nothing can tell."""
        if not (math.isnan(log_loss) or log_loss < self.state.best):
            return
        self.state.best, self.state.best_epoch = log_loss, self.state.epoch - 1
        self.best = self._whole_weights()

    def _whole_weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights that would be kept: in place stand the student's again."""
        if self.average is None:
            return {n: t.clone() for n, t in whole_weights(self.network).items()}
        with self.average.used_by(self.network):
            return {n: t.clone() for n, t in whole_weights(self.network).items()}

    def result(self, finished: bool) -> TrainedWeights:
        """Return what the run came to."""
        state = self.state
        return TrainedWeights(self.best, tuple(state.history), state.best_epoch, finished)

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if self.run.folder is None:
            return
        tensors, numbers = gathered(self.network, self.optimizer)
        if self.average:
            tensors |= {f"average/{n}": t for n, t in self._whole_weights().items()}
        tensors |= {f"best/{n}": t for n, t in self.best.items()}
        facts = {"plan": learns(self.plan), "state": asdict(self.state), "optimizer": numbers}
        if self.place.first:
            write_checkpoint(self.run.folder, self.state.step, Saved(tensors, facts))
        self.place.fabric.barrier()

    def resume(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        saved = read_checkpoint(self.run.folder) if self.run.folder else None
        if saved is None:
            return
        if saved.facts["plan"] != learns(self.plan):
            raise StoreError(
                f"the checkpoint in {self.run.folder} is of another plan; train into another "
                "folder, or remove it to start anew"
            )
        if self.average:
            averages = Saved(
                {n.replace("average/", "model/"): t for n, t in saved.tensors.items()
                 if not n.startswith("model/")}, {},
            )  # fmt: skip
            scatter(averages, self.network, self.optimizer, saved.facts["optimizer"])
            self.average = Average(self.network, self.recipe.ema)
        scatter(saved, self.network, self.optimizer, saved.facts["optimizer"])
        facts = dict(saved.facts["state"])
        facts["history"] = [epoch_of(epoch) for epoch in facts["history"]]
        facts["best"] = number_of(facts["best"])
        self.state, self.best = State(**facts), saved.part("best")


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def learns(plan: Plan) -> dict[str, Any]:
    """Return what decides on what is learned: another layout of the same batch may go on."""
    recipe = asdict(plan.recipe)
    recipe["batch_schedule"] = [list(pair) for pair in plan.recipe.batch_schedule]  # as in JSON
    return {
        "subject": asdict(plan.subject),
        "recipe": recipe,
        "batch_clips": plan.layout.batch_clips,
    }
