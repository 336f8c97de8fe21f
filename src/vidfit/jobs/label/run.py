"""Which clips to label next: read the answers so far, look at all clips, propose some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure, Floats, clip_key
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.features import FeatureStore, temporal_statistics
from vidfit.features.digests import row_key
from vidfit.features.extract import Extraction, extract_all
from vidfit.jobs.label.answers import gather, with_labels, write_to_label
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.run_spans import run_label_spans
from vidfit.jobs.label.run_texts import run_label_texts
from vidfit.jobs.label.value import Labelling, Proposed
from vidfit.labels.one import NO_LABEL
from vidfit.manifest import losses, refusal
from vidfit.manifest.texts import is_text_table
from vidfit.progress import Progress
from vidfit.selection.active import Pool, next_clips
from vidfit.study.candidates import Loaded, load_candidates
from vidfit.study.opened import open_study
from vidfit.study.stages import one_blas_thread
from vidfit.work import Launcher

BACKBONES = ("motion", "efficientnet-lite0")
"""Those that look at the clips unless others are named."""


def run_label(
    source: str | Path,
    output: Path,
    options: LabelOptions = LabelOptions(),
    progress: Progress | None = None,
) -> Labelling:
    """Propose the clips whose labels would teach most; write them as a list to fill in.

    ``output`` gets ``to-label.csv``, ``features/``, which `fit` and others share, and, once
    there are answers, ``clips.csv``: the user's clips with all labels given so far. The same
    call with ``options.answers`` goes on from there; the user's own list is never altered.

    Parameters
    ----------
    source
        Folder or list of clips, of which some or all have no label; see
        `vidfit.manifest.read_manifest`. Clips of a test split are not proposed: what is chosen
        to teach most does not stand for the rest. With ``options.model`` these are long videos,
        and spans of them are proposed (`run_label_spans`). A table of texts without videos is
        answered by `run_label_texts`.

    Raises
    ------
    ManifestError
        If a list cannot be understood, or the answers do not fit the clips.
    NotEnoughDataError
        If no clip can be read.
    BackboneError
        If no backbone runs.
    """
    options.check()
    if is_text_table(source):
        return run_label_texts(source, output, options)
    if options.model:
        return run_label_spans(source, output, options, progress)
    study = open_study(source, output, options, progress, only_one_class="label")
    answers = gather(study.manifest, source, output, options.answers)
    manifest = with_labels(study.manifest, answers)
    clips = [clip for clip in manifest.clips if clip.split != "test"]
    names = options.backbones or BACKBONES
    study.progress.start("load backbones", len(names))
    loaded, dropped = load_candidates(names, (), download=options.download, progress=study.progress)
    beside = [candidate.backbone for candidate in loaded]
    manifest = replace(study, manifest=manifest).joined(clips, beside=beside).manifest
    seen = look(manifest.clips, loaded, study.store, study.place, study.progress)
    with one_blas_thread():
        pool = _pool(seen)
        chosen = next_clips(pool, options.count, seed=options.seed)
    proposed = tuple(Proposed(seen.clips[one.row], one.method, one.why) for one in chosen)
    write_to_label(proposed, output)
    return Labelling(
        proposed,
        dict(Counter(clip.label for clip in seen.clips if clip.label is not None).most_common()),
        len(seen.clips),
        tuple(clip_key(clip) for clip in answers.empty),
        manifest.grouping,
        (*manifest.rejected, *dropped, *seen.failures),
        manifest.warnings,
    )


@dataclass(frozen=True)
class Seen:
    """Clips that can be read, what each backbone saw in them [M, D_i], and what failed."""

    clips: tuple[Clip, ...]
    blocks: tuple[Floats, ...]
    failures: tuple[Failure, ...]


def look(
    clips: Sequence[Clip],
    loaded: Sequence[Loaded],
    store: FeatureStore,
    place: Launcher,
    progress: Progress,
) -> Seen:
    """Extract the features that are missing, and pool those of all clips.

    Raises
    ------
    NotEnoughDataError
        If no clip can be read.
    BackboneError
        If every backbone failed.
    StoreError
        If features are gone when they are read.
    """
    backbones = [candidate.backbone for candidate in loaded]
    read = partial(_vectors, loaded, store)
    done, vectors = extract_all(clips, backbones, store, place, progress, read)
    unread = [Failure(clip_key(clip), reason) for clip, reason in done.failures.items()]
    failed = [Failure(name, reason) for name, reason in done.backbone_failures.items()]
    readable = tuple(clip for clip in clips if clip in done.digests)
    if not readable:
        known = losses(unread, len(clips))
        raise NotEnoughDataError(refusal(known, "No clip is left to look at"))
    if not vectors:
        raise BackboneError(f"every backbone failed: {failed[0].name}: {failed[0].reason}")
    blocks = (np.stack([of[clip] for clip in readable]) for of in vectors)
    return Seen(readable, tuple(blocks), (*unread, *failed))


def _vectors(
    loaded: Sequence[Loaded], store: FeatureStore, done: Extraction
) -> list[dict[Clip, Floats]] | None:
    """Return vectors by clip for each backbone that ran; ``None`` where some are missing."""
    found = []
    for spec in (one.backbone.spec for one in loaded if one.name not in done.backbone_failures):
        keys = {clip: row_key(spec, clip, digest) for clip, digest in done.digests.items()}
        wanted, rows = set(keys.values()), store.rows(spec)
        of = {key: temporal_statistics(f.tokens_ND) for key, f in rows if key in wanted}
        if not wanted <= of.keys():
            return None
        found.append({clip: of[key] for clip, key in keys.items()})
    return found


def _pool(seen: Seen) -> Pool:
    classes = sorted({clip.label for clip in seen.clips if clip.label is not None})
    labels = [NO_LABEL if c.label is None else classes.index(c.label) for c in seen.clips]
    groups = [clip.recording for clip in seen.clips]
    return Pool(seen.blocks, np.array(labels, np.int64), groups, classes)
