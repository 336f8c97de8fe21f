"""Interrupts as a wish to stop at the next step, so that a checkpoint is written first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """Turn an interrupt or a termination into a wish to stop at the next step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # only the main thread may handle signals
        return
    kept = {s: signal.signal(s, lambda *_: asked.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
