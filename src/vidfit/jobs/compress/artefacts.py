"""From techniques to backbones on disk, each with what it takes beside the original."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidfit import __version__
from vidfit import backbones as zoo
from vidfit.backbones.graph import ENGINES, graph_backbone
from vidfit.contracts import Backbone
from vidfit.documents import json_in, to_json
from vidfit.errors import BackboneError, NotEnoughDataError
from vidfit.files import write_whole
from vidfit.jobs.compress.footprint import held_bytes, latencies, size_bytes
from vidfit.jobs.compress.techniques import SETTINGS, Workshop, similarity
from vidfit.jobs.compress.value import Footprint
from vidfit.runtime import accelerate

_FACTS = "made.json"
_ORIGINAL = "original"

_AS_ALIKE = 0.002
"""So much less similar than on the other engine, an artefact runs wrongly on this one."""


@dataclass(frozen=True)
class Made:
    """An artefact: its members in the model's order, what was done, and what they take.

    ``failure`` says why there is none; ``similarity`` is the least of its networks.
    """

    name: str
    members: tuple[Backbone, ...] = ()
    folders: tuple[Path, ...] = ()
    details: tuple[str, ...] = ()
    footprint: Footprint | None = None
    similarity: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Bench:
    """The original on the bench: its members as they are saved, and as they run.

    Parameters
    ----------
    workshops
        By member index, of those with a network.
    folders
        Where the originals are saved.
    """

    members: tuple[Backbone, ...]
    running: tuple[Backbone, ...]
    folders: tuple[Path, ...]
    workshops: Mapping[int, Workshop]
    output: Path

    def original(self) -> Made:
        """Return the original as what others are held against."""
        seconds = latencies({_ORIGINAL: self.running})[_ORIGINAL]
        engines = sorted({getattr(b, "engine", "") for b in self.running} - {""})
        footprint = Footprint(
            ", ".join(engines),
            float(np.median(seconds)),
            1.0,
            size_bytes(self.folders),
            held_bytes(self.folders),
        )
        return Made(_ORIGINAL, self.members, self.folders, (), footprint, 1.0)

    def make(self, technique: str, original: Made) -> Made:
        """Make an artefact and measure it beside the original, unless an earlier run did."""
        folder = self.output / f"{technique}-{self._key()}"
        try:
            if not (folder / _FACTS).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                self._make(technique, folder)
            return self._read(technique, folder, original)
        except (BackboneError, NotEnoughDataError) as error:
            return Made(technique, failure=str(error))
        except (ArithmeticError, RuntimeError, ValueError) as error:  # of torch and its kin
            reason = str(error).strip().splitlines() or [""]
            return Made(technique, failure=f"{type(error).__name__}: {reason[0]}")

    def _make(self, technique: str, folder: Path) -> None:
        graphs, done = {}, dict[str, None]()
        for index, workshop in self.workshops.items():
            graphs[index] = folder / f"{index}.onnx"
            done |= dict.fromkeys(workshop.make(technique, graphs[index]))
        teams = {engine: self._team(technique, graphs, engine) for engine in ENGINES}
        alike = {engine: self._similarity(team) for engine, team in teams.items()}
        able = [engine for engine in ENGINES if alike[engine] >= max(alike.values()) - _AS_ALIKE]
        running = {engine: [accelerate(member) for member in teams[engine]] for engine in able}
        seconds = latencies({_ORIGINAL: self.running, **running})
        best = min(able, key=lambda engine: np.median(seconds[engine]))
        for index, graph in graphs.items():
            zoo.save(teams[best][index], folder / str(index))
            graph.unlink()
        folders = self._folders(folder)
        footprint = {
            "engine": best,
            "latency_ratio": float(
                np.median(np.array(seconds[_ORIGINAL]) / np.array(seconds[best]))
            ),
            "size_bytes": size_bytes(folders),
            "memory_bytes": held_bytes(folders),
        }
        facts = {"details": list(done), "similarity": alike[best], "footprint": footprint}
        write_whole(folder / _FACTS, to_json(facts).encode())

    def _read(self, technique: str, folder: Path, original: Made) -> Made:
        facts = json_in((folder / _FACTS).read_text(encoding="utf-8"))
        # Rounds are paired, and machines are not always as busy: the ratio is what was measured.
        seconds = original.footprint.latency_seconds if original.footprint else math.nan
        facts["footprint"]["latency_seconds"] = seconds / facts["footprint"]["latency_ratio"]
        members = list(self.members)
        for index in self.workshops:
            members[index] = zoo.restore(folder / str(index))
        return Made(
            technique,
            tuple(members),
            self._folders(folder),
            tuple(facts["details"]),
            Footprint(**facts["footprint"]),
            facts["similarity"],
        )

    def _team(self, technique: str, graphs: Mapping[int, Path], engine: str) -> list[Backbone]:
        team = list(self.members)
        for index, graph in graphs.items():
            spec = self.members[index].spec
            team[index] = graph_backbone(spec, graph, f"{spec.name}+{technique}", engine)
        return team

    def _folders(self, folder: Path) -> tuple[Path, ...]:
        return tuple(
            folder / str(index) if index in self.workshops else original
            for index, original in enumerate(self.folders)
        )

    def _similarity(self, team: Sequence[Backbone]) -> float:
        """Return the least similarity of a network to its original; 0 where one does not run."""
        found = []
        for index, workshop in self.workshops.items():
            views_BTHWC = workshop.held_BTHWC
            try:
                tokens_BND = accelerate(team[index]).forward(views_BTHWC)
            except BackboneError:
                return 0.0
            found.append(similarity(tokens_BND, self.running[index].forward(views_BTHWC)))
        return min(found)

    def _key(self) -> str:
        """Name all that artefacts depend on, so that a changed question is asked anew."""
        facts = [__version__, *map(str, SETTINGS), *(m.spec.revision for m in self.members)]
        for workshop in self.workshops.values():
            digest = hashlib.sha256(workshop.frames_BTHWC.tobytes()).hexdigest()
            facts += [digest, str(workshop.distil_steps)]
        return hashlib.sha256(to_json(facts).encode()).hexdigest()[:12]
