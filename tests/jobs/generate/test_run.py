"""A generator from clips to samples, at a few steps: that it goes through, not that it is good."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from vidfit.errors import ModelError, NotEnoughDataError, StoreError, VidfitError
from vidfit.jobs.generate.options import GenerateOptions
from vidfit.jobs.generate.run import run_generate
from vidfit.jobs.generate.sample import run_sample
from vidfit.video import VideoReader, write_video

FEW = GenerateOptions(side=16, steps=12)


def moving(path: Path, seed: int, *, size=(36, 46), frames: int = 24, **how) -> Path:
    """Write a square that moves over a ground."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(40, 200, size=3)
    row, column = rng.integers(4, 20, size=2)
    clip = []
    for at in range(frames):
        frame = np.full((*size, 3), ground, np.uint8)
        frame[row : row + 8, (column + at) % 30 : (column + at) % 30 + 8] = 255 - ground
        clip.append(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, clip, 20, **how)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(24):
        moving(folder / ("left", "right")[seed % 2] / f"{seed:02d}.mp4", seed)
    return folder


@pytest.fixture(scope="module")
def fitted(clips, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "run"
    run_generate(clips, output, FEW)
    return output


def test_a_fit_gives_a_model_a_report_and_samples(fitted):
    facts = json.loads((fitted / "report.json").read_text())
    names = [stage["name"] for stage in facts["stages"]]
    assert names[0] == "VAE alone"
    assert {"flow prior", "GPT over tokens"} < set(names)
    assert facts["sizes"]["classes"] == ["left", "right"]
    assert facts["stages"][0]["kept"]
    page = (fitted / "report.html").read_text()
    assert "Stage by stage" in page
    assert page.count("data:image/png") >= 3
    assert (fitted / "samples.png").read_bytes().startswith(b"\x89PNG")
    assert not (fitted / "checkpoint").exists()


def test_a_stage_is_kept_only_where_nothing_is_lost(fitted):
    best = None
    for stage in json.loads((fitted / "report.json").read_text())["stages"]:
        scores = stage["choosing"]
        if best and stage["kept"]:
            assert scores["distance"]["value"] < best["distance"]["value"]
            assert scores["manifolds"]["recall"] >= best["manifolds"]["recall"]
        best = scores if stage["kept"] else best


def test_samples_are_videos_and_the_same_for_a_seed(fitted, tmp_path):
    drawn = run_sample(fitted / "model", tmp_path / "one", count=5, seed=3)
    again = run_sample(fitted / "model", tmp_path / "two", count=5, seed=3)
    assert [path.name for path in drawn.paths] == [f"sample-000{n}.mp4" for n in range(1, 6)]
    assert [p.read_bytes() for p in drawn.paths] == [p.read_bytes() for p in again.paths]
    with VideoReader(str(drawn.paths[0])) as reader:
        assert (reader.info.height_pixels, reader.info.width_pixels) == (16, 16)
    assert drawn.sheet.read_bytes().startswith(b"\x89PNG")
    assert set(drawn.labels) <= {"left", "right"}


def test_samples_of_a_class(fitted, tmp_path):
    drawn = run_sample(fitted / "model", tmp_path, count=4, label="right")
    assert drawn.labels == ("right",) * 4


def test_a_class_that_is_not_known_is_named(fitted, tmp_path):
    with pytest.raises(VidfitError, match=r"'rihgt' is no class .*did you mean 'right'"):
        run_sample(fitted / "model", tmp_path, label="rihgt")


@pytest.mark.parametrize("count", [0, 10_001])
def test_counts_are_checked(fitted, tmp_path, count):
    with pytest.raises(VidfitError, match="--count from 1"):
        run_sample(fitted / "model", tmp_path, count=count)


def test_clips_without_labels_have_no_classes(tmp_path):
    for seed in range(10):
        moving(tmp_path / "clips" / f"{seed}.mp4", seed)
    report = run_generate(tmp_path / "clips", tmp_path / "run", FEW)
    assert report.classes == ()
    with pytest.raises(VidfitError, match="leave --class away"):
        run_sample(tmp_path / "run" / "model", tmp_path / "out", label="left")


def test_an_interrupted_run_goes_on_to_the_bit(clips, tmp_path, monkeypatch, fitted):
    from vidfit.jobs.generate import makers

    learn = makers.learn

    def stops_in_the_gpt(trainee, budget, **how):
        if how["stage"] == "GPT over tokens":
            steps = iter([False] * 5 + [True])
            how["stop"] = lambda: next(steps)
        return learn(trainee, budget, **how)

    monkeypatch.setattr(makers, "learn", stops_in_the_gpt)
    with pytest.raises(KeyboardInterrupt):
        run_generate(clips, tmp_path, FEW)
    assert sorted(p.name for p in (tmp_path / "checkpoint").iterdir()) == [
        "GPT-over-tokens", "VAE", "VAE-longer", "flow-over-the-VAE",
    ]  # fmt: skip
    monkeypatch.undo()
    run_generate(clips, tmp_path, FEW)
    for name in ("model/weights.safetensors", "samples.png"):
        assert (tmp_path / name).read_bytes() == (fitted / name).read_bytes()


def test_a_run_of_other_clips_is_not_gone_on_with(clips, tmp_path, monkeypatch):
    from vidfit.jobs.generate import makers

    learn = makers.learn
    monkeypatch.setattr(makers, "learn", lambda t, b, **how: learn(t, b, **how) and None)
    with pytest.raises(KeyboardInterrupt):
        run_generate(clips, tmp_path, FEW)
    monkeypatch.undo()
    with pytest.raises(StoreError, match="of other clips, or another recipe"):
        run_generate(clips, tmp_path, GenerateOptions(side=16, steps=12, seed=1))


def test_one_clip_is_too_few(tmp_path):
    moving(tmp_path / "clips" / "one.mp4", 0)
    with pytest.raises(NotEnoughDataError, match="give more clips"):
        run_generate(tmp_path / "clips", tmp_path / "run", FEW)


def test_black_clips_teach_nothing(tmp_path):
    for seed in range(10):
        black = [np.zeros((32, 32, 3), np.uint8)] * 20
        (tmp_path / "clips").mkdir(exist_ok=True)
        write_video(tmp_path / "clips" / f"{seed}.mp4", black, 20)
    with pytest.raises(NotEnoughDataError, match="are they black"):
        run_generate(tmp_path / "clips", tmp_path / "run", FEW)


def test_odd_sizes_ten_bits_and_short_clips(tmp_path):
    for seed in range(8):
        moving(tmp_path / "clips" / f"{seed}.mp4", seed, size=(33, 51))
    moving(tmp_path / "clips" / "ten.mp4", 8, pixel_format="yuv420p10le")
    moving(tmp_path / "clips" / "short.mp4", 9, frames=4)
    (tmp_path / "clips" / "broken.mp4").write_bytes(b"no video")
    report = run_generate(tmp_path / "clips", tmp_path / "run", FEW)
    assert {Path(f.name).name for f in report.failures} == {"short.mp4", "broken.mp4"}
    assert any("8 frames take 0.7 s" in f.reason for f in report.failures)


def test_a_full_disk_is_said(clips, tmp_path, monkeypatch):
    from vidfit.pixels.generate import kept

    def full(model, directory):
        from vidfit.pixels.saved import save_pixels

        def no_space(*_):
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr("safetensors.torch.save_file", no_space)
        save_pixels(model, directory)

    monkeypatch.setattr(kept, "save_pixels", full)
    with pytest.raises(ModelError, match="No space left"):
        run_generate(clips, tmp_path, FEW)
    assert (tmp_path / "checkpoint").is_dir()


def test_a_model_that_was_altered_is_refused(fitted, tmp_path):
    import shutil

    shutil.copytree(fitted / "model", tmp_path / "model")
    document = tmp_path / "model" / "pixels.json"
    facts = json.loads(document.read_text())
    facts["sizes"]["members"][0]["kind"] = "code"
    document.write_text(json.dumps(facts))
    with pytest.raises(ModelError, match="damaged"):
        run_sample(tmp_path / "model", tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (GenerateOptions(side=20), "multiple of 8"),
        (GenerateOptions(cpu_seconds=0.2), "too few"),
        (GenerateOptions(cpu_seconds=float("nan")), "too few"),
        (GenerateOptions(windows=0), "one window or more"),
    ],
)
def test_options_are_checked(clips, tmp_path, options, said):
    with pytest.raises(VidfitError, match=said):
        run_generate(clips, tmp_path, options)
