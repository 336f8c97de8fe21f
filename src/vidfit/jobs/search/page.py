"""The shots that were found, as one HTML page beside which the videos play."""

from __future__ import annotations

import base64
import os
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from vidfit.jobs.search.terminal import NAMES, clock
from vidfit.jobs.search.value import Hit, SearchResult
from vidfit.report.data import json_text
from vidfit.report.frame import render
from vidfit.report.writing import write_answer

EXPLAINED = {
    "look": "Finds the same recording, the same place and what looks alike; not the same action.",
    "motion": "Finds what moves alike, whoever and wherever it is: camera, speed, how it changes.",
    "words": "Finds what is said, by the subtitles beside the videos; rare words count more.",
}


def search_html(result: SearchResult, directory: Path) -> str:
    """Return the page, which is about to lie in ``directory``; videos are played in place."""
    ways = [result.by, *(way for way in result.hits if way != result.by)]
    context = {
        "result": result,
        "ways": [
            {
                "key": way,
                "name": NAMES[way],
                "explained": EXPLAINED[way],
                "hits": [_shown(hit, directory) for hit in result.hits[way]],
            }
            for way in ways
        ],
    }
    return render(__package__, "search", result.library, context)


def _shown(hit: Hit, directory: Path) -> dict[str, object]:
    poster = base64.b64encode(hit.poster).decode()
    return {
        "name": Path(hit.path).name,
        "path": hit.path,
        "clock": clock(hit),
        "score": f"{hit.score:.3f}",
        "text": hit.text,
        "source": _source(hit, directory),
        "poster": f"data:image/jpeg;base64,{poster}" if poster else "",
    }


def _source(hit: Hit, directory: Path) -> str:
    """Return the address of the shot relative to the page; none of what is no local file."""
    if not Path(hit.path).is_file():
        return ""
    try:
        relative = os.path.relpath(Path(hit.path).absolute(), directory.absolute())
    except ValueError:  # another drive
        return ""
    place = "/".join(quote(part) for part in Path(relative).parts)
    return f"{place}#t={hit.start_seconds:.2f},{hit.end_seconds:.2f}"


FORMAT = "vidfit.search/1"


def search_json(result: SearchResult) -> str:
    """Return it as JSON text, without pictures."""
    fields = asdict(result)
    for hits in fields["hits"].values():
        for hit in hits:
            del hit["poster"]
    return json_text({"format": FORMAT, **fields})


def write_search(result: SearchResult, directory: Path) -> Path:
    """Write ``search.html`` and ``search.json``; return the path of the page."""
    page = search_html(result, directory)
    return write_answer(directory, "search", page=page, data=search_json(result))
