"""Weights learned without labels: written, read, started from; an interrupt loses little."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.clips import write_dataset

from vidfit.errors import ModelError, NotEnoughDataError, VidfitError
from vidfit.jobs.compare.options import CompareOptions
from vidfit.jobs.compare.run import run_compare
from vidfit.jobs.pretrain.clips import (
    FOLDER,
    ClipPretrainOptions,
    pretraining_lines,
    run_pretrain_clips,
)
from vidfit.jobs.train.run import start_of
from vidfit.networks import Shape, build
from vidfit.plans import Data, Recipe, Subject, unplanned
from vidfit.study.pretrained import read_pretrained

OPTIONS = ClipPretrainOptions(1.0, width=32, side_pixels=32, workers=1)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """Clips with captions, and what was learned from them."""
    folder = tmp_path_factory.mktemp("pretrain")
    write_dataset(folder / "clips")
    lines = ["path,label,text"]
    for path in sorted((folder / "clips").rglob("*.mp4")):
        way = path.parent.name
        lines.append(f"{path},{way},drifts to the {way}")
    (folder / "clips.csv").write_text("\n".join(lines), encoding="utf-8")
    found = run_pretrain_clips(folder / "clips.csv", folder / "out", OPTIONS)
    return found, folder / "clips.csv", folder / "out"


def test_what_is_hidden_is_learned_and_known_again(pretrained):
    found, _, output = pretrained
    assert found.facts.clips == 12 and found.facts.epochs > 2
    assert found.facts.last_loss < found.facts.first_loss
    assert found.facts.words[:3] == ("drifts", "the", "to")
    again = read_pretrained(output / FOLDER)
    assert again.facts == found.facts
    assert {name.split(".")[0] for name in again.weights} == {"trunk", "words"}
    assert "12 clips of 12 recordings without labels" in pretraining_lines(found)


def test_a_run_that_has_ended_is_not_learned_again(pretrained):
    found, clips, output = pretrained
    weights = read_pretrained(output / FOLDER).weights
    again = run_pretrain_clips(clips, output, OPTIONS)
    assert again.facts.epochs == found.facts.epochs
    for name, tensor in read_pretrained(output / FOLDER).weights.items():
        assert torch.equal(tensor, weights[name])


def plan_of(width):
    subject = Subject("video-text", "", "full", width, 1, 4)
    return unplanned(subject, Recipe(epochs=1), Data(12, 2, 6, 16), 4)


def test_training_starts_from_what_frames_taught(pretrained):
    weights = read_pretrained(pretrained[2] / FOLDER)
    start = start_of(plan_of(32), weights)
    assert start and all(torch.equal(t, weights.weights[n]) for n, t in start.items())
    network = build("video-text", Shape(0, 16, 2, 32, 1, 4))
    missing = network.load_state_dict(start, strict=False)
    assert not missing.unexpected_keys
    assert {name.split(".")[0] for name in missing.missing_keys} == {"answer"}
    assert start_of(plan_of(32), None) is None
    reads = replace(plan_of(32), subject=replace(plan_of(32).subject, vocabulary=9))
    spoken = start_of(reads, weights)
    assert spoken and spoken.keys() == weights.weights.keys() > start.keys()


def test_a_comparison_starts_from_the_weights_and_says_what_they_have_seen(pretrained, tmp_path):
    _, clips, output = pretrained
    options = CompareOptions(
        ("video-transformer",), ("motion",), cpu_seconds=0.3, pretrained=output / FOLDER
    )
    table = run_compare(clips, tmp_path, options)
    assert any("has seen 12 of the 12 clips" in warning for warning in table.warnings)
    fine = next(row for row in table.rows if row.how == "self-supervised, fine-tuned")
    assert fine.sees == "16 frames of 32 x 32 and words"
    assert fine.pretrained_on == "12 clips beforehand, without labels"


def test_weights_of_another_size_are_refused(pretrained):
    with pytest.raises(VidfitError, match="give both one size"):
        start_of(plan_of(64), read_pretrained(pretrained[2] / FOLDER))


def test_weights_that_do_not_fit_their_facts_are_refused(pretrained, tmp_path):
    for path in (pretrained[2] / FOLDER).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    facts = json.loads((tmp_path / "pretrained.json").read_text(encoding="utf-8"))
    (tmp_path / "pretrained.json").write_text(json.dumps({**facts, "width": 10**5}))
    with pytest.raises(ModelError, match="holds no weights to start from"):
        read_pretrained(tmp_path)


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(VidfitError, match="width is 30; give a multiple of 4"):
        ClipPretrainOptions(width=30).check()


def test_few_clips_are_refused(tmp_path):
    write_dataset(tmp_path / "clips", 3)
    with pytest.raises(NotEnoughDataError, match="8 or more are needed"):
        run_pretrain_clips(tmp_path / "clips", tmp_path / "out", OPTIONS)
