"""Learning from videos without labels: hide most of a clip and predict it from the rest.

Tong et al., "VideoMAE: masked autoencoders are data-efficient learners for self-supervised video
pre-training" (2022), with the trunk of the network `video-text`: what was learned loads into it.

Shape letters: B clips, P spatial places, N = steps * P tubelets in time order, R tubelets of them
that are visible, X pixels of a tubelet, E width of the trunk, F width of the decoder.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.blocks import blocks, linear
from vidfit.networks.clips import Clips
from vidfit.networks.video_text import PATCH_PIXELS, Tubelets, VideoTrunk, tubelets

DECODER_LAYERS = 1
"""A light decoder leaves the understanding to the trunk."""


LEAST_DEVIATION = 1e-3
"""Added to a tubelet's deviation, an eighth of a grey level: the 1e-6 of Tong et al. would blow up
the rounding of a flat one to a pattern that nobody can predict."""


class MaskedVideo(nn.Module):
    """A video trunk, and a decoder of half its width that predicts what was hidden.

    Parameters
    ----------
    shape
        Of the `VideoText` that is to be trained later.
    mask_share
        Share of the places that are hidden, in (0, 1), at all times alike: a place that is hidden
        now cannot be copied from where it is seen a moment later (tube masking).

    Raises
    ------
    BackboneError
        If the share is not between 0 and 1.
    """

    def __init__(self, shape: Shape, mask_share: float = 0.9) -> None:
        super().__init__()
        if not 0.0 < mask_share < 1.0:
            raise BackboneError(
                f"mask_share is {mask_share}; valid are shares between 0 and 1, such as 0.9."
            )
        self.mask_share = mask_share
        self.trunk = VideoTrunk(shape)
        half = max(shape.width // 2 // shape.heads, 1) * shape.heads
        narrow = replace(shape, width=half, layers=DECODER_LAYERS, dropout=0.0, drop_path=0.0)
        self.to_decoder = nn.Sequential(nn.LayerNorm(shape.width), linear(shape.width, half))
        self.hidden_F = nn.Parameter(0.02 * torch.randn(half))
        self.decoder = blocks(narrow)
        pixels = self.trunk.embedding.in_features
        self.to_pixels = nn.Sequential(nn.LayerNorm(half), linear(half, pixels))

    def forward(self, clips: Clips, generator: torch.Generator) -> Tensor:
        """Return the loss: so that what wraps a module, such as DDP, reaches it."""
        return self.loss(clips, generator)

    def loss(self, clips: Clips, generator: torch.Generator) -> Tensor:
        """Return the mean squared error over the hidden tubelets that are real.

        A tubelet's target are its pixels, normalised to mean 0 and deviation 1 in each colour:
        predicting nothing costs about 1.

        Parameters
        ----------
        clips
            With uint8 frames [B, V, T, H, W, C] of more than one place of 16 x 16 pixels.
        generator
            Chooses what is hidden.

        Raises
        ------
        BackboneError
            If the clips have no frames, or their frames are one place only.
        """
        seen = tubelets(clips)
        hidden_BN = tube_mask(seen, self.mask_share, generator)
        error_BN = (self.predicted(seen, hidden_BN) - targets(seen)).square().mean(2)
        counts_BN = (hidden_BN & seen.present_BN).to(error_BN.dtype)
        mean: Tensor = (error_BN * counts_BN).sum() / counts_BN.sum().clamp(min=1.0)
        return mean

    def predicted(self, seen: Tubelets, hidden_BN: Tensor) -> Tensor:
        """Return normalised pixels [B, N, X]; the trunk sees only what is not hidden."""
        # As many are visible in each clip.
        visible = int((~hidden_BN[0]).sum())
        index_BR = hidden_BN.to(torch.uint8).argsort(dim=1, stable=True)[:, :visible]
        x_BNE = self.trunk.embedded(seen)
        x_BRE = x_BNE.gather(1, index_BR[..., None].expand(-1, -1, x_BNE.shape[2]))
        x_BRE = self.trunk(x_BRE, seen.present_BN.gather(1, index_BR))
        visible_BRF = self.to_decoder(x_BRE)
        hidden_BNF = self.hidden_F.to(visible_BRF.dtype).expand(*hidden_BN.shape, -1)
        x_BNF = hidden_BNF.scatter(1, index_BR[..., None].expand_as(visible_BRF), visible_BRF)
        x_BNF = x_BNF + seen.places_NE(x_BNF.shape[2])
        for block in self.decoder:
            x_BNF = block(x_BNF, seen.present_BN)
        pixels_BNX: Tensor = self.to_pixels(x_BNF)
        return pixels_BNX

    def trunk_state(self) -> dict[str, Tensor]:
        """Return the trunk's weights, named as in `VideoText`.

        Load them with ``network.load_state_dict(state, strict=False)``: the answer, and the words,
        are not among them.
        """
        return {f"trunk.{name}": tensor for name, tensor in self.trunk.state_dict().items()}


def tube_mask(seen: Tubelets, mask_share: float, generator: torch.Generator) -> Tensor:
    """Return which tubelets are hidden, [B, N]: in each clip some places, at all times.

    At least one place is seen, and at least one is hidden.

    Raises
    ------
    BackboneError
        If there is one place only.
    """
    places = seen.rows * seen.columns
    if places < 2:
        raise BackboneError(
            f"Frames of at most {PATCH_PIXELS} x {PATCH_PIXELS} pixels are one place: nothing is "
            "left to predict it from. Read the clips at a larger size."
        )
    count = min(max(round(places * mask_share), 1), places - 1)
    random_BP = torch.rand(
        len(seen.pixels_BNX), places, generator=generator, device=generator.device
    )
    rank_BP = random_BP.argsort(dim=1).argsort(dim=1).to(seen.pixels_BNX.device)
    return (rank_BP < count).repeat(1, seen.steps)


def targets(seen: Tubelets) -> Tensor:
    """Return pixels [B, N, X], normalised within each tubelet and colour (Tong et al. 2022)."""
    pixels_BNYC = seen.pixels_BNX.unflatten(2, (-1, 3))  # type: ignore[no-untyped-call]
    centred_BNYC = pixels_BNYC - pixels_BNYC.mean(2, keepdim=True)
    normal_BNYC: Tensor = centred_BNYC / (pixels_BNYC.std(2, keepdim=True) + LEAST_DEVIATION)
    return normal_BNYC.flatten(2)
