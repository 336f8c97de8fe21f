"""Work on its way to other processes: weights lie in a folder, all else travels with it.

Only processes that we started ourselves read what is written here, as Spark's own functions are.
"""

from __future__ import annotations

import hashlib
import io
import sys
import uuid
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from vidfit import backbones as zoo
from vidfit.backbones.shuffled import Shuffled
from vidfit.contracts import Backbone, Detector, GraphBackbone, TorchBackbone
from vidfit.features.digests import spec_key
from vidfit.runtime import Accelerated, loaded, reopened


def pack(task: object, weights: Path) -> bytes:
    """Return a task as bytes that `pickle.loads` opens in another process.

    Parameters
    ----------
    weights
        Folder that all processes see; encoders are written there once.
    """
    from pyspark import cloudpickle

    plain: Any = cloudpickle  # it has no types

    class Pickler(plain.CloudPickler):  # type: ignore[misc]
        def reducer_override(self, value: object) -> object:
            return _reduced(value, weights) or super().reducer_override(value)

    for name in zoo.own_files():
        if name in sys.modules:  # other processes cannot import files of users
            plain.register_pickle_by_value(sys.modules[name])
    stream = io.BytesIO()
    Pickler(stream).dump(task)
    return stream.getvalue()


def _reduced(
    value: object, weights: Path
) -> tuple[Callable[..., object], tuple[object, ...]] | None:
    """Return how another process gets an encoder; ``None`` for what travels as it is."""
    if isinstance(value, Accelerated):
        return _open, (loaded(value), value.engine, value.frames)
    if isinstance(value, Detector) and isinstance(value.candidates, Accelerated):
        run = value.candidates
        return _open_detector, (value.over(loaded(run)), run.engine, run.frames)
    # One with frames in another order has the family of what it wraps.
    if isinstance(value, type | Shuffled) or not isinstance(value, Backbone):
        return None
    if value.spec.family not in zoo.RESTORE or type(value).__module__ in zoo.own_files():
        return None
    return _restored, (_saved(value, weights),)


def _saved(backbone: Backbone, weights: Path) -> str:
    """Write an encoder, whole or not at all, unless it is there."""
    name = hashlib.sha256(backbone.spec.name.encode()).hexdigest()[:8]
    key = f"{spec_key(backbone.spec)}-{name}"
    folder = weights / key
    if not folder.is_dir():
        temporary = weights / f".{key}-{uuid.uuid4().hex}"
        zoo.save(backbone, temporary)
        temporary.rename(folder)
    return str(folder.resolve())


@lru_cache(maxsize=16)
def _restored(folder: str) -> Backbone:
    """Read an encoder once for a process."""
    return zoo.restore(Path(folder))


_opened: dict[tuple[int, str, int], Accelerated] = {}


def _open(base: TorchBackbone | GraphBackbone, engine: str, frames: int) -> Accelerated:
    """Open an encoder on an engine once for a process."""
    key = (id(base), engine, frames)
    if key not in _opened:
        _opened[key] = reopened(base, engine, frames)
    return _opened[key]


def _open_detector(detector: Detector, engine: str, frames: int) -> Detector:
    """Open the network of a detector on an engine once for a process."""
    base = detector.candidates
    assert isinstance(base, TorchBackbone | GraphBackbone)  # noqa: S101  (an engine ran it)
    return detector.over(_open(base, engine, frames))
