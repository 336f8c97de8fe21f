"""The networks of a generator, trained one after the other, each by its share of the budget.

::

    VAE, short     .14      flow over it     .08      its decoder polished   .08
    VAE, longer    .22      flow over it     .08
    GPT            .22      two critics      .09 each

So each pair that is compared costs the same: the longer VAE alone and the short one with a flow;
the longer VAE with a flow and the short one with a flow, polished.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from vidfit.files import write_whole
from vidfit.jobs.generate.material import GeneratorClips
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.pixels.generate.bank import ClipBank
from vidfit.pixels.generate.members import (
    ClipDrawer,
    CriticPool,
    LatentMember,
    TokenMember,
    drawn_labels,
    quiet,
)
from vidfit.pixels.generate.polish import ClipCritic, PolishStart, PolishTrainee, critic_trainee
from vidfit.pixels.generate.prior import FlowTrainee, LatentFlow, Posteriors
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.pixels.generate.tokens import gpt_of, gpt_trainee, learn_codebook
from vidfit.pixels.generate.vae import VideoVae, posteriors, vae_trainee
from vidfit.pixels.learn import NEVER, Learned, PixelTrainee, StepBudget, learn
from vidfit.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import nn

SHORT, LONGER, FLOW, POLISH, TOKENS, CRITIC = 0.14, 0.22, 0.08, 0.08, 0.22, 0.09
"""Shares of the budget."""

SHEET = "samples.png"
SHOWN = 16

_SHOWN_EVERY_SECONDS = 20.0
_POOL_OF_CRITIC = 1024
"""Clips that are drawn for a critic to learn from."""

Module = TypeVar("Module", bound="nn.Module")


@dataclass
class Makers:
    """Trains networks on what is learned from; each goes on where it was interrupted.

    Parameters
    ----------
    folder
        Of checkpoints and the contact sheet; ``None`` writes none.
    seconds
        Of the processor that each stage took.
    """

    material: GeneratorClips
    options: GenerateOptions
    folder: Path | None = None
    stop: Callable[[], bool] = NEVER
    progress: Progress = SILENT
    seconds: dict[str, float] = field(default_factory=dict)
    _shown: float = 0.0

    def __post_init__(self) -> None:
        """Name the run by what it learns from and how."""
        told = hashlib.sha256(repr((self.material.sizes, self._recipe)).encode())
        told.update(self.material.learned.frames_NTSSC.tobytes())
        told.update(self.material.learned.labels_N.tobytes())
        self._run = told.hexdigest()

    @property
    def _recipe(self) -> tuple[object, ...]:
        own = self.options
        return own.cpu_seconds, own.steps, own.seed, own.windows, own.interval_seconds

    @property
    def classes(self) -> int:
        """How many classes clips have."""
        return len(self.material.sizes.classes)

    def vae(self, name: str, share: float) -> VideoVae:
        """Train a VAE."""
        sizes = self.material.sizes
        vae = self._built(name, lambda: VideoVae(sizes))
        self._train(
            name, vae_trainee(vae, self.material.learned, self.classes), share,
            lambda: LatentMember(name, sizes, vae.decoder),
        )  # fmt: skip
        quiet(vae)
        return vae

    def flow(self, name: str, vae: VideoVae) -> LatentFlow:
        """Train a flow over the latents of a VAE."""
        sizes = self.material.sizes
        flow = self._built(name, lambda: LatentFlow(sizes))
        parts = [
            Posteriors(*posteriors(vae, bank, self.classes), bank.labels_N)
            for bank in (self.material.learned, self.material.choosing)
        ]
        trainee = FlowTrainee(flow, parts[0], parts[1], self.classes)
        self._train(name, trainee, FLOW, lambda: LatentMember(name, sizes, vae.decoder, flow))
        trainee.finish()
        quiet(flow)
        return flow

    def polished(self, name: str, vae: VideoVae, flow: LatentFlow) -> VideoVae:
        """Return a copy of a VAE whose decoder learned to deceive a critic."""
        sizes, own = self.material.sizes, copy.deepcopy(vae)
        own.decoder.requires_grad_(True)
        torch.manual_seed(self._seed(name))
        trainee = PolishTrainee(PolishStart(own, flow, self.material.learned, sizes))
        self._train(name, trainee, POLISH, lambda: LatentMember(name, sizes, own.decoder, flow))
        quiet(own)
        return own

    def tokens(self, name: str) -> TokenMember:
        """Train a GPT over quantised tokens."""
        sizes, learned = self.material.sizes, self.material.learned
        began = time.process_time()
        book = learn_codebook(learned, sizes, self.options.seed)
        gpt = self._built(name, lambda: gpt_of(sizes))
        trainee = gpt_trainee(gpt, book, learned, sizes)
        spent = time.process_time() - began
        member = TokenMember(name, sizes, gpt, book)
        self._train(name, trainee, TOKENS, lambda: member, spent)
        quiet(gpt)
        return member

    def chosen_by_critic(self, name: str, members: Sequence[ClipDrawer]) -> CriticPool:
        """Train a critic against what members draw, in equal parts."""
        sizes = self.material.sizes
        critic = self._built(name, lambda: ClipCritic(sizes))
        made = self._drawn(members, self._seed(name))
        self._train(name, critic_trainee(critic, self.material.learned, made, self.classes), CRITIC)
        quiet(critic)
        return CriticPool(name, sizes, members, critic)

    def _drawn(self, members: Sequence[ClipDrawer], seed: int) -> ClipBank:
        """Return clips that members drew; their names and recordings say nothing."""
        sizes = self.material.sizes
        each = -(-_POOL_OF_CRITIC // len(members))
        labels = [drawn_labels(each, sizes, seed + at) for at in range(len(members))]
        frames = [
            m.draw(rows, seed + at)
            for at, (m, rows) in enumerate(zip(members, labels, strict=True))
        ]
        blank = ("",) * (each * len(members))
        return ClipBank(np.concatenate(frames), np.concatenate(labels), blank, blank)

    def _built(self, name: str, build: Callable[[], Module]) -> Module:
        torch.manual_seed(self._seed(name))
        return build()

    def _seed(self, name: str) -> int:
        digest = hashlib.sha256(f"{name} {self.options.seed}".encode()).digest()
        return int.from_bytes(digest[:4], "big")

    def _train(
        self,
        name: str,
        trainee: PixelTrainee,
        share: float,
        member: Callable[[], ClipDrawer] | None = None,
        spent: float = 0.0,
    ) -> Learned:
        """Train by a share of the budget, of which some seconds are spent."""
        place = name.replace(" ", "-").replace(",", "")
        found = learn(
            trainee,
            StepBudget(max(share * self.options.cpu_seconds - spent, 0.1), self.options.steps),
            run=f"{self._run} {name}",
            seed=self._seed(name) % 100_000,
            folder=self.folder / "checkpoint" / place if self.folder else None,
            stage=name,
            stop=self.stop,
            progress=self.progress,
            each=lambda step: self._show(member) if member else None,
        )
        if found is None:
            raise KeyboardInterrupt
        self.seconds[name] = found.cpu_seconds + spent
        return found

    def _show(self, member: Callable[[], ClipDrawer]) -> None:
        """Write what is drawn now, now and then."""
        if self.folder is None or time.monotonic() - self._shown < _SHOWN_EVERY_SECONDS:
            return
        drawn = member().draw(drawn_labels(SHOWN, self.material.sizes, 0), 0)
        write_whole(self.folder / SHEET, contact_sheet(drawn))
        if not self._shown:
            self.progress.note(f"What is drawn now: {self.folder / SHEET}, again and again")
        self._shown = time.monotonic()
