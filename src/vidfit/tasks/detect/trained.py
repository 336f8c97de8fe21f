"""A detector whose head was trained on labelled frames: opened once, trained as often as asked.

Shape letters: M frames, P cells, C channels, N boxes, D numbers of a box, K classes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from vidfit.contracts import Clip, Floats, Indices
from vidfit.features.views import gather_views
from vidfit.fusion.span import inverse_scale
from vidfit.tasks.detect.head import Boxes, BoxScorer
from vidfit.tasks.detect.picked import picked
from vidfit.tasks.detect.seen import SeenBoxes
from vidfit.tasks.task import LearnedEncoder
from vidfit.video import VideoReader

if TYPE_CHECKING:
    from vidfit.backbones.detector import BoxBackbone

_NANODET = "nanodet"


def open_training(
    clips: Sequence[Clip],
    truth: Any,  # noqa: ANN401
    classes: tuple[str, ...],
    encoders: Sequence[str],
) -> HeadTraining | None:
    """Open the training of a detector's head; ``None`` for other detectors than NanoDet."""
    return HeadTraining(clips, truth, classes) if _NANODET in encoders else None


class HeadTraining:
    """Trains NanoDet's head on some of the frames.

    What the frozen backbone saw lies in a file without a name, 0.9 MB a frame.
    """

    base = _NANODET

    def __init__(self, clips: Sequence[Clip], truth: Any, classes: tuple[str, ...]) -> None:  # noqa: ANN401
        from vidfit.backbones.nanodet import LOOKS, nanodet
        from vidfit.backbones.nanodet_head import CELLS

        self._truth, self._classes = truth, classes
        self._base: BoxBackbone = nanodet()
        with tempfile.TemporaryFile() as file:
            shape = (len(clips), CELLS, LOOKS)
            self._pyramid_MPC = np.memmap(file, np.float16, "w+", shape=shape)
        self._own_MP = np.zeros((len(clips), CELLS), np.float16)
        known = len(self._base.classes)
        for place, clip in enumerate(clips):
            with VideoReader(clip.path) as reader:
                ((_, frames_VTHWC),) = gather_views(reader, clip, [self._base.spec])
            found_PD = self._base.candidates.forward(frames_VTHWC)[0]
            self._pyramid_MPC[place] = found_PD[:, 4 + known :]
            self._own_MP[place] = found_PD[:, 4 : 4 + known].max(axis=1)

    def learned(self, places: Indices) -> LearnedEncoder:
        """Train on the frames at these places."""
        from vidfit.backbones.nanodet import NanoDet
        from vidfit.backbones.nanodet_head import with_head
        from vidfit.tasks.detect.head_training import TaughtFrame, train_head

        frames = [
            TaughtFrame.of(self._pyramid_MPC[i], self._own_MP[i], self._truth[i]) for i in places
        ]
        published = cast(NanoDet, cast(Any, self._base.candidates).network)
        head = train_head(frames, published, len(self._classes))
        detector = with_head(self._base, head, self._classes)
        return LearnedEncoder(detector, self._as_it_is(detector, places))

    def answers(self, learned: LearnedEncoder, places: Indices) -> Floats:
        """Return answers [M, 600]."""
        boxes_MND = self._boxes(cast("BoxBackbone", learned.encoder), places)
        classes = len(self._classes)
        return picked(boxes_MND[:, :, :4], boxes_MND[:, :, 4 : 4 + classes])

    def _boxes(self, detector: BoxBackbone, places: Indices) -> Floats:
        """Return the boxes [M, 100, D] of a trained detector, of what is kept of frames."""
        import torch

        from vidfit.backbones.detector import surest

        network = cast(Any, detector.candidates).network
        found = []
        for place in places:
            pyramid_1PC = torch.from_numpy(np.asarray(self._pyramid_MPC[[place]], np.float32))
            with torch.inference_mode():
                whole_PD = network.of_pyramid(pyramid_1PC)[0].numpy()
            found.append(surest(whole_PD, len(self._classes), detector.overlap))
        return np.stack(found)

    def _as_it_is(self, detector: BoxBackbone, places: Indices) -> Boxes:
        """Return the head that takes the scores of the detector; it knows what is familiar."""
        boxes_MND = self._boxes(detector, places)
        seen = SeenBoxes(boxes_MND, len(self._classes))
        first = np.arange(len(places)), np.zeros(len(places), np.int64)
        x_MX = seen.numbers(first)
        parts = np.split(x_MX, np.cumsum(seen.blocks)[:-1], axis=1)
        classes = len(self._classes)
        scorer = BoxScorer(
            np.array([classes], np.float32),
            np.arange(classes, dtype=np.float32),
            np.zeros(1, np.float32),
            x_MX.mean(axis=0).astype(np.float32),
            np.concatenate([inverse_scale(part) for part in parts]).astype(np.float32),
            np.zeros((classes, x_MX.shape[1]), np.float32),
            np.zeros(classes, np.float32),
        )
        return Boxes((scorer,))
