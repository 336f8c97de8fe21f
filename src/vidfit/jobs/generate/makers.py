"""The networks of a generator, trained one after the other, each by its share of the budget.

::

    VAE   .26      flow over it                        .16
                   the VAE again, as long as a flow    .16
    GPT   .42

So each way to draw costs the same: the VAE alone that went on learning, the VAE with a flow, and
the GPT.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from vidfit.files import write_whole
from vidfit.jobs.generate.material import GeneratorClips
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.pixels.generate.members import (
    ClipDrawer,
    LatentMember,
    TokenMember,
    drawn_labels,
    quiet,
)
from vidfit.pixels.generate.prior import FlowTrainee, LatentFlow, Posteriors
from vidfit.pixels.generate.sheet import contact_sheet
from vidfit.pixels.generate.tokens import gpt_of, gpt_trainee, learn_codebook
from vidfit.pixels.generate.vae import VideoVae, posteriors, vae_trainee
from vidfit.pixels.learn import NEVER, Learned, PixelTrainee, StepBudget, learn
from vidfit.progress import SILENT, Progress

if TYPE_CHECKING:
    from torch import nn

VAE_SHARE, FLOW, TOKENS = 0.26, 0.16, 0.42
"""Shares of the budget."""

SHEET = "samples.png"
SHOWN = 16

_SHOWN_EVERY_SECONDS = 20.0
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

    def vae(self, name: str) -> VideoVae:
        """Train a VAE."""
        sizes = self.material.sizes
        return self._learned(name, self._built(name, lambda: VideoVae(sizes)), VAE_SHARE)

    def longer(self, name: str, vae: VideoVae) -> VideoVae:
        """Return a copy of a VAE that went on learning for as long as a flow takes.

        The learning rate rises once more and falls again (Loshchilov and Hutter 2017, SGDR).
        """
        own = copy.deepcopy(vae)
        own.requires_grad_(True)
        return self._learned(name, own.train(), FLOW)

    def _learned(self, name: str, vae: VideoVae, share: float) -> VideoVae:
        trainee = vae_trainee(vae, self.material.learned, self.classes)
        member = LatentMember(name, self.material.sizes, vae.decoder)
        self._train(name, trainee, share, lambda: member)
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
        member: Callable[[], ClipDrawer],
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
            each=lambda step: self._show(member),
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
