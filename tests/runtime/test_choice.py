"""What is fastest is found on a clock that tests set, noted, and taken again."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from vidfit import runtime
from vidfit.errors import BackboneError
from vidfit.runtime import choice, opened
from vidfit.testing import random_views


class Clock:
    """Time that passes only while something runs."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(choice.time, "perf_counter", lambda: self.now)

    def run(self, call_seconds, view_seconds):
        """Return a stand-in for an engine that takes so long a call and a view."""

        def run(frames_BTHWC):
            run.sizes.append(len(frames_BTHWC))
            self.now += call_seconds + view_seconds * len(frames_BTHWC)
            return frames_BTHWC[:, :, 0, 0].astype(np.float32)

        run.sizes = []
        return run


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def engines(clock, **seconds):
    return {name: clock.run(*pair) for name, pair in seconds.items()}


@pytest.fixture
def frame_spec(tiny):
    from dataclasses import replace

    from vidfit.contracts import Sampling

    return replace(tiny.spec, sampling=Sampling(clip_len=1, num_clips=8))


@pytest.mark.parametrize(
    ("other", "winner"), [(0.5, "openvino"), (0.97, "openvino"), (0.98, "onnx"), (2.0, "onnx")]
)
def test_a_challenger_must_be_clearly_faster(clock, frame_spec, other, winner):
    runs = engines(clock, onnx=(0, 0.010), openvino=(0, 0.010 * other))
    found = choice.choose(runs, frame_spec, 1, {"torch"})
    assert found.engine == winner
    assert found.seconds["openvino"] == pytest.approx(0.010 * other)


@pytest.mark.parametrize(
    ("call_seconds", "threads", "frames", "largest"),
    [(0.0, 1, 2, 2), (0.002, 1, 8, 8), (0.0, 2, 2, 4), (0.00005, 1, 2, 2)],
)
def test_frames_a_run_follow_what_a_call_costs(
    clock, frame_spec, call_seconds, threads, frames, largest
):
    runs = engines(clock, onnx=(call_seconds, 0.001))
    found = choice.choose(runs, frame_spec, threads, set())
    assert (found.engine, found.frames) == ("onnx", frames)
    views = choice.views_a_run(frame_spec, threads, found.frames)
    assert views == largest


def test_small_pieces_are_found_where_large_ones_cost_more(clock, frame_spec):
    def run(frames_BTHWC):
        clock.now += 0.004 * len(frames_BTHWC) ** 1.5
        return frames_BTHWC[:, :, 0, 0].astype(np.float32)

    assert choice.choose({"onnx": run}, frame_spec, 1, set()).frames == 1


def test_an_engine_that_splits_by_itself_gets_everything(clock, frame_spec):
    runs = engines(clock, onnx=(0, 0.01), torch=(0, 0.001))
    found = choice.choose(runs, frame_spec, 1, {"torch"})
    assert (found.engine, found.frames) == ("torch", 0)
    assert max(runs["torch"].sizes) == 8


@pytest.mark.parametrize("view_seconds", [0.0001, 0.01, 0.03, 0.1, 0.2])
def test_measuring_keeps_to_its_budget(clock, frame_spec, view_seconds):
    runs = engines(clock, openvino=(0, view_seconds), onnx=(0, view_seconds), torch=(0, 0.1))
    choice.choose(runs, frame_spec, 1, {"torch"})
    assert clock.now <= 1.3 * choice.BUDGET_SECONDS + 3 * view_seconds


@pytest.mark.parametrize(("threads", "view_seconds"), [(1, 0.12), (2, 0.06)])
def test_slow_networks_are_compared_too(clock, frame_spec, threads, view_seconds):
    runs = engines(clock, onnx=(0, view_seconds), openvino=(0, 0.9 * view_seconds))
    assert choice.choose(runs, frame_spec, threads, {"torch"}).engine == "openvino"
    assert clock.now <= choice.BUDGET_SECONDS


