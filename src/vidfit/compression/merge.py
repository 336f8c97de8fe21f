"""Token merging: alike tokens of a transformer become one, layer by layer.

Bolya et al., "Token merging: your ViT but faster" (ICLR 2023). Between attention and MLP of each
layer the places are dealt to two sets by turns; each of the first finds the most alike of the
second by the cosine of their keys, averaged over heads; the pairs most alike are merged by an
average weighted by how many places each token stands for, and attention counts a token as often
as that: softmax(Q K^T / sqrt(d) + log s). No training is needed.

At the end every place gets the token that it has become part of, so that what follows, and the
tokens of the network, have the shapes that they had.

Shape letters: B sequences, L places at first, P tokens now, A and Z those of the first and of the
second set, R merged ones, S special tokens (CLS, registers), D features, H heads, E of one head.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones.encoder import freeze
from vidfit.backbones.hf_encoder import Encoder
from vidfit.errors import BackboneError

_DIVIDED = {
    "timesformer": "it attends over time and over space by turns, on a fixed grid of places",
    "xclip": "it exchanges messages between frames on a fixed layout of tokens",
    "xclip_vision_model": "it exchanges messages between frames on a fixed layout of tokens",
}
KINDS = ("vit", "dinov2", "dinov2_with_registers", "videomae")
"""``model_type`` of the networks whose tokens can be merged."""


def merge_tokens(network: nn.Module, per_layer: int) -> nn.Module:
    """Return a copy that merges pairs of tokens in every layer.

    Parameters
    ----------
    network
        Of `vidfit.backbones.hf`: a ViT, a DINOv2 or a VideoMAE.
    per_layer
        Pairs merged in each layer, at least 0; never more than half of the tokens are.

    Raises
    ------
    BackboneError
        When the network is of another kind, or the number is negative.
    """
    if per_layer < 0:
        raise BackboneError(f"per_layer is {per_layer}; valid is 0 or more, such as 8.")
    _check(network)
    small = copy.deepcopy(cast(Encoder, network))
    model: Any = small.model
    holder, name = (model, "layers") if hasattr(model, "layers") else (model.encoder, "layer")
    blocks = [Block(layer) for layer in getattr(holder, name)]
    setattr(holder, name, nn.ModuleList([MergedLayers(blocks, per_layer, _special(model.config))]))
    return freeze(small)


class Block(nn.Module):
    """One layer of a transformer, in the parts that merging takes apart.

    The families name them differently; each is there once, whatever it is called.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        parts: Any = layer
        if hasattr(parts, "intermediate"):  # VideoMAE
            attention, out = parts.attention.attention, parts.attention.output.dense
            self.query, self.key, self.value = attention.query, attention.key, attention.value
            self.mlp: nn.Module = nn.Sequential(parts.intermediate, parts.output.dense)
            self.heads, self.out = attention.num_attention_heads, out
        else:
            attention = parts.attention
            self.query, self.key = attention.q_proj, attention.k_proj
            self.value, self.out = attention.v_proj, attention.o_proj
            self.mlp, self.heads = parts.mlp, attention.num_attention_heads
        dinov2 = hasattr(parts, "norm1")
        self.norm_before: nn.Module = parts.norm1 if dinov2 else parts.layernorm_before
        self.norm_after: nn.Module = parts.norm2 if dinov2 else parts.layernorm_after
        self.scale_before = parts.layer_scale1 if dinov2 else nn.Identity()
        self.scale_after = parts.layer_scale2 if dinov2 else nn.Identity()
        self.scaling = float(attention.scaling)

    def attend(self, tokens_BPD: Tensor, size_BP: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return tokens after attention, and keys [B, P, E] averaged over heads."""
        x_BPD = self.norm_before(tokens_BPD)
        query_BHPE, key_BHPE, value_BHPE = (
            part(x_BPD).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        bias = None if size_BP is None else size_BP.log()[:, None, None, :]
        seen_BHPE = functional.scaled_dot_product_attention(
            query_BHPE, key_BHPE, value_BHPE, attn_mask=bias, scale=self.scaling
        )
        seen_BPD = self.out(seen_BHPE.transpose(1, 2).flatten(2))
        return tokens_BPD + self.scale_before(seen_BPD), key_BHPE.mean(1)

    def think(self, tokens_BPD: Tensor) -> Tensor:
        """Return tokens after the MLP."""
        after_BPD: Tensor = self.scale_after(self.mlp(self.norm_after(tokens_BPD)))
        return tokens_BPD + after_BPD


class MergedLayers(nn.Module):
    """All layers as one, so that what was merged is handed on and undone within one call."""

    def __init__(self, blocks: list[Block], per_layer: int, special: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.per_layer, self.special = per_layer, special

    def forward(self, tokens_BLD: Tensor, attention_mask: None = None) -> Tensor:
        """Return tokens of all places [B, L, D]."""
        tokens_BPD, size_BP, place_BL = tokens_BLD, None, None
        for module in self.blocks:
            block = cast(Block, module)
            tokens_BPD, key_BPE = block.attend(tokens_BPD, size_BP)
            count = min(self.per_layer, (tokens_BPD.shape[1] - self.special) // 2)
            if count:
                new_BP = match(key_BPE, count, self.special)
                old = torch.ones_like(tokens_BPD[..., 0]) if size_BP is None else size_BP
                tokens_BPD, size_BP = merged(tokens_BPD, old, new_BP, count)
                place_BL = new_BP if place_BL is None else new_BP.gather(1, place_BL)
            tokens_BPD = block.think(tokens_BPD)
        if place_BL is None:
            return tokens_BPD
        return tokens_BPD.gather(1, place_BL[..., None].expand(-1, -1, tokens_BPD.shape[2]))


def match(key_BPE: Tensor, count: int, special: int) -> Tensor:
    """Return for each token [B, P] the number of the token that it becomes, of P - ``count``.

    Special tokens keep their numbers and are merged with none.
    """
    key_BPE = functional.normalize(key_BPE[:, special:], dim=-1)
    first_BAE, second_BZE = key_BPE[:, ::2], key_BPE[:, 1::2]
    a, z = first_BAE.shape[1], second_BZE.shape[1]
    best_BA, partner_BA = (first_BAE @ second_BZE.transpose(1, 2)).max(dim=-1)
    order_BA = best_BA.argsort(dim=-1, descending=True)
    # How alike a token is to its partner, as a rank: the first ``count`` go.
    rank_BA = order_BA.argsort(dim=-1)
    new_BA = torch.where(rank_BA < count, a - count + partner_BA, rank_BA - count)
    # Made of new_BA, not of its length: an export would take that for a constant.
    new_BZ = torch.zeros_like(partner_BA[:, :z]) + torch.arange(a - count, a - count + z)
    kept_BS = torch.zeros_like(partner_BA[:, :1]) + torch.arange(special)
    in_turn = torch.tensor([i // 2 + (i % 2) * a for i in range(a + z)])
    new_BP = torch.cat([new_BA, new_BZ], dim=1)[:, in_turn] + special
    return torch.cat([kept_BS, new_BP], dim=1)


def merged(
    tokens_BPD: Tensor, size_BP: Tensor, new_BP: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Return averages, weighted by sizes, of tokens that become one; and the new sizes."""
    left, dim = tokens_BPD.shape[1] - count, tokens_BPD.shape[2]
    sum_BPD = torch.zeros_like(tokens_BPD[:, :left]).scatter_add(
        1, new_BP[..., None].expand(-1, -1, dim), tokens_BPD * size_BP[..., None]
    )
    total_BP = torch.zeros_like(size_BP[:, :left]).scatter_add(1, new_BP, size_BP)
    return sum_BPD / total_BP[..., None], total_BP


def _check(network: nn.Module) -> None:
    kind = getattr(getattr(getattr(network, "model", None), "config", None), "model_type", None)
    if kind in _DIVIDED:
        raise BackboneError(
            f"Tokens of a {kind} cannot be merged: {_DIVIDED[kind]}. "
            f"Valid are {', '.join(KINDS)}; prune its MLPs or quantize it instead."
        )
    if not isinstance(network, Encoder) or kind not in KINDS:
        name = kind or type(network).__name__
        raise BackboneError(
            f"Tokens of a {name} cannot be merged; valid are encoders hf:... of the kinds "
            f"{', '.join(KINDS)}. Prune its channels or quantize it instead."
        )


def _special(config: Any) -> int:  # noqa: ANN401  (configs of transformers share no type)
    """Return how many tokens stand before those of places."""
    if config.model_type == "videomae":
        return 0
    return 1 + int(getattr(config, "num_register_tokens", 0))
