import numpy as np
import pytest

from vidfit.pixels.generate.shares import shares_of


def halves_of_two_kinds() -> tuple[np.ndarray, list[np.ndarray]]:
    """Return points of two clouds, and of members that draw one of them each."""
    rng = np.random.default_rng(0)
    left, right = rng.normal(-4, 1, (80, 3)), rng.normal(4, 1, (80, 3))
    real = np.concatenate([left[:40], right[:40]])
    return real, [
        np.concatenate([left[40:], left[:40]])[rng.permutation(80)],
        np.concatenate([right[40:], right[:40]])[rng.permutation(80)],
    ]


def test_members_that_draw_half_each_are_shared_evenly():
    real, drawn = halves_of_two_kinds()
    assert shares_of(real, drawn, 0) == pytest.approx([0.5, 0.5], abs=0.1)


def test_a_member_that_only_spoils_gets_no_share():
    real, _ = halves_of_two_kinds()
    rng = np.random.default_rng(1)
    drawn = [real + rng.normal(0, 0.1, real.shape), rng.normal(90, 1, real.shape)]
    assert shares_of(real, drawn, 0) == [1.0, 0.0]
