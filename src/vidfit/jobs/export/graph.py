"""Members and head of a model as one ONNX graph, which runs without vidfit.

The members' graphs are taken as they are; between and behind them stand a few nodes that do
what `vidfit.jobs.predict.predictor.Predictor` does in numpy.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens of a view,
M = V * N tokens of a clip in time order, D features of a token, X numbers of a clip, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from vidfit.contracts import BackboneSpec, Floats
from vidfit.errors import ModelError
from vidfit.fusion.linear import Linear

CLASSIFIER = "vidfit classifier"
_LEAST_OPSET = 13
"""Since then Softmax and the other operations used here mean what they mean today."""


@dataclass(frozen=True)
class ExportedNetwork:
    """A member's network: its ONNX file, and how many tokens [N, D] it makes of a view."""

    spec: BackboneSpec
    path: Path
    tokens: int
    dim: int

    @property
    def view_shape(self) -> tuple[int, int, int, int]:
        """T, H, W, C."""
        size = self.spec.preprocessing
        return self.spec.sampling.clip_len, size.height_pixels, size.width_pixels, 3

    @property
    def clip_shape(self) -> tuple[int, int]:
        """M, D: the tokens of all views of a clip."""
        return self.spec.sampling.num_clips * self.tokens, self.dim


def input_names(count: int) -> list[str]:
    """Return the names of a classifier's inputs, by member: ``frames`` if there is but one."""
    return ["frames"] if count == 1 else [f"frames_{i}" for i in range(count)]


def linear_head(head: Linear, temperature: float, parts: Sequence[ExportedNetwork]) -> Any:  # noqa: ANN401
    """Return a linear head as ONNX: ``tokens_i`` [B, M, D] to ``probabilities`` and ``novelty``.

    Statistics over time are products with matrices: mean, deviation and change are written with
    operations that no version of ONNX has changed.
    """
    draft = _GraphDraft()
    vectors = [_statistics(draft, f"tokens_{i}", *p.clip_shape) for i, p in enumerate(parts)]
    x_BX = draft.node("Concat", vectors, axis=1) if len(vectors) > 1 else vectors[0]
    centred_BX = draft.node("Sub", [x_BX, draft.array(head.mean_D)])
    standard_BX = draft.node("Mul", [centred_BX, draft.array(head.scale_D)])
    product_BK = draft.node("MatMul", [standard_BX, draft.array(head.weight_KD.T / temperature)])
    logits_BK = draft.node("Add", [product_BK, draft.array(head.bias_K / temperature)])
    draft.node("Softmax", [logits_BK], output="probabilities", axis=1)
    squares_BX = draft.node("Mul", [standard_BX, standard_BX])
    share_X = np.full(len(head.mean_D), 1 / len(parts), np.float32)
    draft.node("MatMul", [squares_BX, draft.array(share_X)], output="novelty")
    inputs = [
        helper.make_tensor_value_info(f"tokens_{i}", TensorProto.FLOAT, ["clips", *p.clip_shape])
        for i, p in enumerate(parts)
    ]
    graph = helper.make_graph(draft.nodes, "head", inputs, _answers(len(head.bias_K)), draft.arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _opset(parts[0]))])


def classifier(parts: Sequence[ExportedNetwork], head: Any, classes: int) -> Any:  # noqa: ANN401
    """Join members and head: uint8 frames [B, V, T, H, W, C] of each to the answer.

    Raises
    ------
    ModelError
        If the graphs are of versions of ONNX that cannot be joined.
    """
    graphs = [onnx.load(part.path) for part in parts]
    draft, inputs = _GraphDraft(), []
    named = [compose.add_prefix(g, f"member{i}/") for i, g in enumerate(graphs)]
    for i, (part, name) in enumerate(zip(parts, input_names(len(parts)), strict=True)):
        shape: list[str | int] = ["clips", part.spec.sampling.num_clips, *part.view_shape]
        inputs.append(helper.make_tensor_value_info(name, TensorProto.UINT8, shape))
        views = draft.array(np.array([-1, *part.view_shape]))
        draft.node("Reshape", [name, views], output=f"member{i}/frames")
        draft.nodes += named[i].graph.node
        clip = draft.array(np.array([-1, *part.clip_shape]))
        draft.node("Reshape", [f"member{i}/tokens", clip], output=f"head/tokens_{i}")
    ending = compose.add_prefix(head, "head/")
    draft.nodes += ending.graph.node
    for name in ("probabilities", "novelty"):
        draft.node("Identity", [f"head/{name}"], output=name)
    joined = [*named, ending]
    arrays = [*draft.arrays, *(a for model in joined for a in model.graph.initializer)]
    graph = helper.make_graph(draft.nodes, CLASSIFIER, inputs, _answers(classes), arrays)
    return helper.make_model(
        graph,
        opset_imports=_opsets(joined),
        functions=[function for model in joined for function in model.functions],
        ir_version=max(model.ir_version for model in joined),
        producer_name="vidfit",
    )


