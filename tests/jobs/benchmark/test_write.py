"""A benchmark as text, JSON and picture."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from vidfit.jobs.benchmark.picture import benchmark_svg
from vidfit.jobs.benchmark.value import (
    BatchTiming,
    Benchmark,
    BenchmarkedMember,
    ClipWay,
    EngineRun,
    Roof,
)
from vidfit.jobs.benchmark.write import (
    ABOVE_PEAK,
    benchmark_json,
    benchmark_markdown,
    write_benchmark,
)

MIB = 2**20


def run(engine, threads, view_seconds, **changes):
    timings = tuple(
        BatchTiming(n, 20, view_seconds * n, view_seconds * n * 1.5, view_seconds * n * threads)
        for n in (1, 2, 4)
    )
    return EngineRun(engine, threads, 2, 1e-6, 1.5, 400 * MIB, timings, **changes)


def member(**changes):
    runs = (
        run("onnx", 1, 0.010), run("onnx", 2, 0.006), run("openvino", 1, 0.0101),
        run("torch", 1, 0.030), EngineRun("compile", 1, failure="there is no compiler"),
    )  # fmt: skip
    facts = BenchmarkedMember(
        "a <net>", "cnn2d", "1xevenx8", 8, 4_000_000, 0.4, "onnx", runs,
        {1: 60_000_000, 2: 100_000_000, 4: 180_000_000},
    )  # fmt: skip
    return replace(facts, **changes)


def example(**changes):
    found = Benchmark(
        "out/model", {"processor": "a <processor>"}, {"vidfit": "0"}, (0.1, 0.9),
        (Roof(1, 90e9, 10e9), Roof(2, 170e9, 14e9)), (member(),),
        ClipWay("v.mp4", 5, 0.02, {"a <net>": 0.06}, 0.001),
    )  # fmt: skip
    return replace(found, **changes)


def test_values_that_follow():
    found = example()
    (one,) = found.members
    timing = one.runs[0].timings[2]
    assert timing.views_per_second == pytest.approx(100)
    assert one.flops_per_second(timing) == pytest.approx(80e9)
    assert one.intensity(timing) == pytest.approx(4 * 0.8e9 / 180e6)
    assert found.share_of_peak(one, one.runs[0]) == pytest.approx(80 / 90)
    assert [found.roofs[0].at(x) for x in (1, 9, 100)] == [10e9, 90e9, 90e9]
    assert found.clip.seconds == pytest.approx(0.081)


def test_the_table_holds_each_engine_with_its_batches():
    text = benchmark_markdown(example())
    assert "| 1 thread | 90 | 10.0 |" in text
    first = next(line for line in text.splitlines() if line.startswith("| **ONNX Runtime** | 1"))
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells[2:] == ["10 (15)", "100", "100", "100", "", "12.5", "10", "89%", "400 MiB"]
    assert "torch.compile, 1 thread: there is no compiler" in text
    assert "18 operations a byte at 4 views" in text
    assert "| decode | 20 | 25% |" in text and "| all | 81 | |" in text
    assert "rough" not in text


def test_a_busy_machine_is_told():
    assert "rough" in benchmark_markdown(example(load=(3.0, 3.0)))


def test_a_share_above_the_peak_is_explained():
    fast = member(runs=(run("onnx", 1, 0.005),), traffic_bytes={})
    found = example(members=(fast,), clip=None)
    assert found.share_of_peak(fast, fast.runs[0]) > 1
    assert ABOVE_PEAK in benchmark_markdown(found)
    assert "above 100%, for the peak is that of float32 products" in benchmark_svg(found)
    assert ABOVE_PEAK not in benchmark_markdown(example())


def test_a_member_without_a_network_has_its_time():
    own = member(
        name="motion", chosen="own", parameters=0, gmacs_per_view=0.0, num_clips=1,
        runs=(run("own", 1, 0.05),), traffic_bytes={},
    )  # fmt: skip
    text = benchmark_markdown(example(members=(own,), clip=None))
    assert "**motion**: no network, its own code; a clip is 8 frames, evenly spread\n" in text
    assert "| **own code** | 1 | 50 (75) | 20 | 20 | 20 |  | 20 | 50 |  | 400 MiB |" in text
    svg = benchmark_svg(example(members=(own,)))
    assert "No member has a network" in svg and 'class="mark' not in svg


def test_json_holds_everything_and_what_follows(tmp_path):
    path = write_benchmark(example(), tmp_path / "new")
    document = json.loads(path.read_text())
    assert document == json.loads(benchmark_json(example()))
    assert document["format"] == "vidfit.benchmark/1"
    (one,) = document["members"]
    shown = one["runs"][1]
    assert shown["engine"] == "onnx" and shown["share_of_peak"] == pytest.approx(0.8 / 6e-3 / 170)
    assert shown["timings"][0]["clips_per_second"] == pytest.approx(1 / 6e-3 / 8)
    assert shown["timings"][0]["flops_per_byte"] == pytest.approx(0.8e9 / 60e6)
    assert one["runs"][4]["failure"] == "there is no compiler"
    assert {p.name for p in path.parent.iterdir()} == {"benchmark.json", "benchmark.svg"}


def test_marks_lie_under_their_roofs_and_labels_apart(tmp_path):
    svg = benchmark_svg(example())
    root = ElementTree.fromstring(svg)
    texts = ["".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1 thread", "90 GFLOP/s", "10 GB/s", "2 threads", "170 GFLOP/s"} <= set(texts)
    assert "a <net>" in texts
    assert any("a <processor>" in text for text in texts)
    marks = re.findall(r'class="mark (\w+) (\w*)" x="([\d.]+)" y="([\d.]+)"', svg)
    assert [(kind, css) for kind, css, *_ in marks] == [
        ("behind", "chosen"), ("recommended", "chosen"), ("behind", ""), ("behind", "")
    ]  # fmt: skip
    level = float(re.search(r'course narrow" d="M[^L]+L\S+ ([\d.]+)', svg)[1])
    assert all(float(y) > level for kind, _, _, y in marks if kind == "behind")
    lefts = re.findall(r'class="label[^"]*" x="[^"]+" y="([^"]+)" text-anchor="end"', svg)
    assert len(lefts) == 3
    assert all(below - above >= 17 for above, below in pairwise(sorted(map(float, lefts))))


def test_a_network_whose_bytes_are_unknown_has_no_place():
    svg = benchmark_svg(example(members=(member(traffic_bytes={}),)))
    assert "nothing is drawn" in svg and 'class="mark' not in svg
