"""What makes frames larger: a network or a fixed filter, tile by tile, and how it is kept.

Shape letters: H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidfit.contracts import Floats
from vidfit.errors import ModelError
from vidfit.pixels.restore.degrade import Luma
from vidfit.pixels.restore.enlarge import FILTERS, larger
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.pretrained import PretrainedRestorer, load_pretrained
from vidfit.pixels.restore.steady import Steadied
from vidfit.pixels.restore.tiles import in_tiles
from vidfit.pixels.saved import PixelModel, load_pixels, save_pixels

TASK = "restore"
SCALES = (2, 4)
_MOST_WIDTH, _MOST_BLOCKS = 512, 64


@dataclass(frozen=True)
class Restorer:
    """Makes luma ``scale`` times larger each way.

    Parameters
    ----------
    network
        One that learned from clips, or a pretrained one; ``None`` is the filter alone.
    by
        The filter: ``bicubic`` or ``lanczos``.
    steady
        Whether what the network adds is averaged along the motion; see `Steadied`.
    evened
        Share of a frame that is taken from the one before, where it is steadied, in [0, 1).
    """

    scale: int
    network: RestoreNetwork | PretrainedRestorer | None = None
    by: str = "bicubic"
    steady: bool = False
    evened: float = 0.0
    card: Mapping[str, Any] | None = None

    def begin(self) -> Restored:
        """Return what makes the frames of one video larger, in their order."""
        return Running(self).restored


Restored = Callable[[Luma], Floats]
"""From the next frame of a video to the large one, 0 to 255, not rounded."""


class Running:
    """A restorer that goes through a video."""

    def __init__(self, restorer: Restorer) -> None:
        self._restorer, self.steadied = restorer, Steadied(restorer.evened)

    def restored(self, frame_HW: Luma) -> Floats:
        """Return the luma of the next frame made larger, 0 to 255, not rounded."""
        of, frame = self._restorer, frame_HW.astype(np.float32)
        if of.network is None:
            return _filtered(frame, of.scale, of.by)
        if isinstance(of.network, PretrainedRestorer):
            return of.network.restored(frame_HW)
        reach = of.network.sizes.reach_pixels
        made = in_tiles(partial(_forward, of.network), frame, of.scale, reach)
        return self.steadied.add(_filtered(frame, of.scale), made) if of.steady else made


def _filtered(frame_HW: Floats, scale: int, by: str = "bicubic") -> Floats:
    return next(iter(larger(frame_HW[None], scale, by)))


def _forward(network: RestoreNetwork, frame_HW: Floats) -> Floats:
    with torch.inference_mode():
        frame = torch.from_numpy(np.ascontiguousarray(frame_HW / np.float32(255)))[None, None]
        large: Floats = network(frame)[0, 0].numpy()
    return np.asarray(np.clip(large * np.float32(255), 0.0, 255.0), np.float32)


def save_restorer(restorer: Restorer, directory: Path) -> None:
    """Write a restorer; of a pretrained network its name and digest.

    Raises
    ------
    ModelError
        If it cannot be written.
    """
    network = restorer.network
    if network is None:
        sizes: dict[str, Any] = {"scale": restorer.scale, "filter": restorer.by}
    elif isinstance(network, PretrainedRestorer):
        sizes = {"scale": restorer.scale, "pretrained": network.name, "sha256": network.sha256}
    else:
        motion = {"steady": restorer.steady, "evened": restorer.evened}
        sizes = {**asdict(network.sizes), **motion}
    own = network.state_dict() if isinstance(network, RestoreNetwork) else {}
    weights = {f"network/{n}": t for n, t in own.items()}
    save_pixels(PixelModel(TASK, sizes, weights, dict(restorer.card or {})), directory)


def load_restorer(directory: Path) -> Restorer:
    """Read a restorer; no code is run.

    Raises
    ------
    BackboneError
        If the weights of a pretrained network are not on this machine.
    ModelError
        If it is no restorer, damaged or altered.
    """
    model = load_pixels(directory, TASK)
    sizes = _sizes(model, directory)
    if (by := model.sizes.get("filter")) is not None:
        if by not in FILTERS:
            raise ModelError(f"{directory} says a filter that is not known: {by}; update vidfit")
        return Restorer(sizes.scale, by=by, card=model.card)
    if (name := model.sizes.get("pretrained")) is not None:
        pretrained = load_pretrained(str(name))
        if pretrained.scale != sizes.scale or pretrained.sha256 != model.sizes.get("sha256"):
            raise ModelError(f"{directory} was measured with other weights of {name}; fit it again")
        return Restorer(sizes.scale, pretrained, card=model.card)
    network = RestoreNetwork(sizes)
    try:
        network.load_state_dict(model.part("network"))
    except RuntimeError as error:
        raise ModelError(f"{directory} is damaged: its weights do not fit its sizes") from error
    steady, evened = model.sizes.get("steady") is True, model.sizes.get("evened", 0.0)
    if not (isinstance(evened, float | int) and 0 <= evened < 1):
        raise ModelError(f"{directory} says a share of the frame before that cannot be: {evened}")
    return Restorer(
        sizes.scale, network.eval(), steady=steady, evened=float(evened), card=model.card
    )


def _sizes(model: PixelModel, directory: Path) -> RestoreSizes:
    """Return what a network is built from; sizes that no run writes would take all memory."""
    names = RestoreSizes.__dataclass_fields__.keys()
    found = {name: value for name, value in model.sizes.items() if name in names}
    most = {"width": _MOST_WIDTH, "blocks": _MOST_BLOCKS, "scale": max(SCALES)}
    sane = all(type(v) is int and 0 <= v <= most[n] for n, v in found.items())
    if not sane or found.get("scale") not in SCALES:
        raise ModelError(f"{directory} says sizes of a network that cannot be: {dict(model.sizes)}")
    return RestoreSizes(**found)
