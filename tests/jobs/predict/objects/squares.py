"""A detector that finds bright squares, and videos of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidfit.video import write_video

HEIGHT, WIDTH, SIDE, FPS = 64, 96, 16, 20.0

DETECTOR_FILE = '''
from vidfit.backbones import RESTORE
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling


class Network:
    """Boxes around what is red, and around what is green."""

    spec = BackboneSpec(
        name="squares", family="squares", architecture="algorithm", sampling=Sampling(1, 1),
        preprocessing=Preprocessing(64, 96), dim=6, parameters=0, gmacs_per_view=0.0,
        licence="MIT", commercial_use=True, source="test", revision="squares-1",
    )
    def forward(self, frames_BTHWC):
        import numpy as np
        tokens_BND = np.zeros((len(frames_BTHWC), 100, 6), np.float32)
        for one, frame_THWC in zip(tokens_BND, frames_BTHWC):
            for number, channel in enumerate((0, 1)):
                others = frame_THWC[0].astype(int).sum(axis=2) - frame_THWC[0, :, :, channel]
                rows, columns = np.nonzero(frame_THWC[0, :, :, channel] - others / 2.0 > 100)
                if len(rows):
                    one[number, :4] = (columns.min() / 96, rows.min() / 64,
                                       (columns.max() + 1) / 96, (rows.max() + 1) / 64)
                    one[number, 4 + number] = 0.9
        return tokens_BND

    def save(self, directory):
        pass


class Squares(Network):
    classes = ("red", "green")
    candidates = Network()

    def over(self, candidates):
        return self


def restore(directory, spec):
    return Squares()


RESTORE["squares"] = f"{__name__}:restore"
'''


def write_detector(folder: Path) -> str:
    """Write the detector as a user may, and return its name."""
    path = folder / f"squares_{folder.name.replace('-', '_')}.py"
    path.write_text(DETECTOR_FILE)
    return f"{path}:Squares"


def red_at(index: int) -> int:
    """Return the left edge of the red square; the green one stands still from frame 10 on."""
    return 4 + index


def pictures(count: int, seed: int = 0):
    """Yield frames: a red square goes to the right, a green one appears."""
    ground = np.random.default_rng(seed).integers(0, 60, (8, 12, 1)).repeat(8, 0).repeat(8, 1)
    for index in range(count):
        frame = np.repeat(ground, 3, axis=2).astype(np.uint8)
        left = red_at(index) % (WIDTH - SIDE)
        frame[8 : 8 + SIDE, left : left + SIDE] = (250, 10, 10)
        if index >= 10:
            frame[40 : 40 + SIDE, 60 : 60 + SIDE] = (10, 250, 10)
        yield frame


def write_squares(path: Path, count: int = 40, seed: int = 0) -> Path:
    options = {"crf": "4", "preset": "ultrafast"}
    write_video(path, pictures(count, seed), FPS, options=options)
    return path