@pytest.mark.parametrize("threads", [5, 8, 64])
def test_many_threads_are_compared_on_as_many_views_as_a_clip_has(clock, frame_spec, threads):
    runs = engines(clock, onnx=(0.001, 0.002), openvino=(0.001, 0.001))
    found = choice.choose(runs, frame_spec, threads, {"torch"})
    assert found.engine == "openvino" and set(found.seconds) >= {"onnx", "openvino"}
    assert max(runs["onnx"].sizes) == 8


def test_an_engine_is_measured_when_threads_of_another_rest(clock, frame_spec, monkeypatch):
    awake_until = 0.0

    def slowed(view_seconds):
        def run(frames_BTHWC):
            nonlocal awake_until
            clock.now += view_seconds * len(frames_BTHWC) * (2 if clock.now < awake_until else 1)
            awake_until = clock.now + 0.01
            return frames_BTHWC[:, :, 0, 0].astype(np.float32)

        return run

    def sleep(seconds):
        clock.now += seconds

    monkeypatch.setattr(choice.time, "sleep", sleep)
    found = choice.choose({"onnx": slowed(0.02), "torch": slowed(0.02)}, frame_spec, 2, {"torch"})
    assert found.seconds["onnx"] == pytest.approx(found.seconds["torch"]) == 0.02


def test_a_network_too_slow_to_compare_keeps_what_is_preferred(clock, frame_spec):
    runs = engines(clock, openvino=(0, 1.7), onnx=(0, 1.0))
    found = choice.choose(runs, frame_spec, 1, set())
    assert (found.engine, found.frames, found.seconds) == ("openvino", 2, {})
    assert clock.now == pytest.approx(3 * 1.7)


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (2, [2]), (5, [2, 2, 1])])
def test_a_run_gets_few_views_at_a_time(count, sizes):
    seen = []

    def run(frames_BTHWC):
        seen.append(len(frames_BTHWC))
        return frames_BTHWC[:, :, 0, 0].astype(np.float32)

    views = np.arange(count * 3, dtype=np.uint8).reshape(count, 1, 1, 1, 3)
    tokens = choice.in_pieces(run, 2)(views)
    assert seen == sizes
    assert (tokens == views[:, :, 0, 0]).all() and len(tokens) == count


# ---------------------------------------------------------------- noted


@pytest.fixture
def own_cache(filled_cache, tmp_path):
    # Exports only: another test may have had a choice noted there.
    unwanted = shutil.ignore_patterns("*.choice-*")
    return shutil.copytree(filled_cache, tmp_path / "engines", ignore=unwanted)


@pytest.fixture
def chooses(monkeypatch):
    """Let tests say what is fastest, and count how often it is asked."""

    def to(engine, frames=4):
        calls = []

        def choose(runs, *_):
            calls.append(list(runs))
            return choice.EngineChoice(engine, frames, {engine: 0.1})

        monkeypatch.setattr(runtime, "choose", choose)
        return calls

    return to


def test_a_choice_is_noted_and_only_that_engine_opened_again(tiny, own_cache, chooses, monkeypatch):
    calls = chooses("openvino")
    fast = runtime.accelerate(tiny, cache=own_cache)
    assert (fast.engine, fast.frames, fast.reason) == ("openvino", 4, "")
    assert calls == [["onnx", "openvino", "torch"]]
    monkeypatch.setitem(opened.ENGINES, "onnx", "no.such.module")
    monkeypatch.setattr(runtime, "packages", lambda engine: ("torch", "onnxruntime", "openvino"))
    runtime.accelerate(tiny, cache=own_cache)
    again = runtime.accelerate(tiny, cache=own_cache)
    assert (again.engine, again.frames) == ("openvino", 4)


def test_the_second_process_measures_nothing(tiny, own_cache, chooses):
    calls = chooses("torch", 0)
    assert runtime.accelerate(tiny, cache=own_cache).engine == "torch"
    assert runtime.accelerate(tiny, cache=own_cache).engine == "torch"
    assert len(calls) == 1


