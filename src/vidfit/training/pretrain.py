"""Learning from clips without labels first: masked video, on the same loop.

Tong et al. (2022), VideoMAE: what is hidden of a clip is predicted from the rest, then the trunk
learns the task. The paper does so on 3,400 videos and more; `benchmarks.regimes` says what comes
of some hundred.

Shape letters: B clips of a micro-batch, K classes, N tubelets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.errors import BackboneError
from vidfit.networks.clips import Clips
from vidfit.networks.masked import MaskedVideo, targets, tube_mask
from vidfit.networks.video_text import tubelets
from vidfit.plans import Plan
from vidfit.training.loop import train
from vidfit.training.parallel import Place
from vidfit.training.state import Run, Trained

_TRUNK = "trunk."


def pretrain(masked: MaskedVideo, plan: Plan, run: Run, place: Place) -> Trained:
    """Train a masked video network on clips, whose labels do not matter.

    The weights go into ``masked`` itself, on the first process. There is nothing to choose an
    epoch by that the task would care for: ``run.choose_M`` is not looked at, the last is kept.

    Parameters
    ----------
    plan
        With as many classes as one likes, and no mixup: what is hidden of a mixture of two clips
        follows from neither.

    Raises
    ------
    StoreError
        As `train` does.
    ValueError
        If the recipe mixes clips, or the run is taught.
    """
    if plan.recipe.mixup or run.teach:
        raise ValueError(
            f"Recipe.mixup is {plan.recipe.mixup} and Run.teach is {run.teach}; pretraining takes "
            "0 and None: clips are hidden, not mixed."
        )
    nothing = np.zeros(0, np.int64)
    alone = replace(run, objective=mean_loss, choose_M=nothing)
    done = train(MaskedLosses(masked), plan, alone, place)
    if done.weights:
        masked.load_state_dict({n.removeprefix("masked."): t for n, t in done.weights.items()})
    return done


def load_trunk(network: nn.Module, masked: MaskedVideo) -> None:
    """Give what was learned to the network `video-text`, whose head and words stay as they are.

    Raises
    ------
    BackboneError
        If the network has another trunk, or one of another width or depth.
    """
    given = masked.trunk_state()
    wanted = {n: t.shape for n, t in network.state_dict().items() if n.startswith(_TRUNK)}
    other = {n for n, t in given.items() if wanted.get(n) != t.shape} | (set(wanted) - set(given))
    if other:
        raise BackboneError(
            f"The trunk of {type(network).__name__} differs from the one that was pretrained in "
            f"{len(other)} tensors, such as {min(other)!r}; build both with the same Shape, and "
            "the network as 'video-text'."
        )
    network.load_state_dict(given, strict=False)


class MaskedLosses(nn.Module):
    """Gives the loss of each clip, so that micro-batches of any sizes add up to the step's mean.

    What is hidden is drawn from torch's random numbers, which the loop seeds for each
    micro-batch: a run that was interrupted hides the same.
    """

    def __init__(self, masked: MaskedVideo) -> None:
        super().__init__()
        self.masked = masked

    def forward(self, clips: Clips) -> Tensor:
        """Return losses [B] of uint8 frames, as `MaskedVideo.loss` has them of each clip alone."""
        seen = tubelets(clips)
        hidden_BN = tube_mask(seen, self.masked.mask_share, torch.default_generator)
        error_BN = (self.masked.predicted(seen, hidden_BN) - targets(seen)).square().mean(dim=2)
        counts_BN = (hidden_BN & seen.present_BN).to(error_BN.dtype)
        losses_B = (error_BN * counts_BN).sum(dim=1) / counts_BN.sum(dim=1).clamp(min=1.0)
        return losses_B


def mean_loss(losses_B: Tensor, target_BK: Tensor, counts_B: Tensor, clips: float) -> Tensor:
    """Return a micro-batch's share of the mean loss of a step's clips (an `Objective`)."""
    return (losses_B.float() * counts_B).sum() / clips
