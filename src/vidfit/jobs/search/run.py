"""Where in a library is what looks, or moves, like this: grow the index, look, compare, show."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vidfit.contracts import Backbone, Clip, Failure, Floats
from vidfit.errors import ManifestError, NotEnoughDataError, VidfitError
from vidfit.features import STATISTICS
from vidfit.jobs.search.encoders import key_of, load_encoders, note_encoders
from vidfit.jobs.search.grow import grow
from vidfit.jobs.search.index import ShotIndex
from vidfit.jobs.search.nearest import nearest_shots
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.posters import with_posters
from vidfit.jobs.search.query import Query, looked_at, understood
from vidfit.jobs.search.texts import text_vector
from vidfit.jobs.search.transcripts import Passage, found, passages_of
from vidfit.jobs.search.value import Hit, SearchResult
from vidfit.manifest import iter_clips, losses, read_manifest, refusal
from vidfit.progress import SILENT, Progress
from vidfit.video.policy import in_force


def run_search(
    library: str | Path,
    query: str,
    output: Path,
    options: SearchOptions = SearchOptions(),
    progress: Progress | None = None,
) -> SearchResult:
    """Find the shots of a library that look, or move, like a query.

    ``output`` gets the index, which later calls add to: a video is looked at once.

    Parameters
    ----------
    library
        Folder with videos, however deep, or a list of them; labels are not looked at.
    query
        A video, ``VIDEO#START-END`` in seconds, a picture, or words: these are searched for in
        the subtitles beside the videos, and by a model that knows words in their pictures.

    Raises
    ------
    ManifestError
        If the library cannot be understood, or holds no video.
    NotEnoughDataError
        If no video of it can be read.
    VideoError
        If the query cannot be read.
    BackboneError
        If an encoder cannot be loaded.
    VidfitError
        If the query does not fit the way, or there is nothing to search for words.
    """
    options.check()
    progress = progress or SILENT
    asked = understood(query)
    if asked.kind == "picture" and options.by == "motion":
        raise VidfitError(f"{query} is a picture, and does not move: search --by look")
    paths, rejected = _videos(library)
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    index, encoders, broken = open_index(options.index or output / "index", options)
    grown = grow(paths, index, encoders, options, progress)
    grown = replace(grown, failures=(*rejected, *broken, *grown.failures))
    if not grown.shots:
        known = losses(grown.failures, len(paths))
        raise NotEnoughDataError(refusal(known, "No shot is left to search"))
    seconds["index"] = time.perf_counter() - started
    started = time.perf_counter()
    if asked.kind == "words":
        vectors, spoken, failures = _of_words(asked, paths, encoders, options)
        grown = replace(grown, failures=(*grown.failures, *failures))
    else:
        vectors, spoken = looked_at(asked, encoders, options), ()
    seconds["query"] = time.perf_counter() - started
    started = time.perf_counter()
    shots, videos = index.segments, index.videos.values()
    hits = {
        way: nearest_shots(way, vectors_QD, asked, shots, videos, options.top)
        for way, vectors_QD in vectors.items()
    }
    seconds["compare"] = time.perf_counter() - started
    if asked.kind == "words":
        hits = {"words": spoken, **hits} if spoken or not hits else hits
    return SearchResult(
        str(library),
        query,
        options.by if options.by in hits else next(iter(hits)),
        {way: with_posters(of) for way, of in hits.items()},
        grown,
        {way: one.spec.name for way, one in encoders.items()},
        seconds,
    )


def _videos(library: str | Path) -> tuple[list[str], list[Failure]]:
    """Return the videos of a folder, whatever its layout, or of a list; and rows that are none."""
    listed: Iterable[Clip | Failure]
    if Path(library).is_dir():
        listed = iter_clips(Path(library))
    else:
        manifest = read_manifest(library)
        listed = [*manifest.clips, *manifest.rejected]
    clips: list[str] = []
    rejected: list[Failure] = []
    policy = in_force()
    for one in listed:
        if isinstance(one, Failure):
            rejected.append(one)
        elif why := policy.refusal(one.path):
            rejected.append(Failure(one.path, why))
        else:
            clips.append(one.path)
    if not clips:
        raise ManifestError(f"{library} holds no video; give a folder or a list that does")
    return list(dict.fromkeys(clips)), rejected


def open_index(
    folder: Path, options: SearchOptions
) -> tuple[ShotIndex, dict[str, Backbone], list[Failure]]:
    """Return the index in a folder, who looks, and what was damaged.

    Shots by other encoders, or of other lengths, lie in the folder beside each other.
    """
    encoders = load_encoders(options)
    widths = {way: _width(way, one) for way, one in encoders.items()}
    index = ShotIndex(folder / key_of(encoders, options), widths)
    note_encoders(index.folder, options)
    why = "of the index was damaged, and set aside; its shots were looked at again"
    return index, encoders, [Failure(name, why) for name in index.broken]


def _width(way: str, encoder: Backbone) -> int:
    return encoder.spec.dim * (1 if way == "look" else STATISTICS.times)


def _of_words(
    asked: Query, paths: Sequence[str], encoders: Mapping[str, Backbone], options: SearchOptions
) -> tuple[dict[str, Floats], tuple[Hit, ...], list[Failure]]:
    """Return the words as a vector, if the encoder knows words, and the passages that say them.

    Raises
    ------
    VidfitError
        If neither a subtitle nor such an encoder is there.
    """
    failures: list[Failure] = []
    passages: list[Passage] = [one for path in paths for one in passages_of(path, failures)]
    vector_D = text_vector(options.backbone, asked.text)
    if not passages and vector_D is None:
        raise VidfitError(
            f"{asked.text!r} is no file, and there is nothing to search for words: no video of the "
            "library has subtitles (.srt or .vtt) beside it, and "
            f"{options.backbone} does not know words. Put subtitles there, or give --backbone "
            "hf:FOLDER of a SigLIP model"
        )
    spoken = tuple(
        Hit(
            p.path, p.start_seconds, p.end_seconds, (p.start_seconds + p.end_seconds) / 2, s, p.text
        )
        for p, s in found(asked.text, passages, options.top)
    )
    return ({} if vector_D is None else {"look": vector_D[None]}), spoken, failures
