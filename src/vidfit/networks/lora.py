"""Fine-tuning by few weights: products of two thin matrices beside an encoder's layers.

Hu et al., "LoRA: low-rank adaptation of large language models" (2022): a layer W learns
``W + alpha / rank * B A``, with A of ``rank`` rows and B of ``rank`` columns that starts at zero.
Linear layers and 1 x 1 convolutions, which are linear layers at each place, get such additions.
peft computes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import nn

from vidfit.errors import BackboneError


def add_low_rank(encoder: nn.Module, rank: int = 8, alpha: int = 16) -> nn.Module:
    """Put low-rank additions beside an encoder's linear layers and 1 x 1 convolutions, in place.

    Only they learn from now on; add them after `vidfit.networks.tuned.Tuned`, which makes all of
    an encoder learn, was made. Batch normalisations must stay in evaluation, as there: running
    statistics that drift could not be merged away.

    Parameters
    ----------
    encoder
        Maps uint8 views [B, T, H, W, C] to tokens [B, N, D]. At first nothing changes for it.
    rank
        Of the additions, 1 or more.
    alpha
        They are scaled by ``alpha / rank``.

    Returns
    -------
    nn.Module
        The encoder.

    Raises
    ------
    BackboneError
        If peft is not installed, the rank is less than 1, or no layer can be added to.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise BackboneError(
            "Low-rank additions need peft; install it with `pip install 'vidfit[lora]'`, or "
            "train with another regime (probe, lp-ft, full)."
        ) from error
    names = list(_layers(encoder))
    if rank < 1 or not names:
        raise BackboneError(
            f"Low-rank additions of rank {rank} to {len(names)} layers are impossible; they need "
            "a rank of 1 or more, and an encoder with linear layers or 1 x 1 convolutions. "
            "Train with another regime (probe, lp-ft, full)."
        )
    # A pattern, as peft takes a plain name for the end of a name.
    pattern = "|".join(map(re.escape, names))
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=pattern, lora_dropout=0.0)
    changed: nn.Module = inject_adapter_in_model(config, encoder)
    return changed


def merge(encoder: nn.Module) -> nn.Module:
    """Return the encoder with its additions summed into its weights, named as at first, in place.

    Raises
    ------
    BackboneError
        If an addition is not finite.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = [(name, m) for name, m in encoder.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in found:
        try:
            layer.merge(safe_merge=True)
        except ValueError as error:
            raise BackboneError(
                f"The low-rank addition to {name!r} is not finite: training diverged. Train again "
                "with a lower learning rate, or take an earlier checkpoint."
            ) from error
        encoder.set_submodule(name, layer.get_base_layer())
    return encoder


def _layers(encoder: nn.Module) -> Iterator[str]:
    """Yield the names of the layers that get additions."""
    # torch's own attention reads the weights of its layers and never calls them.
    skipped = [
        f"{name}." for name, m in encoder.named_modules() if isinstance(m, nn.MultiheadAttention)
    ]
    for name, module in encoder.named_modules():
        if name and not name.startswith(tuple(skipped)) and _is_linear(module):
            yield name


def _is_linear(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d):
        return set(module.kernel_size) == {1} and module.groups == 1
    return isinstance(module, nn.Linear)
