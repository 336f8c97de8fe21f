"""How long the stages of a job take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from vidfit.reported import Stage


@contextmanager
def timed(stages: list[Stage], name: str, predicted: float | None = None) -> Iterator[None]:
    """Append the stage with the wall seconds that were predicted and measured."""
    started = time.perf_counter()
    yield
    stages.append(Stage(name, predicted, time.perf_counter() - started))


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep BLAS to one thread: thousands of small fits only wait for one another in more."""
    import sklearn.linear_model  # noqa: F401  (only libraries that are loaded are limited)
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits
