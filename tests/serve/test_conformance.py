"""What schemathesis makes of ``/openapi.json``: no answer is a fault, and each is as it says.

``VIDFIT_CALLS=2000 pytest tests/serve/test_conformance.py`` asks more often.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from math import ceil

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from tests.serve.conftest import ADDRESS, until

from vidfit.documents import json_in
from vidfit.serve.app import build
from vidfit.serve.people import make_key

CALLS = int(os.environ.get("VIDFIT_CALLS", "200"))

CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@pytest.fixture
def known(served) -> dict[str, list]:
    """Values that name what is there, by the field that takes them; the job is done."""
    jobs = served.service.jobs
    asked = {"command": "label", "library": served.library()}
    job = jobs.add(asked, "Bot", lambda folder: ["--version"], most_waiting=1)
    until(lambda: jobs.get(job.id), lambda found: found.state == "done")
    jobs.close()  # what is begun from now on waits
    (jobs.folder / job.id / "output").mkdir()
    (jobs.folder / job.id / "output" / "a.csv").write_text("path\n")
    told = '{"event": "stage", "stage": "look", "total": 2}\n{"event": "note", "text": "hm"}\n'
    (jobs.folder / job.id / "events.jsonl").write_text(told)
    clip, runs = served.ids()["left/left0.mp4"], [served.library("run")]
    for what in ("facts", "proxy", "times"):
        served.when_ready(f"/v1/clips/{clip}/{what}")
    span = {"start_seconds": 0.1, "end_seconds": 0.2, "label": "a"}
    marked = served.page.post(f"/v1/clips/{clip}/spans", json=span).json()["id"]
    asset = served.page.post("/v1/assets", json={"name": "a.mp4", "size_bytes": 5}).json()["id"]
    return {
        "library": [served.library(), *runs], "clip": [clip], "clips": [[clip]], "job": [job.id],
        "span": [marked], "asset": [asset], "document": ["report"], "first": runs, "second": runs,
        "name": ["a.csv", "a.mp4"], "label": ["left"], "command": ["select", "predict"],
        "options": [{}], "start_seconds": [0.5], "end_seconds": [1.5],
    }  # fmt: skip


def with_known(found: object, known: dict[str, list], draw: int) -> object:
    """Return fields of which a half name what is there; of what is drawn at random, none does."""
    if not isinstance(found, dict):
        return found
    right = {name for name in found if name in known and (draw // 2 + len(name)) % 3}
    return {n: known[n][draw % len(known[n])] if n in right else x for n, x in found.items()}


@pytest.mark.timeout(max(300, CALLS))
def test_every_answer_is_as_the_document_says(served, known):
    app = build(served.service)
    key = {"Authorization": f"Bearer {make_key(served.service.store, 'Bot')}"}
    schema = schemathesis.openapi.from_dict(json_in(served.page.get("/openapi.json").text))
    schema.app = app
    operations = [found.ok() for found in schema.get_all_operations()]
    operations.sort(key=lambda one: one.method == "delete")  # what is there, as long as it is
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    often = settings(
        max_examples=ceil(CALLS / 2 / (len(operations) - 2)), derandomize=True, database=None,
        deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    def ask(operation, mode) -> None:
        @given(case=operation.as_strategy(generation_mode=mode))
        @often
        def call(case) -> None:
            for part in ("path_parameters", "query", "body"):
                setattr(case, part, with_known(getattr(case, part), known, statuses.total()))
            case.headers = {**(case.headers or {}), **key}
            response = case.call(base_url=ADDRESS)
            statuses[response.status_code] += 1
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failures:
                faults.append(f"{operation.label}: {failures}")

        with suppress(Unsatisfiable):  # where nothing is taken, nothing can be wrong
            call()

    for operation in operations:
        for mode in GenerationMode:
            ask(operation, mode)
    assert faults == []
    assert statuses.total() >= CALLS and min(statuses[200], statuses[422]) > CALLS / 20, statuses
