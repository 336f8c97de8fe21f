"""Copies of clips, of the kinds that archives hold, written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks._clips import read
from vidfit.contracts import Clip, Frames
from vidfit.video import probe, write_video

Made = list[Frames]

HEIGHT_PIXELS = 240
"""Copies are no higher."""

CROPPED, BARRED, TRIMMED, FASTER = (0.02, 0.12), 0.15, (0.3, 0.9), 1.5
"""From and to of each edge, by chance; of each of two edges; from and to; times as fast."""


def _encoded(frames: Made, _: Made) -> Made:
    height, width = frames[0].shape[:2]
    return [_scaled(frame, (height // 2, width // 2)) for frame in frames]


def _trimmed(frames: Made, _: Made) -> Made:
    start, end = (round(share * len(frames)) for share in TRIMMED)
    return frames[start:end]


def _intro(frames: Made, _: Made) -> Made:
    return [np.zeros_like(frames[0])] * (len(frames) // 3) + frames


def _longer(frames: Made, other: Made) -> Made:
    around = [_scaled(frame, frames[0].shape[:2]) for frame in other]
    around = [around[i % len(around)] for i in range(len(frames))]
    return around + frames + around[::-1]


def _cropped(frames: Made, _: Made) -> Made:
    height, width = frames[0].shape[:2]
    edges = np.random.default_rng(int(frames[0].sum())).uniform(*CROPPED, 4)
    top, bottom, left, right = (edges * (height, height, width, width)).round().astype(int)
    return [np.ascontiguousarray(f[top : height - bottom, left : width - right]) for f in frames]


def _letterboxed(frames: Made, _: Made) -> Made:
    height, width = frames[0].shape[:2]
    bar = round(BARRED * height)
    inner = (height - 2 * bar, width)
    return [cv2.copyMakeBorder(_scaled(f, inner), bar, bar, 0, 0, 0) for f in frames]  # type: ignore[call-overload, misc]


def _mirrored(frames: Made, _: Made) -> Made:
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in frames]


def _faster(frames: Made, _: Made) -> Made:
    kept = np.arange(0, len(frames), FASTER).astype(int)
    return [frames[i] for i in kept]


KINDS: dict[str, Callable[[Made, Made], Made]] = {
    "re-encoded": _encoded,
    "trimmed": _trimmed,
    "black intro": _intro,
    "inside a longer video": _longer,
    "crop": _cropped,
    "letterbox": _letterboxed,
    "mirrored": _mirrored,
    "speed": _faster,
}


def written(
    clips: Sequence[Clip], others: Sequence[Clip], folder: Path
) -> Iterator[tuple[str, Clip, Path]]:
    """Yield the kind, the original and the file of each copy; what is there is not made again.

    Parameters
    ----------
    others
        Footage of elsewhere that the longer videos begin and end with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(clips):
        paths = {kind: folder / f"{kind}-{Path(clip.path).stem}.mp4" for kind in KINDS}
        if not all(path.exists() for path in paths.values()):
            frames = _small(read(Path(clip.path)))
            other = read(Path(others[number % len(others)].path))
            fps = probe(clip.path).average_fps
            for kind, path in paths.items():
                made = KINDS[kind](frames, other)
                write_video(path, made, fps, options={"crf": "30", "preset": "ultrafast"})
        for kind, path in paths.items():
            yield kind, clip, path


def _small(frames: Made) -> Made:
    height, width = frames[0].shape[:2]
    share = min(1.0, HEIGHT_PIXELS / height)
    return [_scaled(frame, (round(share * height), round(share * width))) for frame in frames]


def _scaled(frame: Frames, size: Sequence[int]) -> Frames:
    return np.asarray(cv2.resize(frame, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
