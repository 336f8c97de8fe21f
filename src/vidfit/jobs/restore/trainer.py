"""Networks of folds and of all clips, each learned once, and what they make of frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vidfit.contracts import Frames
from vidfit.jobs.restore.options import FOLDS, RestoreOptions
from vidfit.jobs.restore.value import BICUBIC, EVENED, EVENED_SHARE, FRAME, LEARNED
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
    """A frame of a recording that the network had not seen: made by each way, and as it was."""

    recording: str
    made: dict[str, Frames]
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
    learned
        How many networks have learned.
    """

    material: Stretches
    options: RestoreOptions
    folder: Path
    stop: Callable[[], bool]
    progress: Progress
    learned: int = 0
    cpu_seconds: float = 0.0
    pictures: list[BeforeAfter] = field(default_factory=list)

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
            }
            self.progress.start(f"measure fold {number + 1}", len(ways) * len(part.tested))
            for recording, stretches in part.tested.items():
                found[recording] = self._measured(stretches, ways)
                self._pictured(recording, stretches[len(stretches) // 2], ways)
        return dict(sorted(found.items()))

    def kept(self, way: str) -> Restorer:
        """Return a way for use: its network learns from all recordings.

        Raises
        ------
        KeyboardInterrupt
            If it was asked to stop.
        """
        if way in FILTERS:
            return Restorer(self.options.scale, by=way)
        return self._restorer(way, self._learned(self.material.stretches, "all recordings"))

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

    def _pictured(self, recording: str, stretch: Stretch, ways: dict[str, Way]) -> None:
        if len(self.pictures) < _PICTURED:
            scale = self.options.scale
            made = {n: in_colour(stretch, ways[n], scale) for n in (BICUBIC, *LEARNED)}
            self.pictures.append(BeforeAfter(recording, made, stretch.colour_HWC))
