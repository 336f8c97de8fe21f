"""What trains: this machine as it is probed, or one that a user describes."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.hardware import hardware
from vidfit.plans import Machine

_GIB, _TERA, _GIGA = 2**30, 1e12, 1e9


@dataclass(frozen=True, slots=True)
class Device:
    """A graphics processor, by the data sheet of its maker: dense, without sparsity."""

    memory_gib: float
    half_tflops: float
    single_tflops: float
    bandwidth_gigabytes: float
    bf16: bool = True


DEVICES: dict[str, Device] = {
    "T4": Device(16, 65, 8.1, 320, bf16=False),
    "V100": Device(32, 125, 15.7, 900, bf16=False),
    "RTX 3090": Device(24, 71, 35.6, 936),
    "RTX 4090": Device(24, 165, 82.6, 1008),
    "A10": Device(24, 125, 31.2, 600),
    "L4": Device(24, 121, 30.3, 300),
    "L40S": Device(48, 362, 91.6, 864),
    "A100": Device(80, 312, 19.5, 2039),
    "A100-40GB": Device(40, 312, 19.5, 1555),
    "H100": Device(80, 989, 66.9, 3350),
    "H200": Device(141, 989, 66.9, 4800),
}
"""NVIDIA's data sheets (SXM where there are several forms); GeForce with float32 sums."""

SYSTEM_SHARE = 0.05
"""Of a device's memory that its driver keeps."""


def this_machine(memory_bytes: int | None = None, cores: int | None = None) -> Machine:
    """Look at this machine and measure a large matrix product and copy; about a second.

    Parameters
    ----------
    memory_bytes
        That training may use; what is available now when not given.
    cores
        That it may use; with another number than there are, times are estimates.
    """
    found = hardware()
    use = cores or found.cores
    flops = {"fp32": _product_flops() * use / found.cores}
    return Machine(
        name=found.processor,
        device="cpu",
        devices=1,
        memory_bytes=min(memory_bytes or found.memory_bytes, found.memory_bytes or 2**62),
        # bf16 pays only with instructions for it: without, it took 7 to 25 times as long.
        flops_per_second=flops | ({"bf16": 2 * flops["fp32"]} if _has_bf16() else {}),
        bandwidth_bytes_per_second=_copy_bandwidth(),
        cores=use,
        described=use != found.cores,
    )


def described(gpu: str, cores: int | None = None) -> Machine:
    """Return a machine of graphics processors from words such as ``24GiB x 4`` or ``H100 x 8``.

    Raises
    ------
    VidfitError
        If the words name no device and no amount of memory.
    """
    match = re.fullmatch(r"\s*(.+?)\s*(?:[x*]\s*(\d+))?\s*", gpu)
    count = int(match[2] or 1) if match else 0
    if not match or count < 1:
        raise VidfitError(f"{gpu!r} is no machine; write '24GiB x 4' or 'H100 x 8'")
    name, device = _device(match[1])
    half = "bf16" if device.bf16 else "fp16"
    return Machine(
        name=f"{name} x {count}" if count > 1 else name,
        device="cuda",
        devices=count,
        memory_bytes=int(device.memory_gib * _GIB * (1 - SYSTEM_SHARE)),
        flops_per_second={
            half: device.half_tflops * _TERA,
            "fp32": device.single_tflops * _TERA,
        },
        bandwidth_bytes_per_second=device.bandwidth_gigabytes * _GIGA,
        cores=cores or 8 * count,
        described=True,
    )


def _device(words: str) -> tuple[str, Device]:
    """Return a known device, or one of this memory that is as slow as the slowest with it."""
    known = {name.lower().replace(" ", ""): name for name in DEVICES}
    key = words.lower().replace(" ", "")
    if key in known:
        return known[key], DEVICES[known[key]]
    size = re.fullmatch(r"(\d+(?:\.\d+)?)gi?b", key)
    if not size:
        close = difflib.get_close_matches(key, known, 1)
        hint = f"; did you mean {known[close[0]]!r}?" if close else "."
        raise VidfitError(
            f"There is no graphics processor {words!r}{hint} Valid are {', '.join(DEVICES)}, or "
            "an amount of memory such as 24GiB."
        )
    memory = float(size[1])
    alike = [d for d in DEVICES.values() if d.memory_gib >= memory and d.bf16]
    slowest = min(alike or DEVICES.values(), key=lambda d: d.half_tflops)
    return f"{memory:g} GiB", replace(slowest, memory_gib=memory)


def _product_flops(size: int = 1024) -> float:
    """Return operations a second of a float32 matrix product on all cores, the best of five."""
    import numpy as np

    left, right = np.ones((size, size), np.float32), np.ones((size, size), np.float32)
    return 2 * size**3 / _fastest(lambda: left @ right)


def _copy_bandwidth(size_bytes: int = 2**26) -> float:
    """Return bytes a second that one thread reads and writes."""
    import numpy as np

    source = np.ones(size_bytes, np.uint8)
    target = np.empty_like(source)
    return 2 * size_bytes / _fastest(lambda: np.copyto(target, source))


def _fastest(work: Callable[[], object], repeats: int = 5) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return max(min(seconds), 1e-9)


def _has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:  # not Linux: then nothing is known, and float32 is right everywhere
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
