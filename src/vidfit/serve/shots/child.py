"""Looks at what an index is asked by: ``python -m vidfit.serve.shots.child``.

It runs apart from the server. Reads a task in JSON a line: the folder of an index, and a file with
a span or words. Answers with vectors by way, or with why there are none.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidfit.contracts import Backbone
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError, VideoError, VidfitError
from vidfit.jobs.search.encoders import key_of, load_encoders, noted_encoders
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.query import Query, looked_at
from vidfit.jobs.search.texts import text_vector
from vidfit.serve.headers import check_header
from vidfit.serve.stills import MOST_PIXELS
from vidfit.video import probe
from vidfit.video.source import DECODER_OPTIONS

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,80}(@[0-9]{1,3})?")


class Looker:
    """The encoders of the index that was asked last: others take their place."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._encoders: dict[str, Backbone] = {}
        self._options = SearchOptions()

    def look(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``vectors`` [Q, D] by way of what a task names, and where its span ends.

        Raises
        ------
        VidfitError
            If the index does not say who looks, its model has changed, the file cannot be read, or
            words are asked for and the model knows none.
        """
        folder = Path(task["index"])
        self._open(folder)
        if "words" in task:
            vector_D = text_vector(self._options.backbone, task["words"])
            if vector_D is None:
                raise BackboneError("the model of this index knows no words")
            return {"vectors": {"look": [vector_D.tolist()]}, "end_seconds": 0.0}
        path, start, end = task["path"], task["start_seconds"], task["end_seconds"]
        check_header(path)
        length = probe(path).duration_seconds
        end = length if end is None else min(end, length)
        if not start < end:
            raise VideoError(f"{path}: it has {length:g} s, and ends before this part")
        asked = Query("", "video", path, (start, end))
        found = looked_at(asked, self._encoders, self._options)
        vectors = {way: vectors_QD.tolist() for way, vectors_QD in found.items()}
        return {"vectors": vectors, "end_seconds": end}

    def _open(self, folder: Path) -> None:
        if folder == self._folder:
            return
        noted = noted_encoders(folder)
        if noted is None or not is_harmless(noted.backbone):
            raise BackboneError(
                "the index does not say who looks; run `vidfit search` over it again"
            )
        options = SearchOptions(backbone=noted.backbone, shot_seconds=noted.shot_seconds, workers=1)
        options.check()
        encoders = load_encoders(options)
        if key_of(encoders, options) != folder.name:
            raise BackboneError("the model of this index has changed; run `vidfit search` again")
        self._folder, self._encoders, self._options = folder, encoders, options


def is_harmless(backbone: str) -> bool:
    """Return whether loading an encoder runs no code of its own: an index may be anybody's."""
    family, _, source = backbone.partition(":")
    if source:
        return family == "hf" and Path(source.partition("@")[0]).is_absolute()
    return _PLAIN.fullmatch(backbone) is not None and not backbone.endswith(".py")


def main() -> None:
    """Do tasks until there are none."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    DECODER_OPTIONS["max_pixels"] = str(MOST_PIXELS)
    looker = Looker()
    for line in sys.stdin:
        task, said = json_in(line), dict[str, Any]()
        try:
            said = looker.look(task)
        except VidfitError as error:
            said = {"why": str(error).removeprefix(f"{task.get('path', '')}: ")}
        except Exception as error:  # a decoder's or a network's own: of this task
            said = {"why": f"it cannot be looked at ({type(error).__name__})"}
        answers.write(f"{to_json(said)}\n")
        answers.flush()


if __name__ == "__main__":
    main()
