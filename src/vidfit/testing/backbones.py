"""Proof that an encoder, ours or a third party's, keeps its contract.

Shape letters as in `vidfit.contracts`.
"""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np

from vidfit import backbones
from vidfit.backbones.saved import SPEC_FILE
from vidfit.contracts import Architecture, Backbone, BackboneSpec, Floats, Frames, TorchBackbone
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError

TOLERANCE = 1e-4
"""Largest difference between tokens that should be equal, relative to the largest value.

Float32 sums may be taken in another order for another batch size."""


def check_backbone(backbone: Backbone) -> None:
    """Prove that a backbone keeps the contract of `vidfit.contracts.Backbone`.

    Its facts are plausible; tokens are finite float32 [B, N, D], repeat, do not depend on the
    other views of a batch or on other threads; it comes back from disk unchanged, and altered
    files are refused. Takes about ten forwards of one or two views.

    Raises
    ------
    BackboneError
        Says which promise is broken.
    """
    _require(isinstance(backbone, Backbone), f"{backbone!r} lacks spec, forward or save")
    _check_spec(backbone)
    frames_BTHWC = random_views(backbone.spec, count=2)
    tokens_BND = backbone.forward(frames_BTHWC)
    _check_tokens(backbone, frames_BTHWC, tokens_BND)
    _check_threads(backbone, frames_BTHWC, tokens_BND)
    with tempfile.TemporaryDirectory() as folder:
        _check_restore(backbone, Path(folder), frames_BTHWC, tokens_BND)
        _check_tampering(Path(folder))


def random_views(spec: BackboneSpec, count: int, seed: int = 0) -> Frames:
    """Return ``count`` views of uniform noise, uint8 [B, T, H, W, 3], sized for a backbone."""
    size = (spec.preprocessing.height_pixels, spec.preprocessing.width_pixels)
    shape = (count, spec.sampling.clip_len, *size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _check_spec(backbone: Backbone) -> None:
    spec = backbone.spec
    for field in ("name", "family", "licence", "source", "revision"):
        _require(bool(getattr(spec, field)), f"spec.{field} is empty")
    _require(spec.architecture in get_args(Architecture), f"architecture {spec.architecture!r}")
    _require(spec.dim > 0, f"dim is {spec.dim}")
    _require(spec.parameters >= 0, f"parameters is {spec.parameters}")
    _require(spec.gmacs_per_view >= 0, f"gmacs_per_view is {spec.gmacs_per_view}")
    _require(spec.sampling.clip_len > 0, f"clip_len is {spec.sampling.clip_len}")
    _require(spec.sampling.num_clips > 0, f"num_clips is {spec.sampling.num_clips}")
    _require(min(spec.preprocessing.std) > 0, f"std is {spec.preprocessing.std}")
    if isinstance(backbone, TorchBackbone):
        _require(not backbone.network.training, "the network is in training mode")
        _require(spec.parameters > 0 and spec.gmacs_per_view > 0, "a network that costs nothing")
        is_sha256 = re.fullmatch("[0-9a-f]{64}", spec.revision) is not None
        _require(is_sha256, f"revision {spec.revision!r} is no sha256 of the weights")


def _check_tokens(backbone: Backbone, frames_BTHWC: Frames, tokens_BND: Floats) -> None:
    batch, dim = len(frames_BTHWC), backbone.spec.dim
    shape = tokens_BND.shape
    _require(
        len(shape) == 3 and (shape[0], shape[2]) == (batch, dim),
        f"tokens have the shape {shape}, not [{batch}, N, {dim}]",
    )
    _require(tokens_BND.dtype == np.float32, f"tokens are {tokens_BND.dtype}, not float32")
    _require(bool(np.isfinite(tokens_BND).all()), "tokens are not finite")
    _require(bool(np.ptp(tokens_BND) > 0), "all tokens are the same number")
    again_BND = backbone.forward(frames_BTHWC)
    _require(np.array_equal(again_BND, tokens_BND), "the same frames gave other tokens")
    for number in range(batch):
        alone_1ND = backbone.forward(frames_BTHWC[number : number + 1])
        _require_close(alone_1ND, tokens_BND[number : number + 1], "a view alone gives others")


def _check_threads(backbone: Backbone, frames_BTHWC: Frames, tokens_BND: Floats) -> None:
    calls = [frames_BTHWC, frames_BTHWC[::-1].copy()] * 2
    expected = [tokens_BND, tokens_BND[::-1]] * 2
    with ThreadPoolExecutor(2) as pool:
        for found, wanted in zip(pool.map(backbone.forward, calls), expected, strict=True):
            _require_close(found, wanted, "two threads at once give others")


def _check_restore(
    backbone: Backbone, folder: Path, frames_BTHWC: Frames, tokens_BND: Floats
) -> None:
    backbones.save(backbone, folder)
    restored = backbones.restore(folder)
    _require(restored.spec == backbone.spec, "the spec came back changed from disk")
    _require_close(
        restored.forward(frames_BTHWC), tokens_BND, "restored from disk, it gives others"
    )


def _check_tampering(folder: Path) -> None:
    """Alter a byte of each weights file, then the revision: both must be refused."""
    for path in sorted(folder.rglob("*.safetensors")):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        _require_refused(folder, f"altered weights in {path.name}")
        path.write_bytes(content)
    facts = json_in((folder / SPEC_FILE).read_text(encoding="utf-8"))
    facts["revision"] = "0" * 64
    (folder / SPEC_FILE).write_text(to_json(facts), encoding="utf-8")
    _require_refused(folder, "another revision")


def _require_refused(folder: Path, what: str) -> None:
    try:
        backbones.restore(folder)
    except BackboneError:
        return
    raise BackboneError(f"The contract is broken: {what} was restored without complaint.")


def _require_close(found: Floats, wanted: Floats, what: str) -> None:
    _require(found.shape == wanted.shape, f"{what} tokens: shape {found.shape}")
    error = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    _require(error <= TOLERANCE, f"{what} tokens: they differ by {error:.2g} of the largest")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise BackboneError(f"The contract of Backbone is broken: {complaint}.")
