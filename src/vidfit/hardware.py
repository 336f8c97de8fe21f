"""What this machine is: the facts that predictions and reports are tied to."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine, as far as this process may use it.

    Parameters
    ----------
    processor
        The model name of the processor.
    cores
        Logical cores that this process may keep busy: the machine's, less what affinity
        and a container's quota take away; at least 1.
    memory_bytes
        Memory that this process may come to use now: what is available on the machine, and
        not above what a container leaves; 0 when unknown.
    disk_free_bytes
        Free space at the working folder.
    accelerators
        Names of graphics processors that a driver has announced.
    system
        The operating system and its version.
    """

    processor: str
    cores: int
    memory_bytes: int
    disk_free_bytes: int
    accelerators: tuple[str, ...]
    system: str

    def describe(self) -> dict[str, str]:
        """Return the facts as a reader should see them."""
        return {
            "processor": self.processor,
            "cores": str(self.cores),
            "memory available": _gib(self.memory_bytes),
            "disk free": _gib(self.disk_free_bytes),
            "accelerators": ", ".join(self.accelerators) or "none found",
            "system": self.system,
        }


def hardware(folder: Path | None = None) -> Hardware:
    """Look at this machine, by files of the operating system alone.

    Parameters
    ----------
    folder
        Where files will be written; the working folder when not given.
    """
    return Hardware(
        processor=_processor(),
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        disk_free_bytes=shutil.disk_usage(folder or Path.cwd()).free,
        accelerators=_accelerators(),
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    )


def resident_bytes() -> int:
    """Return the memory that this process holds now, or its peak where that is not told."""
    pages = _read(Path("/proc/self/statm")).split()
    if len(pages) > 1:
        return int(pages[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak_bytes()


def peak_bytes() -> int:
    """Return the most memory that this process has held, since `forget_peak` where that works."""
    for line in _read(_PROC / "self" / "status").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak() -> None:
    """Let `peak_bytes` start anew from what is held now (on Linux)."""
    with suppress(OSError):
        (_PROC / "self" / "clear_refs").write_text("5")


def describe() -> dict[str, str]:
    """Return the facts of this machine as a reader should see them."""
    return hardware().describe()


def _gib(count_bytes: int) -> str:
    return f"{count_bytes / _GIB:.1f} GiB" if count_bytes else "unknown"


def _processor() -> str:
    for line in _read(_PROC / "cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Processor") and value.strip():
            return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def _cores() -> int:
    """Return the cores of the affinity mask, and no more than the quota's whole cores."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota = _quota_cores()
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def _quota_cores() -> float | None:
    """Return the cores that the tightest control group grants, of either version."""
    found = []
    for folder in _cgroup_folders("cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us")
            period = _read(folder / "cpu.cfs_period_us")
        limit, length = _number(quota), _number(period)
        if limit and length:
            found.append(limit / length)
    return min(found, default=None)


def _memory_bytes() -> int:
    """Return what the machine has available, and no more than control groups leave."""
    left = [_meminfo_bytes("MemAvailable")]
    for folder in _cgroup_folders("memory"):
        for limit_name, usage_name in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit = _number(_read(folder / limit_name))
            # Version 1 writes about 2**63 for "no limit".
            if limit and limit < 2**60:
                used = _number(_read(folder / usage_name)) or 0
                left.append(max(0, limit - used + _file_cache_bytes(folder)))
    known = [count for count in left if count is not None]
    return min(known, default=0)


def _meminfo_bytes(name: str) -> int | None:
    for line in _read(_PROC / "meminfo").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            kib = _number(value.split()[0])
            return None if kib is None else kib * 1024
    return None


def _file_cache_bytes(folder: Path) -> int:
    """Return the cached file pages of a control group, which it gives up when pressed."""
    for line in _read(folder / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key in ("inactive_file", "total_inactive_file"):
            return _number(value) or 0
    return 0


def _cgroup_folders(controller: str) -> list[Path]:
    """Return the folders of this process' control group and of those around it."""
    folders = []
    for line in _read(_PROC / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        # Version 2 names no controller; it is mounted at the top, or beside version 1.
        mounts = [_CGROUP / controllers, _CGROUP / controller] if controllers else [_CGROUP]
        parts = Path(group.lstrip("/")).parts
        for mount in mounts:
            folders += [mount.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _accelerators() -> tuple[str, ...]:
    """Return the NVIDIA processors that the driver lists; no framework is imported."""
    names = []
    for path in sorted((_PROC / "driver" / "nvidia" / "gpus").glob("*/information")):
        for line in _read(path).splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model" and value.strip():
                names.append(value.strip())
    return tuple(names)


def _read(path: Path) -> str:
    """Return the text of a file of the system; these may be absent on any machine."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isdecimal() else None
