"""OpenVINO leaves the process as it found it."""

from __future__ import annotations

import subprocess
import sys
import threading

from vidfit.runtime.openvino import core

PROCESS = """
import faulthandler, signal, subprocess, threading
from vidfit.runtime.openvino import core

faulthandler.enable()  # gives signal handlers a stack of their own, as pytest does
signal.signal(signal.SIGCHLD, lambda *_: None)
for _ in range(2):
    core().get_property("CPU", "FULL_DEVICE_NAME")
thread = threading.Thread(target=lambda: core().get_property("CPU", "FULL_DEVICE_NAME"))
thread.start()
thread.join()
subprocess.run(["true"], check=True)
print("alive")
"""


def test_it_is_started_once():
    found = []
    threads = [threading.Thread(target=lambda: found.append(core())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(one is core() for one in found)


def test_signals_reach_a_process_that_used_it():
    ended = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
