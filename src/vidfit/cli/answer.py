"""Answer many videos: print a line each, write the files that were asked for."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.answers import Segment, Timeline
from vidfit.cli.progress import Bars
from vidfit.cli.say import say
from vidfit.contracts import Clip, Failure
from vidfit.documents import json_in, to_json
from vidfit.errors import ManifestError, VideoError, VidfitError
from vidfit.files import claimed
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo, check_options, way_of
from vidfit.jobs.predict.many import predict_together
from vidfit.jobs.predict.picture import check_png
from vidfit.jobs.predict.predictor import Predictor, load
from vidfit.jobs.predict.timeline import TIMELINE_WRITERS, timeline_line, write_timeline
from vidfit.labels import SEVERAL
from vidfit.launch import HERE, launcher
from vidfit.manifest import holds_shards, is_list, iter_clips, iter_members, stream_layout
from vidfit.manifest.value import absolute
from vidfit.report.wording import answer as answer_words
from vidfit.report.wording import frames_seen, percent
from vidfit.shown import counted, name_of
from vidfit.video import is_video_path
from vidfit.video.policy import Policy, in_force
from vidfit.video.source import is_url

if TYPE_CHECKING:  # each takes a while to import, and few answers are written there
    from vidfit.jobs.predict.answers_table import AnswersTable
    from vidfit.jobs.search.beside import Indexing

TABLE = "parquet"
"""The format that holds all answers in one file."""


_HEAD_BYTES = 8192
_PATH = re.compile(r'"path": ("(?:[^"\\]|\\.)*")')
"""The video that a file of answers is of, near its beginning."""

_MOST_SCORES = 3
"""Most classes named on the terminal for a stretch without an answer; the files have all."""


@dataclass(frozen=True)
class Wanted:
    """What files to write, and where; the rest as in `load` and `run_predict`.

    ``as_json`` prints each timeline as a line of JSON in place of words.
    """

    output: Path | None
    suffixes: tuple[str, ...]
    window_seconds: float | None = None
    workers: int | None = None
    own: tuple[str, ...] = ()
    on: str = HERE
    unknown: str | None = None
    as_json: bool = False
    task: str | None = None
    smooth_seconds: float | None = None
    also: tuple[Path, ...] = ()
    index: Path | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def of_task(given: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Return the options of tasks that were given, all of their values as text."""
    found = {name: value for name, value in given.items() if value not in (None, [])}
    return {
        name: tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for name, value in found.items()
    }


def answer_all(model: str, videos: Sequence[str], wanted: Wanted, bars: Bars) -> int:
    """Answer each video as the task of the model does; one that cannot be read stops nothing.

    Returns
    -------
    int
        How many videos could not be answered.
    """
    way = way_of(model, wanted.task)
    check_options(way, wanted.options)
    if way is None:
        return _answer_windows(Path(model), videos, wanted, bars)
    _check_for_way(model, wanted)
    with claimed(wanted.output) if wanted.output else nullcontext():
        found = list(_asked(videos, in_force(), bars))
        names = _names(found, "", wanted)
        asked = AskedOfTask(
            model,
            found,
            names,
            wanted.output,
            wanted.suffixes,
            wanted.workers,
            bars,
            wanted.options,
            wanted.own,
        )
        return sum(_tell(one, wanted.as_json) for one in way.open()(asked))


def _check_for_way(model: str, wanted: Wanted) -> None:
    """Refuse what only the plain way knows."""
    given = {
        "--also": wanted.also,
        "--index": wanted.index,
        "--on": wanted.on != HERE,
        "--smooth": wanted.smooth_seconds,
        "--unknown": wanted.unknown,
        "--window": wanted.window_seconds,
    }
    if unfit := [name for name, value in given.items() if value]:
        raise VidfitError(f"{model} takes no {unfit[0]}: it answers frames; leave it away")


def _tell(told: ToldOfVideo, as_json: bool) -> bool:
    """Print what is said of a video; return whether it failed."""
    if told.failure:
        say(f"{told.path}: not answered: {told.failure}", err=True)
    elif as_json:
        say(to_json({"path": told.path, **(told.data or {})}))
    else:
        for line in told.lines:
            say(line)
    return bool(told.failure)


