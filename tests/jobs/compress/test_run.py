"""Compression end to end, on clips that a look tells apart and a tiny network."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.backbones.tiny_hf import write
from tests.clips import FPS, HEIGHT, WIDTH, write_dataset
from tests.tiny_model import linear, write_model

from vidfit import backbones as zoo
from vidfit.errors import BackboneError, ModelError, VidfitError
from vidfit.jobs.compress.options import CompressOptions
from vidfit.jobs.compress.run import run_compress
from vidfit.jobs.compress.techniques import MODULE_STEPS, TECHNIQUES, Technique
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.model import load_model, member_directory
from vidfit.video import write_video

pytestmark = pytest.mark.slow

RECORDINGS = 12
QUICK = CompressOptions(5.0, "size", ("int8-weights", "int8-static"))


def write_tinted(path: Path, tint: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texture = np.kron(rng.integers(0, 120, (HEIGHT // 4, WIDTH // 4, 3)), np.ones((4, 4, 1)))
    texture[..., 0 if tint == "red" else 2] += 120
    pictures = (np.roll(texture, i, axis=1).astype(np.uint8) for i in range(10))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, pictures, FPS, options={"crf": "18", "preset": "ultrafast"})


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> tuple[Path, Path]:
    """Clips of two tints and a model of a tiny network that tells them apart."""
    folder = tmp_path_factory.mktemp("tints")
    for tint in ("red", "blue"):
        for recording in range(RECORDINGS):
            write_tinted(folder / "clips" / tint / f"{recording}.mp4", tint, recording)
    network = write("resnet", folder / "network")
    report = run_fit(folder / "clips", folder / "fit", FitOptions((f"hf:{network}",)))
    assert report.score.value > 0.9
    return folder / "clips", folder / "fit" / "model"


@pytest.fixture(scope="module")
def compressed(fitted, tmp_path_factory):
    clips, model = fitted
    output = tmp_path_factory.mktemp("small")
    return run_compress(model, clips, output, QUICK), output


def test_what_is_kept_is_smaller_and_proven_within_the_tolerance(compressed):
    found, _ = compressed
    kept = found.artefacts[0]
    assert found.chosen == kept.name and kept.verdict == "kept"
    assert kept.footprint.size_bytes < found.original.footprint.size_bytes
    assert 2 * kept.probability_loss.high <= kept.enough <= found.tolerance
    assert kept.similarity > 0.9
    assert found.judged + found.calibrated == 2 * RECORDINGS
    assert {a.name for a in found.artefacts} == set(QUICK.techniques)


def test_the_model_that_is_written_predicts_without_the_original(compressed, fitted):
    found, output = compressed
    clips, _ = fitted
    predictor = load(output / "model")
    assert predictor.model.members == (f"{found.networks[0]}+{found.chosen}",)
    for tint in ("red", "blue"):
        answer = run_predict(predictor, str(clips / tint / "0.mp4")).segments[0]
        assert answer.label == tint
    card = load_model(output / "model").card
    assert card["compression"]["technique"] == found.chosen
    assert 2 * card["compression"]["probability_loss"]["high"] <= 0.05
    assert not list(member_directory(output / "model", 0).glob("*.safetensors"))


def test_figures_page_and_picture_are_written(compressed):
    found, output = compressed
    document = json.loads((output / "compression.json").read_text())
    assert document["chosen"] == found.chosen
    assert (output / "compression.html").is_file() and (output / "compression.svg").is_file()


def test_the_same_call_goes_on_with_what_is_there(compressed, fitted):
    found, output = compressed
    clips, model = fitted
    before = {path: path.stat().st_mtime_ns for path in output.rglob("made.json")}
    again = run_compress(model, clips, output, QUICK)
    assert before == {path: path.stat().st_mtime_ns for path in output.rglob("made.json")}
    assert [a.loss for a in again.artefacts] == [a.loss for a in found.artefacts]


def test_answers_to_windows_without_a_label_are_held_against_the_original(fitted, tmp_path):
    clips, model = fitted
    for tint in ("red", "blue"):
        for recording in range(RECORDINGS, RECORDINGS + 4):
            write_tinted(tmp_path / "more" / f"{tint}{recording}.mp4", tint, recording)
    (tmp_path / "more" / "broken.mp4").write_bytes(b"no video")
    options = replace(QUICK, techniques=("int8-weights",), unlabelled=tmp_path / "more")
    found = run_compress(model, clips, tmp_path / "small", options)
    (kept,) = found.artefacts
    # Four recordings of two tints look alike to a perceptual hash.
    assert kept.certificate.windows == 8 and 2 <= kept.certificate.recordings <= 8
    assert kept.certificate.changed == 0 < kept.certificate.most_changed < 1
    assert [Path(f.name).name for f in found.failures] == ["broken.mp4"]
    card = load_model(tmp_path / "small" / "model").card["compression"]
    assert card["certificate"]["windows"] == 8
    document = json.loads((tmp_path / "small" / "compression.json").read_text())
    assert document["artefacts"][0]["certificate"]["changed"] == 0


def test_without_such_windows_nothing_is_certified(compressed):
    found, _ = compressed
    assert {one.certificate for one in found.artefacts} == {None}


def test_what_saves_nothing_is_not_judged_and_no_model_is_written(fitted, tmp_path, monkeypatch):
    clips, model = fitted
    monkeypatch.setitem(TECHNIQUES, "unchanged", Technique(()))
    found = run_compress(model, clips, tmp_path, replace(QUICK, techniques=("unchanged",)))
    (unchanged,) = found.artefacts
    assert unchanged.verdict == "no gain" and unchanged.loss is None
    assert not found.chosen and not (tmp_path / "model").exists()
    assert found.verdict == "Of 1 technique none saves size here."


def test_a_technique_that_fails_is_a_row_and_stops_nothing(fitted, tmp_path, monkeypatch):
    def fail(*_):
        raise BackboneError("nothing in this network can be folded")

    clips, model = fitted
    monkeypatch.setitem(MODULE_STEPS, "fold", fail)
    monkeypatch.setitem(TECHNIQUES, "folded", Technique(("fold",)))
    found = run_compress(
        model, clips, tmp_path, replace(QUICK, techniques=("folded", "int8-weights"))
    )
    failed = next(a for a in found.artefacts if a.name == "folded")
    assert failed.verdict == "failed" and failed.reason
    assert found.chosen == "int8-weights"


def test_a_model_without_a_network_has_nothing_to_compress(tmp_path):
    motion = zoo.load("motion")
    model = write_model(tmp_path / "model", [motion], linear(1, 3 * motion.spec.dim))
    clips = write_dataset(tmp_path / "clips", 1)
    with pytest.raises(ModelError, match=r"by motion, which has no torch network.*--network-only"):
        run_compress(model, clips, tmp_path / "small")


def test_a_model_of_a_fusion_that_left_is_refused(fitted, tmp_path):
    clips, model = fitted
    old = Path(shutil.copytree(model, tmp_path / "old"))
    document = json.loads((old / "model.json").read_text())
    document["card"]["method"] = "pca"
    (old / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="by the fusion 'pca', which vidfit no longer has"):
        run_compress(old, clips, tmp_path / "out", QUICK)


def test_clips_of_other_classes_are_refused(fitted, tmp_path):
    _, model = fitted
    other = write_dataset(tmp_path / "clips")
    with pytest.raises(ModelError, match="knows the classes blue, red, and the clips are of"):
        run_compress(model, other, tmp_path / "small")


def test_too_few_recordings_are_refused(fitted, tmp_path):
    clips, model = fitted
    rows = [(clips / tint / "0.mp4", tint) for tint in ("red", "blue")]
    with (tmp_path / "few.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    with pytest.raises(VidfitError, match="too few clips"):
        run_compress(model, tmp_path / "few.csv", tmp_path / "small")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"techniques": ("int8-statik",)}, "did you mean 'int8-static'"),
        ({"max_loss": -1.0}, "points of accuracy"),
        ({"target": "speed"}, "valid are latency, size, memory"),
        ({"distil_steps": -1}, "give 0 or more"),
    ],
)
def test_options_without_a_meaning_are_refused(changes, words):
    with pytest.raises(VidfitError, match=words):
        replace(QUICK, **changes).check()
