"""Fusion end to end: kept where each model knows half of the answer, refused elsewhere."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clips import FPS, HEIGHT, WIDTH, write_backbone, write_dataset

from vidfit.errors import BudgetError, NotEnoughDataError, VidfitError
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.fuse.run import run_fuse
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.model import load_model
from vidfit.video import write_video

RECORDINGS = 12


def write_tinted(path: Path, tint: str, step: int, seed: int) -> None:
    """Write texture of a tint that drifts: its colour tells one half, its motion the other."""
    rng = np.random.default_rng(seed)
    texture = np.kron(rng.integers(0, 200, (HEIGHT // 4, WIDTH // 4, 1)), np.ones((4, 4, 3)))
    texture[..., 0 if tint == "red" else 2] += 40
    pictures = (np.roll(texture, step * i, axis=1).astype(np.uint8) for i in range(20))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, pictures, FPS, options={"crf": "18", "preset": "ultrafast"})


@pytest.fixture(scope="module")
def joint(tmp_path_factory) -> tuple[Path, str]:
    """Clips of colour and motion, and an encoder of colours beside them."""
    folder = tmp_path_factory.mktemp("joint")
    rows = []
    for recording in range(RECORDINGS):
        for k, (tint, way) in enumerate((t, w) for t in ("red", "blue") for w in ("left", "right")):
            path = folder / f"{tint}-{way}-{recording}.mp4"
            write_tinted(path, tint, -2 if way == "left" else 2, 100 * recording + k)
            rows.append((path.name, f"{tint} {way}", f"r{recording}"))
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "group"), *rows])
    return folder / "clips.csv", write_backbone(folder)


@pytest.fixture(scope="module")
def fused(joint, tmp_path_factory):
    """A fusion with a student, where one is written."""
    clips, colour = joint
    output = tmp_path_factory.mktemp("fused")
    options = FuseOptions(("motion", colour), methods=("stack", "concat", "cascade"), student=True)
    return run_fuse(clips, output, options), output


def test_models_that_know_half_each_are_fused(fused):
    combination, _ = fused
    assert combination.proven and combination.gain is not None
    assert combination.gain.low > 0.1
    chosen = next(o for o in combination.options if o.name == combination.chosen)
    assert set(chosen.members) == {"motion", "colour"}
    assert combination.score.value > 0.8
    assert combination.verdict.startswith("Fusion kept: ")


def test_every_option_has_its_cost_and_the_front_its_mark(fused):
    combination, _ = fused
    options = {option.name: option for option in combination.options}
    assert set(options) == {"motion", "colour", "stack-2", "concat-2", "cascade-2"}
    slower = max(options["motion"].seconds_per_clip, options["colour"].seconds_per_clip)
    assert options["stack-2"].seconds_per_clip > slower
    assert any(option.pareto for option in combination.options)
    cheapest = min(combination.options, key=lambda option: option.seconds_per_clip)
    assert cheapest.pareto
    assert set(options["cascade-2"].calls.values()) <= {1.0, *options["cascade-2"].calls.values()}
    assert max(options["cascade-2"].calls.values()) == 1.0
    assert not options["stack-2"].calls


def test_the_pair_is_said_to_be_complementary(fused):
    combination, _ = fused
    (pair,) = combination.pairs
    assert {pair.first, pair.second} == {"motion", "colour"}
    assert pair.added.low > 0
    assert pair.oracle.value >= max(o.score.value for o in combination.options[-2:])
    assert -1 <= pair.agreement < 0.6


def test_what_was_written_runs(fused, joint):
    combination, output = fused
    clips, colour = joint
    assert load_model(output / "model").card["verdict"] == combination.verdict
    for name in ("fusion.html", "fusion.json", "fusion.svg"):
        assert (output / name).stat().st_size > 1000
    document = json.loads((output / "fusion.json").read_text(encoding="utf-8"))
    assert document["gain"]["low"] == pytest.approx(combination.gain.low, abs=1e-6)
    predictor = load(output / "model", own=(colour,))
    eager = replace(predictor.model, unknown_probability=0.0, unknown_novelty=np.inf)
    predictor = replace(predictor, model=eager)
    for name in ("red-left-0", "blue-right-1"):
        timeline = run_predict(predictor, str(clips.parent / f"{name}.mp4"))
        assert timeline.segments[0].label == " ".join(name.split("-")[:2])
        assert timeline.asked == {"motion": 1, "colour": 1}


def test_the_student_is_held_against_the_single_model(fused):
    combination, output = fused
    student = combination.student
    assert student is not None and student.kept is not None
    assert student.name in ("motion", "colour")
    assert student.score.value < combination.score.value  # neither sees what the other sees
    written = output / "student"
    assert written.exists() == combination.offers_student == (student.gain.value > 0)
    assert not written.exists() or load_model(written).members == (student.name,)


def test_a_cascade_answers_sure_clips_without_its_second_member(tmp_path):
    """Motion alone tells left from right: the encoder of colours is hardly ever asked."""
    clips = write_dataset(tmp_path / "clips", 8)
    colour = write_backbone(tmp_path)
    options = FuseOptions(("motion", colour), methods=("cascade",))
    combination = run_fuse(clips, tmp_path / "out", options)
    assert not combination.proven
    assert combination.chosen == "motion"
    assert load_model(tmp_path / "out" / "model").members == ("motion",)


def test_random_labels_are_refused(tmp_path):
    clips = write_dataset(tmp_path / "clips", 8)
    rng = np.random.default_rng(0)
    paths = sorted(clips.rglob("*.mp4"))
    kinds = rng.permutation(16) % 2
    rows = [(path, "ab"[k], path.stem) for path, k in zip(paths, kinds, strict=True)]
    with (tmp_path / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "group"), *rows])
    options = FuseOptions(("motion", write_backbone(tmp_path)), methods=("stack", "concat"))
    combination = run_fuse(tmp_path / "clips.csv", tmp_path / "out", options)
    assert not combination.proven
    # Balanced labels pull scores below a half: what is left out is missing in the training clips.
    assert combination.score.low <= 0.5 and not combination.beats_majority
    assert "No proven gain" in combination.verdict


def test_one_candidate_is_no_fusion(tmp_path):
    clips = write_dataset(tmp_path / "clips", 4)
    combination = run_fuse(clips, tmp_path / "out", FuseOptions(("motion",), student=True))
    assert (combination.chosen, combination.gain, combination.pairs) == ("motion", None, ())
    assert combination.student is None
    assert not (tmp_path / "out" / "student").exists()


def test_clips_of_a_test_split_are_left_alone(tmp_path):
    for split, recordings in (("train", 6), ("test", 2)):
        write_dataset(tmp_path / "clips" / split, recordings)
    combination = run_fuse(tmp_path / "clips", tmp_path / "out", FuseOptions(("motion",)))
    assert combination.clip_count == 12
    assert "4 clips of the test split left alone." in combination.warnings


def test_a_budget_of_minutes_drops_the_dearest(tmp_path):
    clips = write_dataset(tmp_path / "clips", 4)
    names = ("motion", write_backbone(tmp_path))
    with pytest.raises(BudgetError):
        run_fuse(clips, tmp_path / "out", FuseOptions(names, minutes=1e-9))


def test_an_unknown_method_is_named_with_those_that_exist(tmp_path):
    with pytest.raises(VidfitError, match=r"'stak' is no way.*did you mean 'stack'.*concat"):
        run_fuse(tmp_path, tmp_path / "out", FuseOptions(("motion",), methods=("stak",)))


def test_too_few_clips_are_refused(tmp_path):
    with pytest.raises(NotEnoughDataError):
        run_fuse(write_dataset(tmp_path / "c", 1), tmp_path / "out", FuseOptions(("motion",)))
