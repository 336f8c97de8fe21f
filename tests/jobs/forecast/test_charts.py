"""Curves of squared error: what is far above the networks does not flatten them."""

from __future__ import annotations

from types import SimpleNamespace

from vidfit.jobs.forecast.charts import FAR, error_curves


def row(name: str, network: bool, *mse: float):
    return SimpleNamespace(name=name, network=network, mse_A=mse)


def test_a_baseline_far_above_the_networks_is_left_out():
    rows = [
        row("black", False, FAR * 10 + 1, FAR * 10 + 1),
        row("copy-last", False, 5.0, FAR * 20),
        row("net", True, 5.0, 10.0),
    ]
    drawn = str(error_curves(rows, "net", 1000, 400))
    assert "black" not in drawn
    assert drawn.count("<polyline") == 2 and "<title>copy-last: 5.0, 80.0</title>" in drawn


def test_without_a_network_all_are_drawn():
    rows = [row("black", False, 100.0), row("mean", False, 1.0)]
    assert str(error_curves(rows, "mean", 1000, 400)).count("<polyline") == 2
