"""Networks that mark the span of a text that answers a question, and what they read."""

from vidfit.backbones.reading.network import READERS, SpanNetwork, load_reader, read_reader
from vidfit.backbones.reading.spans import FoundSpan, best_spans
from vidfit.backbones.reading.windows import TextWindow, batch_of, windows_of

__all__ = [
    "READERS",
    "FoundSpan",
    "SpanNetwork",
    "TextWindow",
    "batch_of",
    "best_spans",
    "load_reader",
    "read_reader",
    "windows_of",
]
