"""Masks as a kind of label: void is left out, the baseline is the place prior."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vidfit.contracts import Clip
from vidfit.manifest.annotations import VOID
from vidfit.metrics.areas import answer_of, cells_of
from vidfit.tasks.segment.kind import Masks, named


@pytest.fixture
def kind(tmp_path):
    for i in range(3):
        mask = np.zeros((44, 60), np.uint8)
        mask[20 + i :] = 2
        mask[:, :5] = 1
        Image.fromarray(mask).save(tmp_path / f"{i}.png")
    return named(["sky", "Ignore", "road"])


def test_void_is_no_class_wherever_it_stands(kind, tmp_path):
    assert kind.names == ("sky", "road") and kind.numbers == (0, VOID, 1)
    truth = kind.truth([Clip("a", label=str(tmp_path / "0.png"))], kind.names)
    assert truth[0].counts().tolist() == [20 * 55, 24 * 55]
    assert kind.strata(truth).tolist() == [[True, True]]
    assert kind.stratum(truth).tolist() == [1]


def test_the_place_prior_knows_where_classes_are(kind, tmp_path):
    clips = [Clip(str(i), label=str(tmp_path / f"{i}.png")) for i in range(3)]
    truth = kind.truth(clips, kind.names)
    prior_YXC = np.exp(cells_of(kind.constant(truth, 0, 2, "miou")[1]))
    assert prior_YXC[0, 30, 0] > 0.85 and prior_YXC[-1, 30, 1] > 0.85
    assert prior_YXC[20, 30, 1] == pytest.approx((1 + 0.52) / 4, abs=0.05)
    assert kind.lacking(clips) == {}


def test_an_answer_is_said_by_its_largest_areas():
    log_YXC = np.log(np.full((2, 4, 2), [0.2, 0.8], np.float32))
    log_YXC[0, 0] = np.log([0.9, 0.1])
    said = Masks(("sky", "road"), (0, 1)).said(answer_of(log_YXC), ("sky", "road"))
    assert said.label == "road 88%, sky 12%"
    assert said.probability == pytest.approx((7 * 0.8 + 0.9) / 8, abs=1e-5)


def test_what_is_unlike_the_truth_loses_more(kind, tmp_path):
    truth = kind.truth([Clip("a", label=str(tmp_path / "0.png"))] * 2, kind.names)
    good = np.full((44, 60, 2), [np.log(0.9), np.log(0.1)], np.float32)
    good[20:] = good[20:, :, ::-1]
    wrong = good[..., ::-1]
    lost = kind.losses(np.stack([answer_of(good), answer_of(wrong)]), truth)
    assert lost[0] == pytest.approx(-np.log(0.9), abs=1e-4)
    assert lost[1] == pytest.approx(-np.log(0.1), abs=1e-4)
