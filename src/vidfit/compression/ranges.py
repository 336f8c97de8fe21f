"""What values a graph computes on frames, and the ranges that its integers shall cover.

One pass over the frames gives true extremes and a bounded random sample of every tensor, on
which the clippings of `vidfit.compression.clipping` choose.

Shape letters: B views, T frames, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vidfit.compression.clipping import CLIPPINGS
from vidfit.contracts import Floats, Frames
from vidfit.errors import BackboneError

SAMPLES = 65_536
"""Values of a tensor that are kept: 1 in 10,000, which a percentile clips, is still 6 of them."""

BITS = 8


@dataclass
class TensorStatistics:
    """True extremes of a tensor, the mean of each channel, and a random sample of its values."""

    low: float = np.inf
    high: float = -np.inf
    mean_C: Floats | float = 0.0
    drawn: list[Floats] = field(default_factory=list)

    @property
    def values(self) -> Floats:
        """The sample."""
        return np.concatenate(self.drawn)


def observe(
    model: Any,  # noqa: ANN401
    names: Collection[str],
    frames_BTHWC: Frames,
) -> dict[str, TensorStatistics]:
    """Run the graph view by view and note what the named tensors hold.

    Parameters
    ----------
    model
        An ``onnx.ModelProto`` that maps ``frames`` to ``tokens``.
    names
        Tensors of float32, with channels on axis 1.
    frames_BTHWC
        At least one view. One view's tensors are held at a time, and `SAMPLES` values of each.

    Raises
    ------
    BackboneError
        If there are no views, or values are not finite.
    """
    if not len(frames_BTHWC):
        raise BackboneError("There are no views to calibrate on; pass at least one.")
    order = sorted(names)
    run = _runner(model, order)
    rng = np.random.default_rng(0)
    seen = {name: TensorStatistics() for name in order}
    for view in range(len(frames_BTHWC)):
        for name, values in zip(order, run(frames_BTHWC[view : view + 1]), strict=True):
            _note(seen[name], values, len(frames_BTHWC), rng)
    bad = [name for name in order if not np.isfinite([seen[name].low, seen[name].high]).all()]
    if bad:
        raise BackboneError(
            f"{len(bad)} tensors of the graph, {bad[0]} first, hold values that are infinite or "
            "not a number; it cannot be quantized. Look for a damaged weight."
        )
    return seen


def limits(seen: TensorStatistics, clipping: str) -> tuple[float, float]:
    """Return the lowest and the highest value that 8-bit integers shall cover; 0 lies between.

    A range of both signs is clipped on each side by itself, as if the other were as long: either
    may have outliers. Values of the other side count as rounded, never as clipped.
    """
    choose = CLIPPINGS[clipping]
    values = seen.values
    if seen.low >= 0:
        return 0.0, min(choose(values, BITS, False), seen.high) or 1.0
    above = min(choose(_side(values), BITS, True), seen.high) if seen.high > 0 else 0.0
    return -min(choose(_side(-values), BITS, True), -seen.low), above


def _side(values: Floats) -> Floats:
    """Return what lies above zero, and what lies below it as values that are surely inside."""
    above = values[values > 0]
    inside = above.mean() if len(above) else 0
    side: Floats = np.where(values > 0, values, np.minimum(-values, inside))
    return side


def _runner(model: Any, names: list[str]) -> Callable[[Frames], list[Floats]]:  # noqa: ANN401
    import onnx
    import onnxruntime

    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    known = {output.name for output in wide.graph.output}
    wide.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
        if name not in known
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        wide.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda frames_BTHWC: session.run(names, {"frames": frames_BTHWC})


def _note(seen: TensorStatistics, values: Floats, views: int, rng: np.random.Generator) -> None:
    seen.low = min(seen.low, float(values.min()))
    seen.high = max(seen.high, float(values.max()))
    others = tuple(axis for axis in range(values.ndim) if axis != 1)
    seen.mean_C = seen.mean_C + values.mean(axis=others, dtype=np.float64) / views
    flat, count = values.ravel(), -(-SAMPLES // views)
    # With repeats, which is faster than a choice without.
    few = flat if len(flat) <= count else flat[rng.integers(0, len(flat), count)]
    seen.drawn.append(few.copy())
