"""The report of a generator as a page: what was kept, samples, and their nearest real clips."""

from __future__ import annotations

import base64
from pathlib import Path

from vidfit.jobs.generate.terminal import copies, judged, spoken, verdicts
from vidfit.jobs.generate.value import GenerationReport
from vidfit.jobs.generate.written import report_facts
from vidfit.report.data import json_text
from vidfit.report.frame import render
from vidfit.report.writing import write_answer

FORMAT = "vidfit.generation/1"


def generation_html(report: GenerationReport) -> str:
    """Return the page, with its pictures inside."""
    context = {
        "r": report,
        "sheet": _address(report.sheet),
        "judged": list(judged(report)),
        "verdicts": list(verdicts(report)),
        "copies": copies(report),
        "spoken": spoken,
        "pairs": [
            {
                "drawn": _address(pair.drawn),
                "learned": _address(pair.learned),
                "name": pair.name,
                "distance": f"{pair.distance:.1f}",
            }
            for pair in report.pairs
        ],
        "floor": report.real.distance.value,
    }
    return render(__package__, "report", report.data, context)


def write_generation(report: GenerationReport, directory: Path) -> Path:
    """Write ``report.html`` and ``report.json``; return the path of the page."""
    data = json_text({"format": FORMAT, **report_facts(report)})
    return write_answer(directory, "report", page=generation_html(report), data=data)


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