def _answer_windows(model: Path, videos: Sequence[str], wanted: Wanted, bars: Bars) -> int:
    """Answer clips as a whole, and longer videos window by window."""
    files = _checked_formats(wanted)
    if wanted.index and wanted.on != HERE:
        raise VidfitError("an index is written on this machine: leave --on away, or --index")
    with (
        claimed(wanted.output) if wanted.output else nullcontext(),
        _claimed_index(wanted.index) as beside,
    ):
        scratch = wanted.output or Path(tempfile.gettempdir())
        place = launcher(wanted.on, workers=wanted.workers, scratch=scratch)
        models = _models((model, *wanted.also))
        predictors = [_opened(directory, wanted) for directory in models.values()]
        # Files have names that depend on all of them; a table takes any number of videos.
        found = _asked(videos, in_force(), bars)
        asked = found if files == [] and wanted.output else list(found)
        names = _names(asked, next(iter(models)), wanted) if isinstance(asked, list) else repeat("")
        answers = predict_together(
            predictors,
            asked,
            place,
            window_seconds=wanted.window_seconds,
            kept=wanted.output if wanted.on == HERE else None,
            beside=beside,
            progress=bars,
        )
        failed = 0
        with ExitStack() as tables:
            outputs = [
                _Output(of, files, wanted, tables.enter_context(_table(wanted, of)))
                for of in models
            ]
            for answer, name in zip(answers, names, strict=False):
                of_models: Sequence[Timeline | Failure] = (
                    (answer,) * len(outputs) if isinstance(answer, Failure) else answer
                )
                told = [o.add(one, name) for o, one in zip(outputs, of_models, strict=True)]
                if failure := next(filter(None, told), None):
                    say(f"{failure.name}: not answered: {failure.reason}", err=True)
                    failed += 1
        return failed


@contextmanager
def _claimed_index(folder: Path | None) -> Iterator[Indexing | None]:
    """Open the index that shots go to, if there is one."""
    if folder is None:
        yield None
        return
    from vidfit.jobs.search.beside import indexing

    with claimed(folder), indexing(folder) as opened:
        yield opened


def _opened(directory: Path, wanted: Wanted) -> Predictor:
    predictor = load(directory, wanted.own, wanted.task)
    try:
        return predictor.declining(wanted.unknown).smoothing(wanted.smooth_seconds)
    except VidfitError as error:
        raise VidfitError(f"{directory}: {error}") from error


def _models(directories: Sequence[Path]) -> dict[str, Path]:
    """Return models by the name of their run; of a single one it is empty.

    Raises
    ------
    VidfitError
        If two have the same name.
    """
    if len(directories) == 1:
        return {"": directories[0]}
    names = [d.resolve().parent.name if d.name == "model" else d.name for d in directories]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise VidfitError(
            f"two models are called {twice[0]!r}; their answers go to folders of that name: copy "
            "one to another folder"
        )
    return dict(zip(names, directories, strict=True))


@dataclass(frozen=True)
class _Output:
    """Where the answers of one model go; ``model`` is its name where there are several."""

    model: str
    files: Sequence[str]
    wanted: Wanted
    table: AnswersTable | None

    def add(self, answer: Timeline | Failure, name: str) -> Failure | None:
        """Print and write answers to a video; return why, where it cannot be read, or no longer."""
        if self.table:
            self.table.add(answer)
        if isinstance(answer, Failure):
            return answer
        say_timeline(answer, as_json=self.wanted.as_json, model=self.model)
        folder = self.wanted.output
        return _write(answer, self.files, folder / self.model if folder else None, name)


def _checked_formats(wanted: Wanted) -> list[str]:
    """Return the formats that have a file for each video."""
    files = [suffix for suffix in wanted.suffixes if suffix != TABLE]
    for suffix in files:
        if f".{suffix}" not in TIMELINE_WRITERS:
            known = ", ".join([*(name.lstrip(".") for name in TIMELINE_WRITERS), TABLE])
            raise VidfitError(f"there is no format {suffix!r}; valid are {known}")
    if "png" in files:
        check_png()
    return files


def _write(
    timeline: Timeline, formats: Sequence[str], output: Path | None, name: str
) -> Failure | None:
    """Write the files of a video; return why, where it can no longer be read for one."""
    try:
        if output is not None:
            for suffix in formats:
                write_timeline(timeline, output / f"{name}.{suffix}")
    except VideoError as error:
        return Failure(timeline.path, str(error).removeprefix(f"{timeline.path}: "))
    return None


def _table(wanted: Wanted, model: str) -> AbstractContextManager[AnswersTable | None]:
    if wanted.output is None or TABLE not in wanted.suffixes:
        return nullcontext()
    from vidfit.jobs.predict.answers_table import AnswersTable

    return AnswersTable(wanted.output / model / f"answers.{TABLE}")


