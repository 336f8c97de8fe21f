from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidfit.contracts import Clip
from vidfit.errors import ModelError
from vidfit.fusion.linear import cross_fit
from vidfit.jobs.compress.losses import REPEATS, Refitted, Unchanged, judgement
from vidfit.metrics.noninferior import share_bound
from vidfit.model import Model
from vidfit.study.table import Table

CLIPS, DIM = 80, 12


def table(noise: float = 0.5, *, split: int = 0) -> Table:
    """Two classes told by the first feature; ``coarse`` is ``fine`` with noise on it."""
    rng = np.random.default_rng(0)
    labels_M = np.arange(CLIPS) % 2
    fine = rng.normal(size=(CLIPS, DIM)).astype(np.float32)
    fine[:, 0] += 4 * labels_M
    coarse = fine + noise * rng.normal(size=fine.shape).astype(np.float32)
    clips = tuple(
        Clip(f"{i}.mp4", label="ab"[i % 2], group=f"r{i // 2}", split="test" if i < split else None)
        for i in range(CLIPS)
    )
    vectors = {"fine": fine, "coarse": coarse}
    return Table(
        clips, ("a", "b"), labels_M, vectors, (np.zeros(1, np.float32),) * CLIPS, np.ones(CLIPS)
    )


def top(answers_RMK):
    """Return answers [R, M]; those of clips that are not judged mean nothing."""
    return np.nan_to_num(answers_RMK).argmax(axis=2)


CALIBRATED_M = np.arange(CLIPS) < 20


@pytest.fixture(scope="module", name="fine_RMK")
def _fine():
    return Refitted(table(), "", CALIBRATED_M).answers(["fine"])


def test_clips_that_calibrated_are_learned_from_and_never_judged(fine_RMK):
    assert fine_RMK.shape == (REPEATS, CLIPS, 2)
    assert np.isnan(fine_RMK[:, :20]).all()
    np.testing.assert_allclose(fine_RMK[:, 20:].sum(axis=2), 1.0, atol=1e-5)
    assert (fine_RMK[:, 20:].argmax(axis=2) == table().labels_M[20:]).mean() > 0.9


def test_no_answer_depends_on_the_labels_of_its_recording(fine_RMK):
    honest, answers_RM = table(), top(fine_RMK)
    # All labels of judged clips are drawn at random: nothing can be known of them.
    labels_M = honest.labels_M.copy()
    labels_M[20:] = np.random.default_rng(1).integers(0, 2, CLIPS - 20)
    blind = replace(
        honest,
        labels_M=labels_M,
        clips=tuple(replace(c, label="ab"[k]) for c, k in zip(honest.clips, labels_M, strict=True)),
        vectors={"fine": np.random.default_rng(2).normal(size=(CLIPS, DIM)).astype(np.float32)},
    )
    guesses_RM = top(Refitted(blind, "", CALIBRATED_M).answers(["fine"]))
    assert 0.3 < (guesses_RM[:, 20:] == labels_M[20:]).mean() < 0.7
    assert (answers_RM[:, 20:] == honest.labels_M[20:]).mean() > 0.9


def test_losses_are_paired_and_of_judged_clips_only(fine_RMK):
    judge = Refitted(table(noise=3.0), "", CALIBRATED_M)
    coarse_RMK = judge.answers(["coarse"])
    found = judgement(coarse_RMK, fine_RMK, judge.table)
    truth_M = judge.table.labels_M[20:]
    fine_RM, coarse_RM = top(fine_RMK)[:, 20:], top(coarse_RMK)[:, 20:]
    expected = (fine_RM == truth_M).mean() - (coarse_RM == truth_M).mean()
    assert found.loss.value == pytest.approx(expected)
    assert found.loss.low <= expected <= found.loss.high and found.loss.low > 0
    assert found.changed == pytest.approx((fine_RM != coarse_RM).mean())
    clips = np.arange(20, CLIPS)
    less_RM = fine_RMK[:, clips, truth_M] - coarse_RMK[:, clips, truth_M]
    assert found.probability_loss.value == pytest.approx(less_RM.mean(), abs=1e-6)
    assert found.probability_loss.interval().low > 0


def test_answers_that_all_stay_leave_possible_that_some_change_on_other_clips(fine_RMK):
    same = judgement(fine_RMK, fine_RMK, table())
    assert same.loss.value == same.changed == same.probability_loss.value == 0
    recordings = (CLIPS - 20) // 2  # how alike their clips move is not known: each counts once
    assert same.loss.high == -same.loss.low == pytest.approx(share_bound(0, recordings))


def test_a_model_of_all_clips_has_the_compressed_members():
    judge = Refitted(table(), "", CALIBRATED_M)

    class Member:
        spec = type("Spec", (), {"name": "coarse"})()

    model = judge.model([Member()])
    assert model.members == ("coarse",) and model.head == "linear"


def test_a_trained_head_is_kept_and_only_test_clips_are_judged():
    seen = table(split=30)
    probe, _ = cross_fit([seen.vectors["fine"]], seen.labels_M, np.arange(CLIPS) % 5)
    model = Model(("a", "b"), ("fine",), "linear", probe.state(), 1.0, 0.0, 9.0, 1.0, 1.0, {"x": 1})
    tested_M = np.array([clip.split == "test" for clip in seen.clips])
    judge = Unchanged(seen, model, tested_M)
    answers_RMK = judge.answers(["coarse"])
    own_MK = np.exp(probe.log_probabilities([seen.vectors["coarse"]]))
    np.testing.assert_allclose(answers_RMK[0, :30], own_MK[:30], atol=1e-5)
    assert np.isnan(answers_RMK[0, 30:]).all()


def test_without_a_clip_to_judge_by_nothing_is_claimed():
    nothing_RMK = np.full((1, CLIPS, 2), np.nan)
    with pytest.raises(ModelError, match="no clip is left to judge by"):
        judgement(nothing_RMK, nothing_RMK, table())
