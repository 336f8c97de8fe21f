"""All benchmarks, one after the other: a table of every bar, met or not.

Each runs as a process of its own, and its output is kept: a run that was interrupted goes on with
the first one whose output is not there. With --quick each is a smaller run, to see that it works;
its bars are then those of small samples.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks._harness import arguments, environment, finish, load, table
from vidfit.documents import json_in, to_json
from vidfit.files import write_whole

FOLDER = Path(__file__).parent
NAMES = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith(("_", "all")))

HEADING = "## Every bar in one run"
"""Over the table, in a page."""

_VERDICT = re.compile(r": (bar met|bar NOT met|no bar)$")
_QUICK_SECONDS, _SECONDS = 600.0, 4 * 3600.0
"""A run that lasts longer is ended: it counts as failed."""


@dataclass(frozen=True)
class Verdict:
    """What a benchmark said last, and how long it took; ``failed`` where it said nothing.

    ``load`` is the machine's as it began.
    """

    name: str
    verdict: str
    headline: str
    seconds: float
    load: str = ""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--logs", type=Path, default=Path("runs/benchmarks"), help="kept output")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the table into a page, too")
    options = parser.parse_args()
    start = environment()
    logs = options.logs / ("quick" if options.quick else "whole")
    found = [_verdict(name, logs, quick=options.quick) for name in options.only]
    print()
    table(
        ("benchmark", "seconds", "verdict"),
        [(one.name, f"{one.seconds:.0f}", one.verdict) for one in found],
    )
    for one in found:
        print(f"{one.name}: {one.headline}")
    if options.page:
        _write_into(options.page, _section(found, start, quick=options.quick))
    figures = {one.name: asdict(one) for one in found}
    missed = [one.name for one in found if one.verdict in ("bar NOT met", "failed")]
    headline = f"{len(found)} benchmarks, {len(missed)} with a bar that is missed"
    finish(options, figures, start, f"{headline} {missed or ''}".rstrip(), met=not missed)


def _write_into(page: Path, section: str) -> None:
    """Put the section in place of the one that the page has."""
    text = page.read_text(encoding="utf-8")
    before, begins, rest = text.partition(f"{HEADING}\n")
    if not begins:
        raise SystemExit(f"{page} has no line {HEADING!r}, under which the table would stand")
    _, next_begins, after = rest.partition("\n## ")
    write_whole(page, f"{before}{section}{next_begins}{after}".encode())


def _section(found: Sequence[Verdict], start: Mapping[str, Any], *, quick: bool) -> str:
    """Return the table in Markdown, with the machine and the versions."""
    machine = f"{start['machine']['processor']}, {start['machine']['cores']} cores"
    versions = ", ".join(f"{name} {version}" for name, version in start["versions"].items())
    rows = [
        f"| `{one.name}` | {one.verdict} | {one.seconds:.0f} | {_first(one.load)} "
        f"| {one.headline.replace('|', '/')} |"
        for one in found
    ]
    return "\n".join(
        [
            HEADING,
            "",
            f"Written by `python -m benchmarks.all{' --quick' if quick else ''}`. "
            f"Machine: {machine}. Versions: {versions}. Load is that of the minute before each; "
            "where there is none it was not noted.",
            "",
            "| benchmark | verdict | seconds | load | what it said last |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _first(load: str) -> str:
    """Return the first number of a load, in words."""
    found = re.search(r"[\d.]+", load)
    return found.group() if found else ""


def _verdict(name: str, logs: Path, *, quick: bool) -> Verdict:
    """Run a benchmark, unless its verdict is kept."""
    kept = logs / f"{name}.json"
    if kept.is_file():
        return Verdict(**json_in(kept.read_text(encoding="utf-8")))
    before = load()
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    began = time.monotonic()
    lines = _output(command, logs / f"{name}.txt", _QUICK_SECONDS if quick else _SECONDS)
    last = lines[-1] if lines else ""
    ended = _VERDICT.search(last)
    verdict = ended.group(1) if ended else "failed"
    found = Verdict(name, verdict, _VERDICT.sub("", last), time.monotonic() - began, before)
    print(f"{found.seconds:6.0f} s  {name}: {found.verdict}", flush=True)
    write_whole(kept, to_json(asdict(found), ascii_only=False).encode())
    return found


def _output(command: Sequence[str], log: Path, seconds: float) -> list[str]:
    """Return the lines that a command printed."""
    try:
        ran = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False
        )
        printed = ran.stdout
    except subprocess.TimeoutExpired as error:
        printed = (error.stdout or b"") + f"\nended after {seconds:.0f} s".encode()
    write_whole(log, printed)
    return printed.decode("utf-8", "replace").strip().splitlines()


if __name__ == "__main__":
    main()
