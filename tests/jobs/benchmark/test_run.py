"""Members of a model are measured in processes of their own; what cannot run says why."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.clips import Counting, spec
from torch import nn

from vidfit import backbones
from vidfit.backbones.encoder import TorchEncoder, freeze
from vidfit.errors import VidfitError
from vidfit.hardware import hardware
from vidfit.jobs.benchmark import child as benchmark_child
from vidfit.jobs.benchmark import run as benchmark
from vidfit.jobs.benchmark.options import BenchmarkOptions
from vidfit.jobs.benchmark.run import run_benchmark
from vidfit.jobs.benchmark.traffic import traffic_bytes
from vidfit.runtime.roof import Roof, measure_roof


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lite")
    backbones.save(backbones.load("efficientnet-lite0"), folder)
    return folder


def test_a_model_without_networks_is_measured_as_it_is(fitted, tmp_path, monkeypatch):
    here = replace(hardware(), cores=1)  # half of the processes
    monkeypatch.setattr(benchmark, "hardware", lambda: here)
    video = fitted.clips / "left" / "left0.mp4"
    options = BenchmarkOptions(video, seconds=0.01, backbones=fitted.backbones[1:])
    found = run_benchmark(fitted.model, tmp_path / "out", options)
    member = found.members[0]
    assert member.chosen == "own" and {run.engine for run in member.runs} == {"own"}
    assert all(run.timings and not run.failure for run in member.runs)
    assert [timing.views for timing in member.runs[0].timings] == [1, 2, 4, 8]
    assert member.runs[0].resident_bytes > 10 * 2**20
    assert [roof.threads for roof in found.roofs] == sorted({run.threads for run in member.runs})
    assert found.clip.video == "left0.mp4" and 0 < found.clip.seconds < 60
    assert set(found.clip.member_seconds) == {member.name}
    document = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert document["members"][0]["name"] == member.name
    assert (tmp_path / "out" / "benchmark.svg").is_file()


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_a_network_is_timed_on_an_engine(lite, engine):
    run = benchmark_child.measure_engine(lite, engine, 1, (1, 2), 0.01)
    assert (run.engine, run.threads, run.failure) == (engine, 1, "")
    assert [timing.views for timing in run.timings] == [1, 2]
    for timing in run.timings:
        assert 0 < timing.median_seconds <= timing.p95_seconds
        assert timing.runs >= 5 and timing.cpu_seconds > 0
    assert (run.parity == 0.0) == (engine == "torch")


def test_what_does_not_run_says_why(lite, tmp_path):
    assert "torch finds no" in benchmark_child.measure_engine(lite, "cuda", 1, (1,), 0.01).failure
    broken = shutil.copytree(lite, tmp_path / "broken")
    (broken / "spec.json").unlink()
    run = benchmark_child.measure_engine(broken, "torch", 1, (1,), 0.01)
    assert "spec.json is missing" in run.failure and not run.timings


def test_batches_that_take_too_long_are_left_out(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(benchmark_child.time, "perf_counter", lambda: now[0])
    slow = Counting()

    def forward(frames_BTHWC):
        now[0] += 0.5 * len(frames_BTHWC)

    slow.forward = forward
    timings = benchmark_child.time_batches(slow, (1, 2, 4, 8), 0.1)
    assert [(t.views, t.runs, t.median_seconds) for t in timings] == [(1, 5, 0.5), (2, 5, 1.0)]


def test_a_process_that_dies_is_told():
    with pytest.raises(VidfitError, match=r"the process that measures failed: .*KeyError"):
        benchmark._ask({"threads": 1, "engine": "onnx"})


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"seconds": 0}, "seconds is 0"), ({"seconds": float("nan")}, "seconds is nan")],
)
def test_options_that_have_no_meaning(fitted, tmp_path, options, complaint):
    with pytest.raises(VidfitError, match=complaint):
        run_benchmark(fitted.model, tmp_path, BenchmarkOptions(**options))


def test_a_video_that_is_not_there(fitted, tmp_path):
    options = BenchmarkOptions(video=tmp_path / "none.mp4")
    with pytest.raises(VidfitError, match="there is no video"):
        run_benchmark(fitted.model, tmp_path, options)


# ---------------------------------------------------------------- roofs and bytes


def test_roofs_are_of_this_world():
    before = torch.get_num_threads()
    try:
        roof = measure_roof(1, side=256, floats=2**20)
    finally:
        torch.set_num_threads(before)
    assert isinstance(roof, Roof) and roof.threads == 1
    assert 1e8 < roof.flops_per_second < 1e13
    assert 1e8 < roof.bytes_per_second < 1e13


class Network(nn.Module):
    """One convolution and one matrix product, whose bytes can be told by hand."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, 4, bias=False)
        self.linear = nn.Linear(8, 5)

    def forward(self, frames_BTHWC):
        images = frames_BTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
        return self.linear(self.conv(images).relu().mean((2, 3)))[:, None]


@pytest.mark.parametrize("views", [1, 3])
def test_bytes_are_those_of_convolutions_and_products(views):
    network = freeze(Network())
    backbone = TorchEncoder(spec("tiny"), network)
    maps = 8 * 4 * 4
    conv = views * 3 * 16 * 16 + 8 * 3 * 4 * 4 + views * maps
    linear = views * 8 + (8 * 5 + 5) + views * 5
    assert traffic_bytes(backbone, [views]) == {views: 4 * (conv + linear)}


class Looking(Network):
    def forward(self, frames_BTHWC):
        return super().forward(frames_BTHWC) if frames_BTHWC.sum() > 0 else frames_BTHWC


def test_bytes_of_a_network_that_looks_at_values_are_unknown():
    assert traffic_bytes(TorchEncoder(spec("tiny"), freeze(Looking())), [1]) == {}


def test_bytes_of_lite_hold_its_weights():
    backbone = backbones.load("efficientnet-lite0")
    found = traffic_bytes(backbone, [1, 2])
    kernels = sum(p.numel() for p in backbone.network.parameters() if p.ndim == 4)
    # Weights are read once, whatever the batch.
    assert 2 * found[1] - found[2] == 4 * kernels
    assert np.isclose(found[1], 50e6, rtol=0.5)
