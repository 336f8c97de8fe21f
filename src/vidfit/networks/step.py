"""The arithmetic of a training step, shared by whoever trains and whoever plans training.

Shape letters: B clips of a micro-batch, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vidfit.plans import Recipe


def classified(logits_BK: Tensor, target_BK: Tensor, clips: float) -> Tensor:
    """Return the summed cross-entropy of a micro-batch over the clips of the whole step.

    Micro-batches of any sizes, on any processes, then add up to the mean over the step's clips:
    a mean a micro-batch would weigh the clips of a small one more.

    Parameters
    ----------
    target_BK
        Probabilities of classes; rows of zeros, such as of clips that do not count, add nothing.
    clips
        How many clips the step has, over all micro-batches and processes.
    """
    # In float32 also under autocast: sums of many small terms.
    log_p_BK = torch.log_softmax(logits_BK.float(), dim=-1)
    return -(target_BK * log_p_BK).sum() / clips


def soft_targets(labels_B: Tensor, classes: int, smoothing: float) -> Tensor:
    """Return labels as probabilities [B, K], smoothed (Szegedy et al. 2016, section 7)."""
    hard_BK = nn.functional.one_hot(labels_B, classes).float()
    return hard_BK * (1.0 - smoothing) + smoothing / classes


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters that learn, grouped by weight decay and rate.

    Vectors (norms, biases, embeddings of one token) do not decay. A layer of the encoder that
    lies n layers below its last learns by ``layer_decay ** (n + 1)`` of the rate.
    """
    depth = layer_depths(model)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
            scale = recipe.layer_decay ** depth.get(name, 0)
            groups.setdefault((decay, scale), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "lr": recipe.learning_rate * scale,
         "scale": scale}
        for (decay, scale), parameters in groups.items()
    ]  # fmt: skip


def layer_depths(model: nn.Module) -> dict[str, int]:
    """Return by parameter of ``model.encoder`` how many layers lie from it to the head, from 1.

    A layer is an entry of a list of blocks: of the `nn.ModuleList` or `nn.Sequential` with the
    most parameters. What comes before them is one layer, what comes after them is the first.
    """
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, nn.Module):
        return {}
    blocks = main_blocks(encoder)
    places = {id(p): i for i, block in enumerate(blocks) for p in block.parameters()}
    count, seen, depths = len(blocks), False, {}
    for name, parameter in encoder.named_parameters():
        seen = seen or id(parameter) in places
        place = places.get(id(parameter), count if seen else -1)
        depths[f"encoder.{name}"] = count - place + 1
    return depths


def main_blocks(encoder: nn.Module) -> Sequence[nn.Module]:
    """Return the list of blocks that holds most of the parameters; empty when there is none."""
    lists = [m for m in encoder.modules() if isinstance(m, nn.ModuleList | nn.Sequential)]
    repeated = [m for m in lists if len(m) > 2]
    if not repeated:
        return []
    return list(max(repeated, key=lambda m: sum(p.numel() for p in m.parameters())))


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe over the parameters that learn."""
    groups = parameter_groups(model, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.999))


def norms(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the batch normalisations, which see a micro-batch and not the whole step."""
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            yield name, module
