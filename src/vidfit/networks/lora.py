"""Fine-tuning by few weights: products of two thin matrices beside an encoder's layers.

Hu et al., "LoRA: low-rank adaptation of large language models" (2022): a layer W learns
``W + alpha / rank * B A``, with A of ``rank`` rows and B of ``rank`` columns that starts at zero.
Linear layers and 1 x 1 convolutions, which are linear layers at each place, get such additions.
peft computes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import Tensor, nn

from vidfit.errors import BackboneError

_ADDED = "lora_"
"""Begins the names of what peft adds."""


class LowRank(nn.Module):
    """An encoder of which only the additions learn.

    All else stays as it was pretrained, also if it is asked to learn or to train: the encoder
    stays in evaluation, as running statistics that drift could not be merged away.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.requires_grad_(True).train()

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        """Return tokens [B, N, D] of uint8 views [B, T, H, W, C], as the encoder does."""
        tokens_BND: Tensor = self.encoder(frames_BTHWC)
        return tokens_BND

    def train(self, mode: bool = True) -> LowRank:
        """Set the mode, of the encoder not."""
        super().train(mode)
        self.encoder.eval()
        return self

    def requires_grad_(self, requires_grad: bool = True) -> LowRank:
        """Let the additions learn, or not; all else never."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(requires_grad and _ADDED in name)
        return self


def add_low_rank(encoder: nn.Module, rank: int = 8, alpha: int = 16) -> LowRank:
    """Put low-rank additions beside an encoder's linear layers and 1 x 1 convolutions, in place.

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
    LowRank
        The encoder, of which only the additions learn.

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
    return LowRank(inject_adapter_in_model(config, encoder))


def merge(adapted: LowRank) -> nn.Module:
    """Return the encoder with its additions summed into its weights, named as at first, in place.

    Raises
    ------
    BackboneError
        If an addition is not finite.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    encoder = adapted.encoder
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
