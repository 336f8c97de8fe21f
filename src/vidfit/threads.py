"""Work on items in several threads, with results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    one: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    stop: Callable[[], None] = lambda: None,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[Result]:
    """Yield what ``one`` gives for each item, in their order.

    Items are taken as they are needed, so that there may be any number of them. When it fails,
    is interrupted or given up, what has not begun is left out.

    Parameters
    ----------
    workers
        Threads, at least 1.
    stop
        Called then, to have what runs end early.
    pool
        Threads that others use, too, and which stay; ``None`` makes some.
    """
    with nullcontext(pool) if pool else threads_of(workers) as threads:
        ahead: deque[Future[Result]] = deque()
        try:
            for item in items:
                ahead.append(threads.submit(one, item))
                if len(ahead) > 2 * workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BaseException:
            stop()
            for future in ahead:
                future.cancel()
            raise


def threads_of(workers: int) -> ThreadPoolExecutor:
    """Return threads for work that takes the processor, so many at a time."""
    return ThreadPoolExecutor(workers, thread_name_prefix="vidfit")


def sleep_while_waiting() -> None:
    """Let the threads of torch sleep while they wait for each other; call before it is imported.

    They would spin. A layer of a small network is shorter than another program's turn on a busy
    core, for whose end they then wait at full load.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
