"""The members of a model, and all of it where it can be one graph, written and compared.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens of a view,
M tokens of a clip, D features, X numbers of a clip, K classes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from vidfit import __version__
from vidfit.contracts import Backbone, Floats, Frames, GraphBackbone, TorchBackbone
from vidfit.documents import to_json
from vidfit.errors import ModelError
from vidfit.fusion.linear import Linear
from vidfit.jobs.export.facts import member_facts, preprocessing, write_json
from vidfit.jobs.export.graph import (
    ExportedNetwork,
    classifier,
    input_names,
    linear_head,
    write_graph,
)
from vidfit.jobs.export.parity import (
    OPENERS,
    SUFFIXES,
    Run,
    check_parity,
    difference,
    reference,
    to_openvino,
)
from vidfit.metrics import probabilities
from vidfit.model import Model
from vidfit.onnx_rules import check_network
from vidfit.progress import Progress
from vidfit.runtime import TOLERANCE
from vidfit.runtime import onnx as onnx_engine
from vidfit.runtime.opened import first_cause
from vidfit.study import heads

_CLIPS = 2
"""Random clips that an export and vidfit must agree on."""

CLASSIFIER = "classifier"

_AS_GRAPHS = ("linear", heads.NETWORK)
"""Kinds of heads that can be written as a graph."""


@dataclass(frozen=True)
class _Seen:
    """A member's file, random clips [B, V, T, H, W, C], and its tokens [B, M, D] of them."""

    part: ExportedNetwork
    frames_BVTHWC: Frames
    tokens_BMD: Floats


