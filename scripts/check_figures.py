"""Hold the figures in the documents against the commands that make them.

A block begins with ``<!-- made by: COMMAND -->`` and ends with ``<!-- end -->``. Between them
stands what COMMAND prints, bare or in a fence; lines of a fence that begin with ``$`` say what a
reader types, and stay. ``<!-- made quickly by: COMMAND -->`` is for a command of some seconds.

Commands run in ``build/figures``, with the programs of this Python first. The shared data are at
``../../../shared/data`` from there.

- Without an option every block must be whole, and quick ones must print what is shown. This is
  part of ``scripts/check``.
- ``--check TEXT`` also runs the slow ones whose command contains TEXT (``""``: all).
- ``--update TEXT`` writes what they print now.

Figures may differ by one in their last digit, times (ms, s, min) by a factor of ten.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "figures"
BLOCK = re.compile(
    r"^<!-- made (?P<quickly>quickly )?by: (?P<command>.+?) -->\n(?P<body>.*?)^<!-- end -->$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"^<!-- (?:made .*by: |end -->)", re.MULTILINE)
FENCE = re.compile(
    r"\A(?P<head>```\w*\n(?:\$ (?:[^\n]*\\\n)*[^\n]*\n)*)(?P<said>.*?)(?P<foot>```\n)\Z", re.DOTALL
)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
TIME = re.compile(r"\s?(?:ms|s|min)\b")
VERDICTS = (": bar met", ": bar NOT met", ": no bar")
TIMES = 10.0


@dataclass(frozen=True)
class Made:
    """A block of a page: its command, whether it is quick, and what stands in it."""

    place: str
    command: str
    quick: bool
    body: str

    @property
    def said(self) -> str:
        """What the command printed when the block was written."""
        fence = FENCE.match(self.body)
        return fence["said"] if fence else self.body

    def saying(self, said: str) -> str:
        """Return the body with other output of the command."""
        fence = FENCE.match(self.body)
        return f"{fence['head']}{said}{fence['foot']}" if fence else said


def blocks(place: str, text: str) -> list[Made]:
    """Return the blocks of a page."""
    return [
        Made(
            f"{place}:{text.count(chr(10), 0, m.start()) + 1}",
            m["command"],
            bool(m["quickly"]),
            m["body"],
        )
        for m in BLOCK.finditer(text)
    ]


def broken(place: str, text: str) -> Iterator[str]:
    """Yield what is wrong with the marks of a page and the form of its blocks."""
    found = blocks(place, text)
    if len(MARK.findall(text)) != 2 * len(found):
        yield f"{place}: a block has no command or no end, or holds another"
    for made in found:
        lines = made.said.rstrip().splitlines()
        if not lines:
            yield f"{made.place}: nothing stands in the block of {made.command}"
        elif "-m benchmarks." in made.command and not lines[-1].endswith(VERDICTS):
            yield f"{made.place}: the last line of a benchmark says whether its bar is met"
        cells = [line.count(" | ") for line in lines if line.startswith("| ")]
        if len(set(cells)) > 1:
            yield f"{made.place}: rows of its table differ in their number of cells"


def differences(shown: str, found: str) -> Iterator[str]:
    """Yield lines in which two outputs differ by more than figures may."""
    pairs = zip_longest(shown.rstrip().splitlines(), found.rstrip().splitlines(), fillvalue="")
    for ours, theirs in pairs:
        if _words(ours) != _words(theirs) or not all(
            _near(a, b) for a, b in zip(_numbers(ours), _numbers(theirs), strict=True)
        ):
            yield f"shown: {ours}\n    found: {theirs}"


def _words(line: str) -> str:
    """Return a line without its figures and without what pads a table."""
    return " ".join(re.sub(r"-{2,}", "-", NUMBER.sub("#", line)).split())


def _numbers(line: str) -> list[tuple[float, float, bool]]:
    """Return each figure, one in its last digit, and whether it is a time."""
    found = []
    for match in NUMBER.finditer(line):
        text = match[0].replace(",", "")
        step = 10.0 ** -len(text.partition(".")[2])
        found.append((float(text), step, bool(TIME.match(line, match.end()))))
    return found


def _near(one: tuple[float, float, bool], other: tuple[float, float, bool]) -> bool:
    (a, step, is_time), (b, other_step, _) = one, other
    if is_time:
        return a == b or (min(a, b) > 0 and max(a, b) <= TIMES * min(a, b))
    return abs(a - b) <= 1.01 * max(step, other_step)


def run(command: str) -> tuple[str, str]:
    """Return what a command prints, and what is wrong with how it ended."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    roots = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=WORK,
        env={**os.environ, "PATH": path, "PYTHONPATH": roots, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    missed = done.returncode == 1 and done.stdout.rstrip().endswith(VERDICTS[1])
    bad = done.returncode and not missed
    return done.stdout, f"ended with status {done.returncode}" if bad else ""


def compared(made: Made) -> Iterator[str]:
    """Run the command of a block and yield how its output differs."""
    said, complaint = run(made.command)
    for found in [complaint] if complaint else differences(made.said, said):
        yield f"{made.place}: {made.command}: {found}"


def updated(text: str, wanted: str) -> str:
    """Return a page with the blocks whose command contains ``wanted`` made anew."""

    def anew(match: re.Match[str]) -> str:
        (made,) = blocks("", match[0])
        if wanted not in made.command:
            return match[0]
        print(f"running {made.command}", flush=True)
        said, complaint = run(made.command)
        if complaint:
            raise SystemExit(f"{made.command}: {complaint}")
        start, end = (match.start("body") - match.start(), match.end("body") - match.start())
        return match[0][:start] + made.saying(said) + match[0][end:]

    return BLOCK.sub(anew, text)


def main() -> int:
    """Check or update the pages; print what is wrong."""
    parser = argparse.ArgumentParser(description="Figures of the documents, and their commands.")
    parser.add_argument("--check", metavar="TEXT", help="run slow blocks with this in the command")
    parser.add_argument("--update", metavar="TEXT", help="write these blocks anew")
    options = parser.parse_args()
    complaints, count, ran = [], 0, 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        if options.update is not None:
            page.write_text(text := updated(text, options.update), encoding="utf-8")
        place = str(page.relative_to(ROOT))
        complaints += broken(place, text)
        found = blocks(place, text)
        asked = options.check
        now = [b for b in found if (b.quick if asked is None else asked in b.command)]
        for made in now if options.update is None else []:
            complaints += compared(made)
            ran += 1
        count += len(found)
    for complaint in complaints:
        print(complaint)
    print(f"{count} blocks of figures, {ran} made again, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
