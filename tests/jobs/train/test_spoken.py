"""Words beside frames: learned, saved, read again by `predict`, and no need."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clips import write_clip
from tests.jobs.train.test_run import HERE, trained

from vidfit.contracts import Clip
from vidfit.errors import ModelError
from vidfit.jobs.export.run import run_export
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict
from vidfit.jobs.train.parts import Parts
from vidfit.jobs.train.spoken import spoken, telling_lines, vocabulary_of, with_words
from vidfit.launch import Here
from vidfit.networks.vocabulary import Vocabulary
from vidfit.plans import Data, Layout, Plan, Prediction, Recipe, Subject
from vidfit.study.clipsets import Prepared
from vidfit.training.clipset import ClipSet

RECIPE = Recipe(epochs=10, learning_rate=1e-2, dropout=0.0, weight_decay=0.0)
READS = Subject("video-text", "", "full", 24, 1, 2, vocabulary=100)
PLAN = Plan(READS, Layout(4, 2), RECIPE, Prediction(2**29, 0.1, 0.0, 5.0), Data(10, 2, 5, 16), HERE)
SAID = {"yes": "well of course please do", "no": "never ever that is enough"}


def say(video: Path, text: str) -> None:
    """Write subtitles beside a video."""
    cue = f"1\n00:00:00,100 --> 00:00:00,900\n{text}\n"
    video.with_suffix(".srt").write_text(cue, encoding="utf-8")


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Texture that moves to the left in both classes: only the words tell; two have none."""
    folder = tmp_path_factory.mktemp("spoken") / "clips"
    for kind, text in SAID.items():
        for r in range(9):
            video = write_clip(folder / kind / f"{kind}{r}.mp4", "left", 100 * len(kind) + r)
            if r:
                say(video, text)
    return folder


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory):
    output = tmp_path_factory.mktemp("out")
    return trained(clips, output, PLAN), output


def test_words_are_learned_and_their_worth_is_measured(run):
    report, output = run
    assert report.score.value > 0.7
    read = report.read
    assert read.words == len(set(" ".join(SAID.values()).split())) == 10
    assert 0 < read.learned <= report.learned and read.telling == 0
    assert read.silent.value < report.score.value
    assert read.gain.value == pytest.approx(report.score.value - read.silent.value)
    assert report.plan.subject.vocabulary == read.words + 3
    assert (output / "run" / "set" / "text.npy").is_file()
    page = (output / "training.html").read_text()
    assert "It reads what is said beside frames: 10 words known" in page
    assert "without them the same network answers" in page


def eager(output):
    predictor = load(output / "model")
    model = replace(predictor.model, unknown_probability=0.0, unknown_novelty=np.inf)
    return replace(predictor, model=model)


def test_predict_reads_subtitles_and_lists_in_the_same_way(run, tmp_path):
    predictor = eager(run[1])
    assert predictor.senses == {"frames", "words"}
    video = write_clip(tmp_path / "new.mp4", "left", 7)
    for label, text in SAID.items():
        say(video, text)
        beside = run_predict(predictor, str(video)).segments[0]
        assert beside.label == label
        row = Clip(str(video), label=None, text=text)
        video.with_suffix(".srt").unlink()
        (listed,) = predict_many(predictor, [row], Here(1))
        assert listed.segments[0].label == label
        assert listed.segments[0].probability == pytest.approx(beside.probability)


def test_a_clip_without_words_is_no_failure(run, tmp_path):
    video = write_clip(tmp_path / "silent.mp4", "left", 8)
    timeline = run_predict(eager(run[1]), str(video))
    assert not timeline.failures and timeline.segments[0].probability >= 0.5


def test_a_plan_without_vocabulary_sees_frames_alone(clips, tmp_path):
    plan = replace(PLAN, subject=replace(READS, vocabulary=0), recipe=replace(RECIPE, epochs=1))
    report = trained(clips, tmp_path, plan)
    assert report.read is None and not (tmp_path / "run" / "set" / "text.npy").exists()
    names = {path.name for path in (tmp_path / "model").rglob("*.json")}
    assert "shape.json" in names and "words.json" not in names


# ---------------------------------------------------------------- without training


def ready(*texts, labels="aabb"):
    clips = tuple(Clip(f"{i}.mp4", label=labels[i % 4], text=text) for i, text in enumerate(texts))
    frames = np.zeros((len(clips), 1, 2, 16, 16, 3), np.uint8)
    labels_M = np.arange(len(clips)) % 2
    return Prepared(clips, ("a", "b"), ClipSet(labels_M, {"frames": frames}), labels_M / 1.0, ())


def parts(learn, test, bare=()):
    rows = [np.array(some, np.int64) for some in (learn, [], test, bare)]
    return Parts(*rows)


def test_words_of_clips_that_test_are_not_known():
    found = ready("one two", "one three", "two three", "four four", "four", "two")
    notes: list[str] = []
    vocabulary = vocabulary_of(PLAN, found, parts([0, 1], [2, 3, 4]), None, notes)
    assert vocabulary.words == ("one",)
    more = vocabulary_of(PLAN, found, parts([0, 1], [2, 3, 4], [5]), None, notes)
    assert more.words == ("one", "two") and not notes
    assert not vocabulary_of(PLAN, found, parts([0], [1]), None, notes).size
    assert "No word is said in two of the clips" in notes[0]


def test_a_clip_without_words_is_padding():
    found = with_words(ready("one two", None), Vocabulary(("one",)))
    assert found.set.arrays["text"][:, :3].tolist() == [[3, 1, 0], [0, 0, 0]]


def test_words_that_hold_the_label_are_warned_of():
    found = ready("this is a", "a it is", "nothing", None)
    told = spoken(found, parts([0, 1, 2, 3], []), Vocabulary(("is",)))
    assert (told.learned, told.telling) == (3, 2)
    assert "In 2 of 3 clips with words" in telling_lines(told)[0]
    assert telling_lines(replace(told, telling=1)) == ()
    assert spoken(found, parts([0], []), Vocabulary(())) is None


def test_the_run_says_what_was_read(run):
    written = json.loads((run[1] / "training.json").read_text())
    assert written["read"]["words"] == 10


def test_what_reads_words_is_not_exported(run, tmp_path):
    with pytest.raises(ModelError, match="reads words beside frames, and graphs take frames alone"):
        run_export(run[1] / "model", tmp_path / "onnx")
