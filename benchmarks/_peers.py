"""The usual ways to compute frame features, as they are written in practice.

All use the network that vidfit uses, with its weights and normalisation, at fp32, on the same
eight frames of each clip, one clip at a time as one batch, with the threads that torch and
OpenCV choose by themselves: as many as cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from benchmarks._workers import Stages
from vidfit import backbones as zoo
from vidfit.backbones.encoder import FrameBackbone
from vidfit.contracts import Floats, Frames, Indices
from vidfit.runtime import malloc
from vidfit.video import VideoReader, frame_indices

NETWORK = "efficientnet-lite0"

Features = dict[str, Floats]


def opencv_untuned(paths: Sequence[Path]) -> Stages:
    """Use OpenCV and torch as they come."""
    return _opencv(paths)


def opencv_tuned(paths: Sequence[Path]) -> Stages:
    """Use them with glibc's allocator tuned as vidfit tunes it."""
    malloc.tune()
    return _opencv(paths)


def hugging_face(paths: Sequence[Path]) -> Stages:
    """Take the steps of transformers' video pipeline, without torchvision, allocator tuned.

    Its own decoding function (PyAV, frames in sequence to full-size RGB), its own image
    processor (PIL), one forward of a `PreTrainedModel` a clip. Its pipeline object would look
    at the first frames only, so its steps are called here with the frames that are wanted.
    """
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil
    from transformers.pipelines.video_classification import read_video_pyav

    malloc.tune()
    backbone, wanted = _network(), chosen_frames(paths)

    class Wrapped(PreTrainedModel):
        config_class = PreTrainedConfig

        def __init__(self) -> None:
            super().__init__(PreTrainedConfig())
            self.trunk = backbone.network.trunk

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.trunk(pixel_values)

    preprocessing = backbone.spec.preprocessing
    processor = ViTImageProcessorPil(
        size={"height": preprocessing.height_pixels, "width": preprocessing.width_pixels},
        resample=2,  # PIL's bilinear, which is antialiased
        image_mean=[value / 255 for value in preprocessing.mean],
        image_std=[value / 255 for value in preprocessing.std],
    )
    model = Wrapped().eval()

    def one(path: Path) -> Floats:
        with av.open(str(path)) as container:
            frames = list(read_video_pyav(container, wanted[path]))
        inputs = processor(frames, return_tensors="pt")
        with torch.inference_mode():
            return model(**inputs).numpy()

    return {"hugging face": lambda: {str(path): one(path) for path in paths}}


def _opencv(paths: Sequence[Path]) -> Stages:
    backbone, wanted = _network(), chosen_frames(paths)

    def way(
        read: Callable[[Path, Indices], list[Frames]], scale: Callable[[Frames], Frames]
    ) -> Features:
        features = {}
        for path in paths:
            views_THWC = np.stack([scale(frame) for frame in read(path, wanted[path])])
            with torch.inference_mode():
                tokens = backbone.network(torch.from_numpy(views_THWC)[:, None])
            features[str(path)] = tokens[:, 0].numpy()
        return features

    return {
        "opencv": lambda: way(_read_all, _resize_linear),
        "opencv grab": lambda: way(_grab_most, _resize_linear),
    }


def antialiased(paths: Sequence[Path]) -> Stages:
    """Give references for parity, not timed: full-size frames, scaled by PIL, torch eager."""
    from PIL import Image

    backbone, wanted = _network(), chosen_frames(paths)
    size = (backbone.spec.preprocessing.width_pixels, backbone.spec.preprocessing.height_pixels)

    def features(read: Callable[[Path], list[Frames]]) -> Features:
        return {str(path): backbone.forward(_views(read(path)))[:, 0] for path in paths}

    def _views(frames: list[Frames]) -> Frames:
        scaled = [Image.fromarray(f).resize(size, Image.Resampling.BILINEAR) for f in frames]
        return np.stack([np.asarray(image) for image in scaled])[:, None]

    def of_opencv(path: Path) -> list[Frames]:
        return [cv2.cvtColor(f, cv2.COLOR_BGR2RGB) for f in _read_all(path, wanted[path])]

    def accurate(path: Path) -> list[Frames]:
        with VideoReader(str(path)) as reader:
            frames = {frame.index: frame.rgb() for frame in reader.frames(np.unique(wanted[path]))}
        return [frames[index] for index in wanted[path].tolist()]

    return {"opencv": lambda: features(of_opencv), "accurate": lambda: features(accurate)}


def chosen_frames(paths: Sequence[Path]) -> dict[Path, Indices]:
    """Return the frames that all ways look at: the centres of eight equal parts."""
    sampling = _network().spec.sampling
    chosen = {}
    for path in paths:
        with VideoReader(str(path)) as reader:
            chosen[path] = frame_indices(reader.pts_seconds, 0.0, None, sampling).ravel()
    return chosen


def _network() -> FrameBackbone:
    backbone = zoo.load(NETWORK)
    assert isinstance(backbone, FrameBackbone)  # noqa: S101
    return backbone


def _read_all(path: Path, wanted: Indices) -> list[Frames]:
    """Read frame after frame up to the last that is wanted."""
    capture = cv2.VideoCapture(str(path))
    frames = {}
    chosen = set(wanted.tolist())
    for index in range(int(wanted[-1]) + 1):
        read, frame = capture.read()
        if not read:
            raise SystemExit(f"{path}: OpenCV reads no frame {index}; leave this clip out")
        if index in chosen:
            frames[index] = frame
    capture.release()
    return [frames[index] for index in wanted.tolist()]


def _grab_most(path: Path, wanted: Indices) -> list[Frames]:
    """Decode frame after frame, but convert to RGB only those that are wanted."""
    capture = cv2.VideoCapture(str(path))
    frames = {}
    chosen = set(wanted.tolist())
    for index in range(int(wanted[-1]) + 1):
        if not capture.grab():
            raise SystemExit(f"{path}: OpenCV reads no frame {index}; leave this clip out")
        if index in chosen:
            _, frames[index] = capture.retrieve()
    capture.release()
    return [frames[index] for index in wanted.tolist()]


def _resize_linear(frame_bgr: Frames) -> Frames:
    size = _SIZE
    return cv2.cvtColor(cv2.resize(frame_bgr, size), cv2.COLOR_BGR2RGB)


_SIZE = (224, 224)
