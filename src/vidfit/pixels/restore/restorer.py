"""What makes frames larger: a network or bicubic, tile by tile, and how it is kept.

Shape letters: P planes, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.pixels.restore.align import beside
from vidfit.pixels.restore.degrade import Luma
from vidfit.pixels.restore.enlarge import larger
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.steady import Steadied
from vidfit.pixels.saved import PixelModel, load_pixels, save_pixels

TASK = "restore"
SCALES = (2, 4)
TILE_PIXELS = 192
"""A side of what is computed at once, of the small picture."""

_MOST_WIDTH, _MOST_BLOCKS = 512, 64


@dataclass(frozen=True)
class Restorer:
    """Makes luma ``scale`` times larger each way.

    Parameters
    ----------
    network
        ``None`` is bicubic.
    steady
        Whether what the network adds is averaged along the motion; see `Steadied`.
    evened
        Share of a frame that is taken from the one before, where it is steadied, in [0, 1).
    """

    scale: int
    network: RestoreNetwork | None = None
    steady: bool = False
    evened: float = 0.0
    card: Mapping[str, Any] | None = None

    @property
    def sees_neighbours(self) -> bool:
        """Whether the frames before and after count."""
        return self.network is not None and self.network.sizes.planes > 1

    def begin(self) -> Restored:
        """Return what makes the frames of one video larger, in their order."""
        return Running(self).restored


Restored = Callable[[Luma, Luma, Luma], Floats]
"""From the frame before, the frame and the frame after to the large frame, 0 to 255."""


class Running:
    """A restorer that goes through a video."""

    def __init__(self, restorer: Restorer) -> None:
        self._restorer, self._steadied = restorer, Steadied(restorer.evened)

    def restored(self, before_HW: Luma, now_HW: Luma, after_HW: Luma) -> Floats:
        """Return the luma of the next frame made larger, 0 to 255, not rounded."""
        of, now = self._restorer, now_HW[None].astype(np.float32)
        if of.network is None:
            return next(iter(larger(now, of.scale)))
        seen = beside(before_HW, now_HW, after_HW) if of.sees_neighbours else now
        made = in_tiles(of.network, seen)
        return self._steadied.add(next(iter(larger(now, of.scale))), made) if of.steady else made


def in_tiles(network: RestoreNetwork, planes_PHW: Floats, tile_pixels: int = TILE_PIXELS) -> Floats:
    """Return a large frame, 0 to 255; memory depends on the tile and not on the frame.

    Tiles see as far beyond their rim as the network reaches, so that the frame is the same as if
    it were computed at once; beyond the frame its edge is repeated.
    """
    reach, scale = network.sizes.reach_pixels, network.sizes.scale
    height, width = planes_PHW.shape[1:]
    padded = np.pad(planes_PHW, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    made = np.empty((height * scale, width * scale), np.float32)
    for top in range(0, height, tile_pixels):
        for left in range(0, width, tile_pixels):
            rows, columns = min(tile_pixels, height - top), min(tile_pixels, width - left)
            seen = padded[:, top : top + rows + 2 * reach, left : left + columns + 2 * reach]
            inner = slice(reach * scale, (reach + rows) * scale)
            across = slice(reach * scale, (reach + columns) * scale)
            tile = _forward(network, seen)[inner, across]
            made[top * scale : (top + rows) * scale, left * scale : (left + columns) * scale] = tile
    return made


def _forward(network: RestoreNetwork, planes_PHW: Floats) -> Floats:
    with torch.inference_mode():
        planes = torch.from_numpy(np.ascontiguousarray(planes_PHW / np.float32(255)))[None]
        large: Floats = network(planes)[0, 0].numpy()
    return np.asarray(np.clip(large * np.float32(255), 0.0, 255.0), np.float32)


def save_restorer(restorer: Restorer, directory: Path) -> None:
    """Write a restorer.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    network = restorer.network
    sizes = asdict(network.sizes) if network else {"scale": restorer.scale, "planes": 0}
    motion = {"steady": restorer.steady, "evened": restorer.evened}
    weights = {f"network/{n}": t for n, t in network.state_dict().items()} if network else {}
    save_pixels(
        PixelModel(TASK, {**sizes, **motion}, weights, dict(restorer.card or {})), directory
    )


def load_restorer(directory: Path) -> Restorer:
    """Read a restorer; no code is run.

    Raises
    ------
    ModelError
        If it is no restorer, damaged or altered.
    """
    model = load_pixels(directory, TASK)
    sizes = _sizes(model, directory)
    if not sizes.planes:
        return Restorer(sizes.scale, card=model.card)
    network = RestoreNetwork(sizes)
    try:
        network.load_state_dict(model.part("network"))
    except RuntimeError as error:
        raise ModelError(f"{directory} is damaged: its weights do not fit its sizes") from error
    steady, evened = model.sizes.get("steady") is True, model.sizes.get("evened", 0.0)
    if not (isinstance(evened, float | int) and 0 <= evened < 1):
        raise ModelError(f"{directory} says a share of the frame before that cannot be: {evened}")
    return Restorer(sizes.scale, network.eval(), steady, float(evened), model.card)


def _sizes(model: PixelModel, directory: Path) -> RestoreSizes:
    """Return what a network is built from; sizes that no run writes would take all memory."""
    names = RestoreSizes.__dataclass_fields__.keys()
    found = {name: value for name, value in model.sizes.items() if name in names}
    most = {"planes": 3, "width": _MOST_WIDTH, "blocks": _MOST_BLOCKS, "scale": max(SCALES)}
    sane = all(type(v) is int and 0 <= v <= most[n] for n, v in found.items())
    if not sane or found.get("scale") not in SCALES:
        raise ModelError(f"{directory} says sizes of a network that cannot be: {dict(model.sizes)}")
    return RestoreSizes(**found)
