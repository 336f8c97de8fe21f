"""Hold the documentation against the repository: links, commands and snippets.

Looked at are README.md, CONTRIBUTING.md, SECURITY.md and docs/*.md.

- Links to files in the repository, and to headings, must lead somewhere.
- In ``console`` blocks, each line after ``$`` must be a command that exists: options of
  ``vidfit`` are parsed by its own command line, targets of ``make`` and modules of
  ``python -m`` are looked up.
- ``python`` blocks must compile, and what they import from vidfit must be there.
- Blocks marked ``run`` (as in ```` ```console run ````) are run, one after the other, in a
  folder with a small data set ``clips/``. Blocks marked ``file=NAME`` are written there first.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, the words after it, its text."""

    place: str
    language: str
    marks: tuple[str, ...]
    text: str

    @property
    def file_name(self) -> str | None:
        """The name under which the block is written before others are run."""
        names = [mark.removeprefix("file=") for mark in self.marks if mark.startswith("file=")]
        return names[0] if names else None


def main() -> int:
    """Check all documents; print what is wrong."""
    sys.path.insert(0, str(ROOT))  # for `python -m benchmarks.NAME`
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
    complaints: list[str] = []
    run = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        blocks = list(read_blocks(page, text))
        complaints += check_links(page, text)
        for block in blocks:
            complaints += check_block(block)
        runnable = [block for block in blocks if "run" in block.marks or block.file_name]
        if runnable:
            complaints += run_blocks(runnable)
            run += len(runnable)
    for complaint in complaints:
        print(complaint)
    print(f"{len(pages)} pages, {run} blocks run, {len(complaints)} complaints")
    return 1 if complaints else 0


def read_blocks(page: Path, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        place = f"{page.relative_to(ROOT)}:{line}"
        yield Block(place, match[1], tuple(match[2].split()), match[3])


def check_links(page: Path, text: str) -> Iterator[str]:
    """Yield links that lead nowhere; addresses on the network are not tried."""
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists():
            yield f"{page.relative_to(ROOT)}: the link {target} leads to no file"
        elif anchor and anchor not in anchors(path.read_text(encoding="utf-8")):
            yield f"{page.relative_to(ROOT)}: {path.name} has no heading #{anchor}"


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code forges make them."""
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.replace(" ", "-") for title in plain}


def check_block(block: Block) -> Iterator[str]:
    """Yield what is wrong with a block as it stands, without running it."""
    if block.language == "console":
        for command in commands(block.text):
            if complaint := check_command(command):
                yield f"{block.place}: {command}: {complaint}"
    if block.language == "python":
        yield from (f"{block.place}: {complaint}" for complaint in check_python(block.text))


def commands(text: str) -> list[str]:
    """Return the commands of a console block; a backslash continues a line."""
    joined = text.replace("\\\n", " ")
    return [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]


def check_command(command: str) -> str:
    """Return what is wrong with a command, or nothing."""
    words = shlex.split(command, comments=True)
    while words and "=" in words[0]:
        words.pop(0)
    program = Path(words[0]).name
    if program == "vidfit":
        return _check_vidfit(words[1:])
    if program == "make":
        makefile = (ROOT / "Makefile").read_text()
        targets = [word for word in words[1:] if "=" not in word]
        unknown = [t for t in targets if not re.search(rf"^{re.escape(t)}:", makefile, re.M)]
        return f"the Makefile has no target {unknown}" if unknown else ""
    if "-m" in words and words[words.index("-m") + 1].split(".")[0] in ("benchmarks", "vidfit"):
        module = words[words.index("-m") + 1]
        return "" if importlib.util.find_spec(module) else f"there is no module {module}"
    return _check_extras(command)


def _check_vidfit(words: list[str]) -> str:
    import typer

    from vidfit.cli.main import app

    known = vars(typer.main.get_command(app))["commands"]
    if not words or words[0] in ("-h", "--help"):
        return ""
    if words[0] not in known:
        return f"valid commands are {', '.join(known)}"
    if words[1:] in (["-h"], ["--help"]):
        return ""
    try:
        known[words[0]].make_context(words[0], words[1:])
    except typer.exceptions.TyperException as error:
        return str(error)
    return ""


def _check_extras(command: str) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    asked = re.findall(r"(?:vidfit|\.)\[([\w,-]+)\]", command)
    unknown = {extra for names in asked for extra in names.split(",")} - set(extras)
    return f"there are no extras {sorted(unknown)}" if unknown else ""


def check_python(text: str) -> Iterator[str]:
    """Yield what does not compile or cannot be imported from vidfit."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield f"does not compile: {error}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vidfit":
            module = importlib.import_module(node.module or "")
            for name in node.names:
                if not hasattr(module, name.name):
                    yield f"{node.module} has no {name.name}"


def run_blocks(blocks: list[Block]) -> list[str]:
    """Run the blocks of one page in order; stop at the first that fails."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_clips(folder / "clips")
        for block in blocks:
            if block.file_name:
                (folder / block.file_name).write_text(block.text, encoding="utf-8")
            if "run" in block.marks and (complaint := _run(block, folder)):
                return [f"{block.place}: {complaint}"]
    return []


def _run(block: Block, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if block.language == "python":
        command = [sys.executable, "-c", block.text]
    else:
        command = ["bash", "-euc", "\n".join(commands(block.text))]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
    return f"ended with status {done.returncode}:\n{tail}" if done.returncode else ""


def write_clips(folder: Path) -> None:
    """Write clips/CLASS/RECORDING_NUMBER.mp4: textures that drift left or right."""
    import numpy as np

    from vidfit.video import write_video

    for label, step in (("left", 3), ("right", -3)):
        (folder / label).mkdir(parents=True)
        for recording in "abcdef":
            rng = np.random.default_rng(ord(recording))
            texture = np.kron(rng.integers(0, 256, (24, 40, 3)), np.ones((4, 4, 1)))
            for number in (1, 2):
                frames = (
                    np.roll(texture, step * (i + 9 * number), axis=1)[:, :128].astype(np.uint8)
                    for i in range(24)
                )
                write_video(folder / label / f"{recording}_{number}.mp4", frames, 25)


if __name__ == "__main__":
    sys.exit(main())
