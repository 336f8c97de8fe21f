"""From nothing to an answer: what a start takes, of the command line, of a model, and of a fit.

Each figure is of whole processes that begin cold: medians of several, with the caches of engines
filled, but for the fit, whose caches are empty. What an install takes is added up over the files
of the packages that the core needs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks._harness import arguments, environment, finish, load, table

FIGHTS = Path(__file__).parents[2] / "shared" / "data" / "fight_surv"
VIDFIT = str(Path(sys.executable).with_name("vidfit"))

BARS = {
    "import vidfit": 0.1,
    "vidfit --help": 0.4,
    "vidfit predict, a clip of two seconds": 1.0,
    "vidfit select, its first ranking": 20.0,
    "vidfit select, its first ranking, from nothing": 20.0,
    "vidfit fit, from nothing": 60.0,
}
"""Most seconds on the clock."""

SO_FAR = " so far: "
"""In the line of a ranking that is not the last."""

MOST_INSTALLED_BYTES = 1.2e9
ROUNDS = 7


def main() -> None:
    options = arguments(__doc__).parse_args()
    start = environment()
    print(f"{start['machine']['processor']}, {start['load']}")
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = _some(folder / "clips")
        _run([VIDFIT, "fit", str(clips), "--backbone", "efficientnet-lite0", "-o", f"{name}/out"])
        clip = str(next(clips.rglob("*.mp4")))
        whole = {
            "import vidfit": [sys.executable, "-c", "import vidfit"],
            "vidfit --help": [VIDFIT, "--help"],
            "vidfit predict, a clip of two seconds": [VIDFIT, "predict", f"{name}/out/model", clip],
        }
        for what, command in whole.items():
            runs = [_run(command) for _ in range(3 if options.quick else ROUNDS)]
            found[what] = _median(runs)
        if not options.quick:
            own = {"XDG_CACHE_HOME": f"{name}/cache"}
            select = [VIDFIT, "select", str(FIGHTS), "-o"]
            first = "vidfit select, its first ranking"
            found[f"{first}, from nothing"] = _run([*select, f"{name}/first"], own, SO_FAR)
            found[first] = _run([*select, f"{name}/second"], own, SO_FAR)
            fit = [VIDFIT, "fit", str(FIGHTS), "-o", f"{name}/fit"]
            found["vidfit fit, from nothing"] = _run(fit, {"XDG_CACHE_HOME": f"{name}/empty"})
    installed = _installed_bytes()
    print(load())
    table(
        ("what", "seconds", "of the processor", "bar"),
        [(what, f"{w:.2f}", f"{c:.2f}", f"{BARS[what]:g}") for what, (w, c) in found.items()],
    )
    largest = ", ".join(f"{n} {b / 1e6:.0f} MB" for n, b in list(installed.items())[:8])
    total = sum(installed.values())
    print(f"core install: {total / 1e9:.2f} GB in {len(installed)} packages: {largest}")
    missed = [what for what, (wall, _) in found.items() if wall > BARS[what]]
    said = "; ".join(
        f"{what} {wall:.2f} s (bar {BARS[what]:g})" for what, (wall, _) in found.items()
    )
    headline = f"{said}; core install {total / 1e9:.2f} GB (bar {MOST_INSTALLED_BYTES / 1e9:g})"
    figures = {"starts": found, "installed bytes": installed}
    met = not missed and total <= MOST_INSTALLED_BYTES
    finish(options, figures, start, headline, met=None if options.quick else met)


def _some(folder: Path) -> Path:
    """Return a folder of each eighth clip of the fights."""
    for path in sorted(FIGHTS.rglob("*.mp4"))[::8]:
        place = folder / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    return folder


def _run(
    command: list[str], own: dict[str, str] | None = None, until: str = ""
) -> tuple[float, float]:
    """Run a command, to its end or until it says something; return its seconds.

    Those on the clock and those of the processor.
    """
    began, said = time.perf_counter(), deque[str](maxlen=20)
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | (own or {}),
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    assert child.stderr  # noqa: S101  (it is piped)
    for line in child.stderr:
        said.append(line)
        if until and until in line:
            break
    wall = time.perf_counter() - began
    is_cut = bool(until) and until in said[-1]
    if is_cut:
        child.kill()
    child.communicate()
    print(f"{wall:8.2f} s  {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
    if child.returncode and not is_cut:
        raise SystemExit(f"{' '.join(command)}: {''.join(said)[-2000:]}")
    return wall, _children_seconds()


_spent = 0.0


def _children_seconds() -> float:
    """Return the seconds of the processor of children since the last call."""
    global _spent
    times = os.times()
    now = times.children_user + times.children_system
    last, _spent = _spent, now
    return now - last


def _median(runs: list[tuple[float, float]]) -> tuple[float, float]:
    walls, cpus = zip(*runs, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def _installed_bytes() -> dict[str, int]:
    """Return the bytes of the packages that the core needs, the largest first."""
    found: dict[str, int] = {}
    wanted = ["vidfit"]
    while wanted:
        one = metadata.distribution(wanted.pop())
        name = one.metadata["Name"].lower().replace("_", "-")
        if name in found:
            continue
        places = [Path(str(one.locate_file(file))) for file in one.files or ()]
        found[name] = sum(place.stat().st_size for place in places if place.is_file())
        needs = map(Requirement, one.requires or ())
        wanted += [r.name for r in needs if not r.marker or r.marker.evaluate({"extra": ""})]
    return dict(sorted(found.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    main()
