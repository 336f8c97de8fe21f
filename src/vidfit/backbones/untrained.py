"""The control of pretraining: the same network with weights that have learned nothing.

What ``random:NAME`` reaches on a task is worth of the architecture and of the pixels; what
NAME reaches beyond it is worth of the pretraining. Convolutions and matrices are drawn as in
He, Zhang, Ren, Sun, "Delving deep into rectifiers" (ICCV 2015), equation 10: normal, with
variance 2 / fan-in, so that activations neither vanish nor explode. Normalisations begin as in
training: scale 1, shift 0, running mean 0, running variance 1.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import torch
from torch import nn

from vidfit import backbones
from vidfit.backbones import weights
from vidfit.backbones.encoder import TorchEncoder
from vidfit.backbones.notation import UNTRAINED, with_spec
from vidfit.contracts import Backbone
from vidfit.errors import BackboneError

SEED = 0


def load(source: str, *, download: bool = False) -> Backbone:
    """Load an encoder and draw its weights anew, the same ones each time.

    Parameters
    ----------
    source
        A name that `vidfit.backbones.load` takes, of a torch network.
    download
        Whether the weights, which are then replaced, may be fetched.

    Raises
    ------
    BackboneError
        When the encoder cannot be loaded, or is no torch network of vidfit's.
    """
    base = backbones.load(source, download=download)
    if not isinstance(base, TorchEncoder):
        raise BackboneError(
            f"{source!r} has no weights that could be drawn at random: it is a "
            f"{type(base).__name__}. Valid after {UNTRAINED!r} are torch networks, such as "
            f"{UNTRAINED}efficientnet-lite0."
        )
    network = draw_weights(copy.deepcopy(base.network))
    spec = replace(
        base.spec,
        name=UNTRAINED + base.spec.name,
        # Numbers of a seeded generator are nobody's work.
        licence="none needed (random weights)",
        commercial_use=True,
        source=f"random weights, seed {SEED}; He et al. 2015",
        revision=weights.revision(network.state_dict(), base.configuration),
    )
    return with_spec(replace(base, network=network, taken=None), spec)


def draw_weights(network: nn.Module, seed: int = SEED) -> nn.Module:
    """Draw all weights of a network in place, in the order of their names."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            if parameter.ndim > 1:
                fan_in = parameter.numel() // len(parameter)
                parameter.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._NormBase):
                module.reset_running_stats()
    return network
