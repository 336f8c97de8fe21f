"""What a step of learning costs by kind of attention and length: each in a process of its own.

``python -m benchmarks._reading_attention NAME TOKENS`` prints seconds of the processor and bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks._reading_networks import network, role_swaps
from vidfit.hardware import forget_peak, peak_bytes, resident_bytes

STEPS = 2
SECONDS = 900


def measured(name: str, tokens: int) -> dict[str, float]:
    """Return seconds of the processor and bytes of a step on one document."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._reading_attention", name, str(tokens)],
        capture_output=True, text=True, timeout=SECONDS, check=False,
        cwd=Path(__file__).parents[1], env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{name} at {tokens} tokens: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(name: str, tokens: int) -> None:
    from vidfit.backbones.hub.models import quiet
    from vidfit.jobs.read.learn import ReadingRecipe, marked_windows, span_loss

    reader = network(name, tokens)
    recipe = ReadingRecipe(most_tokens=tokens, overlap_tokens=8)
    rows = marked_windows(reader, role_swaps(STEPS, tokens, 0), recipe)
    reader.network.train()
    seconds = []
    with quiet():
        span_loss(reader, rows[:1]).backward()  # tables are built, memory is taken
        forget_peak()
        before = resident_bytes()
        for row in rows:
            began = time.process_time()
            span_loss(reader, [row]).backward()
            seconds.append(time.process_time() - began)
    print(json.dumps({"seconds": min(seconds), "bytes": max(peak_bytes() - before, 0)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
