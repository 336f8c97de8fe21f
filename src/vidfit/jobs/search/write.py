"""Write what was found: a page and data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from vidfit.jobs.search.page import search_html
from vidfit.jobs.search.value import SearchResult
from vidfit.report.data import json_text
from vidfit.report.writing import write_answer

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
