"""Clips that look like one: by the features that a run has kept, decoded once and not again.

Features are found by the content of clips, which is read once for a library, in a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit.contracts import BackboneSpec, Floats
from vidfit.documents import read_json, value_of
from vidfit.errors import VidfitError
from vidfit.serve.library import Library
from vidfit.serve.problems import ProblemError, missing
from vidfit.serve.roots import Roots

FEATURES = "features"
MOST_CLIPS = 50_000
"""Of a library that is compared: their content is read, and a vector each is kept in memory."""


@dataclass(frozen=True, slots=True)
class AlikeClip:
    """A clip, and how far it is from the one that was asked for: 0 to 2, one less the cosine."""

    clip: str
    distance: float


@dataclass(frozen=True, slots=True)
class AlikeList:
    """The clips nearest to one, the nearest first, by what an ``encoder`` sees in them."""

    encoder: str
    clips: tuple[AlikeClip, ...]


@dataclass(frozen=True)
class _Vectors:
    """Ids of clips, and vectors of length 1 [M, D]; ``why`` there are none."""

    encoder: str = ""
    ids: tuple[str, ...] = ()
    unit_MD: Floats | None = None
    why: str = ""


class Alike:
    """Vectors of the clips of runs, gathered when they are first asked for."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._lock = threading.Lock()
        self._found: dict[str, _Vectors | None] = {}

    def nearest(self, library: Library, clip_id: str, count: int) -> AlikeList | None:
        """Return the clips nearest to one; ``None`` while their vectors are gathered.

        Raises
        ------
        ProblemError
            404 where the clip, or the run, has no features.
        """
        key = f"{library.id} {library.version}"
        with self._lock:
            if key not in self._found:
                self._found[key] = None
                threading.Thread(target=self._gather, args=(key, library), daemon=True).start()
            found = self._found[key]
        if found is None:
            return None
        if found.unit_MD is None:
            raise ProblemError(404, found.why)
        if clip_id not in found.ids:
            raise missing()
        place = found.ids.index(clip_id)
        cosine_M = found.unit_MD @ found.unit_MD[place]
        order = [i for i in np.argsort(-cosine_M, kind="stable") if i != place][:count]
        near = (AlikeClip(found.ids[i], round(1.0 - float(cosine_M[i]), 6)) for i in order)
        return AlikeList(found.encoder, tuple(near))

    def _gather(self, key: str, library: Library) -> None:
        try:
            found = self._vectors(library)
        except (VidfitError, OSError, ValueError) as error:
            found = _Vectors(
                why=f"the features of this run cannot be read ({type(error).__name__})"
            )
        with self._lock:
            self._found[key] = found

    def _vectors(self, library: Library) -> _Vectors:
        # pyarrow, which reads them, takes 40 MB of a server that may never be asked for this.
        from vidfit.features import FeatureStore, temporal_statistics
        from vidfit.features.digests import clip_digest, row_key

        if not 1 < len(library.clips) <= MOST_CLIPS:
            return _Vectors(why=f"clips are compared in runs of 2 to {MOST_CLIPS:,} of them")
        store = FeatureStore(library.source / FEATURES)
        specs = [spec for spec in _specs(store.root) if spec.sees == "frames"]
        digests = {
            one: clip_digest(clip)
            for one, clip in zip(library.ids, library.clips, strict=True)
            if self._roots.real(clip.path) is not None and one not in library.failed
        }

        def found(spec: BackboneSpec) -> int:
            held = store.held(spec)
            return sum(digest in held for digest in {*digests.values()})

        best = max(specs, key=lambda spec: (found(spec), spec.dim), default=None)
        if best is None:
            return _Vectors(
                why="this run has kept no features of frames; run `vidfit fit` for some"
            )
        clips = dict(zip(library.ids, library.clips, strict=True))
        wanted = {row_key(best, clips[one], digest): one for one, digest in digests.items()}
        rows = {
            wanted[key]: temporal_statistics(features.tokens_ND)
            for key, features in store.rows(best)
            if key in wanted and len(features.tokens_ND)
        }
        if len(rows) < 2:
            return _Vectors(why="this run has kept features of fewer than two of these clips")
        vectors_MD = np.stack([*rows.values()]).astype(np.float32)
        spread_D = vectors_MD.std(axis=0)
        vectors_MD = (vectors_MD - vectors_MD.mean(axis=0)) / np.where(spread_D > 0, spread_D, 1)
        length_M = np.linalg.norm(vectors_MD, axis=1, keepdims=True)
        return _Vectors(best.name, tuple(rows), vectors_MD / np.where(length_M > 0, length_M, 1))


def _specs(root: Path) -> Iterator[BackboneSpec]:
    """Yield the encoders that a store has features of."""
    for path in sorted(root.glob("*/spec.json")):
        yield value_of(BackboneSpec, read_json(path), {}, path.parent.name)