def write_graph(model: Any, path: Path, facts: Mapping[str, str]) -> None:  # noqa: ANN401
    """Check a graph and write it, with facts that other programs can read from the file.

    Raises
    ------
    ModelError
        If it breaks the rules of ONNX, or is larger than a file of them can be.
    """
    helper.set_model_props(model, dict(facts))
    try:
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"{path.name} would be no valid ONNX file: {error}") from error
    except ValueError as error:  # protobuf: 2 GiB
        raise ModelError(f"{path.name} is too large for one ONNX file: {error}") from error


def _statistics(draft: _GraphDraft, tokens_BMD: str, count: int, dim: int) -> str:
    """Add what `vidfit.features.temporal_statistics` does, [B, 3D]."""
    mean_1M = draft.array(np.full((1, count), 1 / count))
    change_RM = np.diff(np.eye(count), axis=0) if count > 1 else np.zeros((1, 1))
    share_1R = draft.array(np.full((1, len(change_RM)), 1 / len(change_RM)))
    mean_B1D = draft.node("MatMul", [mean_1M, tokens_BMD])
    centred_BMD = draft.node("Sub", [tokens_BMD, mean_B1D])
    squares_BMD = draft.node("Mul", [centred_BMD, centred_BMD])
    deviation_B1D = draft.node("Sqrt", [draft.node("MatMul", [mean_1M, squares_BMD])])
    change_BRD = draft.node("Abs", [draft.node("MatMul", [draft.array(change_RM), tokens_BMD])])
    mean_change_B1D = draft.node("MatMul", [share_1R, change_BRD])
    all_B1X = draft.node("Concat", [mean_B1D, deviation_B1D, mean_change_B1D], axis=2)
    return draft.node("Reshape", [all_B1X, draft.array(np.array([-1, 3 * dim]))])


def _answers(classes: int) -> list[Any]:
    return [
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["clips", classes]),
        helper.make_tensor_value_info("novelty", TensorProto.FLOAT, ["clips"]),
    ]


def _opset(part: ExportedNetwork) -> int:
    """Return the version of the operations of a member's graph."""
    imports = onnx.load(part.path, load_external_data=False).opset_import
    version = max(
        (opset.version for opset in imports if opset.domain in ("", "ai.onnx")), default=0
    )
    if version < _LEAST_OPSET:
        raise ModelError(
            f"{part.spec.name} is a graph of version {version} of ONNX's operations; "
            f"{_LEAST_OPSET} and later can be joined with a head"
        )
    return int(version)


def _opsets(models: Sequence[Any]) -> list[Any]:
    """Return the versions of operations that all graphs agree on."""
    found: dict[str, set[int]] = {}
    for model in models:
        for opset in model.opset_import:
            domain = "" if opset.domain == "ai.onnx" else opset.domain
            found.setdefault(domain, set()).add(opset.version)
    mixed = [f"{domain or 'ai.onnx'} {sorted(v)}" for domain, v in found.items() if len(v) > 1]
    if mixed:
        raise ModelError(f"the parts are of differing versions of ONNX: {', '.join(mixed)}")
    return [helper.make_opsetid(domain, version) for domain, (version,) in found.items()]


class _GraphDraft:
    """Nodes and arrays of a graph in the making, with names that are given out in order."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []

    def node(self, kind: str, inputs: Sequence[str], *, output: str = "", axis: int = -1) -> str:
        """Add a node and return the name of its output."""
        name = output or f"vidfit_{len(self.nodes)}_{kind}"
        node = helper.make_node(kind, list(inputs), [name], f"to {name}")
        if axis >= 0:
            node.attribute.append(helper.make_attribute("axis", axis))
        self.nodes.append(node)
        return name

    def array(self, values: Floats | np.ndarray[Any, Any]) -> str:
        """Add a constant, float32 or int64, and return its name."""
        name = f"vidfit_array_{len(self.arrays)}"
        kind = np.int64 if values.dtype.kind == "i" else np.float32
        tensor = numpy_helper.from_array(np.ascontiguousarray(values, kind), name)
        self.arrays.append(tensor)
        return name
