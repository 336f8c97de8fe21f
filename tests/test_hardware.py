from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidfit import hardware as module
from vidfit.hardware import Hardware, describe, hardware

GIB = 2**30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A made-up machine: a function that writes one of its system files."""
    monkeypatch.setattr(module, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(module, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable:   16777216 kB\n")
    write("proc/cpuinfo", "processor : 0\nmodel name\t: Fast One @ 3GHz\n")
    return write


def test_this_machine():
    found = hardware()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert found.disk_free_bytes > 0
    assert describe()["cores"] == str(found.cores)


def test_a_machine_without_limits(machine):
    found = hardware()
    assert (found.processor, found.cores) == ("Fast One @ 3GHz", 8)
    assert found.memory_bytes == 16 * GIB
    assert found.accelerators == ()


def test_limits_of_control_groups_version_2(machine):
    machine("proc/self/cgroup", "0::/outer/inner\n")
    machine("cgroup/outer/cpu.max", "250000 100000\n")
    machine("cgroup/outer/inner/cpu.max", "max 100000\n")
    machine("cgroup/outer/inner/memory.max", f"{4 * GIB}\n")
    machine("cgroup/outer/inner/memory.current", f"{2 * GIB}\n")
    machine("cgroup/outer/inner/memory.stat", f"anon 1\ninactive_file {GIB}\n")
    found = hardware()
    assert found.cores == 2
    assert found.memory_bytes == 3 * GIB


def test_limits_of_control_groups_version_1(machine):
    machine("proc/self/cgroup", "4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n")
    machine("cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n")
    machine("cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    machine("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    machine("cgroup/memory/box/memory.limit_in_bytes", f"{GIB}\n")
    machine("cgroup/memory/box/memory.usage_in_bytes", "0\n")
    found = hardware()
    assert found.cores == 1
    assert found.memory_bytes == GIB


def test_no_quota_is_no_limit(machine):
    machine("proc/self/cgroup", "3:cpu:/\n")
    machine("cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    machine("cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert hardware().cores == 8


def test_accelerators_that_the_driver_lists(machine):
    machine("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t NVIDIA H100\nIRQ: 5\n")
    assert hardware().accelerators == ("NVIDIA H100",)


def test_a_system_without_proc_is_described_as_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PROC", tmp_path / "nothing")
    assert hardware().memory_bytes == 0
    assert describe()["memory available"] == "unknown"


def test_figures_are_shown_with_units():
    shown = Hardware("p", 2, 3 * GIB, GIB // 2, ("g",), "s").describe()
    assert (shown["memory available"], shown["disk free"]) == ("3.0 GiB", "0.5 GiB")


def test_a_folder_that_does_not_exist_fails(tmp_path):
    with pytest.raises(FileNotFoundError):
        hardware(Path(tmp_path / "absent"))


def test_no_framework_is_imported():
    code = "import sys, vidfit.hardware as h; h.hardware(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


GROWS = """
import os
from vidfit.hardware import resident_bytes
before = resident_bytes()
held = bytearray(os.urandom(64 * 2**20))
print((resident_bytes() - before) / len(held))
"""


def test_the_memory_of_a_process_grows_with_what_it_holds():
    # A process of its own: one that has freed memory before takes that again.
    command = [sys.executable, "-c", GROWS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 0.5 < float(done.stdout) < 4
