"""A reader that can be killed: ``python -m tests.shards.reader SHARDS STATE WORKERS``.

After each batch it writes, as one file, its state and the names of all samples so far.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vidfit.shards.stream import SampleLoader, Samples


def main() -> None:
    shards, path, workers = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    samples = Samples(shards, seed=5, window=2)
    loader = SampleLoader(samples, 3, workers)
    seen: list[str] = []
    if path.is_file():
        kept = json.loads(path.read_text())
        loader.load_state_dict(kept["state"])
        seen = kept["seen"]
    for batch in loader:
        seen += [sample.key for sample in batch]
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"state": loader.state_dict(), "seen": seen}))
        temporary.replace(path)
        sys.stdout.write("batch\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
