"""What people wait for in the pages of `vidfit serve`, whether frames are exact, what kills lose.

Parts, by `--parts`: ``wall``, 100,000 clips in a headless browser; ``seek``, seeks in eight kinds
of files whose pictures say their numbers; ``load``, fifty clients at once; ``kills``, eight
labellers whose server is killed; ``path``, the way of a person through the pages, in pictures
(only where it is named: it fits twice); ``pages``, every page over all that can be open, at both
widths, in the light and in the dark (where it is named). Needs Chromium and its driver, `path`
ffmpeg, too.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import _serve_load, _serve_pages, _serve_path, _serve_seek, _serve_wall
from benchmarks._clips import SURVEILLANCE
from benchmarks._harness import arguments, environment, finish

DEFAULT = ("wall", "seek", "load", "kills")
QUICK = ("seek", "kills")


def _wall(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    count, turns = (10_000, 2) if options.quick else (_serve_wall.CLIPS, options.turns)
    found = _serve_wall.measure(options.clips, scratch, count, turns)
    reached = found["reached"]
    words = [
        f"{name} {reached[name]:.0f} (bar {bar:.0f})" for name, bar in _serve_wall.BARS.items()
    ]
    met = all(reached[name] <= bar for name, bar in _serve_wall.BARS.items())
    return found, f"{count:,} clips, ms and MB: {', '.join(words)}", met and not found["complaints"]


def _seek(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    seeks = 4 if options.quick else _serve_seek.SEEKS
    found = _serve_seek.measure(scratch, seeks)
    worst = min(min(row["right"], row["said"]) for row in found["kinds"])
    words = f"exact seeks in the worst of {len(found['kinds'])} kinds {worst} of {seeks} (bar all)"
    return found, words, worst == seeks and not found["complaints"]


def _load(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    clients, seconds = (10, 8.0) if options.quick else (50, 60.0)
    found = _serve_load.measure_load(options.clips, scratch, clients, seconds)
    p99, growth, errors = found["p99"], found["growth"], len(found["errors"])
    words = (
        f"{clients} clients: p99 {p99:.0f} ms (bar {_serve_load.P99_BAR:.0f}), {errors} errors "
        f"(bar 0), memory {growth:+.1%} (bar +{_serve_load.GROWTH_BAR:.0%})"
    )
    met = p99 <= _serve_load.P99_BAR and growth <= _serve_load.GROWTH_BAR and errors == 0
    return found, words, met


def _kills(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    kills, labels = (1, 40) if options.quick else (_serve_load.KILLS, 240)
    found = _serve_load.measure_kills(options.clips, scratch, kills, labels)
    harm = found["lost"] + found["twice"] + found["given to two"]
    words = (
        f"{kills} kills under {found['people']} labellers: {found['lost']} labels lost, "
        f"{found['twice']} twice, {found['given to two']} clips given to two (bar 0 each)"
    )
    return found, words, harm == 0 and found["whole"]


def _path(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    pictures = options.pictures or scratch / "pictures"
    found = _serve_path.measure(options.clips, scratch, pictures, options.axe, options.budget)
    faults = _serve_path.faults(found)
    words = f"the way of a person: {len(found['stops'])} stops, {faults} faults (bar 0)"
    return found, words, faults == 0 and not found["complaints"]


def _pages(options: Namespace, scratch: Path) -> tuple[dict[str, Any], str, bool]:
    pictures = options.pictures or scratch / "pictures"
    found = _serve_pages.measure(options.clips, scratch, pictures, options.axe)
    faults = _serve_path.faults(found)
    asked = "cut off or serious by axe" if options.axe else "cut off"
    words = f"all pages: {len(found['stops'])} stops, {faults} faults, {asked} (bar 0)"
    return found, words, faults == 0 and not found["complaints"]


PARTS: dict[str, Callable[[Namespace, Path], tuple[dict[str, Any], str, bool]]] = {
    "wall": _wall, "seek": _seek, "load": _load, "kills": _kills, "path": _path,
    "pages": _pages,
}  # fmt: skip


def main() -> None:
    """Measure the parts that are wanted."""
    parser = arguments(__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, help=f"default: {' '.join(DEFAULT)}")
    parser.add_argument("--clips", type=Path, default=SURVEILLANCE, help="folder of classes")
    parser.add_argument("--turns", type=int, default=5, help="of each act on the wall")
    parser.add_argument("--pictures", type=Path, help="folder for what `path` and `pages` see")
    parser.add_argument("--budget", default="movement", help="of the fits of `path`; or minutes")
    parser.add_argument(
        "--axe", type=Path, help="axe.min.js of axe-core, which `path` and `pages` ask"
    )
    options = parser.parse_args()
    start, figures, headlines, met = environment(), {}, [], True
    for name in options.parts or (QUICK if options.quick else DEFAULT):
        print(f"{name}:")
        with tempfile.TemporaryDirectory() as scratch:
            figures[name], words, is_met = PARTS[name](options, Path(scratch))
        headlines.append(words)
        met = met and is_met
    finish(options, figures, start, "; ".join(headlines), met=met)


if __name__ == "__main__":
    main()
