"""glibc's allocator, tuned for networks that free and take the same large blocks again."""

from __future__ import annotations

import ctypes
import functools
import gc
import platform

# From glibc's malloc.h
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4
M_ARENA_MAX = -8

TOP_PAD_BYTES = 64 * 2**20
NEVER_TRIM_BYTES = 2**31 - 1


@functools.cache
def tune() -> bool:
    """Keep freed memory in the process instead of returning it to the system; once a process.

    Large blocks are by default mapped and unmapped each time, and their page faults can cost
    more than the arithmetic: 103 against 30 ms an image for eager EfficientNet-Lite0, batch 32.

    Returns
    -------
    bool
        Whether the settings were taken; ``False`` where the C library is not glibc.
    """
    return _set({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: NEVER_TRIM_BYTES, M_TOP_PAD: TOP_PAD_BYTES})


def share_heap() -> bool:
    """Have threads that start from now on take memory from one heap.

    By default each has its own, and which block was freed to which depends on which thread was
    first: two equal runs of training held up to 8 % more or less. With one heap they hold the
    same to 1 %, so that what was measured once can be relied on (`benchmarks.plan_limits`).

    Returns
    -------
    bool
        As of `tune`.
    """
    return _set({M_ARENA_MAX: 1})


def pad_little() -> bool:
    """Grow the heap by 1 MiB more than is asked, and no longer by 64.

    What nobody writes to takes no memory, but counts under a limit of `resource.RLIMIT_DATA`.

    Returns
    -------
    bool
        As of `tune`.
    """
    return _set({M_TOP_PAD: 2**20})


def give_back() -> None:
    """Return freed memory to the system, so that what rises from here on was taken anew.

    Where the C library is not glibc nothing is done.
    """
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _set(settings: dict[int, int]) -> bool:
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(name, value) == 1 for name, value in settings.items())
