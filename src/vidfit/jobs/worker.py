"""One process of a training run: ``python -m vidfit.jobs.worker FOLDER [FILE.py:NAME]``.

torchrun starts several of them, also on several machines that share the folder::

    torchrun --nnodes 2 --nproc-per-node 8 --max-restarts 3 -m vidfit.jobs.worker run/

An encoder of one's own is named here: what the folder's plan names is not run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vidfit.errors import VidfitError
from vidfit.jobs.train.folder import execute
from vidfit.progress import SILENT
from vidfit.study.interrupts import stopped_by_signals


def main() -> int:
    """Execute the run; 130 when it was asked to pause, 2 when it cannot be executed."""
    try:
        with stopped_by_signals() as stop:
            return 0 if execute(Path(sys.argv[1]), SILENT, stop, sys.argv[2:]) else 130
    except VidfitError as error:
        sys.stderr.write(f"vidfit: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
