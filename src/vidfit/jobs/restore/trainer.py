"""Networks of folds and of all clips, each learned once, and what they make of frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vidfit.contracts import Floats, Frames
from vidfit.jobs.restore.options import FOLDS, RestoreOptions
from vidfit.jobs.restore.value import BICUBIC, EVENED, EVENED_SHARE, FRAME, LEARNED
from vidfit.pixels.restore.degrade import Luma
from vidfit.pixels.restore.enlarge import FILTERS
from vidfit.pixels.restore.learned import restore_network
from vidfit.pixels.restore.material import Stretch, Stretches
from vidfit.pixels.restore.measured import (
    RestoreFigures,
    Way,
    filter_way,
    in_colour,
    measured,
)
from vidfit.pixels.restore.network import RestoreNetwork, RestoreSizes
from vidfit.pixels.restore.pretrained import PretrainedRestorer
from vidfit.pixels.restore.restorer import Restorer
from vidfit.progress import Progress

_MEASURED_STRETCHES = 4
"""Of a recording, that figures are made of; all of them are learned from."""

_PICTURED = 6


@dataclass(frozen=True)
class RestoreFold:
    """What is learned from, and the stretches by recording that it is measured on."""

    learned: tuple[Stretch, ...]
    tested: dict[str, list[Stretch]]


@dataclass(frozen=True)
class BeforeAfter:
    """A frame of a recording that the network had not seen: by bicubic, by a way, and as it was."""

    recording: str
    before_HWC: Frames
    after_HWC: Frames
    truth_HWC: Frames


def parts_of(material: Stretches) -> list[RestoreFold]:
    """Return folds of whole recordings, each put aside once.

    Of one recording the last third of its stretches is put aside: nothing can be said of others.
    """
    names = material.recordings
    if len(names) > 1:
        folds = [names[number::FOLDS] for number in range(min(FOLDS, len(names)))]
        return [
            RestoreFold(
                tuple(s for s in material.stretches if s.recording not in fold),
                {name: measured_stretches(material.of([name])) for name in fold},
            )
            for fold in folds
        ]
    every = list(material.stretches)
    cut = max(1, 2 * len(every) // 3)
    return [RestoreFold(tuple(every[:cut]), {names[0]: measured_stretches(every[cut:] or every)})]


def measured_stretches(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return some stretches, evenly spread."""
    count = min(_MEASURED_STRETCHES, len(stretches))
    return [stretches[(2 * n + 1) * len(stretches) // (2 * count)] for n in range(count)]


@dataclass
class Trainer:
    """Learns networks, one after the other, and measures them.

    Parameters
    ----------
    folder
        Of checkpoints, one folder a network.
    pretrained
        Networks that are measured beside it, by name.
    learned
        How many networks have learned.
    frame_seconds
        Of the processor, that each pretrained network took for each frame.
    """

    material: Stretches
    options: RestoreOptions
    folder: Path
    stop: Callable[[], bool]
    progress: Progress
    pretrained: Mapping[str, PretrainedRestorer] = field(default_factory=dict)
    learned: int = 0
    cpu_seconds: float = 0.0
    frame_seconds: dict[str, list[float]] = field(default_factory=dict)
    _ways: dict[str, tuple[Stretch, dict[str, Way]]] = field(default_factory=dict)

    @property
    def parts(self) -> list[RestoreFold]:
        """What is put aside together."""
        return parts_of(self.material)

    def sheet(self) -> dict[str, dict[str, RestoreFigures]]:
        """Return the figures of each way on each recording, by networks that have not seen it.

        Raises
        ------
        KeyboardInterrupt
            If it was asked to stop.
        """
        found = {}
        for number, part in enumerate(self.parts):
            network = self._learned(part.learned, f"fold {number + 1}")
            ways: dict[str, Way] = {
                **{by: filter_way(self.options.scale, by) for by in FILTERS},
                **{name: self._restorer(name, network).begin for name in LEARNED},
                **{name: self._timed(name) for name in self.pretrained},
            }
            self.progress.start(f"measure fold {number + 1}", len(ways) * len(part.tested))
            for recording, stretches in part.tested.items():
                found[recording] = self._measured(stretches, ways)
                self._ways[recording] = stretches[len(stretches) // 2], ways
        return dict(sorted(found.items()))

    def kept(self, way: str) -> Restorer:
        """Return a way for use: what learns learns from all recordings.

        Raises
        ------
        KeyboardInterrupt
            If it was asked to stop.
        """
        if way in FILTERS:
            return Restorer(self.options.scale, by=way)
        if way in self.pretrained:
            return Restorer(self.options.scale, self.pretrained[way])
        return self._restorer(way, self._learned(self.material.stretches, "all recordings"))

    def pictures(self, way: str) -> list[BeforeAfter]:
        """Return frames of some recordings by bicubic and by a way that had not seen them."""
        scale, found = self.options.scale, []
        for recording, (stretch, ways) in sorted(self._ways.items())[:_PICTURED]:
            before, after = (in_colour(stretch, ways[name], scale) for name in (BICUBIC, way))
            found.append(BeforeAfter(recording, before, after, stretch.colour_HWC))
        return found

    def _timed(self, name: str) -> Way:
        """Return a pretrained network as a way whose time is kept."""
        restorer, took = self.pretrained[name], self.frame_seconds.setdefault(name, [])

        def restored(frame_HW: Luma) -> Floats:
            if self.stop():  # a large one takes seconds for a frame
                raise KeyboardInterrupt
            began = time.process_time()
            made = restorer.restored(frame_HW)
            took.append(time.process_time() - began)
            return made

        return lambda: restored

    def _restorer(self, way: str, network: RestoreNetwork) -> Restorer:
        evened = EVENED_SHARE if way == EVENED else 0.0
        return Restorer(self.options.scale, network, steady=way != FRAME, evened=evened)

    def _learned(self, stretches: Sequence[Stretch], stage: str) -> RestoreNetwork:
        """Return a network that learned from stretches."""
        options = self.options
        sizes = RestoreSizes(options.scale, options.width, options.blocks)
        began = time.process_time()
        network = restore_network(
            stretches,
            sizes,
            options.budget(len(self.parts) + 1),
            options.recipe,
            folder=self.folder / stage.replace(" ", "-"),
            stage=stage,
            stop=self.stop,
            progress=self.progress,
        )
        self.cpu_seconds += time.process_time() - began
        self.learned += 1
        if network is None:
            raise KeyboardInterrupt
        return network

    def _measured(
        self, stretches: Sequence[Stretch], ways: dict[str, Way]
    ) -> dict[str, RestoreFigures]:
        found = {}
        for name, way in ways.items():
            found[name] = measured(stretches, way, self.options.scale)
            self.progress.advance()
        return found
