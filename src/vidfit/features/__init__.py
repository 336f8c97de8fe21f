"""From videos to features: decode once, ask many backbones, keep the answers on disk."""

from importlib import import_module
from typing import TYPE_CHECKING

from vidfit.features.digests import clip_digest
from vidfit.features.outcome import ClipOutcome, ToSee, stream, stream_each
from vidfit.features.pool import (
    IN_STEPS,
    STATISTICS,
    STEPS,
    Pooling,
    temporal_statistics,
    time_steps,
)

if TYPE_CHECKING:
    from vidfit.features.store import FeatureStore

__all__ = [
    "IN_STEPS",
    "Pooling",
    "STATISTICS",
    "STEPS",
    "ClipOutcome",
    "FeatureStore",
    "ToSee",
    "clip_digest",
    "stream",
    "stream_each",
    "temporal_statistics",
    "time_steps",
]


def __getattr__(name: str) -> object:
    if name != "FeatureStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # pyarrow comes with it, for which who only predicts should not wait.
    return import_module(f"{__name__}.store").FeatureStore
