"""Where frames come from: videos in all layouts that vidfit reads, KTH, and Moving MNIST's file.

- **KTH actions**: ``walking/person01_walking_d1_uncomp.avi``. The person is the recording, for one
  person must not stand on both sides of a split.
- **BAIR robot pushing**: ``train/traj_0_to_255.tfrecords`` and ``test/...``, or pictures such as
  ``train/traj_0_to_255/3/0.png``. The file, or the folder, of trajectories is the recording;
  ``test``, of which there is one file, is put aside, and there each trajectory is a recording.
- **Moving MNIST**: ``mnist_test_seq.npy``, uint8 [T, N, 64, 64]; a sequence is a recording.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.contracts import Clip, Failure
from vidfit.documents import to_json
from vidfit.errors import ManifestError, NotEnoughDataError, VidfitError
from vidfit.files import sha256
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.launch import HERE, launcher
from vidfit.pixels.forecast.grey import GreyVideo, grey_videos, long_enough
from vidfit.pixels.forecast.records import ENDING
from vidfit.progress import Progress
from vidfit.shown import counted
from vidfit.study.opened import open_study

USUAL_SIDE = 32
_KTH = re.compile(r"(person\d\d)_(boxing|handclapping|handwaving|jogging|running|walking)_d\d")
_KTH_TEST = {f"person{number:02d}" for number in range(17, 26)}
_TRAJECTORIES = re.compile(r"traj_\d+_to_\d+")
_SEQUENCES = ".npy"
_DIGITS_SHARED = (
    "sequences of one file are told apart by number only: a digit may move in several of them, so "
    "that the held-out ones are easier than new digits"
)


@dataclass(frozen=True)
class GreySource:
    """Videos that are long enough, what was left out, and what should be known.

    Parameters
    ----------
    digest
        Names the data.
    """

    videos: tuple[GreyVideo, ...]
    side_pixels: int
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    digest: str


def open_source(
    source: str | Path, output: Path, options: ForecastOptions, progress: Progress
) -> GreySource:
    """Read the frames of a source.

    Raises
    ------
    ManifestError
        If the clips' list, or the file of sequences, cannot be understood.
    NotEnoughDataError
        If no clip is long enough.
    StoreError
        If frames cannot be written.
    VidfitError
        If the file of sequences has another side than was asked for.
    """
    if Path(source).suffix == _SEQUENCES:
        found = _sequences(Path(source), options)
    elif records := sorted(Path(source).rglob(f"*{ENDING}")):
        found = _robot(records, output, options, progress)
    else:
        found = _clips(source, output, options, progress)
    videos, short = long_enough(found.videos, options.seen + options.ahead)
    failures = (*found.failures, *short)
    if not videos:
        why = f"; the first: {failures[0].name}: {failures[0].reason}" if failures else ""
        raise NotEnoughDataError(
            f"no clip of {source} can be used: each needs {options.seen} frames that are seen and "
            f"{options.ahead} ahead, take fewer with --seen and --ahead{why}"
        )
    notes = list(found.notes)
    if black := sum(video.is_black for video in videos):
        notes.append(f"{counted(black, 'clip')} of {len(videos)} show nothing but black")
    return replace(found, videos=tuple(videos), failures=failures, notes=tuple(notes))


def _clips(
    source: str | Path, output: Path, options: ForecastOptions, progress: Progress
) -> GreySource:
    study = open_study(source, output, options, progress)
    side = options.side_pixels or USUAL_SIDE
    clips = known_layouts(study.manifest.clips)
    videos, failures = grey_videos(clips, side, output / "frames", study.place, progress)
    return GreySource(
        tuple(videos), side, (*study.manifest.rejected, *study.manifest.missing, *failures),
        tuple(w for w in study.manifest.warnings if "no label" not in w), study.manifest.digest,
    )  # fmt: skip


def _robot(
    records: Sequence[Path], output: Path, options: ForecastOptions, progress: Progress
) -> GreySource:
    """Read the trajectories of files of records."""
    clips = [
        Clip(str(path), group=f"{path.parent.name}/{path.stem}", split=_known(path.parent.name))
        for path in records
    ]
    side = options.side_pixels or USUAL_SIDE
    place = launcher(HERE, workers=options.workers, scratch=output)
    videos, failures = grey_videos(clips, side, output / "frames", place, progress)
    sizes = to_json([[str(path), path.stat().st_size] for path in records])
    digest = hashlib.sha256(sizes.encode()).hexdigest()
    return GreySource(tuple(videos), side, tuple(failures), (), digest)


def _known(split: str) -> str | None:
    return split if split in ("train", "test") else None


def known_layouts(clips: Sequence[Clip]) -> list[Clip]:
    """Return clips with the recordings, and the test set, that KTH and BAIR are known for."""
    return [_of_kth(clip) or _of_bair(clip) or clip for clip in clips]


def _of_kth(clip: Clip) -> Clip | None:
    """Return a clip of KTH; persons 17 to 25 are put aside, as papers on forecasting do."""
    named = _KTH.match(Path(clip.path).stem)
    if named is None:
        return None
    person = named[1]
    return replace(clip, group=person, split="test" if person in _KTH_TEST else "train")


def _of_bair(clip: Clip) -> Clip | None:
    parts = Path(clip.path).parts
    place = next((i for i, part in enumerate(parts) if _TRAJECTORIES.fullmatch(part)), None)
    if place is None:
        return None
    split = parts[place - 1] if place else ""
    own = parts[place:] if split == "test" else parts[place : place + 1]
    return replace(clip, group="/".join((split, *own)), split=_known(split) or clip.split)


def _sequences(path: Path, options: ForecastOptions) -> GreySource:
    """Read a file of sequences; frames stay on disk until they are looked at."""
    try:
        frames_TNHW = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read as an array of numpy ({error})") from error
    shape = frames_TNHW.shape
    if frames_TNHW.dtype != np.uint8 or len(shape) != 4 or shape[2] != shape[3]:
        raise ManifestError(
            f"{path} holds {frames_TNHW.dtype} {list(shape)}; Moving MNIST's file is uint8 "
            "[frames, sequences, 64, 64]"
        )
    side = shape[2]
    if options.side_pixels not in (None, side):
        raise VidfitError(
            f"frames of {path} have sides of {side} pixels, and --side is {options.side_pixels}; "
            "leave it away"
        )
    videos = [
        GreyVideo(f"sequence {n + 1}", f"sequence {n + 1}", frames_TNHW[:, n])
        for n in range(shape[1])
    ]
    return GreySource(tuple(videos), side, (), (_DIGITS_SHARED,), sha256(path))