@dataclass(frozen=True)
class Graphs:
    """A model that is to be written as graphs into a folder.

    Parameters
    ----------
    notes
        What could not be written is added to these.
    """

    model: Model
    members: tuple[Backbone, ...]
    format: str
    folder: Path
    notes: list[str]
    progress: Progress

    def write(self) -> dict[str, float]:
        """Write the networks, the classifier where there can be one, and what feeds them.

        Returns
        -------
        dict
            File names, and their differences to vidfit's own way.

        Raises
        ------
        ModelError
            If a network cannot be written, or an export differs from vidfit.
        """
        networks = [m for m in self.members if isinstance(m, TorchBackbone | GraphBackbone)]
        stems = file_stems([member.spec.name for member in networks])
        self.progress.start("export", len(networks) + 1)
        seen = []
        for member, stem in zip(networks, stems, strict=True):
            seen.append(self._exported(member, self.folder / f"{stem}.onnx"))
            self.progress.advance()
        props = self._facts({one.part.spec.name: one.part.path.stem for one in seen})
        parts = [one.part for one in seen]
        for part in parts:
            write_graph(onnx.load(part.path), part.path, props)
        head = self._head(parts)
        parity: dict[str, float] = {}
        if head is not None:
            whole = classifier(parts, head, len(self.model.classes))
            path = self.folder / f"{CLASSIFIER}.onnx"
            write_graph(whole, path, props)
            parity |= self._compared_whole(path, seen)
        for one in seen:
            parity |= self._compared(one)
        self.progress.advance()
        return parity

    def _exported(self, member: TorchBackbone | GraphBackbone, path: Path) -> _Seen:
        """Write a network as ONNX, and see what it makes of random frames."""
        spec = member.spec
        try:
            if isinstance(member, GraphBackbone):
                shutil.copyfile(member.graph, path)
                check_network(path)
            else:
                onnx_engine.export(member, path)
        except OSError:
            raise
        except Exception as error:  # exporters have errors of all kinds
            raise ModelError(
                f"{spec.name} cannot be written as ONNX: {first_cause(error)}; use --format "
                "safetensors"
            ) from error
        size = spec.preprocessing
        view = spec.sampling.clip_len, size.height_pixels, size.width_pixels, 3
        frames_BVTHWC = np.random.default_rng(0).integers(
            0, 256, (_CLIPS, spec.sampling.num_clips, *view), dtype=np.uint8
        )
        run = reference(member, self.format)
        tokens_BVND = np.stack([run(views_VTHWC) for views_VTHWC in frames_BVTHWC])
        count, dim = tokens_BVND.shape[2:]
        tokens_BMD = tokens_BVND.reshape(_CLIPS, -1, dim)
        return _Seen(ExportedNetwork(spec, path, count, dim), frames_BVTHWC, tokens_BMD)

    def _facts(self, stems: Mapping[str, str]) -> dict[str, str]:
        """Write ``preprocessing.json``; return what stands in the files themselves."""
        suffix, names = SUFFIXES[self.format], iter(input_names(len(stems)))
        members = [
            member_facts(spec, stems[spec.name] + suffix, next(names))
            if spec.name in stems
            else member_facts(spec, None, "")
            for spec in (member.spec for member in self.members)
        ]
        facts = preprocessing(self.model, members)
        write_json(self.folder / "preprocessing.json", facts)
        return {
            "made_with": f"vidfit {__version__}",
            "classes": to_json(self.model.classes, ascii_only=False),
            "preprocessing": to_json(facts, ascii_only=False),
        }

    def _head(self, parts: Sequence[ExportedNetwork]) -> Any:  # noqa: ANN401  (onnx has no types)
        """Return the head as a graph; where it cannot be one, a note says why."""
        try:
            if len(parts) < len(self.members):
                raise ModelError("not all members are networks")
            if self.model.head not in _AS_GRAPHS:
                raise ModelError(
                    f"the head is of the kind {self.model.head!r}; those that can be a graph are "
                    f"{' and '.join(_AS_GRAPHS)}"
                )
            head = heads.restore(self.model.head, self.model.arrays)
            if isinstance(head, Linear):
                return linear_head(head, self.model.temperature, parts)
            return self._network_head(head, parts[0])
        except ModelError as error:
            self._note(str(error))
            return None

    def _network_head(self, head: Any, part: ExportedNetwork) -> Any:  # noqa: ANN401
        from vidfit.jobs.export.network import export_network_head

        path = self.folder / "head.onnx"
        try:
            export_network_head(head, self.model.temperature, part.clip_shape[0], path)
            return onnx.load(path)
        except OSError:
            raise
        except Exception as error:  # exporters have errors of all kinds
            raise ModelError(
                f"its network cannot be written as ONNX: {first_cause(error)}"
            ) from error
        finally:
            path.unlink(missing_ok=True)

    def _compared_whole(self, path: Path, seen: Sequence[_Seen]) -> dict[str, float]:
        """Hold the classifier against what `Predictor.answer` does in numpy."""
        pool = heads.pooling(self.model.head).pool
        blocks = [np.stack([pool(tokens_MD) for tokens_MD in one.tokens_BMD]) for one in seen]
        head = heads.restore(self.model.head, self.model.arrays)
        answers_BK = probabilities(head.log_probabilities(blocks), self.model.temperature)
        final, run = self._opened(path)
        names = input_names(len(seen))
        found = run({name: one.frames_BVTHWC for name, one in zip(names, seen, strict=True)})
        errors = [
            difference(found["probabilities"], answers_BK),
            difference(found["novelty"], head.novelty(blocks)),
        ]
        error = float(np.max(errors))  # the larger, and not a number if either is none
        if error <= TOLERANCE:
            return {final.name: error}
        for file in self.folder.glob(f"{CLASSIFIER}.*"):
            file.unlink()
        self._note(
            f"{final.name} differs from vidfit's own answers by {error:.2g}, {TOLERANCE:g} is "
            "allowed"
        )
        return {}

    def _compared(self, one: _Seen) -> dict[str, float]:
        """Hold a network against the member's own tokens."""
        final, run = self._opened(one.part.path)
        tokens_BVND = [run({"frames": views_VTHWC})["tokens"] for views_VTHWC in one.frames_BVTHWC]
        tokens_BMD = np.stack(tokens_BVND).reshape(_CLIPS, -1, one.part.dim)
        return {final.name: check_parity(final.name, difference(tokens_BMD, one.tokens_BMD))}

    def _opened(self, path: Path) -> tuple[Path, Run]:
        """Return a written ONNX file in the format that is wanted, and what runs it."""
        final = to_openvino(path) if self.format == "openvino" else path
        try:
            return final, OPENERS[self.format](final)
        except Exception as error:  # engines have errors of their own
            raise ModelError(
                f"{final.name} does not run: {first_cause(error)}; try another --format"
            ) from error

    def _note(self, reason: str) -> None:
        self.notes.append(
            f"no {CLASSIFIER}: {reason}. The members' files give tokens; `vidfit predict` answers "
            "by the whole model"
        )


def file_stems(names: Sequence[str]) -> list[str]:
    """Return a file name for each member, without its suffix: all differ, on any system."""
    stems: list[str] = []
    for i, name in enumerate(names):
        stem = re.sub("[^a-zA-Z0-9.]+", "-", name).strip("-.") or "member"
        taken = {CLASSIFIER, *(other.lower() for other in stems)}
        stems.append(f"{stem}-{i}" if stem.lower() in taken else stem)
    return stems
