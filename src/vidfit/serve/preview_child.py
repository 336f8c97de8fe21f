"""Decodes videos for the page, apart from the server.

``python -m vidfit.serve.preview_child BYTES`` reads a task in JSON a line, answers with a line
each: empty where it is done, else why not. What a crafted video does to a decoder, it does here:
with bounds of memory, BYTES of addresses, and of time by the parent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vidfit.documents import json_in, to_json
from vidfit.errors import VidfitError
from vidfit.serve.headers import check_header
from vidfit.serve.proxy import make_proxy
from vidfit.serve.stills import MOST_PIXELS, make_frame, make_stills, make_times
from vidfit.video.source import DECODER_OPTIONS

TASKS: Mapping[str, Callable[[Mapping[str, Any], Path], None]] = {
    "stills": lambda task, folder: make_stills(
        task["path"], task["start_seconds"], task["end_seconds"], folder
    ),
    "frame": lambda task, folder: make_frame(task["path"], task["frame"], folder),
    "times": lambda task, folder: make_times(task["path"], folder),
    "proxy": lambda task, folder: make_proxy(task["path"], folder),
}


def main() -> None:
    """Do tasks until there are none."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    _bound(int(sys.argv[1]))
    for line in sys.stdin:
        task = json_in(line)
        try:
            check_header(task["path"])
            TASKS[task["what"]](task, Path(task["folder"]))
            said = ""
        except VidfitError as error:
            said = str(error).removeprefix(f"{task['path']}: ")
        except MemoryError:
            said = "it needs more memory than a preview may take"
        except Exception as error:  # a decoder's or library's own: this clip's, not the server's
            said = f"it cannot be shown ({type(error).__name__})"
        answers.write(f"{to_json(said)}\n")
        answers.flush()


def _bound(memory_bytes: int) -> None:
    """Take little memory: of pictures that are larger than what is shown, none is decoded."""
    DECODER_OPTIONS["max_pixels"] = str(MOST_PIXELS)
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


if __name__ == "__main__":
    main()
