"""The shots of an index that are nearest to vectors, as hits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vidfit.contracts import Floats
from vidfit.jobs.search.query import Query
from vidfit.jobs.search.rank import nearest, of_unit_length, standardised
from vidfit.jobs.search.segments import KnownVideo, ShotFile, may_answer
from vidfit.jobs.search.value import Hit


def nearest_shots(
    way: str,
    vectors_QD: Floats,
    asked: Query,
    segments: Sequence[ShotFile],
    videos: Collection[KnownVideo],
    count: int,
) -> tuple[Hit, ...]:
    """Return the shots of some videos that are nearest to any of the vectors, without posters.

    Parameters
    ----------
    way
        ``"look"``: vectors are compared as they are; ``"motion"``: by the spread of the index.
    asked
        What the vectors are of; it is no answer itself.
    """
    paths: dict[str, str] = {}
    for known in videos:
        paths.setdefault(known.digest, known.path)
    matrices = [segment.vectors[way] for segment in segments]
    prepare = of_unit_length if way == "look" else standardised(matrices)
    hits = []
    allowed = may_answer(segments, videos, asked)
    for best in nearest(matrices, vectors_QD, allowed, count, prepare):
        row = segments[best.matrix].rows.slice(best.row, 1).to_pylist()[0]
        times = (row["start"], row["end"], row["key"])
        hits.append(Hit(paths[row["video"]], *times, best.score))
    return tuple(hits)
