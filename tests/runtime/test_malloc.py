"""The allocator is tuned where it is glibc's, and only there."""

import platform
import subprocess
import sys

import pytest

from vidfit.runtime import malloc

# Takes and frees 64 MB twenty times and counts the page faults that this causes.
COUNT_FAULTS = """
import resource, sys, numpy as np
if sys.argv[1] == "tuned":
    from vidfit.runtime import malloc
    assert malloc.tune()
np.ones(2**23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    command = [sys.executable, "-c", COUNT_FAULTS, how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tunes glibc only")
def test_freed_memory_is_kept():
    assert faults("tuned") < faults("untuned") / 4


HEAPS = """
import ctypes, sys, threading
from vidfit.runtime import malloc
if sys.argv[1] == "shared":
    assert malloc.share_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
found, barrier = [], threading.Barrier(4)
def take():
    barrier.wait()
    found.append(libc.malloc(1 << 12))
    barrier.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
# Heaps of threads start at multiples of 64 MiB; the main one is wherever the program is.
print(len({address >> 26 for address in found}))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tunes glibc only")
def test_threads_share_a_heap_when_asked_to():
    counts = {}
    for how in ("shared", "own"):
        command = [sys.executable, "-c", HEAPS, how]
        counts[how] = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert counts["shared"] == 1 < counts["own"]


GROWTH = """
import ctypes, sys
from pathlib import Path
from vidfit.runtime import malloc
def data_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData:"))
malloc.tune()
if sys.argv[1] == "little":
    assert malloc.pad_little()
ctypes.CDLL(None).malloc.restype = ctypes.c_void_p
before = data_kib()
ctypes.CDLL(None).malloc(ctypes.c_size_t(1 << 28))
print(data_kib() - before - (1 << 18))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tunes glibc only")
def test_a_heap_that_is_padded_little_counts_little_that_nobody_wrote():
    grown = {}
    for how in ("little", "much"):
        command = [sys.executable, "-c", GROWTH, how]
        grown[how] = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert grown["little"] < 4 * 1024 < 32 * 1024 < grown["much"]


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert malloc.tune.__wrapped__() is False
    assert malloc.share_heap() is False
    assert malloc.pad_little() is False
