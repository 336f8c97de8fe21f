"""Networks that are ONNX graphs on disk: what compression leaves of an encoder.

A graph holds arithmetic and weights, and no code that is run when it is read.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vidfit.contracts import BackboneSpec, Floats, Frames
from vidfit.errors import BackboneError
from vidfit.files import sha256
from vidfit.onnx_rules import check_network

FILE_NAME = "network.onnx"
ENGINES = ("onnx", "openvino")


@dataclass(frozen=True)
class Graph:
    """A `vidfit.contracts.GraphBackbone`; make it with `graph_backbone`."""

    spec: BackboneSpec
    graph: Path

    def forward(self, frames_BTHWC: Frames) -> Floats:
        """Return tokens [B, N, D] of views [B, T, H, W, C], by ONNX Runtime and one thread."""
        from vidfit.backbones.encoder import check_frames  # imports torch, which runs need not

        check_frames(frames_BTHWC, self.spec)
        frames = np.ascontiguousarray(frames_BTHWC)
        tokens_BND: Floats = self._session.run(["tokens"], {"frames": frames})[0]
        return tokens_BND

    def save(self, directory: Path) -> None:
        """Copy the file."""
        shutil.copyfile(self.graph, directory / FILE_NAME)

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401  (onnxruntime has no types)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])


def graph_backbone(spec: BackboneSpec, graph: Path, name: str, engine: str) -> Graph:
    """Return what is left of an encoder as a backbone of its own name and revision.

    Parameters
    ----------
    spec
        Of the encoder that it was made from: it sees the same frames.
    engine
        One of `ENGINES`, on which it was measured.
    """
    revision = sha256(graph)
    return Graph(replace(spec, name=name, family=engine, revision=revision), graph)


def restore(directory: Path, spec: BackboneSpec) -> Graph:
    """Find the graph of a saved backbone.

    Raises
    ------
    BackboneError
        When the file is missing, is not the one that the spec names, or holds what no network
        of vidfit does.
    """
    graph = directory / FILE_NAME
    if not graph.is_file():
        raise BackboneError(f"{directory} has no {FILE_NAME}; compress or copy the model again")
    if sha256(graph) != spec.revision:
        raise BackboneError(f"{graph} was altered after it was written; copy the model again")
    try:
        check_network(graph)
    except ValueError as error:
        raise BackboneError(f"{directory}: {error}") from error
    return Graph(spec, graph)
