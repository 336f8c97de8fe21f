"""Processes of one machine that train together, started and watched by torchrun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from vidfit.errors import VidfitError
from vidfit.hardware import hardware

RESTARTS = 3
"""After a dead process: the first restart may fail, as survivors still wait for it."""

_LOOK_SECONDS = 0.5


def run(module: str, arguments: Sequence[str], count: int, look: Callable[[], bool]) -> None:
    """Run ``python -m module arguments`` in a number of processes; see `vidfit.launch.Launcher`.

    Raises
    ------
    VidfitError
        If a process died and restarts did not help.
    """
    threads = max(1, hardware().cores // count)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", str(count), "--max-restarts", str(RESTARTS)),
        *("-m", module, *arguments),
    ]
    # Modules are never taken from the working directory, where anybody's files may lie.
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONSAFEPATH": "1"}
    with subprocess.Popen(command, env=environment) as started:
        while started.poll() is None:
            time.sleep(_LOOK_SECONDS)
            if look():
                # From a terminal all have heard it; torchrun hands it on to those that have not.
                time.sleep(_LOOK_SECONDS)
                started.send_signal(signal.SIGTERM)
                started.wait()
                return
    if started.returncode:
        raise VidfitError(
            f"{count} processes ended with status {started.returncode} after {RESTARTS} "
            "restarts; what they said stands above. The same command goes on from the last "
            "checkpoint"
        )