def test_threads_have_choices_of_their_own(tiny, own_cache, chooses):
    calls = chooses("onnx")
    runtime.accelerate(tiny, cache=own_cache)
    runtime.accelerate(tiny, threads=2, cache=own_cache)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "damage",
    ["", "{}", '{"engine": "tensorrt"}', '{"frames": "4"}', '{"frames": null, "seconds": 3}'],
)
def test_a_damaged_choice_is_measured_again(tiny, own_cache, chooses, damage):
    calls = chooses("openvino")
    runtime.accelerate(tiny, cache=own_cache)
    (note,) = own_cache.glob("*.choice-onnx-openvino-torch-*.json")
    changed = json.loads(note.read_text()) | json.loads(damage) if damage not in ("", "{}") else {}
    note.write_text(json.dumps(changed) if damage else "")
    assert runtime.accelerate(tiny, cache=own_cache).engine == "openvino"
    assert len(calls) == 2
    assert json.loads(note.read_text())["engine"] == "openvino"


def test_a_choice_that_does_not_open_any_more_is_made_anew(tiny, own_cache, chooses, monkeypatch):
    chooses("openvino")
    runtime.accelerate(tiny, cache=own_cache)
    chooses("onnx")
    monkeypatch.setitem(sys.modules, "openvino", None)
    fast = runtime.accelerate(tiny, cache=own_cache)
    assert fast.engine == "onnx" and "openvino cannot run tiny" in fast.reason


def test_a_quicker_process_wins(tiny, own_cache, chooses, monkeypatch):
    """Whoever notes first is followed: all features of a machine come from one engine."""
    chooses("onnx", 2)

    def while_another_notes(runs, *_):
        first = runtime.accelerate(tiny, cache=own_cache)
        assert first.engine == "onnx"
        return choice.EngineChoice("openvino", 4, {})

    plain = runtime.choose
    answers = iter([while_another_notes, plain])
    monkeypatch.setattr(runtime, "choose", lambda *args: next(answers)(*args))
    assert runtime.accelerate(tiny, cache=own_cache).engine == "onnx"


PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.runtime.conftest import build
from vidfit import runtime
from vidfit.testing import random_views
fast = runtime.accelerate(build(), cache=Path(sys.argv[1]))
tokens = fast.forward(random_views(fast.spec, 7, 5))
print(fast.engine, fast.frames, tokens.tobytes().hex())
"""


def test_processes_of_a_machine_give_equal_features(tiny, own_cache, request):
    root = str(request.config.rootpath)

    def answer():
        command = [sys.executable, "-c", PROCESS, str(own_cache), root]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    first = answer()
    assert first == answer()
    fast = runtime.accelerate(tiny, cache=own_cache)
    tokens = fast.forward(random_views(fast.spec, 7, 5))
    assert first.split() == [fast.engine, str(fast.frames), tokens.tobytes().hex()]


def test_measuring_leaves_torch_its_threads(tiny, own_cache):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runtime.accelerate(tiny, cache=own_cache)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# ---------------------------------------------------------------- by name


def test_compiled_by_name(tiny, tmp_path, monkeypatch):
    import torch

    # The compiler itself is torch's to test: what is traced is run as it is.
    compile_network = torch.compile
    monkeypatch.setattr(torch, "compile", lambda net: compile_network(net, backend="eager"))
    fast = runtime.accelerate(tiny, engine="compile", cache=tmp_path)
    views = random_views(tiny.spec, 3)
    np.testing.assert_allclose(fast.forward(views), tiny.forward(views), rtol=1e-4, atol=1e-5)
    assert (fast.engine, fast.frames) == ("compile", 0) and fast.parity < 1e-5
    assert list(tmp_path.iterdir()) == []


def test_compiling_that_fails_is_an_error(tiny, tmp_path, monkeypatch):
    import torch

    def compile_network(network):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", compile_network)
    with pytest.raises(BackboneError, match="compile cannot run tiny: RuntimeError: no C"):
        runtime.accelerate(tiny, engine="compile", cache=tmp_path)


def test_cuda(tiny, tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no graphics processor")
    fast = runtime.accelerate(tiny, engine="cuda", cache=tmp_path)
    views = random_views(tiny.spec, 3)
    np.testing.assert_allclose(fast.forward(views), tiny.forward(views), rtol=1e-3, atol=1e-4)


def test_cuda_without_a_device_is_an_error(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(BackboneError, match="torch finds no CUDA device"):
        runtime.accelerate(tiny, engine="cuda", cache=tmp_path)
