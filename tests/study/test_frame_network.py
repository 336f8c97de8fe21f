"""A network of frames and words is saved with its words, and answers clips that have none."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from vidfit import backbones as zoo
from vidfit.contracts import Clip, ReadingBackbone, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.features.digests import row_key, spec_key
from vidfit.features.outcome import features_of
from vidfit.features.senses import GivenViews
from vidfit.networks import Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.vocabulary import LONGEST, Vocabulary
from vidfit.plans import Recipe, Subject
from vidfit.runtime import accelerate
from vidfit.study.frame_network import frame_network, reading_network
from vidfit.study.subject import build_subject, example, sight, trainee

WORDS = Vocabulary(("go", "stop", "grüß"))
SHAPE = Shape(0, 16, 2, width=12, layers=1, heads=2, vocabulary=WORDS.size)
VIEW = (1, 16, 112, 112, 3)


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    network = build("video-text", SHAPE)
    torch.nn.init.normal_(network.answer[-1].weight)
    return reading_network("video-text", SHAPE, network, WORDS)


@pytest.fixture(scope="module")
def views():
    return np.random.default_rng(0).integers(0, 256, VIEW, np.uint8)


def test_it_answers_as_the_network_that_was_trained(made, views):
    assert isinstance(made, ReadingBackbone) and made.spec.reads
    frames = torch.from_numpy(views)[:, None]
    text_BL = torch.from_numpy(WORDS.numbers(["Stop! Go, grüß nobody"]))
    with torch.inference_mode():
        expected = made.module(Clips(frames_BVTHWC=frames, text_BL=text_BL)).numpy()
    given = made.forward_with(views, "Stop! Go, grüß nobody")
    np.testing.assert_array_equal(given, expected[:, None])
    assert not np.allclose(given, made.forward(views))
    assert not np.allclose(given, made.forward_with(views, "go"))


def test_without_words_it_answers_from_frames(made, views):
    with torch.inference_mode():
        alone = made.module(Clips(frames_BVTHWC=torch.from_numpy(views)[:, None])).numpy()
    # The same sums in another order: padding is not attended to.
    np.testing.assert_allclose(made.forward(views)[:, 0], alone, atol=1e-5)
    np.testing.assert_array_equal(made.forward_with(views, "  "), made.forward(views))


def test_words_come_with_the_clip_and_count_in_the_store(made, views):
    nothing = np.zeros(0, np.int64)
    told = features_of(made, GivenViews(views, nothing, nothing / 1.0, text="stop"))
    np.testing.assert_array_equal(told.tokens_ND, made.forward_with(views, "stop")[0])
    silent = features_of(made, GivenViews(views, nothing, nothing / 1.0))
    np.testing.assert_array_equal(silent.tokens_ND, made.forward(views)[0])
    keys = {row_key(made.spec, Clip("a.mp4", text=text), "d") for text in ("go", "stop", None)}
    assert len(keys) == 3


def test_it_is_saved_with_its_words_and_comes_back(made, views, tmp_path):
    zoo.save(made, tmp_path / "saved")
    again = zoo.restore(tmp_path / "saved")
    assert again.spec == made.spec and again.vocabulary == WORDS
    np.testing.assert_array_equal(again.forward_with(views, "go"), made.forward_with(views, "go"))
    # No engine takes its two inputs.
    assert not isinstance(again, TorchBackbone) and accelerate(again) is again


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("words.json", lambda words: ["stop", "go", *words[2:]], "are not those of its spec.json"),
        ("words.json", lambda words: words[:2], "2 words do not fit a vocabulary of 6"),
        ("words.json", lambda words: ["go", "go", "stop"], "3 words do not fit"),
        ("words.json", lambda words: {"go": 1}, r"words\.json is no list of words"),
        ("shape.json", lambda shape: {**shape, "vocabulary": 7}, "3 words do not fit"),
        (
            "spec.json",
            lambda spec: {k: v for k, v in spec.items() if k != "reads"},
            "are not those of",
        ),
    ],
)
def test_altered_words_are_refused(made, tmp_path, name, change, message):
    zoo.save(made, tmp_path / "saved")
    path = tmp_path / "saved" / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BackboneError, match=message):
        zoo.restore(tmp_path / "saved")


def test_one_of_frames_alone_is_known_as_before():
    shape = Shape(0, 16, 2, width=12, layers=1, heads=2)
    spec = frame_network("video-text", shape, build("video-text", shape)).spec
    assert not spec.reads and "reads" not in spec.facts
    clip = Clip("a.mp4", text="go")
    assert row_key(spec, clip, "d") == "d" and len(spec_key(spec)) == 32


def test_a_network_that_reads_is_tried_with_words():
    subject = Subject("video-text", "", "full", 12, 1, 2, vocabulary=9)
    clips = example(sight(subject), 2, reads=True)
    assert clips.text_BL.shape == (2, LONGEST) and (clips.text_BL > 0).all()
    assert build_subject(subject, 3, 16, Recipe()).words.embedding.num_embeddings == 9
    given = trainee({"subject": asdict(subject), "recipe": asdict(Recipe()), "classes": 3})
    assert given.batch(1).text_BL is not None
    alone = trainee(
        {
            "subject": asdict(replace(subject, vocabulary=0)),
            "recipe": asdict(Recipe()),
            "classes": 3,
        }
    )
    assert alone.batch(1).text_BL is None and alone.network.words is None
