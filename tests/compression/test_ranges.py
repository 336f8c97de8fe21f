"""What is seen on frames, and the ranges that are chosen of it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.compression.networks import pictures

from vidfit.compression import onnx_graph, ranges
from vidfit.compression.ranges import TensorStatistics, limits, observe
from vidfit.errors import BackboneError


def seen_of(values):
    values = np.asarray(values, np.float32)
    return TensorStatistics(float(values.min()), float(values.max()), 0.0, [values])


def test_tensors_are_seen_as_they_are(convolutional, monkeypatch):
    model = onnx_graph.tidied(convolutional)
    views = pictures(3)
    names = [node.output[0] for node in onnx_graph.layer_nodes(model)]
    run = ranges._runner(model, names)
    whole = dict(zip(names, run(views), strict=True))
    monkeypatch.setattr(ranges, "SAMPLES", 300)
    for name, seen in observe(model, names, views).items():
        values = whole[name]
        # One view at a time sums in another order.
        assert seen.low == pytest.approx(values.min(), abs=1e-4)
        assert seen.high == pytest.approx(values.max(), abs=1e-4)
        np.testing.assert_allclose(seen.mean_C, values.mean((0, 2, 3)), atol=1e-4)
        assert 0 < len(seen.values) <= 300
        assert seen.low <= seen.values.min() <= seen.values.max() <= seen.high


def test_the_sample_is_the_same_each_time(convolutional):
    model = onnx_graph.tidied(convolutional)
    name = onnx_graph.layer_nodes(model)[1].output[0]
    first, second = (observe(model, [name], pictures(2))[name].values for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("clipping", ["minmax", "percentile", "mse", "octav"])
def test_each_side_is_clipped_by_itself(clipping):
    rng = np.random.default_rng(0)
    values = rng.normal(size=50_000)
    values[:3] = 900.0
    low, high = limits(seen_of(values), clipping)
    if clipping == "minmax":
        assert (low, high) == pytest.approx((values.min(), 900.0))
    elif clipping == "percentile":
        assert low == pytest.approx(np.percentile(values, 0.01), rel=0.1)
    else:
        # An outlier above does not cost the side below its resolution.
        assert values.min() <= low < -2.5
    assert low < 0 < high


def test_values_that_are_never_negative_start_at_zero():
    low, high = limits(seen_of([2.0, 3.0, 6.0]), "octav")
    assert (low, high) == (0.0, pytest.approx(6.0, rel=1e-4))
    # Of few values one may be clipped a little, for the sake of another.
    assert limits(seen_of([-1.0, -0.5]), "octav") == (pytest.approx(-1.0, rel=0.02), 0.0)
    assert limits(seen_of([0.0, 0.0]), "octav") == (0.0, 1.0)


def test_refused(convolutional):
    model = onnx_graph.tidied(convolutional)
    with pytest.raises(BackboneError, match="no views to calibrate on; pass at least one"):
        observe(model, [], pictures(0))
    bias = next(
        i for i in model.graph.initializer if i.name == onnx_graph.layer_nodes(model)[0].input[2]
    )
    bias.raw_data = np.full(bias.dims[0], np.nan, np.float32).tobytes()
    with pytest.raises(BackboneError, match="infinite or not a number; it cannot be quantized"):
        observe(model, [onnx_graph.layer_nodes(model)[0].output[0]], pictures(1))
