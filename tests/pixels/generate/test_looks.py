import numpy as np
import pytest

from vidfit.errors import NotEnoughDataError
from vidfit.pixels.generate.looks import ClipLooks, LookSpace, RealClips, gained, scored
from vidfit.pixels.generate.nearest import nearest_learned


def around(count, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1, (count, 12))


def test_the_clips_that_were_learned_from_have_a_variance_of_100():
    looks = np.random.default_rng(0).normal(2, 5, (60, 2560)).astype(np.float32)
    points = LookSpace.of(looks).place(looks)
    assert points.var(axis=0).sum() == pytest.approx(100, rel=1e-4)
    assert points[:, :1280].var(axis=0).sum() == pytest.approx(50, rel=1e-4)


def test_clips_that_all_look_the_same_are_refused():
    with pytest.raises(NotEnoughDataError, match="black"):
        LookSpace.of(np.ones((9, 2560), np.float32))


def test_the_encoder_is_named_and_sees_change():
    looks = ClipLooks()
    assert "efficientnet-lite0 at 96 x 96" in looks.name
    still = np.full((1, 8, 16, 16, 3), 90, np.uint8)
    moving = still.copy()
    moving[0, 4:, 4:12, 4:12] = 250
    seen = looks.of(np.concatenate([still, moving]))
    assert seen.shape == (2, 2560)
    assert np.abs(seen[0, 1280:]).max() < 1e-4 < np.abs(seen[1, 1280:]).max()


def test_what_lies_nearer_is_proven_nearer():
    real = RealClips(around(60), tuple(f"{i // 4}" for i in range(60)))
    near, far = [around(60, 0.1, 1)], [around(60, 1.5, 2)]
    lead = gained(real, near, far)
    assert lead.low > 0
    assert lead.value == pytest.approx(
        scored(real, far).distance.value - scored(real, near).distance.value
    )
    one = scored(real, near)
    assert one.distance.low < one.distance.value < one.distance.high
    assert one.clips == 60


def test_copies_are_found():
    learned, held = around(50), around(20, seed=1)
    names = [f"{i // 2}.mp4" for i in range(50)]
    found, rows = nearest_learned(learned, names, learned[[3, 7]] + 1e-6, held)
    assert rows.tolist() == [3, 7]
    assert found.copies and found.nearer == 1.0
    found, _ = nearest_learned(learned, names, around(20, seed=2) * 3, held)
    assert found.drawn > found.held_back
