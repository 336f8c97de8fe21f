"""What a user may ask of `pretrain`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidfit.errors import VidfitError, not_known

NETWORKS = ("gpt",)
"""What can be pretrained."""


@dataclass(frozen=True)
class PretrainOptions:
    """What is learned from texts, and for how long.

    Parameters
    ----------
    network
        What learns.
    test
        Texts that are held out: file or folder. ``None`` holds out whole documents of the source.
    holdout
        Share of the documents that is held out where ``test`` names none.
    classify
        Table of labelled texts that the model is tried on.
    cpu_seconds
        Of the processor, that learning may take; the steps are counted from a measured one.
    steps
        Steps, whatever they take.
    vocabulary
        Pieces of words that are known.
    width, layers, heads
        Size of the network.
    length
        Tokens that it looks back at.
    windows
        Windows of ``length`` that a step learns from.
    dropout, learning_rate, weight_decay
        How it learns.
    seed
        The same texts, steps and seed give the same model.
    """

    network: str = "gpt"
    test: Path | None = None
    holdout: float = 0.1
    classify: Path | None = None
    cpu_seconds: float = 600.0
    steps: int | None = None
    vocabulary: int = 2048
    width: int = 192
    layers: int = 4
    heads: int = 6
    length: int = 128
    windows: int = 4
    dropout: float = 0.1
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    seed: int = 0

    def check(self) -> None:
        """Refuse what has no meaning.

        Raises
        ------
        VidfitError
            Names the option and what it takes.
        """
        if self.network not in NETWORKS:
            raise VidfitError(not_known("network to pretrain", self.network, NETWORKS))
        if not 0 < self.holdout < 1:
            raise VidfitError(f"holdout is {self.holdout}; give a share above 0 and below 1")
        if self.cpu_seconds <= 0:
            raise VidfitError(f"cpu_seconds is {self.cpu_seconds}; give seconds above 0")
        for name in ("steps", "layers", "length", "windows"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise VidfitError(f"{name} is {value}; give 1 or more")
        if self.heads < 1 or self.width < 1 or self.width % (2 * self.heads):
            raise VidfitError(
                f"width is {self.width}; give a multiple of {2 * self.heads}: each of "
                f"{self.heads} heads takes an even part of it"
            )
