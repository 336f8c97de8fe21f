"""From videos to features: decode once, ask many backbones, keep the answers on disk."""

from vidfit.features.extract import Extraction, extract, extract_all
from vidfit.features.outcome import ClipOutcome, stream
from vidfit.features.pool import (
    IN_STEPS,
    STATISTICS,
    STEPS,
    Pooling,
    temporal_statistics,
    time_steps,
)
from vidfit.features.store import FeatureStore, clip_digest

__all__ = [
    "IN_STEPS",
    "Pooling",
    "STATISTICS",
    "STEPS",
    "ClipOutcome",
    "Extraction",
    "FeatureStore",
    "clip_digest",
    "extract",
    "extract_all",
    "stream",
    "temporal_statistics",
    "time_steps",
]
