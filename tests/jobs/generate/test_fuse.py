"""Pools of generators that were fitted apart."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.jobs.generate.test_run import moving
from tests.pixels.generate.clips import SIZES

from vidfit.errors import ModelError, NotEnoughDataError, VidfitError
from vidfit.jobs.generate import fuse
from vidfit.jobs.generate.fuse import run_fuse_generators
from vidfit.jobs.generate.sample import run_sample
from vidfit.jobs.generate.terminal import pool_lines
from vidfit.pixels.generate.kept import load_generator, save_generator
from vidfit.pixels.generate.members import LatentMember, SharedPool
from vidfit.pixels.generate.vae import ClipDecoder


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(8):
        moving(folder / f"{seed}.mp4", seed)
    return folder


def generator(folder: Path, seed: int, sizes=SIZES) -> Path:
    torch.manual_seed(seed)
    save_generator(LatentMember("VAE alone", sizes, ClipDecoder(sizes)), sizes, {}, folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [generator(folder / name, seed) for seed, name in enumerate("ab")]


def test_a_pool_is_kept_only_where_nothing_is_lost(clips, models, tmp_path):
    found = run_fuse_generators(models, clips, tmp_path)
    best = next(m for m in found.members if m.name == found.best)
    assert best.choosing.distance.value == min(m.choosing.distance.value for m in found.members)
    assert sum(m.share for m in found.members) == pytest.approx(1)
    drawer = load_generator(tmp_path / "model").drawer
    assert isinstance(drawer, SharedPool) == found.kept
    said = "\n".join(pool_lines(found))
    assert ("The pool is kept" in said) == found.kept
    facts = json.loads((tmp_path / "report.json").read_text())
    assert facts["format"] == "vidfit.pool/1"
    assert len(run_sample(tmp_path / "model", tmp_path / "drawn", count=3).paths) == 3


@pytest.mark.parametrize("better", [True, False])
def test_the_result_is_the_pool_or_the_best(clips, models, tmp_path, monkeypatch, better):
    monkeypatch.setattr(fuse, "shares_of", lambda *_: [0.5, 0.5])
    monkeypatch.setattr(fuse, "verdict", lambda *_: (better, "by the test"))
    found = run_fuse_generators(models, clips, tmp_path / "pool")
    assert found.kept == better
    drawer = load_generator(tmp_path / "pool" / "model").drawer
    assert isinstance(drawer, SharedPool) == better
    if better:  # a pool within a pool is one
        third = generator(tmp_path / "c", 2)
        run_fuse_generators([tmp_path / "pool" / "model", third], clips, tmp_path / "wide")
        wide = load_generator(tmp_path / "wide" / "model").drawer
        assert isinstance(wide, SharedPool)
        assert list(wide.shares) == [0.25, 0.25, 0.5]


def test_one_generator_is_no_pool(clips, models, tmp_path):
    with pytest.raises(VidfitError, match="two or more"):
        run_fuse_generators(models[:1], clips, tmp_path / "out")
    with pytest.raises(VidfitError, match="given twice"):
        run_fuse_generators([models[0], models[0]], clips, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (replace(SIZES, side=24), "4 frames of 24 x 24"),
        (replace(SIZES, classes=("a", "c")), "of classes a, c"),
        (replace(SIZES, classes=(), shares=()), "without classes"),
    ],
)
def test_generators_of_other_clips_are_refused(clips, models, tmp_path, sizes, said):
    other = generator(tmp_path / "other", 3, sizes)
    with pytest.raises(VidfitError, match=said):
        run_fuse_generators([models[0], other], clips, tmp_path / "out")


def test_what_is_no_generator_is_refused(clips, models, tmp_path):
    with pytest.raises(ModelError):
        run_fuse_generators([models[0], tmp_path], clips, tmp_path / "out")


def test_too_few_clips_are_refused(models, tmp_path):
    moving(tmp_path / "clips" / "one.mp4", 0)
    with pytest.raises(NotEnoughDataError, match="give more clips"):
        run_fuse_generators(models, tmp_path / "clips", tmp_path / "out")
