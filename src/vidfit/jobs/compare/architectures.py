"""The table of architectures, and the rows that each has in a comparison."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vidfit.errors import VidfitError
from vidfit.networks import NETWORKS

How = Literal["frozen", "supervised", "self-supervised, frozen", "self-supervised, fine-tuned"]
"""How a row learned; see `LEARNED`."""

SELF_FROZEN: How = "self-supervised, frozen"
SELF_TUNED: How = "self-supervised, fine-tuned"

LEARNED: dict[How, str] = {
    "frozen": "an encoder that others pretrained, its weights as they are; a linear probe on its "
    "pooled tokens",
    "supervised": "from random weights, by the labels alone",
    "self-supervised, frozen": "on clips without their labels first; then its weights are kept as "
    "they are, and a linear probe learns on its pooled tokens",
    "self-supervised, fine-tuned": "on clips without their labels first, then all weights by the "
    "labels",
}


@dataclass(frozen=True, slots=True)
class ArchitectureLine:
    """One line of the table: which networks of `vidfit.networks.NETWORKS` an architecture is.

    Parameters
    ----------
    over_tokens, over_frames
        Networks that learn over an encoder's tokens, and over frames; empty where there is none.
    self_supervised
        Whether the network over frames can learn from clips without labels.
    """

    what: str
    over_tokens: str = ""
    over_frames: str = ""
    self_supervised: bool = False


ARCHITECTURES: dict[str, ArchitectureLine] = {
    "cnn": ArchitectureLine("convolutions, blind to order", "mean", "cnn"),
    "cnn-lstm": ArchitectureLine("convolutions, then an LSTM", "lstm", "cnn-lstm"),
    "video-transformer": ArchitectureLine(
        "attention over pieces of video", "transformer", "video-text", self_supervised=True
    ),
    "gpt": ArchitectureLine("attention to what came before", "gpt"),
}
"""Name -> its networks. A new architecture is one line here and one in ``NETWORKS``."""


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What one row of the comparison is: which network learns how, over what.

    Parameters
    ----------
    architecture
        Key of `ARCHITECTURES`; empty of an encoder that stands for none of them.
    network
        Key of ``NETWORKS``; empty where a linear probe learns.
    encoder
        Whose tokens are seen; empty where frames are.
    """

    name: str
    architecture: str
    how: How
    network: str = ""
    encoder: str = ""


def check_architectures(names: Sequence[str]) -> None:
    """Refuse architectures that there are not.

    Raises
    ------
    VidfitError
        Names those that there are.
    """
    for name in names:
        if name not in ARCHITECTURES:
            close = difflib.get_close_matches(name, ARCHITECTURES, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ";"
            raise VidfitError(
                f"there is no architecture {name!r}{hint} valid are {', '.join(ARCHITECTURES)}"
            )
    if not names:
        raise VidfitError(f"name an architecture: {', '.join(ARCHITECTURES)}")


def row_plans(
    names: Sequence[str], encoders: Sequence[str], networks: Sequence[str]
) -> list[RowPlan]:
    """Return the rows of a comparison, the cheap ones first.

    Parameters
    ----------
    encoders
        All that are compared frozen.
    networks
        Those of them that are networks: over their tokens architectures learn.
    """
    rows = [
        RowPlan(encoder, "cnn" if encoder in networks else "", "frozen", encoder=encoder)
        for encoder in encoders
    ]
    lines = [(name, ARCHITECTURES[name]) for name in dict.fromkeys(names)]
    rows += [
        RowPlan(f"{name} on {encoder}", name, "supervised", line.over_tokens, encoder)
        for encoder in networks
        for name, line in lines
        if line.over_tokens in NETWORKS
    ]
    for name, line in lines:
        if line.over_frames in NETWORKS:
            rows.append(RowPlan(f"{name} on frames", name, "supervised", line.over_frames))
        if line.self_supervised:
            rows += [
                RowPlan(f"{name} pretrained, frozen", name, SELF_FROZEN, line.over_frames),
                RowPlan(f"{name} pretrained", name, SELF_TUNED, line.over_frames),
            ]
    return rows