def _asked(videos: Sequence[str], policy: Policy, bars: Bars) -> Iterator[Clip | Failure]:
    """Yield the clips of what was named; say what folders, lists and tables are read as."""
    for video in videos:
        path = Path(video)
        if is_url(video) and not is_video_path(video) and _are_shards(video):
            try:
                yield from map(Clip, iter_members(video))
            except ManifestError as error:
                yield Failure(video, str(error).removeprefix(f"{video} "))
            continue
        if is_url(video) or not (path.is_dir() or is_list(path)):
            yield Clip(video)
            continue
        if not path.exists():
            raise ManifestError(f"there is no {path}")
        bars.note(f"Read {path} as {stream_layout(path)}")
        found = iter_clips(path)
        first = next(found, None)
        if first is None:
            raise ManifestError(f"{path} holds no videos")
        for one in chain([first], found):
            why = policy.refusal(one.path) if isinstance(one, Clip) else None
            yield Failure(one.path, why) if isinstance(one, Clip) and why else one


def _are_shards(url: str) -> bool:
    """Return whether a URL is that of a folder of shards; where none answers, it is a video's."""
    try:
        return holds_shards(url)
    except ManifestError:
        return False


def _names(asked: Sequence[Clip | Failure], model: str, wanted: Wanted) -> list[str]:
    """Return the name of each clip's answers: its own, with a digest where two share it.

    Answers to another video that lie in the folder already keep their name.
    """
    stems = [_stem(one) for one in asked]
    shared = Counter(stems)
    folder = wanted.output / model if wanted.output else None
    return [
        f"{stem}-{_digest(one)}" if shared[stem] > 1 or _is_taken(folder, stem, one) else stem
        for stem, one in zip(stems, asked, strict=True)
    ]


def _is_taken(folder: Path | None, stem: str, one: Clip | Failure) -> bool:
    """Return whether the answers of that name are those to another file."""
    if folder is None or isinstance(one, Failure) or is_url(one.path):
        return False
    with suppress(OSError, ValueError), (folder / f"{stem}.json").open("rb") as file:
        found = _PATH.search(file.read(_HEAD_BYTES).decode())
        return found is not None and absolute(json_in(found[1])) != absolute(one.path)
    return False


def _stem(one: Clip | Failure) -> str:
    """Return the name of a video, and its span when it has one."""
    if isinstance(one, Failure):
        return ""
    stem = Path(name_of(one.path)).stem
    if not one.start_seconds and one.end_seconds is None:
        return stem
    end = "end" if one.end_seconds is None else f"{one.end_seconds:g}"
    return f"{stem}@{one.start_seconds:g}-{end}"


def _digest(one: Clip | Failure) -> str:
    path = one.path if isinstance(one, Clip) else one.name
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:6]


def _scores(segment: Segment, timeline: Timeline) -> str:
    """Return the probabilities of the first few classes, where they say more than the answer."""
    if segment.label is not None and timeline.labels != SEVERAL.name:
        return ""
    pairs = sorted(zip(segment.scores, timeline.classes, strict=False), key=lambda one: -one[0])
    few = [f"{name} {percent(p)}" for p, name in pairs[:_MOST_SCORES]]
    more = [f"{len(pairs) - len(few)} more"] if len(pairs) > len(few) else []
    return f": {', '.join([*few, *more])}" if few else ""


def say_timeline(timeline: Timeline, *, as_json: bool, model: str = "") -> None:
    """Print the segments and which frames were seen, or all of it as JSON."""
    if as_json:
        say(timeline_line(timeline, model))
        return
    seen = f", {timeline.frames_seen} of {counted(timeline.frame_count, 'frame')} seen"
    say(
        f"{timeline.path}  {model and model + '  '}{timeline.duration_seconds:.2f} s"
        f"{seen if timeline.frame_count else ''} ({frames_seen(timeline.sampling)})"
    )
    for segment in timeline.segments:
        say(
            f"  {segment.start_seconds:8.2f} - {segment.end_seconds:8.2f} s  "
            f"{answer_words(segment, 1)}{_scores(segment, timeline)}"
        )
    for note in timeline.notes:
        say(f"  {note.name}: {note.text}", err=True)
    for failure in timeline.failures:
        say(f"  {failure.name}: not answered: {failure.reason}", err=True)
