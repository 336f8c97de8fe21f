import json

import numpy as np
import pytest
import torch
from tests.pixels.generate.clips import SIZES, bank

from vidfit.errors import ModelError
from vidfit.pixels.generate.kept import load_generator, save_generator
from vidfit.pixels.generate.members import (
    LatentMember,
    SharedPool,
    TokenMember,
    drawn_labels,
)
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.tokens import gpt_of, learn_codebook
from vidfit.pixels.generate.vae import ClipDecoder


@pytest.fixture
def pool():
    torch.manual_seed(0)
    members = [
        LatentMember("flow", SIZES, ClipDecoder(SIZES), LatentFlow(SIZES)),
        LatentMember("bare", SIZES, ClipDecoder(SIZES)),
        TokenMember("tokens", SIZES, gpt_of(SIZES), learn_codebook(bank(), SIZES, 0)),
    ]
    return SharedPool("pool", SIZES, members, (0.5, 0.2, 0.3))


def test_clips_are_the_same_for_a_seed_whatever_was_drawn_before(pool):
    labels = drawn_labels(6, SIZES, 1)
    first = pool.draw(labels, 5)
    torch.rand(3)
    np.testing.assert_array_equal(pool.draw(labels, 5), first)
    assert first.shape == (6, 4, 16, 16, 3)
    assert (pool.draw(labels, 6) != first).any()


def test_drawing_leaves_the_random_numbers_of_training_alone(pool):
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    pool.draw(drawn_labels(2, SIZES, 0), 0)
    assert torch.equal(torch.rand(1), wanted)


def test_a_generator_comes_back_as_it_was(pool, tmp_path):
    labels = drawn_labels(5, SIZES, 0)
    for drawer in (pool, *pool.members):
        save_generator(drawer, SIZES, {"note": 1}, tmp_path / "model")
        read = load_generator(tmp_path / "model")
        assert read.drawer.name == drawer.name
        assert read.sizes == SIZES
        np.testing.assert_array_equal(read.drawer.draw(labels, 2), drawer.draw(labels, 2))


def test_a_model_without_its_weights_is_refused(pool, tmp_path):
    save_generator(pool, SIZES, {}, tmp_path / "model")
    (tmp_path / "model" / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="missing"):
        load_generator(tmp_path / "model")


def test_members_draw_their_share(pool):
    class One:
        def __init__(self, level):
            self.name, self.level = str(level), level

        def draw(self, labels_B, seed):
            return np.full((len(labels_B), 4, 16, 16, 3), self.level, np.uint8)

    drawn = SharedPool("pool", SIZES, [One(10), One(20)], (0.75, 0.25)).draw(np.zeros(800, int), 1)
    assert set(np.unique(drawn)) == {10, 20}
    assert (drawn[:, 0, 0, 0, 0] == 10).mean() == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.5, 0.5, 0.0], [1.0, -1.0, 1.0], "abc"])
def test_shares_that_cannot_be_are_refused(pool, tmp_path, shares):
    save_generator(pool, SIZES, {}, tmp_path / "model")
    document = tmp_path / "model" / "pixels.json"
    facts = json.loads(document.read_text())
    facts["sizes"]["shares"] = shares
    document.write_text(json.dumps(facts))
    with pytest.raises(ModelError, match="damaged"):
        load_generator(tmp_path / "model")


def test_classes_are_drawn_as_frequent_as_they_are():
    labels = drawn_labels(4000, SIZES, 0)
    assert np.bincount(labels) / 4000 == pytest.approx([0.5, 0.5], abs=0.03)
