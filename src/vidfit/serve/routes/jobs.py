"""Jobs: begun, followed, stopped, resumed, and what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidfit.documents import Rules, within
from vidfit.serve.endpoint import EVENT_STREAM, Endpoint, Requested
from vidfit.serve.job_child import SAID
from vidfit.serve.job_folders import prepare, result_files, result_of
from vidfit.serve.job_values import JobEvent, JobFacts, JobList, JobWish, ResultList, facts_of_job
from vidfit.serve.jobs import JobRow
from vidfit.serve.media import send_file
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.service import Service
from vidfit.serve.streams import stream
from vidfit.serve.timelines import AnswersList, timelines_of
from vidfit.serve.wire import json_of, plain

if TYPE_CHECKING:
    from starlette.responses import Response

_LONGEST_KEY = 200
_MOST_LOG_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class LogQuery:
    """From which byte of the log on."""

    offset: int = 0


RULES: Rules = {(LogQuery, "offset"): within(0, 2**63 - 1)}


def begin(asked: Requested) -> Response:
    """Add a job."""
    service, wish = asked.service, asked.body
    key = asked.request.headers.get("idempotency-key", "")
    if len(key) > _LONGEST_KEY:
        raise ProblemError(422, f"Idempotency-Key has more than {_LONGEST_KEY} letters")
    document: dict[str, Any] = plain(wish)  # type: ignore[assignment]
    job = service.jobs.add(
        document,
        asked.person,
        lambda folder: prepare(service, wish, folder),
        most_waiting=service.options.waiting_jobs,
        key=key,
    )
    return _accepted(service, job)


def all_jobs(asked: Requested) -> JobList:
    """List all jobs."""
    return JobList(tuple(_facts(asked.service, job) for job in asked.service.jobs.all()))


def one_job(asked: Requested) -> JobFacts:
    """Say how far a job is."""
    return _facts(asked.service, asked.service.jobs.get(asked.path["job"]))


def stop(asked: Requested) -> Response:
    """Stop a job; it can be resumed."""
    return _accepted(asked.service, asked.service.jobs.stop(asked.path["job"]))


def resume(asked: Requested) -> Response:
    """Run the same command again."""
    return _accepted(asked.service, asked.service.jobs.resume(asked.path["job"]))


def log(asked: Requested) -> Response:
    """Send what a job printed."""
    from starlette.responses import Response

    job = asked.service.jobs.get(asked.path["job"])
    try:
        with (asked.service.jobs.folder / job.id / SAID).open("rb") as said:
            said.seek(asked.query.offset)
            content = said.read(_MOST_LOG_BYTES)
    except OSError:
        content = b""
    return Response(content, media_type="text/plain; charset=utf-8")


def results(asked: Requested) -> ResultList:
    """List the files that a job wrote."""
    job = asked.service.jobs.get(asked.path["job"])
    found = result_files(asked.service.jobs.folder / job.id)
    return ResultList(tuple(map(result_of, found.values())))


def result(asked: Requested) -> Response:
    """Send a file that a job wrote."""
    job = asked.service.jobs.get(asked.path["job"])
    path = result_files(asked.service.jobs.folder / job.id).get(asked.path["name"])
    if path is None:
        raise missing()
    response = send_file(asked.request, path, result_of(path).media_type)
    response.headers["content-disposition"] = "attachment"
    return response


def timelines(asked: Requested) -> AnswersList:
    """List what models answered to the video of a clip over time."""
    clip, _ = asked.service.libraries.clip(asked.path["clip"])
    return timelines_of(asked.service, clip)


async def events(asked: Requested) -> Response:
    """Send what a job tells, as it does, from the event after ``Last-Event-ID`` on."""
    from anyio import to_thread

    job = await to_thread.run_sync(asked.service.jobs.get, asked.path["job"])
    last = asked.request.headers.get("last-event-id", "0")
    seen = int(last) if last.isdecimal() and len(last) < 12 else 0
    service = asked.service
    return stream(service.jobs, job.id, seen, service.streams, asked.person)


def _facts(service: Service, job: JobRow) -> JobFacts:
    return facts_of_job(job, service.jobs.progress(job.id), service.result_library(job.id))


def _accepted(service: Service, job: JobRow) -> Response:
    from starlette.responses import Response

    headers = {"location": f"/v1/jobs/{job.id}"}
    return Response(json_of(_facts(service, job)), 202, headers, "application/json")


ENDPOINTS = (
    Endpoint(
        "POST", "/v1/jobs", "Begin a job", begin, JobFacts, takes=JobWish, status=202,
        headers=("Idempotency-Key",), refusals=(429,),
    ),
    Endpoint("GET", "/v1/jobs", "All jobs", all_jobs, JobList),
    Endpoint("GET", "/v1/jobs/{job}", "How far it is", one_job, JobFacts),
    Endpoint("DELETE", "/v1/jobs/{job}", "Stop it", stop, JobFacts, status=202, refusals=(409,)),
    Endpoint(
        "POST", "/v1/jobs/{job}/resume", "Go on", resume, JobFacts, status=202, refusals=(409,)
    ),
    Endpoint(
        "GET", "/v1/jobs/{job}/events", "What it tells, as it does", events, (EVENT_STREAM,),
        tells=JobEvent, headers=("Last-Event-ID",), refusals=(429,),
    ),
    Endpoint(
        "GET", "/v1/jobs/{job}/log", "What it printed", log, ("text/plain",), query=LogQuery
    ),
    Endpoint(
        "GET", "/v1/clips/{clip}/timelines", "What models answered over time", timelines,
        AnswersList,
    ),
    Endpoint("GET", "/v1/jobs/{job}/results", "What it wrote", results, ResultList),
    Endpoint(
        "GET", "/v1/jobs/{job}/results/{name}", "A file that it wrote", result,
        ("application/json", "text/csv", "text/vtt"),
    ),
)  # fmt: skip
